/* SPDX-License-Identifier: Apache-2.0 */
/* test_layers_dir.c — what a buildpack may leave behind, hostile things too; and the build cache, kept and cut short. */
#include "buildexec/cnb/layers_dir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/cnb/cache.h"
#include "buildexec/cnb/foreign.h"
#include "buildexec/sys/fs.h"

static struct arena *arena;
static struct tmpdir temp;

static int set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	arena = arena_new();
	return tmpdir_make(NULL, "test-layers", &temp, &err) ? 0 : 1;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_release(&temp);
	arena_free(arena);
	return 0;
}

static const char *at(const char *name)
{
	return path_join(arena, temp.path, name);
}

static void put(const char *name, const char *text)
{
	struct err err = { 0 };

	assert_true(fs_write_atomic(AT_FDCWD, at(name), text, strlen(text), 0644, false, &err));
}

static void folder(const char *name)
{
	struct err err = { 0 };

	assert_true(fs_make_dirs(at(name), 0755, &err));
}

static const struct api api = { 0, 10 };

static struct layers_dir read_dir(void)
{
	struct layers_dir dir;
	struct err err = { 0 };

	if (!layers_dir_read(temp.path, api, arena, &dir, &err))
		fail_msg("%s", err.text);
	return dir;
}

static void test_layers_dir__finds_layers_by_folders_and_tomls(void **state)
{
	struct layers_dir dir;

	(void)state;
	folder("b");
	folder("dir only");
	put("b.toml", "[types]\nlaunch = true\ncache = true\n[metadata]\nx = 1\n");
	put("a.b.toml", "");
	put("store.toml", "other = 1\n[metadata]\nkept = true\n");
	put("launch.toml", "");
	put("build.toml", "");
	put("b.sbom.cdx.json", "{}");
	dir = read_dir();
	assert_int_equal(dir.n, 3);
	assert_string_equal(dir.v[0].record.name, "a.b");
	assert_false(dir.v[0].has_contents);
	assert_string_equal(dir.v[1].record.name, "b");
	assert_true(dir.v[1].has_contents && dir.v[1].record.is_launch && dir.v[1].record.is_cache);
	assert_non_null(node_get(dir.v[1].record.data, "x"));
	assert_string_equal(dir.v[2].record.name, "dir only");
	assert_non_null(node_at(dir.store, "metadata", "kept", NULL));
	assert_null(node_get(dir.store, "other"));
}

static void test_layers_dir__keeps_what_is_wrong_with_a_layer(void **state)
{
	static const char *const tomls[] = { "launch = true\n", "[types]\nlaunch = 'yes'\n", "[",
					     "x = 1\nx = 2\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(tomls) / sizeof(tomls[0]); i++) {
		struct layers_dir dir;

		put("l.toml", tomls[i]);
		dir = read_dir();
		assert_int_equal(dir.n, 1);
		assert_non_null(dir.v[0].problem);
		assert_false(dir.v[0].record.is_launch);
	}
}

static void test_layers_dir__follows_no_links_and_waits_for_no_pipe(void **state)
{
	struct layers_dir dir;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(symlink("/etc", at("secrets")), 0);
	put("secrets.toml", "[types]\nlaunch = true\n");
	assert_int_equal(symlink("/etc/passwd", at("linked.toml")), 0);
	assert_int_equal(mkfifo(at("pipe.toml"), 0644), 0);
	dir = read_dir();
	assert_int_equal(dir.n, 3);
	assert_non_null(strstr(dir.v[0].problem, "is a link"));
	assert_non_null(strstr(dir.v[1].problem, "no plain file"));
	assert_string_equal(dir.v[2].record.name, "secrets");
	assert_true(dir.v[2].has_contents); /* as a link, which is all that is archived */
	assert_int_equal(symlink("/etc/passwd", at("store.toml")), 0);
	assert_false(layers_dir_read(temp.path, api, arena, &dir, &err));
	assert_false(foreign_is_dir_below(temp.path, "secrets/ssl", arena));
	assert_false(layers_dir_read(at("secrets"), api, arena, &dir, &err));
}

static void test_layers_dir__takes_files_and_links_that_lead_somewhere(void **state)
{
	static const struct {
		const char *name;
		bool has_contents;
	} expected[] = { { "file", true }, { "inside", true }, { "nowhere", false } };
	struct layers_dir dir;

	(void)state;
	put("file", "x");
	assert_int_equal(symlink("file", at("inside")), 0);
	assert_int_equal(symlink("gone", at("nowhere")), 0);
	put("file.toml", "");
	put("inside.toml", "");
	put("nowhere.toml", "");
	put(".toml", "[types]\nlaunch = true\n");
	folder("store.toml");
	dir = read_dir();
	assert_int_equal(dir.n, COUNTOF(expected) + 1);
	for (size_t i = 0; i < COUNTOF(expected); i++) {
		assert_string_equal(dir.v[i].record.name, expected[i].name);
		assert_int_equal(dir.v[i].has_contents, expected[i].has_contents);
	}
	assert_string_equal(dir.v[COUNTOF(expected)].record.name, "store.toml");
	assert_null(dir.store);
}

