/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_stream.c — what becomes of an image stream. Its status is made anew by one pass over stream.h's rules; where images
 * have to be copied first there are two more: as long as they are not, and when they could not be.
 */
#include "reconcile/plan/rules_stream.h"

#include <string.h>

#include "model/base/time.h"

bool put_event(struct making *m, const char *tag, struct tag_event event, struct tag_note note)
{
	const struct draft_tag *spec = draft_tag(&m->d, tag);
	struct tag_note *kept;

	if (spec && spec->is_unmirrored)
		return false;
	if (!history_add(draft_history_make(&m->d, tag), &event, m->d.arena))
		return false;
	m->d.is_changed = true;
	kept = ARENA_NEW(m->d.arena, struct tag_note);
	*kept = note;
	map_set(m->d.arena, &m->notes, tag, kept);
	map_set(m->d.arena, &m->moved, tag, kept);
	return true;
}

void put_failure(struct making *m, const char *tag, struct tag_note note, const char *why)
{
	struct tag_move move = {
		.tag = tag, .verb = note.verb, .source = note.source, .failure = why
	};
	const struct tag_event *top = history_top(draft_history(&m->d, tag));

	move.old_image = top ? (top->image[0] ? top->image : top->reference) : NULL;
	vec_push(m->d.arena, &m->told, move);
	m->n_failed++;
}

void put_pending(struct making *m, const char *tag, struct tag_note note)
{
	const struct tag_event *top = history_top(draft_history(&m->d, tag));
	struct tag_move move = { .tag = tag, .verb = note.verb, .source = note.source };

	move.old_image = top ? (top->image[0] ? top->image : top->reference) : NULL;
	vec_push(m->d.arena, &m->told, move);
	vec_push(m->d.arena, &m->pending, tag);
}

void put_record(struct making *m, const struct image_record *record)
{
	if (!record || !record->name || image_is_recorded(m->d.world, record->name))
		return;
	for (size_t i = 0; i < m->records.n; i++) {
		if (strcmp(m->records.v[i]->name, record->name) == 0)
			return;
	}
	vec_push(m->d.arena, &m->records, record);
}

static void delete_tags(struct making *m)
{
	struct draft *d = &m->d;

	for (size_t i = 0; i < d->deleted.n; i++) {
		struct tag_note *note;

		if (!draft_is_deleted(d, d->deleted.v[i]) || !draft_history(d, d->deleted.v[i]))
			continue;
		note = ARENA_NEW(d->arena, struct tag_note);
		note->verb = "delete";
		draft_history_drop(d, d->deleted.v[i]);
		map_set(d->arena, &m->notes, d->deleted.v[i], note);
	}
}

static void trim_histories(struct draft *d)
{
	int64_t limit = d->world->model->settings->streams.history_limit;

	for (size_t i = 0; i < d->tags.n; i++)
		d->is_changed |= history_trim(d->tags.v[i], limit);
}

/* While copies are missing the old repository stays: what consumers pull lies there. */
static void set_repository(struct draft *d)
{
	const struct settings_streams *settings = &d->world->model->settings->streams;
	const char *own = stream_repository(d->world->model, d->object->meta.ns,
					    d->object->meta.name, d->arena);
	const char *public_own =
		settings->public_registry
			? arena_printf(d->arena, "%s/%s/%s", settings->public_registry,
				       d->object->meta.ns, d->object->meta.name)
			: NULL;

	if (d->pass && d->old && d->old->repository)
		return;
	d->is_changed |= !text_equal(d->now.repository, own) ||
			 !text_equal(d->now.public_repository, public_own);
	d->now.repository = own;
	d->now.public_repository = public_own;
}

/* Keys of documents that are still there and were carried out. */
static void set_answered(struct making *m)
{
	struct draft *d = &m->d;
	struct strings keys = { 0 };

	for (size_t i = 0; i < d->manifest->imports.n; i++) {
		const struct stream_import_spec *spec = d->manifest->imports.v[i]->spec;

		if (spec->key && (strings_has(&d->now.answered, spec->key) ||
				  strings_has(&m->answered, spec->key)))
			vec_push(d->arena, &keys, spec->key);
	}
	if (strings_equal(&keys, &d->now.answered))
		return;
	d->now.answered = keys;
	d->is_changed = true;
}

