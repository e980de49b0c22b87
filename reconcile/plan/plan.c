/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.c — one step per object, decided in the order of their dependencies, so that every rule sees what the steps before
 * it will give. Then the records of objects that are gone, and the counts.
 */
#include <string.h>

#include "reconcile/plan/follow.h"
#include "reconcile/plan/order.h"
#include "reconcile/plan/rules_build_config.h"
#include "reconcile/plan/stream_generation.h"

static void (*const rules[KINDS])(struct planner *p, struct step *step) = {
	[KIND_CLUSTER_STACK] = rule_stack,
	[KIND_CLUSTER_STORE] = rule_store,
	[KIND_BUILDPACK] = rule_store,
	[KIND_CLUSTER_BUILDPACK] = rule_store,
	[KIND_CLUSTER_LIFECYCLE] = rule_lifecycle,
	[KIND_BUILDER] = rule_builder,
	[KIND_CLUSTER_BUILDER] = rule_builder,
	[KIND_IMAGE] = rule_image,
	[KIND_IMAGE_POLICY] = rule_policy,
	[KIND_DEPLOYMENT] = rule_workload,
	[KIND_STATEFUL_SET] = rule_workload,
	[KIND_DAEMON_SET] = rule_workload,
	[KIND_REPLICA_SET] = rule_workload,
	[KIND_JOB] = rule_workload,
	[KIND_CRON_JOB] = rule_workload,
	[KIND_POD] = rule_workload,
	[KIND_POD_TEMPLATE] = rule_workload,
	[KIND_REPLICATION_CONTROLLER] = rule_workload,
	[KIND_DEPLOYMENT_CONFIG] = rule_deployment_config,
	[KIND_IMAGE_STREAM] = rule_stream,
	[KIND_BUILD_CONFIG] = rule_build_config,
	[KIND_BUILD] = rule_build_config,
};

static const struct table *const status_tables[KINDS] = {
	[KIND_CLUSTER_STACK] = &stack_status_table,
	[KIND_CLUSTER_STORE] = &store_status_table,
	[KIND_BUILDPACK] = &store_status_table,
	[KIND_CLUSTER_BUILDPACK] = &store_status_table,
	[KIND_CLUSTER_LIFECYCLE] = &lifecycle_status_table,
	[KIND_BUILDER] = &builder_status_table,
	[KIND_CLUSTER_BUILDER] = &builder_status_table,
	[KIND_IMAGE] = &image_status_table,
	[KIND_IMAGE_POLICY] = &policy_status_table,
	[KIND_DEPLOYMENT] = &workload_status_table,
	[KIND_STATEFUL_SET] = &workload_status_table,
	[KIND_DAEMON_SET] = &workload_status_table,
	[KIND_REPLICA_SET] = &workload_status_table,
	[KIND_JOB] = &workload_status_table,
	[KIND_CRON_JOB] = &workload_status_table,
	[KIND_POD] = &workload_status_table,
	[KIND_POD_TEMPLATE] = &workload_status_table,
	[KIND_REPLICATION_CONTROLLER] = &workload_status_table,
	[KIND_DEPLOYMENT_CONFIG] = &workload_status_table,
	[KIND_IMAGE_STREAM] = &stream_status_table,
	[KIND_BUILD_CONFIG] = &build_config_status_table,
	[KIND_BUILD] = &build_config_status_table,
};

/* As they would be written: what leaves no trace in the file is no change. */
static bool status_equal(enum kind kind, const void *a, const void *b, struct arena *arena)
{
	if (a == b)
		return true;
	if (!a || !b)
		return false;
	return node_equal(fields_encode(status_tables[kind], a, arena),
			  fields_encode(status_tables[kind], b, arena));
}

static bool is_selected(const struct planner *p, const struct object *object)
{
	return !p->options.is_selected || p->options.is_selected(object, p->options.select_ctx);
}

/* Others still see what is known of it; nothing is done or recorded. */
static void leave_alone(struct planner *p, struct step *step)
{
	struct step left = {
		.kind = step->kind,
		.id = step->id,
		.object = step->object,
		.ns = step->ns,
		.name = step->name,
		.status = step->status,
		.is_unknown = step->is_unknown,
		.summary = "not selected",
	};

	if (step->kind == KIND_IMAGE_STREAM ||
	    (step->action == ACTION_COMPOSE && recorded_status(p, step->object)))
		left.status = recorded_status(p, step->object);
	*step = left;
}

