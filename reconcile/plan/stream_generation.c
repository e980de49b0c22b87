/* SPDX-License-Identifier: Apache-2.0 */
/* stream_generation.c — see stream_generation.h. */
#include "reconcile/plan/stream_generation.h"

#include <stdlib.h>
#include <string.h>

#include "model/oci/docker_ref.h"
#include "reconcile/plan/tag_priority.h"

void stream_world_init(struct stream_world *world, const struct planner *p)
{
	*world = (struct stream_world){ .model = p->model,
					.state = p->state,
					.facts = p->facts,
					.options = &p->options,
					.arena = p->arena };
}

bool image_is_recorded(struct stream_world *world, const char *digest)
{
	for (size_t i = 0; !world->has_recorded && i < world->state->by_id.n; i++) {
		const struct state_entry *entry = world->state->by_id.items[i].value;
		const struct stream_status *status = entry ? entry->status : NULL;

		if (!entry || entry->kind != KIND_IMAGE_STREAM)
			continue;
		for (size_t k = 0; k < status->tags.n; k++) {
			const struct list *items =
				&LIST_AT(status->tags, struct tag_history, k)->items;

			for (size_t e = 0; e < items->n; e++)
				map_set(world->arena, &world->recorded,
					LIST_AT(*items, struct tag_event, e)->image, world);
		}
	}
	world->has_recorded = true;
	return map_has(&world->recorded, digest);
}

bool tag_is_import(const struct tag_ref *ref)
{
	return ref->from && text_equal(ref->from->kind, "DockerImage") && !ref->is_reference;
}

bool tag_source_of(const struct object *object, const struct tag_ref *ref, struct arena *arena,
		   struct tag_source *out)
{
	const struct object_ref *from = ref->from;
	struct err err = { 0 };

	*out = (struct tag_source){ 0 };
	if (!from || text_equal(from->kind, "DockerImage") ||
	    !tag_from_parse(from, arena, &out->stream, &out->name, &err))
		return false;
	out->is_image = text_equal(from->kind, "ImageStreamImage");
	out->ns = from->ns && from->ns[0] ? from->ns : object->meta.ns;
	if (!out->stream)
		out->stream = object->meta.name;
	out->is_own = strcmp(out->ns, object->meta.ns) == 0 &&
		      strcmp(out->stream, object->meta.name) == 0;
	return true;
}

/* ---- the effective spec ---- */

struct draft_tag *draft_tag(const struct draft *d, const char *name)
{
	return map_get(&d->spec_by_name, name);
}

static struct draft_tag *spec_add(struct draft *d, const struct tag_ref *ref,
				  enum tag_origin origin)
{
	struct draft_tag *tag = ARENA_NEW(d->arena, struct draft_tag);

	tag->ref = *ref;
	tag->origin = origin;
	map_set(d->arena, &d->spec_by_name, ref->name, tag);
	vec_push(d->arena, &d->spec, tag);
	return tag;
}

static struct pairs pairs_with(const struct pairs *pairs, const char *key, const char *value,
			       struct arena *arena)
{
	struct pairs out = { 0 };

	for (size_t i = 0; i < pairs->n; i++)
		vec_push(arena, &out, pairs->v[i]);
	vec_push(arena, &out, (struct pair){ key, value, { 0 } });
	return out;
}

/* As a manifest says it: numbers of generations are not its to choose, and 0 is a request like an annotation. */
static void spec_declare(struct draft *d, const struct tag_ref *ref, const char *name,
			 enum tag_origin origin)
{
	struct tag_ref declared = *ref;
	struct draft_tag *before = draft_tag(d, name);

	declared.name = name;
	if (ref->has_generation && ref->generation == 0 &&
	    !pairs_get(&ref->annotations, ANNOTATION_IMPORT))
		declared.annotations =
			pairs_with(&ref->annotations, ANNOTATION_IMPORT, "0", d->arena);
	declared.generation = 0;
	if (!declared.reference_policy)
		declared.reference_policy = POLICY_SOURCE;
	if (before)
		before->ref = declared;
	else
		spec_add(d, &declared, origin);
}

