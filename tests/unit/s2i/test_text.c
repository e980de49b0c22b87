/* SPDX-License-Identifier: Apache-2.0 */
/* test_text.c — the small texts of a build, and the table of reasons. */
#include "buildexec/s2i/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/s2i/reason.h"

static void test_environment_parse__takes_lines_with_names(void **state)
{
	static const char text[] =
		"# comment\nA=1\n B = two words \n\nnothing\n=x\nC=a=b\nA=2\r\nD=";
	static const struct {
		const char *key, *value;
	} rows[] = {
		{ "A", "1" }, { "B", "two words" }, { "C", "a=b" }, { "A", "2" }, { "D", "" }
	};
	struct arena *arena = arena_new();
	struct pairs env = { 0 };

	(void)state;
	environment_parse(text, strlen(text), arena, &env);
	assert_int_equal(env.n, COUNTOF(rows));
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		assert_string_equal(env.v[i].key, rows[i].key);
		assert_string_equal(env.v[i].value, rows[i].value);
	}
	arena_free(arena);
}

static void test_environment_join__puts_the_build_first(void **state)
{
	const char *image[] = { "PATH=/bin", "A=image", "B=image" };
	struct pair own[] = { { .key = "A", .value = "1" },
			      { .key = "C", .value = "3" },
			      { .key = "A", .value = "2" } };
	const struct pairs env = { .v = own, .n = 3 };
	const struct strings below = { .v = image, .n = 3 };
	struct arena *arena = arena_new();
	struct strings out = environment_join(&env, &below, arena);

	(void)state;
	assert_int_equal(out.n, 4);
	assert_string_equal(out.v[0], "A=2");
	assert_string_equal(out.v[1], "C=3");
	assert_string_equal(out.v[2], "PATH=/bin");
	assert_string_equal(out.v[3], "B=image");
	arena_free(arena);
}

static void test_image_metadata_parse__wants_texts(void **state)
{
	static const struct {
		const char *text;
		bool is_ok;
		size_t n;
	} rows[] = {
		{ "{\"labels\":[{\"a\":\"1\"},{\"b\":\"2\",\"c\":\"\"}]}", true, 3 },
		{ "{}", true, 0 },
		{ "{\"labels\":[]}", true, 0 },
		{ "{\"labels\":{\"a\":\"1\"}}", false, 0 },
		{ "{\"labels\":[\"a\"]}", false, 0 },
		{ "{\"labels\":[{\"a\":1}]}", false, 0 },
		{ "{\"labels\":[{\"a\":\"x\\u0000y\"}]}", false, 0 },
		{ "labels", false, 0 },
		{ "", false, 0 },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct pairs labels = { 0 };
		struct err err = { 0 };

		if (image_metadata_parse(rows[i].text, strlen(rows[i].text), arena, &labels,
					 &err) != rows[i].is_ok)
			fail_msg("%s: %s", rows[i].text, err.text);
		if (rows[i].is_ok)
			assert_int_equal(labels.n, rows[i].n);
	}
	arena_free(arena);
}

static void test_labels_finish__sorts_and_limits(void **state)
{
	struct arena *arena = arena_new();
	struct pairs labels = { 0 };
	struct err err = { 0 };
	char *large = arena_alloc(arena, S2I_LABEL_BYTES + 1);

	(void)state;
	label_set(arena, &labels, "b", "1");
	label_set(arena, &labels, "a", "2");
	label_set(arena, &labels, "b", "3");
	assert_true(labels_finish(&labels, &err));
	assert_int_equal(labels.n, 2);
	assert_string_equal(labels.v[0].key, "a");
	assert_string_equal(labels.v[1].value, "3");
	memset(large, 'x', S2I_LABEL_BYTES - 5); /* with "a2b3" and "c" exactly the limit */
	label_set(arena, &labels, "c", large);
	assert_true(labels_finish(&labels, &err));
	large[S2I_LABEL_BYTES - 5] = 'x';
	assert_false(labels_finish(&labels, &err));
	arena_free(arena);
}

static void test_label_message__cuts_between_characters(void **state)
{
	struct arena *arena = arena_new();
	char text[128];

	(void)state;
	assert_string_equal(label_message("short", arena), "short");
	memset(text, 'a', sizeof(text));
	memcpy(text + 79, "\xc3\xa4\xc3\xa4", 5);
	assert_int_equal(strlen(label_message(text, arena)), 79);
	arena_free(arena);
}

static void test_artifacts__mapping(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *source, *destination, *why;
	} rows[] = {
		{ "/a/b", 1, "/a/b", "", NULL },
		{ "/a:b ; /c:d/e;", 2, "/a", "b", NULL },
		{ "/a:", 1, "/a", "", NULL },
		{ ";;", 0, NULL, NULL, NULL },
		{ "a:b", 1, "a", "b", "absolute path" },
		{ "/a:/b", 1, "/a", "/b", "relative path" },
		{ "/a:../b", 1, "/a", "../b", "leads out" },
		{ "/a:b/../../c", 1, "/a", "b/../../c", "leads out" },
		{ "/a:..b", 1, "/a", "..b", NULL },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct artifact_list list = { 0 };
		struct err err = { 0 };

		artifacts_parse(rows[i].text, arena, &list);
		assert_int_equal(list.n, rows[i].n);
		if (rows[i].n > 0) {
			assert_string_equal(list.v[0].source, rows[i].source);
			assert_string_equal(list.v[0].destination, rows[i].destination);
		}
		assert_int_equal(artifacts_check(&list, &err), rows[i].why == NULL);
		if (rows[i].why)
			assert_non_null(strstr(err.text, rows[i].why));
	}
	arena_free(arena);
}

static void test_reasons__are_all_named(void **state)
{
	(void)state;
	assert_string_equal(s2i_reason_name(S2I_COMPLETED), "");
	for (int i = S2I_COMPLETED + 1; i < S2I_REASONS; i++) {
		assert_true(strlen(s2i_reason_name((enum s2i_reason)i)) > 0);
		assert_true(strlen(s2i_reason_message((enum s2i_reason)i)) > 0);
	}
	assert_int_equal(s2i_reason_class(S2I_ASSEMBLE_FAILED), 4);
	assert_int_equal(s2i_reason_class(S2I_USER_FORBIDDEN), 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment_parse__takes_lines_with_names),
		cmocka_unit_test(test_environment_join__puts_the_build_first),
		cmocka_unit_test(test_image_metadata_parse__wants_texts),
		cmocka_unit_test(test_labels_finish__sorts_and_limits),
		cmocka_unit_test(test_label_message__cuts_between_characters),
		cmocka_unit_test(test_artifacts__mapping),
		cmocka_unit_test(test_reasons__are_all_named),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
