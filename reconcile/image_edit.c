/* SPDX-License-Identifier: Apache-2.0 */
/* image_edit.c — one function per group of options; each looks at the document as it is by then. */
#include "reconcile/image_edit.h"

#include <string.h>

#include "model/kind/image.h"

struct editor {
	struct edit *edit;
	struct arena *arena;
	struct manifest *manifest;
	const struct image_options *o;
	struct edit_path spec;
	struct err *err;
};

static struct edit_path below(const struct edit_path *path, const char *first, const char *second)
{
	struct edit_path at = edit_key(path, first);

	return second ? edit_key(&at, second) : at;
}

static const struct node *spec_node(const struct editor *e, const char *first, const char *second)
{
	struct edit_path at = below(&e->spec, first, second);

	return edit_node(e->edit, &at);
}

/* NULL text: the option was not given. */
static bool set_text(struct editor *e, const struct edit_path *path, const char *text)
{
	return !text || edit_set(e->edit, path, node_string(e->arena, text), e->err);
}

bool image_options_check(const struct image_options *o, bool is_new, struct err *err)
{
	int sources = (o->git != NULL) + (o->blob != NULL) + (o->local_path != NULL);

	if (sources > 1 || (is_new && sources != 1))
		return err_set(err, ERR_INVALID,
			       "image source must be one of git, blob, or local-path");
	if (o->git_revision && (o->blob || o->local_path))
		return err_set(
			err, ERR_INVALID,
			"git-revision is incompatible with blob and local path image sources");
	if (o->destination && !o->local_path)
		return err_set(err, ERR_INVALID,
			       "local-path-destination-image says where --local-path is uploaded "
			       "to: give both");
	if (o->builder && o->cluster_builder)
		return err_set(err, ERR_INVALID, "must provide one of builder or cluster-builder");
	return true;
}

struct node *image_document(const char *name, const char *ns, const char *tag, struct arena *arena)
{
	struct node *document = node_new(arena, NODE_MAP), *meta = node_new(arena, NODE_MAP),
		    *spec = node_new(arena, NODE_MAP);

	node_set_text(arena, document, "apiVersion", "kpack.io/v1alpha2");
	node_set_text(arena, document, "kind", kind_name(KIND_IMAGE));
	node_set_text(arena, meta, "name", name);
	node_set_text(arena, meta, "namespace", ns);
	node_set(arena, document, "metadata", meta);
	node_set_text(arena, spec, "tag", tag);
	node_set(arena, document, "spec", spec);
	return document;
}

static bool check_tag(struct editor *e)
{
	const char *tag = node_text(edit_node(e->edit, &e->spec), "tag");

	if (!e->o->tag || !tag || strcmp(tag, e->o->tag) == 0)
		return true;
	return err_set(e->err, ERR_INVALID,
		       "Immutable field changed: spec.tag: got: %s, want: %s; to push to "
		       "another tag, create a new image",
		       e->o->tag, tag);
}

static bool edit_builder(struct editor *e)
{
	const char *name = e->o->builder ? e->o->builder : e->o->cluster_builder;
	const char *kind = e->o->builder ? "Builder" : "ClusterBuilder";
	const struct edit_path kind_path = below(&e->spec, "builder", "kind"),
			       name_path = below(&e->spec, "builder", "name");
	const char *now = node_text(spec_node(e, "builder", NULL), "kind");
	const char *old = e->o->builder ? "CustomBuilder" : "CustomClusterBuilder";

	if (!name)
		return true;
	/* An old spelling of the same kind may stay. */
	return (now && strcmp(now, old) == 0 ? true : set_text(e, &kind_path, kind)) &&
	       set_text(e, &name_path, name);
}

static bool edit_source(struct editor *e)
{
	static const char *const kinds[] = { "git", "blob", "registry", "local" };
	const struct image_options *o = e->o;
	const char *kind = o->git            ? "git"
			   : o->blob         ? "blob"
			   : o->source_image ? "registry"
			   : o->local_path   ? "local"
					     : NULL;
	const char *value = o->git ? o->git : o->blob ? o->blob : o->source_image;
	const char *key = o->source_image ? "image" : o->local_path ? "path" : "url";
	const struct edit_path source = edit_key(&e->spec, "source");
	struct edit_path at;

	if (o->local_path && !o->source_image) {
		value = manifest_relative(e->manifest, o->local_path);
		if (!value)
			return err_set(e->err, ERR_INVALID, "cannot find local path '%s'",
				       o->local_path);
	}
	if (!kind && !o->git_revision)
		return true;
	if (!kind && !spec_node(e, "source", "git"))
		return err_set(e->err, ERR_INVALID,
			       "git-revision is incompatible with existing image source");
	at = below(&source, kind ? kind : "git", key);
	if (!set_text(e, &at, value))
		return false;
	at = below(&source, "git", "revision");
	if (!set_text(e, &at, o->git_revision))
		return false;
	for (size_t i = 0; kind && i < COUNTOF(kinds); i++) {
		at = edit_key(&source, kinds[i]);
		if (strcmp(kinds[i], kind) != 0 && edit_node(e->edit, &at) &&
		    !edit_remove(e->edit, &at, e->err))
			return false;
	}
	return true;
}

