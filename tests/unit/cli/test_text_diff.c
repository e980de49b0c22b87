/* SPDX-License-Identifier: Apache-2.0 */
/* test_text_diff.c — two texts, and the hunk that leads from one to the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/text_diff.h"

struct row {
	const char *name, *before, *after, *diff;
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
	{ "the_same_line_twice", "a\na\n", "a\na\na\n", "@@ -1,2 +1,3 @@\n a\n a\n+a\n" },
};

static void check(void **state)
{
	const struct row *row = *state;
	const struct diff_side before = { .text = row->before, .len = strlen(row->before) };
	const struct diff_side after = { .text = row->after, .len = strlen(row->after) };
	struct buf out = BUF_INIT(4096);

	text_diff(&before, &after, &out);
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
