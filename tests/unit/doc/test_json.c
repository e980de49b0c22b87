/* SPDX-License-Identifier: Apache-2.0 */
/* test_json.c — what RFC 8259 allows and forbids, error texts, positions, limits, and the three styles of printing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/limits.h"
#include "model/doc/json.h"

static void test_json__prints_what_it_read(void **state)
{
	static const struct {
		const char *in, *compact;
	} rows[] = {
		{ " {} ", "{}" },
		{ "[ ]", "[]" },
		{ "\t[1 ,2\n, 3]\r\n", "[1,2,3]" },
		{ "-0", "-0.0" },
		{ "-0.0e3", "-0.0" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "9223372036854775808", "9223372036854776000.0" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "1e2", "100.0" },
		{ "1E-7", "1.0e-7" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
		{ "\"\\u00e9\\ud83d\\ude00\"", "\"\xC3\xA9\xF0\x9F\x98\x80\"" },
		{ "\"\\u0000\\u001f\x7f\"", "\"\\u0000\\u001f\x7f\"" },
		{ "{\"b\":true,\"a\":[null,false]}", "{\"b\":true,\"a\":[null,false]}" },
		{ "1e999", "null" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		AUTO_BUF text = BUF_INIT(10000);
		struct node *node;
		struct err err;

		if (!json_parse(rows[i].in, strlen(rows[i].in), arena, &node, &err))
			fail_msg("%s: %s", rows[i].in, err.text);
		json_print(node, JSON_COMPACT, &text);
		assert_string_equal(text.data, rows[i].compact);
		arena_free(arena);
	}
}

static void test_json__refuses_with_line_and_column(void **state)
{
	static const struct {
		const char *in, *text;
	} rows[] = {
		{ "", "line 1, column 1: expected a value, found the end of the text" },
		{ "{\"a\": 1,\n \xC3\xA9: 2}",
		  "line 2, column 2: expected a key in double quotes, found '\xC3\xA9'" },
		{ "{\"a\": 1,}", "line 1, column 9: expected a key in double quotes, found '}'" },
		{ "[1,]", "line 1, column 4: expected a value, found ']'" },
		{ "[1 2]", "line 1, column 4: expected ',' or ']', found '2'" },
		{ "{\"a\" 1}", "line 1, column 6: expected ':', found '1'" },
		{ "{\"a\": 1", "line 1, column 8: expected ',' or '}', found the end of the text" },
		{ "1 2", "line 1, column 3: expected the end of the text, found '2'" },
		{ "// x", "line 1, column 1: expected a value, found '/'" },
		{ "nul", "line 1, column 1: expected a value, found 'n'" },
		{ "01", "line 1, column 1: malformed number" },
		{ "1.", "line 1, column 1: malformed number" },
		{ "[-]", "line 1, column 2: malformed number" },
		{ "1e+", "line 1, column 1: malformed number" },
		{ "+1", "line 1, column 1: expected a value, found '+'" },
		{ "\"ab", "line 1, column 1: the string is not closed" },
		{ "\"ab\\", "line 1, column 1: the string is not closed" },
		{ "\"a\nb\"",
		  "line 1, column 3: control character U+000A in a string; write it as an escape" },
		{ "\"\\x\"", "line 1, column 2: unknown escape in a string" },
		{ "\"\\u12g4\"", "line 1, column 2: '\\u' needs four hexadecimal digits" },
		{ "\"\\ud800\"", "line 1, column 2: half of a surrogate pair" },
		{ "\"\\udc00\"", "line 1, column 2: half of a surrogate pair" },
		{ "\"\\ud800\\u0041\"", "line 1, column 2: half of a surrogate pair" },
		{ "\"a\xFF\"", "line 1, column 3: not valid UTF-8" },
		{ "\xFF", "line 1, column 1: not valid UTF-8" },
		{ "{\"a\\u0000\": 1}", "line 1, column 2: U+0000 in a key" },
		{ "{\"a\": 1,\n\"b\": {\"a\": 2}, \"a\": 3}",
		  "line 2, column 16: key 'a' is given twice; first in line 1, column 2" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		struct node *node;
		struct err err = { 0 };

		assert_false(json_parse(rows[i].in, strlen(rows[i].in), arena, &node, &err));
		assert_null(node);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_string_equal(err.text, rows[i].text);
		arena_free(arena);
	}
}

static void test_json__counts_positions_in_characters(void **state)
{
	static const char text[] = "{\n  \"\xC3\xA9\": [ \"x\xC3\xA9y\", 12 ]\n}";
	struct arena *arena = arena_new();
	struct node *root, *list;
	struct err err;

	(void)state;
	assert_true(json_parse(text, sizeof(text) - 1, arena, &root, &err));
	list = root->first;
	assert_int_equal(list->key_pos.line, 2);
	assert_int_equal(list->key_pos.column, 3);
	assert_int_equal(list->pos.column, 8);
	assert_int_equal(list->first->pos.column, 10);
	assert_int_equal(list->first->end.column, 15);
	assert_int_equal(list->last->pos.column, 17);
	assert_int_equal(list->last->end.column, 19);
	assert_int_equal(root->end.line, 3);
	assert_int_equal(root->end.column, 2);
	arena_free(arena);
}

static bool parse_nested(unsigned depth, struct err *err)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(10000);
	struct node *node;
	bool ok;

	for (unsigned i = 0; i < depth; i++)
		buf_byte(&text, '[');
	for (unsigned i = 0; i < depth; i++)
		buf_byte(&text, ']');
	ok = json_parse(text.data, text.len, arena, &node, err);
	arena_free(arena);
	return ok;
}

static void test_json__stops_at_its_limits(void **state)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(10u << 20);
	struct node *node;
	struct err err;

	(void)state;
	assert_true(parse_nested(LIMIT_DOC_DEPTH, &err));
	assert_false(parse_nested(LIMIT_DOC_DEPTH + 1, &err));
	assert_string_equal(err.text, "line 1, column 65: nested more than 64 levels deep");
	buf_byte(&text, '[');
	for (unsigned i = 0; i < LIMIT_DOC_NODES; i++)
		buf_puts(&text, i ? ",0" : "0");
	buf_byte(&text, ']');
	assert_false(json_parse(text.data, text.len, arena, &node, &err));
	assert_non_null(strstr(err.text, "more than 200000 values"));
	arena_free(arena);
}

/* The same as in YAML: read or refused, never another number. */
static void test_json__huge_numbers_stay_what_they_are(void **state)
{
	static const char *const heads[] = { "", "-", "1e", "1E-", "0." };
	AUTO_BUF text = BUF_INIT(4u << 20);

	(void)state;
	for (size_t i = 0; i < COUNTOF(heads); i++) {
		struct arena *arena = arena_new();
		struct node *node;
		struct err err = { 0 };

		buf_clear(&text);
		buf_puts(&text, heads[i]);
		for (int k = 0; k < 1000000; k++)
			buf_byte(&text, '7');
		if (json_parse(text.data, text.len, arena, &node, &err) && node->kind == NODE_INT)
			fail_msg("'%s777…' is a number that it is not", heads[i]);
		arena_free(arena);
	}
}

