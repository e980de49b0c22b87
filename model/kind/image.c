/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.c — the field tables of Image and of the parts it shares with build records, and the old
 * forms of its fields. Source: kpack.io/v1alpha2 Image, v1alpha1 spellings as aliases (kpack.md
 * §2.1, §2.13); source.local is ours.
 */
#include "model/kind/image.h"

#include <string.h>

#include "model/kind/check.h"
#include "model/kind/rules.h"
#include "model/kind/status_tables.h"

static const struct field named_fields[] = {
	{ "name", FIELD_STRING, AT(struct named, name), .is_required = true, POS(struct named, pos),
	  .doc = "The name." },
	{ 0 },
};
const struct table named_table = { "reference", sizeof(struct named), named_fields };

static const struct field git_fields[] = {
	{ "url", FIELD_STRING, AT(struct git_source, url), .is_required = true,
	  .doc = "The repository: https, ssh, git or file URL, or user@host:path." },
	{ "revision", FIELD_STRING, AT(struct git_source, revision),
	  .doc = "Branch, tag or commit. Default: master, then main." },
	{ "initializeSubmodules", FIELD_BOOL, AT(struct git_source, has_submodules),
	  .doc = "Also fetch submodules." },
	{ 0 },
};
static const struct table git_table = { "git source", sizeof(struct git_source), git_fields };

static const struct field blob_fields[] = {
	{ "url", FIELD_STRING, AT(struct blob_source, url), .is_required = true,
	  .doc = "A zip, tar, tar.gz or jar archive." },
	{ "auth", FIELD_STRING, AT(struct blob_source, auth),
	  .doc = "Credentials: empty, helper or secret." },
	{ "stripComponents", FIELD_INT, AT(struct blob_source, strip_components),
	  .doc = "Leading folders to drop from the names in the archive." },
	{ 0 },
};
static const struct table blob_table = { "blob source", sizeof(struct blob_source), blob_fields };

static const struct field registry_fields[] = {
	{ "image", FIELD_STRING, AT(struct registry_source, image), .is_required = true,
	  .doc = "An image whose layers are the source." },
	{ "imagePullSecrets", FIELD_STRUCTS, AT(struct registry_source, pull_secrets),
	  .table = &named_table, .doc = "Secrets to pull it with." },
	{ 0 },
};
static const struct table registry_table = { "registry source", sizeof(struct registry_source),
					     registry_fields };

static const struct field local_fields[] = {
	{ "path", FIELD_STRING, AT(struct local_source, path), .is_required = true,
	  .doc = "A folder or an archive, relative to the manifest." },
	{ 0 },
};
static const struct table local_table = { "local source", sizeof(struct local_source),
					  local_fields };

static const struct field source_fields[] = {
	{ "git", FIELD_STRUCT_PTR, AT(struct source, git), .table = &git_table,
	  .doc = "A git repository." },
	{ "blob", FIELD_STRUCT_PTR, AT(struct source, blob), .table = &blob_table,
	  .doc = "An archive behind a URL." },
	{ "registry", FIELD_STRUCT_PTR, AT(struct source, registry), .table = &registry_table,
	  .doc = "A source image." },
	{ "local", FIELD_STRUCT_PTR, AT(struct source, local), .table = &local_table,
	  .doc = "A folder or an archive beside the manifest." },
	{ "subPath", FIELD_STRING, AT(struct source, sub_path),
	  .doc = "The folder of the source that is the app." },
	{ 0 },
};
const struct table source_table = { "source", sizeof(struct source), source_fields };

static const struct field object_ref_fields[] = {
	{ "kind", FIELD_STRING, AT(struct object_ref, kind), .doc = "The object's kind." },
	{ "name", FIELD_STRING, AT(struct object_ref, name), POS(struct object_ref, pos),
	  .doc = "The object's name." },
	{ "namespace", FIELD_STRING, AT(struct object_ref, ns), .doc = "The object's namespace." },
	{ "apiVersion", FIELD_STRING, AT(struct object_ref, api_version),
	  .doc = "The object's apiVersion." },
	{ "uid", FIELD_IGNORED },
	{ "resourceVersion", FIELD_IGNORED },
	{ "fieldPath", FIELD_IGNORED },
	{ 0 },
};
const struct table object_ref_table = { "object reference", sizeof(struct object_ref),
					object_ref_fields };

