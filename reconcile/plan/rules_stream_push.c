/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_stream_push.c — images that were pushed to a stream: by Images and BuildConfigs whose tags lie in its repository, and as
 * ImageStreamMappings say. Each digest is put on top once. Rules: openshift.md §2.4 "ISM", §2.8 "ISM create".
 */
#include <string.h>

#include "model/oci/docker_ref.h"
#include "reconcile/plan/rules_stream.h"

struct arrival {
	const char *tag, *from; /* id of who pushed */
	const char *reference, *image;
	const struct image_record *record; /* NULL: nothing is known of it */
};

static bool is_taken(const struct making *m, const struct arrival *arrival)
{
	return text_equal(history_push(draft_history(&m->d, arrival->tag), arrival->from),
			  arrival->image);
}

static void arrive(struct making *m, const struct arrival *arrival)
{
	struct draft *d = &m->d;
	const struct draft_tag *spec = draft_tag(d, arrival->tag);
	struct tag_history *history;
	struct tag_event event = { .created_s = d->world->options->now_s,
				   .reference = arrival->reference,
				   .image = arrival->image,
				   .generation = draft_generation(d) };

	if (spec && spec->is_unmirrored)
		return;
	history = draft_history_make(d, arrival->tag);
	put_record(m, arrival->record);
	if (put_event(m, arrival->tag, event, (struct tag_note){ "push", arrival->from }))
		history->source_digest = NULL;
	history_push_note(history, (struct tag_push){ arrival->from, arrival->image }, d->arena);
	d->is_changed = true;
}

/* The name of a mapping's image, or the digest that its reference ends in. */
static const char *mapping_image(const struct image_record *image, struct arena *arena)
{
	struct docker_ref ref;
	struct err err = { 0 };

	if (image->name && image->name[0])
		return image->name;
	if (!image->reference || !docker_ref_parse(image->reference, arena, &ref, &err) ||
	    !ref.id[0])
		return NULL;
	return ref.id;
}

static void take_mapping(struct making *m, const struct object *object)
{
	const struct stream_mapping_spec *spec = object->spec;
	struct image_record *record = ARENA_NEW(m->d.arena, struct image_record);
	struct arrival arrival = { .tag = spec->tag, .from = object->id, .record = record };
	const char *own = stream_repository(m->p->model, m->step->object->meta.ns,
					    m->step->object->meta.name, m->d.arena);

	*record = *spec->image;
	record->name = arrival.image = mapping_image(spec->image, m->d.arena);
	if (arrival.image && (!record->reference || !record->reference[0]) && own)
		record->reference = arena_printf(m->d.arena, "%s@%s", own, arrival.image);
	arrival.reference = record->reference;
	if (draft_is_deleted(&m->d, spec->tag))
		return;
	if (!arrival.image || !arrival.reference) {
		m->failure_kind = ERR_INVALID;
		put_failure(m, spec->tag, (struct tag_note){ "push", object->id },
			    "neither image.metadata.name nor image.dockerImageReference names a "
			    "digest");
		return;
	}
	if (!is_taken(m, &arrival))
		arrive(m, &arrival);
}

/* A build that is to come may push another digest. */
static bool is_building(const struct step *step, const char *reference)
{
	if (!step || step->blocked || step->is_folded)
		return false;
	if (step->action == ACTION_TAG)
		return strings_has(&step->tags, reference);
	if (kind_has_builds(step->kind))
		return step->action == ACTION_BUILD && strings_has(&step->tags, reference);
	return step->action == ACTION_BUILD || step->action == ACTION_REBASE;
}

static void take_push(struct making *m, const struct pusher *pusher)
{
	const struct step *step = map_get(&m->p->plan->by_id, pusher->image->id);
	const char *digest = pushed_digest(pusher, step ? step->status : NULL);
	struct tag_note note = { "push", pusher->image->id };
	struct arrival arrival = { .tag = pusher->tag, .from = note.source, .image = digest };
	struct import_ask ask = { .import_mode = IMPORT_PRESERVE };
	const struct fact *fact;

	if (draft_is_deleted(&m->d, pusher->tag))
		return;
	if (is_building(step, pusher->reference)) {
		put_pending(m, pusher->tag, note);
		if (!m->d.pass)
			step_wait_for(m->step, step, m->d.arena);
		return;
	}
	if (!digest || is_taken(m, &arrival))
		return;
	arrival.reference = arena_printf(m->d.arena, "%s@%s",
					 stream_repository(m->p->model, m->step->object->meta.ns,
							   m->step->object->meta.name, m->d.arena),
					 digest);
	ask.image = arrival.reference;
	fact = import_fact(m->d.world, m->step->object, &ask);
	if (step->pushed && text_equal(step->pushed->name, digest))
		arrival.record = step->pushed;
	else if (fact && !fact->is_known && fact->err.kind != ERR_NONE) {
		m->failure_kind = fact->err.kind;
		put_failure(m, pusher->tag, note, arena_strdup(m->d.arena, fact->err.text));
		return;
	} else if (fact) {
		arrival.record = fact->record;
	}
	arrive(m, &arrival);
}

void take_pushes(struct making *m)
{
	const struct pushers *pushers = map_get(&m->p->streams->pushers, m->step->object->id);

	for (size_t i = 0; i < m->d.manifest->mappings.n; i++)
		take_mapping(m, m->d.manifest->mappings.v[i]);
	for (size_t i = 0; pushers && i < pushers->list.n; i++)
		take_push(m, &pushers->list.v[i]);
}
