/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c — everything that was declared, as one model: unique ids, references that lead somewhere,
 * no cycles. Edges are the references by name, and the tags that one object pushes and another
 * reads (a source image that another Image builds, a stack made from our own images).
 */
#include <stdlib.h>
#include <string.h>

#include "model/kind/build_refs.h"
#include "model/kind/builder.h"
#include "model/kind/check.h"
#include "model/kind/policy.h"
#include "model/kind/rules.h"
#include "model/kind/secret.h"
#include "model/kind/settings.h"
#include "model/kind/workload.h"
#include "model/oci/ref.h"

void model_init(struct model *model, struct arena *arena)
{
	*model = (struct model){ .arena = arena, .settings = settings_default(arena) };
}

/* Overlays and rendered charts declare a workload again: each place is an object of its own. */
static void make_twin(struct model *model, struct object *object, const struct object *first)
{
	object->twin_of = first;
	object->id = arena_printf(model->arena, "%s@%s:%u", first->id,
				  object->file ? object->file->path : "", object->pos.line);
	for (uint32_t column = object->pos.column; map_has(&model->by_id, object->id); column++)
		object->id = arena_printf(model->arena, "%s:%u", object->id, column);
}

void model_add(struct model *model, struct object *object, struct diags *diags)
{
	const struct object *before = map_get(&model->by_id, object->id);

	if (before && kind_info(object->kind)->is_workload) {
		make_twin(model, object, before);
		before = NULL;
	}
	if (before) {
		diag_add(diags, SEVERITY_ERROR, "duplicate-object", object->file,
			 object->meta.name_pos.line ? object->meta.name_pos : object->pos,
			 (uint32_t)strlen(object->meta.name),
			 "duplicate %s: also declared in %s, line %u", object->id,
			 before->file ? before->file->path : "another place", before->pos.line);
		diag_add(diags, SEVERITY_NOTE, "duplicate-object", before->file,
			 before->meta.name_pos.line ? before->meta.name_pos : before->pos,
			 (uint32_t)strlen(before->meta.name), "%s is first declared here",
			 before->id);
		return;
	}
	vec_push(model->arena, &model->objects, object);
	map_set(model->arena, &model->by_id, object->id, object);
	if (object->kind == KIND_SETTINGS)
		model->settings = object->spec;
}

enum { ID_BYTES = 512 };

const struct object *model_find(const struct model *model, enum kind kind, const char *ns,
				const char *name)
{
	char id[ID_BYTES];
	bool is_cluster = kind_info(kind)->is_cluster;
	const char *parts[] = { kind_name(kind),
				is_cluster  ? NULL
				: ns && *ns ? ns
					    : "default",
				name };
	size_t at = 0;

	for (size_t i = 0; i < COUNTOF(parts); i++) {
		size_t n = parts[i] ? strlen(parts[i]) : 0;

		if (!parts[i])
			continue;
		if (at + n + 2 > sizeof(id))
			return NULL;
		if (at)
			id[at++] = '/';
		memcpy(id + at, parts[i], n);
		at += n;
	}
	id[at] = '\0';
	return map_get(&model->by_id, id);
}

/* What walks over the references of one object are given. */
struct linker {
	struct model *model;
	struct arena *arena;
	struct diags *diags;
	struct map tags;         /* normalised reference → struct object that pushes it */
	struct link_node *nodes; /* one for each object, in their order */
};
struct link_node {
	const struct object *object;
	VEC(struct link_edge) edges;
	enum { NODE_NEW, NODE_OPEN, NODE_DONE } state;
};
struct link_edge {
	struct link_node *to;
	struct pos pos;   /* where the reference is written */
	const char *path; /* … when that has line 0: looked up when it is needed */
};

struct want {
	enum kind kind;
	const char *ns, *name;
	struct pos pos;
	const char *path; /* where it is written, when pos is not known */
	enum severity severity;
};

static struct link_node *node_of(struct linker *l, const struct object *object)
{
	return &l->nodes[object->index];
}

static void connect(struct linker *l, const struct object *from, struct link_node *to,
		    struct link_edge edge)
{
	struct link_node *node = node_of(l, from);

	edge.to = to;
	vec_push(l->arena, &node->edges, edge);
}

