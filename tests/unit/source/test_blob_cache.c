/* SPDX-License-Identifier: Apache-2.0 */
/* test_blob_cache.c — downloads by digest: kept, verified, forgotten when there are too many. */
#include "buildexec/source/blob_cache.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/sys/fs.h"

static struct arena *arena;
static struct tmpdir temp;

static int set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	arena = arena_new();
	return tmpdir_make(NULL, "test-blobs", &temp, &err) ? 0 : 1;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_release(&temp);
	arena_free(arena);
	return 0;
}

static const char *keep(const char *text)
{
	struct digest digest = digest_of(text, strlen(text));
	struct err err = { 0 };
	const char *path;
	AUTO_FD fd = -1;

	assert_true(blob_cache_create(temp.path, arena, &fd, &path, &err));
	assert_true(fd_write_all(fd, text, strlen(text), &err));
	assert_true(blob_cache_keep(temp.path, path, digest.text, &err));
	assert_false(fs_exists(path));
	return arena_strdup(arena, digest.text);
}

static bool has(const char *content)
{
	struct err err = { 0 };
	AUTO_FD fd = -1;

	assert_true(blob_cache_open(temp.path, content, &fd, &err));
	return fd >= 0;
}

static void test_blob_cache__gives_back_what_was_kept_and_nothing_else(void **state)
{
	const char *content = keep("one"), *path;
	struct err err = { 0 };

	(void)state;
	assert_true(has(content));
	assert_false(has(digest_of("two", 3).text));
	assert_true(blob_cache_path(temp.path, content, arena, &path, &err));
	assert_true(fs_write_atomic(AT_FDCWD, path, "rotten", 6, 0600, false, &err));
	assert_false(has(content));
	assert_false(fs_exists(path));
}

static void test_blob_cache__remembers_what_a_url_held(void **state)
{
	const char *content = arena_strdup(arena, digest_of("x", 1).text);
	struct blob_version version;

	(void)state;
	assert_null(blob_cache_version(temp.path, "http://h/a", arena).content);
	blob_cache_remember(temp.path, "http://h/a", (struct blob_version){ content, "W/\"1\"" });
	version = blob_cache_version(temp.path, "http://h/a", arena);
	assert_string_equal(version.content, content);
	assert_string_equal(version.validator, "W/\"1\"");
	assert_null(blob_cache_version(temp.path, "http://h/b", arena).content);
	blob_cache_forget(temp.path, "http://h/b");
	assert_non_null(blob_cache_version(temp.path, "http://h/a", arena).content);
	blob_cache_forget(temp.path, "http://h/a");
	assert_null(blob_cache_version(temp.path, "http://h/a", arena).content);
}

/* Files of holes: as large as they say, without taking room. */
static const char *fill(char digit, int64_t gib, time_t used_s)
{
	const struct timespec times[2] = { { .tv_sec = used_s }, { .tv_sec = used_s } };
	char *content = arena_strdup(arena, digest_of("", 0).text);
	struct err err = { 0 };
	const char *path;
	AUTO_FD fd = -1;

	memset(content + 7, digit, DIGEST_HEX);
	assert_true(blob_cache_path(temp.path, content, arena, &path, &err));
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	if (ftruncate(fd, gib << 30) != 0)
		skip();
	assert_int_equal(futimens(fd, times), 0);
	return path;
}

static void test_blob_cache__forgets_what_was_not_used_for_longest(void **state)
{
	const char *old = fill('1', 5, 1000), *middle = fill('2', 5, 2000),
		   *young = fill('3', 5, 3000), *youngest = fill('4', 5, 4000), *content;

	(void)state;
	content = keep("small");
	assert_false(fs_exists(old));
	assert_true(fs_exists(middle));
	assert_true(fs_exists(young));
	assert_true(fs_exists(youngest));
	assert_true(has(content));
}

/* A clock that was wrong for a while must neither keep what nobody uses nor lose what has just come. */
static void test_blob_cache__is_not_misled_by_times_in_the_future(void **state)
{
	const char *future = fill('1', 6, 4102444800), *used = fill('2', 6, 2000), *content, *path;
	const struct timespec past[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct err err = { 0 };

	(void)state;
	fill('3', 3, 3000);
	content = keep("first");
	assert_true(blob_cache_path(temp.path, content, arena, &path, &err));
	assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
	fill('4', 3, 3500);
	content = keep("second");
	assert_true(has(content));
	assert_false(fs_exists(future));
	assert_true(fs_exists(used));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_blob_cache__gives_back_what_was_kept_and_nothing_else, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_blob_cache__remembers_what_a_url_held, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			test_blob_cache__forgets_what_was_not_used_for_longest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_blob_cache__is_not_misled_by_times_in_the_future, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
