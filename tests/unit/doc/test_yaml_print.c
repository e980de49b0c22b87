/* SPDX-License-Identifier: Apache-2.0 */
/* test_yaml_print.c — the one shape of printed YAML, what is quoted, and that every tree comes back as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/doc/utf8.h"
#include "model/doc/yaml.h"

static void check_printed(const char *json, const char *yaml)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(10000);
	struct node *node;
	struct err err;

	if (!json_parse(json, strlen(json), arena, &node, &err))
		fail_msg("%s: %s", json, err.text);
	yaml_print(node, &text);
	assert_string_equal(text.data, yaml);
	arena_free(arena);
}

static void test_yaml_print__has_one_shape(void **state)
{
	static const struct {
		const char *json, *yaml;
	} rows[] = {
		{ "{}", "{}\n" },
		{ "[]", "[]\n" },
		{ "null", "null\n" },
		{ "\"a\"", "a\n" },
		{ "\"a\\nb\"", "|-\n  a\n  b\n" },
		{ "{\"a\":1,\"b\":{\"c\":true,\"d\":{}}}", "a: 1\nb:\n  c: true\n  d: {}\n" },
		{ "{\"a\":[1,{\"b\":2,\"c\":[3]},[4,[5]],[],{}]}",
		  "a:\n- 1\n- b: 2\n  c:\n  - 3\n- - 4\n  - - 5\n- []\n- {}\n" },
		{ "[3.0,1e21,-0.5,1e999,-1e999]", "- 3.0\n- 1.0e+21\n- -0.5\n- .inf\n- -.inf\n" },
		{ "{\"a\":{\"t\":\"x\\n  y\\n\"},\"b\":[\"x\\ny\\n\\n\"]}",
		  "a:\n  t: |\n    x\n      y\nb:\n- |+\n  x\n  y\n\n" },
		{ "{\"a\":\" lead\\nx\"}", "a: |2-\n   lead\n  x\n" },
		{ "{\"a\":\"\\nx\\n\"}", "a: |2\n\n  x\n" },
		{ "{\"a\":\"\\n\\n\"}", "a: \"\\n\\n\"\n" },
		{ "{\"a\":\"x\\ny\\u0001\"}", "a: \"x\\ny\\x01\"\n" },
		{ "{\"a\\nb\":1,\"\":2,\"true\":3,\"k v\":4}",
		  "\"a\\nb\": 1\n\"\": 2\n\"true\": 3\nk v: 4\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		check_printed(rows[i].json, rows[i].yaml);
}

static bool is_quoted(const char *text)
{
	struct arena *arena = arena_new();
	AUTO_BUF out = BUF_INIT(10000);
	bool quoted;

	yaml_print(node_string(arena, text), &out);
	quoted = out.data[0] == '"';
	if (!quoted && (strncmp(out.data, text, strlen(text)) != 0 || out.len != strlen(text) + 1))
		fail_msg("'%s' is printed as '%s'", text, out.data);
	arena_free(arena);
	return quoted;
}

static void test_yaml_print__quotes_what_some_reader_takes_for_something_else(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		" a",
		"a ",
		"~",
		"null",
		"Null",
		"NULL",
		"nULL",
		"true",
		"False",
		"TRUE",
		"y",
		"Y",
		"n",
		"N",
		"yes",
		"Yes",
		"YES",
		"no",
		"No",
		"on",
		"On",
		"off",
		"OFF",
		"=",
		"<<",
		"0",
		"1",
		"-1",
		"+1",
		"0123",
		"0o17",
		"0x1F",
		"0x_",
		"0X1f",
		"0b101",
		"1_000",
		"1.",
		".5",
		"1.5",
		"1e3",
		"1E+3",
		"-1.5e-3",
		"1_0.5",
		"12:30:45",
		"12:30",
		"-190:20:30",
		"190:20:30.15",
		".inf",
		"-.INF",
		"+.Inf",
		".NaN",
		"2026-11-22",
		"2026-1-2",
		"2026-11-22T03:14:55Z",
		"2026-11-22 03:14:55",
		"2026-11-22t03:14:55.1+01:00",
		"-",
		"- a",
		"-\t",
		"---",
		"--- a",
		"...",
		"?",
		"? a",
		"?a",
		":",
		": a",
		":a",
		",a",
		"[a",
		"]",
		"{a",
		"}",
		"#a",
		"&a",
		"*a",
		"!a",
		"|",
		">",
		"'a",
		"\"a",
		"%a",
		"@a",
		"`a",
		"a: b",
		"a:",
		"a #b",
		"a\tb",
		"a\x7F",
		"\xC2\x85",
		"a\xE2\x80\xA8",
		"\xEF\xBB\xBF-",
		"a\xE2\x80\xAE",
		"00000000000000000000000000000000000000000000000000000000000000000000",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (!is_quoted(rows[i]))
			fail_msg("'%s' is not quoted", rows[i]);
}

static void test_yaml_print__leaves_ordinary_texts_plain(void **state)
{
	static const char *const rows[] = {
		"a",
		"a b",
		"a:b",
		"a#b",
		"a - b",
		"-a",
		"--flag",
		"-a:b",
		"https://a.b/c?d=e&f#g",
		"registry.example.com/a/b:b12.20261122.031455@sha256:1c0f",
		"1.2.3",
		"v1",
		"1a",
		"4e5f6a7",
		"1e",
		"e1",
		"0z",
		"0xg",
		"08a",
		"1.5.2-rc1",
		"10.0.0.1",
		"1Gi",
		"100m",
		"12:30:xx",
		"2026-11",
		"2026-11-22x",
		"20261122",
		"nullx",
		"trues",
		"yess",
		"~a",
		"a~",
		"<<a",
		"==",
		"a\\b",
		"a'b",
		"a\"b",
		"$(x)",
		"a,b",
		"a]b",
		"\xC3\xA9t\xC3\xA9",
		"+",
		".",
		"..",
		"+a",
		".a",
		"_1",
		"a%b",
		"1-2",
		"1+1",
		"...x",
		"/a",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		/* Integers, document marks, and what the pattern for floats in YAML 1.1 matches. */
		bool wanted = strcmp(rows[i], "20261122") == 0 || strcmp(rows[i], "...x") == 0 ||
			      strcmp(rows[i], ".") == 0;

		if (is_quoted(rows[i]) != wanted)
			fail_msg("'%s' is quoted: %d", rows[i], !wanted);
	}
}

