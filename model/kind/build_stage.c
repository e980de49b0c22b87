/* SPDX-License-Identifier: Apache-2.0 */
/* build_stage.c — see build_stage.h. */
#include "model/kind/build_stage.h"

#include <string.h>

/* clang-format off */
static const struct {
	const char *phase, *stage, *step, *docker_step;
} phases[] = {
	{ BC_FETCH,       "FetchInputs", "FetchGitSource",    NULL },
	{ BC_PULL_INPUT,  "FetchInputs", "PullInputImage",    NULL },
	{ BC_PULL,        "PullImages",  "PullBaseImage",     NULL },
	{ BC_BUILD,       "Build",       NULL,                "DockerBuild" },
	{ "PREPARE",      "Build",       NULL,                NULL },
	{ "RETRIEVE",     "Build",       NULL,                NULL },
	{ "ASSEMBLE",     "Build",       NULL,                NULL },
	{ "RUNTIME",      "Build",       NULL,                NULL },
	{ "COMMIT",       "Build",       NULL,                NULL },
	{ BC_POST_COMMIT, "PostCommit",  "RunPostCommitHook", NULL },
	{ BC_PUSH,        "PushImage",   "PushImage",         "PushDockerImage" },
};
/* clang-format on */

enum { MS_PER_S = 1000 };

static void add_step(struct build_stage *stage, const struct build_step *step, struct arena *arena)
{
	VEC(struct build_step) all = { 0 };

	for (size_t i = 0; i < stage->steps.n; i++)
		vec_push(arena, &all, *LIST_AT(stage->steps, struct build_step, i));
	vec_push(arena, &all, *step);
	stage->steps = (struct list){ all.v, all.n };
}

struct list build_stages_of(const struct list *steps, int64_t started_s,
			    const struct build_strategy *strategy, struct arena *arena)
{
	VEC(struct build_stage) stages = { 0 };
	int64_t at_ms = 0;

	for (size_t i = 0; i < steps->n; i++) {
		const struct step_state *done = LIST_AT(*steps, struct step_state, i);
		int64_t begun_s = started_s + at_ms / MS_PER_S;
		struct build_stage *last = stages.n ? &stages.v[stages.n - 1] : NULL;
		size_t row = 0;
		const char *name;

		at_ms += done->ms;
		while (row < COUNTOF(phases) && strcmp(phases[row].phase, done->name) != 0)
			row++;
		if (row == COUNTOF(phases))
			continue;
		if (!last || strcmp(last->name, phases[row].stage) != 0) {
			vec_push(arena, &stages,
				 (struct build_stage){ .name = phases[row].stage,
						       .started_s = begun_s });
			last = &stages.v[stages.n - 1];
		}
		last->ms += done->ms;
		name = strategy->docker && phases[row].docker_step ? phases[row].docker_step
								   : phases[row].step;
		if (name)
			add_step(last, &(struct build_step){ name, begun_s, done->ms }, arena);
	}
	return (struct list){ stages.v, stages.n };
}
