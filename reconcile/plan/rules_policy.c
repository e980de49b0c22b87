/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_policy.c — an ImagePolicy: the latest of the tags of its repository, or of an image stream, and the marked fields
 * of all files that follow it. Rules: gitops.md §2.1, §2.3. The full reference of a stream's tag is what a consumer pulls
 * (name@digest): the tag's name exists in the stream, not in the image's own repository.
 */
#include <string.h>

#include "model/kind/stream.h"
#include "reconcile/plan/follow.h"

/* Where the tags come from. */
struct place_of_tags {
	const char *ns;
	const struct object *repository; /* NULL: a stream, or nothing */
	const struct repository_spec *spec;
	struct account account;
};

static struct place_of_tags place_of(const struct model *model, const struct object *object)
{
	const struct policy_spec *policy = object->spec;
	struct place_of_tags place = { .ns = policy->repository_ns ? policy->repository_ns
								   : object->meta.ns };

	place.repository = model_find(model, KIND_IMAGE_REPOSITORY, place.ns, policy->repository);
	if (!place.repository)
		return place;
	place.spec = place.repository->spec;
	place.account = account_named(model, place.ns, place.spec->service_account);
	return place;
}

/* ---- questions ---- */

static struct query tags_question(const struct place_of_tags *place, const struct object *asker,
				  struct arena *arena)
{
	struct query query = { .kind = QUERY_TAGS,
			       .image = place->spec->image,
			       .is_insecure = place->spec->is_insecure,
			       .ns = place->account.ns,
			       .service_account = place->account.name,
			       .asker = asker };

	if (place->spec->secrets.n) {
		query.ns = place->ns;
		query.pull_secrets = &place->spec->secrets;
	}
	query.key = query_key_tags(&query, arena);
	return query;
}

static struct query digest_question(const struct place_of_tags *place, const char *tag,
				    const struct object *asker, struct arena *arena)
{
	struct query query = tags_question(place, asker, arena);

	query.kind = QUERY_IMAGE;
	query.image = arena_printf(arena, "%s:%s", place->spec->image, tag);
	query.key = query_key_image(
		query.image, query.ns,
		place->spec->secrets.n
			? arena_printf(arena, "%s secret %s",
				       query.service_account ? query.service_account : "",
				       place->spec->secret_ref->name)
			: query.service_account,
		arena);
	return query;
}

static void put_query(const struct query *query, struct arena *arena, struct queries *out)
{
	struct query *copy;

	if (map_has(&out->by_key, query->key))
		return;
	copy = ARENA_NEW(arena, struct query);
	*copy = *query;
	vec_push(arena, &out->list, copy);
	map_set(arena, &out->by_key, copy->key, copy);
}

static bool is_asked(const struct object *object, const struct place_of_tags *place)
{
	const struct policy_spec *spec = object->spec;

	return place->repository && !spec->is_suspended && !place->spec->is_suspended;
}

void policy_ask(const struct model *model, const struct object *object, struct arena *arena,
		struct queries *out)
{
	const struct place_of_tags place = place_of(model, object);
	struct query query;

	if (!is_asked(object, &place))
		return;
	query = tags_question(&place, object, arena);
	put_query(&query, arena, out);
}

static bool wants_digest(const struct policy_spec *spec, const struct place_of_tags *place,
			 const struct policy_status *old, const char *tag)
{
	bool is_recorded = old && old->latest.digest && text_equal(old->latest.tag, tag) &&
			   text_equal(old->latest.name, place->spec->image);

	if (text_equal(spec->digests, "Always"))
		return true;
	return text_equal(spec->digests, "IfNotPresent") && !is_recorded;
}

void policy_follow(const struct model *model, const struct state *state, const struct facts *facts,
		   const struct object *object, struct arena *arena, struct queries *out)
{
	const struct place_of_tags place = place_of(model, object);
	const struct fact *fact;
	struct tag_rule rule;
	struct query query;
	struct err err = { 0 };
	const char *tag;

	if (!is_asked(object, &place))
		return;
	query = tags_question(&place, object, arena);
	fact = fact_find(facts, query.key);
	rule = policy_rule(object->spec, place.spec, arena);
	if (!fact || !fact->is_known || !tag_choose(&rule, &fact->tags, arena, &tag, &err) ||
	    !tag || !wants_digest(object->spec, &place, state_status(state, object->id), tag))
		return;
	query = digest_question(&place, tag, object, arena);
	put_query(&query, arena, out);
}

/* ---- the rule ---- */

