/* SPDX-License-Identifier: Apache-2.0 */
/* test_project.c — project.toml of both schemas: patterns, variables, what is refused. */
#include "buildexec/cnb/project.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/toml.h"

static bool read_text(struct arena *arena, const char *text, struct project *out, struct err *err)
{
	struct node *toml;

	assert_true(toml_parse(text, strlen(text), arena, &toml, err));
	return project_read(toml, arena, out, err);
}

static void test_project_read__knows_both_schemas(void **state)
{
	static const char *const rows[] = {
		"[project]\nname = 'x'\n[build]\nexclude = ['*.md']\n[[build.env]]\nname = "
		"'A'\nvalue = '1'\n",
		"[_]\nschema-version = '0.1'\n[build]\nexclude = ['*.md']\n[[build.env]]\nname = "
		"'A'\nvalue = '1'\n",
		"[_]\nschema-version = '0.2'\n[io.buildpacks]\nexclude = ['*.md']\n"
		"[[io.buildpacks.build.env]]\nname = 'A'\nvalue = '1'\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct project project;
		struct err err = { 0 };

		assert_true(read_text(arena, rows[i], &project, &err));
		assert_false(project_keeps(&project, "doc/a.md"));
		assert_true(project_keeps(&project, "main.c"));
		assert_int_equal(project.env.n, 1);
		assert_string_equal(pairs_get((const struct pairs *)&project.env, "A"), "1");
		arena_free(arena);
	}
}

static void test_project_keeps__takes_only_what_is_included(void **state)
{
	struct arena *arena = arena_new();
	struct project project;
	struct err err = { 0 };

	(void)state;
	assert_true(read_text(arena, "[build]\ninclude = ['src/', '/go.mod']\n", &project, &err));
	assert_true(project_keeps(&project, "src/deep/a.go"));
	assert_true(project_keeps(&project, "go.mod"));
	assert_false(project_keeps(&project, "sub/go.mod"));
	assert_false(project_keeps(&project, "README"));
	arena_free(arena);
}

static void test_project_read__refuses_what_makes_no_sense(void **state)
{
	static const char *const rows[][2] = {
		{ "[build]\ninclude = ['a']\nexclude = ['b']\n", "both include and exclude" },
		{ "[build]\ninclude = 'a'\n", "'include' is no list" },
		{ "[build]\nexclude = [1]\n", "no text" },
		{ "[[build.env]]\nname = 'A'\n", "name and a value" },
		{ "[[build.env]]\nname = '../A'\nvalue = ''\n", "name and a value" },
		{ "[build]\nenv = 1\n", "'env' is no list" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct project project;
		struct err err = { 0 };

		assert_false(read_text(arena, rows[i][0], &project, &err));
		if (!strstr(err.text, rows[i][1]))
			fail_msg("'%s' does not say '%s'", err.text, rows[i][1]);
		arena_free(arena);
	}
}

static void test_project_read__ignores_other_versions_and_builders_aloud(void **state)
{
	static const char *const rows[] = {
		"[_]\nschema-version = '0.9'\n[io.buildpacks]\nexclude = ['*']\n",
		"[build]\nbuilder = 'x/y'\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct project project;
		struct err err = { 0 };

		assert_true(read_text(arena, rows[i], &project, &err));
		assert_int_equal(project.warnings.n, 1);
		assert_true(project_keeps(&project, "anything"));
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_project_read__knows_both_schemas),
		cmocka_unit_test(test_project_keeps__takes_only_what_is_included),
		cmocka_unit_test(test_project_read__refuses_what_makes_no_sense),
		cmocka_unit_test(test_project_read__ignores_other_versions_and_builders_aloud),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
