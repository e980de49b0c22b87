/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reason.c — the names of reasons and actions, and lists of reasons as they are recorded.
 * Rules: design §5 (order of record, primary reason); kpack.md §1.3, §1.12.
 */
#include <string.h>

#include "reconcile/plan/plan.h"

static const char *const reasons[] = {
	[REASON_TRIGGER] = "TRIGGER", [REASON_COMMIT] = "COMMIT", [REASON_CONFIG] = "CONFIG",
	[REASON_BUILDER] = "BUILDER", [REASON_STACK] = "STACK",   [REASON_LIFECYCLE] = "LIFECYCLE",
	[REASON_IMAGE] = "IMAGE",
};
_Static_assert(COUNTOF(reasons) == REASONS, "every reason has a name");

static const char *const actions[] = {
	[ACTION_NONE] = "none",     [ACTION_RESOLVE] = "resolve", [ACTION_COMPOSE] = "compose",
	[ACTION_BUILD] = "build",   [ACTION_REBASE] = "rebase",   [ACTION_TAG] = "tag",
	[ACTION_DELETE] = "delete", [ACTION_IMPORT] = "import",   [ACTION_MIRROR] = "mirror",
	[ACTION_EDIT] = "edit",
};
_Static_assert(COUNTOF(actions) == ACTIONS, "every action has a name");

const char *reason_name(enum reason reason)
{
	return reasons[reason];
}

bool reason_parse(const char *word, enum reason *out)
{
	if (strcmp(word, "BUILDPACK") == 0) {
		*out = REASON_BUILDER;
		return true;
	}
	for (size_t i = 0; i < REASONS; i++) {
		if (strcmp(word, reasons[i]) == 0) {
			*out = (enum reason)i;
			return true;
		}
	}
	return false;
}

const char *action_name(enum action action)
{
	return actions[action];
}

char *changes_reasons(const struct changes *changes, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(256);

	for (size_t i = 0; i < changes->list.n; i++) {
		if (i > 0)
			buf_byte(&text, ',');
		buf_puts(&text, reason_name(changes->list.v[i].reason));
	}
	return buf_copy(&text, arena);
}

char *reason_primary(const char *list, struct arena *arena)
{
	static const enum reason rank[] = { REASON_CONFIG, REASON_COMMIT, REASON_BUILDER };
	const char *first = NULL, *best = NULL;
	size_t best_rank = COUNTOF(rank), n = 0;

	if (!list || list[0] == '\0')
		return arena_strdup(arena, "UNKNOWN");
	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		const char *word = arena_copy(arena, at, strcspn(at, ","));
		enum reason reason;

		n++;
		if (!first)
			first = word;
		if (!reason_parse(word, &reason))
			continue;
		for (size_t i = 0; i < best_rank; i++) {
			if (rank[i] == reason) {
				best_rank = i;
				best = reason_name(reason);
			}
		}
	}
	return arena_printf(arena, "%s%s", best ? best : first, n > 1 ? "+" : "");
}