struct choosing {
	struct planner *p;
	struct step *step;
	const struct policy_spec *spec;
	const struct policy_status *old;
	struct place_of_tags place;
	struct policy_status *status; /* as it will be */
};

static void set_ready(struct choosing *c, const char *reason, const char *problem)
{
	struct conditions_edit edit;

	conditions_begin(&edit, &c->status->conditions, 1, c->p->options.now_s, c->p->arena);
	conditions_add(&edit, "Ready", problem ? COND_FALSE : COND_TRUE,
		       problem ? reason : "Succeeded", problem);
	c->status->conditions = edit.list;
	c->step->status = c->status;
}

static bool stop(struct choosing *c, struct stop how, const char *reason, const char *why)
{
	set_ready(c, reason, why);
	step_block(c->step, how, why);
	return false;
}

static bool not_known_yet(struct choosing *c)
{
	step_unknown(c->step, "latestImage", c->p->arena);
	c->step->is_unknown = !c->old && c->p->facts->is_offline;
	return false;
}

static bool choose(struct choosing *c, const struct strings *tags, const char **tag)
{
	struct tag_rule rule = policy_rule(c->spec, c->place.spec, c->p->arena);
	struct err err = { 0 };

	if (!tag_choose(&rule, tags, c->p->arena, tag, &err))
		return stop(
			c, (struct stop){ err.kind, true }, "Failed",
			arena_printf(c->p->arena, "cannot determine the latest tag: %s", err.text));
	return *tag || stop(c, (struct stop){ ERR_ABSENT, false }, "NoTag",
			    arena_printf(c->p->arena, "none of %zu tags of '%s' fits the policy",
					 tags->n, c->spec->repository));
}

/* False: the step says why. */
static bool latest_of_repository(struct choosing *c, struct policy_ref *out)
{
	struct query query = tags_question(&c->place, c->step->object, c->p->arena);
	const struct fact *fact = fact_find(c->p->facts, query.key), *digest;
	const char *image = c->place.spec->image;

	if (!fact || (!fact->is_known && fact->err.kind == ERR_NONE))
		return c->old ? false : not_known_yet(c);
	if (!fact->is_known)
		return stop(c, (struct stop){ fact->err.kind, true }, "DependencyNotReady",
			    arena_printf(c->p->arena, "cannot list the tags of '%s': %s", image,
					 fact->err.text));
	*out = (struct policy_ref){ .name = image };
	if (!choose(c, &fact->tags, &out->tag))
		return false;
	if (text_equal(c->spec->digests, "Never"))
		return true;
	if (!wants_digest(c->spec, &c->place, c->old, out->tag)) {
		out->digest = c->old->latest.digest;
		return true;
	}
	query = digest_question(&c->place, out->tag, c->step->object, c->p->arena);
	digest = fact_find(c->p->facts, query.key);
	if (!digest || !digest->is_known)
		return stop(c, (struct stop){ digest ? digest->err.kind : ERR_ABSENT, true },
			    "DependencyNotReady",
			    resolve_problem(query.image, digest ? &digest->err : &(struct err){ 0 },
					    c->p->arena));
	out->digest = digest->digest;
	return true;
}

/* The repository as the reference has it, up to the digest at `at`; a tag goes. */
static const char *name_of(const char *reference, const char *at, struct arena *arena)
{
	char *name = arena_copy(arena, reference, (size_t)(at - reference));
	char *slash = strrchr(name, '/'), *colon = strrchr(name, ':');

	if (colon && (!slash || colon > slash))
		*colon = '\0';
	return name;
}

static bool latest_of_stream(struct choosing *c, struct policy_ref *out)
{
	const struct step *stream =
		step_find(c->p, KIND_IMAGE_STREAM, c->place.ns, c->spec->repository);
	const struct stream_status *status = stream ? stream->status : NULL;
	struct strings tags = { 0 };
	struct followed_tag chosen;
	bool is_pending = false;
	const char *tag, *at;

	for (size_t i = 0; status && i < status->tags.n; i++) {
		const struct tag_history *history = LIST_AT(status->tags, struct tag_history, i);

		if (follow_tag(c->p, c->step, c->place.ns, c->spec->repository, history->tag)
			    .is_pending)
			is_pending = true;
		if (history->items.n)
			vec_push(c->p->arena, &tags, history->tag);
	}
	/* Tags that a build will push for the first time have no history yet. */
	for (size_t i = 0; stream && i < stream->unknown.n && !is_pending; i++)
		if (strncmp(stream->unknown.v[i], "tag:", 4) == 0)
			is_pending = follow_tag(c->p, c->step, c->place.ns, c->spec->repository,
						stream->unknown.v[i] + 4)
					     .is_pending;
	if (is_pending)
		return not_known_yet(c);
	if (!choose(c, &tags, &tag))
		return false;
	chosen = follow_tag(c->p, c->step, c->place.ns, c->spec->repository, tag);
	at = chosen.pull_spec ? strchr(chosen.pull_spec, '@') : NULL;
	if (!at)
		return stop(c, (struct stop){ ERR_ABSENT, false }, "NoDigest",
			    arena_printf(c->p->arena, "the tag '%s' of '%s' has no digest", tag,
					 c->spec->repository));
	*out = (struct policy_ref){ .name = name_of(chosen.pull_spec, at, c->p->arena),
				    .tag = tag,
				    .digest = at + 1 };
	c->status->latest_image = chosen.pull_spec;
	return true;
}

