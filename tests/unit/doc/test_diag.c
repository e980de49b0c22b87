/* SPDX-License-Identifier: Apache-2.0 */
/* test_diag.c — how a mistake looks to people, the order of many, and the guesses at misspelt words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/limits.h"
#include "model/doc/diag.h"

static const struct diag_style with_excerpt = { .with_excerpt = true };

static void check_excerpt(const char *text, struct pos pos, uint32_t width, const char *wanted)
{
	struct source_file file = { "m/a.yaml", text, strlen(text) };
	struct diag diag = { SEVERITY_ERROR, &file, pos, width, "x", "wrong" };
	AUTO_BUF out = BUF_INIT(10000);

	diag_render(&diag, &with_excerpt, &out);
	assert_string_equal(out.data, wanted);
}

#define AT_(l, c) ((struct pos){ (l), (c) })

static void test_diag__shows_the_line_and_underlines_the_spot(void **state)
{
	(void)state;
	check_excerpt("a: 1\nspec:\n    bulid:\n", AT_(3, 5), 5,
		      "m/a.yaml:3:5: error: wrong\n"
		      "    3 |     bulid:\n"
		      "      |     ^~~~~\n");
}

static void test_diag__keeps_the_underline_in_place(void **state)
{
	(void)state;
	/* Tabs stay tabs in both lines. */
	check_excerpt("\ta:\tb", AT_(1, 5), 1,
		      "m/a.yaml:1:5: error: wrong\n    1 | \ta:\tb\n      | \t  \t^\n");
	/* Wide characters take two columns, combining marks none. */
	check_excerpt("\xE4\xB8\xAD: e\xCC\x81 xy", AT_(1, 7), 2,
		      "m/a.yaml:1:7: error: wrong\n    1 | \xE4\xB8\xAD: e\xCC\x81 xy\n"
		      "      |       ^~\n");
	check_excerpt("a \xE4\xB8\xAD\xE4\xB8\xAD z", AT_(1, 3), 2,
		      "m/a.yaml:1:3: error: wrong\n    1 | a \xE4\xB8\xAD\xE4\xB8\xAD z\n"
		      "      |   ^~~~\n");
	/* Controls, marks that turn text around and malformed bytes are shown escaped. */
	check_excerpt("a\x1b[31m: \xE2\x80\xAE\xFF b", AT_(1, 12), 1,
		      "m/a.yaml:1:12: error: wrong\n    1 | a\\x1b[31m: \\u202e\\xff b\n"
		      "      |                       ^\n");
	check_excerpt("a\x01z", AT_(1, 2), 1,
		      "m/a.yaml:1:2: error: wrong\n    1 | a\\x01z\n      |  ^~~~\n");
}

static void test_diag__points_behind_the_end_of_a_line(void **state)
{
	(void)state;
	check_excerpt("ab\r\ncd", AT_(1, 3), 1,
		      "m/a.yaml:1:3: error: wrong\n    1 | ab\n      |   ^\n");
	check_excerpt("ab\n", AT_(2, 1), 4, "m/a.yaml:2:1: error: wrong\n    2 |\n      | ^\n");
	check_excerpt("ab\n", AT_(7, 1), 1, "m/a.yaml:7:1: error: wrong\n");
	check_excerpt("ab   \n", AT_(1, 1), 90,
		      "m/a.yaml:1:1: error: wrong\n    1 | ab\n      | ^~~~~\n");
}

static void test_diag__knows_line_ends_and_byte_order_marks(void **state)
{
	(void)state;
	check_excerpt("a\r\nb\rc\nd", AT_(4, 1), 1,
		      "m/a.yaml:4:1: error: wrong\n    4 | d\n      | ^\n");
	check_excerpt("\xEF\xBB\xBF"
		      "ab",
		      AT_(1, 2), 1, "m/a.yaml:1:2: error: wrong\n    1 | ab\n      |  ^\n");
}

