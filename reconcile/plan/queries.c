/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queries.c — every distinct question of a model, once. Questions are equal when subject and credentials are; what several
 * askers know is kept only where they agree, so that an answer serves all of them.
 */
#include <stdlib.h>
#include <string.h>

#include "reconcile/plan/follow.h"
#include "reconcile/plan/image_compare.h"
#include "reconcile/plan/labels.h"
#include "reconcile/plan/queries.h"

/* A key's parts must not run into each other: blanks, controls and '%' are escaped as in URLs. */
static void key_part(struct buf *key, const char *part)
{
	for (const char *c = part ? part : ""; *c; c++) {
		unsigned char byte = (unsigned char)*c;

		if (byte <= ' ' || byte == '%' || byte == 0x7f)
			buf_printf(key, "%%%02X", byte);
		else
			buf_byte(key, *c);
	}
}

char *query_key_make(const char *const *parts, size_t n, const char *ns, const char *account,
		     struct arena *arena)
{
	size_t max = 64;
	AUTO_BUF key = { 0 };

	for (size_t i = 0; i < n; i++)
		max += parts[i] ? 3 * strlen(parts[i]) + 1 : 1;
	max += ns && account ? 3 * (strlen(ns) + strlen(account)) : 0;
	key.max = max;
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(&key, ' ');
		key_part(&key, parts[i]);
	}
	if (ns && account) {
		buf_byte(&key, ' ');
		key_part(&key, ns);
		buf_byte(&key, '/');
		key_part(&key, account);
	}
	return buf_copy(&key, arena);
}

char *query_key_git(const char *url, const char *revision, const char *ns, const char *account,
		    struct arena *arena)
{
	const char *const parts[] = { "git", url, revision };

	return query_key_make(parts, COUNTOF(parts), ns, account, arena);
}

char *query_key_image(const char *image, const char *ns, const char *account, struct arena *arena)
{
	const char *const parts[] = { "image", image };

	return query_key_make(parts, COUNTOF(parts), ns, account, arena);
}

char *query_key_local(const char *dir, const char *path, struct arena *arena)
{
	const char *const parts[] = { "local", dir, path };

	return query_key_make(parts, COUNTOF(parts), NULL, NULL, arena);
}

char *query_key_blob(const struct blob_source *blob, const char *ns, const char *account,
		     struct arena *arena)
{
	const bool has_auth = blob->auth && *blob->auth;
	const char *const parts[] = { "blob", blob->url, has_auth ? blob->auth : "",
				      arena_printf(arena, "%lld",
						   (long long)blob->strip_components) };

	/* Without credentials it does not matter who asks. */
	return query_key_make(parts, COUNTOF(parts), has_auth ? ns : NULL,
			      has_auth ? account : NULL, arena);
}

const struct fact *fact_find(const struct facts *facts, const char *key)
{
	return facts ? map_get(&facts->by_key, key) : NULL;
}

struct query *ask(struct asking *a, enum query_kind kind, const char *key,
		  const struct object *asker, bool *is_new)
{
	struct query *query = map_get(&a->out->by_key, key);

	*is_new = !query;
	if (query)
		return query;
	query = ARENA_NEW(a->arena, struct query);
	query->kind = kind;
	query->key = key;
	query->asker = asker;
	map_set(a->arena, &a->out->by_key, key, query);
	vec_push(a->arena, &a->out->list, query);
	return query;
}

struct account account_of_source(const struct model *model, const struct object *object,
				 struct arena *arena)
{
	const struct image_spec *spec = object->spec;
	const struct list *secrets = &spec->source.registry->pull_secrets;
	struct account account = account_of(model, object);

	for (size_t i = 0; i < secrets->n; i++) {
		const char *name = LIST_AT(*secrets, struct named, i)->name;

		account.ns = object->meta.ns;
		account.name = arena_printf(arena, "%s+%s", account.name ? account.name : "",
					    name ? name : "");
	}
	return account;
}

struct image_question {
	const char *image;
	const char *known; /* its metadata is recorded */
	bool wants_metadata;
};

