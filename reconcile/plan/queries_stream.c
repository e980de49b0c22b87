/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queries_stream.c — what streams ask: tags to be imported, repositories to be listed, images that were pushed and of which
 * nothing is recorded. Credentials are those of the namespace: its service account "default" and its secrets of Docker's
 * types, unless a secret is excluded (openshift.md §2.1 openshift.io/image.excludeSecret).
 */
#include <stdlib.h>
#include <string.h>

#include "model/base/buf.h"
#include "model/base/limits.h"
#include "model/kind/secret.h"
#include "model/oci/docker_ref.h"
#include "reconcile/plan/queries.h"

/* Whose credentials a namespace's imports use. */
struct stream_account {
	const char *ns, *name; /* of the service account; both NULL: nobody's */
	struct list secrets;   /* struct named */
	const char *key;       /* name and secrets, for keys of questions */
};

static bool is_pull_secret(const struct object *object, const char *ns)
{
	const struct secret_spec *secret = object->spec;
	const char *excluded = pairs_get(&object->meta.annotations, ANNOTATION_EXCLUDE_SECRET);

	if (object->kind != KIND_SECRET || strcmp(object->meta.ns, ns) != 0)
		return false;
	if (!text_equal(secret->type, SECRET_DOCKER_CONFIG_JSON) &&
	    !text_equal(secret->type, SECRET_DOCKER_CFG))
		return false;
	return !text_equal(excluded, "true");
}

static const struct stream_account *account_for(struct stream_world *world, const char *ns)
{
	struct stream_account *account = map_get(&world->accounts, ns);
	VEC(struct named) secrets = { 0 };

	if (account)
		return account;
	account = ARENA_NEW(world->arena, struct stream_account);
	account->name = account_named(world->model, ns, "default").name;
	account->key = account->name ? account->name : "";
	for (size_t i = 0; i < world->model->objects.n; i++) {
		const struct object *object = world->model->objects.v[i];

		if (!is_pull_secret(object, ns))
			continue;
		vec_push(world->arena, &secrets, (struct named){ .name = object->meta.name });
		account->key = arena_printf(world->arena, "%s+%s", account->key, object->meta.name);
	}
	account->secrets = (struct list){ secrets.v, secrets.n };
	account->ns = account->name || secrets.n > 0 ? ns : NULL;
	map_set(world->arena, &world->accounts, ns, account);
	return account;
}

/* Name of the account and its secrets, as account_of_source has it. */
static const char *account_key(const struct query *query, struct arena *arena)
{
	const char *key = query->service_account ? query->service_account : "";

	for (size_t i = 0; query->pull_secrets && i < query->pull_secrets->n; i++)
		key = arena_printf(arena, "%s+%s", key,
				   LIST_AT(*query->pull_secrets, struct named, i)->name);
	return key;
}

/* "insecure,whole,os=linux,arch=arm64": how it is imported, "" in the usual way. */
static const char *manner(const struct query *query, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(LIMIT_HTTP_HEADERS);

	if (query->is_insecure)
		buf_puts(&text, ",insecure");
	if (query->is_whole)
		buf_puts(&text, ",whole");
	if (query->prefer.os)
		buf_printf(&text, ",os=%s", query->prefer.os);
	if (query->prefer.arch)
		buf_printf(&text, ",arch=%s", query->prefer.arch);
	return text.len > 0 ? buf_copy(&text, arena) + 1 : "";
}

static char *key_of(const struct query *query, const char *word, struct arena *arena)
{
	const char *const parts[] = { word, query->image, manner(query, arena) };

	return query_key_make(parts, parts[2][0] ? 3 : 2, query->ns, account_key(query, arena),
			      arena);
}

char *query_key_import(const struct query *query, struct arena *arena)
{
	return key_of(query, "import", arena);
}

char *query_key_tags(const struct query *query, struct arena *arena)
{
	return key_of(query, "tags", arena);
}

char *import_reference(const char *image, const char *digest, struct arena *arena)
{
	struct docker_ref ref;
	struct err err = { 0 };

	if (!image || !docker_ref_parse(image, arena, &ref, &err))
		return NULL;
	ref.tag = "";
	ref.id = digest;
	return docker_ref_format(&ref, arena);
}

char *stream_repository(const struct model *model, const char *ns, const char *name,
			struct arena *arena)
{
	const char *registry = model->settings->streams.registry;

