/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_plan_resolve.c — the search for a combination of options in which every provide is asked
 * for and every require is provided before it or by the same buildpack. A trial is one combination.
 * In it, optional buildpacks with something unmet are removed until nothing is unmet, or until a
 * buildpack that must stay has something unmet. Only the last option of an optional buildpack may
 * be removed. Spec: buildpack.md "Phase #1: Detection"; the vectors of the lifecycle suite, cases
 * 05, 06, 08, 45.
 */
#include <string.h>

#include "buildexec/cnb/build_plan.h"
#include "model/base/limits.h"
#include "model/base/map.h"

/* One name in a trial. Members are indices into `members`. */
struct need {
	struct plan_entry entry;
	VEC(size_t) early; /* asked for before anybody offered it */
	VEC(size_t) extra; /* offered, and not asked for since    */
};

struct member {
	const struct plan_candidate *candidate;
	const struct plan_section *section;
	bool is_optional, is_removed;
};

struct trial {
	struct member *members;
	size_t n;
	struct map by_name;
	VEC(struct need *) needs;
	struct arena *arena; /* of this trial alone */
	struct strings *trail;
	struct arena *trail_arena;
};

static struct need *need_of(struct trial *trial, const char *name)
{
	struct need *need = map_get(&trial->by_name, name);

	if (need)
		return need;
	need = ARENA_NEW(trial->arena, struct need);
	need->entry.name = name;
	map_set(trial->arena, &trial->by_name, name, need);
	vec_push(trial->arena, &trial->needs, need);
	return need;
}

static void add_require(struct trial *trial, size_t member, const struct plan_require *require)
{
	struct need *need = need_of(trial, require->name);

	for (size_t i = 0; i < need->extra.n; i++)
		vec_push(trial->arena, &need->entry.providers,
			 trial->members[need->extra.v[i]].candidate->element);
	need->extra.n = 0;
	if (need->entry.providers.n == 0)
		vec_push(trial->arena, &need->early, member);
	else
		vec_push(trial->arena, &need->entry.requires, *require);
}

static void match(struct trial *trial)
{
	trial->by_name = (struct map){ 0 };
	trial->needs.n = 0;
	for (size_t m = 0; m < trial->n; m++) {
		const struct plan_section *section = trial->members[m].section;

		if (trial->members[m].is_removed)
			continue;
		for (size_t i = 0; i < section->provides.n; i++) {
			struct need *need = need_of(trial, section->provides.v[i]);

			vec_push(trial->arena, &need->extra, m);
		}
		for (size_t i = 0; i < section->requires.n; i++)
			add_require(trial, m, &section->requires.v[i]);
	}
}

static void tell(struct trial *trial, const struct member *member, const char *what,
		 const char *name)
{
	if (trial->trail->n < PLAN_TRAIL)
		vec_push(trial->trail_arena, trial->trail,
			 arena_printf(trial->trail_arena, "%s: %s@%s %s %s",
				      member->is_optional ? "skip" : "fail",
				      member->candidate->element.id,
				      member->candidate->element.version, what, name));
}

/* Removes the members with something unmet. False when one of them has to stay. */
static bool drop_unmet(struct trial *trial, const size_t *members, size_t n, const char *what,
		       const char *name)
{
	for (size_t i = 0; i < n; i++) {
		struct member *member = &trial->members[members[i]];

		tell(trial, member, what, name);
		if (!member->is_optional)
			return false;
		member->is_removed = true;
	}
	return true;
}

static bool settle(struct trial *trial)
{
	bool is_stable;

	do {
		is_stable = true;
		match(trial);
		for (size_t i = 0; i < trial->needs.n; i++) {
			struct need *need = trial->needs.v[i];

			if (!drop_unmet(trial, need->early.v, need->early.n, "requires",
					need->entry.name) ||
			    !drop_unmet(trial, need->extra.v, need->extra.n, "provides unused",
					need->entry.name))
				return false;
			is_stable = is_stable && need->early.n == 0 && need->extra.n == 0;
		}
	} while (!is_stable);
	for (size_t m = 0; m < trial->n; m++)
		if (!trial->members[m].is_removed)
			return true;
	return false;
}

static void take_result(const struct trial *trial, struct arena *arena, struct plan_result *out)
{
	out->is_found = true;
	for (size_t m = 0; m < trial->n; m++)
		if (!trial->members[m].is_removed)
			vec_push(arena, &out->group, trial->members[m].candidate->element);
	for (size_t i = 0; i < trial->needs.n; i++) {
		const struct plan_entry *entry = &trial->needs.v[i]->entry;
		struct plan_entry copy = { .name = entry->name };

		for (size_t k = 0; k < entry->providers.n; k++)
			vec_push(arena, &copy.providers, entry->providers.v[k]);
		for (size_t k = 0; k < entry->requires.n; k++)
			vec_push(arena, &copy.requires, entry->requires.v[k]);
		vec_push(arena, &out->plan, copy);
	}
}

static void run_trial(const struct plan_candidate *candidates, size_t n, const size_t *choice,
		      struct arena *arena, struct plan_result *out)
{
	struct arena *scratch = arena_new();
	struct trial trial = {
		.n = n, .arena = scratch, .trail = &out->trail, .trail_arena = arena
	};

	trial.members = arena_array(scratch, n, sizeof(*trial.members));
	for (size_t i = 0; i < n; i++)
		trial.members[i] = (struct member){
			.candidate = &candidates[i],
			.section = &candidates[i].options.v[choice[i]],
			.is_optional = candidates[i].element.is_optional &&
				       choice[i] + 1 == candidates[i].options.n,
		};
	if (settle(&trial))
		take_result(&trial, arena, out);
	arena_free(scratch);
}

/* The next combination, the last place counting fastest. False after the last one. */
static bool advance(const struct plan_candidate *candidates, size_t n, size_t *choice)
{
	for (size_t i = n; i-- > 0;) {
		if (++choice[i] < candidates[i].options.n)
			return true;
		choice[i] = 0;
	}
	return false;
}

bool build_plan_resolve(const struct plan_candidate *candidates, size_t n, struct arena *arena,
			struct plan_result *out, struct err *err)
{
	size_t *choice = arena_array(arena, n, sizeof(*choice));

	*out = (struct plan_result){ 0 };
	for (unsigned tries = 0; tries < LIMIT_PLAN_TRIALS; tries++) {
		run_trial(candidates, n, choice, arena, out);
		if (out->is_found || !advance(candidates, n, choice))
			return true;
	}
	return err_set(err, ERR_INVALID,
		       "no build plan found in %u combinations of the buildpacks' alternatives",
		       LIMIT_PLAN_TRIALS);
}
