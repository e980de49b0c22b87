/* SPDX-License-Identifier: Apache-2.0 */
/* test_tree.c — folders hashed, copied and walked; local sources and their sub paths. */
#include "buildexec/source/source.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/source/tree_copy.h"
#include "buildexec/source/tree_hash.h"
#include "buildexec/source/tree_walk.h"
#include "model/base/limits.h"

static struct arena *arena;
static struct tmpdir temp;

static int set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	arena = arena_new();
	return tmpdir_make(NULL, "test-tree", &temp, &err) ? 0 : 1;
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

static void put(const char *name, const char *text, mode_t mode)
{
	struct err err = { 0 };

	assert_true(fs_write_atomic(AT_FDCWD, at(name), text, strlen(text), mode, false, &err));
	assert_int_equal(chmod(at(name), mode), 0);
}

static void make_app(const char *name)
{
	struct err err = { 0 };

	assert_true(fs_make_dirs(at(arena_printf(arena, "%s/sub/.git", name)), 0755, &err));
	put(arena_printf(arena, "%s/sub/.git/config", name), name, 0644);
	put(arena_printf(arena, "%s/file", name), "one", 0644);
	put(arena_printf(arena, "%s/sub/run", name), "two", 0755);
	assert_int_equal(symlink("file", at(arena_printf(arena, "%s/link", name))), 0);
}

static const char *hash_of(const char *name)
{
	struct digest digest;
	struct err err = { 0 };

	if (!tree_hash(at(name), &digest, &err))
		fail_msg("%s", err.text);
	return arena_strdup(arena, digest.text);
}

static void test_tree_hash__sees_content_and_nothing_else(void **state)
{
	const char *first;

	(void)state;
	make_app("a");
	make_app("b");
	first = hash_of("a");
	assert_string_equal(hash_of("b"), first);
	assert_int_equal(chmod(at("b/file"), 0600), 0);
	assert_string_equal(hash_of("b"), first);
	assert_int_equal(chmod(at("b/file"), 0755), 0);
	assert_string_not_equal(hash_of("b"), first);
	assert_int_equal(chmod(at("b/file"), 0644), 0);
	put("b/file", "other", 0644);
	assert_string_not_equal(hash_of("b"), first);
	put("b/file", "one", 0644);
	assert_int_equal(unlink(at("b/link")), 0);
	assert_string_not_equal(hash_of("b"), first);
	assert_int_equal(symlink("other", at("b/link")), 0);
	assert_string_not_equal(hash_of("b"), first);
	assert_int_equal(unlink(at("b/link")), 0);
	assert_int_equal(symlink("file", at("b/link")), 0);
	assert_string_equal(hash_of("b"), first);
	assert_int_equal(rename(at("b/file"), at("b/file2")), 0);
	assert_string_not_equal(hash_of("b"), first);
}

static void test_tree_copy__is_the_same_content_without_git(void **state)
{
	struct err err = { 0 };

	(void)state;
	make_app("a");
	assert_true(fs_make_dirs(at("copy"), 0755, &err));
	assert_true(tree_copy(at("a"), at("copy"), &err));
	assert_string_equal(hash_of("copy"), hash_of("a"));
	assert_false(fs_exists(at("copy/sub/.git")));
}

static void test_tree_hash__names_what_is_no_file(void **state)
{
	struct digest digest;
	struct err err = { 0 };

	(void)state;
	make_app("a");
	assert_int_equal(mkfifo(at("a/sub/pipe"), 0644), 0);
	assert_false(tree_hash(at("a"), &digest, &err));
	assert_non_null(strstr(err.text, "'sub/pipe'"));
	err = (struct err){ 0 };
	assert_false(tree_hash(at("none"), &digest, &err));
	assert_int_equal(err.kind, ERR_ABSENT);
}

