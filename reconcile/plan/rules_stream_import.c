/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_stream_import.c — tags that registries answer for: spec tags, ImageStreamImports, repositories.
 * Rules: openshift.md §2.4, §2.7.
 */
#include <string.h>

#include "reconcile/plan/rules_stream.h"

/* One import of one tag. */
struct import {
	const char *tag;
	const char *image; /* as declared */
	const struct fact *fact;
	enum wish wish;
	struct draft_tag *spec; /* NULL: the document's own affair */
};

static const char *reason_of(const struct fact *fact)
{
	if (fact->reason && fact->reason[0])
		return fact->reason;
	switch (fact->err.kind) {
	case ERR_ABSENT:
		return "NotFound";
	case ERR_DENIED:
		return "Unauthorized";
	case ERR_INVALID:
		return "Invalid";
	case ERR_NONE:
	case ERR_CONFLICT:
	case ERR_TRANSIENT:
	case ERR_SYSTEM:
	case ERR_CANCELLED:
	case ERR_KINDS:
		break;
	}
	return "InternalError";
}

static bool was_asked(const struct fact *fact)
{
	return fact && (fact->is_known || fact->err.kind != ERR_NONE);
}

static void bump(struct making *m, const struct import *import)
{
	m->d.is_bumped = m->d.is_changed = true;
	if (import->spec)
		import->spec->ref.generation = m->d.next;
}

static void import_failed(struct making *m, const struct import *import)
{
	struct draft *d = &m->d;
	struct tag_history *history = draft_history_make(d, import->tag);
	struct tag_failure failure = {
		.reason = reason_of(import->fact),
		.message = arena_strdup(d->arena, import->fact->err.text),
		.now_s = d->world->options->now_s,
		.generation = d->next,
		.is_asked = import->wish == WISH_NEW,
		.is_retry = import->wish == WISH_RETRY,
	};

	put_failure(m, import->tag, (struct tag_note){ "import", import->image }, failure.message);
	m->failure_kind = import->fact->err.kind;
	if (!history_fail(history, &failure, d->arena))
		return;
	d->is_changed = true;
	if (history_condition(history)->generation == d->next)
		bump(m, import);
}

/* The image that the answer stands for: metadata were not read again when it points where it did. */
static const char *image_of(const struct tag_history *history, const struct fact *fact)
{
	const struct tag_event *top = history_top(history);
	const char *known = history && history->source_digest ? history->source_digest
			    : top                             ? top->image
							      : NULL;

	if (!fact->record && top && text_equal(fact->digest, known))
		return top->image;
	if (fact->record && fact->record->name)
		return fact->record->name;
	return fact->image_digest ? fact->image_digest : fact->digest;
}

static void import_succeeded(struct making *m, const struct import *import)
{
	struct draft *d = &m->d;
	struct tag_history *history = draft_history_make(d, import->tag);
	const struct tag_event *top = history_top(history);
	const char *image = arena_strdup(d->arena, image_of(history, import->fact));
	const char *source = text_equal(image, import->fact->digest) ? NULL : import->fact->digest;
	struct tag_event event = { .created_s = d->world->options->now_s,
				   .reference = import_reference(import->image, image, d->arena),
				   .image = image,
				   .generation = d->next };

	if (!event.reference)
		event.reference = import->image;
	put_record(m, import->fact->record);
	if (import->wish != WISH_DUE || !top || !text_equal(top->reference, event.reference) ||
	    !text_equal(top->image, image) || history_condition(history)) {
		if (put_event(m, import->tag, event, (struct tag_note){ "import", import->image }))
			bump(m, import);
	}
	if (text_equal(history->source_digest, source))
		return;
	history->source_digest = source ? arena_strdup(d->arena, source) : NULL;
	d->is_changed = true;
}

static void import_take(struct making *m, const struct import *import)
{
	if (!was_asked(import->fact)) {
		if (import->wish == WISH_NEW)
			put_pending(m, import->tag, (struct tag_note){ "import", import->image });
		return;
	}
	m->has_tried = true;
	if (import->fact->is_known)
		import_succeeded(m, import);
	else
		import_failed(m, import);
}

/* `import: false`: nothing is recorded, but it is said. */
static void only_tell(struct making *m, const struct import *import)
{
	struct tag_move move = { .tag = import->tag, .verb = "look up", .source = import->image };

	if (!was_asked(import->fact))
		return;
	if (import->fact->is_known) {
		move.new_image = image_of(NULL, import->fact);
		vec_push(m->d.arena, &m->told, move);
		return;
	}
	m->failure_kind = import->fact->err.kind;
	put_failure(m, import->tag, (struct tag_note){ move.verb, move.source },
		    arena_strdup(m->d.arena, import->fact->err.text));
}

