/* SPDX-License-Identifier: Apache-2.0 */
/* test_toml.c — the layout of printed TOML, the places of errors, limits. The public suite is in
 * test_toml_suite.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/limits.h"
#include "model/doc/toml.h"

struct print_row {
	const char *name, *text, *printed;
};

/* clang-format off */
static const struct print_row print_rows[] = {
	{ "values stand before tables", "[t]\na = 1\n[[s]]\nb = 2\n", "[t]\n  a = 1\n\n[[s]]\n  b = 2\n" },
	{ "an empty line before each top-level table, none at the start", "x = 1\n[a]\n[b]\n", "x = 1\n\n[a]\n\n[b]\n" },
	{ "nested tables are indented and follow without an empty line",
	  "[a.b.c]\nx = 1\n", "[a]\n  [a.b]\n    [a.b.c]\n      x = 1\n" },
	{ "an array of tables inside a table has empty lines",
	  "[[a]]\n[[a.b]]\nx = 1\n[[a.b]]\n", "[[a]]\n\n  [[a.b]]\n    x = 1\n\n  [[a.b]]\n" },
	{ "an empty array is a value", "x = []\n", "x = []\n" },
	{ "tables in a mixed array are inline", "x = [1, {a = \"b\", c = {}}]\n", "x = [1, {a = \"b\", c = {}}]\n" },
	{ "an inline table becomes a table", "x = {y = 1}\n", "[x]\n  y = 1\n" },
	{ "whole floats keep a point", "x = [1.0, -7.0, 255.0, 100000.0]\n", "x = [1.0, -7.0, 255.0, 100000.0]\n" },
	{ "large and small floats have an exponent", "x = [1e6, 9007199254740992.0, 1.5e-9, 1e21, 0.0001, 0.00001]\n",
	  "x = [1e+06, 9.007199254740992e+15, 1.5e-09, 1e+21, 0.0001, 1e-05]\n" },
	{ "the shortest digits", "x = [0.1, 0.30000000000000004, 5e-324]\n", "x = [0.1, 0.30000000000000004, 5e-324]\n" },
	{ "special floats", "x = [inf, -inf, nan]\n", "x = [inf, -inf, nan]\n" },
	{ "integers of all bases are decimal", "x = [0xff, 0o17, 0b11, +5, -9223372036854775808]\n",
	  "x = [255, 15, 3, 5, -9223372036854775808]\n" },
	{ "dates and times in the one form",
	  "a = 1979-05-27 07:32:00.120z\nb = 07:32:00.000\nc = 1979-05-27\nd = 1979-05-27t07:32:00+00:00\n",
	  "a = 1979-05-27T07:32:00.12Z\nb = 07:32:00\nc = 1979-05-27\nd = 1979-05-27T07:32:00Z\n" },
	{ "escapes", "x = \"\\u0001\\b\\t\\n\\f\\r\\\"\\\\\\u007f<é\"\n", "x = \"\\u0001\\b\\t\\n\\f\\r\\\"\\\\\\u007f<é\"\n" },
	{ "keys are quoted when they need it", "\"a b\" = 1\n\"\" = 2\n\"x.y\" = 3\na-_9 = 4\n\"\\u0000\" = 5\n",
	  "\"a b\" = 1\n\"\" = 2\n\"x.y\" = 3\na-_9 = 4\n\"\\u0000\" = 5\n" },
};

