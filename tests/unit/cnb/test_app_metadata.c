/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_app_metadata.c — the label of the lifecycle against the vectors of the parity suite (read, written, the same), and
 * what goes between TOML and JSON. Without the suite its part is skipped.
 */
#include "buildexec/cnb/app_metadata.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/build_metadata.h"
#include "model/base/buf.h"
#include "model/doc/json.h"
#include "model/doc/toml.h"

static struct node *read_json(struct arena *arena, const char *path)
{
	AUTO_BUF text = BUF_INIT(4u << 20);
	FILE *file = fopen(path, "r");
	struct err err = { 0 };
	struct node *json;
	char chunk[4096];
	size_t n;

	assert_non_null(file);
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&text, chunk, n);
	fclose(file);
	assert_true(json_parse(buf_text(&text), text.len, arena, &json, &err));
	return json;
}

static void find_vectors(const char *pattern, glob_t *found)
{
	const char *shared = getenv("RECONCILE_SHARED");
	char path[4096];

	snprintf(path, sizeof(path), "%s/suites/lifecycle-parity/cases/%s",
		 shared ? shared : TEST_SOURCE_DIR "/../shared", pattern);
	if (glob(path, 0, NULL, found) != 0) {
		print_message("skipped: no suite at %s\n", path);
		skip();
	}
}

static void test_app_metadata__reads_and_writes_every_label_of_the_suite(void **state)
{
	glob_t found;

	(void)state;
	find_vectors("*/expected/*/labels/io.buildpacks.lifecycle.metadata.json", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct arena *arena = arena_new();
		struct node *json = read_json(arena, found.gl_pathv[i]);
		struct app_metadata metadata;
		struct err err = { 0 };

		if (!app_metadata_decode(json, arena, &metadata, &err))
			fail_msg("%s: %s", found.gl_pathv[i], err.text);
		if (!node_equal(app_metadata_encode(&metadata, arena), json))
			fail_msg("%s comes back differently", found.gl_pathv[i]);
		arena_free(arena);
	}
	globfree(&found);
}

static void test_cache_metadata__reads_and_writes_every_cache_of_the_suite(void **state)
{
	glob_t found;

	(void)state;
	find_vectors("*/expected/*/cache.json", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct arena *arena = arena_new();
		const struct node *json = node_get(read_json(arena, found.gl_pathv[i]), "metadata");
		struct cache_metadata metadata;
		struct err err = { 0 };

		assert_true(cache_metadata_decode(json, arena, &metadata, &err));
		assert_true(node_equal(cache_metadata_encode(&metadata, arena), json));
		arena_free(arena);
	}
	globfree(&found);
}

