/* SPDX-License-Identifier: Apache-2.0 */
/* image_edit.c — one function per group of options; each looks at the document as it is by then. */
#include "reconcile/object_edit.h"

#include <string.h>

#include "model/kind/image.h"

/* --tag, or the second argument. */
static bool find_tag(struct context *context, struct err *err)
{
	struct image_options *o = &context->options.image;
	const char *argument = context->options.args.n > 1 ? context->options.args.v[1] : NULL;

	if (argument && o->tag && strcmp(argument, o->tag) != 0)
		return err_set(err, ERR_INVALID, "two tags: '%s' and --tag '%s'", argument, o->tag);
	if (argument)
		o->tag = argument;
	return true;
}

bool image_options_check(struct context *context, bool is_new, struct err *err)
{
	const struct image_options *o = &context->options.image;
	int sources = (o->git != NULL) + (o->blob != NULL) + (o->local_path != NULL);

	if (!find_tag(context, err))
		return false;
	if (is_new && !o->tag)
		return err_set(err, ERR_INVALID, "--tag is required to create the resource");
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
	if (o->destination && !o->local_path)
		return err_set(err, ERR_INVALID,
			       "local-path-destination-image says where --local-path is uploaded "
			       "to: give both");
	if (o->builder && o->cluster_builder)
		return err_set(err, ERR_INVALID, "must provide one of builder or cluster-builder");
	return true;
}

static bool edit_tag(struct object_edit *e)
{
	const struct image_options *o = &e->context->options.image;
	const struct edit_path path = object_path(e, "tag", NULL);
	const struct node *tag = object_node(e, "tag", NULL);

	if (!o->tag || !tag || !tag->text || strcmp(tag->text, o->tag) == 0)
		return object_set(e, &path, o->tag);
	return err_set(e->err, ERR_INVALID,
		       "Immutable field changed: spec.tag: got: %s, want: %s; to push to "
		       "another tag, create a new image",
		       o->tag, tag->text);
}

static bool edit_builder(struct object_edit *e)
{
	const struct image_options *o = &e->context->options.image;
	const char *cluster = !o->cluster_builder && e->is_new ? "default" : o->cluster_builder;
	const char *name = o->builder ? o->builder : cluster;
	const char *kind = o->builder ? "Builder" : "ClusterBuilder";
	const struct edit_path kind_path = object_path(e, "builder", "kind"),
			       name_path = object_path(e, "builder", "name");
	const char *now = node_text(object_node(e, "builder", NULL), "kind");
	const char *old = o->builder ? "CustomBuilder" : "CustomClusterBuilder";

	if (!name)
		return true;
	/* An old spelling of the same kind may stay. */
	return (now && strcmp(now, old) == 0 ? true : object_set(e, &kind_path, kind)) &&
	       object_set(e, &name_path, name);
}

/* The source as the manifest is to name it: one of the maps of spec.source, and a key of it. Kind NULL: none was given. */
struct given_source {
	const char *kind, *key, *value;
};

/* kp's way: the files go to a registry; the manifest names them by digest. */
static bool pack_source(struct object_edit *e, struct given_source *out)
{
	const struct image_options *o = &e->context->options.image;
	const struct node *spec = edit_node(&e->manifest->file->edit, &e->spec);
	const char *tag = node_text(spec, "tag"), *account = o->service_account;

	if (!account)
		account = node_text(spec, "serviceAccountName");
	if (!account)
		account = node_text(spec, "serviceAccount");
	*e->source = (struct source_upload){ .path = o->local_path,
					     .tag = tag ? tag : "",
					     .destination = o->destination,
					     .account = account };
	if (!source_upload_pack(e->source, e->context->arena, e->err))
		return false;
	*out = (struct given_source){ "registry", "image", e->source->image };
	return true;
}

static bool find_source(struct object_edit *e, struct given_source *out)
{
	const struct image_options *o = &e->context->options.image;

	*out = (struct given_source){ 0 };
	if (o->git)
		*out = (struct given_source){ "git", "url", o->git };
	if (o->blob)
		*out = (struct given_source){ "blob", "url", o->blob };
	if (!o->local_path)
		return true;
	if (o->is_upload || o->destination)
		return pack_source(e, out);
	*out = (struct given_source){
		"local", "path", manifest_relative(e->manifest, o->local_path, e->context->arena)
	};
	return out->value ||
	       err_set(e->err, ERR_INVALID, "cannot find local path '%s'", o->local_path);
}

