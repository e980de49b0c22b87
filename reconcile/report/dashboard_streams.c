/* SPDX-License-Identifier: Apache-2.0 */
/* dashboard_streams.c — one row per tag. Only recorded times are shown, so that a run that changes nothing changes no byte. */
#include "reconcile/report/dashboard_streams.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/time.h"
#include "reconcile/plan/stream.h"
#include "reconcile/report/stream_report.h"

enum { FEW_TAGS = 200 };

struct streams {
	struct arena *arena;
	const char *interval;
	const struct state_entry **v;
	size_t n, n_tags;
};

static const struct tag_condition *failure_of(const struct tag_history *history)
{
	for (size_t i = 0; history && i < history->conditions.n; i++) {
		const struct tag_condition *condition =
			LIST_AT(history->conditions, struct tag_condition, i);

		if (strcmp(condition->type, "ImportSuccess") == 0 &&
		    strcmp(condition->status, "False") == 0)
			return condition;
	}
	return NULL;
}

bool stream_imports(const struct stream_status *status)
{
	for (size_t i = 0; i < status->tags.n; i++)
		if (failure_of(LIST_AT(status->tags, struct tag_history, i)))
			return false;
	return true;
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(const struct state_entry *const *)a)->id,
		      (*(const struct state_entry *const *)b)->id);
}

static void find(const struct state *state, struct streams *out)
{
	struct strings names;

	out->v = arena_array(out->arena, state->by_id.n + 1, sizeof(*out->v));
	for (size_t i = 0; i < state->by_id.n; i++) {
		const struct state_entry *entry = state->by_id.items[i].value;

		if (entry->kind != KIND_IMAGE_STREAM)
			continue;
		out->v[out->n++] = entry;
		stream_tag_names(entry->status, out->arena, &names);
		out->n_tags += names.n;
	}
	qsort(out->v, out->n, sizeof(*out->v), by_id);
}

static void put_time(int64_t time_s, struct buf *out)
{
	char text[TIME_TEXT];

	if (!time_s)
		return;
	time_format(time_s, text);
	buf_puts(out, text);
}

static void put_tag(const struct streams *streams, const struct state_entry *entry,
		    const char *name, struct buf *out)
{
	const struct stream_status *status = entry->status;
	const struct tag_ref *tag = stream_tag(&status->spec, name);
	const struct tag_event *event = stream_current(status, name);
	const struct tag_condition *failure = failure_of(stream_history(status, name));
	const char *own = tag ? pairs_get(&tag->annotations, ANNOTATION_IMPORT_INTERVAL) : NULL;

	buf_printf(out, "| [%s/%s](%s) | ", entry->ns, entry->name, entry->path);
	dashboard_cell(name, out);
	buf_puts(out, " | ");
	if (event)
		dashboard_code(event->reference, out);
	buf_puts(out, " | ");
	put_time(event ? event->created_s : 0, out);
	buf_puts(out, " | ");
	if (tag && tag->is_scheduled) {
		buf_puts(out, "every ");
		dashboard_cell(own ? own : streams->interval, out);
	}
	buf_puts(out, " | ");
	if (failure) {
		buf_puts(out, "failed ");
		put_time(failure->changed_s, out);
		buf_puts(out, ": ");
		dashboard_cell(failure->message  ? failure->message
			       : failure->reason ? failure->reason
						 : "",
			       out);
	}
	buf_puts(out, " |\n");
}

static bool is_wanted(const struct streams *streams, const struct state_entry *entry,
		      const char *name)
{
	return streams->n_tags <= FEW_TAGS || failure_of(stream_history(entry->status, name));
}

void dashboard_streams(const struct settings *settings, const struct state *state, struct buf *out)
{
	struct streams streams = { .arena = arena_new() };
	size_t n = 0;

	if (!settings)
		settings = settings_default(streams.arena);
	streams.interval = settings->streams.interval ? settings->streams.interval : "15m";
	find(state, &streams);
	for (size_t i = 0; i < streams.n; i++) {
		struct strings names;

		stream_tag_names(streams.v[i]->status, streams.arena, &names);
		for (size_t k = 0; k < names.n; k++) {
			if (!is_wanted(&streams, streams.v[i], names.v[k]))
				continue;
			if (!n)
				buf_puts(out,
					 "| stream | tag | image | updated | imported | problem "
					 "|\n|---|---|---|---|---|---|\n");
			if (n++ < FEW_TAGS)
				put_tag(&streams, streams.v[i], names.v[k], out);
		}
	}
	if (n > FEW_TAGS)
		buf_printf(out, "\nand %zu more\n", n - FEW_TAGS);
	if (n)
		buf_byte(out, '\n');
	arena_free(streams.arena);
}
