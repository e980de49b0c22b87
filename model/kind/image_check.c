/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_check.c — the rules of Image beyond its field table, with the texts of kpack's webhook
 * (kpack.md §2.4). Not checked: a StorageClass for spec.cache.volume (there is no cluster here),
 * and what may change between two versions of an Image (the planner knows the recorded one).
 */
#include <string.h>

#include "model/kind/check.h"
#include "model/kind/rules.h"
#include "model/oci/ref.h"

#define CNB_BINDINGS_TEXT                                                                          \
	"use of this field has been deprecated in v1alpha2, please use v1alpha1 for CNB "          \
	"bindings: "                                                                               \
	"spec.build.cnbBindings"
#define NOTARY_TEXT                                                                                \
	"use of this field has been deprecated in v1alpha2, please use v1alpha1 for "              \
	"notary image signing: spec.notary"

enum { BINDING_NAME_MAX = 253 };

/* Paths become text only when something is wrong: thousands of objects are right. */
static void check_additional_tag(const struct checker *c, const char *text, size_t i)
{
	struct err err = { 0 };
	struct ref ref;

	if (!*text || !ref_parse(text, c->arena, &ref, &err) || ref.digest)
		check_invalid(c, arena_printf(c->arena, "spec.additionalTags[%zu]", i), text, NULL);
}

static void check_tags(const struct checker *c, const struct image_spec *spec)
{
	struct err err = { 0 };
	struct ref tag, more;

	check_filled(c, "spec.tag", spec->tag);
	check_tag(c, "spec.tag", spec->tag);
	for (size_t i = 0; i < spec->additional_tags.n; i++)
		check_additional_tag(c, spec->additional_tags.v[i], i);
	if (!spec->additional_tags.n || !spec->tag || !ref_parse(spec->tag, c->arena, &tag, &err))
		return;
	for (size_t i = 0; i < spec->additional_tags.n; i++) {
		if (!ref_parse(spec->additional_tags.v[i], c->arena, &more, &err) ||
		    strcmp(more.registry, tag.registry) == 0)
			continue;
		check_fail(c, "spec.additionalTags",
			   "all additionalTags must have the same registry as tag: "
			   "spec.additionalTags\n"
			   "expected registry: %s, got: %s",
			   tag.registry, more.registry);
		return;
	}
}

static void check_builder(const struct checker *c, const struct object_ref *builder)
{
	if (!check_present(c, "spec.builder.name", builder->name))
		return;
	if (!check_present(c, "spec.builder.kind", builder->kind))
		return;
	if (strcmp(builder->kind, "Builder") != 0 && strcmp(builder->kind, "ClusterBuilder") != 0)
		check_invalid(c, "spec.builder.kind", builder->kind, NULL);
}

static void check_blob(const struct checker *c, const struct blob_source *blob)
{
	check_filled(c, "spec.source.blob.url", blob->url);
	if (blob->auth && *blob->auth && strcmp(blob->auth, "helper") != 0 &&
	    strcmp(blob->auth, "secret") != 0)
		check_invalid(c, "spec.source.blob.auth", blob->auth,
			      "must be one of '', 'helper', or 'secret'");
	if (blob->strip_components < 0)
		check_fail(c, "spec.source.blob.stripComponents",
			   "expected positive integer got %lld: spec.source.blob.stripComponents",
			   (long long)blob->strip_components);
}

/* None means all four are named, as what there could be; several are named themselves. */
static bool check_one_source(const struct checker *c, const struct source *source)
{
	const struct {
		const char *path;
		bool is_there;
	} kinds[] = {
		{ "spec.source.blob", source->blob },
		{ "spec.source.git", source->git },
		{ "spec.source.local", source->local },
		{ "spec.source.registry", source->registry },
	};
	const char *list = "";
	size_t n = 0;

	for (size_t i = 0; i < COUNTOF(kinds); i++)
		n += kinds[i].is_there;
	if (n == 1)
		return true;
	for (size_t i = 0; i < COUNTOF(kinds); i++)
		if (!n || kinds[i].is_there)
			list = arena_printf(c->arena, "%s%s%s", list, *list ? ", " : "",
					    kinds[i].path);
	check_fail(c, "spec.source", "expected exactly one, got %s: %s", n ? "both" : "neither",
		   list);
	return false;
}