	return registry ? arena_printf(arena, "%s/%s/%s", registry, ns, name) : NULL;
}

static void query_fill(struct stream_world *world, const struct object *object, const char *image,
		       struct query *out)
{
	const struct stream_account *account = account_for(world, object->meta.ns);

	out->image = image;
	out->ns = account->ns;
	out->service_account = account->name;
	out->pull_secrets = account->secrets.n > 0 ? &account->secrets : NULL;
}

void import_query(struct stream_world *world, const struct object *object,
		  const struct import_ask *ask, struct query *out)
{
	const struct settings_streams *settings = &world->model->settings->streams;
	const char *mode =
		ask->import_mode && ask->import_mode[0] ? ask->import_mode : settings->import_mode;

	query_fill(world, object, ask->image, out);
	out->is_insecure = ask->is_insecure;
	out->is_whole = text_equal(mode, IMPORT_PRESERVE);
	out->wants_metadata = true;
	if (ask->annotations && !out->is_whole) {
		out->prefer.os =
			pairs_get(ask->annotations, "importer.image.openshift.io/prefer-os");
		out->prefer.arch =
			pairs_get(ask->annotations, "importer.image.openshift.io/prefer-arch");
	}
}

const struct fact *import_fact(struct stream_world *world, const struct object *object,
			       const struct import_ask *ask)
{
	struct query query = { .kind = QUERY_IMPORT };

	if (!world->facts)
		return NULL;
	import_query(world, object, ask, &query);
	return fact_find(world->facts, query_key_import(&query, world->arena));
}

const struct fact *repository_fact(struct stream_world *world, const struct object *object,
				   const struct import_item *item)
{
	struct query query = { .kind = QUERY_TAGS, .is_insecure = item->is_insecure };

	if (!world->facts)
		return NULL;
	query_fill(world, object, item->from.name, &query);
	return fact_find(world->facts, query_key_tags(&query, world->arena));
}

struct import_ask tag_ask(const struct tag_ref *ref)
{
	return (struct import_ask){ ref->from->name, ref->is_insecure, ref->import_mode,
				    &ref->annotations };
}

struct import_ask item_ask(const struct import_item *item)
{
	return (struct import_ask){ item->from.name, item->is_insecure, item->import_mode, NULL };
}

static const char *image_pushed(const struct image_status *status, const char *reference)
{
	if (!status->latest_image || !strings_has(&status->tags, reference))
		return NULL;
	return pin_digest(status->latest_image);
}

static const char *build_pushed(const struct build_config_status *status, const char *reference)
{
	return text_equal(status->output_reference, reference) ? pin_digest(status->output_image)
							       : NULL;
}

const char *pushed_digest(const struct pusher *pusher, const void *status)
{
	if (!status)
		return NULL;
	return kind_has_builds(pusher->image->kind) ? build_pushed(status, pusher->reference)
						    : image_pushed(status, pusher->reference);
}

/* ---- asking ---- */

void streams_begin(struct asking *a, const struct planner *p)
{
	a->options = p->options;
	stream_world_init(&a->streams, p);
	a->streams.options = &a->options;
	pushers_index(&a->streams);
}

/*
 * `known` is a digest whose image is recorded: when the reference still points there, no metadata is needed. What several
 * askers know counts only where they agree.
 */
static struct query *ask_import(struct asking *a, const struct object *object,
				const struct import_ask *what, const char *known)
{
	struct query draft = { .kind = QUERY_IMPORT }, *query;
	const char *key;
	bool is_new;

	import_query(&a->streams, object, what, &draft);
	key = query_key_import(&draft, a->arena);
	query = ask(a, QUERY_IMPORT, key, object, &is_new);
	if (is_new) {
		draft.key = key;
		draft.asker = object;
		draft.known_digest = known;
		*query = draft;
	} else if (!text_equal(query->known_digest, known)) {
		query->known_digest = NULL;
	}
	return query;
}

/* Only what this very source gave before: another one must be read in full. */
static const char *known_of(const struct draft *d, const struct draft_tag *tag, enum wish wish)
{
	const struct tag_history *history = draft_history(d, tag->ref.name);
	const struct tag_event *top = history_top(history);
	const char *reference;

	if (wish == WISH_NEW || !top || !top->image[0])
		return NULL;
	reference = import_reference(tag->ref.from->name, top->image, d->arena);
	if (!text_equal(reference, top->reference))
		return NULL;
	return history->source_digest ? history->source_digest : top->image;
}