/* Recorded from newer manifests, or not at all, where newer ones were: they may have dropped it. */
static bool is_outdated(const struct planner *p, const struct step *step)
{
	const struct state_entry *entry = map_get(&p->state->by_id, step->id);
	const struct scope *scope = &p->options.scope;

	return entry ? scope_is_older(scope, &entry->origin) : scope->is_outdated;
}

/* What is recorded stands, and others are made of that. */
static void leave_to_newer(struct planner *p, struct step *step)
{
	const void *recorded = recorded_status(p, step->object);

	if (recorded)
		step->status = recorded;
	leave_alone(p, step);
	step->summary = "left to newer manifests";
	step->is_outdated = true;
}

static void settle(struct planner *p, struct step *step)
{
	const void *old = recorded_status(p, step->object);

	if (!is_selected(p, step->object)) {
		leave_alone(p, step);
		return;
	}
	if (is_outdated(p, step)) {
		leave_to_newer(p, step);
		return;
	}
	step->is_status_changed =
		!step->is_unknown && !status_equal(step->kind, step->status, old, p->arena);
	if (step->status && history_exceeds(step->object, step->status))
		step->is_status_changed = true;
	if (step->action == ACTION_RESOLVE && !step->is_status_changed &&
	    !(step->is_unknown && !old)) {
		step->action = ACTION_NONE;
		step->summary = NULL;
		step->old_value = step->new_value = NULL;
	}
	if (step->action == ACTION_IMPORT && !step->is_status_changed && step->n_after == 0 &&
	    step->unknown.n == 0) {
		step->action = ACTION_NONE;
		step->summary = NULL;
	}
}

void step_decide(struct planner *p, struct step *step)
{
	struct step fresh = {
		.kind = step->kind,
		.id = step->id,
		.object = step->object,
		.ns = step->ns,
		.name = step->name,
	};

	*step = fresh;
	rules[step->kind](p, step);
	records_origin(p, step);
	settle(p, step);
}

/* Steps and the nodes of their order, by index. */
struct graph {
	struct planner *p;
	struct step **steps;
	struct order_node *nodes;
	size_t n;
	struct map index;  /* id → struct order_node */
	VEC(size_t) needs; /* of the node at hand */
};

static void need(struct graph *g, enum kind kind, const char *ns, const char *name)
{
	const struct order_node *node =
		name ? map_get(&g->index, object_id(kind, ns, name, g->p->arena)) : NULL;

	if (node)
		vec_push(g->p->arena, &g->needs, (size_t)(node - g->nodes));
}

static void need_parts(struct graph *g, const struct object *object)
{
	const struct builder_spec *spec = object->spec;

	if (spec->image)
		return;
	need(g, KIND_CLUSTER_STACK, "", spec->stack.name);
	need(g, KIND_CLUSTER_STORE, "", spec->store.name);
	need(g, KIND_CLUSTER_LIFECYCLE, "", spec->lifecycle.name);
	for (size_t i = 0; i < g->n; i++) {
		const struct step *other = g->steps[i];
		bool is_own = other->kind == KIND_BUILDPACK && object->kind == KIND_BUILDER &&
			      strcmp(other->ns, object->meta.ns) == 0;

		if (is_own || other->kind == KIND_CLUSTER_BUILDPACK)
			vec_push(g->p->arena, &g->needs, i);
	}
}

static void need_builder(struct graph *g, const struct object *object)
{
	const struct object_ref *ref = &((const struct image_spec *)object->spec)->builder;

	if (text_equal(ref->kind, "ClusterBuilder"))
		need(g, KIND_CLUSTER_BUILDER, "", ref->name);
	else
		need(g, KIND_BUILDER, ref->ns && ref->ns[0] ? ref->ns : object->meta.ns, ref->name);
}

