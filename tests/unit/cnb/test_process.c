/* SPDX-License-Identifier: Apache-2.0 */
/* test_process.c — launch.toml by Buildpack API, merged processes, metadata.toml by Platform API; layer files and SBOM names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/layer_file.h"
#include "buildexec/cnb/process.h"
#include "model/base/buf.h"
#include "model/doc/toml.h"

static struct node *parse(struct arena *arena, const char *text)
{
	struct node *tree;
	struct err err = { 0 };

	if (!toml_parse(text, strlen(text), arena, &tree, &err))
		fail_msg("%s", err.text);
	return tree;
}

static bool decode(struct arena *arena, const char *text, unsigned api, struct launch_file *out,
		   struct err *err)
{
	struct bp_descriptor *bp = ARENA_NEW(arena, struct bp_descriptor);

	bp->api = (struct api){ 0, api };
	bp->element.id = "a/b";
	return launch_file_decode(parse(arena, text), bp, arena, out, err);
}

static const struct refused {
	const char *name, *text;
	unsigned api;
} refused[] = {
	{ "an array before 0.9", "[[processes]]\ncommand = [\"x\"]\n", 8 },
	{ "no command before 0.9", "[[processes]]\ntype = \"x\"\n", 8 },
	{ "a text from 0.9 on", "[[processes]]\ncommand = \"x\"\n", 9 },
	{ "direct from 0.9 on", "[[processes]]\ncommand = [\"x\"]\ndirect = true\n", 9 },
	{ "two defaults",
	  "[[processes]]\ntype = \"a\"\ndefault = true\n[[processes]]\ntype = \"b\"\ndefault = "
	  "true\n",
	  10 },
	{ "a type that is no text", "[[processes]]\ntype = 1\n", 10 },
	{ "processes that are no tables", "processes = [1]\n", 10 },
	{ "paths that are no texts", "[[slices]]\npaths = [1]\n", 10 },
	{ "a text with a NUL", "[[processes]]\ntype = \"a\\u0000\"\n", 10 },
};

static void test_launch_file__refuses_what_its_api_does_not_know(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(refused); i++) {
		struct arena *arena = arena_new();
		struct launch_file file;
		struct err err = { 0 };

		print_message("%s\n", refused[i].name);
		assert_false(decode(arena, refused[i].text, refused[i].api, &file, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		arena_free(arena);
	}
}

static void test_launch_file__is_read_by_its_api(void **state)
{
	struct arena *arena = arena_new();
	struct launch_file file;
	struct err err = { 0 };

	(void)state;
	assert_true(decode(arena, "[[processes]]\ncommand = \"x y\"\nworking-dir = \"/w\"\n", 7,
			   &file, &err));
	assert_false(file.processes.v[0].is_direct);
	assert_null(file.processes.v[0].working_dir);
	assert_true(file.has_ignored_dir);
	assert_true(decode(arena,
			   "[[processes]]\ncommand = \"x\"\ndirect = true\nworking-dir = \"/w\"\n",
			   8, &file, &err));
	assert_true(file.processes.v[0].is_direct);
	assert_string_equal(file.processes.v[0].working_dir, "/w");
	assert_true(decode(arena, "[[processes]]\ncommand = [\"x\", \"y\"]\n", 9, &file, &err));
	assert_true(file.processes.v[0].is_direct);
	assert_int_equal(file.processes.v[0].command.n, 2);
	assert_string_equal(file.processes.v[0].buildpack_id, "a/b");
	arena_free(arena);
}

/* Each file: "type" or "type*" (default), blanks between. */
static const struct merge_row {
	const char *name, *files[3], *types, *deflt, *lost;
} merge_rows[] = {
	{ "sorted by type", { "web a b" }, "a b web", "", NULL },
	{ "the last default wins", { "a* b", "c*" }, "a b c", "c", NULL },
	{ "a redefinition without default takes it away", { "a*", "a" }, "a", "", "a" },
	{ "another default in the same file takes its place", { "a*", "a b*" }, "a b", "b", NULL },
	{ "redefined and default again", { "a*", "a", "a*" }, "a", "a", NULL },
	{ "web is no default by itself", { "web" }, "web", "", NULL },
};

static struct launch_file made_up(struct arena *arena, const char *types)
{
	struct launch_file file = { 0 };
	char *copy = arena_strdup(arena, types), *save;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		struct process process = { .type = w };
		size_t n = strlen(w);

