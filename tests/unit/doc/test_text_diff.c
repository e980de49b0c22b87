/* SPDX-License-Identifier: Apache-2.0 */
/* test_text_diff.c — two texts, and the hunk that leads from one to the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/text_diff.h"

struct row {
	const char *name, *before, *after, *diff;
	size_t context;
};

static const struct row rows[] = {
	{ "a_changed_line", "a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne\n",
	  "@@ -1,5 +1,5 @@\n a\n b\n-c\n+X\n d\n e\n" },
	{ "a_new_text", "", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n" },
	{ "a_text_that_goes", "a\n", "", "@@ -1 +0,0 @@\n-a\n" },
	{ "an_added_line", "a\nb\n", "a\nx\nb\n", "@@ -1,2 +1,3 @@\n a\n+x\n b\n" },
	{ "three_lines_around", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
	  "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n" },
	{ "no_line_end", "a", "a\nb\n",
	  "@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n" },
	{ "equal", "a\n", "a\n", "" },
	{ "no_line_end_on_both", "a", "b",
	  "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n" },
	{ "two_places_far_apart", "1\n2\n3\n4\n5\n6\n7\n", "x\n2\n3\n4\n5\n6\ny\n",
	  "@@ -1,2 +1,2 @@\n-1\n+x\n 2\n@@ -6,2 +6,2 @@\n 6\n-7\n+y\n", 1 },
	{ "two_places_close_by", "1\n2\n3\n4\n", "x\n2\n3\ny\n",
	  "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n-4\n+y\n", 1 },
	{ "fewer_lines", "a\nb\nb2\nc\n", "a\nB\nc\n", "@@ -1,4 +1,3 @@\n a\n-b\n-b2\n+B\n c\n",
	  1 },
	{ "the_same_line_twice", "a\na\n", "a\na\na\n", "@@ -1,2 +1,3 @@\n a\n a\n+a\n" },
};

static void check(void **state)
{
	const struct row *row = *state;
	const struct diff_side before = { .text = row->before, .len = strlen(row->before) };
	const struct diff_side after = { .text = row->after, .len = strlen(row->after) };
	struct buf out = BUF_INIT(4096);

	text_diff(&before, &after, row->context ? row->context : 3, &out);
	assert_string_equal(buf_text(&out), row->diff);
	buf_release(&out);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows)];

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, check, NULL, NULL,
						(void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests_name("text_diff", tests, NULL, NULL);
}
