/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect.c — depth first, from left to right. A composite buildpack stands for the groups of its
 * order, each followed by what was to come after it. Each bin/detect runs at most once per
 * id@version; its outcome counts in every group.
 */
#include "buildexec/cnb/detect.h"

#include <string.h>

#include "model/base/limits.h"
#include "model/base/map.h"

struct walk {
	const struct detect_spec *spec;
	struct arena *arena;
	struct map outcomes; /* "id@version" → struct detect_outcome */
	unsigned n_groups;
	struct err *err;
};

/* The elements still to come in a group. */
struct rest {
	const struct bp_element *v;
	size_t n;
};

static bool walk_order(struct walk *w, const struct bp_order *order, const struct bp_group *done,
		       struct rest next, unsigned depth, struct detect_result *out);
static bool walk_group(struct walk *w, struct rest group, const struct bp_group *before,
		       struct detect_result *out);

static void say(struct walk *w, enum say_level level, const char *fmt, ...) PRINTF(3, 4);

static void say(struct walk *w, enum say_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	w->spec->ops.say(w->spec->ops.self, level, arena_vprintf(w->arena, fmt, args));
	va_end(args);
}

static bool has_element(const struct bp_group *group, const struct bp_element *element)
{
	for (size_t i = 0; i < group->n; i++)
		if (group->v[i].is_extension == element->is_extension &&
		    strcmp(group->v[i].id, element->id) == 0)
			return true;
	return false;
}

static const char *key_of(struct walk *w, const struct bp_element *element)
{
	return arena_printf(w->arena, "%s@%s", element->id, element->version);
}

static struct detect_outcome *outcome_of(struct walk *w, const struct bp_element *element)
{
	const char *key = arena_printf(w->arena, "%s%s", element->is_extension ? "+" : "",
				       key_of(w, element));
	struct detect_outcome *outcome = map_get(&w->outcomes, key);

	if (!outcome) {
		outcome = ARENA_NEW(w->arena, struct detect_outcome);
		outcome->is_pending = true;
		map_set(w->arena, &w->outcomes, key, outcome);
	}
	return outcome;
}

static void run_pending(struct walk *w, const struct bp_group *done,
			const struct bp_descriptor *const *descriptors)
{
	VEC(struct detect_job) jobs = { 0 };

	for (size_t i = 0; i < done->n; i++) {
		struct detect_outcome *outcome = outcome_of(w, &done->v[i]);

		if (outcome->is_pending)
			vec_push(w->arena, &jobs, (struct detect_job){ descriptors[i], outcome });
		outcome->is_pending = false;
	}
	if (jobs.n)
		w->spec->ops.run(w->spec->ops.self, jobs.v, jobs.n);
}

static void say_outputs(struct walk *w, const struct bp_group *done)
{
	for (size_t i = 0; i < done->n; i++) {
		const struct detect_outcome *outcome = outcome_of(w, &done->v[i]);
		enum say_level level = outcome->code == DETECT_PASS || outcome->code == DETECT_FAIL
					       ? SAY_DEBUG
					       : SAY_INFO;

		if (outcome->output && *outcome->output) {
			say(w, level, "======== Output: %s ========", key_of(w, &done->v[i]));
			say(w, level, "%s", outcome->output);
		}
		if (outcome->error) {
			say(w, level, "======== Error: %s ========", key_of(w, &done->v[i]));
			say(w, level, "%s", outcome->error);
		}
	}
}

/* True when nothing but the plan can still stop the group. */
static bool weigh(struct walk *w, const struct bp_group *done, struct detect_result *out)
{
	bool is_viable = true, has_passed = false;

	out->verdict = DETECT_NONE;
	say(w, SAY_DEBUG, "======== Results ========");
	for (size_t i = 0; i < done->n; i++) {
		const struct bp_element *element = &done->v[i];
		int code = outcome_of(w, element)->code;
		const char *key = key_of(w, element);

		if (code == DETECT_PASS) {
			say(w, SAY_DEBUG, "pass: %s", key);
			has_passed = has_passed || !element->is_extension;
			continue;
		}
		is_viable = is_viable && element->is_optional;
		if (code == DETECT_FAIL) {
			say(w, SAY_DEBUG, "%s: %s", element->is_optional ? "skip" : "fail", key);
			continue;
		}
		out->verdict = DETECT_ERRORS;
		if (code == DETECT_BROKEN)
			say(w, SAY_INFO, "err:  %s", key);
		else
			say(w, SAY_INFO, "err:  %s (%d)", key, code);
	}
	if (!is_viable)
		return false;
	/* An error of an optional buildpack is no error of the group. */
	out->verdict = DETECT_NONE;
	if (!has_passed)
		say(w, SAY_DEBUG, "fail: no viable buildpacks in group");
	return has_passed;
}

static void say_group(struct walk *w, const struct bp_group *group, size_t n_done)
{
	size_t width = 0;

	if (group->n != n_done)
		say(w, SAY_INFO, "%zu of %zu buildpacks participating", group->n, n_done);
	for (size_t i = 0; i < group->n; i++)
		if (strlen(group->v[i].id) > width)
			width = strlen(group->v[i].id);
	for (size_t i = 0; i < group->n; i++)
		say(w, SAY_INFO, "%-*s %s", (int)width, group->v[i].id, group->v[i].version);
}

