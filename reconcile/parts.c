/* SPDX-License-Identifier: Apache-2.0 */
/* parts.c — direct edges; an order entry that names only an id may be answered by any buildpack resource in reach. */
#include "reconcile/parts.h"

#include <string.h>

#include "model/kind/builder.h"

struct search {
	const struct model *model;
	const struct object *object;
	struct arena *arena;
	struct object_list *out;
};

static void add(struct search *search, enum kind kind, const char *name)
{
	const char *ns = kind_info(kind)->is_cluster ? "" : search->object->meta.ns;
	const struct object *found = name ? model_find(search->model, kind, ns, name) : NULL;

	for (size_t i = 0; found && i < search->out->n; i++)
		if (search->out->v[i] == found)
			return;
	if (found)
		vec_push(search->arena, search->out, found);
}

static bool has_bare_ids(const struct builder_spec *spec)
{
	for (size_t i = 0; i < spec->order.n; i++) {
		const struct order_group *group = LIST_AT(spec->order, struct order_group, i);

		for (size_t k = 0; k < group->group.n; k++)
			if (!LIST_AT(group->group, struct order_entry, k)->name)
				return true;
	}
	return false;
}

static void add_named(struct search *search, const struct builder_spec *spec)
{
	for (size_t i = 0; i < spec->order.n; i++) {
		const struct order_group *group = LIST_AT(spec->order, struct order_group, i);

		for (size_t k = 0; k < group->group.n; k++) {
			const struct order_entry *entry =
				LIST_AT(group->group, struct order_entry, k);
			bool is_cluster =
				entry->kind && strcmp(entry->kind, "ClusterBuildpack") == 0;

			add(search, is_cluster ? KIND_CLUSTER_BUILDPACK : KIND_BUILDPACK,
			    entry->name);
		}
	}
}

static void add_in_reach(struct search *search)
{
	for (size_t i = 0; i < search->model->objects.n; i++) {
		const struct object *other = search->model->objects.v[i];

		if (other->kind == KIND_CLUSTER_BUILDPACK ||
		    (other->kind == KIND_BUILDPACK && search->object->kind == KIND_BUILDER &&
		     strcmp(other->meta.ns, search->object->meta.ns) == 0))
			add(search, other->kind, other->meta.name);
	}
}

void object_parts(const struct model *model, const struct object *object, struct arena *arena,
		  struct object_list *out)
{
	struct search search = { model, object, arena, out };

	if (object->kind == KIND_IMAGE) {
		const struct image_spec *spec = object->spec;
		bool is_own = spec->builder.kind && strcmp(spec->builder.kind, "Builder") == 0;

		add(&search, is_own ? KIND_BUILDER : KIND_CLUSTER_BUILDER, spec->builder.name);
	} else if (object->kind == KIND_BUILDER || object->kind == KIND_CLUSTER_BUILDER) {
		const struct builder_spec *spec = object->spec;

		add(&search, KIND_CLUSTER_STACK, spec->stack.name);
		add(&search, KIND_CLUSTER_STORE, spec->store.name);
		add(&search, KIND_CLUSTER_LIFECYCLE, spec->lifecycle.name);
		add_named(&search, spec);
		if (has_bare_ids(spec))
			add_in_reach(&search);
	}
}