/* The cache can only grow, as a volume of a cluster can. */
static bool edit_cache(struct editor *e)
{
	const struct node *volume = spec_node(e, "cache", "volume");
	struct edit_path volume_path = below(&e->spec, "cache", "volume");
	struct edit_path size = edit_key(&volume_path, "size"),
			 old_size = edit_key(&e->spec, "cacheSize");
	const struct node *old = spec_node(e, "cacheSize", NULL);
	int64_t now, wanted;

	if (!e->o->cache_size)
		return true;
	if (!old)
		old = node_get(volume, "size");
	if (!quantity_parse(e->o->cache_size, &wanted))
		return err_set(e->err, ERR_INVALID, "cache-size '%s' is no quantity",
			       e->o->cache_size);
	if (old && old->text && quantity_parse(old->text, &now) && wanted < now)
		return err_set(e->err, ERR_INVALID,
			       "Field cannot be decreased: spec.cache.volume.size: current: %s, "
			       "requested: %s",
			       old->text, e->o->cache_size);
	return set_text(e, spec_node(e, "cacheSize", NULL) ? &old_size : &size, e->o->cache_size);
}

static bool set_number(struct editor *e, const char *key, int64_t value)
{
	const struct edit_path path = edit_key(&e->spec, key);

	return !value || edit_set(e->edit, &path, node_int(e->arena, value), e->err);
}

static bool edit_rest(struct editor *e)
{
	const struct edit_path sub_path = below(&e->spec, "source", "subPath");
	const struct edit_path account =
		edit_key(&e->spec, spec_node(e, "serviceAccount", NULL) ? "serviceAccount"
									: "serviceAccountName");

	return set_text(e, &sub_path, e->o->sub_path) &&
	       set_text(e, &account, e->o->service_account) &&
	       set_number(e, "successBuildHistoryLimit", e->o->success_limit) &&
	       set_number(e, "failedBuildHistoryLimit", e->o->failed_limit);
}

/* Takes an item away; with the last one its list goes, and a `build` that held nothing else. */
static bool remove_item(struct editor *e, const struct edit_path *list, size_t index)
{
	struct edit_path path = *list;
	const struct node *node = edit_node(e->edit, list);

	if (node->n > 1) {
		path = edit_item(list, index);
		return edit_remove(e->edit, &path, e->err);
	}
	while (path.n - 1 > e->spec.n) {
		path.n--;
		if (edit_node(e->edit, &path)->n > 1) {
			path.n++;
			break;
		}
	}
	return edit_remove(e->edit, &path, e->err);
}

typedef bool match_fn(const struct node *item, const void *wanted);

static bool find_item(const struct editor *e, const struct edit_path *list, match_fn *matches,
		      const void *wanted, size_t *index)
{
	const struct node *node = edit_node(e->edit, list);
	size_t i = 0;

	for (const struct node *c = node && node->kind == NODE_SEQ ? node->first : NULL; c;
	     c = c->next, i++) {
		if (!matches(c, wanted))
			continue;
		*index = i;
		return true;
	}
	return false;
}

static bool not_found(const struct editor *e, const char *option, const char *value)
{
	return err_set(e->err, ERR_INVALID,
		       "%s parameter '%s' not found in existing image configuration", option,
		       value);
}

static bool is_text(const struct node *item, const void *wanted)
{
	return item->kind == NODE_STRING && strcmp(item->text, wanted) == 0;
}

static bool edit_tags(struct editor *e)
{
	const struct edit_path list = edit_key(&e->spec, "additionalTags");
	size_t at;

	for (size_t i = 0; i < e->o->delete_tags.n; i++) {
		const char *tag = e->o->delete_tags.v[i];

		if (!find_item(e, &list, is_text, tag, &at))
			return not_found(e, "delete-additional-tag", tag);
		if (!remove_item(e, &list, at))
			return false;
	}
	for (size_t i = 0; i < e->o->tags.n; i++) {
		const char *tag = e->o->tags.v[i];

		if (!find_item(e, &list, is_text, tag, &at) &&
		    !edit_append(e->edit, &list, node_string(e->arena, tag), e->err))
			return false;
	}
	return true;
}

static bool is_named(const struct node *item, const void *wanted)
{
	const char *name = node_text(item, "name");

	return name && strcmp(name, wanted) == 0;
}