static uint64_t seed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

/* Texts made of what is awkward in YAML. */
static void random_text(struct buf *out)
{
	static const char *const pieces[] = {
		"a",
		"b c",
		"1",
		"0x",
		"e5",
		".",
		":",
		": ",
		"#",
		" #",
		"-",
		"- ",
		"\n",
		"\n\n",
		" ",
		"  ",
		"~",
		"'",
		"\"",
		"\\",
		"\t",
		"{",
		"}",
		"[",
		"]",
		"&",
		"*",
		"!",
		"|",
		">",
		"%",
		"@",
		"`",
		"\xC3\xA9",
		"\x01",
		"\r",
		"?",
		",",
		"\xC2\x85",
		"true",
		"no",
		"=",
		"<<",
		"\xE2\x80\xA8",
		"---",
		"...",
		"_",
		"+",
		"12:30",
		"\x7F",
		"y",
		"\xEF\xBF\xBF",
		"\xF0\x9F\x98\x80",
	};

	for (uint32_t n = below(6); n > 0; n--)
		buf_puts(out, pieces[below(COUNTOF(pieces))]);
	if (below(200) == 0)
		for (int i = 0; i < 900; i++)
			buf_byte(out, below(5) ? 'x' : '\n');
}

static struct node *random_string(struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(10000);
	struct node *node = node_new(arena, NODE_STRING);

	random_text(&text);
	if (below(50) == 0)
		buf_byte(&text, '\0');
	node->text = arena_copy(arena, text.data, text.len);
	node->len = (uint32_t)text.len;
	return node;
}

static double random_float(void)
{
	static const double some[] = { 0.0, -0.0, 1e300, -1e-300, 0.1, 3, 1e21, 1e-7, 123456.789 };

	if (below(8) == 0)
		return below(2) ? 1.0 / 0.0 : -1.0 / 0.0;
	return some[below(COUNTOF(some))] * (below(2) ? 1 : 1 + below(1000) / 999.0);
}

static struct node *random_tree(struct arena *arena, unsigned depth);

static struct node *random_container(struct arena *arena, enum node_kind kind, unsigned depth)
{
	struct node *list = node_new(arena, kind);

	for (uint32_t n = below(5); n > 0; n--) {
		struct node *child = random_tree(arena, depth - 1);
		AUTO_BUF key = BUF_INIT(10000);

		random_text(&key);
		if (kind == NODE_SEQ)
			node_push(list, child);
		else
			node_set(arena, list, buf_text(&key), child);
	}
	return list;
}

