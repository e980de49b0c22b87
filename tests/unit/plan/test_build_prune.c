/* SPDX-License-Identifier: Apache-2.0 */
/* test_build_prune.c — which builds go: openshift.md §5.7, one row per case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/plan/build_prune.h"

enum { NOW = 1000000, HOUR = 3600 };

/* One letter per build, oldest first: S, F, I (interrupted), B (building); upper case an old one, lower case a young one. */
struct row {
	const char *builds;
	int64_t complete, failed;
	bool is_orphan;
	const char *left; /* what is left of `builds` */
};
static const struct row rows[] = {
	{ "", 5, 1, false, "" },
	{ "SSS", 5, 1, false, "SSS" },
	{ "SSSSSSS", 5, 1, false, "SSSSS" },
	{ "SFSFSF", 2, 1, false, "SSF" },
	{ "FFF", 5, 1, false, "F" },
	{ "FIF", 5, 2, false, "IF" },
	{ "SSB", 0, 0, false, "B" },
	{ "SSss", 0, 0, false, "ss" },
	{ "SSSss", 2, 0, false, "SSss" }, /* the young do not count */
	{ "SFsf", 5, 5, true, "sf" },
	{ "SFB", 5, 5, true, "B" },
};

static const char *result_of(char letter)
{
	switch (letter) {
	case 'S':
	case 's':
		return "Succeeded";
	case 'B':
		return "Building";
	case 'I':
		return "Interrupted";
	default:
		return "Failed";
	}
}

static void check(void **state)
{
	const struct row *row = *state;
	const struct build_keep keep = { row->complete, row->failed, HOUR, NOW };
	struct arena *arena = arena_new();
	size_t n = strlen(row->builds), at = 0;
	struct history_entry *entries = arena_array(arena, n + 1, sizeof(*entries));
	struct image_status status = { .history = { entries, n } };
	struct numbers gone;

	for (size_t i = 0; i < n; i++) {
		bool is_young = row->builds[i] >= 'a';

		entries[i] =
			(struct history_entry){ .number = (int64_t)i + 1,
						.result = result_of(row->builds[i]),
						.started_s = NOW - (is_young ? HOUR - 1 : HOUR) };
	}
	build_prune(&status, &keep, row->is_orphan, arena, &gone);
	assert_int_equal(status.history.n, strlen(row->left));
	assert_int_equal(gone.n, n - strlen(row->left));
	for (size_t i = 0; i < status.history.n; i++) {
		const struct history_entry *entry =
			LIST_AT(status.history, struct history_entry, i);

		assert_int_equal(row->builds[entry->number - 1], row->left[i]);
		assert_true((size_t)entry->number > at); /* still in order, the newest kept */
		at = (size_t)entry->number;
	}
	for (size_t i = 1; i < gone.n; i++)
		assert_true(gone.v[i - 1] < gone.v[i]);
	arena_free(arena);
}

static void test_build_prune__keeps_the_newest(void **state)
{
	const struct build_keep keep = { 1, 0, HOUR, NOW };
	struct history_entry entries[] = { { .number = 4, .result = "Succeeded", .finished_s = 5 },
					   { .number = 7, .result = "Succeeded", .started_s = 6 } };
	struct image_status status = { .history = { entries, 2 } };
	struct arena *arena = arena_new();
	struct numbers gone;

	(void)state;
	build_prune(&status, &keep, false, arena, &gone);
	assert_int_equal(gone.n, 1);
	assert_int_equal(gone.v[0], 4);
	assert_int_equal(LIST_AT(status.history, struct history_entry, 0)->number, 7);
	arena_free(arena);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows) + 1];

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].builds, check, NULL, NULL,
						(void *)(uintptr_t)&rows[i] };
	tests[COUNTOF(rows)] =
		(struct CMUnitTest)cmocka_unit_test(test_build_prune__keeps_the_newest);
	return cmocka_run_group_tests_name("build_prune", tests, NULL, NULL);
}
