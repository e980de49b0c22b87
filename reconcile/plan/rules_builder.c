/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_builder.c — Builder and ClusterBuilder: stack, lifecycle, buildpacks and order make one image; it is composed when
 * the key over all of them is not the recorded one. Everything that images ask of a builder (buildpacks, stack, run image,
 * lifecycle) is known before it is composed; only its digest is not. A builder with an older image stays usable while a
 * new one cannot be made (kpack.md §2.6 "Conditions").
 */
#include <string.h>

#include "reconcile/plan/compose.h"
#include "reconcile/plan/labels.h"

/* What a builder is made of, as the plan's other steps give it. */
struct parts {
	const struct stack_status *stack;
	const struct lifecycle_status *lifecycle; /* NULL: our own */
	struct shelves shelves;
	struct strings unknown;
	const char *why; /* one of them is not ready */
};

static struct list ready_conditions(const struct list *old, const char *no_image,
				    const char *problem, int64_t now_s, struct arena *arena)
{
	struct conditions_edit edit;

	conditions_begin(&edit, old, 2, now_s, arena);
	if (no_image)
		conditions_add(&edit, "Ready", COND_FALSE, "NoLatestImage", no_image);
	else
		conditions_add(&edit, "Ready", COND_TRUE, NULL, NULL);
	if (problem)
		conditions_add(&edit, "UpToDate", COND_FALSE, "ReconcileFailed", problem);
	else
		conditions_add(&edit, "UpToDate", no_image ? COND_UNKNOWN : COND_TRUE, NULL, NULL);
	return edit.list;
}

const struct builder_status *builder_failed(const struct builder_status *old, const char *why,
					    int64_t now_s, struct arena *arena)
{
	struct builder_status *status = ARENA_NEW(arena, struct builder_status);
	const char *no_image = NULL;

	if (old)
		*status = *old;
	if (!status->latest_image)
		no_image = arena_printf(arena, "Builder has no latestImage: %s", why);
	status->conditions = ready_conditions(&status->conditions, no_image, why, now_s, arena);
	return status;
}

const struct builder_status *builder_composed(const struct builder_status *planned,
					      const struct list *old_conditions, const char *image,
					      int64_t now_s, struct arena *arena)
{
	struct builder_status *status = ARENA_NEW(arena, struct builder_status);

	*status = *planned;
	status->latest_image = image;
	status->conditions = ready_conditions(old_conditions, NULL, NULL, now_s, arena);
	return status;
}

static void fail(struct planner *p, struct step *step, struct stop stop, const char *why)
{
	step->status =
		builder_failed(recorded_status(p, step->object), why, p->options.now_s, p->arena);
	step_block(step, stop, why);
}

static bool is_ready(const struct step *step, const struct list *conditions)
{
	return !step->blocked && condition_is_true(conditions, "Ready");
}

static bool find_stack(struct planner *p, const struct builder_spec *spec, struct parts *out)
{
	const struct step *step = step_find(p, KIND_CLUSTER_STACK, "", spec->stack.name);
	const struct stack_status *status = step ? step->status : NULL;

	if (step && step->is_unknown) {
		vec_push(p->arena, &out->unknown, "stack");
	} else if (!status || !is_ready(step, &status->conditions)) {
		out->why = arena_printf(p->arena, "Error: clusterstack '%s' is not ready",
					spec->stack.name ? spec->stack.name : "");
		return false;
	}
	out->stack = status;
	return true;
}

static bool find_store(struct planner *p, const struct builder_spec *spec, struct parts *out)
{
	const struct step *step = step_find(p, KIND_CLUSTER_STORE, "", spec->store.name);
	const struct store_status *status = step ? step->status : NULL;

	if (!spec->store.name)
		return true;
	if (step && step->is_unknown) {
		vec_push(p->arena, &out->unknown, "store");
	} else if (!status || !is_ready(step, &status->conditions)) {
		out->why = arena_printf(p->arena, "Error: clusterstore '%s' is not ready",
					spec->store.name);
		return false;
	} else {
		vec_push(p->arena, &out->shelves.store,
			 (struct shelf){ NULL, &status->buildpacks });
	}
	return true;
}