static void test_diag__cuts_long_lines_around_the_spot(void **state)
{
	struct source_file file = { "a", NULL, 1000 };
	struct diag diag = { SEVERITY_ERROR, &file, { 1, 500 }, 3, "x", "wrong" };
	AUTO_BUF out = BUF_INIT(10000);
	const char *shown, *marks;
	char text[1001];

	(void)state;
	memset(text, 'x', 1000);
	memcpy(text + 499, "ABC", 3);
	text[1000] = '\0';
	file.text = text;
	diag_render(&diag, &with_excerpt, &out);
	shown = strstr(out.data, "    1 | …");
	marks = strstr(out.data, "      | ");
	assert_non_null(shown);
	assert_non_null(marks);
	assert_true(strlen(out.data) < 250);
	/* "…" has three bytes and one column. */
	assert_int_equal(strstr(shown, "ABC") - shown - 2, strstr(marks, "^~~\n") - marks);
	assert_memory_equal(marks - 4, "…\n", 4);
}

/* As a redactor: "secret" and what follows it up to a blank is left out. */
static void hide(const char *text, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (n - i > 6 && memcmp(text + i, "secret", 6) == 0)
			while (i < n && text[i] != ' ')
				i++;
		else
			buf_byte(out, text[i]);
	}
}

static void test_diag__shows_no_part_of_what_is_hidden(void **state)
{
	static const struct diag_style style = { .with_excerpt = true, .hide = hide };
	static const size_t places[] = { 0, 300, 440, 465, 540, 560, 900 };
	struct source_file file = { "a", NULL, 1000 };
	struct diag diag = { SEVERITY_ERROR, &file, { 1, 500 }, 3, "x", "wrong" };
	char text[1001];

	(void)state;
	for (size_t i = 0; i < COUNTOF(places); i++) {
		AUTO_BUF out = BUF_INIT(10000);

		memset(text, '.', 1000);
		memcpy(text + places[i], "secretXYZXYZXYZXYZXYZXYZXYZXYZXYZ ", 34);
		text[1000] = '\0';
		file.text = text;
		diag_render(&diag, &style, &out);
		assert_string_equal(buf_text(&out), "a:1:500: error: wrong\n");
	}
	/* Shown as a whole it is found in what is shown. */
	{
		AUTO_BUF out = BUF_INIT(10000);

		file.len = 40;
		diag.pos.column = 38;
		memset(text, '.', 40);
		memcpy(text, "secretXYZ ", 10);
		diag_render(&diag, &style, &out);
		assert_non_null(strstr(buf_text(&out), "secretXYZ"));
	}
}