static void document_item(struct making *m, const struct stream_import_spec *spec,
			  const struct import_item *item)
{
	struct import_ask ask = item_ask(item);
	struct import import = { .tag = item_tag(item, m->d.arena),
				 .image = item->from.name,
				 .fact = import_fact(m->d.world, m->step->object, &ask),
				 .wish = WISH_NEW };

	if (!import.tag)
		import.tag = item->from.name;
	if (!spec->is_import) {
		only_tell(m, &import);
		return;
	}
	import.spec = draft_tag(&m->d, import.tag);
	if ((import.spec && import.spec->is_unmirrored) || draft_is_deleted(&m->d, import.tag))
		return;
	if (import.spec && import.spec->origin != ORIGIN_IMPORT)
		import.spec = NULL;
	import_take(m, &import);
}

/* Carried out once everything was answered; what failed for good is not asked again, tags have tries of their own. */
static bool document_is_answered(const struct making *m, const struct stream_import_spec *spec)
{
	for (size_t i = 0; i < spec->images.n; i++) {
		struct import_ask ask = item_ask(LIST_AT(spec->images, struct import_item, i));

		if (!was_asked(import_fact(m->d.world, m->step->object, &ask)))
			return false;
	}
	if (spec->repository) {
		const struct fact *fact =
			repository_fact(m->d.world, m->step->object, spec->repository);

		return was_asked(fact) && fact->err.kind != ERR_TRANSIENT;
	}
	return true;
}

static void documents_take(struct making *m)
{
	for (size_t i = 0; i < m->d.manifest->imports.n; i++) {
		const struct stream_import_spec *spec = m->d.manifest->imports.v[i]->spec;

		if (m->d.old && spec->key && strings_has(&m->d.old->answered, spec->key))
			continue;
		for (size_t k = 0; k < spec->images.n; k++)
			document_item(m, spec, LIST_AT(spec->images, struct import_item, k));
		if (spec->key && document_is_answered(m, spec))
			vec_push(m->d.arena, &m->answered, spec->key);
	}
}

/* The stream's own repository could not be listed: the annotation says why, as upstream's does. */
static void repository_failed(struct making *m, const struct fact *fact)
{
	struct draft *d = &m->d;

	m->has_repository_failed = true;
	d->now.checked = arena_printf(d->arena, "import of %s failed: %s", d->manifest->repository,
				      fact->err.text);
	if (!d->old || !text_equal(d->old->spec.repository, d->manifest->repository))
		d->now.repository_tries = 0; /* those were another repository's */
	d->now.repository_tries++;
	d->is_changed = true;
}

static void repository_take(struct making *m, const struct draft_repository *repository)
{
	const struct fact *fact = repository_fact(m->d.world, m->step->object, &repository->item);
	struct tag_note note = { "import", repository->item.from.name };

	if (!repository->is_wanted)
		return;
	if (!was_asked(fact)) {
		put_pending(m, "*", note);
		return;
	}
	m->has_tried = true;
	if (!fact->is_known) {
		m->failure_kind = fact->err.kind;
		put_failure(m, "*", note, arena_strdup(m->d.arena, fact->err.text));
		if (!repository->document)
			repository_failed(m, fact);
		return;
	}
	if (repository->document)
		return;
	m->is_listed = true;
	m->d.is_changed |= m->d.now.repository_tries != 0;
	m->d.now.repository_tries = 0;
}

void take_imports(struct making *m)
{
	documents_take(m);
	for (size_t i = 0; i < m->d.repositories.n; i++)
		repository_take(m, &m->d.repositories.v[i]);
	for (size_t i = 0; i < m->d.spec.n; i++) {
		struct draft_tag *tag = m->d.spec.v[i];
		enum wish wish = tag_is_import(&tag->ref) ? draft_wish(&m->d, tag) : WISH_NONE;
		struct import_ask ask;

		if (wish == WISH_NONE)
			continue;
		ask = tag_ask(&tag->ref);
		import_take(m, &(struct import){
				       .tag = tag->ref.name,
				       .image = tag->ref.from->name,
				       .fact = import_fact(m->d.world, m->step->object, &ask),
				       .wish = wish,
				       .spec = tag,
			       });
	}
}
