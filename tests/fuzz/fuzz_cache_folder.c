/* links: reconcile_cli */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cache_folder.c — what lies in a cache folder that is shared, or was damaged: the metadata and the list of blobs of a build
 * cache, when tags were checked, what a URL held, the mark of unsynced layers; each ended by the byte 255. Nothing of it is an error
 * where the cache may be absent, and what is found is what was asked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/cnb/cache.h"
#include "buildexec/image/unpack.h"
#include "buildexec/source/blob_cache.h"
#include "buildexec/sys/fs.h"
#include "reconcile/checks.h"
#include "tests/fuzz/folder.h"

/* Names that the files have for this state and URL. */
#define URL   "https://host.example/a.tgz"
#define DIFF  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NOW_S 1800000000
#define FILES 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_files(const struct fuzz_part *parts, size_t n, const char *dir,
			struct arena *arena)
{
	const struct digest url = digest_of(URL, strlen(URL));
	static const char *const folders[] = { "build/committed", "checks", "blobs/urls", "store" };
	const char *const names[FILES] = {
		"build/committed/metadata.json",
		"build/committed/blobs.json",
		arena_printf(arena, "checks/%.16s", digest_hex(url.text)),
		arena_printf(arena, "blobs/urls/%s", digest_hex(url.text)),
		"store/layers.boot",
	};
	struct err err = { 0 };

	for (size_t i = 0; i < COUNTOF(folders); i++)
		if (!fs_make_dirs(path_join(arena, dir, folders[i]), 0755, &err))
			abort();
	for (size_t i = 0; i < n && i < FILES; i++)
		fuzz_folder_file(names[i], parts[i].data, parts[i].size);
	fuzz_folder_file("build/committed/" DIFF ".tar.gz", (const uint8_t *)"layer", 5);
}

static void read_build_cache(const char *dir, struct arena *arena)
{
	AUTO_BUILD_CACHE cache;
	struct descriptor desc;
	struct err err = { 0 };

	if (!build_cache_open(dir, arena, &cache, &err))
		BUG("a damaged cache is an error: %s", err.text);
	if (build_cache_describe(&cache, "sha256:" DIFF, arena, &desc, &err) &&
	    (!digest_is_valid(desc.digest) || desc.size_bytes != 5))
		BUG("the layer is described as another");
	for (size_t i = 0; i < cache.blobs.n; i++) {
		const char *path = build_cache_find(&cache, cache.blobs.items[i].key, arena);

		if (path && !strstr(path, DIFF))
			BUG("'%s' is no layer of the cache", path);
	}
	/* Its content is not what any list says. */
	(void)build_cache_verify(&cache, arena);
}

static void read_checks(const char *dir, struct arena *arena)
{
	const struct checks_place place = { dir, URL, NOW_S };
	const struct facts none = { 0 };
	struct map known = checks_read(&place, arena);

	for (size_t i = 0; i < known.n; i++)
		if (*(const int64_t *)known.items[i].value > NOW_S)
			BUG("a time to come is believed");
	checks_write(&place, &known, &none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *dir = fuzz_folder();
	struct fuzz_part parts[FILES];
	struct blob_version version;
	struct layer_store *store;
	struct err err = { 0 };

	write_files(parts, fuzz_parts(data, size, parts, COUNTOF(parts)), dir, arena);
	read_build_cache(path_join(arena, dir, "build"), arena);
	read_checks(dir, arena);
	version = blob_cache_version(dir, URL, arena);
	if (version.content && !digest_is_valid(version.content))
		BUG("'%s' is no digest", version.content);
	if (!layer_store_open(path_join(arena, dir, "store"), &store, &err))
		BUG("a damaged mark is an error: %s", err.text);
	layer_store_close(&store);
	arena_free(arena);
	return 0;
}
