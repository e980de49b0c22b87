/* SPDX-License-Identifier: Apache-2.0 */
/* s2i.c — see s2i.h: the phases in their order. */
#include "buildexec/s2i/s2i.h"

#include "buildexec/s2i/build.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"

static const char *const phase_names[] = {
	[S2I_PULL] = "PULL",         [S2I_PREPARE] = "PREPARE", [S2I_RETRIEVE] = "RETRIEVE",
	[S2I_ASSEMBLE] = "ASSEMBLE", [S2I_RUNTIME] = "RUNTIME", [S2I_COMMIT] = "COMMIT",
	[S2I_PUSH] = "PUSH",
};
_Static_assert(COUNTOF(phase_names) == S2I_PHASES, "a name for each phase");

const char *s2i_phase_name(enum s2i_phase phase)
{
	return phase_names[phase];
}

static bool always(const struct s2i_spec *spec)
{
	(void)spec;
	return true;
}

static bool when_incremental(const struct s2i_spec *spec)
{
	return spec->is_incremental;
}

static bool with_runtime(const struct s2i_spec *spec)
{
	return spec->runtime_image != NULL;
}

static bool with_tags(const struct s2i_spec *spec)
{
	return spec->tags.n > 0;
}

static const struct {
	bool (*run)(struct build *build, struct err *err);
	bool (*is_due)(const struct s2i_spec *spec);
} phases[] = {
	[S2I_PULL] = { phase_pull, always },
	[S2I_PREPARE] = { phase_prepare, always },
	[S2I_RETRIEVE] = { phase_retrieve, when_incremental },
	[S2I_ASSEMBLE] = { phase_assemble, always },
	[S2I_RUNTIME] = { phase_runtime, with_runtime },
	[S2I_COMMIT] = { phase_commit, always },
	[S2I_PUSH] = { phase_push, with_tags },
};
_Static_assert(COUNTOF(phases) == S2I_PHASES, "a row for each phase");

/* Failures that no script and no rule of ours made keep their kind; all have a reason. */
static void settle_reason(struct s2i_result *result, const struct err *err)
{
	if (err->kind == ERR_CANCELLED)
		result->reason = S2I_CANCELLED;
	else if (result->reason == S2I_COMPLETED)
		result->reason = S2I_GENERIC;
}

static bool run_phase(struct build *build, enum s2i_phase phase, struct err *err)
{
	const struct s2i_spec *spec = build->spec;

	if (!phases[phase].is_due(spec))
		return true;
	if (spec->is_cancelled && spec->is_cancelled(spec->ctx))
		return err_set(err, ERR_CANCELLED, "cancelled");
	if (spec->on_phase)
		spec->on_phase(spec->ctx, phase);
	build_log_say("===> %s", phase_names[phase]);
	build->result->phase = phase;
	return phases[phase].run(build, err);
}

bool s2i_build(const struct s2i_spec *spec, struct s2i_result *result, struct err *err)
{
	struct s2i_spec own = *spec;
	struct build build = { .spec = &own, .result = result, .arena = spec->arena };
	bool is_done = true;

	*result = (struct s2i_result){ 0 };
	/* The limit is for all scripts together. */
	if (own.limits.wall_ms > 0 && !own.deadline_ms)
		own.deadline_ms = clock_mono_ms() + own.limits.wall_ms;
	for (int i = 0; is_done && i < S2I_PHASES; i++)
		is_done = run_phase(&build, (enum s2i_phase)i, err);
	for (size_t i = 0; i < build.secrets.n; i++)
		fd_close(&build.secrets.v[i]);
	if (is_done)
		result->reason = S2I_COMPLETED;
	else
		settle_reason(result, err);
	return is_done;
}
