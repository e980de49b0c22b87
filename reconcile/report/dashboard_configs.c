/* SPDX-License-Identifier: Apache-2.0 */
/* dashboard_configs.c — one row per build config. Only recorded times are shown, so that nothing changes by itself. */
#include "reconcile/report/dashboard_configs.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/time.h"
#include "model/kind/build_phase.h"
#include "reconcile/report/dashboard_streams.h"

enum { FEW_CONFIGS = 200 };

static const struct bc_history_entry *newest_of(const struct build_config_status *status)
{
	const struct list *history = &status->history;

	return history->n ? LIST_AT(*history, struct bc_history_entry, history->n - 1) : NULL;
}

/* That was made last. */
static const char *image_of(const struct build_config_status *status)
{
	for (size_t i = status->history.n; i > 0; i--) {
		const struct bc_history_entry *entry =
			LIST_AT(status->history, struct bc_history_entry, i - 1);

		if (entry->image)
			return entry->image;
	}
	return NULL;
}

bool config_is_ready(const struct build_config_status *status)
{
	const struct condition *ready = condition_find(&status->conditions, "Ready");
	const struct bc_history_entry *newest = newest_of(status);

	if (ready)
		return strcmp(ready->status, "True") == 0;
	return newest && phase_find(newest->phase) == PHASE_COMPLETE;
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(const struct state_entry *const *)a)->id,
		      (*(const struct state_entry *const *)b)->id);
}

static void put_when(const struct bc_history_entry *entry, struct buf *out)
{
	int64_t time_s = entry->finished_s  ? entry->finished_s
			 : entry->started_s ? entry->started_s
					    : entry->created_s;
	char text[TIME_TEXT];

	if (!time_s)
		return;
	time_format(time_s, text);
	buf_puts(out, text);
}

static void put_row(const struct state_entry *entry, struct buf *out)
{
	const struct build_config_status *status = entry->status;
	const struct bc_history_entry *newest = newest_of(status);
	const char *image = image_of(status);

	buf_printf(out, "| [%s%s/%s](%s) | ", entry->kind == KIND_BUILD ? "Build " : "", entry->ns,
		   entry->name, entry->path);
	if (newest && newest->strategy)
		dashboard_cell(newest->strategy, out);
	buf_puts(out, " | ");
	if (newest)
		buf_printf(out, "%lld", (long long)newest->number);
	if (newest && newest->cause) {
		buf_byte(out, ' ');
		dashboard_cell(newest->cause, out);
	}
	buf_puts(out, " | ");
	if (newest)
		dashboard_cell(newest->phase, out);
	if (newest && newest->reason) {
		buf_puts(out, " (");
		dashboard_cell(newest->reason, out);
		buf_byte(out, ')');
	}
	buf_puts(out, " | ");
	if (image)
		dashboard_code(image, out);
	buf_puts(out, " | ");
	if (newest)
		put_when(newest, out);
	buf_puts(out, " |\n");
}

void dashboard_configs(const struct state *state, struct buf *out)
{
	struct arena *arena = arena_new();
	VEC(const struct state_entry *) all = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < state->by_id.n; i++) {
		const struct state_entry *entry = state->by_id.items[i].value;

		if (kind_has_builds(entry->kind))
			vec_push(arena, &all, entry);
	}
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_id);
	for (size_t i = 0; i < all.n; i++) {
		if (all.n > FEW_CONFIGS && config_is_ready(all.v[i]->status))
			continue;
		if (!n)
			buf_puts(out, "| build config | strategy | build | phase | image | when "
				      "|\n|---|---|---|---|---|---|\n");
		if (n++ < FEW_CONFIGS)
			put_row(all.v[i], out);
	}
	if (n > FEW_CONFIGS)
		buf_printf(out, "\nand %zu more\n", n - FEW_CONFIGS);
	if (n)
		buf_byte(out, '\n');
	arena_free(arena);
}
