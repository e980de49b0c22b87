/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_import.c — --repo=HOST:PORT/REPO --tags=N [--rounds=N]: what the tags t0 … t<N-1> point at, asked as for image streams,
 * beside a bare loop on libcurl's multi interface that sends the same HEAD requests. For bench_import.sh, which makes them.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/proc.h"
#include "model/kind/settings.h"
#include "reconcile/observe/observe.h"
#include "tests/bench/contest.h"

enum { CONNECTIONS = 16 };

extern char **environ;

struct world {
	const char *repo;
	size_t n;
	struct arena *arena;
	struct model model;
	const char **names, **urls, **digests;
	bool is_known;
};

static size_t drop(char *bytes, size_t size, size_t n, void *ctx)
{
	(void)bytes;
	(void)ctx;
	return size * n;
}

static CURL *head_of(struct curl_slist *headers)
{
	CURL *easy = curl_easy_init();

	curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	return easy;
}

/* The next URL on a handle that is free; false when none is left. */
static bool next(const struct world *world, CURLM *multi, CURL *easy, size_t *at)
{
	if (*at == world->n)
		return false;
	curl_easy_setopt(easy, CURLOPT_URL, world->urls[(*at)++]);
	curl_multi_add_handle(multi, easy);
	return true;
}

static bool bare_heads(void *ctx, struct err *err)
{
	const struct world *world = ctx;
	CURLM *multi = curl_multi_init();
	struct curl_slist *headers =
		curl_slist_append(NULL, "Accept: " MEDIA_OCI_MANIFEST ", " MEDIA_OCI_INDEX
					", " MEDIA_DOCKER_MANIFEST ", " MEDIA_DOCKER_LIST);
	size_t at = 0, n_done = 0;
	int n_running = 1, n_left;

	for (int i = 0; i < CONNECTIONS; i++)
		(void)next(world, multi, head_of(headers), &at);
	while (n_done < world->n) {
		const CURLMsg *message;

		curl_multi_perform(multi, &n_running);
		while ((message = curl_multi_info_read(multi, &n_left))) {
			CURL *easy = message->easy_handle;
			long status = 0;

			curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
			if (status != 200)
				return err_set(err, ERR_INVALID, "a HEAD was answered %ld", status);
			n_done++;
			curl_multi_remove_handle(multi, easy);
			if (!next(world, multi, easy, &at))
				curl_easy_cleanup(easy);
		}
		if (n_done < world->n)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	curl_multi_cleanup(multi);
	curl_slist_free_all(headers);
	return true;
}

static void make_queries(const struct world *world, bool is_known, struct queries *out)
{
	*out = (struct queries){ 0 };
	for (size_t i = 0; i < world->n; i++) {
		struct query *query = ARENA_NEW(world->arena, struct query);

		*query = (struct query){ .kind = QUERY_IMPORT,
					 .key = world->names[i],
					 .image = world->names[i],
					 .known_digest = is_known ? world->digests[i] : NULL };
		vec_push(world->arena, &out->list, query);
		map_set(world->arena, &out->by_key, query->key, query);
	}
}

static bool ask(struct world *world, bool is_known, bool with_digests, struct err *err)
{
	const struct observe_spec spec = { .model = &world->model,
					   .cache_dir = "/nonexistent",
					   .base_dir = "/" };
	struct observed observed;
	struct queries queries;
	bool is_done = true;

	make_queries(world, is_known, &queries);
	observe(&queries, &spec, world->arena, &observed);
	for (size_t i = 0; i < world->n && is_done; i++) {
		const struct fact *fact = fact_find(&observed.facts, world->names[i]);

		if (!fact->is_known)
			is_done = err_set(err, fact->err.kind, "%s", fact->err.text);
		else if (!is_known != (fact->record != NULL))
			is_done = err_set(err, ERR_INVALID, "%s: not what was asked for",
					  world->names[i]);
		else if (with_digests)
			world->digests[i] = arena_strdup(world->arena, fact->digest);
	}
	observed_release(&observed);
	return is_done;
}

static bool unmoved(void *ctx, struct err *err)
{
	return ask(ctx, true, false, err);
}

static bool all_new(void *ctx, struct err *err)
{
	return ask(ctx, false, false, err);
}

static void make_world(struct world *world)
{
	const char *slash = strchr(world->repo, '/');

	world->arena = arena_new();
	model_init(&world->model, world->arena);
	world->names = arena_array(world->arena, world->n, sizeof(char *));
	world->urls = arena_array(world->arena, world->n, sizeof(char *));
	world->digests = arena_array(world->arena, world->n, sizeof(char *));
	for (size_t i = 0; i < world->n; i++) {
		world->names[i] = arena_printf(world->arena, "%s:t%zu", world->repo, i);
		world->urls[i] =
			arena_printf(world->arena, "http://%.*s/v2/%s/manifests/t%zu",
				     (int)(slash - world->repo), world->repo, slash + 1, i);
	}
}

int main(int argc, char **argv)
{
	const char *tags = bench_option(argc, argv, "--tags"),
		   *rounds = bench_option(argc, argv, "--rounds");
	struct world world = { .repo = bench_option(argc, argv, "--repo") };
	struct entrant entrants[] = {
		{ "bare libcurl multi: the same HEADs", bare_heads, NULL, &world },
		{ "observe, no tag moved: HEAD", unmoved, NULL, &world },
		{ "observe, all new: HEAD, manifest, config", all_new, NULL, &world },
	};
	struct err err = { 0 };

	if (!world.repo || !strchr(world.repo, '/') || !tags)
		bench_die("usage: bench_import --repo=HOST:PORT/REPO --tags=N [--rounds=N]");
	proc_set_environment((const char *const *)environ);
	world.n = strtoul(tags, NULL, 10);
	make_world(&world);
	if (!ask(&world, false, true, &err))
		bench_die("%s", err.text);
	contest_run(entrants, COUNTOF(entrants), rounds ? (unsigned)strtoul(rounds, NULL, 10) : 9);
	contest_print(arena_printf(world.arena, "%zu tags of one docker-registry, %d connections",
				   world.n, CONNECTIONS),
		      entrants, COUNTOF(entrants), &entrants[0]);
	contest_goal("HEADs beside the bare loop", entrants[1].wall_ms / entrants[0].wall_ms, 1.3,
		     "x");
	arena_free(world.arena);
	return 0;
}
