/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_deployment_config.c — a DeploymentConfig's triggers: which images are set, and when that, or a changed template,
 * is a new rollout. The first rollout resolves every image trigger, automatic or not (DeploymentConfigs that carry
 * automatic: false beside ConfigChange wait for their first image so); afterwards automatic ones alone are followed.
 * While an image trigger has no image nothing is rolled out. Rules: openshift.md §1.40–44, §6.
 */
#include <string.h>

#include "reconcile/plan/follow.h"

struct rollout {
	struct planner *p;
	struct step *step;
	const struct workload *workload;
	const struct workload_status *old; /* NULL: nothing is recorded */
	struct trigger_status *triggers;   /* as they will be, one for each of the workload's */
	struct rollout_cause *causes;
	size_t n_causes, n_unresolved;
	bool is_first, is_pending;
};

static const struct workload_trigger *trigger_at(const struct rollout *r, size_t i)
{
	return LIST_AT(r->workload->triggers, struct workload_trigger, i);
}

static const struct workload_container *container_at(const struct rollout *r, size_t i)
{
	return LIST_AT(r->workload->containers, struct workload_container, i);
}

/* What is recorded of the trigger that watches this tag for these containers. */
static const struct trigger_status *recorded_trigger(const struct rollout *r,
						     const struct trigger_status *now)
{
	for (size_t i = 0; r->old && i < r->old->triggers.n; i++) {
		const struct trigger_status *then =
			LIST_AT(r->old->triggers, struct trigger_status, i);

		if (text_equal(then->ns, now->ns) && strcmp(then->from, now->from) == 0 &&
		    strings_equal(&then->names, &now->names))
			return then;
	}
	return NULL;
}

static void begin_trigger(struct rollout *r, size_t i)
{
	const struct workload_trigger *trigger = trigger_at(r, i);
	struct trigger_status *now = &r->triggers[i];
	const struct trigger_status *then;

	now->ns = trigger->ns;
	now->from = arena_printf(r->p->arena, "%s:%s", trigger->stream, trigger->tag);
	for (size_t k = 0; k < trigger->n_containers; k++)
		vec_push(r->p->arena, &now->names, container_at(r, trigger->containers[k])->name);
	then = recorded_trigger(r, now);
	now->last_image = then ? then->last_image : trigger->last_image;
	if (then)
		now->replaced = then->replaced;
}

static void add_cause(struct rollout *r, const char *type, const struct trigger_status *trigger)
{
	r->causes[r->n_causes++] = (struct rollout_cause){
		.type = type,
		.ns = trigger ? trigger->ns : NULL,
		.from = trigger ? trigger->from : NULL,
	};
}

/* The image that the trigger gives now. */
static void resolve(struct rollout *r, size_t i)
{
	const struct workload_trigger *trigger = trigger_at(r, i);
	struct trigger_status *now = &r->triggers[i];
	const char *before = now->last_image;
	struct followed_tag tag = { 0 };

	if (trigger->is_automatic || r->is_first)
		tag = follow_tag(r->p, r->step, trigger->ns, trigger->stream, trigger->tag);
	if (tag.is_pending) {
		r->is_pending = true;
		for (size_t k = 0; k < trigger->n_containers; k++)
			step_unknown(r->step,
				     arena_printf(r->p->arena, "image of container '%s'",
						  container_at(r, trigger->containers[k])->name),
				     r->p->arena);
		return;
	}
	if (tag.pull_spec)
		now->last_image = tag.pull_spec;
	if (!now->last_image)
		r->n_unresolved++;
	else if (trigger->is_automatic && (r->is_first || !text_equal(before, now->last_image)))
		add_cause(r, "ImageChange", now);
}

