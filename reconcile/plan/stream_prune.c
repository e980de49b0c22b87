/* SPDX-License-Identifier: Apache-2.0 */
/* stream_prune.c — see stream_prune.h. */
#include "reconcile/plan/stream_prune.h"

#include <stdlib.h>
#include <string.h>

#include "reconcile/plan/stream_history.h"

struct pruning {
	const struct prune_input *in;
	struct arena *arena;
	struct map kept; /* digests that a history still names */
	VEC(struct prune_stream) streams;
	struct prune_result *out;
};

static bool is_young(const struct pruning *p, int64_t created_s)
{
	return created_s > p->in->now_s - p->in->keep_younger_s;
}

static bool is_integrated(const struct stream_status *status, const char *reference)
{
	size_t n = status->repository ? strlen(status->repository) : 0;

	return n > 0 && strncmp(reference, status->repository, n) == 0 &&
	       (reference[n] == '@' || reference[n] == ':');
}

/* One tag of one stream. */
struct site {
	const struct state_entry *entry;
	const struct stream_status *status;
	const struct tag_history *history;
};

/* The next run would take it again. */
static bool comes_back(const struct site *site)
{
	return stream_tag(&site->status->spec, site->history->tag) || site->history->pushes.n > 0;
}

static bool tag_is_used(const struct pruning *p, const struct site *site)
{
	return p->in->used_tags &&
	       map_has(p->in->used_tags, arena_printf(p->arena, "%s/%s:%s", site->entry->ns,
						      site->entry->name, site->history->tag));
}

static bool is_missing(const struct pruning *p, const struct tag_event *event)
{
	return event->image[0] && p->in->records && !map_has(p->in->records, event->image);
}

static bool is_kept(const struct pruning *p, const struct site *site, size_t i)
{
	const struct tag_event *event = LIST_AT(site->history->items, struct tag_event, i);

	if (is_young(p, event->created_s))
		return true;
	if (i == 0 && (tag_is_used(p, site) || comes_back(site)))
		return true;
	if (!p->in->all && !is_integrated(site->status, event->reference))
		return true;
	if (is_missing(p, event))
		return false;
	if ((int64_t)i < p->in->keep_revisions)
		return true;
	return event->image[0] && p->in->used_images && map_has(p->in->used_images, event->image);
}

static void prune_tag(struct pruning *p, const struct site *site, struct prune_stream *gone,
		      struct tag_history *left)
{
	const struct list *items = &site->history->items;
	struct tag_event *kept = arena_array(p->arena, items->n, sizeof(*kept));
	VEC(struct prune_item) dropped = { 0 };
	struct prune_item *all;
	size_t n = 0;

	*left = *site->history;
	for (size_t i = 0; i < items->n; i++) {
		const struct tag_event *event = LIST_AT(*items, struct tag_event, i);

		if (is_kept(p, site, i))
			kept[n++] = *event;
		else
			vec_push(p->arena, &dropped,
				 (struct prune_item){ site->history->tag, event,
						      is_missing(p, event) });
	}
	left->items = (struct list){ kept, n };
	if (dropped.n == 0)
		return;
	all = arena_array(p->arena, gone->items.n + dropped.n, sizeof(*all));
	if (gone->items.n > 0)
		memcpy(all, gone->items.v, gone->items.n * sizeof(*all));
	memcpy(all + gone->items.n, dropped.v, dropped.n * sizeof(*all));
	gone->items = (struct list){ all, gone->items.n + dropped.n };
}

static void note_kept(struct pruning *p, const struct stream_status *status)
{
	for (size_t i = 0; i < status->tags.n; i++) {
		const struct list *items = &LIST_AT(status->tags, struct tag_history, i)->items;

		for (size_t k = 0; k < items->n; k++)
			map_set(p->arena, &p->kept, LIST_AT(*items, struct tag_event, k)->image, p);
	}
}

static void prune_one(struct pruning *p, const struct state_entry *entry)
{
	const struct stream_status *status = entry->status;
	struct prune_stream gone = { .entry = entry };
	struct stream_status *left = ARENA_NEW(p->arena, struct stream_status);
	struct tag_history *tags = arena_array(p->arena, status->tags.n, sizeof(*tags));
	size_t n = 0;

	if (is_young(p, status->created_s)) {
		note_kept(p, status);
		return;
	}
	for (size_t i = 0; i < status->tags.n; i++) {
		const struct site site = { entry, status,
					   LIST_AT(status->tags, struct tag_history, i) };

		prune_tag(p, &site, &gone, &tags[n]);
		if (tags[n].items.n + tags[n].conditions.n > 0)
			n++;
		else
			vec_push(p->arena, &gone.tags, site.history->tag);
	}
	*left = *status;
	left->tags = (struct list){ tags, n };
	note_kept(p, left);
	if (gone.items.n == 0)
		return;
	gone.status = left;
	p->out->n_items += gone.items.n;
	vec_push(p->arena, &p->streams, gone);
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp((*(const struct state_entry *const *)a)->id,
		      (*(const struct state_entry *const *)b)->id);
}

static void prune_records(struct pruning *p)
{
	const struct map *records = p->in->records;

	for (size_t i = 0; records && i < records->n; i++) {
		const char *digest = records->items[i].key;
		const int64_t *written_s = records->items[i].value;

		if (map_has(&p->kept, digest) ||
		    (p->in->used_images && map_has(p->in->used_images, digest)) ||
		    (written_s && is_young(p, *written_s)))
			continue;
		vec_push(p->arena, &p->out->images, digest);
	}
	if (p->out->images.n > 1)
		qsort(p->out->images.v, p->out->images.n, sizeof(*p->out->images.v),
		      strings_compare);
}

void stream_prune(const struct prune_input *in, struct arena *arena, struct prune_result *out)
{
	struct pruning p = { .in = in, .arena = arena, .out = out };
	VEC(const struct state_entry *) entries = { 0 };

	*out = (struct prune_result){ 0 };
	for (size_t i = 0; i < in->state->by_id.n; i++) {
		const struct state_entry *entry = in->state->by_id.items[i].value;

		if (entry && entry->kind == KIND_IMAGE_STREAM)
			vec_push(arena, &entries, entry);
	}
	if (entries.n > 1)
		qsort(entries.v, entries.n, sizeof(*entries.v), compare_entries);
	for (size_t i = 0; i < entries.n; i++)
		prune_one(&p, entries.v[i]);
	prune_records(&p);
	out->streams = (struct list){ p.streams.v, p.streams.n };
}