static void test_diag__renders_without_file_line_or_excerpt(void **state)
{
	static const char bell[] = "a\033]0;x\007\nb";
	struct source_file file = { "m/\nb.yaml", "x", 1 };
	const struct {
		struct diag diag;
		struct diag_style style;
		const char *text;
	} rows[] = {
		{ { SEVERITY_WARNING, NULL, { 0, 0 }, 1, "x", "odd" },
		  { false, true },
		  "warning: odd\n" },
		{ { SEVERITY_NOTE, &file, { 0, 0 }, 1, "x", "odd" },
		  { false, true },
		  "m/\\nb.yaml: note: odd\n" },
		{ { SEVERITY_NOTE, &file, { 1, 1 }, 1, "x", bell },
		  { false, false },
		  "m/\\nb.yaml:1:1: note: a\\x1b]0;x\\x07\\nb\n" },
		{ { SEVERITY_ERROR, &file, { 1, 1 }, 1, "x", "odd" },
		  { true, true },
		  "\033[1mm/\\nb.yaml:1:1: \033[0m\033[1;31merror:\033[0m odd\n"
		  "    1 | x\n      | \033[1;31m^\033[0m\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		AUTO_BUF out = BUF_INIT(10000);

		diag_render(&rows[i].diag, &rows[i].style, &out);
		assert_string_equal(out.data, rows[i].text);
	}
}

static void test_diags__are_ordered_and_given_once(void **state)
{
	struct arena *arena = arena_new();
	struct source_file a = { "a", NULL, 0 }, b = { "b", NULL, 0 };
	struct diags diags, other;
	AUTO_BUF out = BUF_INIT(10000);
	const struct diag_style style = { 0 };

	(void)state;
	diags_init(&diags, arena);
	diags_init(&other, arena);
	diag_add(&diags, SEVERITY_ERROR, "x", NULL, AT_(0, 0), 1, "sum");
	diag_add(&diags, SEVERITY_ERROR, "x", &b, AT_(1, 1), 1, "b1");
	diag_add(&diags, SEVERITY_WARNING, "x", &a, AT_(2, 1), 1, "a%d", 21);
	diag_add(&other, SEVERITY_ERROR, "x", &a, AT_(2, 1), 1, "a21");
	diag_add(&other, SEVERITY_ERROR, "x", &a, AT_(1, 9), 1, "a19");
	diag_add(&other, SEVERITY_ERROR, "x", &b, AT_(1, 1), 1, "b1");
	diag_add(&other, SEVERITY_WARNING, "x", &a, AT_(2, 1), 1, "a21");
	diags_append(&diags, &other);
	assert_int_equal(diags.n_errors, 5);
	assert_int_equal(diags.n_warnings, 2);
	diags_sort(&diags);
	assert_int_equal(diags.n_errors, 4);
	assert_int_equal(diags.n_warnings, 1);
	for (size_t i = 0; i < diags.list.n; i++)
		diag_render(&diags.list.v[i], &style, &out);
	assert_string_equal(out.data, "a:1:9: error: a19\na:2:1: error: a21\na:2:1: warning: a21\n"
				      "b:1:1: error: b1\nerror: sum\n");
	arena_free(arena);
}

static void test_diags__past_the_limit_are_counted_only(void **state)
{
	struct arena *arena = arena_new();
	struct diags diags, sum;

	(void)state;
	diags_init(&diags, arena);
	diags_init(&sum, arena);
	for (unsigned i = 0; i < LIMIT_DIAGS + 5; i++)
		diag_add(&diags, SEVERITY_ERROR, "x", NULL, AT_(0, 0), 1, "%u", i);
	assert_int_equal(diags.list.n, LIMIT_DIAGS);
	assert_int_equal(diags.n_errors, LIMIT_DIAGS + 5);
	assert_int_equal(diags.n_dropped, 5);
	diag_add(&sum, SEVERITY_WARNING, "x", NULL, AT_(0, 0), 1, "w");
	diags_append(&sum, &diags);
	assert_int_equal(sum.list.n, LIMIT_DIAGS);
	assert_int_equal(sum.n_errors, LIMIT_DIAGS + 5);
	assert_int_equal(sum.n_warnings, 1);
	assert_int_equal(sum.n_dropped, 6);
	arena_free(arena);
}

static void test_suggest__finds_the_near_word(void **state)
{
	static const char *const names[] = {
		"build",  "builder", "tag",           "source", "revision",
		"url",    "subPath", "env",           "cache",  "serviceAccountName",
		"notary", "cosign",  "additionalTags"
	};
	static const struct {
		const char *word, *found;
	} rows[] = {
		{ "bulid", "build" },
		{ "biuld", "build" },
		{ "buidler", "builder" },
		{ "tags", "tag" },
		{ "tga", "tag" },
		{ "sorce", "source" },
		{ "subpath", "subPath" },
		{ "serviceAccount", "serviceAccountName" },
		{ "serviceaccountname", "serviceAccountName" },
		{ "revison", "revision" },
		{ "URL", "url" },
		{ "additonalTag", "additionalTags" },
		{ "x", NULL },
		{ "en", NULL },
		{ "image", NULL },
		{ "", NULL },
		{ "completely-different", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *found = suggest(rows[i].word, names, COUNTOF(names));

		if (!rows[i].found && found)
			fail_msg("'%s' is taken for '%s'", rows[i].word, found);
		if (rows[i].found)
			assert_string_equal(found ? found : "nothing", rows[i].found);
	}
	assert_null(suggest("build", NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diag__shows_the_line_and_underlines_the_spot),
		cmocka_unit_test(test_diag__keeps_the_underline_in_place),
		cmocka_unit_test(test_diag__points_behind_the_end_of_a_line),
		cmocka_unit_test(test_diag__knows_line_ends_and_byte_order_marks),
		cmocka_unit_test(test_diag__cuts_long_lines_around_the_spot),
		cmocka_unit_test(test_diag__shows_no_part_of_what_is_hidden),
		cmocka_unit_test(test_diag__renders_without_file_line_or_excerpt),
		cmocka_unit_test(test_diags__are_ordered_and_given_once),
		cmocka_unit_test(test_diags__past_the_limit_are_counted_only),
		cmocka_unit_test(test_suggest__finds_the_near_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