static void ask_image(struct asking *a, const struct object *asker, struct image_question q)
{
	struct account account = account_of(a->model, asker);
	struct query *query;
	const char *key;
	bool is_new;

	if (!q.image)
		return;
	key = query_key_image(q.image, account.ns, account.name, a->arena);
	query = ask(a, QUERY_IMAGE, key, asker, &is_new);
	query->image = q.image;
	query->ns = account.ns;
	query->service_account = account.name;
	if (!q.wants_metadata)
		return;
	if (!query->wants_metadata)
		query->known_digest = q.known;
	else if (query->known_digest && !(q.known && strcmp(query->known_digest, q.known) == 0))
		query->known_digest = NULL;
	query->wants_metadata = true;
}

bool stack_is_usable(const struct stack_spec *spec, const struct stack_status *status)
{
	return status && condition_is_true(&status->conditions, "Ready") && status->id &&
	       text_equal(status->id, spec->id) && pin_known(&status->build, spec->build_image) &&
	       pin_known(&status->run, spec->run_image);
}

bool lifecycle_is_usable(const struct buildpack_spec *spec, const struct lifecycle_status *status)
{
	return status && condition_is_true(&status->conditions, "Ready") && status->version &&
	       pin_known(&status->image, spec->image);
}

const struct image_pin *store_pin(const struct store_status *status, const char *image)
{
	const struct image_pin *found = NULL;

	for (size_t i = 0; status && i < status->sources.n && !found; i++) {
		const struct image_pin *pin = LIST_AT(status->sources, struct image_pin, i);

		if (pin_known(pin, image))
			found = pin;
	}
	for (size_t i = 0; found && i < status->buildpacks.n; i++) {
		const struct store_buildpack *bp =
			LIST_AT(status->buildpacks, struct store_buildpack, i);

		if (text_equal(bp->store_image, found->latest))
			return found;
	}
	return NULL;
}

bool image_trees_are_known(const struct source *source, const struct attempt *last)
{
	return last && last->git_tree && last->source.git && source->git &&
	       text_equal(last->source.git->url, source->git->url) &&
	       text_equal(last->source.sub_path, source->sub_path);
}

static void ask_stack(struct asking *a, const struct object *object)
{
	const struct stack_spec *spec = object->spec;
	const struct stack_status *status = state_status(a->state, object->id);
	bool is_usable = stack_is_usable(spec, status);
	const char *build = is_usable ? pin_known(&status->build, spec->build_image) : NULL;
	const char *run = is_usable ? pin_known(&status->run, spec->run_image) : NULL;

	ask_image(a, object, (struct image_question){ spec->build_image, build, true });
	ask_image(a, object, (struct image_question){ spec->run_image, run, true });
}

static void ask_store(struct asking *a, const struct object *object)
{
	const struct store_spec *spec = object->spec;
	const struct store_status *status = state_status(a->state, object->id);

	for (size_t i = 0; i < spec->sources.n; i++) {
		const char *image = LIST_AT(spec->sources, struct image_source, i)->image;

		ask_image(a, object,
			  (struct image_question){
				  image, pin_known(store_pin(status, image), image), true });
	}
}

static void ask_buildpack(struct asking *a, const struct object *object)
{
	const struct buildpack_spec *spec = object->spec;
	const struct store_status *status = state_status(a->state, object->id);

	ask_image(a, object,
		  (struct image_question){ spec->image,
					   pin_known(store_pin(status, spec->image), spec->image),
					   true });
}

static void ask_lifecycle(struct asking *a, const struct object *object)
{
	const struct buildpack_spec *spec = object->spec;
	const struct lifecycle_status *status = state_status(a->state, object->id);
	bool is_usable = lifecycle_is_usable(spec, status);

	ask_image(a, object,
		  (struct image_question){
			  spec->image, is_usable ? pin_known(&status->image, spec->image) : NULL,
			  true });
}

/* A ready-made builder names its run image in a label only, so its labels are read every time (queries_follow). */
static void ask_builder(struct asking *a, const struct object *object)
{
	const struct builder_spec *spec = object->spec;

	ask_image(a, object, (struct image_question){ spec->image, NULL, true });
}

static void ask_git(struct asking *a, const struct object *object, const struct source *source,
		    const struct attempt *last)
{
	struct account account = account_of(a->model, object);
	const char *sub_path = sub_path_clean(source->sub_path, a->arena);
	const char *known = image_trees_are_known(source, last) ? last->source.git->revision : NULL;
	const char *url = git_location(source->git->url, object, a->arena);
	bool is_new;
	struct query *query =
		ask(a, QUERY_GIT,
		    query_key_git(url, source->git->revision, account.ns, account.name, a->arena),
		    object, &is_new);

	query->url = url;
	query->revision = source->git->revision;
	query->ns = account.ns;
	query->service_account = account.name;
	if (!sub_path[0])
		return;
	if (query->sub_paths.n == 0)
		query->known_commit = known;
	else if (query->known_commit && !(known && strcmp(query->known_commit, known) == 0))
		query->known_commit = NULL;
	vec_push(a->arena, &query->sub_paths, sub_path);
}

