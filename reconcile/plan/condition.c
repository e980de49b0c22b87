/* SPDX-License-Identifier: Apache-2.0 */
/* condition.c — see condition.h. */
#include "reconcile/plan/condition.h"

#include <string.h>

void conditions_begin(struct conditions_edit *edit, const struct list *old, size_t cap,
		      int64_t now_s, struct arena *arena)
{
	*edit = (struct conditions_edit){ .old = *old, .cap = cap, .now_s = now_s };
	edit->list.v = arena_array(arena, cap, sizeof(struct condition));
}

static void add(struct conditions_edit *edit, struct condition condition)
{
	if (edit->list.n == edit->cap)
		BUG("more conditions than room for them");
	((struct condition *)edit->list.v)[edit->list.n++] = condition;
}

static const char *text_or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

void conditions_add(struct conditions_edit *edit, const char *type, const char *status,
		    const char *reason, const char *message)
{
	const struct condition *old = condition_find(&edit->old, type);
	bool is_same = old && strcmp(old->status, status) == 0;

	add(edit, (struct condition){ .type = type,
				      .status = status,
				      .reason = text_or_null(reason),
				      .message = text_or_null(message),
				      .changed_s = is_same ? old->changed_s : edit->now_s });
}

bool conditions_keep(struct conditions_edit *edit, const char *type)
{
	const struct condition *old = condition_find(&edit->old, type);

	if (old)
		add(edit, *old);
	return old;
}

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

bool conditions_equal(const struct list *a, const struct list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct condition *x = LIST_AT(*a, struct condition, i);
		const struct condition *y = LIST_AT(*b, struct condition, i);

		if (!same(x->type, y->type) || !same(x->status, y->status) ||
		    !same(x->reason, y->reason) || !same(x->message, y->message) ||
		    x->changed_s != y->changed_s)
			return false;
	}
	return true;
}

bool condition_is_true(const struct list *conditions, const char *type)
{
	const struct condition *found = condition_find(conditions, type);

	return found && strcmp(found->status, COND_TRUE) == 0;
}

const char *condition_message(const struct list *conditions, const char *type)
{
	const struct condition *found = condition_find(conditions, type);

	return found ? text_or_null(found->message) : NULL;
}