/* By kind, the paths that the walks below give without a position. */
static const char account_name[] = "spec.serviceAccountName",
		  account_ref[] = "spec.serviceAccountRef.name", spec_image[] = "spec.image",
		  source_image[] = "spec.source.registry.image",
		  build_image[] = "spec.buildImage.image", run_image[] = "spec.runImage.image";
static const char *const placed[KINDS][4] = {
	[KIND_CLUSTER_STACK] = { build_image, run_image, account_ref },
	[KIND_CLUSTER_STORE] = { account_ref },
	[KIND_BUILDPACK] = { spec_image, account_name },
	[KIND_CLUSTER_BUILDPACK] = { spec_image, account_ref },
	[KIND_CLUSTER_LIFECYCLE] = { spec_image, account_ref },
	[KIND_BUILDER] = { spec_image, account_name },
	[KIND_CLUSTER_BUILDER] = { spec_image, account_ref },
	[KIND_IMAGE] = { account_name, source_image },
};

/* The tag as it is compared; NULL for a pinned or a wrong reference. */
static const char *tag_key(const char *text, struct arena *arena)
{
	struct err err = { 0 };
	struct ref ref;

	if (!text || !*text || !ref_parse(text, arena, &ref, &err) || ref.digest)
		return NULL;
	return ref_format(&ref, arena);
}

static void note_tags(struct object *object, struct arena *arena)
{
	const struct image_spec *image = object->spec;
	const struct builder_spec *builder = object->spec;

	if (object->kind == KIND_BUILDER || object->kind == KIND_CLUSTER_BUILDER) {
		object->tag_keys = arena_array(arena, 1, sizeof(*object->tag_keys));
		object->tag_keys[0] = tag_key(builder->tag, arena);
	}
	if (object->kind != KIND_IMAGE)
		return;
	object->tag_keys =
		arena_array(arena, image->additional_tags.n + 1, sizeof(*object->tag_keys));
	object->tag_keys[0] = tag_key(image->tag, arena);
	for (size_t i = 0; i < image->additional_tags.n; i++)
		object->tag_keys[i + 1] = tag_key(image->additional_tags.v[i], arena);
}

void link_prepare(struct object *object, struct arena *arena)
{
	const char *const *paths = placed[object->kind];
	bool exact;

	note_tags(object, arena);
	if (paths[0])
		object->places = arena_array(arena, COUNTOF(placed[0]), sizeof(*object->places));
	/* What is not there, or under an old name, is placed at the mapping that would hold it. */
	for (size_t i = 0; i < COUNTOF(placed[0]) && paths[i]; i++)
		object->places[object->n_places++] =
			(struct place){ paths[i],
					check_locate(object->tree, paths[i], &exact)->pos };
}

static struct pos place_of(const struct object *from, struct pos pos, const char *path)
{
	if (pos.line || !path)
		return pos;
	for (size_t i = 0; i < from->n_places; i++)
		if (strcmp(from->places[i].path, path) == 0)
			return from->places[i].pos;
	return from->pos;
}

/* The nearest existing name of the kind, in the namespace where one would be found. */
static const struct object *nearest(const struct linker *l, const struct want *want)
{
	VEC(const char *) names = { 0 };
	const char *near;

	for (size_t i = 0; i < l->model->objects.n; i++) {
		const struct object *object = l->model->objects.v[i];

		if (object->kind == want->kind &&
		    (kind_info(want->kind)->is_cluster || strcmp(object->meta.ns, want->ns) == 0))
			vec_push(l->arena, &names, object->meta.name);
	}
	near = suggest(want->name, names.v, names.n);
	return near ? model_find(l->model, want->kind, want->ns, near) : NULL;
}

static void missing(struct linker *l, const struct object *from, const struct want *want)
{
	const struct object *near = nearest(l, want);
	struct pos pos = place_of(from, want->pos, want->path);

	diag_add(l->diags, want->severity, "missing-object", from->file, pos,
		 (uint32_t)strlen(want->name), "cannot find %s, which %s names%s%s%s",
		 object_id(want->kind, want->ns, want->name, l->arena), from->id,
		 near ? "; did you mean '" : "", near ? near->meta.name : "", near ? "'?" : "");
	if (near)
		diag_add(l->diags, SEVERITY_NOTE, "missing-object", near->file, near->meta.name_pos,
			 (uint32_t)strlen(near->meta.name), "%s is declared here", near->id);
}