		process.is_default = w[n - 1] == '*';
		if (process.is_default)
			w[n - 1] = '\0';
		vec_push(arena, &file.processes, process);
	}
	return file;
}

static void test_launch_metadata__merges_by_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(merge_rows); i++) {
		const struct merge_row *row = &merge_rows[i];
		struct arena *arena = arena_new();
		struct launch_metadata metadata = { 0 };
		const char *lost = NULL;
		AUTO_BUF types = BUF_INIT(100);

		print_message("%s\n", row->name);
		for (size_t k = 0; k < COUNTOF(row->files) && row->files[k]; k++) {
			struct launch_file file = made_up(arena, row->files[k]);

			lost = launch_metadata_add(&metadata, &file, arena);
		}
		for (size_t k = 0; k < metadata.processes.n; k++)
			buf_printf(&types, "%s%s", k ? " " : "", metadata.processes.v[k].type);
		assert_string_equal(buf_text(&types), row->types);
		assert_string_equal(metadata.default_type ? metadata.default_type : "", row->deflt);
		assert_string_equal(lost ? lost : "", row->lost ? row->lost : "");
		arena_free(arena);
	}
}

#define SERVE_FOR(env)                                                                             \
	"[[processes]]\ntype = \"web\"\ncommand = [\"" env "\"]\nexec-env = [\"" env "\"]\n"

static void test_launch_metadata__keeps_a_type_for_each_exec_env(void **state)
{
	struct arena *arena = arena_new();
	struct launch_metadata metadata = { 0 };
	struct launch_file file;
	struct err err = { 0 };
	const struct processes *list = &metadata.processes;

	(void)state;
	assert_true(decode(
		arena,
		SERVE_FOR("production") "default = true\n" SERVE_FOR("test") "default = true\n", 12,
		&file, &err));
	assert_null(launch_metadata_add(&metadata, &file, arena));
	assert_int_equal(list->n, 2);
	assert_string_equal(metadata.default_type, "web");
	/* A later one for one of them replaces that one alone, and the other stays the default. */
	assert_true(decode(arena, SERVE_FOR("test"), 12, &file, &err));
	assert_null(launch_metadata_add(&metadata, &file, arena));
	assert_int_equal(list->n, 2);
	assert_string_equal(list->v[0].exec_envs.v[0], "test");
	assert_false(list->v[0].is_default);
	assert_string_equal(metadata.default_type, "web");
	/* One for all of them replaces all. */
	assert_true(decode(arena, "[[processes]]\ntype = \"web\"\n", 12, &file, &err));
	assert_string_equal(launch_metadata_add(&metadata, &file, arena), "web");
	assert_int_equal(list->n, 1);
	/* One for some of what an older one is for goes before it. */
	assert_true(decode(arena, SERVE_FOR("test"), 12, &file, &err));
	assert_null(launch_metadata_add(&metadata, &file, arena));
	assert_int_equal(list->n, 2);
	assert_string_equal(list->v[0].exec_envs.v[0], "test");
	assert_false(decode(
		arena, SERVE_FOR("test") "default = true\n" SERVE_FOR("test") "default = true\n",
		12, &file, &err));
	arena_free(arena);
}

static const char launch_text[] = "[[processes]]\ntype = \"web\"\ncommand = [\"<a>\", \"b\"]\n"
				  "args = []\ndefault = true\nworking-dir = \"/w\"\n"
				  "exec-env = [\"test\"]\n[[labels]]\nkey = \"k\"\nvalue = \"v\"\n"
				  "[[slices]]\npaths = [\"p/*\"]\n";

static const char new_text[] =
	"buildpack-default-process-type = \"web\"\n\n"
	"[[buildpacks]]\n  id = \"a/b\"\n  version = \"1\"\n  api = \"0.12\"\n  homepage = "
	"\"h\"\n\n"
	"[[labels]]\n  key = \"k\"\n  value = \"v\"\n\n"
	"[[processes]]\n  type = \"web\"\n  command = [\"\\u003ca\\u003e\", \"b\"]\n  args = []\n"
	"  direct = true\n  buildpack-id = \"a/b\"\n  working-dir = \"/w\"\n  exec-env = "
	"[\"test\"]\n\n"
	"[[slices]]\n  paths = [\"p/*\"]\n";

