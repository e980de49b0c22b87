/* SPDX-License-Identifier: Apache-2.0 */
/* test_dockerignore.c — patterns as moby's patternmatcher reads them, most rows from its own tests; and subordinate ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/engine/dockerignore.h"
#include "buildexec/engine/subids.h"

static const struct {
	const char *patterns, *path;
	bool is_ignored;
} rows[] = {
	{ "**", "file", true },
	{ "**", "dir/file", true },
	{ "**/", "file", true },
	{ "**/**", "dir/file", true },
	{ "dir/**", "dir/dir2/file", true },
	{ "**/dir", "dir", true },
	{ "**/dir", "dir/file", true },
	{ "**/dir2/*", "dir/dir2/file", true },
	{ "**/dir2/*", "dir/dir2/dir2/file", true },
	{ "**file", "dir/dir/file", true },
	{ "**/file", "dir/file", true },
	{ "**/file", "dir/dir/file", true },
	{ "**/file*", "dir/dir/file.txt", true },
	{ "**/file*txt", "dir/dir/file.txt", true },
	{ "**/**/*.txt", "dir/dir/file.txt", true },
	{ "a**/*.txt", "a/file.txt", true },
	{ "a**/*.txt", "a/dir/file.txt", true },
	{ "a[b-d]e", "ae", false },
	{ "a[b-d]e", "ace", true },
	{ "a[^b-d]e", "aze", true },
	{ "a[^b-d]e", "a/e", false },
	{ "a[]e", "ae", false },
	{ ".foo", "foo", false },
	{ "abc.def", "abcZdef", false },
	{ "a?c", "abc", true },
	{ "a?c", "a/c", false },
	{ "a\\*", "a*", true },
	{ "a\\*", "ab", false },
	{ "*", "dir/file", true },
	{ "*.log", "a.log", true },
	{ "*.log", "dir/a.log", false },
	{ "/abs", "abs", true },
	{ "./abs/", "abs/below", true },
	{ "a/../b", "b", true },
	{ "../b", "b", true },
	{ "# x\n\n  x  ", "x", true },
	{ "#x", "#x", false },
	{ "dir\n!dir/keep", "dir/keep", false },
	{ "dir\n!dir/keep", "dir/other", true },
	{ "*\n!keep*\nkeep.no", "keep.yes", false },
	{ "*\n!keep*\nkeep.no", "keep.no", true },
	{ "!a\na", "a", true },
	{ "a\n! a", "a", false },
	{ "x\r\ny\r\n", "x", true },
	{ "a[", "a[", false },
	{ "a\\", "a", false },
	{ "", "x", false },
	{ ".", "x", false },
	{ "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  false },
};

static void test_dockerignore__matches_as_moby_does(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct dockerignore ignore;

		dockerignore_parse(rows[i].patterns, strlen(rows[i].patterns), arena, &ignore);
		if (dockerignore_matches(&ignore, rows[i].path, arena) != rows[i].is_ignored)
			fail_msg("'%s' and '%s'", rows[i].patterns, rows[i].path);
	}
	arena_free(arena);
}

static void test_subids__are_those_of_the_user(void **state)
{
	static const char text[] = "other:100000:65536\nme:xyz\nme:200000:65536\n1000:300000:10\n"
				   "bad:1:4294967295\n";
	unsigned long first, n;

	(void)state;
	assert_true(subids_parse(text, "me", 1000, &first, &n));
	assert_int_equal(first, 200000);
	assert_int_equal(n, 65536);
	assert_true(subids_parse(text, NULL, 1000, &first, &n));
	assert_int_equal(first, 300000);
	assert_false(subids_parse(text, "nobody", 65534, &first, &n));
	assert_int_equal(n, 0);
	assert_false(subids_parse(text, "bad", 7, &first, &n));
	assert_false(subids_parse("", "me", 1000, &first, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dockerignore__matches_as_moby_does),
		cmocka_unit_test(test_subids__are_those_of_the_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