/* A trigger that is not automatic sets what the first rollout found, as long as nobody has written something else. */
static bool set_images(struct rollout *r, size_t i)
{
	const struct workload_trigger *trigger = trigger_at(r, i);
	struct trigger_status *now = &r->triggers[i];

	for (size_t k = 0; k < trigger->n_containers; k++) {
		const struct workload_container *c = container_at(r, trigger->containers[k]);

		if (!c->image)
			continue;
		if (!trigger->is_automatic && r->is_first &&
		    !strings_has(&now->replaced, c->image) &&
		    strcmp(c->image, now->last_image) != 0)
			vec_push(r->p->arena, &now->replaced, c->image);
		if (!trigger->is_automatic && !strings_has(&now->replaced, c->image))
			continue;
		if (!edit_container(r->p, r->step, c, now->last_image))
			return false;
	}
	return true;
}

static bool can_start(const struct workload *workload)
{
	for (size_t i = 0; i < workload->triggers.n; i++)
		if (LIST_AT(workload->triggers, struct workload_trigger, i)->is_automatic)
			return true;
	return workload->has_config_trigger;
}

static struct workload_status *status_of(const struct rollout *r)
{
	struct workload_status *status = ARENA_NEW(r->p->arena, struct workload_status);

	if (r->old)
		*status = *r->old;
	return status;
}

static void set_ready(const struct rollout *r, struct workload_status *status, const char *problem)
{
	struct conditions_edit edit;

	conditions_begin(&edit, &status->conditions, 1, r->p->options.now_s, r->p->arena);
	conditions_add(&edit, "Ready", problem ? COND_FALSE : COND_TRUE,
		       problem ? "UnresolvedImages" : NULL, problem);
	status->conditions = edit.list;
}

static void wait_for_images(struct rollout *r)
{
	struct workload_status *status = status_of(r);
	const char *why = arena_printf(r->p->arena,
				       "cannot trigger a deployment for \"%s\" because it contains "
				       "unresolved images",
				       r->step->name);

	set_ready(r, status, why);
	if (!r->step->object->twin_of)
		r->step->status = status;
	step_block(r->step, (struct stop){ ERR_ABSENT, false }, why);
}

static void record(struct rollout *r)
{
	struct workload_status *status = status_of(r);
	const bool has_changed =
		r->is_first || !text_equal(status->template_digest, r->workload->template_digest);

	/* The first rollout's cause is the config, where that is a trigger. */
	if (r->workload->has_config_trigger && has_changed && (r->is_first || !r->n_causes)) {
		r->n_causes = 0;
		add_cause(r, "ConfigChange", NULL);
	}
	status->triggers = (struct list){ r->triggers, r->workload->triggers.n };
	status->template_digest = r->workload->template_digest;
	set_ready(r, status, NULL);
	if (r->n_causes) {
		status->latest_version++;
		status->causes = (struct list){ r->causes, r->n_causes };
		status->message = r->causes[0].from ? "image change" : "config change";
		r->step->action = ACTION_RESOLVE;
		r->step->summary = arena_printf(r->p->arena, "rollout #%lld (%s)",
						(long long)status->latest_version, status->message);
	}
	r->step->status = status;
}

void rule_deployment_config(struct planner *p, struct step *step)
{
	const struct object *object = step->object;
	const struct object *first = object->twin_of ? object->twin_of : object;
	struct rollout r = { .p = p, .step = step, .workload = object->spec };
	size_t n = r.workload->triggers.n;

	r.old = state_status(p->state, first->id);
	r.is_first = !r.old || r.old->latest_version == 0;
	r.triggers = arena_array(p->arena, n, sizeof(*r.triggers));
	r.causes = arena_array(p->arena, n + 1, sizeof(*r.causes));
	if (!object->twin_of)
		step->status = r.old;
	if (r.workload->is_paused || !can_start(r.workload))
		return;
	for (size_t i = 0; i < n; i++) {
		begin_trigger(&r, i);
		resolve(&r, i);
	}
	if (r.is_pending) {
		edits_finish(step);
		return;
	}
	if (r.n_unresolved) {
		wait_for_images(&r);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!set_images(&r, i))
			return;
	if (!object->twin_of)
		record(&r);
	edits_finish(step);
}
