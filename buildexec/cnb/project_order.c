/* SPDX-License-Identifier: Apache-2.0 */
/* project_order.c — see project_order.h. */
#include "buildexec/cnb/project_order.h"

#include <string.h>

bool project_has_inline(const struct project_buildpacks *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].script)
			return true;
	return false;
}

/* "urn:cnb:builder:a/b@1" and "from=builder:a/b@1" name what is on the builder; NULL: another place. */
static const char *on_builder(const char *uri)
{
	static const char *const prefixes[] = { "urn:cnb:builder:", "from=builder:" };

	for (size_t i = 0; i < COUNTOF(prefixes); i++)
		if (strncmp(uri, prefixes[i], strlen(prefixes[i])) == 0)
			return uri + strlen(prefixes[i]);
	return NULL;
}

static bool name_of(const struct project_buildpack *buildpack, struct arena *arena, const char **id,
		    const char **version, struct err *err)
{
	const char *name, *at;

	*id = buildpack->id;
	*version = buildpack->version;
	if (buildpack->script || !buildpack->uri)
		return true;
	name = on_builder(buildpack->uri);
	if (!name)
		return err_set(err, ERR_INVALID,
			       "project descriptor: buildpack '%s' is not on the builder: add it "
			       "there, and name it by its id",
			       buildpack->uri);
	at = strchr(name, '@');
	*id = at ? arena_copy(arena, name, (size_t)(at - name)) : name;
	*version = at ? at + 1 : NULL;
	return true;
}

static bool add_list(const struct project_buildpacks *list, builder_version_fn *version_of,
		     void *ctx, struct arena *arena, struct node *to, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		struct node *map = node_new(arena, NODE_MAP);
		const char *id, *version;

		if (!name_of(&list->v[i], arena, &id, &version, err))
			return false;
		if (!version)
			version = version_of(ctx, id, err);
		if (!version)
			return false;
		node_set_text(arena, map, "id", id);
		node_set_text(arena, map, "version", version);
		node_push(to, map);
	}
	return true;
}

/* The builder's groups, or one empty group when the project's own takes their place. */
static const struct node *groups_of(const struct node *order_toml, bool is_replaced,
				    struct arena *arena)
{
	const struct node *order = node_get(order_toml, "order");
	struct node *empty;

	if (!is_replaced)
		return order && order->kind == NODE_SEQ ? order->first : NULL;
	empty = node_new(arena, NODE_MAP);
	node_set(arena, empty, "group", node_new(arena, NODE_SEQ));
	return empty;
}

bool project_order(const struct project *project, const struct node *order_toml,
		   builder_version_fn *version_of, void *ctx, struct arena *arena,
		   struct node **out, struct err *err)
{
	static const struct project_buildpacks none;
	bool has_group = project_has_inline(&project->group);
	bool has_pre = project_has_inline(&project->pre),
	     has_post = project_has_inline(&project->post);
	struct node *orders = node_new(arena, NODE_SEQ);

	*out = NULL;
	if (!has_group && !has_pre && !has_post)
		return true;
	for (const struct node *old = groups_of(order_toml, has_group, arena); old;
	     old = old->next) {
		struct node *group = node_new(arena, NODE_SEQ), *map = node_new(arena, NODE_MAP);
		const struct node *elements = node_get(old, "group");

		if (!add_list(has_pre ? &project->pre : &none, version_of, ctx, arena, group,
			      err) ||
		    !add_list(has_group ? &project->group : &none, version_of, ctx, arena, group,
			      err))
			return false;
		for (const struct node *e = elements && elements->kind == NODE_SEQ ? elements->first
										   : NULL;
		     e; e = e->next)
			node_push(group, node_clone(arena, e));
		if (!add_list(has_post ? &project->post : &none, version_of, ctx, arena, group,
			      err))
			return false;
		node_set(arena, map, "group", group);
		node_push(orders, map);
	}
	*out = order_toml ? node_clone(arena, order_toml) : node_new(arena, NODE_MAP);
	node_set(arena, *out, "order", orders);
	return true;
}

struct node *project_buildpack_toml(const struct project_buildpack *buildpack, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP), *info = node_new(arena, NODE_MAP);
	struct node *stacks = node_new(arena, NODE_SEQ), *any = node_new(arena, NODE_MAP);

	node_set_text(arena, out, "api", buildpack->api);
	node_set_text(arena, info, "id", buildpack->id);
	node_set_text(arena, info, "version", buildpack->version);
	node_set(arena, out, "buildpack", info);
	node_set_text(arena, any, "id", "*");
	node_push(stacks, any);
	node_set(arena, out, "stacks", stacks);
	return out;
}

const char *project_buildpack_script(const struct project_buildpack *buildpack, struct arena *arena)
{
	return arena_printf(arena, "#!%s\n\n%s\n", buildpack->shell, buildpack->script);
}