static const struct field env_var_fields[] = {
	{ "name", FIELD_STRING, AT(struct env_var, name), .is_required = true,
	  POS(struct env_var, pos), .doc = "The variable." },
	{ "value", FIELD_STRING, AT(struct env_var, value), .doc = "Its value." },
	{ "valueFrom", FIELD_NODE, AT(struct env_var, value_from),
	  .doc = "Not supported for builds." },
	{ 0 },
};
const struct table env_var_table = { "env", sizeof(struct env_var), env_var_fields };

static const struct field binding_fields[] = {
	{ "name", FIELD_STRING, AT(struct binding, name), POS(struct binding, pos),
	  .doc = "The binding's name." },
	{ "metadataRef", FIELD_NODE, AT(struct binding, metadata_ref),
	  .doc = "A ConfigMap: {name}." },
	{ "secretRef", FIELD_NODE, AT(struct binding, secret_ref), .doc = "A Secret: {name}." },
	{ 0 },
};
const struct table binding_table = { "binding", sizeof(struct binding), binding_fields };

static const struct field resources_fields[] = {
	{ "limits", FIELD_STRING_MAP, AT(struct resources, limits),
	  .doc = "The most that a build may use: cpu, memory." },
	{ "requests", FIELD_STRING_MAP, AT(struct resources, requests),
	  .doc = "What a build is promised: cpu, memory." },
	{ 0 },
};
const struct table resources_table = { "resources", sizeof(struct resources), resources_fields };

/* As people write them: `cpu: 1` is a quantity too. image_adapt makes texts of them. */
static const struct field written_fields[] = {
	{ "limits", FIELD_NODE, AT(struct image_build, limits),
	  .doc = "The most that a build may use: cpu, memory." },
	{ "requests", FIELD_NODE, AT(struct image_build, requests),
	  .doc = "What a build is promised: cpu, memory." },
	{ "claims", FIELD_IGNORED },
	{ 0 },
};
static const struct table written_table = { "resources", sizeof(struct image_build),
					    written_fields };

static const struct field build_fields[] = {
	{ "env", FIELD_STRUCTS, AT(struct image_build, env), .table = &env_var_table,
	  .doc = "Variables that buildpacks see." },
	{ "services", FIELD_STRUCTS, AT(struct image_build, services), .table = &object_ref_table,
	  .doc = "Service bindings: Secrets that buildpacks see as files." },
	{ "cnbBindings", FIELD_STRUCTS, AT(struct image_build, bindings), .table = &binding_table,
	  .alias = "bindings", .doc = "Bindings of v1alpha1." },
	{ "resources", FIELD_STRUCT, 0, .table = &written_table,
	  .doc = "Limits of CPU and memory." },
	{ "tolerations", FIELD_NODE, AT(struct image_build, tolerations),
	  .doc = "Of the build pod." },
	{ "nodeSelector", FIELD_NODE, AT(struct image_build, node_selector),
	  .doc = "Of the build pod." },
	{ "affinity", FIELD_NODE, AT(struct image_build, affinity), .doc = "Of the build pod." },
	{ "runtimeClassName", FIELD_STRING, AT(struct image_build, runtime_class),
	  .doc = "Of the build pod." },
	{ "schedulerName", FIELD_STRING, AT(struct image_build, scheduler),
	  .doc = "Of the build pod." },
	{ "buildTimeout", FIELD_INT, AT(struct image_build, timeout_s),
	  .doc = "Seconds after which a build has failed." },
	{ "creationTime", FIELD_TEXT, AT(struct image_build, creation_time),
	  .doc = "Of the image: empty (1980-01-01), now, or Unix seconds." },
	{ 0 },
};
static const struct table build_table = { "Image build", sizeof(struct image_build), build_fields };

static const struct field volume_fields[] = {
	{ "size", FIELD_TEXT, AT(struct image_cache, volume_size),
	  .doc = "At most this much: 2G, 1.5Gi." },
	{ "storageClassName", FIELD_STRING, AT(struct image_cache, volume_class),
	  .doc = "Of a cluster; not needed here." },
	{ 0 },
};
static const struct table volume_table = { "cache volume", sizeof(struct image_cache),
					   volume_fields };
static const struct field cache_registry_fields[] = {
	{ "tag", FIELD_STRING, AT(struct image_cache, registry_tag), .is_required = true,
	  .doc = "The tag that the cache image is pushed to." },
	{ 0 },
};
static const struct table cache_registry_table = { "cache registry", sizeof(struct image_cache),
						   cache_registry_fields };

