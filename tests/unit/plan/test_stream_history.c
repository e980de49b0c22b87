/* SPDX-License-Identifier: Apache-2.0 */
/* test_stream_history.c — what an event does to a tag's history (openshift.md §2.6), failures, pushes; the order of tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/plan/stream_history.h"
#include "reconcile/plan/tag_priority.h"

static struct tag_event event(const char *reference, const char *image, int64_t generation)
{
	return (struct tag_event){ 2000, reference, image, generation };
}

/* One recorded event {ref:a, image:a, generation 1, created 1000} and a condition; what the next event makes of it. */
static void test_events__are_compared_with_the_newest(void **state)
{
	static const struct {
		const char *what;
		struct tag_event next;
		bool is_change;
		size_t n;
		int64_t created_s, generation;
	} rows[] = {
		{ "same in everything", { 2000, "a", "a", 1 }, false, 1, 1000, 1 },
		{ "other generation", { 2000, "a", "a", 2 }, true, 1, 1000, 2 },
		{ "other image", { 2000, "a", "b", 2 }, true, 1, 1000, 2 },
		{ "other reference", { 2000, "b", "a", 2 }, true, 1, 1000, 2 },
		{ "other in both", { 2000, "b", "b", 2 }, true, 2, 2000, 2 },
		{ "an older one again", { 2000, "older", "older", 1 }, true, 2, 2000, 1 },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct tag_event recorded = { 1000, "a", "a", 1 };
		struct tag_condition condition = { .type = CONDITION_IMPORT, .status = "False" };
		struct tag_history history = { .tag = "t",
					       .items = { &recorded, 1 },
					       .conditions = { &condition, 1 } };
		const struct tag_event *top;

		print_message("%s\n", rows[i].what);
		assert_int_equal(history_add(&history, &rows[i].next, arena), rows[i].is_change);
		top = history_top(&history);
		assert_int_equal(history.items.n, rows[i].n);
		assert_string_equal(top->reference, rows[i].next.reference);
		assert_string_equal(top->image, rows[i].next.image);
		assert_int_equal(top->generation, rows[i].generation);
		assert_int_equal(top->created_s, rows[i].created_s);
		assert_int_equal(history.conditions.n, rows[i].is_change ? 0 : 1);
		/* what was given is not written to */
		assert_string_equal(recorded.reference, "a");
		assert_string_equal(recorded.image, "a");
		assert_int_equal(recorded.generation, 1);
	}
	arena_free(arena);
}

static void test_history__is_cut_to_its_limit(void **state)
{
	struct arena *arena = arena_new();
	struct tag_history history = { .tag = "t" };
	static const char *const names[] = { "a", "b", "c" };

	(void)state;
	for (size_t i = 0; i < COUNTOF(names); i++) {
		const struct tag_event next = event(names[i], names[i], 1);

		assert_true(history_add(&history, &next, arena));
	}
	assert_int_equal(history.items.n, 3);
	assert_false(history_trim(&history, 0));
	assert_false(history_trim(&history, 3));
	assert_true(history_trim(&history, 2));
	assert_int_equal(history.items.n, 2);
	assert_string_equal(history_top(&history)->image, "c");
	arena_free(arena);
}

static void test_failures__are_written_again_only_when_they_differ(void **state)
{
	struct arena *arena = arena_new();
	struct tag_history history = { .tag = "t" };
	struct tag_failure failure = { .reason = "NotFound",
				       .message = "gone",
				       .now_s = 10,
				       .generation = 2,
				       .is_asked = true };
	const struct tag_condition *now;

	(void)state;
	assert_true(history_fail(&history, &failure, arena));
	now = history_condition(&history);
	assert_string_equal(now->status, "False");
	assert_int_equal(now->tries, 1);
	assert_int_equal(now->generation, 2);

	failure = (struct tag_failure){ "NotFound", "gone", 20, 3, false, false };
	assert_false(history_fail(&history, &failure, arena)); /* a check by schedule */
	failure.is_retry = true;
	assert_true(history_fail(&history, &failure, arena));
	now = history_condition(&history);
	assert_int_equal(now->tries, 2);
	assert_int_equal(now->changed_s, 10); /* it fails as before */
	assert_int_equal(now->generation, 2);

	failure.message = "no route";
	assert_true(history_fail(&history, &failure, arena));
	now = history_condition(&history);
	assert_int_equal(now->tries, 3);
	assert_int_equal(now->changed_s, 20);

	failure = (struct tag_failure){ "NotFound", "no route", 30, 5, true, false };
	assert_true(history_fail(&history, &failure, arena)); /* asked again: counted from 1 */
	now = history_condition(&history);
	assert_int_equal(now->tries, 1);
	assert_int_equal(now->generation, 5);

	failure = (struct tag_failure){ "", NULL, 40, 6, true, false };
	assert_true(history_fail(&history, &failure, arena));
	assert_string_equal(history_condition(&history)->message, "unknown error prevented import");
	arena_free(arena);
}

static void test_pushes__are_remembered_by_who_pushed(void **state)
{
	struct arena *arena = arena_new();
	struct tag_history history = { .tag = "t" };

	(void)state;
	assert_null(history_push(&history, "Image/a/b"));
	history_push_note(&history, (struct tag_push){ "Image/a/b", "1" }, arena);
	history_push_note(&history, (struct tag_push){ "Image/a/c", "2" }, arena);
	history_push_note(&history, (struct tag_push){ "Image/a/b", "3" }, arena);
	assert_int_equal(history.pushes.n, 2);
	assert_string_equal(history_push(&history, "Image/a/b"), "3");
	assert_string_equal(history_push(&history, "Image/a/c"), "2");
	arena_free(arena);
}

static void test_tags__are_put_in_order_of_weight(void **state)
{
	static const struct {
		const char *tags, *sorted;
	} rows[] = {
		{ "", "" },
		{ "latest", "latest" },
		/* latest, minors, full versions, the rest by name */
		{ "other latest v5.5 5.2.3 5.5 v5.3.6-bother 5.3.6-abba 5.6 5.3.6 20250101 b",
		  "latest 5.6 5.5 v5.5 5.3.6 v5.3.6-bother 5.3.6-abba 5.2.3 20250101 b other" },
		{ "1.9 1.10 v1.10 1.10-alpine", "1.10 v1.10 1.10-alpine 1.9" },
		{ "3.0.0-rc.1 3.0.0 3.0.0-rc.10 3.0.0-beta",
		  "3.0.0 3.0.0-rc.10 3.0.0-rc.1 3.0.0-beta" },
		{ "vlatest v 1. 1..2 .1 1.2.3.4 x1.2", ".1 1. 1..2 1.2.3.4 v vlatest x1.2" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		char *text = arena_strdup(arena, rows[i].tags), *rest = NULL;
		struct strings tags = { 0 };
		char joined[256] = "";

		for (char *tag = strtok_r(text, " ", &rest); tag; tag = strtok_r(NULL, " ", &rest))
			vec_push(arena, &tags, tag);
		tags_prioritize(&tags, arena);
		for (size_t k = 0; k < tags.n; k++) {
			if (k > 0)
				strcat(joined, " ");
			strcat(joined, tags.v[k]);
		}
		assert_string_equal(joined, rows[i].sorted);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events__are_compared_with_the_newest),
		cmocka_unit_test(test_history__is_cut_to_its_limit),
		cmocka_unit_test(test_failures__are_written_again_only_when_they_differ),
		cmocka_unit_test(test_pushes__are_remembered_by_who_pushed),
		cmocka_unit_test(test_tags__are_put_in_order_of_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