static struct node *random_tree(struct arena *arena, unsigned depth)
{
	struct node *node;

	switch (below(depth ? 10 : 6)) {
	case 0:
		return node_new(arena, NODE_NULL);
	case 1:
		return node_bool(arena, below(2) != 0);
	case 2:
		return node_int(arena, (int64_t)below(2000) - 1000);
	case 3:
		node = node_new(arena, NODE_FLOAT);
		node->f = random_float();
		return node;
	case 4:
	case 5:
		return random_string(arena);
	default:
		return random_container(arena, below(2) ? NODE_MAP : NODE_SEQ, depth);
	}
}

static struct node *read_back(const struct buf *text, struct arena *arena)
{
	const struct source_file file = { "printed", text->data, text->len };
	struct documents documents;
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	if (diags.list.n)
		fail_msg("line %u, column %u: %s in:\n%s", diags.list.v[0].pos.line,
			 diags.list.v[0].pos.column, diags.list.v[0].text, text->data);
	return documents.n ? documents.v[0] : node_new(arena, NODE_NULL);
}

static void test_yaml_print__random_trees_come_back_equal(void **state)
{
	(void)state;
	for (int i = 0; i < 4000; i++) {
		struct arena *arena = arena_new();
		struct node *tree, *back;
		AUTO_BUF text = BUF_INIT(LIMIT_FILE_BYTES);
		AUTO_BUF again = BUF_INIT(LIMIT_FILE_BYTES);

		seed = (uint64_t)i * 2654435761u + 1;
		tree = random_tree(arena, 4);
		yaml_print(tree, &text);
		back = read_back(&text, arena);
		if (!node_equal(tree, back))
			fail_msg("tree %d comes back changed:\n%s", i, text.data);
		yaml_print(back, &again);
		assert_string_equal(again.data, text.data);
		arena_free(arena);
	}
}

static void test_yaml_print__random_trees_come_back_equal_through_json(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct arena *arena = arena_new();
		struct node *tree, *back;
		AUTO_BUF text = BUF_INIT(LIMIT_FILE_BYTES);
		struct err err;

		seed = (uint64_t)i * 40503u + 7;
		tree = random_tree(arena, 4);
		json_print(tree, i % 2 ? JSON_PRETTY : JSON_COMPACT, &text);
		if (!json_parse(text.data, text.len, arena, &back, &err))
			fail_msg("%s in %s", err.text, text.data);
		if (!strstr(text.data, "null") && !node_equal(tree, back))
			fail_msg("tree %d comes back changed: %s", i, text.data);
		arena_free(arena);
	}
}

static void test_yaml_print__long_keys_use_the_explicit_form(void **state)
{
	struct arena *arena = arena_new();
	struct node *map = node_new(arena, NODE_MAP), *inner = node_new(arena, NODE_MAP);
	AUTO_BUF text = BUF_INIT(100000);
	char key[LIMIT_KEY_BYTES + 1];

	(void)state;
	memset(key, 'k', LIMIT_KEY_BYTES);
	key[LIMIT_KEY_BYTES] = '\0';
	node_set(arena, inner, key, node_string(arena, "x"));
	key[0] = '\n';
	node_set(arena, inner, key, node_clone(arena, inner));
	node_set(arena, map, "in", inner);
	yaml_print(map, &text);
	assert_true(node_equal(read_back(&text, arena), map));
	arena_free(arena);
}

static void test_yaml_print__replaces_malformed_bytes(void **state)
{
	struct arena *arena = arena_new();
	AUTO_BUF text = BUF_INIT(100);

	(void)state;
	yaml_print(node_string(arena, "a\xFFz"), &text);
	assert_string_equal(text.data, "\"a\xEF\xBF\xBDz\"\n");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml_print__has_one_shape),
		cmocka_unit_test(test_yaml_print__quotes_what_some_reader_takes_for_something_else),
		cmocka_unit_test(test_yaml_print__leaves_ordinary_texts_plain),
		cmocka_unit_test(test_yaml_print__random_trees_come_back_equal),
		cmocka_unit_test(test_yaml_print__random_trees_come_back_equal_through_json),
		cmocka_unit_test(test_yaml_print__long_keys_use_the_explicit_form),
		cmocka_unit_test(test_yaml_print__replaces_malformed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