static struct tag_ref ref_of_item(const struct import_item *item, const char *name,
				  const char *image, struct arena *arena)
{
	struct object_ref *from = ARENA_NEW(arena, struct object_ref);

	*from = (struct object_ref){ .kind = "DockerImage", .name = image };
	return (struct tag_ref){
		.name = name,
		.from = from,
		.is_insecure = item->is_insecure,
		.is_scheduled = item->is_scheduled,
		.import_mode = item->import_mode,
		.reference_policy = item->reference_policy ? item->reference_policy : POLICY_SOURCE,
	};
}

const char *item_tag(const struct import_item *item, struct arena *arena)
{
	struct docker_ref ref;
	struct err err = { 0 };

	if (item->to && item->to[0])
		return item->to;
	if (!item->from.name || !docker_ref_parse(item->from.name, arena, &ref, &err))
		return NULL;
	if (ref.tag[0])
		return ref.tag;
	return ref.id[0] ? NULL : "latest";
}

/* Their images are spec tags as long as the document is there; a tag that the spec names stays the spec's. */
static void spec_from_imports(struct draft *d)
{
	for (size_t i = 0; i < d->manifest->imports.n; i++) {
		const struct stream_import_spec *spec = d->manifest->imports.v[i]->spec;

		for (size_t k = 0; spec->is_import && k < spec->images.n; k++) {
			const struct import_item *item =
				LIST_AT(spec->images, struct import_item, k);
			const char *name = item_tag(item, d->arena);
			struct tag_ref ref;

			if (!name || draft_tag(d, name) || strings_has(&d->deleted, name))
				continue;
			ref = ref_of_item(item, name, item->from.name, d->arena);
			spec_add(d, &ref, ORIGIN_IMPORT);
		}
	}
}

static bool is_answered(const struct draft *d, const struct stream_import_spec *spec)
{
	return d->old && spec->key && strings_has(&d->old->answered, spec->key);
}

/* Never checked, another one than before, asked for, or failed with tries left. */
static bool repository_is_wanted(const struct draft *d)
{
	const struct stream_status *old = d->old;
	const char *asked = pairs_get(&d->object->meta.annotations, ANNOTATION_IMPORT);

	if (!old || !old->checked || !text_equal(old->spec.repository, d->manifest->repository))
		return true;
	if (asked && !text_equal(asked, old->asked))
		return true;
	return old->repository_tries > 0 &&
	       (old->repository_tries <= d->world->model->settings->retries ||
		d->world->options->retry_failed);
}

static void repositories_find(struct draft *d)
{
	struct draft_repository own = { .item.from.name = d->manifest->repository };

	if (d->manifest->repository) {
		own.is_wanted = repository_is_wanted(d);
		vec_push(d->arena, &d->repositories, own);
	}
	for (size_t i = 0; i < d->manifest->imports.n; i++) {
		const struct stream_import_spec *spec = d->manifest->imports.v[i]->spec;
		struct draft_repository other = { .document = d->manifest->imports.v[i] };

		if (!spec->repository)
			continue;
		other.item = *spec->repository;
		other.is_wanted = !is_answered(d, spec);
		vec_push(d->arena, &d->repositories, other);
	}
}

static const char *repository_image(const struct draft_repository *repository, const char *tag,
				    struct arena *arena)
{
	return arena_printf(arena, "%s:%s", repository->item.from.name, tag);
}

static bool repository_records(const struct draft_repository *repository)
{
	const struct stream_import_spec *spec =
		repository->document ? repository->document->spec : NULL;

	return !spec || spec->is_import;
}

/* Tags that a repository brought stay in the spec as long as the repository is declared. */
static void spec_carry(struct draft *d)
{
	for (size_t i = 0; d->old && d->repositories.n > 0 && i < d->old->spec.tags.n; i++) {
		const struct tag_ref *old = LIST_AT(d->old->spec.tags, struct tag_ref, i);

		if (!tag_is_import(old) || draft_tag(d, old->name) ||
		    strings_has(&d->deleted, old->name))
			continue;
		for (size_t k = 0; k < d->repositories.n; k++) {
			const char *image =
				repository_image(&d->repositories.v[k], old->name, d->arena);

			if (!text_equal(image, old->from->name) ||
			    !repository_records(&d->repositories.v[k]))
				continue;
			spec_add(d, old, ORIGIN_REPOSITORY);
			break;
		}
	}
}