static void ask_tags(struct asking *a, const struct draft *d)
{
	for (size_t i = 0; i < d->spec.n; i++) {
		const struct draft_tag *tag = d->spec.v[i];
		enum wish wish = tag_is_import(&tag->ref) ? draft_wish(d, tag) : WISH_NONE;
		struct import_ask what;
		struct query *query;

		if (wish == WISH_NONE)
			continue;
		what = tag_ask(&tag->ref);
		query = ask_import(a, d->object, &what, known_of(d, tag, wish));
		vec_push(a->arena, &query->tags,
			 arena_printf(a->arena, "%s/%s:%s", d->object->meta.ns,
				      d->object->meta.name, tag->ref.name));
	}
}

static void ask_documents(struct asking *a, const struct draft *d)
{
	for (size_t i = 0; i < d->manifest->imports.n; i++) {
		const struct stream_import_spec *spec = d->manifest->imports.v[i]->spec;

		if (d->old && spec->key && strings_has(&d->old->answered, spec->key))
			continue;
		for (size_t k = 0; k < spec->images.n; k++) {
			struct import_ask what =
				item_ask(LIST_AT(spec->images, struct import_item, k));

			ask_import(a, d->object, &what, NULL);
		}
	}
}

static void ask_repositories(struct asking *a, const struct draft *d)
{
	for (size_t i = 0; i < d->repositories.n; i++) {
		const struct draft_repository *repository = &d->repositories.v[i];
		struct query draft = { .kind = QUERY_TAGS,
				       .is_insecure = repository->item.is_insecure };
		struct query *query;
		bool is_new;

		if (!repository->is_wanted)
			continue;
		query_fill(&a->streams, d->object, repository->item.from.name, &draft);
		draft.key = query_key_tags(&draft, a->arena);
		draft.asker = d->object;
		query = ask(a, QUERY_TAGS, draft.key, d->object, &is_new);
		if (is_new)
			*query = draft;
	}
}

/* What was pushed before this run and the stream has not taken: its image is looked at once. */
static void ask_pushed(struct asking *a, const struct draft *d)
{
	const struct pushers *pushers = map_get(&a->streams.pushers, d->object->id);

	for (size_t i = 0; pushers && i < pushers->list.n; i++) {
		const struct pusher *pusher = &pushers->list.v[i];
		const char *digest =
			pushed_digest(pusher, state_status(a->state, pusher->image->id));
		struct import_ask what = { .import_mode = IMPORT_PRESERVE };

		if (!digest || draft_is_deleted(d, pusher->tag) ||
		    text_equal(history_push(draft_history(d, pusher->tag), pusher->image->id),
			       digest) ||
		    image_is_recorded(&a->streams, digest))
			continue;
		what.image = arena_printf(a->arena, "%s@%s",
					  stream_repository(a->model, d->object->meta.ns,
							    d->object->meta.name, a->arena),
					  digest);
		ask_import(a, d->object, &what, NULL);
	}
}

void ask_stream(struct asking *a, const struct object *object)
{
	struct draft d;

	draft_begin(&d, &a->streams, object, NULL, a->arena);
	ask_tags(a, &d);
	ask_documents(a, &d);
	ask_repositories(a, &d);
	ask_pushed(a, &d);
}

/* Due times were looked at before; here only what repositories brought is new. */
void follow_stream(struct asking *a, const struct object *object)
{
	const struct stream_spec *spec = object->spec;
	bool has_repository = spec->repository != NULL;
	struct draft d;

	for (size_t i = 0; i < spec->imports.n; i++)
		has_repository |=
			((const struct stream_import_spec *)spec->imports.v[i]->spec)->repository !=
			NULL;
	if (!has_repository)
		return;
	draft_begin(&d, &a->streams, object, NULL, a->arena);
	for (size_t i = 0; i < d.spec.n; i++) {
		const struct draft_tag *tag = d.spec.v[i];
		struct import_ask what;

		if (tag->origin != ORIGIN_REPOSITORY || draft_wish(&d, tag) != WISH_NEW)
			continue;
		what = tag_ask(&tag->ref);
		ask_import(a, object, &what, NULL);
	}
}