/* A file that is one long hole is refused before it is read to its end. */
static void test_trees__have_an_end(void **state)
{
	struct err err = { 0 };
	struct digest digest;

	(void)state;
	make_app("a");
	put("a/hole", "", 0644);
	assert_int_equal(truncate(at("a/hole"), (off_t)LIMIT_SOURCE_BYTES), 0);
	assert_int_equal(mkdir(at("to"), 0755), 0);
	assert_false(tree_hash(at("a"), &digest, &err));
	assert_non_null(strstr(err.text, "would have more than 17179869184 bytes"));
	err = (struct err){ 0 };
	assert_int_equal(truncate(at("a/hole"), (off_t)LIMIT_SOURCE_BYTES + 1), 0);
	assert_false(tree_copy(at("a"), at("to"), &err));
	assert_non_null(strstr(err.text, "would have more than"));
	err = (struct err){ 0 };
	assert_false(source_local_content(
		&(struct source){ .local = &(struct local_source){ .path = at("a/hole") } }, "/",
		&digest, &err));
	assert_non_null(strstr(err.text, "has more than"));
}

static void test_tree_hash__stops_at_a_depth(void **state)
{
	struct digest digest;
	struct err err = { 0 };
	int fd = open(temp.path, O_RDONLY | O_DIRECTORY);

	(void)state;
	for (int i = 0; i < 300; i++) {
		int below;

		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		below = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = below;
	}
	close(fd);
	assert_false(tree_hash(temp.path, &digest, &err));
	assert_int_equal(err.kind, ERR_INVALID);
}

static void test_source_sub_path__stays_inside(void **state)
{
	static const char *const good[][2] = {
		{ NULL, "" }, { "", "" },           { ".", "" },        { "./", "" },
		{ "a", "a" }, { "./a//b/", "a/b" }, { "a/./b", "a/b" }, { "a..b", "a..b" },
	};
	static const char *const bad[] = { "..", "a/..", "../a", "/a", "a/../../b", "a\\b" };
	struct err err = { 0 };
	const char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(source_sub_path(good[i][0], arena, &out, &err));
		assert_string_equal(out, good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (source_sub_path(bad[i], arena, &out, &err))
			fail_msg("'%s' is taken", bad[i]);
}

static bool materialise(const char *sub_path, const char *content, struct err *err)
{
	struct local_source local = { .path = "a" };
	struct source source = { .local = &local, .sub_path = sub_path };
	struct source_spec spec = { .source = &source,
				    .content = content,
				    .manifest_dir = temp.path,
				    .dest = at("dest"),
				    .uid = getuid(),
				    .gid = getgid() };

	assert_true(fs_remove_tree(at("dest"), err));
	assert_true(fs_make_dirs(at("dest"), 0755, err));
	return source_materialise(&spec, arena, err);
}

static void test_source_materialise__gives_the_planned_content_or_nothing(void **state)
{
	struct err err = { 0 };
	const char *planned;

	(void)state;
	make_app("a");
	planned = hash_of("a");
	assert_true(materialise(NULL, planned, &err));
	assert_string_equal(hash_of("dest"), planned);
	assert_true(materialise("sub", planned, &err));
	assert_true(fs_exists(at("dest/run")));
	assert_false(fs_exists(at("dest/file")));
	put("a/file", "changed", 0644);
	assert_false(materialise(NULL, planned, &err));
	assert_int_equal(err.kind, ERR_CONFLICT);
}

static void test_source_materialise__follows_no_link_out_of_the_source(void **state)
{
	struct err err = { 0 };

	(void)state;
	make_app("a");
	assert_int_equal(symlink("/etc", at("a/etc")), 0);
	assert_false(materialise("etc", NULL, &err));
	assert_non_null(strstr(err.text, "by a link"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tree_hash__sees_content_and_nothing_else,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tree_copy__is_the_same_content_without_git,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tree_hash__names_what_is_no_file, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_trees__have_an_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tree_hash__stops_at_a_depth, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_source_sub_path__stays_inside, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			test_source_materialise__gives_the_planned_content_or_nothing, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_source_materialise__follows_no_link_out_of_the_source, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