/* Both parts write into the same struct image_cache. */
static const struct field cache_fields[] = {
	{ "volume", FIELD_STRUCT, 0, .table = &volume_table, .has_given = true,
	  .given_offset = offsetof(struct image_cache, has_volume),
	  .doc = "A cache on this machine." },
	{ "registry", FIELD_STRUCT, 0, .table = &cache_registry_table, .has_given = true,
	  .given_offset = offsetof(struct image_cache, has_registry),
	  .doc = "A cache image in a registry." },
	{ 0 },
};
static const struct table cache_table = { "cache", sizeof(struct image_cache), cache_fields };

static const char *const taggings[] = { "BuildNumber", "None", NULL };

static const struct field image_fields[] = {
	{ "tag", FIELD_STRING, AT(struct image_spec, tag), .is_required = true,
	  POS(struct image_spec, tag_pos),
	  .doc = "Where the image is pushed. It cannot be changed later." },
	{ "additionalTags", FIELD_STRINGS, AT(struct image_spec, additional_tags),
	  .doc = "Further tags of the same registry." },
	{ "builder", FIELD_STRUCT, AT(struct image_spec, builder), .table = &object_ref_table,
	  POS(struct image_spec, builder.pos),
	  .doc = "A Builder of the same namespace, or a ClusterBuilder." },
	{ "serviceAccountName", FIELD_STRING, AT(struct image_spec, service_account),
	  .deflt = "default", .alias = "serviceAccount", .doc = "Whose secrets a build may use." },
	{ "source", FIELD_STRUCT, AT(struct image_spec, source), .table = &source_table,
	  POS(struct image_spec, source.pos),
	  .doc = "Exactly one of git, blob, registry and local." },
	{ "cache", FIELD_STRUCT, AT(struct image_spec, cache), .table = &cache_table,
	  POS(struct image_spec, cache.pos), .has_given = true,
	  .given_offset = offsetof(struct image_spec, has_cache),
	  .doc = "What builds keep for the next one: a volume or a registry; {} for nothing." },
	{ "cacheSize", FIELD_TEXT, AT(struct image_spec, cache_size),
	  .doc = "v1alpha1: cache.volume.size." },
	{ "failedBuildHistoryLimit", FIELD_INT, AT(struct image_spec, failed_limit), .deflt = "10",
	  .doc = "Failed builds to keep." },
	{ "successBuildHistoryLimit", FIELD_INT, AT(struct image_spec, success_limit),
	  .deflt = "10", .doc = "Successful builds to keep." },
	{ "imageTaggingStrategy", FIELD_ENUM, AT(struct image_spec, tagging), .values = taggings,
	  .deflt = "BuildNumber",
	  .doc = "BuildNumber adds a tag of the form b<number>.<date>.<time>." },
	{ "projectDescriptorPath", FIELD_STRING, AT(struct image_spec, project_descriptor),
	  .doc = "The project.toml, below the app's folder." },
	{ "defaultProcess", FIELD_STRING, AT(struct image_spec, default_process),
	  .doc = "What the image starts." },
	{ "notary", FIELD_NODE, AT(struct image_spec, notary),
	  .doc = "Notary v1 signing (v1alpha1)." },
	{ "cosign", FIELD_NODE, AT(struct image_spec, cosign),
	  .doc = "Annotations of signatures: {annotations: [{name, value}]}." },
	{ "build", FIELD_STRUCT, AT(struct image_spec, build), .table = &build_table,
	  .doc = "How builds run." },
	{ 0 },
};
const struct table image_spec_table = { "Image spec", sizeof(struct image_spec), image_fields };

/* Kinds of 2020, one of them a slip that documentation spread (kpack.md §0). */
static const char *builder_kind(const char *written)
{
	if (strcmp(written, "CustomBuilder") == 0)
		return "Builder";
	if (strcmp(written, "CustomClusterBuilder") == 0 ||
	    strcmp(written, "ClusterClusterBuilder") == 0)
		return "ClusterBuilder";
	return written;
}

static void adapt_cache(struct image_spec *spec)
{
	if (spec->has_cache)
		return;
	spec->cache.has_volume = true;
	spec->cache.volume_size = spec->cache_size ? spec->cache_size : "2G";
}