static bool resolve(struct walk *w, const struct bp_group *done, struct detect_result *out)
{
	VEC(struct plan_candidate) candidates = { 0 };

	say_outputs(w, done);
	if (!weigh(w, done, out))
		return true;
	for (size_t i = 0; i < done->n; i++) {
		const struct detect_outcome *outcome = outcome_of(w, &done->v[i]);

		if (outcome->code == DETECT_PASS)
			vec_push(w->arena, &candidates,
				 (struct plan_candidate){ done->v[i], outcome->options });
	}
	if (!build_plan_resolve(candidates.v, candidates.n, w->arena, &out->found, w->err))
		return false;
	for (size_t i = 0; i < out->found.trail.n; i++)
		say(w, SAY_DEBUG, "%s", out->found.trail.v[i]);
	if (out->found.is_found) {
		out->verdict = DETECT_FOUND;
		say_group(w, &out->found.group, done->n);
	}
	return true;
}

/* False when the element does not take part in the group at all. */
static bool admit(struct walk *w, const struct bp_element *element,
		  const struct bp_descriptor *descriptor)
{
	const struct detect_spec *spec = w->spec;

	if (api_at_least(spec->platform, 12) && !element->is_optional &&
	    !target_fits(&spec->target, &descriptor->targets)) {
		*outcome_of(w, element) = (struct detect_outcome){
			.code = DETECT_BROKEN,
			.error = "unable to satisfy target os/arch constraints of the run image",
		};
		return true;
	}
	if (api_at_least(spec->platform, 15) && api_at_least(descriptor->api, 12) &&
	    *spec->exec_env && !exec_env_fits(&descriptor->exec_envs, spec->exec_env)) {
		say(w, SAY_DEBUG, "Skipping %s: it is not for execution environment %s",
		    key_of(w, element), spec->exec_env);
		return false;
	}
	outcome_of(w, element);
	return true;
}

/* A composite buildpack or the extensions: its groups, each followed by the rest; without it when it may be missing. */
static bool walk_nested(struct walk *w, const struct bp_element *element,
			const struct bp_order *order, const struct bp_group *done, struct rest rest,
			struct detect_result *out)
{
	if (element->depth >= LIMIT_ORDER_DEPTH)
		return err_set(w->err, ERR_INVALID, "buildpack '%s@%s' is nested more than %u deep",
			       element->id, element->version, LIMIT_ORDER_DEPTH);
	if (!walk_order(w, order, done, rest, element->depth + 1, out))
		return false;
	if (out->verdict == DETECT_FOUND || !element->is_optional)
		return true;
	return walk_group(w, rest, done, out);
}

static bool walk_group(struct walk *w, struct rest group, const struct bp_group *before,
		       struct detect_result *out)
{
	struct bp_group done = { 0 };
	VEC(const struct bp_descriptor *) descriptors = { 0 };

	if (++w->n_groups > LIMIT_DETECT_GROUPS)
		return err_set(w->err, ERR_INVALID, "more than %u groups to try",
			       LIMIT_DETECT_GROUPS);
	for (size_t i = 0; i < before->n + group.n; i++) {
		bool is_new = i >= before->n;
		struct bp_element element = is_new ? group.v[i - before->n] : before->v[i];
		const struct bp_descriptor *descriptor;
		struct rest rest = { 0 };

		if (is_new)
			rest = (struct rest){ group.v + (i - before->n) + 1,
					      group.n - (i - before->n) - 1 };
		if (element.extensions)
			return walk_nested(w, &element, element.extensions, &done, rest, out);
		if (is_new && has_element(&done, &element))
			continue;
		if (!w->spec->ops.find(w->spec->ops.self, &element, &descriptor, w->err))
			return false;
		if (is_new && descriptor->order.n)
			return walk_nested(w, &element, &descriptor->order, &done, rest, out);
		if (is_new && !admit(w, &element, descriptor))
			continue;
		element.api = descriptor->element.api;
		element.homepage = descriptor->element.homepage;
		vec_push(w->arena, &done, element);
		vec_push(w->arena, &descriptors, descriptor);
	}
	run_pending(w, &done, descriptors.v);
	return resolve(w, &done, out);
}

/* The elements of one group of an order, then what comes after the composite that it belongs to. */
static bool join(struct walk *w, const struct bp_group *group, unsigned depth, struct rest next,
		 struct rest *out)
{
	struct bp_element *all;

	if (group->n + next.n > LIMIT_GROUP_ELEMENTS)
		return err_set(w->err, ERR_INVALID, "more than %u buildpacks in one group",
			       LIMIT_GROUP_ELEMENTS);
	all = arena_array(w->arena, group->n + next.n, sizeof(*all));
	for (size_t i = 0; i < group->n; i++) {
		all[i] = group->v[i];
		all[i].depth = depth;
	}
	for (size_t i = 0; i < next.n; i++)
		all[group->n + i] = next.v[i];
	*out = (struct rest){ all, group->n + next.n };
	return true;
}

static bool walk_order(struct walk *w, const struct bp_order *order, const struct bp_group *done,
		       struct rest next, unsigned depth, struct detect_result *out)
{
	bool has_errors = false;

	for (size_t i = 0; i < order->n; i++) {
		struct rest group;

		if (!join(w, &order->v[i], depth, next, &group) || !walk_group(w, group, done, out))
			return false;
		if (out->verdict == DETECT_FOUND)
			return true;
		has_errors |= out->verdict == DETECT_ERRORS;
	}
	out->verdict = has_errors ? DETECT_ERRORS : DETECT_NONE;
	return true;
}

bool detect_walk(const struct detect_spec *spec, const struct bp_order *order, struct arena *arena,
		 struct detect_result *out, struct err *err)
{
	struct walk w = { .spec = spec, .arena = arena, .err = err };
	struct bp_group none = { 0 };

	*out = (struct detect_result){ 0 };
	return walk_order(&w, order, &none, (struct rest){ 0 }, 0, out);
}