static bool edit_source(struct object_edit *e)
{
	static const char *const kinds[] = { "git", "blob", "registry", "local" };
	const char *revision = e->context->options.image.git_revision;
	const struct edit_path source = edit_key(&e->spec, "source");
	struct given_source given;
	struct edit_path at;

	if (!find_source(e, &given))
		return false;
	if (!given.kind && !revision)
		return true;
	if (!given.kind && !object_node(e, "source", "git"))
		return err_set(e->err, ERR_INVALID,
			       "git-revision is incompatible with existing image source");
	if (given.kind) {
		at = edit_key(&source, given.kind);
		at = edit_key(&at, given.key);
		if (!object_set(e, &at, given.value))
			return false;
	}
	at = object_path(e, "source", "git");
	at = edit_key(&at, "revision");
	if (!object_set(e, &at, revision))
		return false;
	for (size_t i = 0; given.kind && i < COUNTOF(kinds); i++) {
		at = edit_key(&source, kinds[i]);
		if (strcmp(kinds[i], given.kind) != 0 && edit_node(&e->manifest->file->edit, &at) &&
		    !object_remove(e, &at))
			return false;
	}
	return true;
}

/* The cache can only grow, as a volume of a cluster can. */
static bool edit_cache(struct object_edit *e)
{
	const struct image_options *o = &e->context->options.image;
	const struct node *volume = object_node(e, "cache", "volume");
	struct edit_path volume_path = object_path(e, "cache", "volume");
	struct edit_path size = edit_key(&volume_path, "size"),
			 old_size = edit_key(&e->spec, "cacheSize");
	const struct node *old = object_node(e, "cacheSize", NULL);
	int64_t now, wanted;

	if (!o->cache_size)
		return true;
	if (!old)
		old = node_get(volume, "size");
	if (!quantity_parse(o->cache_size, &wanted))
		return err_set(e->err, ERR_INVALID, "cache-size '%s' is no quantity",
			       o->cache_size);
	if (old && old->text && quantity_parse(old->text, &now) && wanted < now)
		return err_set(e->err, ERR_INVALID,
			       "Field cannot be decreased: spec.cache.volume.size: current: %s, "
			       "requested: %s",
			       old->text, o->cache_size);
	return object_set(e, object_node(e, "cacheSize", NULL) ? &old_size : &size, o->cache_size);
}

static bool set_number(struct object_edit *e, const char *key, int64_t value)
{
	const struct edit_path path = edit_key(&e->spec, key);

	return !value || object_put(e, &path, node_int(e->context->arena, value));
}

static bool edit_rest(struct object_edit *e)
{
	const struct image_options *o = &e->context->options.image;
	const struct edit_path sub_path = object_path(e, "source", "subPath");
	const struct edit_path account =
		edit_key(&e->spec, object_node(e, "serviceAccount", NULL) ? "serviceAccount"
									  : "serviceAccountName");

	return object_set(e, &sub_path, o->sub_path) &&
	       object_set(e, &account, o->service_account) &&
	       set_number(e, "successBuildHistoryLimit", o->success_limit) &&
	       set_number(e, "failedBuildHistoryLimit", o->failed_limit);
}

static bool not_found(const struct object_edit *e, const char *option, const char *value)
{
	return err_set(e->err, ERR_INVALID,
		       "%s parameter '%s' not found in existing image configuration", option,
		       value);
}

static bool is_text(const struct node *item, const void *wanted)
{
	return item->kind == NODE_STRING && strcmp(item->text, wanted) == 0;
}

static bool edit_tags(struct object_edit *e)
{
	const struct image_options *o = &e->context->options.image;
	const struct edit_path list = edit_key(&e->spec, "additionalTags");
	size_t at;

	for (size_t i = 0; i < o->delete_tags.n; i++) {
		const char *tag = o->delete_tags.v[i];

		if (!object_find_item(e, &list, is_text, tag, &at))
			return not_found(e, "delete-additional-tag", tag);
		if (!object_remove_item(e, &list, at))
			return false;
	}
	for (size_t i = 0; i < o->tags.n; i++) {
		const char *tag = o->tags.v[i];

		if (!object_find_item(e, &list, is_text, tag, &at) &&
		    !object_append(e, &list, node_string(e->context->arena, tag)))
			return false;
	}
	return true;
}