static void test_json__finds_twice_given_keys_in_large_mappings(void **state)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(10u << 20);
	struct node *node;
	struct err err;

	(void)state;
	buf_byte(&text, '{');
	for (unsigned i = 0; i < 50000; i++)
		buf_printf(&text, "\"key%u\":0,\n", i);
	buf_puts(&text, "\"key777\":1}");
	assert_false(json_parse(text.data, text.len, arena, &node, &err));
	assert_string_equal(err.text, "line 50001, column 1: key 'key777' is given twice; "
				      "first in line 778, column 1");
	arena_free(arena);
}

static void test_json__prints_in_three_styles(void **state)
{
	static const char in[] = "{\"a<\":[1,{\"b\":3.0}],\"c\":{},\"d\":\"&\xE2\x80\xA8>\"}";
	static const struct {
		enum json_style style;
		const char *text;
	} rows[] = {
		{ JSON_COMPACT, "{\"a<\":[1,{\"b\":3.0}],\"c\":{},\"d\":\"&\xE2\x80\xA8>\"}" },
		{ JSON_GO,
		  "{\"a\\u003c\":[1,{\"b\":3}],\"c\":{},\"d\":\"\\u0026\\u2028\\u003e\"}" },
		{ JSON_TYPED,
		  "{\"a\\u003c\":[1,{\"b\":3.0}],\"c\":{},\"d\":\"\\u0026\\u2028\\u003e\"}" },
		{ JSON_PRETTY, "{\n  \"a<\": [\n    1,\n    {\n      \"b\": 3.0\n    }\n  ],\n"
			       "  \"c\": {},\n  \"d\": \"&\xE2\x80\xA8>\"\n}" },
	};
	struct arena *arena = arena_new();
	struct node *node;
	struct err err;

	(void)state;
	assert_true(json_parse(in, sizeof(in) - 1, arena, &node, &err));
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		AUTO_BUF text = BUF_INIT(1000);

		json_print(node, rows[i].style, &text);
		assert_string_equal(text.data, rows[i].text);
	}
	arena_free(arena);
}

static void test_json__prints_malformed_bytes_as_replacement_characters(void **state)
{
	AUTO_BUF text = BUF_INIT(100);
	AUTO_BUF go = BUF_INIT(100);

	(void)state;
	json_print_string("a\xFF\"", 3, JSON_COMPACT, &text);
	assert_string_equal(text.data, "\"a\xEF\xBF\xBD\\\"\"");
	json_print_string("a\xFF\"", 3, JSON_GO, &go);
	assert_string_equal(go.data, "\"a\\ufffd\\\"\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json__prints_what_it_read),
		cmocka_unit_test(test_json__refuses_with_line_and_column),
		cmocka_unit_test(test_json__counts_positions_in_characters),
		cmocka_unit_test(test_json__stops_at_its_limits),
		cmocka_unit_test(test_json__huge_numbers_stay_what_they_are),
		cmocka_unit_test(test_json__finds_twice_given_keys_in_large_mappings),
		cmocka_unit_test(test_json__prints_in_three_styles),
		cmocka_unit_test(test_json__prints_malformed_bytes_as_replacement_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