static const char *printed(struct arena *arena, const struct launch_metadata *metadata,
			   unsigned api)
{
	AUTO_BUF out = BUF_INIT(4096);

	toml_print(launch_metadata_encode(metadata, (struct api){ 0, api }, arena), &out);
	return buf_copy(&out, arena);
}

static void test_launch_metadata__has_the_bytes_of_the_reference(void **state)
{
	struct arena *arena = arena_new();
	struct launch_metadata metadata = { 0 }, empty = { 0 }, again;
	struct bp_element element = { "a/b", "1", "0.12", "h", false, 0 };
	struct launch_file file;
	struct err err = { 0 };
	const char *old;

	(void)state;
	assert_true(decode(arena, launch_text, 12, &file, &err));
	assert_null(launch_metadata_add(&metadata, &file, arena));
	vec_push(arena, &metadata.buildpacks, element);
	assert_string_equal(printed(arena, &metadata, 10), new_text);
	assert_string_equal(printed(arena, &empty, 10), "processes = []\n");
	old = printed(arena, &metadata, 9);
	assert_non_null(strstr(old, "  command = \"\\u003ca\\u003e\"\n  args = [\"b\"]\n"));
	assert_true(launch_metadata_decode(parse(arena, new_text), arena, &again, &err));
	assert_string_equal(printed(arena, &again, 10), new_text);
	assert_true(launch_metadata_decode(parse(arena, old), arena, &again, &err));
	assert_string_equal(again.processes.v[0].command.v[0], "<a>");
	assert_false(launch_metadata_decode(
		parse(arena, "[[buildpacks]]\nid = \"..\"\nversion = \"1\"\n"), arena, &again,
		&err));
	arena_free(arena);
}

static void test_boms__go_to_json_or_to_old_metadata(void **state)
{
	struct arena *arena = arena_new();
	struct launch_metadata metadata = { 0 };
	struct launch_file file;
	struct err err = { 0 };
	AUTO_BUF json = BUF_INIT(4096);

	(void)state;
	boms_print_json(&metadata.boms, arena, &json);
	assert_string_equal(buf_text(&json), "null\n");
	buf_clear(&json);
	assert_true(decode(arena,
			   "[[bom]]\nname = \"<x>\"\n[bom.metadata]\nb = 1\na = 2.5\n"
			   "[[bom]]\nname = \"y\"\n",
			   7, &file, &err));
	file.boms.v[0].buildpack.version = file.boms.v[1].buildpack.version = "1";
	launch_metadata_add(&metadata, &file, arena);
	boms_print_json(&metadata.boms, arena, &json);
	assert_string_equal(buf_text(&json),
			    "[{\"name\":\"\\u003cx\\u003e\",\"metadata\":{\"a\":2.5,\"b\":1},"
			    "\"buildpack\":{\"id\":\"a/b\",\"version\":\"1\"}},"
			    "{\"name\":\"y\",\"metadata\":null,\"buildpack\":{\"id\":\"a/"
			    "b\",\"version\":\"1\"}}]\n");
	assert_string_equal(printed(arena, &metadata, 8),
			    "processes = []\n\n[[bom]]\n  name = \"<x>\"\n  [bom.metadata]\n"
			    "    a = 2.5\n    b = 1\n  [bom.buildpack]\n    id = \"a/b\"\n"
			    "    version = \"1\"\n\n[[bom]]\n  name = \"y\"\n  [bom.buildpack]\n"
			    "    id = \"a/b\"\n    version = \"1\"\n");
	assert_string_equal(printed(arena, &metadata, 9), "processes = []\n");
	assert_false(decode(arena, "[[bom]]\nname = \"x\"\nversion = \"1\"\n", 7, &file, &err));
	arena_free(arena);
}

static void test_layer_file__reads_flags(void **state)
{
	const struct api api = { 0, 6 };
	struct arena *arena = arena_new();
	struct layer_file file;
	struct err err = { 0 };
	AUTO_BUF out = BUF_INIT(4096);

	(void)state;
	assert_true(layer_file_decode(
		parse(arena, "[types]\ncache = true\n[metadata]\nz = 1\na = 2.0\n"), api, &file,
		&err));
	assert_true(file.is_cache && !file.is_build && !file.is_launch);
	toml_print(layer_file_encode(&file, api, arena), &out);
	assert_string_equal(buf_text(&out), "[metadata]\n  a = 2.0\n  z = 1\n");
	assert_true(layer_file_decode(parse(arena, ""), api, &file, &err));
	assert_false(file.is_cache || file.is_build || file.is_launch);
	assert_false(layer_file_decode(parse(arena, "launch = true\n"), api, &file, &err));
	assert_false(layer_file_decode(parse(arena, "types = 1\n"), api, &file, &err));
	assert_false(layer_file_decode(parse(arena, "[types]\nbuild = \"x\"\n"), api, &file, &err));
	arena_free(arena);
}