static void check_source(const struct checker *c, const struct source *source)
{
	if (!check_one_source(c, source))
		return;
	if (source->git)
		check_filled(c, "spec.source.git.url", source->git->url);
	if (source->blob)
		check_blob(c, source->blob);
	if (source->registry) {
		check_filled(c, "spec.source.registry.image", source->registry->image);
		check_image(c, "spec.source.registry.image", source->registry->image);
	}
	if (source->local)
		check_filled(c, "spec.source.local.path", source->local->path);
}

/* ^[a-z0-9\-\.]{1,253}$ */
static bool binding_name_is_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");

	return n && n <= BINDING_NAME_MAX && !name[n];
}

/* The earlier entry of the same name is found through `seen`, whose values are its index + 1. */
static void check_unique(const struct checker *c, struct map *seen, const char *list,
			 const char *name, size_t i)
{
	uintptr_t before = (uintptr_t)map_get(seen, name);
	const char *what = strstr(list, "services") ? "service" : "binding";
	const char *path = arena_printf(c->arena, "%s[%zu].name", list, i);

	if (before)
		check_fail(c, path, "duplicate %s name \"%s\": %s[%zu].name, %s", what, name, list,
			   (size_t)before - 1, path);
	map_set(c->arena, seen, name, (void *)(uintptr_t)(i + 1));
}

static void check_services(const struct checker *c, const struct list *services)
{
	struct map seen = { 0 };

	for (size_t i = 0; i < services->n; i++) {
		const struct object_ref *service = LIST_AT(*services, struct object_ref, i);
		const char *path = arena_printf(c->arena, "spec.build.services[%zu].name", i);

		check_unique(c, &seen, "spec.build.services", service->name ? service->name : "",
			     i);
		if (check_present(c, path, service->name) && !binding_name_is_valid(service->name))
			check_invalid(c, path, service->name, NULL);
		path = arena_printf(c->arena, "spec.build.services[%zu].kind", i);
		if (check_present(c, path, service->kind) && strcmp(service->kind, "Secret") != 0)
			check_warn(c, path, "service bindings of kind %s are not supported: %s",
				   service->kind, path);
	}
}

static void check_binding(const struct checker *c, const struct binding *binding, size_t i)
{
	const char *at = arena_printf(c->arena, "spec.build.cnbBindings[%zu]", i);
	const char *path = arena_printf(c->arena, "%s.name", at);

	if (check_present(c, path, binding->name) && !binding_name_is_valid(binding->name))
		check_invalid(c, path, binding->name, NULL);
	if (!binding->metadata_ref)
		check_present(c, arena_printf(c->arena, "%s.metadataRef", at), NULL);
	else
		check_present(c, arena_printf(c->arena, "%s.metadataRef.name", at),
			      binding->metadata_name);
	if (binding->secret_ref)
		check_present(c, arena_printf(c->arena, "%s.secretRef.name", at),
			      binding->secret_name);
}

static void check_bindings(const struct checker *c, const struct list *bindings)
{
	struct map seen = { 0 };

	for (size_t i = 0; i < bindings->n; i++) {
		const struct binding *binding = LIST_AT(*bindings, struct binding, i);

		check_unique(c, &seen, "spec.build.cnbBindings", binding->name ? binding->name : "",
			     i);
		check_binding(c, binding, i);
	}
}

static bool is_integer(const char *text)
{
	size_t sign = *text == '-' || *text == '+', n = strspn(text + sign, "0123456789");

	return n && n <= 18 && !text[sign + n];
}

void check_quantities(const struct checker *c, const char *path, const struct pairs *pairs)
{
	int64_t milli;

	for (size_t i = 0; i < pairs->n; i++)
		if (!quantity_parse(pairs->v[i].value, &milli))
			check_invalid(c, arena_printf(c->arena, "%s[%s]", path, pairs->v[i].key),
				      pairs->v[i].value,
				      "must be a quantity such as 2, 500m, 128M or 1.5Gi");
}

static void check_env(const struct checker *c, const struct env_var *var, size_t i)
{
	const char *path;

	if (var->name && !*var->name)
		check_filled(c, arena_printf(c->arena, "spec.build.env[%zu].name", i), var->name);
	if (!var->value_from)
		return;
	path = arena_printf(c->arena, "spec.build.env[%zu].valueFrom", i);
	if (node_get(var->value_from, "secretKeyRef"))
		check_fail(c, arena_printf(c->arena, "%s.secretKeyRef", path),
			   "secretKeyRef is not supported for build environment variables: "
			   "%s.secretKeyRef",
			   path);
	else
		check_warn(c, path,
			   "valueFrom is not supported for build environment variables: %s", path);
}