static void list_repositories(struct draft *d)
{
	int64_t max = d->world->model->settings->streams.max_tags;

	for (size_t i = 0; i < d->repositories.n; i++) {
		const struct draft_repository *repository = &d->repositories.v[i];
		const struct fact *fact =
			repository->is_wanted && repository_records(repository)
				? repository_fact(d->world, d->object, &repository->item)
				: NULL;
		struct strings tags = { 0 };

		for (size_t k = 0; fact && fact->is_known && k < fact->tags.n; k++)
			vec_push(d->arena, &tags, fact->tags.v[k]);
		tags_prioritize(&tags, d->arena);
		for (size_t k = 0; k < tags.n && (max < 0 || k < (size_t)max); k++) {
			struct draft_tag *tag = draft_tag(d, tags.v[k]);
			struct tag_ref ref = ref_of_item(
				&repository->item, tags.v[k],
				repository_image(repository, tags.v[k], d->arena), d->arena);

			if (!tag && !strings_has(&d->deleted, tags.v[k]))
				tag = spec_add(d, &ref, ORIGIN_REPOSITORY);
			if (tag && tag->origin == ORIGIN_REPOSITORY)
				tag->is_requested = true;
		}
	}
}

static void deleted_read(struct draft *d)
{
	const char *text = pairs_get(&d->object->meta.annotations, ANNOTATION_DELETED_TAGS);

	while (text && *text) {
		size_t skip = strspn(text, ", "), n = strcspn(text + skip, ", ");

		if (n > 0)
			vec_push(d->arena, &d->deleted, arena_copy(d->arena, text + skip, n));
		text += skip + n;
	}
}

int64_t draft_generation(const struct draft *d)
{
	return d->is_bumped ? d->next : d->now.generation;
}

bool draft_is_deleted(const struct draft *d, const char *name)
{
	return strings_has(&d->deleted, name) && !draft_tag(d, name);
}

/* ---- generations ---- */

/* Kind, schedule, policies and annotations alone do not count (openshift.md §2.4). */
static bool ref_is_other(const struct draft *d, const struct tag_ref *old,
			 const struct tag_ref *now)
{
	const char *own = d->object->meta.ns;

	if (!old->from != !now->from || old->is_reference != now->is_reference ||
	    !text_equal(old->import_mode, now->import_mode))
		return true;
	if (!old->from)
		return false;
	return !text_equal(old->from->name, now->from->name) ||
	       !text_equal(old->from->ns && old->from->ns[0] ? old->from->ns : own,
			   now->from->ns && now->from->ns[0] ? now->from->ns : own);
}

static bool from_equal(const struct object_ref *a, const struct object_ref *b)
{
	if (!a || !b)
		return a == b;
	return text_equal(a->kind, b->kind) && text_equal(a->name, b->name) &&
	       text_equal(a->ns, b->ns) && text_equal(a->api_version, b->api_version);
}

static bool ref_equal(const struct tag_ref *a, const struct tag_ref *b)
{
	return text_equal(a->name, b->name) && pairs_equal(&a->annotations, &b->annotations) &&
	       from_equal(a->from, b->from) && a->is_reference == b->is_reference &&
	       a->is_insecure == b->is_insecure && a->is_scheduled == b->is_scheduled &&
	       text_equal(a->import_mode, b->import_mode) &&
	       text_equal(a->reference_policy, b->reference_policy);
}

/* A copy that was given up stays given up until the tag is another one. */
static void keep_given_up(struct draft *d, struct draft_tag *tag)
{
	const struct tag_history *history = tag->old ? stream_history(d->old, tag->ref.name) : NULL;
	const struct tag_condition *condition = history_condition(history);

	if (condition && text_equal(condition->reason, REASON_MIRROR_FAILED) &&
	    condition->tries > d->world->model->settings->retries &&
	    !d->world->options->retry_failed && !ref_is_other(d, tag->old, &tag->ref) &&
	    !tag->is_requested)
		tag->ref.reference_policy = tag->old->reference_policy;
}

/*
 * Without its copy a tag is in the spec as it was. After the copy failed the spec is the new one, so that tries are counted,
 * but nothing may tell consumers to pull a copy that is not there.
 */
