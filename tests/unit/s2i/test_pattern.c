/* SPDX-License-Identifier: Apache-2.0 */
/* test_pattern.c — .s2iignore: upstream's own vectors, and what its documentation says of them. */
#include "buildexec/s2i/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool names(const char *text, const char *path)
{
	struct arena *arena = arena_new();
	struct patterns patterns;
	bool result;

	patterns_parse(text, strlen(text), arena, &patterns);
	result = patterns_name(&patterns, path);
	arena_free(arena);
	return result;
}

static void test_patterns__follow_upstream(void **state)
{
	static const struct {
		const char *text, *path;
		bool result;
	} rows[] = {
		{ "foo.bar\n", "foo.bar", true },
		{ "foo.*\n", "foo.a", true },
		{ "foo.*\n!foo.a", "foo.a", false },
		{ "foo.*\n!foo.a", "foo.b", true },
		{ "*/foo.a\n", "asdf/foo.a", true },
		{ "*/foo.a\n", "foo.a", false },
		{ "foo.bar\n", "bar.foo", false },
		{ "LICENCSE.*\n!LICENCSE.md\n*.md", "LICENCSE.md", true },
		{ "LICENCSE.*\n!LICENCSE.md\n*.md", "LICENCSE.foo", true },
		{ "*.bar\n!foo.*", "boo.bar", true },
		{ "*.bar\n!foo.*", "foo.bar", false },
		{ "!LICENSE.md\nLICENSE.*", "LICENSE.md", true },
		/* not recursive, and no '*' over '/' */
		{ "*.log", "deep/a.log", false },
		{ "**/a.log", "x/y/a.log", false },
		{ "**/a.log", "y/a.log", true },
		{ "dir", "dir/file", false }, /* goes with the folder */
		{ "dir/", "dir", true },
		{ "/dir", "dir", true },
		{ "./dir//x", "dir/x", true },
		{ "a/../b", "b", true },
		{ "../b", "b", false },
		{ "  # no comment?", "# no comment?", false },
		{ " padded ", "padded", true },
		{ "windows\r\n", "windows", true },
		{ "", "x", false },
		{ "\n\n", "x", false },
		{ "*", ".hidden", true },
		{ "*", "a/b", false },
		{ ".", "x", false },
		{ "!", "x", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (names(rows[i].text, rows[i].path) != rows[i].result)
			fail_msg("'%s' and '%s'", rows[i].text, rows[i].path);
}

static void test_pattern_matches__as_go_does(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool result;
	} rows[] = {
		{ "abc", "abc", true },
		{ "*c", "abc", true },
		{ "a*", "a", true },
		{ "a*", "ab/c", false },
		{ "a*/b", "abc/b", true },
		{ "a*/b", "a/c/b", false },
		{ "a*b*c*d*e*/f", "axbxcxdxe/f", true },
		{ "a*b*c*d*e*/f", "axbxcxdxexxx/fff", false },
		{ "ab[c]", "abc", true },
		{ "ab[b-d]", "abc", true },
		{ "ab[e-g]", "abc", false },
		{ "ab[^c]", "abc", false },
		{ "ab[^b-d]", "abc", false },
		{ "ab[^e-g]", "abc", true },
		{ "a\\*b", "a*b", true },
		{ "a\\*b", "ab", false },
		{ "a?b", "a/b", false },
		{ "a*b", "a/b", false },
		{ "[a-ζ]*", "a", true },
		{ "[\\]a]", "]", true },
		{ "[\\-]", "-", true },
		{ "[x\\-]", "x", true },
		{ "[]a]", "]", false },
		{ "[-]", "-", false },
		{ "[x-]", "x", false },
		{ "[-x]", "x", false },
		{ "\\", "a", false },
		{ "[a-b-c]", "a", false },
		{ "[", "a", false },
		{ "[^", "a", false },
		{ "[^bc", "a", false },
		{ "a[", "a", false },
		{ "a[", "ab", false },
		{ "*x", "xxx", true },
		{ "[!a]", "b", false },
		{ "a[^b]c", "a/c", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (pattern_matches(rows[i].pattern, rows[i].path) != rows[i].result)
			fail_msg("'%s' and '%s'", rows[i].pattern, rows[i].path);
}

/* A naive matcher would need 2^30 steps. */
static void test_pattern_matches__is_bounded(void **state)
{
	char pattern[128] = { 0 }, path[256] = { 0 };

	(void)state;
	for (int i = 0; i < 60; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	memset(path, 'a', 200);
	path[200] = 'b';
	assert_false(pattern_matches(pattern, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns__follow_upstream),
		cmocka_unit_test(test_pattern_matches__as_go_does),
		cmocka_unit_test(test_pattern_matches__is_bounded),
	};

	return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