static void need_streams(struct graph *g, const struct object *object)
{
	const struct list streams = followed_streams(g->p, object);

	for (size_t i = 0; i < streams.n; i++) {
		const struct followed_stream *stream = LIST_AT(streams, struct followed_stream, i);

		need(g, KIND_IMAGE_STREAM, stream->ns, stream->name);
	}
}

/* The streams whose tags its builds watch; not the one that it pushes other tags to (look_at_watched). */
static void need_watched(struct graph *g, const struct object *object)
{
	const char *json = pairs_get(&object->meta.annotations, ANNOTATION_TRIGGERS);
	struct list watches;
	struct err err = { 0 };

	if (!json || !watches_parse(json, object->meta.ns, g->p->arena, &watches, &err))
		return;
	for (size_t i = 0; i < watches.n; i++) {
		const struct image_watch *watch = LIST_AT(watches, struct image_watch, i);

		if (!watch->is_paused && !pushes_beside(g->p, object,
							object_id(KIND_IMAGE_STREAM, watch->ns,
								  watch->stream, g->p->arena),
							watch->tag))
			need(g, KIND_IMAGE_STREAM, watch->ns, watch->stream);
	}
}

/*
 * The streams that a build config reads or watches. Of the one it pushes to, which comes after it, other tags are read as they
 * are before that (stream_before_pushes): that is no cycle. To watch the very tag that it pushes is one, as every build would ask for the next.
 */
static void need_inputs(struct graph *g, const struct object *object)
{
	const struct build_config_spec *spec = object->spec;
	const struct list refs = build_config_refs(spec, object->meta.ns, g->p->arena);

	for (size_t i = 0; i < refs.n; i++) {
		const struct build_ref *ref = LIST_AT(refs, struct build_ref, i);
		bool is_watched = ref->use == USE_TRIGGER &&
				  !LIST_AT(spec->triggers, struct build_trigger, ref->index)
					   ->image_change->is_paused;
		const char *own;

		if (!ref->stream || ref->use == USE_OUTPUT ||
		    (config_pushes_to(g->p->model, object, ref->ns, ref->stream, &own,
				      g->p->arena) &&
		     !(is_watched && text_equal(own, ref->tag))))
			continue;
		need(g, KIND_IMAGE_STREAM, ref->ns, ref->stream);
	}
}

/* What pushes to it, and streams it copies from. */
static void need_sources(struct graph *g, const struct object *object)
{
	const struct stream_spec *spec = object->spec;
	const struct pushers *pushers = map_get(&g->p->streams->pushers, object->id);
	struct tag_source source;

	for (size_t i = 0; pushers && i < pushers->list.n; i++) {
		const struct object *pusher = pushers->list.v[i].image;

		need(g, pusher->kind, pusher->meta.ns, pusher->meta.name);
	}
	for (size_t i = 0; i < spec->tags.n; i++) {
		if (tag_source_of(object, LIST_AT(spec->tags, struct tag_ref, i), g->p->arena,
				  &source) &&
		    !source.is_own)
			need(g, KIND_IMAGE_STREAM, source.ns, source.stream);
	}
	for (size_t i = 0; i < spec->tag_documents.n; i++) {
		const struct stream_tag_spec *document = spec->tag_documents.v[i]->spec;

		if (document->tag && tag_source_of(object, document->tag, g->p->arena, &source) &&
		    !source.is_own)
			need(g, KIND_IMAGE_STREAM, source.ns, source.stream);
	}
}

static void graph_edges(struct graph *g)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct object *object = g->steps[i]->object;

		g->needs.v = NULL;
		g->needs.n = g->needs.cap = 0;
		if (object->kind == KIND_BUILDER || object->kind == KIND_CLUSTER_BUILDER)
			need_parts(g, object);
		else if (object->kind == KIND_IMAGE)
			need_builder(g, object);
		else if (object->kind == KIND_IMAGE_POLICY || kind_info(object->kind)->is_workload)
			need_streams(g, object);
		if (object->kind == KIND_IMAGE)
			need_watched(g, object);
		else if (object->kind == KIND_IMAGE_STREAM)
			need_sources(g, object);
		else if (kind_has_builds(object->kind))
			need_inputs(g, object);
		g->nodes[i].needs = g->needs.v;
		g->nodes[i].n_needs = g->needs.n;
	}
}