static const char *image_of(const struct policy_ref *ref, struct arena *arena)
{
	return arena_printf(arena, "%s:%s%s%s", ref->name, ref->tag, ref->digest ? "@" : "",
			    ref->digest ? ref->digest : "");
}

static bool is_same_ref(const struct policy_ref *a, const struct policy_ref *b)
{
	return text_equal(a->name, b->name) && text_equal(a->tag, b->tag) &&
	       text_equal(a->digest, b->digest);
}

static const char *value_of(const struct marker *marker, const struct policy_status *status)
{
	switch (marker->part) {
	case MARKER_IMAGE:
		return status->latest_image;
	case MARKER_TAG:
		return status->latest.tag;
	case MARKER_NAME:
		return status->latest.name;
	case MARKER_DIGEST:
		return status->latest.digest;
	}
	return NULL;
}

static void edit_markers(struct choosing *c)
{
	const struct list *markers = &c->p->model->markers;
	const struct meta *meta = &c->step->object->meta;

	for (size_t i = 0; i < markers->n; i++) {
		const struct marker *marker = LIST_AT(*markers, struct marker, i);
		const char *value = value_of(marker, c->status);

		if (strcmp(marker->name, meta->name) != 0 || strcmp(marker->ns, meta->ns) != 0 ||
		    !value)
			continue;
		if (!edit_add(c->p, c->step,
			      &(struct image_edit){ .file = marker->file->path,
						    .pos = marker->pos,
						    .what = arena_printf(c->p->arena,
									 "$imagepolicy %s:%s",
									 marker->ns, marker->name),
						    .old_text = marker->value,
						    .new_text = value }))
			return;
	}
}

static bool find_latest(struct choosing *c, struct policy_ref *out)
{
	bool is_stream = !c->place.repository && model_find(c->p->model, KIND_IMAGE_STREAM,
							    c->place.ns, c->spec->repository);

	if (c->place.repository)
		return latest_of_repository(c, out);
	if (is_stream)
		return latest_of_stream(c, out);
	return stop(c, (struct stop){ ERR_ABSENT, false }, "DependencyNotReady",
		    arena_printf(c->p->arena,
				 "neither ImageRepository nor ImageStream '%s/%s' is declared",
				 c->place.ns, c->spec->repository));
}

void rule_policy(struct planner *p, struct step *step)
{
	struct choosing c = { .p = p,
			      .step = step,
			      .spec = step->object->spec,
			      .old = recorded_status(p, step->object),
			      .place = place_of(p->model, step->object),
			      .status = ARENA_NEW(p->arena, struct policy_status) };
	struct policy_ref latest = { 0 };
	bool is_still = c.spec->is_suspended || (c.place.spec && c.place.spec->is_suspended);

	if (c.old)
		*c.status = *c.old;
	step->status = c.old;
	if (!is_still && find_latest(&c, &latest)) {
		step->action = ACTION_RESOLVE;
		step->summary = "latest image";
		if (c.old && c.old->latest.name && !is_same_ref(&latest, &c.old->latest))
			c.status->previous = c.old->latest;
		c.status->latest = latest;
		if (c.place.repository)
			c.status->latest_image = image_of(&latest, p->arena);
		set_ready(&c, NULL, NULL);
		if (!c.old || !is_same_ref(&latest, &c.old->latest)) {
			step->old_value = c.old ? c.old->latest_image : NULL;
			step->new_value = c.status->latest_image;
		}
	}
	/* Also when nobody was asked: what is recorded may not be written yet. */
	if (!step->blocked && !step->unknown.n && c.status->latest.name)
		edit_markers(&c);
	edits_finish(step);
}