static void need(struct linker *l, const struct object *from, struct want want)
{
	const struct object *to;

	if (!want.name || !*want.name)
		return;
	if (!want.ns || !*want.ns)
		want.ns = *from->meta.ns ? from->meta.ns : "default";
	to = model_find(l->model, want.kind, want.ns, want.name);
	if (to)
		connect(l, from, node_of(l, to),
			(struct link_edge){ .pos = want.pos, .path = want.path });
	else
		missing(l, from, &want);
}

/* The account "default" of a namespace exists without being declared. */
static void need_account(struct linker *l, const struct object *from, const char *ns,
			 const char *name, const char *path)
{
	if (name && strcmp(name, "default") != 0)
		need(l, from,
		     (struct want){ KIND_SERVICE_ACCOUNT, ns, name, .path = path,
				    .severity = SEVERITY_ERROR });
}

static void pushes(struct linker *l, const struct object *object, const char *tag, struct pos pos,
		   const char *key)
{
	const struct link_node *before = key ? map_get(&l->tags, key) : NULL;

	if (before && before->object != object)
		diag_add(l->diags, SEVERITY_WARNING, "shared-tag", object->file, pos,
			 (uint32_t)strlen(tag), "%s and %s push the same tag '%s'", object->id,
			 before->object->id, tag);
	else if (key && !before)
		map_set(l->arena, &l->tags, key, node_of(l, object));
}

static void reads(struct linker *l, const struct object *object, const char *image, struct pos pos,
		  const char *path)
{
	const char *key = tag_key(image, l->arena);
	struct link_node *producer = key ? map_get(&l->tags, key) : NULL;

	if (producer)
		connect(l, object, producer, (struct link_edge){ .pos = pos, .path = path });
}

static void link_image(struct linker *l, const struct object *object)
{
	const struct image_spec *spec = object->spec;
	const struct image_build *build = &spec->build;
	bool is_cluster = spec->builder.kind && strcmp(spec->builder.kind, "ClusterBuilder") == 0;

	need(l, object,
	     (struct want){ is_cluster ? KIND_CLUSTER_BUILDER : KIND_BUILDER, NULL,
			    spec->builder.name, spec->builder.pos, .severity = SEVERITY_ERROR });
	need_account(l, object, NULL, spec->service_account, account_name);
	for (size_t i = 0; i < build->services.n; i++) {
		const struct object_ref *service = LIST_AT(build->services, struct object_ref, i);

		if (service->kind && strcmp(service->kind, "Secret") == 0)
			need(l, object,
			     (struct want){ KIND_SECRET, NULL, service->name, service->pos,
					    .severity = SEVERITY_ERROR });
	}
	for (size_t i = 0; i < build->bindings.n; i++) {
		const struct binding *binding = LIST_AT(build->bindings, struct binding, i);

		need(l, object,
		     (struct want){ KIND_CONFIG_MAP, NULL, binding->metadata_name, binding->pos,
				    .severity = SEVERITY_ERROR });
		need(l, object,
		     (struct want){ KIND_SECRET, NULL, binding->secret_name, binding->pos,
				    .severity = SEVERITY_ERROR });
	}
	if (!spec->source.registry)
		return;
	reads(l, object, spec->source.registry->image, (struct pos){ 0 }, source_image);
	for (size_t i = 0; i < spec->source.registry->pull_secrets.n; i++) {
		const struct named *secret =
			LIST_AT(spec->source.registry->pull_secrets, struct named, i);

		need(l, object,
		     (struct want){ KIND_SECRET, NULL, secret->name, secret->pos,
				    .severity = SEVERITY_WARNING });
	}
}

static void link_order(struct linker *l, const struct object *object, const struct list *order)
{
	for (size_t i = 0; i < order->n; i++) {
		const struct list *group = &LIST_AT(*order, struct order_group, i)->group;

		for (size_t j = 0; j < group->n; j++) {
			const struct order_entry *entry = LIST_AT(*group, struct order_entry, j);
			bool is_cluster =
				entry->kind && strcmp(entry->kind, "ClusterBuildpack") == 0;

			if (!entry->kind)
				continue;
			need(l, object,
			     (struct want){ is_cluster ? KIND_CLUSTER_BUILDPACK : KIND_BUILDPACK,
					    NULL, entry->name, entry->pos,
					    .severity = SEVERITY_ERROR });
		}
	}
}

