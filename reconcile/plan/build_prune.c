/* SPDX-License-Identifier: Apache-2.0 */
/* build_prune.c — from the newest build to the oldest, one count for each class. */
#include "reconcile/plan/build_prune.h"

#include <string.h>

enum build_class { BUILD_COMPLETE, BUILD_FAILED, BUILD_ACTIVE, BUILD_CLASSES };

static enum build_class class_of(const struct history_entry *entry)
{
	if (!entry->result || strcmp(entry->result, "Building") == 0)
		return BUILD_ACTIVE;
	return strcmp(entry->result, "Succeeded") == 0 ? BUILD_COMPLETE : BUILD_FAILED;
}

static bool is_young(const struct history_entry *entry, const struct build_keep *keep)
{
	int64_t created_s = entry->started_s ? entry->started_s : entry->finished_s;

	return keep->now_s - created_s < keep->younger_s;
}

void build_prune(struct image_status *status, const struct build_keep *keep, bool is_orphan,
		 struct arena *arena, struct numbers *out)
{
	size_t n = status->history.n, n_kept = 0;
	struct history_entry *kept = arena_array(arena, n + 1, sizeof(*kept));
	bool *goes = arena_array(arena, n + 1, sizeof(*goes));
	int64_t left[BUILD_CLASSES] = { is_orphan ? 0 : keep->complete,
					is_orphan ? 0 : keep->failed, INT64_MAX };

	*out = (struct numbers){ 0 };
	for (size_t i = n; i-- > 0;) {
		const struct history_entry *entry =
			LIST_AT(status->history, struct history_entry, i);

		if (!is_young(entry, keep) && left[class_of(entry)]-- <= 0)
			goes[i] = true;
	}
	for (size_t i = 0; i < n; i++) {
		const struct history_entry *entry =
			LIST_AT(status->history, struct history_entry, i);

		if (goes[i])
			vec_push(arena, out, entry->number);
		else
			kept[n_kept++] = *entry;
	}
	status->history = (struct list){ kept, n_kept };
}