static void test_layer_file__has_flags_at_the_top_before_0_6(void **state)
{
	const struct api api = { 0, 5 };
	struct arena *arena = arena_new();
	struct layer_file file;
	struct err err = { 0 };
	AUTO_BUF out = BUF_INIT(4096);

	(void)state;
	assert_true(
		layer_file_decode(parse(arena, "launch = true\ncache = true\n[metadata]\nz = 1\n"),
				  api, &file, &err));
	assert_true(file.is_cache && !file.is_build && file.is_launch && !file.has_ignored_types);
	toml_print(layer_file_encode(&file, api, arena), &out);
	assert_string_equal(buf_text(&out),
			    "build = false\nlaunch = true\ncache = true\n\n[metadata]\n  z = 1\n");
	assert_true(layer_file_decode(parse(arena, "[types]\nlaunch = true\n"), api, &file, &err));
	assert_true(!file.is_launch && file.has_ignored_types);
	assert_false(layer_file_decode(parse(arena, "launch = 1\n"), api, &file, &err));
	arena_free(arena);
}

static void test_launch_file__makes_web_the_default_before_0_6(void **state)
{
	static const char text[] = "[[processes]]\ntype = \"a\"\ncommand = \"x\"\ndefault = true\n"
				   "[[processes]]\ntype = \"web\"\ncommand = \"y\"\n";
	struct arena *arena = arena_new();
	struct launch_metadata metadata = { 0 };
	struct launch_file file;
	struct err err = { 0 };

	(void)state;
	assert_true(decode(arena, text, 5, &file, &err));
	assert_int_equal(file.ignored_defaults.n, 1);
	assert_string_equal(file.ignored_defaults.v[0], "a");
	launch_metadata_add(&metadata, &file, arena);
	assert_string_equal(metadata.default_type, "web");
	assert_true(decode(arena, text, 6, &file, &err));
	assert_int_equal(file.ignored_defaults.n, 0);
	metadata = (struct launch_metadata){ 0 };
	launch_metadata_add(&metadata, &file, arena);
	assert_string_equal(metadata.default_type, "a");
	arena_free(arena);
}

static void test_sbom__names(void **state)
{
	struct arena *arena = arena_new();
	struct strings declared = { 0 };
	const char *type = NULL;

	(void)state;
	assert_string_equal(sbom_name("l.sbom.cdx.json", &type), "sbom.cdx.json");
	assert_string_equal(type, "application/vnd.cyclonedx+json");
	assert_null(sbom_name("l.sbom.foo.json", NULL));
	assert_null(sbom_name("sbom.cdx.json", NULL));
	assert_true(is_sbom_file("l.sbom.foo.json"));
	assert_true(is_sbom_file("l.sbom..json"));
	assert_false(is_sbom_file("l.sbom.json"));
	assert_false(is_sbom_file("l.toml"));
	vec_push(arena, &declared, "application/spdx+json; version=2");
	assert_true(sbom_is_declared(&declared, "application/spdx+json"));
	assert_false(sbom_is_declared(&declared, type));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_launch_file__refuses_what_its_api_does_not_know),
		cmocka_unit_test(test_launch_file__is_read_by_its_api),
		cmocka_unit_test(test_launch_metadata__merges_by_type),
		cmocka_unit_test(test_launch_metadata__keeps_a_type_for_each_exec_env),
		cmocka_unit_test(test_launch_metadata__has_the_bytes_of_the_reference),
		cmocka_unit_test(test_boms__go_to_json_or_to_old_metadata),
		cmocka_unit_test(test_layer_file__reads_flags),
		cmocka_unit_test(test_layer_file__has_flags_at_the_top_before_0_6),
		cmocka_unit_test(test_launch_file__makes_web_the_default_before_0_6),
		cmocka_unit_test(test_sbom__names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
