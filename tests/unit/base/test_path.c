/* SPDX-License-Identifier: Apache-2.0 */
/* test_path.c — paths as texts: cleaned as Go does, and their "..". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/base/err.h"
#include "model/base/path.h"

static void test_path_clean__is_that_of_go(void **state)
{
	static const struct {
		const char *path, *want;
	} paths[] = {
		{ "", "." },          { ".", "." },
		{ "/", "/" },         { "a", "a" },
		{ "a/", "a" },        { "a//b", "a/b" },
		{ "./a/./b", "a/b" }, { "a/..", "." },
		{ "a/../b", "b" },    { "..", ".." },
		{ "../a", "../a" },   { "../../a", "../../a" },
		{ "../a/..", ".." },  { "/..", "/" },
		{ "/../a", "/a" },    { "/a/b/../c", "/a/c" },
		{ "a/b/../..", "." }, { "a/../..", ".." },
		{ "...", "..." },     { "a/b/../../../c", "../c" },
		{ "//a", "/a" },      { "..a", "..a" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(paths); i++)
		assert_string_equal(path_clean(paths[i].path, arena), paths[i].want);
	arena_free(arena);
}

static void test_path_has_dotdot__only_as_a_whole_part(void **state)
{
	static const struct {
		const char *path;
		bool want;
	} paths[] = {
		{ "", false },      { "a/b", false }, { "..", true },    { "../a", true },
		{ "a/..", true },   { "/..", true },  { "a//..", true }, { "a/../b", true },
		{ "..a", false },   { "a..", false }, { "...", false },  { "a/.../b", false },
		{ "a/..b", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(paths); i++)
		assert_int_equal(path_has_dotdot(paths[i].path), paths[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_clean__is_that_of_go),
		cmocka_unit_test(test_path_has_dotdot__only_as_a_whole_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
