/* SPDX-License-Identifier: Apache-2.0 */
/* stream_lookup.c — finding tags, events and images in a stream, and reading names of the forms that its references have. */
#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"
#include "model/kind/stream.h"

const struct tag_ref *stream_tag(const struct stream_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->tags.n; i++) {
		const struct tag_ref *tag = LIST_AT(spec->tags, struct tag_ref, i);

		if (tag->name && strcmp(tag->name, name) == 0)
			return tag;
	}
	return NULL;
}

static const char *tag_or_latest(const char *tag)
{
	return tag && *tag ? tag : "latest";
}

const struct tag_history *stream_history(const struct stream_status *status, const char *tag)
{
	for (size_t i = 0; i < status->tags.n; i++) {
		const struct tag_history *history = LIST_AT(status->tags, struct tag_history, i);

		if (strcmp(history->tag, tag_or_latest(tag)) == 0)
			return history;
	}
	return NULL;
}

const struct tag_event *stream_current(const struct stream_status *status, const char *tag)
{
	const struct tag_history *history = stream_history(status, tag);

	return history && history->items.n ? LIST_AT(history->items, struct tag_event, 0) : NULL;
}

const char *stream_pull_spec(const struct stream_status *status, const char *tag,
			     struct arena *arena)
{
	const struct tag_event *event = stream_current(status, tag);
	const struct tag_ref *ref = stream_tag(&status->spec, tag_or_latest(tag));

	if (!event)
		return NULL;
	if (ref && ref->reference_policy && strcmp(ref->reference_policy, POLICY_LOCAL) == 0 &&
	    event->image && *event->image && status->repository)
		return arena_printf(arena, "%s@%s", status->repository, event->image);
	return event->reference;
}

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool image_matches(const char *image, const char *id)
{
	if (begins_with(image, id))
		return true;
	return digest_is_valid(image) && begins_with(digest_hex(image), id);
}

/* What matched so far: the newest event, and whether it was named in full. */
struct image_search {
	const struct tag_event *found;
	bool is_exact, is_ambiguous;
};

static void consider(struct image_search *search, const struct tag_event *event, const char *id)
{
	bool is_exact = strcmp(event->image, id) == 0;

	if (!search->found || (is_exact && !search->is_exact)) {
		*search = (struct image_search){ event, is_exact, false };
	} else if (strcmp(event->image, search->found->image) != 0) {
		search->is_ambiguous |= !search->is_exact;
	} else if (event->created_s > search->found->created_s) {
		search->found = event;
	}
}

typedef void (*event_fn)(void *context, const struct tag_event *event);

static void for_each_match(const struct stream_status *status, const char *id, event_fn fn,
			   void *context)
{
	for (size_t i = 0; i < status->tags.n; i++) {
		const struct list *items = &LIST_AT(status->tags, struct tag_history, i)->items;

		for (size_t k = 0; k < items->n; k++) {
			const struct tag_event *event = LIST_AT(*items, struct tag_event, k);

			if (event->image && *event->image && image_matches(event->image, id))
				fn(context, event);
		}
	}
}

struct search_call {
	struct image_search search;
	const char *id;
};

static void on_match(void *context, const struct tag_event *event)
{
	struct search_call *call = context;

	consider(&call->search, event, call->id);
}

/* As many as a message holds. */
enum { LISTED_MAX = 5 };
struct match_names {
	const char *v[LISTED_MAX];
	size_t n;
	bool has_more;
};

static void name_match(void *context, const struct tag_event *event)
{
	struct match_names *names = context;
	size_t at = 0;

	while (at < names->n && strcmp(names->v[at], event->image) < 0)
		at++;
	if (at < names->n && strcmp(names->v[at], event->image) == 0)
		return;
	names->has_more |= names->n == LISTED_MAX;
	if (at == LISTED_MAX)
		return;
	names->n += names->n < LISTED_MAX;
	memmove(&names->v[at + 1], &names->v[at], (names->n - at - 1) * sizeof(names->v[0]));
	names->v[at] = event->image;
}