static void link_builder(struct linker *l, const struct object *object)
{
	const struct builder_spec *spec = object->spec;
	const struct {
		enum kind kind;
		const struct object_ref *ref;
	} parts[] = {
		{ KIND_CLUSTER_STACK, &spec->stack },
		{ KIND_CLUSTER_STORE, &spec->store },
		{ KIND_CLUSTER_LIFECYCLE, &spec->lifecycle },
	};

	reads(l, object, spec->image, (struct pos){ 0 }, spec_image);
	for (size_t i = 0; i < COUNTOF(parts) && !spec->image; i++)
		need(l, object,
		     (struct want){ parts[i].kind, NULL, parts[i].ref->name, parts[i].ref->pos,
				    .severity = SEVERITY_ERROR });
	link_order(l, object, &spec->order);
	need_account(l, object, NULL, spec->service_account, account_name);
	need_account(l, object, spec->account_ref.ns, spec->account_ref.name, account_ref);
}

static void link_stack(struct linker *l, const struct object *object)
{
	const struct stack_spec *spec = object->spec;

	reads(l, object, spec->build_image, (struct pos){ 0 }, build_image);
	reads(l, object, spec->run_image, (struct pos){ 0 }, run_image);
	need_account(l, object, spec->account_ref.ns, spec->account_ref.name, account_ref);
}

static void link_store(struct linker *l, const struct object *object)
{
	const struct store_spec *spec = object->spec;

	for (size_t i = 0; i < spec->sources.n; i++) {
		const struct image_source *source = LIST_AT(spec->sources, struct image_source, i);

		reads(l, object, source->image, source->pos, NULL);
	}
	need_account(l, object, spec->account_ref.ns, spec->account_ref.name, account_ref);
}

static void link_buildpack(struct linker *l, const struct object *object)
{
	const struct buildpack_spec *spec = object->spec;

	reads(l, object, spec->image, (struct pos){ 0 }, spec_image);
	need_account(l, object, NULL, spec->service_account, account_name);
	need_account(l, object, spec->account_ref.ns, spec->account_ref.name, account_ref);
}

static void link_account(struct linker *l, const struct object *object)
{
	const struct service_account_spec *spec = object->spec;
	const struct list *lists[] = { &spec->secret_refs, &spec->image_pull_refs };

	for (size_t k = 0; k < COUNTOF(lists); k++)
		for (size_t i = 0; i < lists[k]->n; i++) {
			const struct object_ref *ref = LIST_AT(*lists[k], struct object_ref, i);

			need(l, object,
			     (struct want){ KIND_SECRET, NULL, ref->name, ref->pos,
					    .severity = SEVERITY_WARNING });
		}
}

static void link_workload(struct linker *l, const struct object *object)
{
	const struct workload *workload = object->spec;

	for (size_t i = 0; i < workload->triggers.n; i++) {
		const struct workload_trigger *trigger =
			LIST_AT(workload->triggers, struct workload_trigger, i);

		if (!trigger->is_paused)
			need(l, object,
			     (struct want){ KIND_IMAGE_STREAM, trigger->ns, trigger->stream,
					    trigger->pos, .severity = SEVERITY_WARNING });
	}
}

static void link_policy(struct linker *l, const struct object *object)
{
	const struct policy_spec *spec = object->spec;
	const char *ns = spec->repository_ns ? spec->repository_ns : object->meta.ns;
	const bool is_stream = model_find(l->model, KIND_IMAGE_STREAM, ns, spec->repository) &&
			       !model_find(l->model, KIND_IMAGE_REPOSITORY, ns, spec->repository);

	need(l, object,
	     (struct want){ is_stream ? KIND_IMAGE_STREAM : KIND_IMAGE_REPOSITORY, ns,
			    spec->repository, spec->repository_pos, .severity = SEVERITY_WARNING });
}

static bool is_needed_before(const struct list *needs, size_t n)
{
	const struct build_need *one = LIST_AT(*needs, struct build_need, n);

	for (size_t i = 0; i < n; i++) {
		const struct build_need *other = LIST_AT(*needs, struct build_need, i);

		if (other->kind == one->kind && strcmp(other->name, one->name) == 0)
			return true;
	}
	return false;
}