/* Parts are recorded for all who ask, or they are read for all. */
static void want_part(struct asking *a, struct query *query, const struct source *source,
		      const struct attempt *last)
{
	const char *sub_path = sub_path_clean(source->sub_path, a->arena);
	const char *known;

	if (!sub_path[0])
		return;
	known = image_part_known(source, last, a->arena);
	if (query->sub_paths.n == 0)
		query->known_parts = known;
	else if (!text_equal(query->known_parts, known))
		query->known_parts = NULL;
	vec_push(a->arena, &query->sub_paths, sub_path);
}

static void ask_local(struct asking *a, const struct object *object, const struct source *source,
		      const struct attempt *last)
{
	const char *dir = manifest_dir(object, a->arena);
	bool is_new;
	struct query *query =
		ask(a, QUERY_LOCAL, query_key_local(dir, source->local->path, a->arena), object,
		    &is_new);

	query->path = source->local->path;
	query->manifest_dir = dir;
	want_part(a, query, source, last);
}

static void ask_registry(struct asking *a, const struct object *object, const struct source *source,
			 const struct attempt *last)
{
	struct account account = account_of_source(a->model, object, a->arena);
	const struct list *secrets = &source->registry->pull_secrets;
	bool is_new;
	struct query *query =
		ask(a, QUERY_IMAGE,
		    query_key_image(source->registry->image, account.ns, account.name, a->arena),
		    object, &is_new);

	query->image = source->registry->image;
	query->ns = account.ns;
	query->service_account = account_of(a->model, object).name;
	query->pull_secrets = secrets->n ? secrets : NULL;
	want_part(a, query, source, last);
}

/*
 * A build that could not use what it was given, and did not fail by itself: the archive may have been damaged on its way, and
 * an ETag that is the same would keep it so for ever.
 */
static bool is_doubtful(const struct attempt *last)
{
	return last && last->failure && text_equal(last->result, "Failed") &&
	       (strcmp(last->failure, err_kind_name(ERR_INVALID)) == 0 ||
		strcmp(last->failure, err_kind_name(ERR_CONFLICT)) == 0);
}

static void ask_blob(struct asking *a, const struct object *object, const struct source *source,
		     const struct attempt *last)
{
	struct account account = account_of(a->model, object);
	const struct blob_source *blob = source->blob, *old = last ? last->source.blob : NULL;
	const char *content = NULL, *validator = NULL;
	bool is_new;
	struct query *query =
		ask(a, QUERY_BLOB, query_key_blob(blob, account.ns, account.name, a->arena), object,
		    &is_new);

	query->url = blob->url;
	query->auth = blob->auth;
	query->strip_components = blob->strip_components;
	query->ns = account.ns;
	query->service_account = account.name;
	query->is_doubted |= is_doubtful(last);
	if (old && text_equal(old->url, blob->url) && last->content && last->validator &&
	    !query->is_doubted) {
		content = last->content;
		validator = last->validator;
	}
	if (is_new || text_equal(query->known_validator, validator)) {
		query->known_content = content;
		query->known_validator = validator;
	} else {
		query->known_content = query->known_validator = NULL;
	}
	want_part(a, query, source, last);
}

static void ask_source(struct asking *a, const struct object *object)
{
	const struct source *source = &((const struct image_spec *)object->spec)->source;
	const struct image_status *status = state_status(a->state, object->id);
	const struct attempt *last = status ? status->last : NULL;

	if (source->git)
		ask_git(a, object, source, last);
	if (source->registry)
		ask_registry(a, object, source, last);
	if (source->local)
		ask_local(a, object, source, last);
	if (source->blob)
		ask_blob(a, object, source, last);
}

/* Run images that image extensions chose. */
static void ask_chosen_run(struct asking *a, const struct object *object)
{
	const struct image_status *status = state_status(a->state, object->id);
	const struct attempt *success = status ? image_success(status) : NULL;

	if (success)
		ask_image(a, object, (struct image_question){ success->chosen_run.image });
}