/* Only when the stream is written anyway, or was never checked (openshift.md §2.7). */
static void set_checked(struct making *m)
{
	char text[TIME_TEXT];

	if (!m->has_tried || m->has_repository_failed ||
	    !(m->d.is_bumped || m->is_listed || !m->d.now.checked))
		return;
	time_format(m->d.world->options->now_s, text);
	m->d.now.checked = arena_strdup(m->d.arena, text);
	m->d.is_changed = true;
}

static void make_status(struct making *m, const struct draft_pass *pass)
{
	draft_begin(&m->d, m->p->streams, m->step->object, pass, m->p->arena);
	delete_tags(m);
	take_imports(m);
	take_sources(m);
	follow_tags(m);
	take_pushes(m);
	follow_tags(m);
	if (m->d.is_bumped)
		m->d.now.generation = m->d.next;
	trim_histories(&m->d);
	set_repository(&m->d);
	set_answered(m);
	set_checked(m);
}

/* ---- what people see ---- */

static const char *shown_image(const struct tag_history *history)
{
	const struct tag_event *top = history_top(history);

	if (!top)
		return NULL;
	return top->image[0] ? top->image : top->reference;
}

static void tell_move(struct making *m, const char *tag, struct step *step)
{
	const struct tag_history *old = m->d.old ? stream_history(m->d.old, tag) : NULL;
	const struct tag_note *note = map_get(&m->notes, tag);
	struct tag_move move = { .tag = tag,
				 .verb = note ? note->verb : "tag",
				 .source = note ? note->source : NULL,
				 .old_image = shown_image(old),
				 .new_image = shown_image(draft_history(&m->d, tag)) };

	(void)step;
	if (!text_equal(move.old_image, move.new_image))
		vec_push(m->d.arena, &m->moves, move);
}

/* Moves in order of tag, then what is only told. */
static void tell_moves(struct making *m, struct step *step)
{
	for (size_t i = 0; i < m->d.tags.n; i++)
		tell_move(m, m->d.tags.v[i]->tag, step);
	for (size_t i = 0; m->d.old && i < m->d.old->tags.n; i++) {
		const char *tag = LIST_AT(m->d.old->tags, struct tag_history, i)->tag;

		if (!draft_history(&m->d, tag))
			tell_move(m, tag, step);
	}
	m->n_moved = m->moves.n;
	for (size_t i = 0; i < m->told.n; i++)
		vec_push(m->d.arena, &m->moves, m->told.v[i]);
	step->moves = (struct list){ m->moves.v, m->moves.n };
	step->records = (struct list){ m->records.v, m->records.n };
}

/* Tags that follow a tag of which something is known only later. */
static void spread_pending(struct making *m)
{
	for (size_t round = 0, n = 0; n != m->pending.n && round <= m->d.spec.n; round++) {
		n = m->pending.n;
		for (size_t i = 0; i < m->d.spec.n; i++) {
			const struct tag_ref *ref = &m->d.spec.v[i]->ref;
			struct tag_source source;

			if (tag_source_of(m->step->object, ref, m->d.arena, &source) &&
			    source.is_own && !source.is_image &&
			    strings_has(&m->pending, source.name) &&
			    !strings_has(&m->pending, ref->name))
				vec_push(m->d.arena, &m->pending, ref->name);
		}
	}
	for (size_t i = 0; i < m->pending.n; i++)
		step_unknown(m->step, arena_printf(m->d.arena, "tag:%s", m->pending.v[i]),
			     m->d.arena);
}

static const char *failure_text(const struct tag_move *move, const struct step *step,
				struct arena *arena)
{
	return arena_printf(arena, "cannot %s %s:%s%s%s: %s", move->verb, step->name, move->tag,
			    move->source ? " from " : "", move->source ? move->source : "",
			    move->failure);
}

