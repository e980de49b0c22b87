/* SPDX-License-Identifier: Apache-2.0 */
/* test_gitmodules.c — what .gitmodules says, and where relative URLs lead. */
#include "buildexec/source/gitmodules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void test_gitmodules_parse__reads_what_git_writes_and_people_edit(void **state)
{
	static const char text[] = "\xef\xbb\xbf# made by hand\n"
				   "[core]\n\tpath = not this\n"
				   "[submodule \"lib\"]\n\tpath = libs/lib\n\turl = ../lib.git\n"
				   "\tbranch = main ; a comment\n"
				   "[Submodule \"a \\\"b\\\"\"] path = \"with  blanks \" # c\n"
				   "URL=https://host/x\\\\y\\\n.git\r\n"
				   "\tignore\n"
				   "[submodule \"lib\"]\n\turl = ../other.git";
	struct gitmodules modules;
	const struct gitmodule *module;
	struct err err = { 0 };

	(void)state;
	if (!gitmodules_parse(text, sizeof(text) - 1, arena, &modules, &err))
		fail_msg("%s", err.text);
	assert_int_equal(modules.list.n, 2);
	module = gitmodules_find(&modules, "libs/lib");
	assert_non_null(module);
	assert_string_equal(module->url, "../other.git");
	module = gitmodules_find(&modules, "with  blanks ");
	assert_non_null(module);
	assert_string_equal(module->name, "a \"b\"");
	assert_string_equal(module->url, "https://host/x\\y.git");
	assert_null(gitmodules_find(&modules, "not this"));
}

static void test_gitmodules_parse__names_the_line_that_is_wrong(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "[submodule \"a\n", ".gitmodules:1: a section's name does not end" },
		{ "\n[submodule \"a\"\n", ".gitmodules:2: a section does not end" },
		{ "[submodule \"a\"]\npath = \"x\n", ".gitmodules:2: a quote does not end" },
		{ "path = \\q\n", ".gitmodules:1: an unknown escape in a value" },
		{ "path = \\", ".gitmodules:1: an unknown escape in a value" },
		{ "[submodule \"a\"]\npath libs\n", ".gitmodules:2: a setting without '='" },
		{ "=\n", ".gitmodules:1: a setting has no name" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct gitmodules modules;
		struct err err = { 0 };

		assert_false(gitmodules_parse(rows[i].text, strlen(rows[i].text), arena, &modules,
					      &err));
		assert_string_equal(err.text, rows[i].error);
		assert_int_equal(modules.list.n, 0);
	}
}

static void test_gitmodules_url__follows_relative_urls(void **state)
{
	/* NULL: leads above the root. */
	static const struct {
		const char *parent, *url, *result;
	} rows[] = {
		{ "https://host/group/app.git", "../lib.git", "https://host/group/lib.git" },
		{ "https://host/group/app.git/", "../lib.git", "https://host/group/lib.git" },
		{ "https://host/group/app.git", "../../other/lib", "https://host/other/lib" },
		{ "https://host/group/app.git", "./lib", "https://host/group/app.git/lib" },
		{ "https://host/app.git", "../lib", "https://host/lib" },
		{ "https://host/app.git", "../../lib", NULL },
		{ "ssh://git@host:22/app.git", "../lib", "ssh://git@host:22/lib" },
		{ "git@host:group/app.git", "../lib.git", "git@host:group/lib.git" },
		{ "git@host:app.git", "../lib.git", "git@host:lib.git" },
		{ "/srv/git/app.git", "../lib.git", "/srv/git/lib.git" },
		{ "/app.git", "../lib.git", "/lib.git" },
		{ "/app.git", "../../lib.git", NULL },
		{ "https://host/app.git", "https://other/lib", "https://other/lib" },
		{ "https://host/app.git", "/srv/lib", "/srv/lib" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *out;
		struct err err = { 0 };
		bool is_done = gitmodules_url(rows[i].parent, rows[i].url, arena, &out, &err);

		assert_int_equal(is_done, rows[i].result != NULL);
		if (is_done)
			assert_string_equal(out, rows[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gitmodules_parse__reads_what_git_writes_and_people_edit),
		cmocka_unit_test(test_gitmodules_parse__names_the_line_that_is_wrong),
		cmocka_unit_test(test_gitmodules_url__follows_relative_urls),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
