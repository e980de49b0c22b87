/* SPDX-License-Identifier: Apache-2.0 */
/* test_parts.c — reasons, order, versions, keys of questions, conditions, labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/plan/build_key.h"
#include "reconcile/plan/compose.h"
#include "reconcile/plan/labels.h"
#include "reconcile/plan/order.h"
#include "reconcile/plan/rules_image.h"

static void test_reasons__have_a_primary_one(void **state)
{
	static const struct {
		const char *reasons, *primary;
	} rows[] = {
		{ "", "UNKNOWN" },
		{ "CONFIG", "CONFIG" },
		{ "COMMIT,CONFIG", "CONFIG+" },
		{ "TRIGGER,COMMIT", "COMMIT+" },
		{ "TRIGGER,BUILDER,STACK", "BUILDER+" },
		{ "BUILDPACK,STACK", "BUILDER+" },
		{ "STACK,LIFECYCLE", "STACK+" },
		{ "TRIGGER", "TRIGGER" },
		{ "WHATEVER,STACK", "WHATEVER+" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(reason_primary(rows[i].reasons, arena), rows[i].primary);
	arena_free(arena);
}

static void test_reasons__are_recorded_in_one_order_and_once(void **state)
{
	struct arena *arena = arena_new();
	struct changes changes = { 0 };

	(void)state;
	for (size_t i = REASONS; i-- > 0;) {
		change_add(&changes, (struct change){ .reason = (enum reason)i }, arena);
		change_add(&changes, (struct change){ .reason = (enum reason)i }, arena);
	}
	assert_string_equal(changes_reasons(&changes, arena),
			    "TRIGGER,COMMIT,CONFIG,BUILDER,STACK,LIFECYCLE,IMAGE");
	assert_true(reasons_name("TRIGGER,STACK", "STACK"));
	assert_false(reasons_name("TRIGGER,STACKS", "STACK"));
	assert_false(reasons_name(NULL, "STACK"));
	for (size_t i = 0; i < REASONS; i++) {
		enum reason parsed;

		assert_true(reason_parse(reason_name((enum reason)i), &parsed));
		assert_int_equal(parsed, i);
	}
	arena_free(arena);
}

static void test_order__puts_what_is_needed_first_and_equals_by_name(void **state)
{
	static const size_t needs_c[] = { 3, 1 }, needs_a[] = { 2 };
	struct order_node nodes[] = {
		{ "z", needs_a, 1, 0, NULL },
		{ "b", NULL, 0, 0, NULL },
		{ "c", needs_c, 2, 0, NULL },
		{ "a", NULL, 0, 0, NULL },
	};
	struct arena *arena = arena_new();
	size_t order[4];

	(void)state;
	order_sort(nodes, 4, arena, order);
	assert_int_equal(order[0], 3);
	assert_int_equal(order[1], 1);
	assert_int_equal(order[2], 2);
	assert_int_equal(order[3], 0);
	assert_int_equal(nodes[0].rank, 2);
	arena_free(arena);
}

static void test_order__reports_the_cycle_by_name(void **state)
{
	static const size_t a[] = { 1 }, b[] = { 2 }, c[] = { 1 }, self[] = { 4 };
	struct order_node nodes[] = {
		{ "a", a, 1, 0, NULL },    { "b", b, 1, 0, NULL },    { "c", c, 1, 0, NULL },
		{ "d", NULL, 0, 0, NULL }, { "e", self, 1, 0, NULL },
	};
	struct arena *arena = arena_new();
	size_t order[5];

	(void)state;
	order_sort(nodes, 5, arena, order);
	assert_int_equal(order[0], 3);
	assert_string_equal(nodes[0].cycle, "b → c → b");
	assert_string_equal(nodes[2].cycle, "c → b → c");
	assert_string_equal(nodes[4].cycle, "e → e");
	assert_null(nodes[3].cycle);
	arena_free(arena);
}

static void test_versions__are_ordered_as_semver_says(void **state)
{
	static const char *const ascending[] = {
		"0.9",        "v1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
		"1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
		"1.0.0",      "1.0.1",        "1.2",           "1.10.0",
		"2",
	};
	static const char *const wrong[] = { "",
					     "x",
					     "1.",
					     "1.2.3.4",
					     "1.2.3-",
					     "1.2.3+",
					     "1..2",
					     "1.2.3-a..b",
					     "-1",
					     "1.2.3 ",
					     "v",
					     "latest",
					     "9999999999999999999.0.0" };

	(void)state;
	for (size_t i = 0; i < COUNTOF(ascending); i++) {
		assert_true(semver_is_valid(ascending[i]));
		for (size_t k = 0; k < COUNTOF(ascending); k++) {
			int got = semver_compare(ascending[i], ascending[k]);

			assert_true(i < k ? got < 0 : i > k ? got > 0 : got == 0);
		}
	}
	assert_int_equal(semver_compare("1.0.0+a", "v1+b"), 0);
	for (size_t i = 0; i < COUNTOF(wrong); i++)
		assert_false(semver_is_valid(wrong[i]));
}

static void test_keys__of_questions_do_not_run_into_each_other(void **state)
{
	struct arena *arena = arena_new();
	const char *keys[] = {
		query_key_git("u", NULL, NULL, NULL, arena),
		query_key_git("u", "n/a", NULL, NULL, arena),
		query_key_git("u", NULL, "n", "a", arena),
		query_key_git("u", "r", "n", "a", arena),
		query_key_git("u r", NULL, NULL, NULL, arena),
		query_key_git("u%20r", NULL, NULL, NULL, arena),
		query_key_git("u\nr", NULL, NULL, NULL, arena),
		query_key_image("u", NULL, NULL, arena),
		query_key_image("u", "n", "a", arena),
		query_key_local("u", "r", arena),
		query_key_local("u r", "", arena),
	};

	(void)state;
	assert_string_equal(keys[3], "git u r n/a");
	for (size_t i = 0; i < COUNTOF(keys); i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(keys[i], keys[k]);
	arena_free(arena);
}

static void test_sub_paths__are_one_however_they_are_written(void **state)
{
	static const struct {
		const char *written, *clean;
	} rows[] = {
		{ NULL, "" },     { "", "" },         { ".", "" },     { "./", "" },
		{ "/", "" },      { "a", "a" },       { "./a/", "a" }, { "/a/b//", "a/b" },
		{ "././a", "a" }, { ".a/.", ".a/." },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(sub_path_clean(rows[i].written, arena), rows[i].clean);
	arena_free(arena);
}

static void test_conditions__keep_their_time_until_the_status_moves(void **state)
{
	struct arena *arena = arena_new();
	struct conditions_edit edit;
	struct list first, second;

	(void)state;
	conditions_begin(&edit, &(struct list){ 0 }, 2, 100, arena);
	conditions_add(&edit, "Ready", "True", "A", NULL);
	first = edit.list;
	conditions_begin(&edit, &first, 2, 200, arena);
	conditions_add(&edit, "Ready", "True", "B", "other");
	second = edit.list;
	assert_int_equal(condition_find(&second, "Ready")->changed_s, 100);
	conditions_begin(&edit, &second, 2, 300, arena);
	conditions_add(&edit, "Ready", "False", "B", "other");
	assert_int_equal(condition_find(&edit.list, "Ready")->changed_s, 300);
	assert_false(conditions_keep(&edit, "Absent"));
	arena_free(arena);
}

static void test_compose__goes_to_the_tag_that_kpack_says(void **state)
{
	static const struct {
		enum kind kind;
		const char *tag, *expected;
	} rows[] = {
		{ KIND_CLUSTER_BUILDER, "r.io/b", "r.io/b:clusterbuilder-x" },
		{ KIND_CLUSTER_BUILDER, "r.io/b:latest", "r.io/b:clusterbuilder-x" },
		{ KIND_BUILDER, "r.io/b", "r.io/b:builder-ns-x" },
		{ KIND_BUILDER, "r.io:5000/b:v1", "r.io:5000/b:v1" },
		{ KIND_BUILDER, "b:v1", "index.docker.io/library/b:v1" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct builder_spec spec = { .tag = rows[i].tag };
		struct object object = { .kind = rows[i].kind,
					 .meta = { .name = "x", .ns = "ns" },
					 .spec = &spec };
		const char *tag;
		struct err err = { 0 };

		assert_true(compose_tag(&object, arena, &tag, &err));
		assert_string_equal(tag, rows[i].expected);
	}
	arena_free(arena);
}

static void test_compose__has_a_key_that_every_input_changes(void **state)
{
	struct arena *arena = arena_new();
	struct compose base = { .tag = "r.io/b:1", .stack_id = "s", .lifecycle_version = "1" };
	struct compose rows[7];
	struct compose_buildpack buildpack = { .id = { "a", "1", NULL, "0.10" } };

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		rows[i] = base;
	rows[1].tag = "r.io/b:2";
	rows[2].build_image = "r.io/x@sha256:1";
	rows[3].run_image = "r.io/x@sha256:1";
	rows[4].stack_id = "t";
	vec_push(arena, &rows[5].labels, (struct pair){ "k", "v", { 0 } });
	rows[6].buildpacks = (struct list){ &buildpack, 1 };
	for (size_t i = 0; i < COUNTOF(rows); i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(compose_key(&rows[i], arena),
						compose_key(&rows[k], arena));
	rows[0].build_image = "other.io/y@sha256:1";
	assert_string_equal(compose_key(&rows[0], arena), compose_key(&rows[2], arena));
	arena_free(arena);
}

static void test_tags__are_those_of_kpack(void **state)
{
	static const struct {
		const char *tag;
		int64_t number;
		const char *second;
	} rows[] = {
		{ "gcr.io/imagename/foo:test", 45,
		  "gcr.io/imagename/foo:test-b45.20201120.203815" },
		{ "gcr.io/imagename/notags", 1, "gcr.io/imagename/notags:b1.20201120.203815" },
		{ "gcr.io/imagename/tagged:latest", 1,
		  "gcr.io/imagename/tagged:b1.20201120.203815" },
		{ "hub", 7, "index.docker.io/library/hub:b7.20201120.203815" },
	};
	struct arena *arena = arena_new();
	struct image_spec spec = { .tag = "NO REFERENCE" };
	struct strings tags;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		spec.tag = rows[i].tag;
		assert_true(build_tags(&spec, rows[i].number, 1605904695, arena, &tags, &err));
		assert_int_equal(tags.n, 2);
		assert_string_equal(tags.v[0], rows[i].tag);
		assert_string_equal(tags.v[1], rows[i].second);
	}
	spec.tag = "NO REFERENCE";
	assert_false(build_tags(&spec, 1, 0, arena, &tags, &err));
	arena_free(arena);
}

static void test_labels__that_are_wrong_are_named(void **state)
{
	static const struct {
		const char *label, *value, *error;
	} rows[] = {
		{ LABEL_MIXINS, "{}", "label 'io.buildpacks.stack.mixins' is a mapping" },
		{ LABEL_MIXINS, "[1]",
		  "label 'io.buildpacks.stack.mixins': a list of texts holds a number" },
		{ LABEL_MIXINS, "[\"a\\u0000b\"]",
		  "label 'io.buildpacks.stack.mixins': a list of texts holds a NUL" },
	};
	struct arena *arena = arena_new();
	struct strings mixins;

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct pairs labels = { 0 };
		struct err err = { 0 };

		vec_push(arena, &labels, (struct pair){ rows[i].label, rows[i].value, { 0 } });
		assert_false(labels_mixins(&labels, arena, &mixins, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		assert_string_equal(err.text, rows[i].error);
	}
	arena_free(arena);
}

/* A tag that moved asks for a build although nothing that goes into the image differs; else it is no part of the key. */
static void test_build_key__holds_watched_tags_only_when_they_are_the_reason(void **state)
{
	static const struct {
		const char *reason;
		bool is_equal;
	} rows[] = { { "COMMIT", true }, { "IMAGE", false }, { "COMMIT,IMAGE", false } };
	struct arena *arena = arena_new();
	struct git_source git = { .url = "https://git.local/a.git",
				  .revision = "0123456789012345678901234567890123456789" };

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct pair before = { "shop/base:latest", "docker.io/base@1", { 0 } };
		struct pair after = { "shop/base:latest", "docker.io/base@2", { 0 } };
		struct attempt a = { .reason = rows[i].reason,
				     .source = { .git = &git },
				     .builder_image = "reg.local/builder:1",
				     .run_image = "reg.local/run:1",
				     .watched = { &before, 1, 1 } };
		struct attempt b = a;
		const char *key = build_key(&a, arena);

		b.watched.v = &after;
		assert_non_null(key);
		assert_int_equal(strcmp(key, build_key(&b, arena)) == 0, rows[i].is_equal);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons__have_a_primary_one),
		cmocka_unit_test(test_reasons__are_recorded_in_one_order_and_once),
		cmocka_unit_test(test_order__puts_what_is_needed_first_and_equals_by_name),
		cmocka_unit_test(test_order__reports_the_cycle_by_name),
		cmocka_unit_test(test_versions__are_ordered_as_semver_says),
		cmocka_unit_test(test_keys__of_questions_do_not_run_into_each_other),
		cmocka_unit_test(test_sub_paths__are_one_however_they_are_written),
		cmocka_unit_test(test_conditions__keep_their_time_until_the_status_moves),
		cmocka_unit_test(test_compose__goes_to_the_tag_that_kpack_says),
		cmocka_unit_test(test_compose__has_a_key_that_every_input_changes),
		cmocka_unit_test(test_tags__are_those_of_kpack),
		cmocka_unit_test(test_labels__that_are_wrong_are_named),
		cmocka_unit_test(test_build_key__holds_watched_tags_only_when_they_are_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
