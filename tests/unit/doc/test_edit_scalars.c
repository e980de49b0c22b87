/* SPDX-License-Identifier: Apache-2.0 */
/* test_edit_scalars.c — many scalars at once: only their bytes change, whatever stands around. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/edit_scalars.h"

struct row {
	const char *before;
	struct scalar_edit edits[3];
	const char *after; /* NULL: refused */
	const char *said;
};

static void check(const struct row *row)
{
	struct arena *arena = arena_new();
	struct source_file file = { "f.yaml", row->before, strlen(row->before) };
	struct err err = { 0 };
	const char *text;
	size_t n = 0, len;

	while (n < COUNTOF(row->edits) && row->edits[n].new_text)
		n++;
	if (edit_scalars(&file, row->edits, n, arena, &text, &len, &err)) {
		if (!row->after)
			fail_msg("taken: %s", text);
		assert_string_equal(text, row->after);
		assert_int_equal(len, strlen(row->after));
	} else {
		if (row->after)
			fail_msg("%s: %s", row->before, err.text);
		if (!strstr(err.text, row->said))
			fail_msg("says: %s", err.text);
	}
	arena_free(arena);
}

static void test_edits__change_their_bytes_alone(void **state)
{
	static const struct row rows[] = {
		{ "a: x # why\nb:   'y'\nc: \"z\"\n",
		  { { { 3, 4 }, "z", "3" }, { { 1, 4 }, "x", "1.2" }, { { 2, 6 }, "y", "t" } },
		  "a: \"1.2\" # why\nb:   't'\nc: \"3\"\n" },
		{ "a: x\r\nb: y\r\n",
		  { { { 1, 4 }, "x", "long/er:1" } },
		  "a: long/er:1\r\nb: y\r\n" },
		{ "\xEF\xBB\xBF"
		  "a: x\n",
		  { { { 1, 4 }, "x", "v" } },
		  "\xEF\xBB\xBF"
		  "a: v\n" },
		{ "a: &k x\nb: c\n", { { { 1, 4 }, "x", "v" } }, "a: &k v\nb: c\n" },
		{ "é: x\nü: [a, b]\n", { { { 2, 8 }, "b", "c" } }, "é: x\nü: [a, c]\n" },
		{ "a:\nb: x\n", { { { 1, 3 }, "", "v" } }, "a: v\nb: x\n" },
		{ "{\"a\": \"x\", \"b\":\"y\"}",
		  { { { 1, 7 }, "x", "1" }, { { 1, 16 }, "y", "2" } },
		  "{\"a\": \"1\", \"b\":\"2\"}" },
		{ "a: x\n---\n- p: x\n- x\n",
		  { { { 3, 6 }, "x", "2" }, { { 4, 3 }, "x", "3" } },
		  "a: x\n---\n- p: \"2\"\n- \"3\"\n" },
		{ "a: x", { { { 1, 4 }, NULL, "v" } }, "a: v" },
		{ "t: |\n  a: x\n  # b\na: x # c\n",
		  { { { 4, 4 }, "x", "v" } },
		  "t: |\n  a: x\n  # b\na: v # c\n" },
		{ "a: x\n", { { { 1, 4 }, "x", "1e3" } }, "a: \"1e3\"\n" },
		{ "a: x\n", { { { 1, 4 }, "x", "v" }, { { 1, 4 }, "x", "v" } }, "a: v\n" },
		/* refused */
		{ "a: x\n",
		  { { { 1, 4 }, "x", "y" }, { { 1, 4 }, "x", "z" } },
		  NULL,
		  "f.yaml:1:4: two rules want different values here: 'y' and 'z'" },
		{ "a: q\n",
		  { { { 1, 4 }, "x", "y" } },
		  NULL,
		  "f.yaml:1:4: another value stands here by now" },
		{ "a: x\n", { { { 2, 4 }, "x", "y" } }, NULL, "no value begins here any more" },
		{ "a: x\n", { { { 1, 1 }, "a", "y" } }, NULL, "no value begins here any more" },
		{ "a: |\n  x\n",
		  { { { 1, 4 }, NULL, "y" } },
		  NULL,
		  "a block scalar is not edited" },
		{ "a: &k x\nb: *k\n", { { { 2, 4 }, NULL, "y" } }, NULL, "this is an alias" },
		{ "a: &k x\nb: *k\n",
		  { { { 1, 4 }, NULL, "y" } },
		  NULL,
		  "an alias repeats this value" },
		{ "a: &k {i: x}\nb: {<<: *k}\n",
		  { { { 1, 11 }, NULL, "y" } },
		  NULL,
		  "an alias repeats this value" },
		{ "a: [\n", { { { 1, 4 }, NULL, "y" } }, NULL, "f.yaml:" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		check(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits__change_their_bytes_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