/* OpenShift lets a build wait for what it names: only a warning, once for each object. */
static void link_build_config(struct linker *l, const struct object *object)
{
	const struct build_config_spec *spec = object->spec;
	const struct list refs = build_config_refs(spec, object->meta.ns, l->arena);
	const struct list needs = build_needs(&spec->common, l->arena);

	if (build_is_export(object))
		return;
	for (size_t i = 0; i < refs.n; i++) {
		const struct build_ref *ref = LIST_AT(refs, struct build_ref, i);
		bool is_said = !ref->stream;

		for (size_t k = 0; k < i && !is_said; k++) {
			const struct build_ref *other = LIST_AT(refs, struct build_ref, k);

			is_said = other->stream && strcmp(other->stream, ref->stream) == 0 &&
				  strcmp(other->ns, ref->ns) == 0;
		}
		if (!is_said)
			need(l, object,
			     (struct want){ KIND_IMAGE_STREAM, ref->ns, ref->stream, ref->from->pos,
					    .severity = SEVERITY_WARNING });
	}
	for (size_t i = 0; i < needs.n; i++) {
		const struct build_need *one = LIST_AT(needs, struct build_need, i);

		if (!is_needed_before(&needs, i))
			need(l, object,
			     (struct want){ one->kind, NULL, one->name, one->pos,
					    .severity = SEVERITY_WARNING });
	}
}

/* A marker whose policy is not declared changes nothing: whoever wrote it should know. */
static void link_markers(struct linker *l)
{
	for (size_t i = 0; i < l->model->markers.n; i++) {
		const struct marker *marker = LIST_AT(l->model->markers, struct marker, i);
		const struct want want = { KIND_IMAGE_POLICY, marker->ns, marker->name,
					   .severity = SEVERITY_WARNING };
		const struct object *near;

		if (model_find(l->model, want.kind, want.ns, want.name))
			continue;
		near = nearest(l, &want);
		diag_add(l->diags, SEVERITY_WARNING, "missing-object", marker->file,
			 marker->comment, 1, "cannot find %s, which this marker names%s%s%s",
			 object_id(want.kind, want.ns, want.name, l->arena),
			 near ? "; did you mean '" : "", near ? near->meta.name : "",
			 near ? "'?" : "");
	}
}

typedef void (*link_fn)(struct linker *l, const struct object *object);
static const link_fn links[] = {
	[KIND_NONE] = NULL,
	[KIND_CLUSTER_STACK] = link_stack,
	[KIND_CLUSTER_STORE] = link_store,
	[KIND_BUILDPACK] = link_buildpack,
	[KIND_CLUSTER_BUILDPACK] = link_buildpack,
	[KIND_CLUSTER_LIFECYCLE] = link_buildpack,
	[KIND_BUILDER] = link_builder,
	[KIND_CLUSTER_BUILDER] = link_builder,
	[KIND_IMAGE] = link_image,
	[KIND_IMAGE_STREAM] = NULL, /* link_streams.c; the step of another stream may come later */
	[KIND_BUILD_CONFIG] = link_build_config,
	[KIND_BUILD] = link_build_config,
	[KIND_IMAGE_POLICY] = link_policy,
	[KIND_DEPLOYMENT] = link_workload,
	[KIND_STATEFUL_SET] = link_workload,
	[KIND_DAEMON_SET] = link_workload,
	[KIND_REPLICA_SET] = link_workload,
	[KIND_JOB] = link_workload,
	[KIND_CRON_JOB] = link_workload,
	[KIND_POD] = link_workload,
	[KIND_POD_TEMPLATE] = link_workload,
	[KIND_REPLICATION_CONTROLLER] = link_workload,
	[KIND_DEPLOYMENT_CONFIG] = link_workload,
	[KIND_SECRET] = NULL,
	[KIND_SERVICE_ACCOUNT] = link_account,
	[KIND_CONFIG_MAP] = NULL,
	[KIND_SETTINGS] = NULL,
};
_Static_assert(COUNTOF(links) == KINDS, "every kind needs a row");

