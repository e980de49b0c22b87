/* SPDX-License-Identifier: Apache-2.0 */
/* test_human.c — docker's words for durations and sizes, and Go's tabwriter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/err.h"
#include "reconcile/report/human.h"
#include "reconcile/report/tabwriter.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 24 * HOUR };

static void test_human_duration__says_what_docker_says(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ -5, "Less than a second" },
		{ 0, "Less than a second" },
		{ 1, "1 second" },
		{ 14, "14 seconds" },
		{ 45, "45 seconds" },
		{ 59, "59 seconds" },
		{ MINUTE, "About a minute" },
		{ 2 * MINUTE - 1, "About a minute" },
		{ 2 * MINUTE, "2 minutes" },
		{ 3 * MINUTE + 40, "3 minutes" },
		{ HOUR - 1, "59 minutes" },
		{ HOUR, "About an hour" },
		{ HOUR + 29 * MINUTE, "About an hour" },
		{ HOUR + 30 * MINUTE, "2 hours" },
		{ 3 * HOUR + 45 * MINUTE, "4 hours" },
		{ 25 * HOUR, "25 hours" },
		{ 47 * HOUR, "47 hours" },
		{ 2 * DAY, "2 days" },
		{ 7 * DAY, "7 days" },
		{ 13 * DAY + 5 * HOUR, "13 days" },
		{ 14 * DAY, "2 weeks" },
		{ 28 * DAY, "4 weeks" },
		{ 4 * 7 * DAY + 3 * DAY, "4 weeks" },
		{ 60 * DAY, "2 months" },
		{ 365 * DAY, "12 months" },
		{ 2 * 365 * DAY - 1 * DAY, "24 months" },
		{ 24 * 30 * DAY, "24 months" },
		{ 2 * 365 * DAY, "2 years" },
		{ 3 * 365 * DAY + 60 * DAY, "3 years" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(human_duration(rows[i].seconds, arena), rows[i].text);
	assert_string_equal(human_ago(1000, 1000 + 25 * HOUR, arena), "25 hours ago");
	assert_string_equal(human_ago(0, 1000, arena), "<unknown>");
	arena_free(arena);
}

static void test_human_span__says_what_go_says(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ -3, "0s" },           { 0, "0s" },
		{ 59, "59s" },          { MINUTE, "1m0s" },
		{ MINUTE + 2, "1m2s" }, { HOUR - 1, "59m59s" },
		{ HOUR, "1h0m0s" },     { 25 * HOUR + 3 * MINUTE + 4, "25h3m4s" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(human_span(rows[i].seconds, arena), rows[i].text);
	arena_free(arena);
}

static void test_human_dates__are_those_of_go(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(human_time(0, arena), "<unknown>");
	assert_string_equal(human_time(1795317295, arena), "2026-11-22 03:14:55 +0000 UTC");
	assert_string_equal(human_date(1795317295, arena), "Sun, 22 Nov 2026 03:14:55 UTC");
	assert_string_equal(human_date(951782400, arena), "Tue, 29 Feb 2000 00:00:00 UTC");
	assert_string_equal(human_date(-1, arena), "Wed, 31 Dec 1969 23:59:59 UTC");
	assert_string_equal(human_date(-7 * DAY, arena), "Thu, 25 Dec 1969 00:00:00 UTC");
	arena_free(arena);
}

static void test_human_size__has_four_digits_and_decimal_units(void **state)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0 B" },
		{ 999, "999 B" },
		{ 1000, "1 kB" },
		{ 1024, "1.024 kB" },
		{ 3409, "3.409 kB" },
		{ 4430, "4.43 kB" },
		{ 2898000, "2.898 MB" },
		{ 72260000, "72.26 MB" },
		{ 251212345, "251.2 MB" },
		{ 441976279, "442 MB" },
		{ 999960, "1000 kB" },
		{ INT64_MAX, "9.223 EB" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(human_size(rows[i].bytes, arena), rows[i].text);
	arena_free(arena);
}

static void check_align(const char *text, const struct tab_style *style, const char *want)
{
	struct buf out = BUF_INIT(1 << 16);

	tab_align(text, style, &out);
	assert_string_equal(buf_text(&out), want);
	buf_release(&out);
}

/* Expected texts are those of Go's text/tabwriter for the same input. */
static void test_tab_align__fills_cells_with_tabs(void **state)
{
	(void)state;
	check_align("", &tab_describe, "");
	check_align("no cell\n", &tab_describe, "no cell\n");
	check_align("Name:\tpython\nDocker Pull Spec:\tx\n", &tab_describe,
		    "Name:\t\t\tpython\nDocker Pull Spec:\tx\n");
	/* a cell of seven and its padding are one tab wide, a cell of eight two */
	check_align("1234567\tx\n", &tab_describe, "1234567\tx\n");
	check_align("12345678\tx\n", &tab_describe, "12345678\tx\n");
	check_align("1\tx\n12345678\tx\n", &tab_describe, "1\t\tx\n12345678\tx\n");
	/* an empty first cell, a last line without its end */
	check_align("Annotations:\ta=b\n\tc=d", &tab_describe, "Annotations:\ta=b\n\t\tc=d");
	/* a line without cells ends the columns above it */
	check_align("a\tb\nplain\nlonger cell\tb\n", &tab_describe,
		    "a\tb\nplain\nlonger cell\tb\n");
	/* characters count, not bytes */
	check_align("äöüäöüä\tx\n1\ty\n", &tab_describe, "äöüäöüä\tx\n1\ty\n");
}

static void test_tab_align__fills_cells_with_blanks(void **state)
{
	(void)state;
	check_align("NAME\tTAGS\tUPDATED\npython\tlatest,3.6\tnow\n", &tab_get,
		    "NAME      TAGS         UPDATED\npython    latest,3.6   now\n");
	check_align("a\t\tc\n", &tab_get, "a                   c\n");
	/* a column that only some lines have */
	check_align("aaaaaaaaaaaa\tb\tc\nx\ty\n", &tab_get,
		    "aaaaaaaaaaaa   b         c\nx              y\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_human_duration__says_what_docker_says),
		cmocka_unit_test(test_human_span__says_what_go_says),
		cmocka_unit_test(test_human_dates__are_those_of_go),
		cmocka_unit_test(test_human_size__has_four_digits_and_decimal_units),
		cmocka_unit_test(test_tab_align__fills_cells_with_tabs),
		cmocka_unit_test(test_tab_align__fills_cells_with_blanks),
	};

	return cmocka_run_group_tests_name("human", tests, NULL, NULL);
}