struct pairs check_quantities_read(const struct checker *c, const char *path,
				   const struct node *written)
{
	struct pairs pairs = { 0 };

	if (written && written->kind != NODE_MAP)
		check_fail(c, path, "expected a mapping for '%s', found %s", path,
			   node_kind_name(written->kind));
	if (!written || written->kind != NODE_MAP)
		return pairs;
	for (const struct node *item = written->first; item; item = item->next) {
		bool is_scalar = item->kind == NODE_STRING || item->kind == NODE_INT ||
				 item->kind == NODE_FLOAT;

		if (is_scalar)
			vec_push(c->arena, &pairs,
				 (struct pair){ item->key, item->text, item->pos });
		else
			check_fail(c, arena_printf(c->arena, "%s[%s]", path, item->key),
				   "expected a quantity for '%s[%s]', found %s", path, item->key,
				   node_kind_name(item->kind));
	}
	return pairs;
}

void image_adapt(void *out, const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	struct image_spec *spec = out;
	struct image_build *build = &spec->build;

	build->resources.limits =
		check_quantities_read(&c, "spec.build.resources.limits", build->limits);
	build->resources.requests =
		check_quantities_read(&c, "spec.build.resources.requests", build->requests);
	if (spec->builder.kind)
		spec->builder.kind = builder_kind(spec->builder.kind);
	if (!spec->service_account || !*spec->service_account)
		spec->service_account = "default";
	if (object->api_version && strstr(object->api_version, "/v1alpha1"))
		image_convert(&c, spec);
	adapt_cache(spec);
	bindings_name(&build->bindings);
}

/* Suffixes of k8s.io/apimachinery resource.Quantity, in thousandths of one. */
static const struct {
	const char *suffix;
	double milli;
} suffixes[] = {
	{ "", 1e3 },
	{ "m", 1 },
	{ "k", 1e6 },
	{ "M", 1e9 },
	{ "G", 1e12 },
	{ "T", 1e15 },
	{ "P", 1e18 },
	{ "Ki", 1024e3 },
	{ "Mi", 1048576e3 },
	{ "Gi", 1073741824e3 },
	{ "Ti", 1099511627776e3 },
	{ "Pi", 1125899906842624e3 },
};

enum { EXPONENT_MAX = 18, DIGITS_MAX = 18 };

/* "e3", "E-2": scales the value; anything else is left for the suffixes. */
static const char *exponent(const char *p, double *value)
{
	bool is_negative = (p[0] == 'e' || p[0] == 'E') && p[1] == '-';
	const char *digits = p + 1 + is_negative;
	int n = 0;

	if ((p[0] != 'e' && p[0] != 'E') || *digits < '0' || *digits > '9')
		return p;
	for (; *digits >= '0' && *digits <= '9' && n <= EXPONENT_MAX; digits++)
		n = n * 10 + (*digits - '0');
	if (n > EXPONENT_MAX)
		return p;
	for (; n; n--)
		*value = is_negative ? *value / 10 : *value * 10;
	return digits;
}

bool quantity_parse(const char *text, int64_t *milli)
{
	double value = 0, place = 1;
	const char *p = text;
	size_t digits = 0;

	for (; *p >= '0' && *p <= '9'; p++, digits++)
		value = value * 10 + (*p - '0');
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, digits++)
			value += (*p - '0') * (place /= 10);
	if (!digits || digits > DIGITS_MAX)
		return false;
	p = exponent(p, &value);
	for (size_t i = 0; i < COUNTOF(suffixes); i++) {
		if (strcmp(p, suffixes[i].suffix) != 0)
			continue;
		value = value * suffixes[i].milli + 0.5;
		if (value >= 9.2e18)
			return false;
		*milli = (int64_t)value;
		return true;
	}
	return false;
}

static bool quantities_equal(const struct pairs *a, const struct pairs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const char *left = a->v[i].value, *right = pairs_get(b, a->v[i].key);
		int64_t left_milli, right_milli;

		if (!right)
			return false;
		if (quantity_parse(left, &left_milli) && quantity_parse(right, &right_milli)) {
			if (left_milli != right_milli)
				return false;
		} else if (strcmp(left, right) != 0) {
			return false;
		}
	}
	return true;
}

bool resources_equal(const struct resources *a, const struct resources *b)
{
	return quantities_equal(&a->limits, &b->limits) &&
	       quantities_equal(&a->requests, &b->requests);
}

const char *env_var_find(const struct list *env, const char *name)
{
	for (size_t i = env->n; i-- > 0;) {
		const struct env_var *one = LIST_AT(*env, struct env_var, i);

		if (strcmp(one->name, name) == 0)
			return one->value ? one->value : "";
	}
	return NULL;
}