static void graph_make(struct graph *g)
{
	const struct model *model = g->p->model;
	struct arena *arena = g->p->arena;

	g->steps = arena_array(arena, model->objects.n, sizeof(*g->steps));
	g->nodes = arena_array(arena, model->objects.n, sizeof(*g->nodes));
	for (size_t i = 0; i < model->objects.n; i++) {
		const struct object *object = model->objects.v[i];
		struct step *step;

		if (!rules[object->kind] || !is_follower(g->p, object) || build_is_export(object))
			continue;
		step = ARENA_NEW(arena, struct step);
		step->kind = object->kind;
		step->id = object->id;
		step->object = object;
		step->ns = object->meta.ns;
		step->name = object->meta.name;
		g->steps[g->n] = step;
		g->nodes[g->n].name = object->id;
		map_set(arena, &g->index, object->id, &g->nodes[g->n]);
		map_set(arena, &g->p->plan->by_id, object->id, step);
		g->n++;
	}
	graph_edges(g);
}

static void decide_all(struct planner *p)
{
	struct graph g = { .p = p };
	size_t *order;

	graph_make(&g);
	order = arena_array(p->arena, g.n, sizeof(*order));
	order_sort(g.nodes, g.n, p->arena, order);
	for (size_t i = 0; i < g.n; i++) {
		struct step *step = g.steps[order[i]];
		const char *cycle = g.nodes[order[i]].cycle;

		if (cycle) {
			step->status = recorded_status(p, step->object);
			step_block(step, (struct stop){ ERR_INVALID, true },
				   arena_printf(p->arena, "it needs itself: %s", cycle));
		} else {
			step_decide(p, step);
		}
		vec_push(p->arena, &p->plan->steps, step);
	}
}

static void notice(struct planner *p, const struct step *step, const char *what)
{
	vec_push(p->arena, &p->plan->notices,
		 arena_printf(p->arena, "%s of %s is not acted on yet", what, step->id));
}

/* kpack's default is master; whoever relies on it should know what is built instead. */
static void notice_main(struct planner *p, const struct step *step)
{
	const struct image_spec *spec = step->object->spec;
	const struct attempt *inputs = step->inputs;

	if (!spec->source.git || spec->source.git->revision || !inputs ||
	    !text_equal(inputs->git_revision, "main"))
		return;
	vec_push(p->arena, &p->plan->notices,
		 arena_printf(p->arena,
			      "%s has no source.git.revision and its repository no 'master': "
			      "'main' is followed",
			      step->id));
}

static void count(struct planner *p)
{
	struct plan *plan = p->plan;
	size_t n_outdated = 0;

	config_notices(p);
	for (size_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan->steps.v[i];
		const struct image_spec *spec =
			step->kind == KIND_IMAGE && step->object ? step->object->spec : NULL;

		if (spec && spec->notary)
			notice(p, step, "notary");
		if (spec && spec->cosign)
			notice(p, step, "cosign");
		if (spec)
			notice_main(p, step);
		n_outdated += step->is_outdated;
		if (step->blocked)
			plan->n_blocked++;
		else
			plan->counts[step->action]++;
		if (step->action == ACTION_NONE && !step->blocked && !step->is_status_changed)
			plan->n_unchanged++;
	}
	if (n_outdated)
		vec_push(p->arena, &plan->notices,
			 arena_printf(p->arena,
				      "%zu object%s left to newer manifests that were recorded "
				      "already: these are of commit %.7s; --allow-rollback goes "
				      "back to them",
				      n_outdated, n_outdated == 1 ? " is" : "s are",
				      p->options.scope.source));
}

void plan_make(const struct model *model, const struct state *state, const struct facts *facts,
	       const struct plan_options *options, struct arena *arena, struct plan *out)
{
	struct planner *p = ARENA_NEW(arena, struct planner);

	*out = (struct plan){ .planner = p };
	*p = (struct planner){ model, state, facts, *options, arena, out, NULL };
	p->streams = ARENA_NEW(arena, struct stream_world);
	stream_world_init(p->streams, p);
	pushers_index(p->streams);
	decide_all(p);
	records_prune(p);
	count(p);
}
