/* SPDX-License-Identifier: Apache-2.0 */
/* test_yaml_fast.c — the fast reader gives the general one's trees, with their places, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/json.h"
#include "model/doc/yaml_fast.h"

static const struct row {
	const char *text;
	bool is_read; /* else it is left to the general reader */
} rows[] = {
	{ "a: 1\n", true },
	{ "a: 1", true },
	{ "a: 1\nb:\n  c: true\n  d: {}\n", true },
	{ "a:\n- 1\n- b: 2\n  c:\n  - 3\n- - 4\n  - - 5\n- []\n- {}\nz: null\n", true },
	{ "a:\n    - 1\n    -   b: 2\n        c:\n          - 3\n", true },
	{ "- 3.0\n- 1.0e+21\n- -0.5\n- .inf\n- 0x1F\n- 2026-11-22\n", true },
	{ "\"a\\nb\": 1\n\"\\x41 b\": \"q\\\"\\\\\\r\\t\\e\\0x\"\n\"true\": 3\nk v: 4\n", true },
	{ "'it''s': 'a: b # c'\nb: ''\n", true },
	{ "url: https://git.example.com/a?b=c#d\nat: a@sha256:00\n", true },
	{ "- \"a: b\"\n- \"a\": b\n- a \"b: c\"\n- 'a: b'\n- 'a': b\n", true },
	{ "# one\n\na: x # two\n  # three\n\nb:   y  \n#four", true },
	{ "a:\nb:\n  c: # x\n  d:\n", true },
	{ "---\na: 1\n--- # next\n---\nb: 2\n---\n", true },
	{ "a: {b: c, d: [e, f-g, 1], \"h\": 'i', j: {}, k: a:b/c:1.2}\nb: [ x , y z ] # c\n",
	  true },
	{ "a: [{b: c}, {d: e}]\n", true },
	{ "a: |\n  x\n   y # z\n\n  w\n\n\nb: |-\n    1: 2\nc: 3\n", true },
	{ "- |\n x\n- |-\n  \ty\n", false },
	{ "- |\n x\n- |-\n  y\n", true },
	{ "a: \xC3\xA4 \xE2\x86\x92 # \xC3\xB6\n\xC3\xBC: {x: y}\n", true },
	{ "\xC3\xA4: \"b\" # c\n", true },
	{ "\xC3\xA4: \"\\x41\"\n", false },
	{ "a: |\n  x", false },
	{ "a: |\n    x\n  y\nb: 1\n", false },
	{ "a: |\n\n  x\n", false },
	{ "a: |\nb: 1\n", false },
	{ "a: |\n  x\n     \n  y\n", false },
	{ "a: |+\n  x\n\n", false },
	{ "a: |2\n   x\n", false },
	{ "a: [x] y\n", false },
	{ "a: [x,]\n", false },
	{ "a: [x, , y]\n", false },
	{ "a: [x,\n  y]\n", false },
	{ "a: [b: c]\n", false },
	{ "a: {b}\n", false },
	{ "a: {b: }\n", false },
	{ "a: {b:c}\n", false },
	{ "a: {\"b\":c}\n", false },
	{ "a: {b: c, b: d}\n", false },
	{ "a: {b: c}: d\n", false },
	{ "{a: b}: c\n", false },
	{ "a: x: y\n", false },
	{ "a: x:\n", false },
	{ "a : x\n", false },
	{ "a: x\n  y\n", false },
	{ "a: x\n\n  y\n", false },
	{ "a: x\n  b: y\n", false },
	{ "- a\nb: c\n", false },
	{ "a: b\n- c\n", false },
	{ "- - a\n  b: c\n", false },
	{ "-\n  a\n", false },
	{ "a:\n  - b\n  c: d\n", false },
	{ "a:\n    b: c\n  d: e\n", false },
	{ "a: 1\na: 2\n", false },
	{ "<<: {}\n", false },
	{ "a: >-\n  x\n", false },
	{ "a: &x 1\nb: *x\n", false },
	{ "a: !!str 1\n", false },
	{ "? a\n: b\n", false },
	{ "--- a\n", false },
	{ "---a: b\n", false },
	{ "a: 1\n...\n", false },
	{ "%YAML 1.2\n", false },
	{ "a: \"x\n  y\"\n", false },
	{ "a: \"\\u00E4\"\n", false },
	{ "a: \"\\q\"\n", false },
	{ "a: \"x\" y\n", false },
	{ "a: \"x\"#y\n", false },
	{ "a: 1\r\n", false },
	{ "a:\t1\n", false },
	{ "a: \xEF\xBB\xBF\n", false },
	{ "a: \xE2\x80\xA8\n", false },
	{ "a: \xC2\x85\n", false },
	{ "a: \xFF\n", false },
	{ " a: 1\n", false },
	{ "", false },
	{ "\n", true },
	{ "{\"a\": 1}\n", false },
	{ "a\n", false },
	{ "\"\": 1\n", false },
	{ "\"a\\0b\": 1\n", false },
};

