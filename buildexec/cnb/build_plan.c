/* SPDX-License-Identifier: Apache-2.0 */
/* build_plan.c — plan files from and to trees. The search for a combination is in
 * build_plan_resolve.c. */
#include "buildexec/cnb/build_plan.h"

#include <string.h>

#include "buildexec/cnb/value.h"

/* A scalar as text: versions are written as texts, and as numbers by mistake. NULL: it is none. */
static const char *scalar_text(const struct node *value, struct arena *arena)
{
	if (!value)
		return NULL;
	if (value->kind == NODE_BOOL)
		return value->i ? "true" : "false";
	if (value->kind == NODE_INT && !value->text)
		return arena_printf(arena, "%lld", (long long)value->i);
	return value->kind == NODE_SEQ || value->kind == NODE_MAP ? NULL : value->text;
}

/* `version` beside the name becomes one in the metadata, which may say the same, and nothing else. */
static bool move_version(const struct node *map, const char *version, struct arena *arena,
			 struct plan_require *out, struct err *err)
{
	const struct node *there = node_get(out->metadata, "version");
	const char *text = scalar_text(there, arena);
	struct node *metadata;

	if (there && (!text || strcmp(text, version) != 0))
		return err_set(err, ERR_INVALID,
			       "line %u, column %u: requirement '%s' has a key 'version' that does "
			       "not match "
			       "'metadata.version'",
			       map->pos.line, map->pos.column, out->name);
	if (there)
		return true;
	metadata = out->metadata ? node_clone(arena, out->metadata) : node_new(arena, NODE_MAP);
	node_set_text(arena, metadata, "version", version);
	out->metadata = metadata;
	return true;
}

static bool require_decode(const struct node *map, bool takes_version, struct arena *arena,
			   struct plan_require *out, struct err *err)
{
	const char *version;

	if (!value_text(map, "name", &out->name, err) || !value_text(map, "version", &version, err))
		return false;
	out->metadata = value_free_table(map, "metadata");
	if (!out->name)
		out->name = "";
	if (!version || !*version)
		return true;
	if (takes_version)
		return move_version(map, version, arena, out, err);
	return err_set(
		err, ERR_INVALID,
		"line %u, column %u: requirement '%s' has a key 'version'; it belongs into its "
		"metadata",
		map->pos.line, map->pos.column, out->name);
}

bool plan_requires_decode(const struct node *map, const char *key, bool takes_version,
			  struct arena *arena, struct plan_requires *out, struct err *err)
{
	const struct node *first;

	*out = (struct plan_requires){ 0 };
	if (!value_tables(map, key, &first, err))
		return false;
	for (; first; first = first->next) {
		struct plan_require require;

		if (!require_decode(first, takes_version, arena, &require, err))
			return false;
		vec_push(arena, out, require);
	}
	return true;
}

static bool section_decode(const struct node *map, bool takes_version, struct arena *arena,
			   struct plan_section *out, struct err *err)
{
	const struct node *first;

	*out = (struct plan_section){ 0 };
	if (!value_tables(map, "provides", &first, err))
		return false;
	for (; first; first = first->next) {
		const char *name;

		if (!value_text(first, "name", &name, err))
			return false;
		vec_push(arena, &out->provides, name ? name : "");
	}
	return plan_requires_decode(map, "requires", takes_version, arena, &out->requires, err);
}

bool plan_options_decode(const struct node *tree, struct api api, struct arena *arena,
			 struct plan_options *out, struct err *err)
{
	const struct node *first, *map = tree;
	struct plan_section section;

	*out = (struct plan_options){ 0 };
	if (!value_tables(tree, "or", &first, err))
		return false;
	for (; map; map = first, first = first ? first->next : NULL) {
		if (!section_decode(map, !api_at_least(api, 3), arena, &section, err))
			return false;
		vec_push(arena, out, section);
	}
	return true;
}

static struct node *requires_encode(const struct plan_requires *requires, bool with_version,
				    struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < requires->n; i++) {
		struct node *map = node_new(arena, NODE_MAP);

		node_set_text(arena, map, "name", requires->v[i].name);
		if (with_version)
			node_set_text(
				arena, map, "version",
				scalar_text(node_get(requires->v[i].metadata, "version"), arena));
		if (requires->v[i].metadata) {
			struct node *metadata = node_clone(arena, requires->v[i].metadata);

			node_sort_keys(metadata);
			node_set(arena, map, "metadata", metadata);
		}
		node_push(seq, map);
	}
	return seq;
}