static void check_build(const struct checker *c, const struct image_build *build, bool is_alpha1)
{
	const char *time = build->creation_time;

	if (node_get(build->node_selector, "kubernetes.io/os"))
		check_fail(c, "spec.build.nodeSelector",
			   "invalid key name \"kubernetes.io/os\": spec.build.nodeSelector\n"
			   "os is determined automatically");
	if (time && *time && strcmp(time, "now") != 0 && !is_integer(time))
		check_invalid(c, "spec.build.creationTime", time, NULL);
	check_services(c, &build->services);
	if (is_alpha1)
		check_bindings(c, &build->bindings);
	else if (build->bindings.n)
		check_fail(c, "spec.build.cnbBindings", "%s", CNB_BINDINGS_TEXT);
	for (size_t i = 0; i < build->env.n; i++)
		check_env(c, LIST_AT(build->env, struct env_var, i), i);
	if (build->timeout_s < 0)
		check_fail(c, "spec.build.buildTimeout",
			   "expected positive integer got %lld: spec.build.buildTimeout",
			   (long long)build->timeout_s);
	check_quantities(c, "spec.build.resources.limits", &build->resources.limits);
	check_quantities(c, "spec.build.resources.requests", &build->resources.requests);
}

static void check_cache(const struct checker *c, const struct image_spec *spec)
{
	const struct image_cache *cache = &spec->cache;
	int64_t milli;

	if (cache->has_volume && cache->has_registry)
		check_fail(c, "spec.cache",
			   "only one type of cache can be specified: spec.cache.registry, "
			   "spec.cache.volume");
	check_filled(c, "spec.cache.registry.tag", cache->registry_tag);
	check_tag(c, "spec.cache.registry.tag", cache->registry_tag);
	if (cache->volume_size && !quantity_parse(cache->volume_size, &milli))
		check_invalid(c, spec->cache_size ? "spec.cacheSize" : "spec.cache.volume.size",
			      cache->volume_size, "must be a quantity such as 2G or 1.5Gi");
}

static void check_history(const struct checker *c, const struct image_spec *spec)
{
	const struct {
		const char *path;
		int64_t limit;
	} limits[] = {
		{ "spec.failedBuildHistoryLimit", spec->failed_limit },
		{ "spec.successBuildHistoryLimit", spec->success_limit },
	};

	for (size_t i = 0; i < COUNTOF(limits); i++)
		if (limits[i].limit < 1)
			check_fail(c, limits[i].path,
				   "build history limit must be greater than 0: %s",
				   limits[i].path);
}

/* One text with all that is missing, as knative merges equal messages. */
static void check_cosign(const struct checker *c, const struct node *cosign)
{
	static const char *const keys[] = { "name", "value" };
	const struct node *annotations = node_get(cosign, "annotations");
	const char *missing = "", *first = NULL;
	size_t i = 0;

	if (!annotations || annotations->kind != NODE_SEQ)
		return;
	for (const struct node *item = annotations->first; item; item = item->next, i++)
		for (size_t k = 0; k < COUNTOF(keys); k++) {
			const char *text = node_text(item, keys[k]);
			const char *path = arena_printf(c->arena, "spec.cosign.annotations[%zu].%s",
							i, keys[k]);

			if (text && *text)
				continue;
			first = first ? first : path;
			missing = arena_printf(c->arena, "%s%s%s", missing, *missing ? ", " : "",
					       path);
		}
	if (first)
		check_fail(c, first, "missing field(s): %s", missing);
}

static void check_notary(const struct checker *c, const struct node *notary, bool is_alpha1)
{
	const struct node *v1 = node_get(notary, "v1");

	if (!notary || notary->kind == NODE_NULL)
		return;
	if (!is_alpha1) {
		check_fail(c, "spec.notary", "%s", NOTARY_TEXT);
		return;
	}
	if (!v1)
		return;
	check_present(c, "spec.notary.v1.url", node_text(v1, "url"));
	check_present(c, "spec.notary.v1.secretRef.name",
		      node_text(node_get(v1, "secretRef"), "name"));
}

void image_spec_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct image_spec *spec = object->spec;
	bool is_alpha1 = strstr(object->api_version, "/v1alpha1") != NULL;

	check_tags(&c, spec);
	check_builder(&c, &spec->builder);
	check_source(&c, &spec->source);
	check_build(&c, &spec->build, is_alpha1);
	check_cache(&c, spec);
	check_history(&c, spec);
	check_notary(&c, spec->notary, is_alpha1);
	check_cosign(&c, spec->cosign);
}