static bool find_lifecycle(struct planner *p, const struct builder_spec *spec, struct parts *out)
{
	const struct step *step = step_find(p, KIND_CLUSTER_LIFECYCLE, "", spec->lifecycle.name);
	const struct lifecycle_status *status = step ? step->status : NULL;

	if (!spec->lifecycle.name)
		return true;
	if (step && step->is_unknown) {
		vec_push(p->arena, &out->unknown, "lifecycle");
	} else if (!status || !is_ready(step, &status->conditions)) {
		out->why = arena_printf(p->arena, "Error: clusterlifecycle '%s' is not ready",
					spec->lifecycle.name);
		return false;
	}
	out->lifecycle = status;
	return true;
}

/* A resource that is not ready still offers what is recorded of it (kpack.md §3.5 looks at the list alone). */
static void find_buildpacks(struct planner *p, const struct object *builder, struct parts *out)
{
	for (size_t i = 0; i < p->model->objects.n; i++) {
		const struct object *object = p->model->objects.v[i];
		bool is_own = object->kind == KIND_BUILDPACK && builder->kind == KIND_BUILDER &&
			      strcmp(object->meta.ns, builder->meta.ns) == 0;
		const struct step *step;
		struct shelf shelf;

		if (!is_own && object->kind != KIND_CLUSTER_BUILDPACK)
			continue;
		step = map_get(&p->plan->by_id, object->id);
		if (!step || !step->status)
			continue;
		if (step->is_unknown && !strings_has(&out->unknown, "buildpacks"))
			vec_push(p->arena, &out->unknown, "buildpacks");
		shelf = (struct shelf){ object->meta.name,
					&((const struct store_status *)step->status)->buildpacks };
		if (is_own)
			vec_push(p->arena, &out->shelves.own, shelf);
		else
			vec_push(p->arena, &out->shelves.cluster, shelf);
	}
}

static struct compose_buildpack *compose_buildpacks(const struct resolved *resolved,
						    struct arena *arena)
{
	struct compose_buildpack *out = arena_array(arena, resolved->buildpacks.n, sizeof(*out));

	for (size_t i = 0; i < resolved->buildpacks.n; i++) {
		const struct store_buildpack *bp = resolved->buildpacks.v[i];

		out[i] = (struct compose_buildpack){
			.id = { bp->id, bp->version, bp->homepage, bp->api },
			.image = bp->store_image,
			.diff_id = bp->diff_id,
			.size_bytes = bp->size_bytes,
			.order = bp->order,
			.stacks = bp->stacks,
			.targets = bp->targets,
		};
	}
	return out;
}

static bool compose_make(struct planner *p, const struct object *object, const struct parts *parts,
			 struct compose *out, struct err *err)
{
	const struct builder_spec *spec = object->spec;
	const struct lifecycle_apis *apis =
		parts->lifecycle ? &parts->lifecycle->apis : own_lifecycle_apis(p->arena);
	struct base base = { parts->stack->id, &parts->stack->mixins, apis };
	struct resolved resolved;

	if (!compose_tag(object, p->arena, &out->tag, err) ||
	    !order_resolve(&spec->order, &parts->shelves, p->arena, &resolved, err))
		return false;
	for (size_t i = 0; i < resolved.buildpacks.n; i++) {
		if (!buildpack_suits(resolved.buildpacks.v[i], &base, p->arena, err))
			return false;
	}
	out->build_image = parts->stack->build.latest;
	out->run_image = parts->stack->run.latest;
	out->stack_id = parts->stack->id;
	out->mixins = parts->stack->mixins;
	out->lifecycle_image = parts->lifecycle ? parts->lifecycle->image.latest : NULL;
	out->lifecycle_version =
		parts->lifecycle ? parts->lifecycle->version : OWN_LIFECYCLE_VERSION;
	out->apis = *apis;
	out->buildpacks =
		(struct list){ compose_buildpacks(&resolved, p->arena), resolved.buildpacks.n };
	out->order = resolved.order;
	out->labels = spec->additional_labels;
	out->key = compose_key(out, p->arena);
	return true;
}

