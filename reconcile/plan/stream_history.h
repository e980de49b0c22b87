/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_history.h — the history of one tag of an image stream: events on top of it, failures beside it, pushes it has
 * taken. What is given is never written to: lists are made anew. Rules: openshift.md §2.6, §2.7. Internal to reconcile/plan.
 */
#ifndef RECONCILE_PLAN_STREAM_HISTORY_H
#define RECONCILE_PLAN_STREAM_HISTORY_H

#include "model/kind/stream.h"

#define CONDITION_IMPORT "ImportSuccess"

/*
 * Compared with the newest event only: equal in reference and image: its generation follows; equal in one of both: the other is
 * replaced in place, its time kept, its generation following; different in both: put on top. Every change clears the conditions. False: nothing changed.
 */
bool history_add(struct tag_history *history, const struct tag_event *event, struct arena *arena);
/* The newest event; NULL: none. */
const struct tag_event *history_top(const struct tag_history *history);
/* The ImportSuccess condition; NULL: none. */
const struct tag_condition *history_condition(const struct tag_history *history);
/* Keeps the newest `limit` events; 0: all. True when some went. */
bool history_trim(struct tag_history *history, int64_t limit);

struct tag_failure {
	const char *reason, *message; /* "" and NULL: texts by upstream's custom */
	int64_t now_s, generation;
	bool is_asked; /* by the spec or a person, so that tries are counted from 1 */
	bool is_retry; /* one of the bounded number of tries: counted */
};
/*
 * Records a failed import. Equal type, status, reason and message keep their time, so that a check that fails as before
 * writes nothing. False: nothing changed.
 */
bool history_fail(struct tag_history *history, const struct tag_failure *failure,
		  struct arena *arena);

/* The digest that the tag has taken from `from`; NULL: none. */
const char *history_push(const struct tag_history *history, const char *from);
void history_push_note(struct tag_history *history, struct tag_push push, struct arena *arena);

#endif