static bool ambiguous(const struct stream_status *status, const char *id, struct err *err)
{
	struct match_names names = { 0 };
	AUTO_BUF text = BUF_INIT(4096);

	for_each_match(status, id, name_match, &names);
	for (size_t i = 0; i < names.n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", names.v[i]);
	return err_set(err, ERR_CONFLICT, "multiple images match the prefix \"%s\": %s%s", id,
		       buf_text(&text), names.has_more ? ", …" : "");
}

bool stream_find_image(const struct stream_status *status, const char *id,
		       const struct tag_event **out, struct err *err)
{
	struct search_call call = { .id = id };

	*out = NULL;
	if (*id)
		for_each_match(status, id, on_match, &call);
	if (!call.search.found)
		return err_set(err, ERR_ABSENT, "no image of the stream has the id \"%s\"", id);
	if (call.search.is_ambiguous)
		return ambiguous(status, id, err);
	*out = call.search.found;
	return true;
}

/* The two parts around the only separator. */
static bool split_at(const char *text, char separator, const char *form, struct arena *arena,
		     const char *parts[2], struct err *err)
{
	const char *at = strchr(text, separator);

	if (!at || strchr(at + 1, separator))
		return err_set(err, ERR_INVALID, "\"%s\" must be of the form %s: it has %s '%c'",
			       text, form, at ? "more than one" : "no", separator);
	if (at == text || !at[1])
		return err_set(err, ERR_INVALID,
			       "\"%s\" must be of the form %s: nothing is %s the '%c'", text, form,
			       at == text ? "before" : "behind", separator);
	if (memchr(text, '/', (size_t)(at - text)))
		return err_set(err, ERR_INVALID,
			       "\"%s\" must be of the form %s: the name of a stream may not "
			       "contain '/'",
			       text, form);
	parts[0] = arena_copy(arena, text, (size_t)(at - text));
	parts[1] = arena_strdup(arena, at + 1);
	return true;
}

bool stream_tag_name_parse(const char *text, struct arena *arena, const char **stream,
			   const char **tag, struct err *err)
{
	static const char form[] = "<stream_name>:<tag>";
	const char *parts[2];

	if (strchr(text, '@'))
		return err_set(err, ERR_INVALID,
			       "\"%s\" must be of the form %s: it has an '@', which names an image",
			       text, form);
	if (!split_at(text, ':', form, arena, parts, err))
		return false;
	*stream = parts[0];
	*tag = parts[1];
	return true;
}

bool stream_image_name_parse(const char *text, struct arena *arena, const char **stream,
			     const char **id, struct err *err)
{
	const char *parts[2];

	if (!split_at(text, '@', "<stream_name>@<id>", arena, parts, err))
		return false;
	*stream = parts[0];
	*id = parts[1];
	return true;
}

static bool wrong_from(const char *name, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "must be of the form <tag>, <repo>:<tag>, <id>, or <repo>@<id>%s",
		       strchr(name, '/') ? "; it holds a registry path: the kind of an image in a "
					   "registry is DockerImage"
					 : "");
}

bool tag_from_parse(const struct object_ref *from, struct arena *arena, const char **stream,
		    const char **name, struct err *err)
{
	bool is_image = from->kind && strcmp(from->kind, "ImageStreamImage") == 0;
	const char *text = from->name ? from->name : "", *at = strchr(text, is_image ? '@' : ':');

	*stream = *name = NULL;
	if (!*text || strchr(text, '/') || (!is_image && strchr(text, '@')) || at == text ||
	    (at && (!at[1] || strchr(at + 1, is_image ? '@' : ':'))))
		return wrong_from(text, err);
	*name = arena_strdup(arena, at ? at + 1 : text);
	if (at)
		*stream = arena_copy(arena, text, (size_t)(at - text));
	return true;
}

const char *tag_followed(const struct tag_ref *tag, const char *stream, struct arena *arena)
{
	const struct object_ref *from = tag ? tag->from : NULL;
	const char *other, *name;
	struct err err = { 0 };

	if (!from || !from->kind || strcmp(from->kind, "ImageStreamTag") != 0 ||
	    (from->ns && *from->ns) || !tag_from_parse(from, arena, &other, &name, &err))
		return NULL;
	return !other || strcmp(other, stream) == 0 ? name : NULL;
}

static bool cycle(const struct strings *trail, size_t start, const char *last, struct err *err)
{
	AUTO_BUF text = BUF_INIT(4096);

	for (size_t i = start; i < trail->n; i++)
		buf_printf(&text, "%s → ", trail->v[i]);
	return err_set(err, ERR_INVALID, "tags follow each other: %s%s", buf_text(&text), last);
}

bool tag_follow(const struct stream_spec *spec, const char *stream, const char *name,
		struct arena *arena, const struct tag_ref **out, struct err *err)
{
	struct strings trail = { 0 };
	const struct tag_ref *tag = stream_tag(spec, name);
	const char *next;

	*out = NULL;
	while ((next = tag_followed(tag, stream, arena))) {
		vec_push(arena, &trail, name);
		for (size_t i = 0; i < trail.n; i++)
			if (strcmp(trail.v[i], next) == 0)
				return cycle(&trail, i, next, err);
		name = next;
		tag = stream_tag(spec, name);
	}
	if (!tag) {
		struct tag_ref *alone = ARENA_NEW(arena, struct tag_ref);

		alone->name = name;
		tag = alone;
	}
	*out = tag;
	return true;
}