/* The status that the composed builder will have, but for its digest. */
static struct builder_status *planned_status(struct planner *p, const struct parts *parts,
					     const struct compose *compose,
					     const struct builder_status *old)
{
	struct builder_status *status = ARENA_NEW(p->arena, struct builder_status);
	struct buildpack_id *ids = arena_array(p->arena, compose->buildpacks.n, sizeof(*ids));
	const char *run_digest = pin_digest(compose->run_image);
	struct ref ref;
	struct err err = { 0 };

	for (size_t i = 0; i < compose->buildpacks.n; i++) {
		ids[i] = LIST_AT(compose->buildpacks, struct compose_buildpack, i)->id;
		ids[i].api = NULL;
	}
	if (!ref_parse(compose->tag, p->arena, &ref, &err))
		BUG("a builder tag that was made here cannot be read");
	status->compose_key = compose->key;
	status->buildpacks = (struct list){ ids, compose->buildpacks.n };
	status->order = compose->order;
	status->stack_id = compose->stack_id;
	/* Copied beside the builder, under "<tag>-run-image"; named by digest (kpack.md §3.1). */
	status->stack_run_image = ref_pinned(&ref, run_digest, p->arena);
	if (old && text_equal(old->compose_key, compose->key) && old->stack_run_image &&
	    text_equal(pin_digest(old->stack_run_image), run_digest))
		status->stack_run_image = old->stack_run_image;
	status->lifecycle_version = compose->lifecycle_version;
	status->os = parts->stack->os;
	return status;
}

static const struct buildpack_id *find_id(const struct list *ids, const struct buildpack_id *like,
					  bool with_version)
{
	for (size_t i = 0; i < ids->n; i++) {
		const struct buildpack_id *id = LIST_AT(*ids, struct buildpack_id, i);

		if (text_equal(id->id, like->id) &&
		    (!with_version || text_equal(id->version, like->version)))
			return id;
	}
	return NULL;
}

/* "acme/node 1.4.2 → 1.5.0, acme/ca 0.1.0 gone, acme/go 2.0.0 new"; "" when both hold the same. */
static const char *buildpacks_differ(const struct list *old, const struct list *now,
				     struct arena *arena)
{
	struct strings lines = { 0 };

	for (size_t i = 0; i < old->n; i++) {
		const struct buildpack_id *id = LIST_AT(*old, struct buildpack_id, i);
		const struct buildpack_id *other = find_id(now, id, false);

		if (find_id(now, id, true))
			continue;
		vec_push(arena, &lines,
			 other ? arena_printf(arena, "%s %s → %s", id->id, id->version,
					      other->version)
			       : arena_printf(arena, "%s %s gone", id->id, id->version));
	}
	for (size_t i = 0; i < now->n; i++) {
		const struct buildpack_id *id = LIST_AT(*now, struct buildpack_id, i);

		if (!find_id(old, id, false))
			vec_push(arena, &lines,
				 arena_printf(arena, "%s %s new", id->id, id->version));
	}
	return strings_join(&lines, ", ", arena);
}

static void tell(struct planner *p, struct step *step, enum reason reason, const char *old_text,
		 const char *new_text)
{
	struct change change = {
		.reason = reason,
		.old_value = node_string(p->arena, old_text ? old_text : ""),
		.new_value = node_string(p->arena, new_text ? new_text : ""),
		.text = old_text && new_text
				? arena_printf(p->arena, "%s → %s", short_id(old_text, p->arena),
					       short_id(new_text, p->arena))
				: NULL,
	};

	change_add(&step->changes, change, p->arena);
}

static bool moved_store(const struct planner *p, const struct builder_spec *spec)
{
	const struct step *store = step_find(p, KIND_CLUSTER_STORE, "", spec->store.name);

	return store && store->new_value && !text_equal(store->old_value, store->new_value);
}

/* Why it is composed. What none of the compared parts explains (tag, labels, order, format) is CONFIG. */
static void tell_changes(struct planner *p, struct step *step, const struct builder_status *old,
			 const struct builder_status *now)
{
	const struct builder_spec *spec = step->object->spec;
	const struct step *stack = step_find(p, KIND_CLUSTER_STACK, "", spec->stack.name);
	bool is_stack_moved = stack && stack->new_value && stack->old_value &&
			      strcmp(stack->new_value, stack->old_value) != 0;
	const char *buildpacks;

	if (!old || !old->latest_image) {
		change_add(
			&step->changes,
			(struct change){ .reason = REASON_CONFIG, .text = "it was never composed" },
			p->arena);
		return;
	}
	buildpacks = buildpacks_differ(&old->buildpacks, &now->buildpacks, p->arena);
	if (!buildpacks[0] && moved_store(p, spec))
		buildpacks = "the same versions from another image";
	if (buildpacks[0])
		change_add(&step->changes,
			   (struct change){ .reason = REASON_BUILDER, .text = buildpacks },
			   p->arena);
	if (!text_equal(pin_digest(old->stack_run_image), pin_digest(now->stack_run_image)))
		tell(p, step, REASON_STACK, pin_digest(old->stack_run_image),
		     pin_digest(now->stack_run_image));
	else if (!text_equal(old->stack_id, now->stack_id))
		tell(p, step, REASON_STACK, old->stack_id, now->stack_id);
	else if (is_stack_moved)
		tell(p, step, REASON_STACK, stack->old_value, stack->new_value);
	if (!text_equal(old->lifecycle_version, now->lifecycle_version))
		tell(p, step, REASON_LIFECYCLE, old->lifecycle_version, now->lifecycle_version);
	if (step->changes.list.n == 0)
		change_add(&step->changes,
			   (struct change){ .reason = REASON_CONFIG,
					    .text = "tag, labels, order or buildpack sources" },
			   p->arena);
}

