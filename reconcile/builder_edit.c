/* SPDX-License-Identifier: Apache-2.0 */
/* builder_edit.c — Builder and ClusterBuilder: where they are pushed, what they stand on, and the detection order. */
#include <string.h>

#include "model/kind/builder.h"
#include "reconcile/load.h"
#include "reconcile/object_edit.h"

struct order_file {
	struct list order; /* struct order_group */
};
static const struct field order_file_fields[] = {
	{ "order", FIELD_STRUCTS, AT(struct order_file, order), .table = &order_group_table },
	{ 0 },
};
static const struct table order_file_table = { "order file", sizeof(struct order_file),
					       order_file_fields };

/* "id[@version]", several with commas. */
static bool check_buildpacks(const char *text, struct err *err)
{
	for (;;) {
		size_t n = strcspn(text, ",");
		const char *at = memchr(text, '@', n);

		if (!n || at == text || text[n - 1] == '@')
			return err_set(err, ERR_INVALID,
				       "buildpack '%.*s' is neither ID nor ID@VERSION", (int)n,
				       text);
		if (!text[n])
			return true;
		text += n + 1;
	}
}

bool builder_options_check(struct context *context, bool is_new, struct err *err)
{
	const struct object_options *o = &context->options.object;

	if (o->order && o->buildpacks.n)
		return err_set(err, ERR_INVALID, "cannot use --order and --buildpack together");
	for (size_t i = 0; i < o->buildpacks.n; i++)
		if (!check_buildpacks(o->buildpacks.v[i], err))
			return false;
	if (is_new && !o->order && !o->buildpacks.n)
		return err_set(err, ERR_INVALID,
			       "--order or --buildpack is required to create the resource");
	return true;
}

const char *builder_default_tag(const struct object_edit *e)
{
	const char *repository = e->config->repository;

	if (!repository)
		return NULL;
	if (e->id.kind == KIND_CLUSTER_BUILDER)
		return arena_printf(e->context->arena, "%s:clusterbuilder-%s", repository,
				    e->id.name);
	return arena_printf(e->context->arena, "%s:builder-%s-%s", repository, e->id.ns,
			    e->id.name);
}

static void add_buildpacks(struct arena *arena, struct node *group, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ",");
		const char *one = arena_copy(arena, text, n), *at = strrchr(one, '@');
		struct node *entry = node_new(arena, NODE_MAP);

		node_set_text(arena, entry, "id",
			      at ? arena_copy(arena, one, (size_t)(at - one)) : one);
		node_set_text(arena, entry, "version", at ? at + 1 : NULL);
		node_push(group, entry);
		text += n + (text[n] == ',');
	}
}

static const struct node *order_of(const struct strings *buildpacks, struct arena *arena)
{
	struct node *order = node_new(arena, NODE_SEQ), *entry = node_new(arena, NODE_MAP),
		    *group = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < buildpacks->n; i++)
		add_buildpacks(arena, group, buildpacks->v[i]);
	node_set(arena, entry, "group", group);
	node_push(order, entry);
	return order;
}

/* Decoded and printed again: mistakes are said at their places in the file. */
static bool read_order(const struct object_edit *e, const char *path, const struct node **out)
{
	struct arena *arena = e->context->arena;
	struct node *wrapped = node_new(arena, NODE_MAP);
	struct documents documents = { 0 };
	struct order_file order = { 0 };
	struct source_file file;
	struct diags diags;

	if (!load_text(path, arena, &file, e->err))
		return err_prefix(e->err, "order");
	diags_init(&diags, arena);
	diags.is_strict = e->context->options.is_strict;
	yaml_parse(&file, arena, &documents, &diags);
	if (!diags.n_errors && (documents.n != 1 || documents.v[0]->kind != NODE_SEQ))
		return err_set(e->err, ERR_INVALID, "order '%s': expected one list of '- group:'",
			       file.path);
	if (!diags.n_errors) {
		node_set(arena, wrapped, "order", documents.v[0]);
		fields_decode(&order_file_table, wrapped, "", &order, arena, &file, &diags);
	}
	context_print_problems(e->context, &diags);
	if (diags.n_errors)
		return err_set(e->err, ERR_INVALID, "order '%s' has mistakes", file.path);
	*out = node_get(fields_encode(&order_file_table, &order, arena), "order");
	return *out || err_set(e->err, ERR_INVALID, "order '%s' has no group", file.path);
}

static bool put_reference(struct object_edit *e, const char *field, const char *kind,
			  const char *name)
{
	const struct edit_path kind_path = object_path(e, field, "kind"),
			       name_path = object_path(e, field, "name");
	bool has_kind = object_node(e, field, "kind") != NULL;

	return object_set(e, &name_path, name) &&
	       object_set(e, &kind_path, name && !has_kind ? kind : NULL);
}

bool builder_put(struct object_edit *e, const struct builder_parts *parts)
{
	const struct edit_path tag = object_path(e, "tag", NULL),
			       order = object_path(e, "order", NULL);

	return object_set(e, &tag, parts->tag) &&
	       (e->id.kind == KIND_BUILDER || object_put_account(e, true)) &&
	       put_reference(e, "stack", "ClusterStack", parts->stack) &&
	       put_reference(e, "store", "ClusterStore", parts->store) &&
	       (!parts->order || object_put(e, &order, parts->order));
}

/* The store "default" where it is declared, as kp takes it: buildpacks may also come from Buildpack objects. */
static bool find_defaults(struct object_edit *e, struct builder_parts *parts)
{
	const struct manifest_id store = { KIND_CLUSTER_STORE, NULL, "default" };
	struct declared manifest;
	bool is_found;

	if (!manifest_find(e->all, &store, &manifest, &is_found, e->err))
		return false;
	if (!parts->store && is_found)
		parts->store = "default";
	if (!parts->stack)
		parts->stack = "default";
	if (!parts->tag)
		parts->tag = builder_default_tag(e);
	return parts->tag || err_set(e->err, ERR_INVALID,
				     "--tag is required to create the resource, or a default "
				     "repository: 'reconcile config default-repository'");
}

bool builder_edit(struct object_edit *e)
{
	const struct object_options *o = &e->context->options.object;
	struct builder_parts parts = { .tag = o->tag, .stack = o->stack, .store = o->store };
	const bool has_old = object_node(e, "serviceAccount", NULL) != NULL;
	const struct edit_path account = object_path(
				       e, has_old ? "serviceAccount" : "serviceAccountName", NULL),
			       reference = object_path(e, "serviceAccountRef", "name");

	if ((e->is_new && !find_defaults(e, &parts)) ||
	    (o->order && !read_order(e, o->order, &parts.order)))
		return false;
	if (o->buildpacks.n)
		parts.order = order_of(&o->buildpacks, e->context->arena);
	return builder_put(e, &parts) &&
	       object_set(e, e->id.kind == KIND_BUILDER ? &account : &reference,
			  o->service_account);
}
