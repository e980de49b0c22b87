/* SPDX-License-Identifier: Apache-2.0 */
/* test_ignore.c — patterns of gitignore(5) against paths. */
#include "buildexec/source/ignore.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_ignore_matches__follows_gitignore(void **state)
{
	static const struct {
		const char *patterns[4], *path;
		bool is_dir, result;
	} rows[] = {
		{ { "*.log" }, "a.log", false, true },
		{ { "*.log" }, "deep/er/a.log", false, true },
		{ { "*.log" }, "a.logs", false, false },
		{ { "/a.log" }, "a.log", false, true },
		{ { "/a.log" }, "b/a.log", false, false },
		{ { "build/" }, "build", true, true },
		{ { "build/" }, "build", false, false },
		{ { "build/" }, "build/x", false, true },
		{ { "build/" }, "src/build/x", false, true },
		{ { "doc/*.txt" }, "doc/a.txt", false, true },
		{ { "doc/*.txt" }, "doc/sub/a.txt", false, false },
		{ { "doc/*.txt" }, "x/doc/a.txt", false, false },
		{ { "**/foo" }, "foo", false, true },
		{ { "**/foo" }, "a/b/foo", false, true },
		{ { "a/**" }, "a/b/c", false, true },
		{ { "a/**" }, "a", true, false },
		{ { "a/**/b" }, "a/b", false, true },
		{ { "a/**/b" }, "a/x/y/b", false, true },
		{ { "a/**/b" }, "a/x/y/c", false, false },
		{ { "*.log", "!keep.log" }, "keep.log", false, false },
		{ { "*.log", "!keep.log" }, "other.log", false, true },
		{ { "!keep.log", "*.log" }, "keep.log", false, true },
		{ { "# x", "", "  " }, "x", false, false },
		{ { "\\#x" }, "#x", false, true },
		{ { "\\!x" }, "!x", false, true },
		{ { "a?c" }, "abc", false, true },
		{ { "a?c" }, "a/c", false, false },
		{ { "a[0-9]" }, "a5", false, true },
		{ { "a[!0-9]" }, "a5", false, false },
		{ { "a[!0-9]" }, "ax", false, true },
		{ { "[" }, "[", false, true },
		{ { "x " }, "x", false, true },
		{ { "x\\ " }, "x ", false, true },
		{ { "node_modules" }, "a/node_modules/b/c", false, true },
		{ { "*" }, "a/b", false, true },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct strings patterns = { 0 };

		for (size_t j = 0; rows[i].patterns[j]; j++)
			vec_push(arena, &patterns, rows[i].patterns[j]);
		if (ignore_matches(&patterns, rows[i].path, rows[i].is_dir) != rows[i].result)
			fail_msg("row %zu: '%s' on '%s'", i, rows[i].patterns[0], rows[i].path);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ignore_matches__follows_gitignore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