struct node *build_plan_encode(const struct build_plan *plan, struct arena *arena)
{
	struct node *tree = node_new(arena, NODE_MAP), *seq = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_entry *entry = &plan->v[i];
		struct node *map = node_new(arena, NODE_MAP), *list = node_new(arena, NODE_SEQ);

		for (size_t k = 0; k < entry->providers.n; k++) {
			struct node *provider = node_new(arena, NODE_MAP);

			node_set_text(arena, provider, "id", entry->providers.v[k].id);
			node_set_text(arena, provider, "version", entry->providers.v[k].version);
			if (entry->providers.v[k].is_extension)
				node_set(arena, provider, "extension", node_bool(arena, true));
			node_push(list, provider);
		}
		node_set(arena, map, "providers", list);
		node_set(arena, map, "requires", requires_encode(&entry->requires, false, arena));
		node_push(seq, map);
	}
	if (plan->n)
		node_set(arena, tree, "entries", seq);
	return tree;
}

static bool providers_decode(const struct node *map, struct arena *arena, struct bp_group *out,
			     struct err *err)
{
	const struct node *first;

	if (!value_tables(map, "providers", &first, err))
		return false;
	for (; first; first = first->next) {
		struct bp_element element = { 0 };

		if (!value_text(first, "id", &element.id, err) ||
		    !value_text(first, "version", &element.version, err) ||
		    !value_bool(first, "extension", &element.is_extension, err))
			return false;
		if (element.id)
			vec_push(arena, out, element);
	}
	return true;
}

bool build_plan_decode(const struct node *tree, struct arena *arena, struct build_plan *out,
		       struct err *err)
{
	const struct node *first;

	*out = (struct build_plan){ 0 };
	if (!value_tables(tree, "entries", &first, err))
		return false;
	for (; first; first = first->next) {
		struct plan_entry entry = { 0 };

		if (!providers_decode(first, arena, &entry.providers, err) ||
		    !plan_requires_decode(first, "requires", false, arena, &entry.requires, err))
			return false;
		if (entry.requires.n)
		entry.name = entry.requires.v[0].name;
		vec_push(arena, out, entry);
	}
	return true;
}

static bool is_asked(const struct plan_requires *requires, const char *name)
{
	for (size_t i = 0; i < requires->n; i++)
		if (strcmp(requires->v[i].name, name) == 0)
			return true;
	return false;
}

bool buildpack_plan_met(const struct node *tree, const struct plan_requires *requires,
			struct arena *arena, struct strings *met, struct err *err)
{
	struct strings unmet = { 0 };
	const struct node *first;

	if (!value_tables(tree, "unmet", &first, err))
		return false;
	for (; first; first = first->next) {
		const char *name;

		if (!value_text(first, "name", &name, err))
			return false;
		if (!name || !*name)
			return err_set(err, ERR_INVALID, "unmet.name is required");
		if (!is_asked(requires, name))
			return err_set(err, ERR_INVALID,
				       "unmet.name '%s' must match a requested dependency", name);
		vec_push(arena, &unmet, name);
	}
	for (size_t i = 0; i < requires->n; i++)
		if (!strings_has(&unmet, requires->v[i].name))
			vec_push(arena, met, requires->v[i].name);
	return true;
}

struct plan_requires build_plan_find(const struct build_plan *plan,
				     const struct bp_element *element, struct arena *arena)
{
	struct plan_requires found = { 0 };

	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_entry *entry = &plan->v[i];
		bool is_provider = false;

		for (size_t k = 0; k < entry->providers.n; k++)
			is_provider |=
				entry->providers.v[k].is_extension == element->is_extension &&
				strcmp(entry->providers.v[k].id, element->id) == 0;
		for (size_t k = 0; is_provider && k < entry->requires.n; k++)
			vec_push(arena, &found, entry->requires.v[k]);
	}
	return found;
}

void build_plan_drop(struct build_plan *plan, const struct strings *met)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n; i++) {
		bool is_met = false;

		for (size_t k = 0; k < plan->v[i].requires.n; k++)
			is_met |= strings_has(met, plan->v[i].requires.v[k].name);
		if (!is_met)
			plan->v[n++] = plan->v[i];
	}
	plan->n = n;
}

struct node *buildpack_plan_encode(const struct plan_requires *requires, struct api api,
				   struct arena *arena)
{
	struct node *tree = node_new(arena, NODE_MAP);

	if (requires->n)
		node_set(arena, tree, "entries",
			 requires_encode(requires, !api_at_least(api, 3), arena));
	return tree;
}

bool buildpack_plan_decode(const struct node *tree, struct arena *arena, struct plan_requires *out,
			   struct err *err)
{
	return plan_requires_decode(tree, "entries", true, arena, out, err);
}
