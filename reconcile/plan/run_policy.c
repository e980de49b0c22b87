/* SPDX-License-Identifier: Apache-2.0 */
/* run_policy.c — see run_policy.h. */
#include "reconcile/plan/run_policy.h"

#include <stdlib.h>
#include <string.h>

#include "model/kind/build_phase.h"

/* A build as the decision goes on: its phase changes when it is started or cancelled. */
struct queued {
	int64_t number;
	enum build_phase phase;
	const char *policy;
};

static bool is_policy(const struct queued *build, const char *policy)
{
	return strcmp(build->policy ? build->policy : POLICY_SERIAL, policy) == 0;
}

static bool is_active(const struct queued *build)
{
	return build->phase == PHASE_PENDING || build->phase == PHASE_RUNNING;
}

static void cancel_older(struct queued *all, size_t i, struct run_decision *out,
			 struct arena *arena)
{
	for (size_t k = 0; k < i; k++) {
		if (all[k].phase != PHASE_NEW && all[k].phase != PHASE_PENDING)
			continue;
		all[k].phase = PHASE_CANCELLED;
		vec_push(arena, &out->cancel, all[k].number);
	}
}

static bool is_runnable(const struct queued *all, size_t n, size_t i)
{
	bool is_parallel = is_policy(&all[i], POLICY_PARALLEL);

	for (size_t k = 0; k < n; k++) {
		if (is_active(&all[k]) && !(is_parallel && is_policy(&all[k], POLICY_PARALLEL)))
			return false;
		if (!is_parallel && k < i && all[k].phase == PHASE_NEW)
			return false;
	}
	return true;
}

struct run_decision run_policy_decide(const struct list *builds, struct arena *arena)
{
	struct queued *all = arena_array(arena, builds->n, sizeof(*all));
	struct run_decision out = { 0 };

	for (size_t i = 0; i < builds->n; i++) {
		const struct bc_history_entry *entry = LIST_AT(*builds, struct bc_history_entry, i);

		all[i] = (struct queued){ entry->number, phase_find(entry->phase), entry->policy };
	}
	for (size_t i = 0; i < builds->n; i++)
		if (all[i].phase == PHASE_NEW && is_policy(&all[i], POLICY_SERIAL_LATEST_ONLY))
			cancel_older(all, i, &out, arena);
	for (size_t i = 0; i < builds->n; i++) {
		if (all[i].phase != PHASE_NEW || !is_runnable(all, builds->n, i))
			continue;
		all[i].phase = PHASE_PENDING;
		vec_push(arena, &out.start, all[i].number);
	}
	return out;
}

/* Newest first; builds of the same second by number. */
static int newest_first(const void *a, const void *b)
{
	const struct bc_history_entry *const *left = a, *const *right = b;

	if ((*left)->created_s != (*right)->created_s)
		return (*left)->created_s < (*right)->created_s ? 1 : -1;
	return (*left)->number < (*right)->number ? 1 : -1;
}

static int by_number(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void prune(const struct list *builds, bool is_success, int64_t limit, struct numbers *out,
		  struct arena *arena)
{
	VEC(const struct bc_history_entry *) ended = { 0 };

	for (size_t i = 0; i < builds->n; i++) {
		const struct bc_history_entry *entry = LIST_AT(*builds, struct bc_history_entry, i);
		enum build_phase phase = phase_find(entry->phase);

		if (phase_is_terminal(phase) && (phase == PHASE_COMPLETE) == is_success)
			vec_push(arena, &ended, entry);
	}
	if (ended.n)
		qsort(ended.v, ended.n, sizeof(*ended.v), newest_first);
	for (size_t i = 0; i < ended.n; i++)
		if ((int64_t)i >= limit)
			vec_push(arena, out, ended.v[i]->number);
}

struct numbers bc_history_prune(const struct list *builds, const struct build_config_spec *spec,
				struct arena *arena)
{
	struct numbers out = { 0 };

	if (spec->has_success_limit)
		prune(builds, true, spec->success_limit, &out, arena);
	if (spec->has_failed_limit)
		prune(builds, false, spec->failed_limit, &out, arena);
	if (out.n)
		qsort(out.v, out.n, sizeof(*out.v), by_number);
	return out;
}
