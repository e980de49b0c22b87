/* SPDX-License-Identifier: Apache-2.0 */
/* stream_report.c — `oc describe is`: lines with tabs, aligned at the end. */
#include "reconcile/report/stream_report.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/time.h"
#include "model/oci/docker_ref.h"
#include "reconcile/plan/tag_priority.h"
#include "reconcile/report/describe.h"
#include "reconcile/report/human.h"

#define CHECKED "openshift.io/image.dockerRepositoryCheck"

enum { TAGS_WIDTH = 40 };

struct describer {
	const struct described_stream *view;
	const struct stream_status *status;
	struct describe to;
	struct map aliases; /* tag → struct strings: the tags that only follow it */
	struct map folded;  /* tags that are shown with the one they follow */
};

void stream_tag_names(const struct stream_status *status, struct arena *arena, struct strings *out)
{
	*out = (struct strings){ 0 };
	for (size_t i = 0; i < status->tags.n; i++)
		vec_push(arena, out, LIST_AT(status->tags, struct tag_history, i)->tag);
	for (size_t i = 0; i < status->spec.tags.n; i++) {
		const char *name = LIST_AT(status->spec.tags, struct tag_ref, i)->name;

		if (!strings_has(out, name))
			vec_push(arena, out, name);
	}
	tags_prioritize(out, arena);
}

char *stream_tags_cell(const struct stream_status *status, struct arena *arena)
{
	AUTO_BUF cell = BUF_INIT(1 << 16);
	struct strings names;

	stream_tag_names(status, arena, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (i && cell.len + 1 + strlen(names.v[i]) > TAGS_WIDTH) {
			buf_printf(&cell, " + %zu more...", names.n - i);
			break;
		}
		buf_printf(&cell, "%s%s", i ? "," : "", names.v[i]);
	}
	return buf_copy(&cell, arena);
}

static void take_later(int64_t candidate_s, int64_t *latest_s)
{
	if (candidate_s > *latest_s)
		*latest_s = candidate_s;
}

static int64_t history_updated_s(const struct tag_history *history)
{
	int64_t latest_s = 0;

	for (size_t i = 0; history && i < history->items.n; i++)
		take_later(LIST_AT(history->items, struct tag_event, i)->created_s, &latest_s);
	for (size_t i = 0; history && i < history->conditions.n; i++)
		take_later(LIST_AT(history->conditions, struct tag_condition, i)->changed_s,
			   &latest_s);
	return latest_s;
}

int64_t stream_updated_s(const struct stream_status *status)
{
	int64_t latest_s = 0;

	for (size_t i = 0; i < status->tags.n; i++)
		take_later(history_updated_s(LIST_AT(status->tags, struct tag_history, i)),
			   &latest_s);
	return latest_s;
}

/* How many images there are: by id; all events without one count as one, as oc counts them. */
static size_t count_images(const struct stream_status *status, struct arena *arena)
{
	struct map ids = { 0 };

	for (size_t i = 0; i < status->tags.n; i++) {
		const struct tag_history *history = LIST_AT(status->tags, struct tag_history, i);

		for (size_t k = 0; k < history->items.n; k++)
			map_set(arena, &ids, LIST_AT(history->items, struct tag_event, k)->image,
				NULL);
	}
	return ids.n;
}

static void find_aliases(struct describer *d)
{
	const struct stream_spec *spec = &d->status->spec;
	struct arena *arena = d->to.arena;

	for (size_t i = 0; i < spec->tags.n; i++) {
		const struct tag_ref *tag = LIST_AT(spec->tags, struct tag_ref, i), *target;
		struct strings *aliases;
		struct err err = { 0 };

		if (!tag_follow(spec, d->view->name, tag->name, arena, &target, &err) || !target ||
		    strcmp(target->name, tag->name) == 0)
			continue;
		aliases = map_get(&d->aliases, target->name);
		if (!aliases) {
			aliases = ARENA_NEW(arena, struct strings);
			map_set(arena, &d->aliases, target->name, aliases);
		}
		vec_push(arena, aliases, tag->name);
		map_set(arena, &d->folded, tag->name, aliases);
	}
}