static void spec_unmirror(struct draft *d, struct draft_tag *tag)
{
	if (!d->pass || !strings_has(&d->pass->unmirrored, tag->ref.name))
		return;
	tag->is_unmirrored = true;
	if (!d->pass->has_failed) {
		tag->is_requested = false;
		tag->is_left_out = !tag->old;
		if (tag->old)
			tag->ref = *tag->old;
	} else if (tag->old && stream_current(d->old, tag->ref.name)) {
		tag->ref.reference_policy = tag->old->reference_policy;
	}
}

static bool is_asked_again(const struct draft *d, const struct draft_tag *tag)
{
	const char *asked = d->now.asked;
	const char *value = pairs_get(&tag->ref.annotations, ANNOTATION_IMPORT);

	if (!tag_is_import(&tag->ref))
		return false;
	if (asked && !(d->old && text_equal(asked, d->old->asked)))
		return true;
	return value && tag->old &&
	       !text_equal(value, pairs_get(&tag->old->annotations, ANNOTATION_IMPORT));
}

static bool spec_differs(struct draft *d)
{
	bool differs = !d->old || d->old->spec.is_local_lookup != d->now.spec.is_local_lookup ||
		       !text_equal(d->old->spec.repository, d->now.spec.repository);
	size_t n = 0;

	for (size_t i = 0; i < d->spec.n; i++) {
		struct draft_tag *tag = d->spec.v[i];

		tag->old = d->old ? stream_tag(&d->old->spec, tag->ref.name) : NULL;
		tag->is_requested |= is_asked_again(d, tag);
		keep_given_up(d, tag);
		spec_unmirror(d, tag);
		if (tag->is_left_out)
			continue;
		n++;
		differs |= tag->is_requested || !tag->old || !ref_equal(tag->old, &tag->ref);
	}
	return differs || d->old->spec.tags.n != n;
}

static void generations_give(struct draft *d)
{
	bool differs = spec_differs(d);

	d->now.generation = (d->old ? d->old->generation : 0) + (differs ? 1 : 0);
	d->next = d->now.generation + 1;
	d->is_changed |= differs;
	for (size_t i = 0; i < d->spec.n; i++) {
		struct draft_tag *tag = d->spec.v[i];
		bool is_other =
			!tag->old || tag->is_requested || ref_is_other(d, tag->old, &tag->ref);

		tag->ref.generation = is_other ? d->now.generation : tag->old->generation;
		tag->ref.has_generation = true;
	}
}

/* ---- histories ---- */

struct tag_history *draft_history(const struct draft *d, const char *name)
{
	for (size_t i = 0; i < d->tags.n; i++) {
		if (strcmp(d->tags.v[i]->tag, name) == 0)
			return d->tags.v[i];
	}
	return NULL;
}

struct tag_history *draft_history_make(struct draft *d, const char *name)
{
	struct tag_history *history = draft_history(d, name);
	size_t at = d->tags.n;

	if (history)
		return history;
	history = ARENA_NEW(d->arena, struct tag_history);
	history->tag = name;
	vec_push(d->arena, &d->tags, history);
	for (; at > 0 && strcmp(d->tags.v[at - 1]->tag, name) > 0; at--)
		d->tags.v[at] = d->tags.v[at - 1];
	d->tags.v[at] = history;
	return history;
}

void draft_history_drop(struct draft *d, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < d->tags.n; i++) {
		if (strcmp(d->tags.v[i]->tag, name) != 0)
			d->tags.v[n++] = d->tags.v[i];
	}
	d->is_changed |= n != d->tags.n;
	d->tags.n = n;
}

static void histories_copy(struct draft *d)
{
	for (size_t i = 0; d->old && i < d->old->tags.n; i++) {
		struct tag_history *copy = ARENA_NEW(d->arena, struct tag_history);

		*copy = *LIST_AT(d->old->tags, struct tag_history, i);
		vec_push(d->arena, &d->tags, copy);
	}
}

