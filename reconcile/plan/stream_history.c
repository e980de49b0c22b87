/* SPDX-License-Identifier: Apache-2.0 */
/* stream_history.c — see stream_history.h. */
#include "reconcile/plan/stream_history.h"

#include <string.h>

#include "reconcile/plan/rules.h"

const struct tag_event *history_top(const struct tag_history *history)
{
	return history && history->items.n > 0 ? LIST_AT(history->items, struct tag_event, 0)
					       : NULL;
}

const struct tag_condition *history_condition(const struct tag_history *history)
{
	for (size_t i = 0; history && i < history->conditions.n; i++) {
		const struct tag_condition *condition =
			LIST_AT(history->conditions, struct tag_condition, i);

		if (text_equal(condition->type, CONDITION_IMPORT))
			return condition;
	}
	return NULL;
}

/* A copy with room for `more` events in front. */
static struct tag_event *events_copy(struct tag_history *history, size_t more, struct arena *arena)
{
	struct tag_event *events =
		arena_array(arena, history->items.n + more + 1, sizeof(struct tag_event));

	if (history->items.n > 0)
		memcpy(events + more, history->items.v,
		       history->items.n * sizeof(struct tag_event));
	history->items = (struct list){ events, history->items.n + more };
	history->conditions = (struct list){ 0 };
	return events;
}

bool history_add(struct tag_history *history, const struct tag_event *event, struct arena *arena)
{
	const struct tag_event *top = history_top(history);
	bool is_same_reference = top && text_equal(top->reference, event->reference);
	bool is_same_image = top && text_equal(top->image, event->image);
	struct tag_event *events;

	if (!is_same_reference && !is_same_image) {
		*events_copy(history, 1, arena) = *event;
		return true;
	}
	if (is_same_reference && is_same_image && top->generation == event->generation)
		return false;
	events = events_copy(history, 0, arena);
	events->reference = event->reference;
	events->image = event->image;
	events->generation = event->generation;
	return true;
}

bool history_trim(struct tag_history *history, int64_t limit)
{
	if (limit <= 0 || history->items.n <= (size_t)limit)
		return false;
	history->items.n = (size_t)limit;
	return true;
}

bool history_fail(struct tag_history *history, const struct tag_failure *failure,
		  struct arena *arena)
{
	const struct tag_condition *old = history_condition(history);
	struct tag_condition *now = ARENA_NEW(arena, struct tag_condition);
	bool is_same;

	*now = (struct tag_condition){
		.type = CONDITION_IMPORT,
		.status = COND_FALSE,
		.reason = failure->reason && failure->reason[0] ? failure->reason : "InternalError",
		.message = failure->message && failure->message[0]
				   ? failure->message
				   : "unknown error prevented import",
		.changed_s = failure->now_s,
		.generation = failure->generation,
		.tries = 1,
	};
	is_same = old && text_equal(old->status, COND_FALSE) &&
		  text_equal(old->reason, now->reason) && text_equal(old->message, now->message);
	if (old && !failure->is_asked)
		now->tries = old->tries + (failure->is_retry ? 1 : 0);
	if (is_same) {
		now->changed_s = old->changed_s;
		if (!failure->is_asked)
			now->generation = old->generation;
	}
	if (is_same && now->tries == old->tries && now->generation == old->generation)
		return false;
	history->conditions = (struct list){ now, 1 };
	return true;
}

const char *history_push(const struct tag_history *history, const char *from)
{
	for (size_t i = 0; history && i < history->pushes.n; i++) {
		const struct tag_push *push = LIST_AT(history->pushes, struct tag_push, i);

		if (strcmp(push->from, from) == 0)
			return push->image;
	}
	return NULL;
}

void history_push_note(struct tag_history *history, struct tag_push push, struct arena *arena)
{
	size_t n = history->pushes.n, at = 0;
	struct tag_push *pushes = arena_array(arena, n + 1, sizeof(*pushes));

	if (n > 0)
		memcpy(pushes, history->pushes.v, n * sizeof(*pushes));
	while (at < n && strcmp(pushes[at].from, push.from) != 0)
		at++;
	pushes[at] = push;
	history->pushes = (struct list){ pushes, at == n ? n + 1 : n };
}