/* from.name, with the namespace where it is another one. */
static const char *source_name(const struct describer *d, const struct object_ref *from)
{
	if (from->ns && *from->ns && strcmp(from->ns, d->view->ns) != 0)
		return arena_printf(d->to.arena, "%s/%s", from->ns, from->name);
	return from->name;
}

static void put_source(struct describer *d, const struct tag_ref *tag)
{
	static const struct {
		const char *kind, *reference, *scheduled, *plain;
	} words[] = {
		{ "ImageStreamTag", "reference to", "updates automatically from", "tagged from" },
		{ "DockerImage", "reference to registry", "updates automatically from registry",
		  "tagged from" },
		{ "ImageStreamImage", "reference to image", "tagged from", "tagged from" },
	};

	if (!tag || !tag->from) {
		describe_put(&d->to, "  %s\n", tag ? "tag without source image" : "no spec tag");
		return;
	}
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (strcmp(words[i].kind, tag->from->kind) == 0)
			describe_put(&d->to, "  %s %s\n",
				     tag->is_reference   ? words[i].reference
				     : tag->is_scheduled ? words[i].scheduled
							 : words[i].plain,
				     describe_clean(&d->to, source_name(d, tag->from)));
}

static void put_policies(struct describer *d, const struct tag_ref *tag)
{
	int64_t due_s;
	char time[TIME_TEXT];

	if (!tag)
		return;
	if (tag->from && tag->is_insecure)
		describe_put(&d->to, "    will use insecure HTTPS or HTTP connections\n");
	if (tag->reference_policy && strcmp(tag->reference_policy, POLICY_LOCAL) == 0)
		describe_put(&d->to, "    prefer registry pullthrough when referencing this tag\n");
	due_s = d->view->due_s ? d->view->due_s(d->view->ctx, tag->name) : 0;
	if (!due_s)
		return;
	time_format(due_s, time);
	if (due_s > d->view->now_s)
		describe_put(&d->to, "    next check due %s (in %s)\n", time,
			     human_duration(due_s - d->view->now_s, d->to.arena));
	else
		describe_put(&d->to, "    next check due %s (with the next run)\n", time);
}

/* "a,b" → "a, b" */
static const char *spaced(struct describer *d, const char *list)
{
	AUTO_BUF out = BUF_INIT(1 << 16);

	for (; *list; list++) {
		buf_byte(&out, *list);
		if (*list == ',')
			buf_byte(&out, ' ');
	}
	return buf_copy(&out, d->to.arena);
}

static void put_annotations(struct describer *d, const struct tag_ref *tag)
{
	static const struct {
		const char *key, *label;
		bool is_list;
	} rows[] = { { "description", "", false },
		     { "tags", "Tags: ", true },
		     { "supports", "Supports: ", true },
		     { "sampleRepo", "Example Repo: ", false } };
	bool any = false;

	for (size_t i = 0; tag && i < COUNTOF(rows); i++) {
		const char *value = pairs_get(&tag->annotations, rows[i].key);

		if (!value || !*value)
			continue;
		describe_put(&d->to, "  %s%s\n", rows[i].label,
			     describe_clean(&d->to, rows[i].is_list ? spaced(d, value) : value));
		any = true;
	}
	if (any)
		describe_put(&d->to, "\n");
}

/* What the recorded status of a tag has seen of its spec. */
static int64_t observed_generation(const struct tag_history *history)
{
	int64_t seen = 0;

	if (history && history->items.n)
		seen = LIST_AT(history->items, struct tag_event, 0)->generation;
	for (size_t i = 0; history && i < history->conditions.n; i++)
		take_later(LIST_AT(history->conditions, struct tag_condition, i)->generation,
			   &seen);
	return seen;
}

static void put_import(struct describer *d, const struct tag_ref *tag,
		       const struct tag_history *history)
{
	if (tag && tag->from && !tag->is_reference &&
	    tag->generation > observed_generation(history))
		describe_put(&d->to, "  ~ importing latest image ...\n");
	for (size_t i = 0; history && i < history->conditions.n; i++) {
		const struct tag_condition *condition =
			LIST_AT(history->conditions, struct tag_condition, i);

		if (strcmp(condition->type, "ImportSuccess") != 0 ||
		    strcmp(condition->status, "False") != 0)
			continue;
		describe_put(&d->to, "  ! error: Import failed (%s): %s\n      %s\n",
			     describe_clean(&d->to, condition->reason ? condition->reason : ""),
			     describe_clean(&d->to, condition->message ? condition->message : ""),
			     human_ago(condition->changed_s, d->view->now_s, d->to.arena));
	}
}