/* Nothing moved and something failed: that is what there is to say of it. */
static void tell_summary(struct making *m, struct step *step)
{
	const struct tag_move *only = step->moves.n == 1 ? step->moves.v : NULL;

	step->is_failure = m->n_failed > 0;
	step->summary = m->n_moved == 0   ? "status"
			: m->n_moved == 1 ? "1 tag"
					  : arena_printf(m->d.arena, "%zu tags", m->n_moved);
	if (only && only->new_image && !only->failure) {
		step->old_value = only->old_image;
		step->new_value = only->new_image;
	}
	if (m->n_failed > 0 && m->n_moved == 0 && m->pending.n == 0) {
		const char *why = NULL;

		for (size_t i = 0; i < m->told.n && !why; i++) {
			if (m->told.v[i].failure)
				why = failure_text(&m->told.v[i], step, m->d.arena);
		}
		step_block(step, (struct stop){ m->failure_kind, true }, why);
	}
}

void rule_stream(struct planner *p, struct step *step)
{
	struct making *m = ARENA_NEW(p->arena, struct making);
	struct draft_pass *pass;

	m->p = p;
	m->step = step;
	make_status(m, NULL);
	step->status = draft_finish(&m->d);
	step->action = ACTION_IMPORT;
	find_mirrors(m);
	tell_moves(m, step);
	if (m->mirrors.n > 0) {
		struct making without = { .p = p, .step = step };
		struct making failed = { .p = p, .step = step };

		pass = arena_array(p->arena, 2, sizeof(*pass));
		pass[0].unmirrored = pass[1].unmirrored = m->unmirrored;
		pass[1].has_failed = true;
		step->stream = ARENA_NEW(p->arena, struct stream_result);
		step->stream->done = step->status;
		make_status(&without, &pass[0]);
		step->status = draft_finish(&without.d);
		make_status(&failed, &pass[1]);
		step->stream->failed = failed.d;
		step->stream->unmirrored = m->unmirrored;
		step->mirrors = (struct list){ m->mirrors.v, m->mirrors.n };
		step->action = ACTION_MIRROR;
		for (size_t i = 0; i < m->unmirrored.n; i++)
			vec_push(p->arena, &m->pending, m->unmirrored.v[i]);
	}
	spread_pending(m);
	tell_summary(m, step);
}

/* ---- after the copies ---- */

static void mirror_fail(struct draft *d, const char *tag, const char *why, int64_t now_s)
{
	struct tag_history *history = draft_history_make(d, tag);
	const struct tag_condition *old = history_condition(history);
	struct draft_tag *spec = draft_tag(d, tag);
	bool is_retry = old && text_equal(old->reason, REASON_MIRROR_FAILED) && spec &&
			spec->ref.generation <= old->generation;
	struct tag_failure failure = { .reason = REASON_MIRROR_FAILED,
				       .message = why,
				       .now_s = now_s,
				       .generation = d->next,
				       .is_asked = !is_retry,
				       .is_retry = is_retry };

	if (!history_fail(history, &failure, d->arena))
		return;
	d->is_changed = true;
	if (history_condition(history)->generation != d->next)
		return;
	d->now.generation = d->next;
	if (spec)
		spec->ref.generation = d->next;
}

const void *stream_folded(struct step *step, const char *failure, int64_t now_s,
			  struct arena *arena)
{
	struct stream_result *result = step->stream;

	if (!result)
		return step->status;
	if (!failure)
		return result->done;
	result->failed.arena = arena;
	for (size_t i = 0; i < result->unmirrored.n; i++)
		mirror_fail(&result->failed, result->unmirrored.v[i], failure, now_s);
	for (size_t i = 0; i < step->moves.n; i++) {
		struct tag_move *move = LIST_AT(step->moves, struct tag_move, i);

		if (strings_has(&result->unmirrored, move->tag))
			move->failure = failure;
	}
	return draft_finish(&result->failed);
}
