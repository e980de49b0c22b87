/* SPDX-License-Identifier: Apache-2.0 */
/*
 * condition.h — lists of conditions that are made anew in every plan and whose times move only when their status does.
 * Rules: kpack.md §1.11, §2.6; design §4 "condition times move only on a transition".
 */
#ifndef RECONCILE_PLAN_CONDITION_H
#define RECONCILE_PLAN_CONDITION_H

#include "model/kind/status.h"

#define COND_TRUE    "True"
#define COND_FALSE   "False"
#define COND_UNKNOWN "Unknown"

/* Starts a list of at most `cap` conditions; `old` gives the times (the list as recorded, lent). */
struct conditions_edit {
	struct list old, list;
	size_t cap;
	int64_t now_s;
};
void conditions_begin(struct conditions_edit *edit, const struct list *old, size_t cap,
		      int64_t now_s, struct arena *arena);
/* reason and message: NULL or "" is none. */
void conditions_add(struct conditions_edit *edit, const char *type, const char *status,
		    const char *reason, const char *message);
/* The recorded one as it stands, or nothing. */
bool conditions_keep(struct conditions_edit *edit, const char *type);

bool conditions_equal(const struct list *a, const struct list *b);
bool condition_is_true(const struct list *conditions, const char *type);
const char *condition_message(const struct list *conditions, const char *type); /* or NULL */

#endif
