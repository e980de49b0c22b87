/* SPDX-License-Identifier: Apache-2.0 */
/* test_node.c — finding, building, copying, comparing and sorting trees; duplicate keys; UTF-8; floats as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/json.h"
#include "model/doc/keys.h"
#include "model/doc/number.h"
#include "model/doc/utf8.h"

static struct node *parse(struct arena *arena, const char *text)
{
	struct node *node;
	struct err err;

	if (!json_parse(text, strlen(text), arena, &node, &err))
		fail_msg("%s", err.text);
	return node;
}

static void test_node__finds_children_by_path(void **state)
{
	struct arena *arena = arena_new();
	struct node *root = parse(arena, "{\"a\": {\"b\": {\"c\": \"x\", \"n\": 1}}}");

	(void)state;
	assert_string_equal(node_at(root, "a", "b", "c", NULL)->text, "x");
	assert_null(node_at(root, "a", "z", "c", NULL));
	assert_ptr_equal(node_at(root, NULL), root);
	assert_null(node_get(NULL, "a"));
	assert_null(node_get(node_at(root, "a", "b", "c", NULL), "a"));
	assert_string_equal(node_text(node_at(root, "a", "b", NULL), "c"), "x");
	assert_null(node_text(node_at(root, "a", "b", NULL), "n"));
	arena_free(arena);
}

static void test_node__replaces_first_middle_and_last_children_in_place(void **state)
{
	static const char *const keys[] = { "a", "b", "c" };
	static const char *const wanted[] = { "{\"a\":9,\"b\":2,\"c\":3,\"d\":4}",
					      "{\"a\":1,\"b\":9,\"c\":3,\"d\":4}",
					      "{\"a\":1,\"b\":2,\"c\":9,\"d\":4}" };

	(void)state;
	for (size_t i = 0; i < COUNTOF(keys); i++) {
		struct arena *arena = arena_new();
		struct node *map = parse(arena, "{\"a\":1,\"b\":2,\"c\":3}");
		AUTO_BUF text = BUF_INIT(1000);

		node_set(arena, map, keys[i], node_int(arena, 9));
		node_set(arena, map, "d", node_int(arena, 4));
		node_set_text(arena, map, "e", NULL);
		assert_int_equal(map->n, 4);
		json_print(map, JSON_COMPACT, &text);
		assert_string_equal(text.data, wanted[i]);
		arena_free(arena);
	}
}

static void test_node__compares_by_value_and_not_by_order(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{ "{\"a\":1,\"b\":[1,2]}", "{\"b\":[1,2],\"a\":1}", true },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false },
		{ "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
		{ "[1,2]", "[2,1]", false },
		{ "1", "1.0", false },
		{ "0.0", "-0.0", false },
		{ "\"1\"", "1", false },
		{ "\"a\\u0000b\"", "\"a\\u0000c\"", false },
		{ "null", "null", true },
		{ "true", "false", false },
		{ "[]", "{}", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		struct node *a = parse(arena, rows[i].a), *b = parse(arena, rows[i].b);

		assert_int_equal(node_equal(a, b), rows[i].equal);
		assert_int_equal(node_equal(b, a), rows[i].equal);
		assert_true(node_equal(a, node_clone(arena, a)));
		assert_true(node_equal(a, node_share(arena, a)));
		arena_free(arena);
	}
}

static void test_node__clones_need_nothing_of_the_original(void **state)
{
	struct arena *first = arena_new(), *second = arena_new();
	struct node *copy = node_clone(second, parse(first, "{\"b\":[\"x\",{}],\"a\":null}"));
	AUTO_BUF text = BUF_INIT(1000);

	(void)state;
	arena_free(first);
	node_sort_keys(copy);
	json_print(copy, JSON_COMPACT, &text);
	assert_string_equal(text.data, "{\"a\":null,\"b\":[\"x\",{}]}");
	arena_free(second);
}

static void test_keys__finds_each_key_in_small_and_large_mappings(void **state)
{
	struct arena *arena = arena_new();
	struct node *map = node_new(arena, NODE_MAP);
	struct keys keys = { 0 };

	(void)state;
	for (int i = 0; i < 5000; i++) {
		const char *key = arena_printf(arena, "k%d", i);

		assert_null(keys_find(&keys, map, key, arena));
		node_append(arena, map, key, node_int(arena, i));
		assert_int_equal(keys_find(&keys, map, key, arena)->i, i);
		assert_int_equal(keys_find(&keys, map, "k0", arena)->i, 0);
	}
	arena_free(arena);
}

static void test_utf8__reads_back_every_character(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10FFFF; c++) {
		char text[4];
		size_t n = utf8_put(c, text), got;
		uint32_t back = 0;

		got = utf8_get(text, n, &back);
		if (c >= 0xD800 && c <= 0xDFFF) {
			assert_int_equal(got, 0);
			continue;
		}
		assert_int_equal(got, n);
		assert_int_equal(back, c);
		if (n > 1)
			assert_int_equal(utf8_get(text, n - 1, &back), 0);
	}
}

static void test_utf8__refuses_malformed_bytes(void **state)
{
	static const char *const rows[] = { "\x80",
					    "\xC0\x80",
					    "\xC1\xBF",
					    "\xE0\x80\x80",
					    "\xF0\x80\x80\x80",
					    "\xF4\x90\x80\x80",
					    "\xF5",
					    "\xFF",
					    "\xC3(",
					    "\xED\xA0\x80" };
	uint32_t c;

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_int_equal(utf8_get(rows[i], strlen(rows[i]), &c), 0);
	assert_int_equal(utf8_count("a\xC3\xA9\xFFz", 5), 4);
	assert_int_equal(utf8_width(0x4E2D), 2);
	assert_int_equal(utf8_width(0x301), 0);
	assert_true(utf8_is_control(0x202E));
	assert_false(utf8_is_control(0xE9));
}

static void test_number__prints_the_shortest_text(void **state)
{
	static const struct {
		double f;
		const char *text, *go;
	} rows[] = {
		{ 0, "0.0", "0" },
		{ -0.0, "-0.0", "-0" },
		{ 3, "3.0", "3" },
		{ -1.5, "-1.5", "-1.5" },
		{ 0.1, "0.1", "0.1" },
		{ 0.1 + 0.2, "0.30000000000000004", "0.30000000000000004" },
		{ 1e20, "100000000000000000000.0", "100000000000000000000" },
		{ 1e21, "1.0e+21", "1e+21" },
		{ 1.25e300, "1.25e+300", "1.25e+300" },
		{ 1e-6, "0.000001", "0.000001" },
		{ 1.5e-7, "1.5e-7", "1.5e-7" },
		{ 5e-324, "5.0e-324", "5e-324" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308" },
		{ 123456.789, "123456.789", "123456.789" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		char text[NUMBER_TEXT];

		number_format(rows[i].f, text);
		assert_string_equal(text, rows[i].text);
		number_format_go(rows[i].f, text);
		assert_string_equal(text, rows[i].go);
	}
}

static void test_number__reads_back_random_floats(void **state)
{
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[NUMBER_TEXT];
		double f;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		memcpy(&f, &seed, sizeof(f));
		if (f - f != 0) /* infinity or NaN */
			continue;
		number_format(f, text);
		assert_true(strtod(text, NULL) == f);
		assert_non_null(strchr(text, '.'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_node__finds_children_by_path),
		cmocka_unit_test(test_node__replaces_first_middle_and_last_children_in_place),
		cmocka_unit_test(test_node__compares_by_value_and_not_by_order),
		cmocka_unit_test(test_node__clones_need_nothing_of_the_original),
		cmocka_unit_test(test_keys__finds_each_key_in_small_and_large_mappings),
		cmocka_unit_test(test_utf8__reads_back_every_character),
		cmocka_unit_test(test_utf8__refuses_malformed_bytes),
		cmocka_unit_test(test_number__prints_the_shortest_text),
		cmocka_unit_test(test_number__reads_back_random_floats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