static bool same_pos(struct pos a, struct pos b)
{
	return a.line == b.line && a.column == b.column;
}

/* Where block scalars end is of no use to anybody, and depends on what follows. */
static bool same_places(const struct node *a, const struct node *b)
{
	bool has_end = !a->is_block;
	const struct node *x = a->first, *y = b->first;

	if (a->is_plain != b->is_plain || a->is_block != b->is_block || !same_pos(a->pos, b->pos) ||
	    (has_end && !same_pos(a->end, b->end)))
		return false;
	for (; x && y; x = x->next, y = y->next)
		if (!same_places(x, y) || !same_pos(x->key_pos, y->key_pos))
			return false;
	return !x && !y;
}

static void check_same(const struct source_file *file, const struct documents *fast,
		       struct arena *arena)
{
	struct documents general;
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse_general(file, arena, arena, &general, &diags);
	if (diags.n_errors || general.n != fast->n)
		fail_msg("only the fast reader takes: %s", file->text);
	for (size_t i = 0; i < fast->n; i++)
		if (!node_equal(fast->v[i], general.v[i]) || !same_places(fast->v[i], general.v[i]))
			fail_msg("read in two ways: %s", file->text);
}

static void check(void **state)
{
	const struct row *row = *state;
	const struct source_file file = { "x", row->text, strlen(row->text) };
	struct arena *arena = arena_new();
	struct documents documents = { 0 };

	assert_int_equal(yaml_fast_parse(&file, arena, arena, &documents), row->is_read);
	if (row->is_read)
		check_same(&file, &documents, arena);
	else
		assert_int_equal(documents.n, 0);
	arena_free(arena);
}

static struct node *read_one(const struct buf *text, struct arena *arena)
{
	const struct source_file file = { "x", text->data, text->len };
	struct documents documents = { 0 };

	return yaml_fast_parse(&file, arena, arena, &documents) ? documents.v[0] : NULL;
}

static void test_yaml_fast__reads_what_is_printed(void **state)
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
	assert_true(node_equal(tree, read_one(&text, arena)));
	arena_free(arena);
}

static void test_yaml_fast__finds_a_key_twice_among_many(void **state)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(100000);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		buf_printf(&text, "k%u: %u\n", i, i);
	assert_non_null(read_one(&text, arena));
	buf_puts(&text, "k500: 1\n");
	assert_null(read_one(&text, arena));
	arena_free(arena);
}

static void test_yaml_fast__has_a_limit_of_depth(void **state)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(100000);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		buf_puts(&text, "- ");
	buf_puts(&text, "x\n");
	assert_null(read_one(&text, arena));
	arena_free(arena);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows) + 3] = {
		cmocka_unit_test(test_yaml_fast__reads_what_is_printed),
		cmocka_unit_test(test_yaml_fast__finds_a_key_twice_among_many),
		cmocka_unit_test(test_yaml_fast__has_a_limit_of_depth),
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[3 + i] = (struct CMUnitTest){ rows[i].text, check, NULL, NULL,
						    (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests_name("yaml_fast", tests, NULL, NULL);
}
