/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_stream_source.c — tags that take what is already known: references, images of histories, tags of other streams
 * (copied once), tags of the same stream (followed); and the images that have to be copied for them.
 * Rules: openshift.md §2.5.
 */
#include <string.h>

#include "reconcile/plan/rules_stream.h"

/* The draft's histories as a status, for looking up. */
static struct stream_status as_status(const struct draft *d)
{
	struct stream_status status = { 0 };
	struct tag_history *tags = arena_array(d->arena, d->tags.n, sizeof(*tags));

	for (size_t i = 0; i < d->tags.n; i++)
		tags[i] = *d->tags.v[i];
	status.tags = (struct list){ tags, d->tags.n };
	return status;
}

static bool begins_with(const char *text, const char *prefix)
{
	return text && prefix && strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_in(const char *reference, const char *repository)
{
	size_t n = repository ? strlen(repository) : 0;

	return n > 0 && begins_with(reference, repository) &&
	       (reference[n] == '@' || reference[n] == ':');
}

static const char *own_repository(const struct making *m)
{
	return stream_repository(m->p->model, m->step->object->meta.ns, m->step->object->meta.name,
				 m->d.arena);
}

static struct tag_event event_of(const struct making *m, const struct tag_event *from)
{
	return (struct tag_event){ .created_s = m->d.world->options->now_s,
				   .reference = from->reference,
				   .image = from->image,
				   .generation = draft_generation(&m->d) };
}

/* What lies in another stream's repository is handed out from this one's, once it was copied there. */
static void rewrite(struct making *m, const char *tag, struct tag_event *event)
{
	const char *registry = m->p->model->settings->streams.registry;
	const char *own = own_repository(m), *to;

	if (!registry || !event->image[0] || is_in(event->reference, own) ||
	    !begins_with(event->reference, arena_printf(m->d.arena, "%s/", registry)))
		return;
	to = arena_printf(m->d.arena, "%s@%s", own, event->image);
	vec_push(m->d.arena, &m->rewrites, (struct mirror){ .from = event->reference, .to = to });
	vec_push(m->d.arena, &m->rewritten, tag);
	event->reference = to;
}

static void source_missing(struct making *m, const struct draft_tag *tag, const struct err *why)
{
	m->failure_kind = why->kind;
	put_failure(m, tag->ref.name, (struct tag_note){ "tag", tag->ref.from->name },
		    arena_strdup(m->d.arena, why->text));
}

/* Known only after that stream's step, which is waited for. */
static void source_later(struct making *m, const struct draft_tag *tag, const struct step *other,
			 struct tag_note note)
{
	put_pending(m, tag->ref.name, note);
	if (!m->d.pass)
		step_wait_for(m->step, other, m->d.arena);
}

/* Something of it is known only when it is done. */
static bool is_underway(const struct step *step)
{
	return !step->is_folded && !step->blocked && step->action != ACTION_NONE &&
	       step->unknown.n > 0;
}

static void source_find(struct making *m, const struct draft_tag *tag,
			const struct tag_source *source, const struct stream_status *status)
{
	struct tag_note note = { source->is_own ? "tag" : "copy",
				 arena_printf(m->d.arena, "%s/%s%c%s", source->ns, source->stream,
					      source->is_image ? '@' : ':', source->name) };
	const struct step *other =
		source->is_own ? NULL
			       : step_find(m->p, KIND_IMAGE_STREAM, source->ns, source->stream);
	const struct tag_event *found = NULL;
	struct tag_event event;
	struct err err = { 0 };

	if (!source->is_image)
		found = stream_current(status, source->name);
	else if (!stream_find_image(status, source->name, &found, &err) && other &&
		 is_underway(other))
		source_later(m, tag, other, note);
	else if (!found)
		source_missing(m, tag, &err);
	if (!found) /* it points at nothing yet: pending */
		return;
	event = event_of(m, found);
	if (!source->is_own && !tag->ref.is_reference)
		rewrite(m, tag->ref.name, &event);
	put_event(m, tag->ref.name, event, note);
}

/* From another stream or an image of a history. The event is looked up in what that stream's step gives. */
static void source_copy(struct making *m, const struct draft_tag *tag,
			const struct tag_source *source)
{
	static const struct stream_status nothing = { 0 };
	struct stream_status own = as_status(&m->d);
	struct tag_view view;

	if (source->is_own) {
		source_find(m, tag, source, &own);
		return;
	}
	view = stream_view(m->p->plan, source->ns, source->stream,
			   source->is_image ? NULL : source->name, m->d.arena);
	if (!view.step) /* not declared here, as was said when manifests were linked */
		return;
	if (view.is_pending && !source->is_image) {
		source_later(
			m, tag, view.step,
			(struct tag_note){ "copy", arena_printf(m->d.arena, "%s/%s:%s", source->ns,
								source->stream, source->name) });
		return;
	}
	source_find(m, tag, source, view.step->status ? view.step->status : &nothing);
}

static void source_take(struct making *m, const struct draft_tag *tag)
{
	struct tag_source source;
	struct tag_event event = { .created_s = m->d.world->options->now_s,
				   .reference = tag->ref.from->name,
				   .image = "",
				   .generation = draft_generation(&m->d) };

	if (text_equal(tag->ref.from->kind, "DockerImage")) {
		put_event(m, tag->ref.name, event, (struct tag_note){ "tag", tag->ref.from->name });
		return;
	}
	if (!tag_source_of(m->step->object, &tag->ref, m->d.arena, &source)) {
		const char *stream, *name;
		struct err err = { 0 };

		if (!tag_from_parse(tag->ref.from, m->d.arena, &stream, &name, &err))
			source_missing(m, tag, &err);
		return;
	}
	if (!source.is_own || source.is_image)
		source_copy(m, tag, &source);
}

void take_sources(struct making *m)
{
	for (size_t i = 0; i < m->d.spec.n; i++) {
		const struct draft_tag *tag = m->d.spec.v[i];
		enum wish wish = tag_is_import(&tag->ref) ? WISH_NONE : draft_wish(&m->d, tag);

		if (wish == WISH_NEW || wish == WISH_RETRY)
			source_take(m, tag);
	}
}

/* Follows once; false: nothing to follow, or nothing new. */
static bool follow(struct making *m, const struct draft_tag *tag)
{
	struct tag_source source;
	const struct tag_event *top;
	enum wish wish;

	if (tag->is_unmirrored || !tag_source_of(m->step->object, &tag->ref, m->d.arena, &source) ||
	    !source.is_own || source.is_image)
		return false;
	wish = draft_wish(&m->d, tag);
	if (wish == WISH_NONE && !map_has(&m->moved, source.name))
		return false;
	top = history_top(draft_history(&m->d, source.name));
	return top && put_event(m, tag->ref.name, event_of(m, top),
				(struct tag_note){ "follow", source.name });
}

/* To a fixed point. Cycles were refused when the manifests were linked; rounds are bounded all the same. */
void follow_tags(struct making *m)
{
	bool has_moved = true;

	for (size_t round = 0; has_moved && round <= m->d.spec.n; round++) {
		has_moved = false;
		for (size_t i = 0; i < m->d.spec.n; i++)
			has_moved |= follow(m, m->d.spec.v[i]);
	}
	m->moved = (struct map){ 0 };
}

/* ---- copies ---- */

/* By what is recorded: a tag with policy Local points at it, or it lies there by its own reference. */
static bool is_mirrored(const struct making *m, const char *own, const char *image)
{
	const struct stream_status *old = m->d.old;

	if (!old || !text_equal(old->repository, own))
		return false;
	for (size_t i = 0; i < old->tags.n; i++) {
		const struct tag_history *history = LIST_AT(old->tags, struct tag_history, i);
		const struct tag_event *top = history_top(history);
		const struct tag_ref *ref = stream_tag(&old->spec, history->tag);

		if (!top || strcmp(top->image, image) != 0)
			continue;
		if (is_in(top->reference, own) ||
		    (ref && text_equal(ref->reference_policy, POLICY_LOCAL)))
			return true;
	}
	return false;
}

static void mirror_add(struct making *m, const char *tag, struct mirror mirror)
{
	if (!strings_has(&m->unmirrored, tag))
		vec_push(m->d.arena, &m->unmirrored, tag);
	for (size_t i = 0; i < m->mirrors.n; i++) {
		if (strcmp(m->mirrors.v[i].to, mirror.to) == 0)
			return;
	}
	vec_push(m->d.arena, &m->mirrors, mirror);
}

void find_mirrors(struct making *m)
{
	const char *own = own_repository(m);

	for (size_t i = 0; own && i < m->rewrites.n; i++) {
		if (!is_mirrored(m, own, strchr(m->rewrites.v[i].to, '@') + 1))
			mirror_add(m, m->rewritten.v[i], m->rewrites.v[i]);
	}
	for (size_t i = 0; own && i < m->d.spec.n; i++) {
		const struct tag_ref *ref = &m->d.spec.v[i]->ref;
		const struct tag_event *top = history_top(draft_history(&m->d, ref->name));

		if (!text_equal(ref->reference_policy, POLICY_LOCAL) || !top || !top->image[0] ||
		    is_in(top->reference, own) || is_mirrored(m, own, top->image))
			continue;
		mirror_add(
			m, ref->name,
			(struct mirror){ .from = top->reference,
					 .to = arena_printf(m->d.arena, "%s@%s", own, top->image),
					 .is_insecure = ref->is_insecure });
	}
}