/* Offline, and a part was never recorded: what is recorded of the builder stands. */
static void leave_unknown(struct planner *p, struct step *step, const struct parts *parts)
{
	const struct builder_status *old = recorded_status(p, step->object);

	for (size_t i = 0; i < parts->unknown.n; i++)
		step_unknown(step, parts->unknown.v[i], p->arena);
	step->status = old ? old : ARENA_NEW(p->arena, struct builder_status);
	step->is_unknown = true;
	if (old && old->latest_image) {
		step->action = ACTION_NONE;
		return;
	}
	step->action = ACTION_COMPOSE;
	step->summary = "compose";
	tell_changes(p, step, NULL, NULL);
	step_unknown(step, "image", p->arena);
}

static void want_compose(struct planner *p, struct step *step, const struct compose *compose,
			 struct builder_status *planned)
{
	const struct builder_status *old = recorded_status(p, step->object);
	struct builder_status *before = ARENA_NEW(p->arena, struct builder_status);

	step->action = ACTION_COMPOSE;
	step->summary = "compose";
	step->compose = compose;
	step->build_key = compose->key;
	step->builder = builder_composed(planned, old ? &old->conditions : &(struct list){ 0 },
					 NULL, p->options.now_s, p->arena);
	vec_push(p->arena, &step->tags, compose->tag);
	step_unknown(step, "image", p->arena);
	tell_changes(p, step, old, planned);
	if (old) {
		step->status = old;
		return;
	}
	before->conditions = ready_conditions(&before->conditions, "Builder has no latestImage",
					      NULL, p->options.now_s, p->arena);
	step->status = before;
}

static void rule_composed(struct planner *p, struct step *step)
{
	const struct builder_spec *spec = step->object->spec;
	const struct builder_status *old = recorded_status(p, step->object);
	struct compose *compose = ARENA_NEW(p->arena, struct compose);
	struct builder_status *planned;
	struct parts parts = { 0 };
	struct err err = { 0 };

	if (!find_stack(p, spec, &parts) || !find_lifecycle(p, spec, &parts) ||
	    !find_store(p, spec, &parts)) {
		fail(p, step, (struct stop){ ERR_ABSENT, false }, parts.why);
		return;
	}
	find_buildpacks(p, step->object, &parts);
	if (parts.unknown.n > 0) {
		leave_unknown(p, step, &parts);
		return;
	}
	if (!compose_make(p, step->object, &parts, compose, &err)) {
		fail(p, step, (struct stop){ err.kind, true }, arena_strdup(p->arena, err.text));
		return;
	}
	planned = planned_status(p, &parts, compose, old);
	if (!old || !old->latest_image || !text_equal(old->compose_key, compose->key)) {
		want_compose(p, step, compose, planned);
		return;
	}
	step->action = ACTION_RESOLVE;
	step->summary = "resolve";
	step->status = builder_composed(planned, &old->conditions, old->latest_image,
					p->options.now_s, p->arena);
}