static void test_layers_dir__absent_is_empty(void **state)
{
	struct layers_dir dir;
	struct err err = { 0 };

	(void)state;
	assert_true(layers_dir_read(at("none"), api, arena, &dir, &err));
	assert_int_equal(dir.n, 0);
}

static struct layer_result blob(const char *text)
{
	struct layer_result result = { .diff_id = digest_of(text, strlen(text)) };

	put(arena_printf(arena, "blob-%s", text), text);
	snprintf(result.path, sizeof(result.path), "%s/blob-%s", temp.path, text);
	return result;
}

static void open_cache(struct build_cache *cache)
{
	struct err err = { 0 };

	if (!build_cache_open(at("cache"), arena, cache, &err))
		fail_msg("%s", err.text);
}

static void commit(const struct layer_result *layer, const char *sbom)
{
	AUTO_BUILD_CACHE cache = { .lock_fd = -1 };
	struct cache_metadata metadata = { .sbom = sbom };
	struct err err = { 0 };

	open_cache(&cache);
	assert_true(build_cache_begin(&cache, arena, &err));
	assert_true(build_cache_add(&cache, layer, arena, &err));
	assert_true(build_cache_commit(&cache, &metadata, arena, &err));
}

static void test_build_cache__keeps_what_was_committed_only(void **state)
{
	struct layer_result one = blob("one"), two = blob("two");
	struct build_cache cache;
	struct err err = { 0 };

	(void)state;
	commit(&one, "first");
	open_cache(&cache);
	assert_string_equal(cache.metadata.sbom, "first");
	assert_non_null(build_cache_find(&cache, one.diff_id.text, arena));
	assert_true(build_cache_begin(&cache, arena, &err));
	assert_true(build_cache_add(&cache, &two, arena, &err));
	assert_true(build_cache_keep(&cache, one.diff_id.text, arena));
	assert_false(build_cache_keep(&cache, two.diff_id.text, arena) &&
		     build_cache_find(&cache, two.diff_id.text, arena));
	build_cache_close(&cache);
	open_cache(&cache);
	assert_string_equal(cache.metadata.sbom, "first");
	assert_null(build_cache_find(&cache, two.diff_id.text, arena));
	build_cache_close(&cache);
	commit(&two, "second");
	open_cache(&cache);
	assert_string_equal(cache.metadata.sbom, "second");
	assert_null(build_cache_find(&cache, one.diff_id.text, arena));
	build_cache_close(&cache);
}

/* Every state that a kill between two renames can leave. */
static void test_build_cache__survives_a_kill_anywhere(void **state)
{
	struct layer_result one = blob("one");
	struct build_cache cache;

	(void)state;
	commit(&one, "first");
	assert_int_equal(rename(at("cache/committed"), at("cache/committed-backup")), 0);
	folder("cache/staging");
	put("cache/staging/metadata.json", "{");
	open_cache(&cache);
	assert_string_equal(cache.metadata.sbom, "first");
	assert_non_null(build_cache_find(&cache, one.diff_id.text, arena));
	build_cache_close(&cache);
	commit(&one, "second");
	folder("cache/committed-backup");
	open_cache(&cache);
	assert_string_equal(cache.metadata.sbom, "second");
	build_cache_close(&cache);
	put("cache/committed/metadata.json", "{ broken");
	open_cache(&cache);
	assert_string_equal(cache.metadata.sbom, "");
	assert_int_equal(cache.metadata.buildpacks.n, 0);
	build_cache_close(&cache);
}

/* Of any image's cache, but not of one that is in use. */
static void test_build_cache__is_swept_of_what_killed_builds_left(void **state)
{
	struct layer_result one = blob("one");
	struct build_cache cache;

	(void)state;
	commit(&one, "first");
	folder("cache/staging");
	put("cache/staging/metadata.json", "{");
	folder("cache/committed-backup");
	folder("other/staging");
	put("other/staging/x.tar.gz", "x");
	assert_int_equal(rename(at("cache/committed"), at("other/committed-backup")), 0);
	folder("cache/committed");

	open_cache(&cache);
	build_cache_sweep(at("."), arena);
	assert_true(fs_exists(at("cache/staging")));
	assert_false(fs_exists(at("other/staging")));
	assert_true(fs_exists(at("other/committed/metadata.json")));
	assert_false(fs_exists(at("other/committed-backup")));
	build_cache_close(&cache);
	build_cache_sweep(at("."), arena);
	assert_false(fs_exists(at("cache/staging")));
	assert_false(fs_exists(at("cache/committed-backup")));
	assert_true(fs_exists(at("cache/committed")));
	build_cache_sweep(at("not-there"), arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_build_cache__is_swept_of_what_killed_builds_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_layers_dir__finds_layers_by_folders_and_tomls,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_layers_dir__keeps_what_is_wrong_with_a_layer,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_layers_dir__follows_no_links_and_waits_for_no_pipe, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_layers_dir__takes_files_and_links_that_lead_somewhere, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_layers_dir__absent_is_empty, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_build_cache__keeps_what_was_committed_only,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_build_cache__survives_a_kill_anywhere, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
