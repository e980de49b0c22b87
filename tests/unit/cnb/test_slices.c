/* SPDX-License-Identifier: Apache-2.0 */
/* test_slices.c — globs as Go's filepath.Match, cleaned patterns, and applications cut into layers. */
#include "buildexec/cnb/slices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/buf.h"

static void test_slice_glob__matches_as_go_does(void **state)
{
	static const struct {
		const char *pattern, *path;
		int result;
	} rows[] = {
		{ "abc", "abc", 1 },
		{ "*", "abc", 1 },
		{ "*c", "abc", 1 },
		{ "a*", "a", 1 },
		{ "a*", "abc", 1 },
		{ "a*", "ab/c", 0 },
		{ "a*/b", "abc/b", 1 },
		{ "a*/b", "a/c/b", 0 },
		{ "a*b*c*d*e*/f", "axbxcxdxe/f", 1 },
		{ "a*b*c*d*e*/f", "axbxcxdxexxx/f", 1 },
		{ "a*b*c*d*e*/f", "axbxcxdxe/xxx/f", 0 },
		{ "a*b?c*x", "abxbbxdbxebxczzx", 1 },
		{ "a*b?c*x", "abxbbxdbxebxczzy", 0 },
		{ "ab[c]", "abc", 1 },
		{ "ab[b-d]", "abc", 1 },
		{ "ab[e-g]", "abc", 0 },
		{ "ab[^c]", "abc", 0 },
		{ "ab[^b-d]", "abc", 0 },
		{ "ab[^e-g]", "abc", 1 },
		{ "a\\*b", "a*b", 1 },
		{ "a\\*b", "ab", 0 },
		{ "a?b",
		  "a\xe2\x98\xba"
		  "b",
		  1 },
		{ "a[^a]b",
		  "a\xe2\x98\xba"
		  "b",
		  1 },
		{ "a???b",
		  "a\xe2\x98\xba"
		  "b",
		  0 },
		{ "a?b", "a/b", 0 },
		{ "a*b", "a/b", 0 },
		{ "[\\]a]", "]", 1 },
		{ "[\\-]", "-", 1 },
		{ "[x\\-]", "x", 1 },
		{ "[x\\-]", "-", 1 },
		{ "[x\\-]", "z", 0 },
		{ "[]a]", "]", -1 },
		{ "[-]", "-", -1 },
		{ "[x-]", "x", -1 },
		{ "[-x]", "x", -1 },
		{ "\\", "a", -1 },
		{ "[a-b-c]", "a", -1 },
		{ "[", "a", -1 },
		{ "[^", "a", -1 },
		{ "[^bc", "a", -1 },
		{ "a[", "ab", -1 },
		{ "*x", "xxx", 1 },
		{ "**", "a", 1 },
		{ "**", "a/b", 0 },
		{ "", "", 1 },
		{ "", "a", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slice_glob(rows[i].pattern, rows[i].path) != rows[i].result)
			fail_msg("glob '%s' on '%s' is not %d", rows[i].pattern, rows[i].path,
				 rows[i].result);
}

static void test_slice_clean__gives_the_shortest_name(void **state)
{
	static const char *const rows[][2] = {
		{ "", "." },
		{ ".", "." },
		{ "./a", "a" },
		{ "a//b/", "a/b" },
		{ "a/./b", "a/b" },
		{ "a/b/../c", "a/c" },
		{ "..", ".." },
		{ "../a", "../a" },
		{ "a/../../b", "../b" },
		{ "/a/../../b", "/b" },
		{ "/", "/" },
		{ "a/b/../../..", ".." },
		{ "../../a", "../../a" },
		{ "a/..", "." },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(slice_clean(rows[i][0], arena), rows[i][1]);
	arena_free(arena);
}

/* The tree of the tests, each folder before its contents. */
static const struct slice_entry tree[] = {
	{ "", SLICE_NO_PARENT }, /* 0 */
	{ "a", 0 },              /* 1 */
	{ "a/one", 1 },          /* 2 */
	{ "a/sub", 1 },          /* 3 */
	{ "a/sub/two", 3 },      /* 4 */
	{ "a-b", 0 },            /* 5 */
	{ "c", 0 },              /* 6 */
	{ "c/three", 6 },        /* 7 */
	{ "d", 0 },              /* 8 */
};

static const char *cut_text(struct arena *arena, const struct slice_layer *layers, size_t n)
{
	AUTO_BUF out = BUF_INIT(4096);

	for (size_t i = 0; i < n; i++) {
		buf_puts(&out, i ? " |" : "");
		for (size_t j = 0; j < layers[i].n; j++)
			buf_printf(&out, " %s",
				   tree[layers[i].v[j]].path[0] ? tree[layers[i].v[j]].path : "/");
	}
	return buf_copy(&out, arena);
}

static void test_slices_cut__takes_paths_once_with_their_parents(void **state)
{
	static const struct {
		const char *first[3], *second[3];
		const char *layers;
	} rows[] = {
		{ { "a/one" }, { NULL }, " / a a/one | | / a a-b a/sub a/sub/two c c/three d" },
		{ { "a" }, { "a/sub" }, " / a a/one a/sub a/sub/two | | / a-b c c/three d" },
		{ { "a/sub/two", "a/one" },
		  { "a" },
		  " / a a/one a/sub a/sub/two | | / a-b c c/three d" },
		{ { "*" }, { "c" }, " / a a-b a/one a/sub a/sub/two c c/three d | |" },
		{ { "../x", "/etc/passwd" },
		  { "d" },
		  " | / d | / a a-b a/one a/sub a/sub/two c c/three" },
		{ { "c/*" }, { "./d" }, " / c c/three | / d | / a a-b a/one a/sub a/sub/two" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct strings slices[2] = { 0 };
		struct slice_layer *layers;
		struct err err = { 0 };

		for (size_t j = 0; rows[i].first[j]; j++)
			vec_push(arena, &slices[0], rows[i].first[j]);
		for (size_t j = 0; rows[i].second[j]; j++)
			vec_push(arena, &slices[1], rows[i].second[j]);
		assert_true(slices_cut(tree, COUNTOF(tree), slices, 2, arena, &layers, &err));
		assert_string_equal(cut_text(arena, layers, 3), rows[i].layers);
	}
	arena_free(arena);
}

static void test_slices_cut__names_a_malformed_glob(void **state)
{
	struct arena *arena = arena_new();
	struct strings slice = { 0 };
	struct slice_layer *layers;
	struct err err = { 0 };

	(void)state;
	vec_push(arena, &slice, "a[");
	assert_false(slices_cut(tree, COUNTOF(tree), &slice, 1, arena, &layers, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.text, "'a['"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slice_glob__matches_as_go_does),
		cmocka_unit_test(test_slice_clean__gives_the_shortest_name),
		cmocka_unit_test(test_slices_cut__takes_paths_once_with_their_parents),
		cmocka_unit_test(test_slices_cut__names_a_malformed_glob),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