static void test_app_metadata__refuses_what_is_none(void **state)
{
	static const char *const rows[] = {
		"[]",
		"{\"buildpacks\":{}}",
		"{\"buildpacks\":[{}]}",
		"{\"buildpacks\":[{\"key\":\"a\",\"layers\":[]}]}",
		"{\"buildpacks\":[{\"key\":\"a\",\"layers\":{\"../x\":{}}}]}",
		"{\"buildpacks\":[{\"key\":\"a\",\"layers\":{\"..\":{}}}]}",
		"{\"buildpacks\":[{\"key\":\"a\",\"layers\":{\"\":{}}}]}",
		"{\"buildpacks\":[{\"key\":\"a\",\"layers\":{\"l\":1}}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct app_metadata metadata;
		struct err err = { 0 };
		struct node *json;

		assert_true(json_parse(rows[i], strlen(rows[i]), arena, &json, &err));
		assert_false(app_metadata_decode(json, arena, &metadata, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		arena_free(arena);
	}
}

static void test_metadata_to_json__writes_dates_as_times(void **state)
{
	static const char *const rows[][2] = {
		{ "1979-05-27T07:32:00Z", "1979-05-27T07:32:00Z" },
		{ "1979-05-27 07:32:00z", "1979-05-27T07:32:00Z" },
		{ "1979-05-27T07:32:00.500-08:00", "1979-05-27T07:32:00.5-08:00" },
		{ "1979-05-27T07:32:00.000Z", "1979-05-27T07:32:00Z" },
		{ "1979-05-27T07:32:00.1234567891Z", "1979-05-27T07:32:00.123456789Z" },
		{ "1979-05-27T07:32:00+00:00", "1979-05-27T07:32:00Z" },
		{ "1979-05-27T07:32:00", "1979-05-27T07:32:00Z" },
		{ "1979-05-27", "1979-05-27T00:00:00Z" },
		{ "07:32:00", "0000-01-01T07:32:00Z" },
		{ "07:32:00.25", "0000-01-01T07:32:00.25Z" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = arena_printf(arena, "when = %s\n", rows[i][0]);
		struct err err = { 0 };
		struct node *toml;

		if (!toml_parse(text, strlen(text), arena, &toml, &err))
			fail_msg("%s: %s", rows[i][0], err.text);
		assert_string_equal(node_text(metadata_to_json(toml, arena), "when"), rows[i][1]);
	}
	arena_free(arena);
}

static void test_metadata_to_toml__keeps_types_and_drops_nulls(void **state)
{
	static const char json_text[] = "{\"z\":1,\"big\":9007199254740993,\"gone\":null,\"a\":[1,"
					"2.5,null],\"t\":{\"n\":-7.0}}";
	struct arena *arena = arena_new();
	AUTO_BUF out = BUF_INIT(4096);
	struct err err = { 0 };
	struct node *json;

	(void)state;
	assert_true(json_parse(json_text, strlen(json_text), arena, &json, &err));
	toml_print(metadata_to_toml(json, arena), &out);
	assert_string_equal(buf_text(&out),
			    "a = [1, 2.5]\nbig = 9007199254740993\nz = 1\n\n[t]\n  n = -7.0\n");
	arena_free(arena);
}

/* metadata.toml of each step against the label that the reference made of it. */
static void test_build_metadata__makes_every_label_of_the_suite(void **state)
{
	static const struct launcher_source launcher = { "1", "", "" };
	glob_t found;

	(void)state;
	find_vectors("*/expected/*/metadata.toml", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct arena *arena = arena_new();
		const char *path = found.gl_pathv[i];
		const char *folder =
			arena_copy(arena, path, strlen(path) - strlen("/metadata.toml"));
		bool is_old = strstr(path, "/platform-0.7/") || strstr(path, "/platform-0.9/");
		const char *api = strstr(path, "/platform-0.7/") ? "0.7" : is_old ? "0.9" : "0.14";
		struct node *expected, *label, *toml;
		struct build_metadata metadata;
		AUTO_BUF text = BUF_INIT(1u << 20);
		struct err err = { 0 };
		FILE *file = fopen(path, "r");
		char chunk[4096];
		size_t n;

		assert_non_null(file);
		while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
			buf_add(&text, chunk, n);
		fclose(file);
		assert_true(toml_parse(buf_text(&text), text.len, arena, &toml, &err));
		assert_true(build_metadata_read(toml, arena, &metadata, &err));
		label = build_metadata_label(&metadata, &launcher, api, arena);
		expected = read_json(arena, arena_printf(arena, "%s/labels/%s.json", folder,
							 LABEL_BUILD_METADATA));
		node_set(arena, expected, "launcher",
			 node_clone(arena, node_get(label, "launcher")));
		if (!node_equal(label, expected))
			fail_msg("%s gives another label", path);
		arena_free(arena);
	}
	globfree(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_app_metadata__reads_and_writes_every_label_of_the_suite),
		cmocka_unit_test(test_cache_metadata__reads_and_writes_every_cache_of_the_suite),
		cmocka_unit_test(test_app_metadata__refuses_what_is_none),
		cmocka_unit_test(test_metadata_to_json__writes_dates_as_times),
		cmocka_unit_test(test_metadata_to_toml__keeps_types_and_drops_nulls),
		cmocka_unit_test(test_build_metadata__makes_every_label_of_the_suite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