static void collect_tags(struct linker *l, const struct object *object)
{
	const struct image_spec *image = object->spec;
	const struct builder_spec *builder = object->spec;

	if (object->kind == KIND_BUILDER || object->kind == KIND_CLUSTER_BUILDER)
		pushes(l, object, builder->tag, builder->tag_pos, object->tag_keys[0]);
	if (object->kind != KIND_IMAGE)
		return;
	pushes(l, object, image->tag, image->tag_pos, object->tag_keys[0]);
	for (size_t i = 0; i < image->additional_tags.n; i++)
		pushes(l, object, image->additional_tags.v[i], image->tag_pos,
		       object->tag_keys[i + 1]);
}

struct trail {
	const struct trail *up;
	const struct link_node *node;
	const struct link_edge *edge; /* by which `up` names this node; NULL at the top */
};

/*
 * "Image/a/x → Image/a/y → Image/a/x", from the member that comes back to itself, and where each
 * names the next.
 */
static void report_cycle(struct linker *l, const struct trail *last, const struct link_edge *back)
{
	const struct trail *at = last;
	const char *text = back->to->object->id;

	for (;; at = at->up) {
		text = arena_printf(l->arena, "%s → %s", at->node->object->id, text);
		if (at->node == back->to)
			break;
	}
	diag_add(l->diags, SEVERITY_ERROR, "cycle", last->node->object->file,
		 place_of(last->node->object, back->pos, back->path), 1, "cycle: %s", text);
	for (at = last; at->node != back->to; at = at->up) {
		const struct object *from = at->up->node->object;

		diag_add(l->diags, SEVERITY_NOTE, "cycle", from->file,
			 place_of(from, at->edge->pos, at->edge->path), 1, "%s depends on %s here",
			 from->id, at->node->object->id);
	}
}

/*
 * Depth first; as deep as the longest chain of objects. Named references are at most four deep,
 * chains of tags as long as there are images, so the walk stops at a bound that no real set of
 * manifests comes near.
 */
enum { CHAIN_MAX = 2000 };

static void walk(struct linker *l, struct link_node *node, const struct trail *trail,
		 unsigned depth)
{
	node->state = NODE_OPEN;
	for (size_t i = 0; i < node->edges.n; i++) {
		const struct link_edge *edge = &node->edges.v[i];
		const struct trail next = { trail, edge->to, edge };

		if (edge->to->state == NODE_OPEN)
			report_cycle(l, trail, edge);
		else if (edge->to->state == NODE_NEW && depth >= CHAIN_MAX)
			diag_add(l->diags, SEVERITY_ERROR, "cycle", node->object->file, edge->pos,
				 1,
				 "a chain of more than %d objects that depend on each other ends "
				 "here",
				 (int)CHAIN_MAX);
		else if (edge->to->state == NODE_NEW)
			walk(l, edge->to, &next, depth + 1);
	}
	node->state = NODE_DONE;
}

static int by_id(const void *a, const void *b)
{
	struct object *const *left = a, *const *right = b;

	return strcmp((*left)->id, (*right)->id);
}

void model_link(struct model *model, struct diags *diags)
{
	struct linker l = { .model = model, .arena = model->arena, .diags = diags };

	if (model->objects.n)
		qsort(model->objects.v, model->objects.n, sizeof(*model->objects.v), by_id);
	if (link_streams(model, diags))
		qsort(model->objects.v, model->objects.n, sizeof(*model->objects.v), by_id);
	l.nodes = arena_array(l.arena, model->objects.n, sizeof(*l.nodes));
	for (size_t i = 0; i < model->objects.n; i++) {
		model->objects.v[i]->index = i;
		l.nodes[i].object = model->objects.v[i];
	}
	for (size_t i = 0; i < model->objects.n; i++)
		collect_tags(&l, model->objects.v[i]);
	for (size_t i = 0; i < model->objects.n; i++)
		if (links[model->objects.v[i]->kind])
			links[model->objects.v[i]->kind](&l, model->objects.v[i]);
	link_markers(&l);
	for (size_t i = 0; i < model->objects.n; i++) {
		struct link_node *node = &l.nodes[i];
		const struct trail trail = { NULL, node, NULL };

		if (node->state == NODE_NEW)
			walk(&l, node, &trail, 0);
	}
}
