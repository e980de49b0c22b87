/* SPDX-License-Identifier: Apache-2.0 */
/* test_yaml_printed.c — the fast reader gives the general one's trees, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/json.h"
#include "model/doc/yaml.h"
#include "model/doc/yaml_printed.h"

static const struct row {
	const char *text;
	bool is_read; /* else it is left to the general reader */
} rows[] = {
	{ "a: 1\n", true },
	{ "a: 1\nb:\n  c: true\n  d: {}\n", true },
	{ "a:\n- 1\n- b: 2\n  c:\n  - 3\n- - 4\n  - - 5\n- []\n- {}\nz: null\n", true },
	{ "- 3.0\n- 1.0e+21\n- -0.5\n- .inf\n- 0x1F\n- 2026-11-22\n", true },
	{ "\"a\\nb\": 1\n\"\\x41 b\": \"q\\\"\\\\\\r\\t\\e\\0x\"\n\"true\": 3\nk v: 4\n", true },
	{ "url: https://git.example.com/a?b=c#d\nat: a@sha256:00\n", true },
	{ "- \"a: b\"\n- \"a\": b\n- a \"b: c\"\n", true },
	{ "a: [x] y\n", false },
	{ "a: x: y\n", false },
	{ "a: x:\n", false },
	{ "a: x # c\n", false },
	{ "a:  x\n", false },
	{ "a: x \n", false },
	{ "a : x\n", false },
	{ "a:\n", false },
	{ "a: \n", false },
	{ "a: x\n  y\n", false },
	{ "a: x\n\nb: y\n", false },
	{ "a: x\n  b: y\n", false },
	{ "a:\n    b: y\n", false },
	{ "a:\n  - b\n", false },
	{ "- a\nb: c\n", false },
	{ "a: b\n- c\n", false },
	{ "- - a\n  b: c\n", false },
	{ "-   a: 1\n", false },
	{ "a: 1\na: 2\n", false },
	{ "<<: {}\n", false },
	{ "a: |\n  x\n", false },
	{ "a: >-\n  x\n", false },
	{ "a: 'x'\n", false },
	{ "a: &x 1\nb: *x\n", false },
	{ "a: !!str 1\n", false },
	{ "? a\n: b\n", false },
	{ "--- a\n", false },
	{ "a: 1\n---\nb: 2\n", false },
	{ "a: 1\n...\n", false },
	{ "%YAML 1.2\n", false },
	{ "# c\n", false },
	{ "a: \"x\n  y\"\n", false },
	{ "a: \"\\u00E4\"\n", false },
	{ "a: \"\\q\"\n", false },
	{ "a: \"x\" y\n", false },
	{ "a: \xC3\xA4\n", false },
	{ "a: 1\r\n", false },
	{ "\ta: 1\n", false },
	{ "a: 1", false },
	{ "", false },
	{ "\n", false },
	{ "{\"a\": 1}\n", false },
	{ "a\n", false },
	{ "\"\": 1\n", false },
	{ "\"a\\0b\": 1\n", false },
};

static bool same_flags(const struct node *a, const struct node *b)
{
	const struct node *x = a->first, *y = b->first;

	if (a->is_plain != b->is_plain || a->is_block != b->is_block ||
	    a->pos.line != b->pos.line || a->pos.column != b->pos.column)
		return false;
	for (; x && y; x = x->next, y = y->next)
		if (!same_flags(x, y) || x->key_pos.column != y->key_pos.column)
			return false;
	return !x && !y;
}

static struct node *read_generally(const char *text, size_t len, struct arena *arena)
{
	const struct source_file file = { "x", text, len };
	struct documents documents = { 0 };
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	return diags.n_errors || documents.n != 1 ? NULL : documents.v[0];
}

static void check(void **state)
{
	const struct row *row = *state;
	struct arena *arena = arena_new();
	size_t len = strlen(row->text);
	const struct node *tree = yaml_parse_printed(row->text, len, arena, arena), *other;

	assert_int_equal(tree != NULL, row->is_read);
	other = read_generally(row->text, len, arena);
	if (tree && (!other || !node_equal(tree, other) || !same_flags(tree, other)))
		fail_msg("read in two ways: %s", row->text);
	arena_free(arena);
}

static void test_yaml_printed__reads_what_is_printed(void **state)
{
	static const char json[] =
		"{\"apiVersion\":\"kpack.io/v1alpha2\",\"metadata\":{\"name\":\"a\",\"labels\":{}},"
		"\"status\":{\"n\":12,\"f\":0.5,\"no\":\"no\",\"at\":\"2026-11-22T03:14:55Z\","
		"\"list\":[{\"a\":[1,[2,[]]],\"b\":null},\"x: y\",\"- z\",\"#\",\"\"],\"t\":true}}";
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(10000);
	struct node *tree;
	struct err err;

	(void)state;
	assert_true(json_parse(json, strlen(json), arena, &tree, &err));
	yaml_print(tree, &text);
	assert_true(node_equal(tree, yaml_parse_printed(text.data, text.len, arena, arena)));
	arena_free(arena);
}

static void test_yaml_printed__finds_a_key_twice_among_many(void **state)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(100000);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		buf_printf(&text, "k%u: %u\n", i, i);
	assert_non_null(yaml_parse_printed(text.data, text.len, arena, arena));
	buf_puts(&text, "k500: 1\n");
	assert_null(yaml_parse_printed(text.data, text.len, arena, arena));
	arena_free(arena);
}

static void test_yaml_printed__has_a_limit_of_depth(void **state)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(100000);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		buf_puts(&text, "- ");
	buf_puts(&text, "x\n");
	assert_null(yaml_parse_printed(text.data, text.len, arena, arena));
	arena_free(arena);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows) + 3] = {
		cmocka_unit_test(test_yaml_printed__reads_what_is_printed),
		cmocka_unit_test(test_yaml_printed__finds_a_key_twice_among_many),
		cmocka_unit_test(test_yaml_printed__has_a_limit_of_depth),
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[3 + i] = (struct CMUnitTest){ rows[i].text, check, NULL, NULL,
						    (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests_name("yaml_printed", tests, NULL, NULL);
}
