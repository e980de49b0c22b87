/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe.c — one item per query, worked off by a pool. Questions of one thread that go to one account share a registry
 * handle, so that connections and tokens are used again; a thread is told apart by the slot it takes from a list.
 */
#include "reconcile/observe/observe.h"

#include <pthread.h>
#include <string.h>

#include "buildexec/source/access.h"
#include "buildexec/source/source.h"
#include "buildexec/source/source_blob.h"
#include "buildexec/sys/log.h"
#include "buildexec/sys/pool.h"
#include "model/kind/credentials.h"
#include "reconcile/observe/git_answer.h"
#include "reconcile/observe/import_answer.h"

enum { THREADS = 16, THREADS_MAX = 64 };

/* Credentials of one service account; made before the threads start, read-only then. */
struct account {
	struct access access;
	struct registry_access registries;
	struct credentials credentials;
	bool is_usable;
	struct err err;
	/* Open registries that no thread is using now. */
	struct registry_shared *shared;
	pthread_mutex_t lock;
	struct registry *idle[THREADS];
	size_t n_idle;
};

/* What one observation has in common. */
struct watch {
	const struct observe_spec *spec;
	struct quiet *quiet;
	/* Results live in these; one that nobody is using now is taken, so there are no more than threads. */
	pthread_mutex_t lock;
	struct arena *idle[THREADS_MAX];
	size_t n_idle;
	struct observed *out;
};

struct item {
	const struct query *query;
	struct account *account;
	struct arena *arena; /* while it is answered */
	struct fact *fact;
	const struct observe_spec *spec;
	struct watch *watch;
};

static bool read_parts(struct item *item, struct source_spec *source, const char *content,
		       struct err *err);

static struct registry *take_registry(struct account *account, struct err *err)
{
	struct registry *registry = NULL;

	pthread_mutex_lock(&account->lock);
	if (account->n_idle)
		registry = account->idle[--account->n_idle];
	pthread_mutex_unlock(&account->lock);
	if (!registry && !registry_open(&account->registries.rules, account->registries.keychain,
					&registry, err))
		return NULL;
	registry_share(registry, account->shared);
	return registry;
}

static void give_registry(struct account *account, struct registry *registry)
{
	pthread_mutex_lock(&account->lock);
	if (account->n_idle < THREADS) {
		account->idle[account->n_idle++] = registry;
		registry = NULL;
	}
	pthread_mutex_unlock(&account->lock);
	if (registry)
		registry_close(&registry);
}

static bool read_image(struct registry *registry, const struct ref *ref, struct item *item,
		       struct err *err)
{
	const struct platform host = platform_host();
	struct remote_image *image = ARENA_NEW(item->arena, struct remote_image);

	if (!registry_read_image(registry, ref, &host, item->arena, image, err))
		return false;
	item->fact->image_digest = image->ref.digest;
	item->fact->manifest = &image->manifest;
	item->fact->config = &image->config;
	return true;
}

/* HEAD first; the content only when it is not what is recorded, and then by digest: what was resolved is what is read. */
static bool ask_registry(struct registry *registry, struct item *item, struct err *err)
{
	const struct query *query = item->query;
	struct descriptor found;
	struct ref ref;

	if (!ref_parse(query->image, item->arena, &ref, err) ||
	    !registry_resolve(registry, &ref, item->arena, &found, err))
		return false;
	if (!found.digest)
		return err_set(err, ERR_ABSENT, "there is no image '%s'", query->image);
	item->fact->digest = found.digest;
	if (!query->wants_metadata ||
	    (query->known_digest && strcmp(query->known_digest, found.digest) == 0))
		return true;
	ref.digest = found.digest;
	return read_image(registry, &ref, item, err);
}

/* Somebody builds from a folder of the image: it is read by digest, whatever the tag says by then. */
static bool read_image_parts(struct registry *registry, struct item *item, struct err *err)
{
	struct registry_source image = { 0 };
	struct source source = { .registry = &image };
	struct source_spec spec = { .source = &source, .registry = registry };
	struct ref ref;

	if (item->query->sub_paths.n == 0)
		return true;
	if (!ref_parse(item->query->image, item->arena, &ref, err))
		return false;
	image.image = ref_pinned(&ref, item->fact->digest, item->arena);
	return read_parts(item, &spec, item->fact->digest, err);
}

static bool answer_image(struct item *item, struct err *err)
{
	struct registry *registry = take_registry(item->account, err);
	bool is_done;

	if (!registry)
		return false;
	is_done = ask_registry(registry, item, err) && read_image_parts(registry, item, err);
	give_registry(item->account, registry);
	return is_done;
}

