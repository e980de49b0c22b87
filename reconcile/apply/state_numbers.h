/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_numbers.h — numbers of builds that a status has forgotten: its file was deleted or taken back to an older one by hand,
 * the records of its builds lie there still. A number names one build for ever, so the next one comes after them.
 */
#ifndef RECONCILE_APPLY_STATE_NUMBERS_H
#define RECONCILE_APPLY_STATE_NUMBERS_H

#include "model/kind/status.h"
#include "reconcile/plan/plan.h"
#include "reconcile/store/store.h"

/*
 * Looks through the records of whatever the plan may build and fills state->numbers. *found: there are such numbers, and the
 * plan is to be made again.
 */
MUST_CHECK bool state_find_numbers(struct store *store, const struct plan *plan,
				   struct state *state, bool *found, struct err *err);

#endif