void draft_begin(struct draft *d, struct stream_world *world, const struct object *object,
		 const struct draft_pass *pass, struct arena *arena)
{
	*d = (struct draft){ .world = world, .arena = arena, .object = object, .pass = pass };
	d->manifest = object->spec;
	d->old = state_status(world->state, object->id);
	if (d->old)
		d->now = *d->old;
	else
		d->now.created_s = world->options->now_s;
	d->is_changed = !d->old;
	deleted_read(d);
	for (size_t i = 0; i < d->manifest->tags.n; i++) {
		const struct tag_ref *ref = LIST_AT(d->manifest->tags, struct tag_ref, i);

		spec_declare(d, ref, ref->name, ORIGIN_SPEC);
	}
	d->now.spec = (struct stream_spec){ .is_local_lookup = d->manifest->is_local_lookup,
					    .repository = d->manifest->repository };
	for (size_t i = 0; i < d->manifest->tag_documents.n; i++) {
		const struct stream_tag_spec *spec = d->manifest->tag_documents.v[i]->spec;

		d->now.spec.is_local_lookup |= spec->is_local_lookup;
		spec_declare(d, spec->tag ? spec->tag : &(struct tag_ref){ 0 }, spec->tag_name,
			     ORIGIN_DOCUMENT);
	}
	spec_from_imports(d);
	repositories_find(d);
	spec_carry(d);
	list_repositories(d);
	d->now.asked = pairs_get(&object->meta.annotations, ANNOTATION_IMPORT);
	d->is_changed |= d->old && !text_equal(d->old->asked, d->now.asked);
	generations_give(d);
	histories_copy(d);
}

const struct stream_status *draft_finish(struct draft *d)
{
	struct stream_status *status;
	struct tag_ref *refs;
	struct tag_history *tags;
	size_t n = 0;

	if (!d->is_changed && d->old)
		return d->old;
	status = ARENA_NEW(d->arena, struct stream_status);
	refs = arena_array(d->arena, d->spec.n, sizeof(*refs));
	tags = arena_array(d->arena, d->tags.n, sizeof(*tags));
	*status = d->now;
	for (size_t i = 0; i < d->spec.n; i++) {
		if (!d->spec.v[i]->is_left_out)
			refs[n++] = d->spec.v[i]->ref;
	}
	status->spec.tags = (struct list){ refs, n };
	n = 0;
	for (size_t i = 0; i < d->tags.n; i++) {
		const struct tag_history *history = d->tags.v[i];

		if (history->items.n + history->conditions.n > 0)
			tags[n++] = *history;
	}
	status->tags = (struct list){ tags, n };
	return status;
}

/* ---- wishes ---- */

static bool is_triggered(const struct draft *d, const struct draft_tag *tag)
{
	const struct strings *triggers = d->world->options->triggers;

	if (!triggers || triggers->n == 0)
		return false;
	return strings_has(triggers, d->object->id) ||
	       strings_has(triggers,
			   arena_printf(d->arena, "ImageStreamTag/%s/%s:%s", d->object->meta.ns,
					d->object->meta.name, tag->ref.name));
}

static bool is_due(const struct draft *d, const struct draft_tag *tag)
{
	const struct tag_at at = { d->object, d->old, tag->ref.name };
	int64_t due_s;

	if (!tag->ref.is_scheduled)
		return false;
	due_s = stream_due_of(&at, &tag->ref, &d->world->model->settings->streams,
			      d->world->options->checks, d->arena);
	return due_s != 0 && due_s <= d->world->options->now_s;
}

enum wish draft_wish(const struct draft *d, const struct draft_tag *tag)
{
	const struct tag_history *history = draft_history(d, tag->ref.name);
	const struct tag_event *top = history_top(history);
	const struct tag_condition *condition = history_condition(history);
	int64_t held = top ? top->generation : 0;

	if (!tag->ref.from || tag->is_unmirrored)
		return WISH_NONE;
	if (condition && condition->generation > held)
		held = condition->generation;
	if ((!top && !condition) || tag->ref.generation > held)
		return WISH_NEW;
	if (condition && text_equal(condition->status, COND_FALSE) &&
	    (condition->tries <= d->world->model->settings->retries ||
	     d->world->options->retry_failed))
		return WISH_RETRY;
	if (!tag_is_import(&tag->ref))
		return WISH_NONE;
	return is_triggered(d, tag) || is_due(d, tag) ? WISH_DUE : WISH_NONE;
}