static bool answer_git_query(struct item *item, struct err *err)
{
	struct access access = item->account->access;
	const struct git_question question = { .query = item->query,
					       .access = &access,
					       .cache_dir = item->spec->cache_dir };

	if (item->query->proxies) {
		access.http_proxy = item->query->proxies->http_proxy;
		access.https_proxy = item->query->proxies->https_proxy;
		access.no_proxy = item->query->proxies->no_proxy;
	}
	return answer_git(&question, item->arena, item->fact, err);
}

/* The digests of the sub paths, unless they are recorded for this content. */
static bool read_parts(struct item *item, struct source_spec *source, const char *content,
		       struct err *err)
{
	const struct query *query = item->query;

	if (query->sub_paths.n == 0 ||
	    (query->known_parts && strcmp(query->known_parts, content) == 0))
		return true;
	source->content = content;
	source->manifest_dir = query->manifest_dir;
	source->access = &item->account->access;
	source->cache_dir = item->spec->cache_dir;
	return source_parts(source, &query->sub_paths, item->arena, &item->fact->trees, err);
}

static bool answer_local(struct item *item, struct err *err)
{
	struct local_source local = { .path = item->query->path };
	const struct source source = { .local = &local };
	struct source_spec spec = { .source = &source };
	struct digest digest;

	if (!source_local_content(&source, item->query->manifest_dir, &digest, err))
		return false;
	item->fact->content = arena_strdup(item->arena, digest.text);
	return read_parts(item, &spec, item->fact->content, err);
}

static bool answer_blob(struct item *item, struct err *err)
{
	const struct query *query = item->query;
	const struct blob_place place = { .access = &item->account->access,
					  .url = query->url,
					  .auth = query->auth,
					  .cache_dir = item->spec->cache_dir,
					  .is_doubted = query->is_doubted };
	const struct blob_version known = { query->known_content, query->known_validator };
	struct blob_source blob = { .url = query->url,
				    .auth = query->auth,
				    .strip_components = query->strip_components };
	const struct source source = { .blob = &blob };
	struct source_spec spec = { .source = &source };
	struct blob_version now;

	if (!source_blob_resolve(&place, &known, item->arena, &now, err))
		return false;
	item->fact->content = now.content;
	item->fact->validator = now.validator;
	return read_parts(item, &spec, now.content, err);
}

typedef bool import_fn(const struct import_question *question, struct arena *arena,
		       struct fact *out, struct err *err);

static bool answer_stream(struct item *item, import_fn *ask, struct err *err)
{
	struct import_question question = { .query = item->query,
					    .streams = &item->spec->model->settings->streams,
					    .quiet = item->watch->quiet,
					    .timeout_ms = item->spec->timeout_ms };
	bool is_done;

	question.registry = take_registry(item->account, err);
	if (!question.registry)
		return false;
	is_done = ask(&question, item->arena, item->fact, err);
	give_registry(item->account, question.registry);
	return is_done;
}

static bool answer_import_query(struct item *item, struct err *err)
{
	return answer_stream(item, answer_import, err);
}

static bool answer_tags_query(struct item *item, struct err *err)
{
	return answer_stream(item, answer_tags, err);
}

typedef bool answer_fn(struct item *item, struct err *err);
static answer_fn *const answers[QUERY_KINDS] = {
	[QUERY_GIT] = answer_git_query,       [QUERY_IMAGE] = answer_image,
	[QUERY_LOCAL] = answer_local,         [QUERY_BLOB] = answer_blob,
	[QUERY_IMPORT] = answer_import_query, [QUERY_TAGS] = answer_tags_query,
};
_Static_assert(COUNTOF(answers) == QUERY_KINDS, "every question needs an answer");

static struct arena *take_arena(struct watch *watch)
{
	struct arena *arena;

	pthread_mutex_lock(&watch->lock);
	if (watch->n_idle)
		arena = watch->idle[--watch->n_idle];
	else
		arena = watch->out->arenas[watch->out->n_arenas++] = arena_new();
	pthread_mutex_unlock(&watch->lock);
	return arena;
}

static void give_arena(struct watch *watch, struct arena *arena)
{
	pthread_mutex_lock(&watch->lock);
	watch->idle[watch->n_idle++] = arena;
	pthread_mutex_unlock(&watch->lock);
}