static void ask_of_image(struct asking *a, const struct object *object)
{
	ask_source(a, object);
	ask_chosen_run(a, object);
}

static void (*const askers[KINDS])(struct asking *a, const struct object *object) = {
	[KIND_CLUSTER_STACK] = ask_stack,         [KIND_CLUSTER_STORE] = ask_store,
	[KIND_BUILDPACK] = ask_buildpack,         [KIND_CLUSTER_BUILDPACK] = ask_buildpack,
	[KIND_CLUSTER_LIFECYCLE] = ask_lifecycle, [KIND_BUILDER] = ask_builder,
	[KIND_CLUSTER_BUILDER] = ask_builder,     [KIND_IMAGE] = ask_of_image,
	[KIND_IMAGE_STREAM] = ask_stream,         [KIND_BUILD_CONFIG] = ask_build_config,
	[KIND_BUILD] = ask_build_config,
};

static int compare_queries(const void *a, const void *b)
{
	return strcmp((*(struct query *const *)a)->key, (*(struct query *const *)b)->key);
}

static void sort_unique(struct strings *list)
{
	size_t n = 0;

	if (list->n < 2)
		return;
	qsort(list->v, list->n, sizeof(*list->v), strings_compare);
	for (size_t i = 0; i < list->n; i++) {
		if (n == 0 || strcmp(list->v[n - 1], list->v[i]) != 0)
			list->v[n++] = list->v[i];
	}
	list->n = n;
}

static void finish(struct queries *out)
{
	for (size_t i = 0; i < out->list.n; i++)
		sort_unique(&out->list.v[i]->sub_paths);
	if (out->list.n > 1)
		qsort(out->list.v, out->list.n, sizeof(*out->list.v), compare_queries);
}

void queries_make(const struct model *model, const struct state *state,
		  const struct plan_options *options, struct arena *arena, struct queries *out)
{
	struct asking a = { .model = model, .state = state, .arena = arena, .out = out };

	*out = (struct queries){ 0 };
	streams_begin(
		&a, &(struct planner){
			    .model = model, .state = state, .options = *options, .arena = arena });
	for (size_t i = 0; i < model->objects.n; i++) {
		const struct object *object = model->objects.v[i];

		if (askers[object->kind])
			askers[object->kind](&a, object);
		if (object->kind == KIND_IMAGE_POLICY)
			policy_ask(model, object, arena, out);
	}
	finish(out);
}

/* The run image that a ready-made builder names. */
static void follow_builder(struct asking *a, const struct facts *facts, const struct object *object)
{
	const struct builder_spec *spec = object->spec;
	struct account account = account_of(a->model, object);
	struct builder_labels labels;
	struct err err = { 0 };
	const struct fact *fact;

	if (!spec->image)
		return;
	fact = fact_find(facts, query_key_image(spec->image, account.ns, account.name, a->arena));
	if (fact && fact->is_known && fact->config &&
	    labels_builder(&fact->config->labels, a->arena, &labels, &err))
		ask_image(a, object, (struct image_question){ labels.run_image, NULL, false });
}

void queries_follow(const struct model *model, const struct state *state, const struct facts *facts,
		    struct arena *arena, struct queries *out)
{
	struct asking a = { .model = model, .state = state, .arena = arena, .out = out };

	*out = (struct queries){ 0 };
	streams_begin(&a, &(struct planner){
				  .model = model, .state = state, .facts = facts, .arena = arena });
	for (size_t i = 0; i < model->objects.n; i++) {
		const struct object *object = model->objects.v[i];

		if (object->kind == KIND_BUILDER || object->kind == KIND_CLUSTER_BUILDER)
			follow_builder(&a, facts, object);
		else if (object->kind == KIND_IMAGE_STREAM)
			follow_stream(&a, object);
		else if (object->kind == KIND_IMAGE_POLICY)
			policy_follow(model, state, facts, object, arena, out);
	}
	finish(out);
	for (size_t i = 0; i < out->list.n;) {
		if (!fact_find(facts, out->list.v[i]->key)) {
			i++;
			continue;
		}
		memmove(&out->list.v[i], &out->list.v[i + 1],
			(out->list.n - i - 1) * sizeof(*out->list.v));
		out->list.n--;
	}
}
