/* SPDX-License-Identifier: Apache-2.0 */
/* parts.c — direct edges; an order entry that names only an id may be answered by any buildpack resource in reach. */
#include "reconcile/parts.h"

#include <string.h>

#include "model/kind/build_refs.h"
#include "model/kind/builder.h"
#include "model/kind/settings.h"
#include "reconcile/plan/follow.h"
#include "reconcile/plan/stream.h"
#include "reconcile/plan/stream_generation.h"

struct search {
	const struct model *model;
	const struct object *object;
	struct arena *arena;
	struct object_list *out;
};

static void add_at(struct search *search, enum kind kind, const char *ns, const char *name)
{
	const struct object *found = name ? model_find(search->model, kind, ns, name) : NULL;

	for (size_t i = 0; found && i < search->out->n; i++)
		if (search->out->v[i] == found)
			return;
	if (found)
		vec_push(search->arena, search->out, found);
}

static void add(struct search *search, enum kind kind, const char *name)
{
	add_at(search, kind, kind_info(kind)->is_cluster ? "" : search->object->meta.ns, name);
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

/* The streams whose tags the builds of an image watch. */
static void add_watched(struct search *search)
{
	const char *json = pairs_get(&search->object->meta.annotations, ANNOTATION_TRIGGERS);
	struct list watches;
	struct err err = { 0 };

	if (!json || !watches_parse(json, search->object->meta.ns, search->arena, &watches, &err))
		return;
	for (size_t i = 0; i < watches.n; i++)
		add_at(search, KIND_IMAGE_STREAM, LIST_AT(watches, struct image_watch, i)->ns,
		       LIST_AT(watches, struct image_watch, i)->stream);
}

static bool lies_in(const char *tag, const char *repository)
{
	size_t n = strlen(repository);

	return tag && strncmp(tag, repository, n) == 0 && (!tag[n] || tag[n] == ':');
}

/* What a build config reads: tags and images of streams. */
static void add_read(struct search *search)
{
	const struct list refs =
		build_config_refs(search->object->spec, search->object->meta.ns, search->arena);

	for (size_t i = 0; i < refs.n; i++) {
		const struct build_ref *ref = LIST_AT(refs, struct build_ref, i);

		if (ref->use != USE_OUTPUT)
			add_at(search, KIND_IMAGE_STREAM, ref->ns, ref->stream);
	}
}

/* By name, or as an image in the stream's repository. */
static bool is_output(const struct search *search, const struct object *config,
		      const char *repository)
{
	const struct meta *stream = &search->object->meta;
	const struct build_config_spec *spec = config->spec;
	struct build_ref ref;

	if (!build_ref_of(spec->common.output.to, config->meta.ns, search->arena, &ref))
		return false;
	if (ref.stream)
		return strcmp(ref.ns, stream->ns) == 0 && strcmp(ref.stream, stream->name) == 0;
	return repository && lies_in(ref.image, repository);
}

/* Images and build configs that push to the stream. */
static void add_pushers(struct search *search)
{
	const struct meta *meta = &search->object->meta;
	const char *registry = search->model->settings->streams.registry;
	const char *repository =
		registry ? arena_printf(search->arena, "%s/%s/%s", registry, meta->ns, meta->name)
			 : NULL;

	for (size_t i = 0; i < search->model->objects.n; i++) {
		const struct object *other = search->model->objects.v[i];
		const struct image_spec *spec = other->spec;
		bool is_image = repository && other->kind == KIND_IMAGE;
		bool is_pusher = is_image && lies_in(spec->tag, repository);

		for (size_t k = 0; is_image && k < spec->additional_tags.n; k++)
			is_pusher |= lies_in(spec->additional_tags.v[k], repository);
		if (is_pusher ||
		    (kind_has_builds(other->kind) && is_output(search, other, repository)))
			add_at(search, other->kind, other->meta.ns, other->meta.name);
	}
}

static void add_source(struct search *search, const struct tag_ref *tag)
{
	struct tag_source source;

	if (tag && tag_source_of(search->object, tag, search->arena, &source) && !source.is_own)
		add_at(search, KIND_IMAGE_STREAM, source.ns, source.stream);
}

static void add_of_stream(struct search *search)
{
	const struct stream_spec *spec = search->object->spec;

	add_pushers(search);
	for (size_t i = 0; i < spec->tags.n; i++)
		add_source(search, LIST_AT(spec->tags, struct tag_ref, i));
	for (size_t i = 0; i < spec->tag_documents.n; i++)
		add_source(search,
			   ((const struct stream_tag_spec *)spec->tag_documents.v[i]->spec)->tag);
}

/* Streams that a workload or a policy follows, as its manifest alone says. */
static void add_followed(struct search *search)
{
	const struct state nothing = { 0 };
	const struct planner planner = { .model = search->model,
					 .state = &nothing,
					 .arena = search->arena };
	struct list streams = followed_streams(&planner, search->object);

	for (size_t i = 0; i < streams.n; i++) {
		const struct followed_stream *stream = LIST_AT(streams, struct followed_stream, i);

		add_at(search, KIND_IMAGE_STREAM, stream->ns, stream->name);
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
		add_watched(&search);
	} else if (kind_has_builds(object->kind)) {
		add_read(&search);
	} else if (object->kind == KIND_IMAGE_STREAM) {
		add_of_stream(&search);
	} else if (object->kind == KIND_BUILDER || object->kind == KIND_CLUSTER_BUILDER) {
		const struct builder_spec *spec = object->spec;

		add(&search, KIND_CLUSTER_STACK, spec->stack.name);
		add(&search, KIND_CLUSTER_STORE, spec->store.name);
		add(&search, KIND_CLUSTER_LIFECYCLE, spec->lifecycle.name);
		add_named(&search, spec);
		if (has_bare_ids(spec))
			add_in_reach(&search);
	} else {
		add_followed(&search);
	}
}