static bool is_named(const struct node *item, const void *wanted)
{
	const char *name = node_text(item, "name");

	return name && strcmp(name, wanted) == 0;
}

static bool set_variable(struct object_edit *e, const struct edit_path *list, const char *name,
			 const char *value)
{
	struct node *item;
	struct edit_path path, other;
	size_t at;

	if (!object_find_item(e, list, is_named, name, &at)) {
		item = node_new(e->context->arena, NODE_MAP);
		node_set_text(e->context->arena, item, "name", name);
		node_set_text(e->context->arena, item, "value", value);
		return object_append(e, list, item);
	}
	path = edit_item(list, at);
	other = edit_key(&path, "valueFrom");
	path = edit_key(&path, "value");
	return object_set(e, &path, value) &&
	       (!edit_node(&e->manifest->file->edit, &other) || object_remove(e, &other));
}

static bool edit_variables(struct object_edit *e)
{
	const struct image_options *o = &e->context->options.image;
	const struct edit_path list = object_path(e, "build", "env");
	const struct strings *gone = &o->delete_env;
	size_t at;

	for (size_t i = 0; i < gone->n; i++) {
		size_t n = strlen(gone->v[i]);

		for (size_t k = 0; k < o->env.n; k++)
			if (strncmp(o->env.v[k], gone->v[i], n) == 0 && o->env.v[k][n] == '=')
				return err_set(e->err, ERR_INVALID,
					       "duplicate delete-env and env-var parameter '%s'",
					       gone->v[i]);
		if (!object_find_item(e, &list, is_named, gone->v[i], &at))
			return not_found(e, "delete-env", gone->v[i]);
		if (!object_remove_item(e, &list, at))
			return false;
	}
	for (size_t i = 0; i < o->env.n; i++) {
		const char *text = o->env.v[i], *equals = strchr(text, '=');

		if (!equals || equals == text)
			return err_set(e->err, ERR_INVALID,
				       "env vars are improperly formatted: '%s' is not NAME=VALUE",
				       text);
		if (!set_variable(e, &list,
				  arena_copy(e->context->arena, text, (size_t)(equals - text)),
				  equals + 1))
			return false;
	}
	return true;
}

struct service {
	const char *kind, *api_version, *name;
};

/* "NAME" or "KIND:APIVERSION:NAME" */
static bool read_service(struct object_edit *e, const char *text, struct service *out)
{
	const char *first = strchr(text, ':'), *last = strrchr(text, ':');

	*out = (struct service){ .kind = "Secret", .name = text };
	if (!first && *text)
		return true;
	if (!first || first == last || first == text || last == first + 1 || !last[1])
		return err_set(e->err, ERR_INVALID,
			       "service binding '%s' is neither NAME nor KIND:APIVERSION:NAME",
			       text);
	out->kind = arena_copy(e->context->arena, text, (size_t)(first - text));
	out->api_version = arena_copy(e->context->arena, first + 1, (size_t)(last - first - 1));
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

static bool edit_services(struct object_edit *e)
{
	const struct image_options *o = &e->context->options.image;
	const struct edit_path list = object_path(e, "build", "services");
	struct service service;
	size_t at;

	for (size_t i = 0; i < o->delete_services.n; i++) {
		if (!read_service(e, o->delete_services.v[i], &service))
			return false;
		if (!object_find_item(e, &list, is_service, &service, &at))
			return not_found(e, "delete-service-binding", o->delete_services.v[i]);
		if (!object_remove_item(e, &list, at))
			return false;
	}
	for (size_t i = 0; i < o->services.n; i++) {
		struct node *item = node_new(e->context->arena, NODE_MAP);

		if (!read_service(e, o->services.v[i], &service))
			return false;
		node_set_text(e->context->arena, item, "kind", service.kind);
		node_set_text(e->context->arena, item, "name", service.name);
		node_set_text(e->context->arena, item, "apiVersion", service.api_version);
		if (!object_find_item(e, &list, is_service, &service, &at) &&
		    !object_append(e, &list, item))
			return false;
	}
	return true;
}

bool image_edit(struct object_edit *e)
{
	return edit_tag(e) && edit_builder(e) && edit_source(e) && edit_rest(e) && edit_cache(e) &&
	       edit_tags(e) && edit_variables(e) && edit_services(e);
}
