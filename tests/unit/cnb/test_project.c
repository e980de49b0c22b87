/* SPDX-License-Identifier: Apache-2.0 */
/* test_project.c — project.toml of both schemas: patterns, variables, what is refused. */
#include "buildexec/cnb/project.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/project_order.h"
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
		{ "[[build.buildpacks]]\nid = 'a'\nscript = { inline = 'true' }\n", "script.api" },
		{ "[[build.buildpacks]]\nscript = { api = '0.10', inline = 'true' }\n", "an id" },
		{ "[[build.buildpacks]]\nid = 'a'\nuri = 'b'\nscript = { api = '0.10', inline = "
		  "'true' }\n",
		  "no uri" },
		{ "[[build.buildpacks]]\nid = '..'\nscript = { api = '0.10', inline = 'true' }\n",
		  "cannot name a folder" },
		{ "[[build.buildpacks]]\nid = 'a'\nscript = { api = '0.10', inline = 'true', shell "
		  "= 'sh' }\n",
		  "script.shell" },
		{ "[[build.buildpacks]]\nid = 'a'\nscript = { api = '0.10', inline = 'true' }\n"
		  "[[build.buildpacks]]\nversion = '1'\n",
		  "neither id nor uri" },
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
		"[[build.buildpacks]]\nid = 'a/b'\n",
		"[_]\nschema-version = '0.2'\n[[io.buildpacks.group]]\nuri = 'docker://x'\n",
		"[_]\nschema-version = '0.2'\n[[io.buildpacks.pre.group]]\nid = 'x'\n",
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

static const char *two_is_new(void *ctx, const char *id, struct err *err)
{
	(void)ctx;
	if (strcmp(id, "two") == 0)
		return "2";
	err_set(err, ERR_INVALID, "no %s", id);
	return NULL;
}

#define INLINE "script = { api = '0.10', inline = 'echo hi' }\n"
#define GROUPS "[_]\nschema-version = '0.2'\n"

/* Groups as "id@version" with blanks, joined by " | ". */
static const char *order_text(const struct node *tree, struct arena *arena)
{
	const struct node *order = node_get(tree, "order");
	const char *out = "";

	for (const struct node *o = order ? order->first : NULL; o; o = o->next) {
		for (const struct node *e = node_get(o, "group")->first; e; e = e->next)
			out = arena_printf(arena, "%s%s@%s ", out, node_text(e, "id"),
					   node_text(e, "version"));
		out = arena_printf(arena, "%s| ", out);
	}
	return out;
}

static void test_project_order__follows_lists_with_an_inline_buildpack(void **state)
{
	static const char builders[] = "[[order]]\n[[order.group]]\nid = 'a'\nversion = '1'\n"
				       "[[order]]\n[[order.group]]\nid = 'b'\nversion = '1'\n"
				       "[[order-extensions]]\n";
	static const struct {
		const char *text, *order; /* NULL: refused; "": the builder's stays */
	} rows[] = {
		{ "[build]\n", "" },
		{ "[[build.buildpacks]]\nid = 'two'\n", "" },
		{ "[[build.buildpacks]]\nid = 'i'\n" INLINE, "i@0.0.0 | " },
		{ GROUPS
		  "[[io.buildpacks.group]]\nid = 'two'\n[[io.buildpacks.group]]\nid = "
		  "'i'\nversion = '3'\n" INLINE "[[io.buildpacks.group]]\nuri = "
		  "'urn:cnb:builder:c@4'\n[[io.buildpacks.group]]\nuri = 'from=builder:two'\n",
		  "two@2 i@3 c@4 two@2 | " },
		{ GROUPS "[[io.buildpacks.pre.group]]\nid = 'i'\n" INLINE
			 "[[io.buildpacks.post.group]]\nid = 'j'\n" INLINE,
		  "i@0.0.0 a@1 j@0.0.0 | i@0.0.0 b@1 j@0.0.0 | " },
		{ GROUPS "[[io.buildpacks.pre.group]]\nid = 'two'\n[[io.buildpacks.group]]\nid = "
			 "'i'\n" INLINE,
		  "i@0.0.0 | " },
		{ GROUPS "[[io.buildpacks.group]]\nid = 'none'\n[[io.buildpacks.group]]\nid = "
			 "'i'\n" INLINE,
		  NULL },
		{ GROUPS
		  "[[io.buildpacks.group]]\nuri = 'docker://x'\n[[io.buildpacks.group]]\nid = "
		  "'i'\n" INLINE,
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct project project;
		struct node *order_toml, *order;
		struct err err = { 0 };

		assert_true(toml_parse(builders, strlen(builders), arena, &order_toml, &err));
		assert_true(read_text(arena, rows[i].text, &project, &err));
		if (!project_order(&project, order_toml, two_is_new, NULL, arena, &order, &err)) {
			assert_null(rows[i].order);
			assert_int_equal(err.kind, ERR_INVALID);
		} else {
			assert_string_equal(order_text(order, arena), rows[i].order);
			assert_true(!order || node_get(order, "order-extensions"));
		}
		arena_free(arena);
	}
}

static void test_project_buildpack__is_made_of_its_script(void **state)
{
	struct arena *arena = arena_new();
	struct project project;
	struct err err = { 0 };
	AUTO_BUF text = BUF_INIT(4096);

	(void)state;
	assert_true(read_text(arena,
			      "[[build.buildpacks]]\nid = 'a/b'\nscript = { api = '0.9', inline = "
			      "'echo $0', shell = '/bin/bash' }\n",
			      &project, &err));
	toml_print(project_buildpack_toml(&project.group.v[0], arena), &text);
	assert_string_equal(buf_text(&text),
			    "api = \"0.9\"\n\n[buildpack]\n  id = \"a/b\"\n  version "
			    "= \"0.0.0\"\n\n[[stacks]]\n  id = \"*\"\n");
	assert_string_equal(project_buildpack_script(&project.group.v[0], arena),
			    "#!/bin/bash\n\necho $0\n");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_project_read__knows_both_schemas),
		cmocka_unit_test(test_project_keeps__takes_only_what_is_included),
		cmocka_unit_test(test_project_read__refuses_what_makes_no_sense),
		cmocka_unit_test(test_project_order__follows_lists_with_an_inline_buildpack),
		cmocka_unit_test(test_project_buildpack__is_made_of_its_script),
		cmocka_unit_test(test_project_read__ignores_other_versions_and_builders_aloud),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