static void put_events(struct describer *d, const struct tag_history *history)
{
	for (size_t i = 0; history && i < history->items.n; i++) {
		const struct tag_event *event = LIST_AT(history->items, struct tag_event, i);
		struct docker_ref ref;
		struct err err = { 0 };

		describe_put(&d->to, "  %c %s\n      %s", i ? ' ' : '*',
			     describe_clean(&d->to, event->reference),
			     human_ago(event->created_s, d->view->now_s, d->to.arena));
		if (*event->image && docker_ref_parse(event->reference, d->to.arena, &ref, &err) &&
		    strcmp(ref.id, event->image) != 0)
			describe_put(&d->to, "\t%s", describe_clean(&d->to, event->image));
		describe_put(&d->to, "\n");
	}
}

static void put_tag(struct describer *d, const char *name)
{
	const struct tag_ref *tag = stream_tag(&d->status->spec, name);
	const struct tag_history *history = stream_history(d->status, name);
	struct strings *aliases = map_get(&d->aliases, name);

	describe_put(&d->to, "%s", describe_clean(&d->to, name));
	if (aliases) {
		tags_prioritize(aliases, d->to.arena);
		for (size_t i = 0; i < aliases->n; i++)
			describe_put(&d->to, "%s%s", i ? ", " : " (",
				     describe_clean(&d->to, aliases->v[i]));
		describe_put(&d->to, ")");
	}
	describe_put(&d->to, "\n");
	put_source(d, tag);
	put_policies(d, tag);
	describe_put(&d->to, "\n");
	put_annotations(d, tag);
	put_import(d, tag, history);
	put_events(d, history);
}

static void put_tags(struct describer *d)
{
	struct strings names;
	bool any = false;

	stream_tag_names(d->status, d->to.arena, &names);
	if (!names.n) {
		describe_put(&d->to, "Tags:\t<none>\n");
		return;
	}
	describe_put(&d->to, "Unique Images:\t%zu\nTags:\t%zu\n\n",
		     count_images(d->status, d->to.arena), names.n);
	find_aliases(d);
	for (size_t i = 0; i < names.n; i++) {
		if (map_has(&d->folded, names.v[i]))
			continue;
		if (any)
			describe_put(&d->to, "\n");
		any = true;
		put_tag(d, names.v[i]);
	}
}

/* The manifest's, and what the run recorded. */
static struct pairs annotations_of(const struct describer *d)
{
	const struct meta *meta = d->view->meta;
	struct pairs all = { 0 };

	for (size_t i = 0; meta && i < meta->annotations.n; i++)
		if (strcmp(meta->annotations.v[i].key, CHECKED) != 0)
			vec_push(d->to.arena, &all, meta->annotations.v[i]);
	if (d->status->checked)
		vec_push(d->to.arena, &all,
			 (struct pair){ .key = CHECKED, .value = d->status->checked });
	return all;
}

void stream_describe(const struct described_stream *view, struct arena *arena, struct buf *out)
{
	struct describer d = { .view = view, .status = view->status };
	struct pairs annotations, labels = { 0 };

	describe_init(&d.to, arena);
	annotations = annotations_of(&d);
	if (view->meta)
		labels = view->meta->labels;
	describe_field(&d.to, "Name", view->name);
	describe_field(&d.to, "Namespace", view->ns);
	if (view->status->created_s)
		describe_field(&d.to, "Created",
			       human_ago(view->status->created_s, view->now_s, arena));
	describe_pairs(&d.to, "Labels", &labels);
	describe_annotations(&d.to, &annotations);
	describe_field(&d.to, "Docker Pull Spec", view->status->repository);
	describe_field(&d.to, "Image Lookup",
		       view->status->spec.is_local_lookup ? "local=true" : "local=false");
	put_tags(&d);
	describe_finish(&d.to, out);
}
