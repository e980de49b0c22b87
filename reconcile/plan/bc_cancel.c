/* SPDX-License-Identifier: Apache-2.0 */
/* bc_cancel.c — see bc_cancel.h. */
#include "reconcile/plan/bc_cancel.h"

#include <string.h>

#include "reconcile/plan/condition.h"

enum { CONDITIONS = 1 };
#define REASON "CancelledBuild"

/* clang-format off */
static const enum cancel_step steps[2][2] = { /* is it claimed, is it marked */
	{ CANCEL_END,  CANCEL_END },
	{ CANCEL_MARK, CANCEL_WAIT },
};
/* clang-format on */

enum cancel_step cancel_decide(enum build_phase phase, bool is_claimed, bool is_marked)
{
	return phase_is_terminal(phase) ? CANCEL_OVER : steps[is_claimed][is_marked];
}

int64_t build_lease_s(const struct build_config_status *status, const struct bc_build *build)
{
	const struct bc_attempt *last = status->last;

	if (last && last->number == build->number && last->lease_s > build->lease_s)
		return last->lease_s;
	return build->lease_s;
}

static struct list history_with(const struct list *history, const struct bc_build *build,
				struct arena *arena)
{
	struct bc_history_entry *entries = arena_array(arena, history->n, sizeof(*entries));

	for (size_t i = 0; i < history->n; i++) {
		entries[i] = *LIST_AT(*history, struct bc_history_entry, i);
		if (entries[i].number == build->number)
			entries[i] = bc_history_of(build, arena);
	}
	return (struct list){ entries, history->n };
}

void build_cancel(struct bc_build *build, struct build_config_status *status, int64_t now_s,
		  struct arena *arena)
{
	struct conditions_edit edit;
	struct bc_attempt *last;

	build->is_cancelled = true;
	build->reason = REASON;
	build->message = reason_message(REASON);
	build->finished_s = now_s;
	build->lease_s = 0;
	build->failure = "build";
	bc_build_set_phase(build, phase_name(PHASE_CANCELLED), now_s, arena);
	status->history = history_with(&status->history, build, arena);
	if (build->number != status->last_version)
		return;
	conditions_begin(&edit, &status->conditions, CONDITIONS, now_s, arena);
	conditions_add(&edit, "Ready", COND_FALSE, build->reason, build->message);
	status->conditions = edit.list;
	if (!status->last || status->last->number != build->number)
		return;
	last = ARENA_NEW(arena, struct bc_attempt);
	*last = *status->last;
	last->failure = build->failure;
	last->run_id = NULL;
	last->lease_s = 0;
	status->last = last;
}
