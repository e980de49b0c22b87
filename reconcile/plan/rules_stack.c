/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_stack.c — a ClusterStack: its two images at their digests, checked against each other.
 * What one image says comes from its config when it was read, else from the recorded status, which holds enough of both
 * sides (the run image's mixins among its labels) to check one against a new other.
 * Rules: kpack.md §2.7, §3.4 "stack reader". Stacks are followed in every run (deviation from §2.12).
 */
#include <stdlib.h>
#include <string.h>

#include "reconcile/plan/labels.h"
#include "reconcile/plan/rules.h"

/* One image of a stack, as far as the checks want to know. */
struct side {
	const char *id;
	struct strings mixins;
	struct pairs labels; /* run: what is recorded of it */
	struct platform platform;
	int64_t user, group; /* build */
};

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool number_of(const struct strings *env, const char *name, int64_t *out, struct err *err)
{
	const char *text = env_get(env, name);
	char *end;
	long long value;

	if (!text)
		return err_set(err, ERR_INVALID, "validating build image: ENV %s not found", name);
	value = strtoll(text, &end, 10);
	if (end == text || *end || strlen(text) > 10 || value < 0)
		return err_set(err, ERR_INVALID,
			       "validating build image: env %s: '%s' is not a number", name, text);
	*out = value;
	return true;
}

/* What other kinds and later runs need of the run image: the distribution's labels, and its mixins. */
static void keep_labels(const struct pairs *labels, struct arena *arena, struct pairs *out)
{
	for (size_t i = 0; i < labels->n; i++) {
		const struct pair *label = &labels->v[i];

		if (has_prefix(label->key, LABEL_BASE_PREFIX) ||
		    strcmp(label->key, LABEL_MIXINS) == 0)
			vec_push(arena, out, (struct pair){ label->key, label->value, { 0 } });
	}
}

static bool side_read(const struct image_config *config, bool is_build, struct arena *arena,
		      struct side *out, struct err *err)
{
	out->platform = config->platform;
	if (config->platform.os && strcmp(config->platform.os, "windows") == 0)
		return err_set(err, ERR_INVALID, "windows base images are not supported");
	out->id = pairs_get(&config->labels, LABEL_STACK_ID);
	if (!out->id)
		out->id = "";
	if (!labels_mixins(&config->labels, arena, &out->mixins, err))
		return false;
	if (!is_build)
		keep_labels(&config->labels, arena, &out->labels);
	return true;
}

/* The recorded list is the build image's mixins and, behind them, the "run:" ones of the run image. */
static bool side_recorded(const struct stack_status *status, bool is_build, struct arena *arena,
			  struct side *out, struct err *err)
{
	out->id = status->id;
	out->platform = (struct platform){ status->os, status->arch, status->variant, NULL };
	out->user = status->user_id;
	out->group = status->group_id;
	if (!is_build) {
		out->labels = status->run_labels;
		return labels_mixins(&status->run_labels, arena, &out->mixins, err);
	}
	for (size_t i = 0; i < status->mixins.n; i++) {
		if (!has_prefix(status->mixins.v[i], "run:"))
			vec_push(arena, &out->mixins, status->mixins.v[i]);
	}
	return true;
}

enum mixin_stage { MIXIN_ANY, MIXIN_BUILD, MIXIN_RUN };

static enum mixin_stage stage_of(const char *mixin)
{
	if (has_prefix(mixin, "build:"))
		return MIXIN_BUILD;
	return has_prefix(mixin, "run:") ? MIXIN_RUN : MIXIN_ANY;
}

static void pick(const struct strings *from, enum mixin_stage stage, struct arena *arena,
		 struct strings *out)
{
	for (size_t i = 0; i < from->n; i++) {
		if (stage_of(from->v[i]) == stage)
			vec_push(arena, out, from->v[i]);
	}
}

static bool mixins_check(const struct side *build, const struct side *run, struct arena *arena,
			 struct strings *out, struct err *err)
{
	struct strings wrong = { 0 }, missing = { 0 };

	pick(&build->mixins, MIXIN_RUN, arena, &wrong);
	if (wrong.n > 0)
		return err_set(err, ERR_INVALID, "build image contains run-only mixin(s): %s",
			       strings_join(&wrong, ", ", arena));
	pick(&run->mixins, MIXIN_BUILD, arena, &wrong);
	if (wrong.n > 0)
		return err_set(err, ERR_INVALID, "run image contains build-only mixin(s): %s",
			       strings_join(&wrong, ", ", arena));
	pick(&build->mixins, MIXIN_ANY, arena, out);
	for (size_t i = 0; i < out->n; i++) {
		if (!strings_has(&run->mixins, out->v[i]))
			vec_push(arena, &missing, out->v[i]);
	}
	if (missing.n > 0)
		return err_set(err, ERR_INVALID, "runImage missing required mixin(s): %s",
			       strings_join(&missing, ", ", arena));
	pick(&build->mixins, MIXIN_BUILD, arena, out);
	pick(&run->mixins, MIXIN_RUN, arena, out);
	return true;
}

struct look {
	const struct stack_spec *spec;
	const struct stack_status *old; /* NULL: none, or of another spec */
	struct pin build, run;
};

static bool sides_read(const struct planner *p, const struct look *look, struct side *build,
		       struct side *run, struct err *err)
{
	const struct fact *fact = look->build.fact;

	if (fact && fact->config && !(look->old && look->build.state == PIN_SAME)) {
		if (!side_read(fact->config, true, p->arena, build, err) ||
		    !number_of(&fact->config->env, "CNB_USER_ID", &build->user, err) ||
		    !number_of(&fact->config->env, "CNB_GROUP_ID", &build->group, err))
			return false;
	} else if (!side_recorded(look->old, true, p->arena, build, err)) {
		return false;
	}
	fact = look->run.fact;
	if (fact && fact->config && !(look->old && look->run.state == PIN_SAME))
		return side_read(fact->config, false, p->arena, run, err);
	return side_recorded(look->old, false, p->arena, run, err);
}

static bool stack_check(const struct planner *p, const struct look *look, struct stack_status *out,
			struct err *err)
{
	struct side build = { 0 }, run = { 0 };
	struct strings mixins = { 0 };

	if (!sides_read(p, look, &build, &run, err))
		return false;
	if (!text_equal(build.id, look->spec->id) || !text_equal(run.id, look->spec->id))
		return err_set(err, ERR_INVALID,
			       "invalid stack images. expected stack: %s, build image stack: %s, "
			       "run image stack: %s",
			       look->spec->id, build.id, run.id);
	if (!mixins_check(&build, &run, p->arena, &mixins, err))
		return false;
	*out = (struct stack_status){
		.conditions = out->conditions,
		.id = look->spec->id,
		.build = { look->spec->build_image, look->build.pinned },
		.run = { look->spec->run_image, look->run.pinned },
		.mixins = mixins,
		.user_id = build.user,
		.group_id = build.group,
		.run_labels = run.labels,
		.os = build.platform.os,
		.arch = build.platform.arch,
		.variant = build.platform.variant,
	};
	return true;
}

static void stack_ready(struct planner *p, struct stack_status *status, const char *problem)
{
	struct conditions_edit edit;

	conditions_begin(&edit, &status->conditions, 1, p->options.now_s, p->arena);
	conditions_add(&edit, "Ready", problem ? COND_FALSE : COND_TRUE, NULL, problem);
	status->conditions = edit.list;
}

/* What a person sees of it: which image moved, and from where. */
static void stack_tell(struct step *step, const struct look *look)
{
	bool build = look->build.state == PIN_MOVED, run = look->run.state == PIN_MOVED;
	const struct pin *shown = run || !build ? &look->run : &look->build;

	step->action = ACTION_RESOLVE;
	step->summary = !look->old     ? "resolve"
			: build && run ? "build and run image moved"
			: run          ? "run image moved"
			: build        ? "build image moved"
				       : "resolve";
	if (text_equal(shown->old, shown->pinned))
		return;
	step->old_value = pin_digest(shown->old);
	step->new_value = pin_digest(shown->pinned);
}

static struct pin pin_of(const struct planner *p, const struct step *step, const char *image,
			 const struct image_pin *known)
{
	bool is_usable = stack_is_usable(step->object->spec, recorded_status(p, step->object));

	return pin_resolve(p, &(struct pin_ask){ .image = image,
						 .account = account_of(p->model, step->object),
						 .recorded = known,
						 .is_usable = is_usable,
						 .wants_labels = true });
}

void rule_stack(struct planner *p, struct step *step)
{
	const struct stack_spec *spec = step->object->spec;
	const struct stack_status *old = recorded_status(p, step->object);
	struct stack_status *status = ARENA_NEW(p->arena, struct stack_status);
	bool is_usable = stack_is_usable(spec, old);
	struct look look = { .spec = spec, .old = is_usable ? old : NULL };
	const struct pin *bad;
	struct err err = { 0 };

	if (old)
		*status = *old;
	step->status = status;
	look.build = pin_of(p, step, spec->build_image, old ? &old->build : NULL);
	look.run = pin_of(p, step, spec->run_image, old ? &old->run : NULL);
	bad = look.build.state == PIN_FAILED ? &look.build : &look.run;
	if (bad->state == PIN_FAILED) {
		stack_ready(p, status, bad->why);
		step_block(step, (struct stop){ bad->why_kind, true }, bad->why);
		return;
	}
	if (look.build.state == PIN_UNKNOWN || look.run.state == PIN_UNKNOWN) {
		if (step_stays_unready(step, &status->conditions))
			return;
		step->is_unknown = true;
		step->action = ACTION_RESOLVE;
		step->summary = "resolve";
		step_unknown(step, "latestImage", p->arena);
		return;
	}
	if (!stack_check(p, &look, status, &err)) {
		const char *why = arena_strdup(p->arena, err.text);

		stack_ready(p, status, why);
		step_block(step, (struct stop){ err.kind, true }, why);
		return;
	}
	stack_ready(p, status, NULL);
	stack_tell(step, &look);
}