static const struct error_row { const char *name, *text, *error; } error_rows[] = {
	{ "place of a bad value", "a = 1\nb = x\n", "line 2, column 5: a text needs quotes" },
	{ "columns count characters", "\"é\" = 1 é\n", "line 1, column 9: more text where the line should end" },
	{ "defined twice", "a = 1\na = 2\n", "line 2, column 1: key 'a' is defined already" },
	{ "table twice", "[a]\n[a]\n", "line 2, column 2: key 'a' is defined already" },
	{ "dotted into a table with a header", "[a.b]\n[a]\nb.c = 1\n",
	  "line 3, column 1: key 'b' is defined already and cannot be extended by a dotted key" },
	{ "header into a value", "a = {}\n[a.b]\n", "line 2, column 2: key 'a' is a value and cannot be extended by a header" },
	{ "header of an array that is a value", "a = []\n[[a]]\n",
	  "line 2, column 3: key 'a' is defined already, and not as an array of tables" },
	{ "open string", "a = \"x\n", "line 1, column 7: the closing quote is missing" },
	{ "escape", "a = \"\\x\"\n", "line 1, column 7: unknown escape; a backslash is written '\\\\'" },
	{ "surrogate", "a = \"\\ud800\"\n", "line 1, column 12: the escape names no character" },
	{ "UTF-8", "a = \"\xff\"\n", "line 1, column 6: malformed UTF-8" },
	{ "control character in a comment", "# \x01\n", "line 1, column 3: a control character" },
	{ "no equals sign", "a 1\n", "line 1, column 3: '=' is missing behind the key" },
	{ "integer too large", "a = 9223372036854775808\n", "line 1, column 5: malformed number, date or time" },
	{ "float too large", "a = 1e999\n", "line 1, column 5: malformed number, date or time" },
	{ "no such day", "a = 2023-02-29\n", "line 1, column 5: malformed number, date or time" },
};
/* clang-format on */

static void test_toml_print__has_the_layout_of_the_reference(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(print_rows); i++) {
		const struct print_row *row = &print_rows[i];
		struct arena *arena = arena_new();
		struct node *tree;
		struct err err = { 0 };
		AUTO_BUF out = BUF_INIT(4096);

		print_message("%s\n", row->name);
		if (!toml_parse(row->text, strlen(row->text), arena, &tree, &err))
			fail_msg("%s", err.text);
		toml_print(tree, &out);
		assert_string_equal(buf_text(&out), row->printed);
		arena_free(arena);
	}
}

static void test_toml_print__escapes_commands_as_json(void **state)
{
	struct arena *arena = arena_new();
	struct node *tree;
	struct err err = { 0 };
	AUTO_BUF out = BUF_INIT(4096);
	static const char text[] = "x = \"<a&b>\u2028\\\\\"\n";

	(void)state;
	assert_true(toml_parse(text, strlen(text), arena, &tree, &err));
	tree->first->is_block = true;
	toml_print(tree, &out);
	assert_string_equal(buf_text(&out), "x = \"\\u003ca\\u0026b\\u003e\\u2028\\\\\"\n");
	arena_free(arena);
}

static void test_toml_parse__names_the_place_of_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(error_rows); i++) {
		struct arena *arena = arena_new();
		struct node *tree;
		struct err err = { 0 };

		print_message("%s\n", error_rows[i].name);
		assert_false(toml_parse(error_rows[i].text, strlen(error_rows[i].text), arena,
					&tree, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		assert_string_equal(err.text, error_rows[i].error);
		assert_null(tree);
		arena_free(arena);
	}
}

static bool parses(const struct buf *text)
{
	struct arena *arena = arena_new();
	struct node *tree;
	struct err err = { 0 };
	bool is_ok = toml_parse(buf_text(text), text->len, arena, &tree, &err);

	arena_free(arena);
	return is_ok;
}

static void test_toml_parse__has_limits(void **state)
{
	AUTO_BUF text = BUF_INIT(4u << 20);

	(void)state;
	buf_puts(&text, "a = ");
	for (unsigned i = 0; i < LIMIT_DOC_DEPTH; i++)
		buf_byte(&text, '[');
	for (unsigned i = 0; i < LIMIT_DOC_DEPTH; i++)
		buf_byte(&text, ']');
	assert_true(parses(&text));
	buf_clear(&text);
	buf_puts(&text, "a = ");
	for (unsigned i = 0; i < 100000; i++)
		buf_byte(&text, '[');
	assert_false(parses(&text));
	buf_clear(&text);
	for (unsigned i = 0; i < LIMIT_DOC_NODES / 2; i++)
		buf_printf(&text, "%x=1\n", i);
	assert_true(text.len < LIMIT_TOML_BYTES);
	assert_true(parses(&text));
	while (text.len <= LIMIT_TOML_BYTES)
		buf_puts(&text, "# much more\n");
	assert_false(parses(&text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_toml_print__has_the_layout_of_the_reference),
		cmocka_unit_test(test_toml_print__escapes_commands_as_json),
		cmocka_unit_test(test_toml_parse__names_the_place_of_an_error),
		cmocka_unit_test(test_toml_parse__has_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
