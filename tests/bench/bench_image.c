/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_image.c — what scripts measure of images, one job for each run:
 *   tree FOLDER MEGABYTES SEED       files as of a layer (fixture_tree.h)
 *   blobs IMAGE STORE                fetches the blobs of all layers, several at once, into a layer store
 *   unpack IMAGE STORE               makes the layers ready to be mounted; fetches those whose blobs are not there
 *   copy IMAGE LAYOUTS               the image into a layout below that folder (as registry.local/…)
 * IMAGE is a reference to a registry on this machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/image/assemble.h"
#include "buildexec/registry/keychain.h"
#include "buildexec/sys/pool.h"
#include "model/base/vec.h"
#include "tests/bench/contest.h"
#include "tests/bench/fixture_tree.h"

struct bench {
	struct arena *arena;
	struct registry_rules rules;
	struct registry_shared *shared;
	struct remote_image image;
	const char *place;
};

enum { MB = 1000 * 1000, TRANSFERS = 4 };

static struct registry *open_registry(struct bench *bench)
{
	struct registry *registry;
	struct err err = { 0 };

	if (!registry_open(&bench->rules, NULL, &registry, &err))
		bench_die("%s", err.text);
	registry_share(registry, bench->shared);
	return registry;
}

static void read_image(struct bench *bench, const char *name)
{
	struct registry *registry = open_registry(bench);
	struct platform want = platform_host();
	struct err err = { 0 };
	struct ref ref;

	if (!ref_parse(name, bench->arena, &ref, &err) ||
	    !registry_read_image(registry, &ref, &want, bench->arena, &bench->image, &err))
		bench_die("%s", err.text);
	registry_close(&registry);
}

static void fetch_one(void *items, size_t i)
{
	struct bench *bench = items;
	const struct descriptor *desc = &bench->image.manifest.layers[i];
	struct registry *registry = open_registry(bench);
	struct arena *arena = arena_new();
	struct err err = { 0 };

	if (!registry_fetch_blob(registry, &bench->image.ref, desc,
				 blob_path(arena, bench->place, desc->digest), &err))
		bench_die("%s", err.text);
	registry_close(&registry);
	arena_free(arena);
}

static void run_blobs(struct bench *bench)
{
	struct layer_store *store;
	struct err err = { 0 };

	if (!layer_store_open(bench->place, &store, &err))
		bench_die("%s", err.text);
	bench->place = layer_store_blobs(store);
	pool_each(TRANSFERS, bench->image.manifest.n_layers, fetch_one, bench);
	layer_store_close(&store);
}

static void run_unpack(struct bench *bench)
{
	const struct image_access access = { .rules = &bench->rules };
	struct layer_store *store;
	struct err err = { 0 };
	struct strings dirs;

	if (!layer_store_open(bench->place, &store, &err) ||
	    !image_unpack(&bench->image, &access, store, bench->arena, &dirs, &err))
		bench_die("%s", err.text);
	layer_store_close(&store);
}

static void run_copy(struct bench *bench)
{
	const struct registry_rule rule = { .prefix = "registry.local", .layout = bench->place };
	struct registry *registry;
	struct err err = { 0 };
	struct ref to;

	vec_push(bench->arena, &bench->rules.list, rule);
	registry = open_registry(bench);
	if (!ref_parse("registry.local/copy:latest", bench->arena, &to, &err) ||
	    !registry_copy(registry, &bench->image.ref, &to, &err))
		bench_die("%s", err.text);
	registry_close(&registry);
}

int main(int argc, char **argv)
{
	struct bench bench = { .arena = arena_new(), .shared = registry_shared_new() };
	const struct {
		const char *name;
		void (*run)(struct bench *bench);
	} jobs[] = { { "blobs", run_blobs }, { "unpack", run_unpack }, { "copy", run_copy } };

	if (argc == 5 && strcmp(argv[1], "tree") == 0) {
		bench_tree(argv[2], strtoul(argv[3], NULL, 10) * MB, strtoul(argv[4], NULL, 10));
	} else if (argc == 4) {
		read_image(&bench, argv[2]);
		bench.place = argv[3];
		for (size_t i = 0; i < COUNTOF(jobs); i++)
			if (strcmp(argv[1], jobs[i].name) == 0)
				jobs[i].run(&bench);
	} else {
		bench_die("usage: bench_image tree|blobs|unpack|copy …");
	}
	registry_shared_free(&bench.shared);
	arena_free(bench.arena);
	return 0;
}
