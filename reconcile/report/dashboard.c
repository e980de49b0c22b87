/* SPDX-License-Identifier: Apache-2.0 */
/* dashboard.c — Markdown tables from recorded statuses, in order of kind, namespace and name. */
#include "reconcile/report/dashboard.h"

#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/log.h"
#include "model/kind/policy.h"
#include "model/kind/status_tables.h"
#include "model/kind/workload.h"
#include "reconcile/report/dashboard_configs.h"
#include "reconcile/report/dashboard_streams.h"

enum { FEW = 200, BAD_ROWS = 100, MESSAGE_BYTES = 200 };

struct rows {
	struct arena *arena;
	const struct state_entry **v;
	size_t n;
};

static int by_place(const void *a, const void *b)
{
	const struct state_entry *const *left = a, *const *right = b;
	int order =
		(int)(*right)->kind - (int)(*left)->kind; /* images first, their parts after them */

	if (!order)
		order = strcmp((*left)->ns, (*right)->ns);
	return order ? order : strcmp((*left)->name, (*right)->name);
}

/* The conditions stand first in every status struct but the streams', the images' too. */
static const struct condition *ready_of(const struct state_entry *entry)
{
	if (entry->kind == KIND_IMAGE_STREAM)
		return NULL;
	return condition_find((const struct list *)entry->status, "Ready");
}
_Static_assert(offsetof(struct build_config_status, conditions) == 0, "conditions first");
_Static_assert(offsetof(struct image_status, conditions) == 0, "conditions first");
_Static_assert(offsetof(struct builder_status, conditions) == 0, "conditions first");
_Static_assert(offsetof(struct stack_status, conditions) == 0, "conditions first");
_Static_assert(offsetof(struct store_status, conditions) == 0, "conditions first");
_Static_assert(offsetof(struct lifecycle_status, conditions) == 0, "conditions first");
_Static_assert(offsetof(struct build_config_status, conditions) == 0, "conditions first");
_Static_assert(offsetof(struct policy_status, conditions) == 0, "conditions first");
_Static_assert(offsetof(struct workload_status, conditions) == 0, "conditions first");

static bool is_ready(const struct state_entry *entry)
{
	const struct condition *ready = ready_of(entry);

	if (entry->kind == KIND_IMAGE_STREAM)
		return stream_imports(entry->status);
	if (kind_has_builds(entry->kind))
		return config_is_ready(entry->status);
	return ready && strcmp(ready->status, "True") == 0;
}

/* Foreign text in a table cell: no markup, no mentions, one line, cut. */
void dashboard_cell(const char *text, struct buf *out)
{
	AUTO_BUF clean = BUF_INIT(1 << 16);

	sanitize(text, strnlen(text, MESSAGE_BYTES), false, &clean);
	for (const char *at = buf_text(&clean); *at; at++) {
		if (strchr("|`*_<>[]#@\\&~", *at))
			buf_printf(out, "&#%d;", *at);
		else
			buf_byte(out, *at);
	}
}

/* A reference as it may be; anything else that stands in its place is shown as text. */
void dashboard_code(const char *text, struct buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-/:@+[]";

	if (text[strspn(text, plain)])
		dashboard_cell(text, out);
	else
		buf_printf(out, "`%s`", text);
}

static const char *image_of(const struct state_entry *entry)
{
	size_t at = status_info(entry->kind)->image_at;

	return at ? *(const char *const *)(const void *)((const char *)entry->status + at) : NULL;
}

static void put_row(const struct state_entry *entry, struct buf *out)
{
	const struct condition *ready = ready_of(entry);
	const struct image_status *image = entry->kind == KIND_IMAGE ? entry->status : NULL;
	const struct build_config_status *config =
		kind_has_builds(entry->kind) ? entry->status : NULL;

	buf_printf(out, "| [%s](%s) | %s | ", entry->id, entry->path,
		   ready ? ready->status : "Unknown");
	if (image && image->last)
		buf_printf(out, "%lld ", (long long)image->last->number);
	if (image && image->last && image->latest_reason)
		dashboard_cell(image->latest_reason, out);
	if (config && config->last)
		buf_printf(out, "%lld ", (long long)config->last->number);
	if (config && config->last && config->last->reasons)
		dashboard_cell(config->last->reasons, out);
	buf_puts(out, " | ");
	if (image_of(entry))
		dashboard_code(image_of(entry), out);
	buf_puts(out, " | ");
	if (ready && ready->message && strcmp(ready->status, "True") != 0)
		dashboard_cell(ready->message, out);
	buf_puts(out, " |\n");
}

static bool has_own_table(enum kind kind)
{
	return kind == KIND_IMAGE_STREAM || kind_has_builds(kind);
}

static bool has_objects(const struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		if (!has_own_table(rows->v[i]->kind))
			return true;
	return rows->n == 0;
}

static void put_objects(const struct rows *rows, bool only_bad, size_t most, struct buf *out)
{
	size_t n = 0, left_out = 0;

	if (!has_objects(rows))
		return;
	buf_puts(out, "| object | ready | build | image | message |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < rows->n; i++) {
		if (has_own_table(rows->v[i]->kind) || (only_bad && is_ready(rows->v[i])))
			continue;
		if (n++ < most)
			put_row(rows->v[i], out);
		else
			left_out++;
	}
	if (left_out)
		buf_printf(out, "\nand %zu more\n", left_out);
	buf_byte(out, '\n');
}

static void put_counts(const struct rows *rows, struct buf *out)
{
	buf_puts(out, "| namespace | objects | ready |\n|---|---|---|\n");
	for (size_t i = 0; i < rows->n;) {
		const char *ns = rows->v[i]->ns;
		size_t n = 0, n_ready = 0;

		for (; i < rows->n && strcmp(rows->v[i]->ns, ns) == 0; i++, n++)
			n_ready += is_ready(rows->v[i]);
		buf_printf(out, "| %s | %zu | %zu |\n", *ns ? ns : "(cluster)", n, n_ready);
	}
	buf_byte(out, '\n');
}

static int by_ns(const void *a, const void *b)
{
	const struct state_entry *const *left = a, *const *right = b;

	return strcmp((*left)->ns, (*right)->ns);
}

void dashboard_print(void *ctx, const struct state *state, struct buf *out)
{
	struct rows rows = { .arena = arena_new(), .n = state->by_id.n };
	size_t n_bad = 0;

	rows.v = arena_array(rows.arena, rows.n + 1, sizeof(*rows.v));
	for (size_t i = 0; i < rows.n; i++) {
		rows.v[i] = state->by_id.items[i].value;
		n_bad += !is_ready(rows.v[i]);
	}
	qsort(rows.v, rows.n, sizeof(*rows.v), by_place);
	buf_puts(out, "# State\n\nWritten by `reconcile`; do not edit. One file per object, "
		      "builds below their image.\n\n");
	buf_printf(out, "%zu objects, %zu ready.\n\n", rows.n, rows.n - n_bad);
	if (rows.n <= FEW) {
		put_objects(&rows, false, FEW, out);
		dashboard_configs(state, out);
		dashboard_streams(ctx, state, out);
	} else {
		if (n_bad)
			put_objects(&rows, true, BAD_ROWS, out);
		dashboard_configs(state, out);
		dashboard_streams(ctx, state, out);
		qsort(rows.v, rows.n, sizeof(*rows.v), by_ns);
		put_counts(&rows, out);
	}
	arena_free(rows.arena);
}