/* The run image is named by a tag usually: pinned when it was asked for (queries_follow), else as it stands. */
static bool pin_run_image(struct planner *p, const struct object *object, const char *name,
			  const struct builder_status *old, const char **out, struct stop *stop)
{
	struct account account = account_of(p->model, object);
	const struct fact *fact =
		fact_find(p->facts, query_key_image(name, account.ns, account.name, p->arena));
	const char *digest;
	struct ref ref;
	struct err err = { 0 };

	if (!ref_parse(name, p->arena, &ref, &err)) {
		*out = arena_printf(p->arena, "invalid run image '%s': %s", name, err.text);
		*stop = (struct stop){ err.kind, true };
		return false;
	}
	if (fact && !fact->is_known && fact->err.kind != ERR_NONE) {
		*out = resolve_problem(arena_printf(p->arena, "run image '%s'", name), &fact->err,
				       p->arena);
		*stop = (struct stop){ fact->err.kind, true };
		return false;
	}
	digest = ref.digest;
	if (fact && fact->is_known)
		digest = fact->image_digest ? fact->image_digest : fact->digest;
	if (!digest && old && pin_digest(old->stack_run_image) &&
	    strcmp(old->stack_run_image,
		   ref_pinned(&ref, pin_digest(old->stack_run_image), p->arena)) == 0)
		digest = pin_digest(old->stack_run_image);
	*out = digest ? ref_pinned(&ref, digest, p->arena) : ref_format(&ref, p->arena);
	return true;
}

static void read_ready_made(struct planner *p, struct step *step, const struct pin *pin)
{
	const struct builder_spec *spec = step->object->spec;
	const struct builder_status *old = recorded_status(p, step->object);
	struct builder_status *status = ARENA_NEW(p->arena, struct builder_status);
	struct builder_labels labels;
	const char *run_image;
	struct stop stop;
	struct err err = { 0 };

	if (!labels_builder(&pin->fact->config->labels, p->arena, &labels, &err)) {
		fail(p, step, (struct stop){ err.kind, true },
		     arena_printf(p->arena, "cannot read builder image '%s': %s", spec->image,
				  err.text));
		return;
	}
	if (!pin_run_image(p, step->object, labels.run_image, old, &run_image, &stop)) {
		fail(p, step, stop, run_image);
		return;
	}
	*status = (struct builder_status){
		.latest_image = pin->pinned,
		.buildpacks = labels.buildpacks,
		.order = labels.order,
		.stack_id = labels.stack_id,
		.stack_run_image = run_image,
		.lifecycle_version = labels.lifecycle_version,
		.os = pin->fact->config->platform.os,
		.ready_made = { spec->image, pin->pinned },
	};
	status->conditions = ready_conditions(old ? &old->conditions : &status->conditions, NULL,
					      NULL, p->options.now_s, p->arena);
	step->status = status;
	if (pin->state == PIN_MOVED && old) {
		step->summary = "builder image moved";
		step->old_value = pin_digest(pin->old);
		step->new_value = pin_digest(pin->pinned);
	} else if (old && !text_equal(old->stack_run_image, run_image)) {
		step->summary = "run image moved";
		step->old_value = pin_digest(old->stack_run_image);
		step->new_value = pin_digest(run_image);
	}
}

static void rule_ready_made(struct planner *p, struct step *step)
{
	const struct builder_spec *spec = step->object->spec;
	const struct builder_status *old = recorded_status(p, step->object);
	bool is_usable = old && old->latest_image && condition_is_true(&old->conditions, "Ready");
	struct pin pin =
		pin_resolve(p, &(struct pin_ask){ .image = spec->image,
						  .account = account_of(p->model, step->object),
						  .recorded = old ? &old->ready_made : NULL,
						  .is_usable = is_usable,
						  .wants_labels = true });

	step->action = ACTION_RESOLVE;
	step->summary = "resolve";
	step->status = old ? old : ARENA_NEW(p->arena, struct builder_status);
	if (pin.state == PIN_FAILED) {
		fail(p, step, (struct stop){ pin.why_kind, true }, pin.why);
	} else if (pin.state == PIN_UNKNOWN) {
		if (old && step_stays_unready(step, &old->conditions))
			return;
		step->is_unknown = true;
		step_unknown(step, "latestImage", p->arena);
	} else if (pin.fact && pin.fact->config) {
		read_ready_made(p, step, &pin);
	} else {
		struct builder_status *status = ARENA_NEW(p->arena, struct builder_status);

		*status = *old;
		status->conditions =
			ready_conditions(&old->conditions, NULL, NULL, p->options.now_s, p->arena);
		step->status = status;
	}
}

void rule_builder(struct planner *p, struct step *step)
{
	const struct builder_spec *spec = step->object->spec;

	if (spec->image)
		rule_ready_made(p, step);
	else
		rule_composed(p, step);
}