static bool set_variable(struct editor *e, const struct edit_path *list, const char *name,
			 const char *value)
{
	struct node *item;
	struct edit_path path, other;
	size_t at;

	if (!find_item(e, list, is_named, name, &at)) {
		item = node_new(e->arena, NODE_MAP);
		node_set_text(e->arena, item, "name", name);
		node_set_text(e->arena, item, "value", value);
		return edit_append(e->edit, list, item, e->err);
	}
	path = edit_item(list, at);
	other = edit_key(&path, "valueFrom");
	path = edit_key(&path, "value");
	return set_text(e, &path, value) &&
	       (!edit_node(e->edit, &other) || edit_remove(e->edit, &other, e->err));
}

static bool edit_variables(struct editor *e)
{
	const struct edit_path list = below(&e->spec, "build", "env");
	const struct strings *gone = &e->o->delete_env;
	size_t at;

	for (size_t i = 0; i < gone->n; i++) {
		size_t n = strlen(gone->v[i]);

		for (size_t k = 0; k < e->o->env.n; k++)
			if (strncmp(e->o->env.v[k], gone->v[i], n) == 0 && e->o->env.v[k][n] == '=')
				return err_set(e->err, ERR_INVALID,
					       "duplicate delete-env and env-var parameter '%s'",
					       gone->v[i]);
		if (!find_item(e, &list, is_named, gone->v[i], &at))
			return not_found(e, "delete-env", gone->v[i]);
		if (!remove_item(e, &list, at))
			return false;
	}
	for (size_t i = 0; i < e->o->env.n; i++) {
		const char *text = e->o->env.v[i], *equals = strchr(text, '=');

		if (!equals || equals == text)
			return err_set(e->err, ERR_INVALID,
				       "env vars are improperly formatted: '%s' is not NAME=VALUE",
				       text);
		if (!set_variable(e, &list, arena_copy(e->arena, text, (size_t)(equals - text)),
				  equals + 1))
			return false;
	}
	return true;
}

struct service {
	const char *kind, *api_version, *name;
};

/* "NAME" or "KIND:APIVERSION:NAME" */
static bool read_service(struct editor *e, const char *text, struct service *out)
{
	const char *first = strchr(text, ':'), *last = strrchr(text, ':');

	*out = (struct service){ .kind = "Secret", .name = text };
	if (!first && *text)
		return true;
	if (!first || first == last || first == text || last == first + 1 || !last[1])
		return err_set(e->err, ERR_INVALID,
			       "service binding '%s' is neither NAME nor KIND:APIVERSION:NAME",
			       text);
	out->kind = arena_copy(e->arena, text, (size_t)(first - text));
	out->api_version = arena_copy(e->arena, first + 1, (size_t)(last - first - 1));
	out->name = last + 1;
	return true;
}

static bool is_service(const struct node *item, const void *wanted)
{
	const struct service *service = wanted;
	const char *kind = node_text(item, "kind"), *api_version = node_text(item, "apiVersion");

	return is_named(item, service->name) &&
	       strcmp(kind ? kind : "Secret", service->kind) == 0 &&
	       (!service->api_version ||
		(api_version && strcmp(api_version, service->api_version) == 0));
}

static bool edit_services(struct editor *e)
{
	const struct edit_path list = below(&e->spec, "build", "services");
	struct service service;
	size_t at;

	for (size_t i = 0; i < e->o->delete_services.n; i++) {
		if (!read_service(e, e->o->delete_services.v[i], &service))
			return false;
		if (!find_item(e, &list, is_service, &service, &at))
			return not_found(e, "delete-service-binding", e->o->delete_services.v[i]);
		if (!remove_item(e, &list, at))
			return false;
	}
	for (size_t i = 0; i < e->o->services.n; i++) {
		struct node *item = node_new(e->arena, NODE_MAP);

		if (!read_service(e, e->o->services.v[i], &service))
			return false;
		node_set_text(e->arena, item, "kind", service.kind);
		node_set_text(e->arena, item, "name", service.name);
		node_set_text(e->arena, item, "apiVersion", service.api_version);
		if (!find_item(e, &list, is_service, &service, &at) &&
		    !edit_append(e->edit, &list, item, e->err))
			return false;
	}
	return true;
}

bool image_edit(struct manifest *manifest, const struct image_options *options, struct err *err)
{
	struct editor e = { .edit = &manifest->edit,
			    .arena = manifest->context->arena,
			    .manifest = manifest,
			    .o = options,
			    .spec = edit_key(&manifest->at, "spec"),
			    .err = err };

	return check_tag(&e) && edit_builder(&e) && edit_source(&e) && edit_rest(&e) &&
	       edit_cache(&e) && edit_tags(&e) && edit_variables(&e) && edit_services(&e);
}