static void answer(void *items, size_t i)
{
	struct item *item = &((struct item *)items)[i];
	struct err err = { 0 };

	item->arena = take_arena(item->watch);
	if (item->spec->is_stopping && item->spec->is_stopping())
		err_set(&item->fact->err, ERR_CANCELLED, "stopped before it was asked");
	else if (!item->account->is_usable)
		item->fact->err = item->account->err;
	else if (answers[item->query->kind](item, &err))
		item->fact->is_known = true;
	else
		item->fact->err = err;
	redact_err(&item->fact->err);
	give_arena(item->watch, item->arena);
}

static void open_account(struct account *account, const struct observe_spec *spec,
			 const struct query *query, struct arena *arena)
{
	const struct object_ref who = { .ns = query->ns, .name = query->service_account };
	const struct settings *settings = spec->model->settings;

	*account = (struct account){ .lock = PTHREAD_MUTEX_INITIALIZER,
				     .shared = registry_shared_new() };
	if (query->ns && query->source_secret)
		credentials_collect_build(
			spec->model,
			&(struct build_secrets){ .account = &who,
						 .source = query->source_secret,
						 .source_server =
							 access_git_server(query->url, arena) },
			arena, &account->credentials);
	else if (query->ns)
		credentials_collect_with(spec->model, &who, query->pull_secrets, arena,
					 &account->credentials);
	account->access = (struct access){
		.registries = &settings->registries,
		.credentials = &account->credentials.registry,
		.git_hosts = &settings->git,
		.git_credentials = &account->credentials.git,
		.blob_credentials = &account->credentials.blob,
		.base_dir = spec->base_dir,
		.with_user_credentials = spec->with_user_credentials,
		.with_helpers = settings->allow_helpers,
	};
	account->is_usable =
		access_registries(&account->access, arena, &account->registries, &account->err);
}

static void close_account(struct account *account)
{
	while (account->n_idle)
		registry_close(&account->idle[--account->n_idle]);
	registry_shared_free(&account->shared);
	if (account->is_usable)
		registry_access_release(&account->registries);
	pthread_mutex_destroy(&account->lock);
}

static struct account *account_of(struct map *accounts, const struct query *query,
				  const struct observe_spec *spec, struct arena *arena)
{
	const struct list *secrets = query->pull_secrets;
	const char *key = arena_printf(arena, "%s/%s", query->ns ? query->ns : "",
				       query->service_account ? query->service_account : "");
	struct account *account;

	for (size_t i = 0; secrets && i < secrets->n; i++)
		key = arena_printf(arena, "%s+%s", key, LIST_AT(*secrets, struct named, i)->name);
	if (query->source_secret) /* a login for one server */
		key = arena_printf(arena, "%s@%s@%s", key, query->source_secret, query->url);
	account = map_get(accounts, key);
	if (!account) {
		account = ARENA_NEW(arena, struct account);
		open_account(account, spec, query, arena);
		map_set(arena, accounts, key, account);
	}
	return account;
}

void observe(const struct queries *queries, const struct observe_spec *spec, struct arena *arena,
	     struct observed *out)
{
	size_t n = queries->list.n;
	struct item *items = arena_array(arena, n, sizeof(*items));
	size_t n_threads = spec->threads ? spec->threads : THREADS;
	struct map accounts = { 0 };
	struct watch watch = {
		.spec = spec, .quiet = quiet_new(), .lock = PTHREAD_MUTEX_INITIALIZER, .out = out
	};

	if (n_threads > THREADS_MAX)
		n_threads = THREADS_MAX;
	*out = (struct observed){ .arenas = arena_array(arena, n_threads, sizeof(struct arena *)) };
	for (size_t i = 0; i < n; i++) {
		const struct query *query = queries->list.v[i];
		struct fact *fact = ARENA_NEW(arena, struct fact);

		fact->query = query;
		items[i] = (struct item){ .query = query,
					  .account = account_of(&accounts, query, spec, arena),
					  .fact = fact,
					  .spec = spec,
					  .watch = &watch };
		map_set(arena, &out->facts.by_key, query->key, fact);
	}
	pool_each(n_threads, n, answer, items);
	for (size_t i = 0; i < accounts.n; i++)
		close_account(accounts.items[i].value);
	pthread_mutex_destroy(&watch.lock);
	quiet_free(&watch.quiet);
}

void observed_release(struct observed *observed)
{
	for (size_t i = 0; i < observed->n_arenas; i++)
		arena_free(observed->arenas[i]);
	observed->n_arenas = 0;
}
