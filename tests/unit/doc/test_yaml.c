/* SPDX-License-Identifier: Apache-2.0 */
/* test_yaml.c — reading: scalars, anchors, merge keys, positions, limits, and the text of every mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/doc/yaml.h"

struct read {
	struct arena *arena;
	struct source_file file;
	struct documents documents;
	struct diags diags;
};

static void read_bytes(struct read *r, const char *text, size_t len)
{
	r->arena = arena_new();
	r->file = (struct source_file){ "a.yaml", text, len };
	diags_init(&r->diags, r->arena);
	yaml_parse(&r->file, r->arena, &r->documents, &r->diags);
}

static void read_text(struct read *r, const char *text)
{
	read_bytes(r, text, strlen(text));
}

/* All documents as JSON, and all problems as "line:column+width text", one a line. */
static char *shown(struct read *r)
{
	AUTO_BUF text = BUF_INIT(1 << 20);

	for (size_t i = 0; i < r->documents.n; i++) {
		json_print(r->documents.v[i], JSON_COMPACT, &text);
		buf_byte(&text, '\n');
	}
	diags_sort(&r->diags);
	for (size_t i = 0; i < r->diags.list.n; i++) {
		const struct diag *d = &r->diags.list.v[i];

		buf_printf(&text, "%u:%u+%u %s\n", d->pos.line, d->pos.column, d->width, d->text);
	}
	return buf_copy(&text, r->arena);
}

struct row {
	const char *yaml, *shown;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct read r;

		read_text(&r, rows[i].yaml);
		assert_string_equal(shown(&r), rows[i].shown);
		arena_free(r.arena);
	}
}

static void test_yaml__reads_collections(void **state)
{
	static const struct row rows[] = {
		{ "", "" },
		{ "# only a comment\n", "" },
		{ "---\n---\n~\n--- null\n", "" },
		{ "a: 1\nb:\n- x\n-  - y\n   - z\n- c: d\n",
		  "{\"a\":1,\"b\":[\"x\",[\"y\",\"z\"],{\"c\":\"d\"}]}\n" },
		{ "{a: [1, 2], b: {}}", "{\"a\":[1,2],\"b\":{}}\n" },
		{ "a\n---\nb\n...\n---\n- c\n", "\"a\"\n\"b\"\n[\"c\"]\n" },
		{ "\xEF\xBB\xBF"
		  "a: 1\r\nb: |\r\n  x\r\n  y\r\n",
		  "{\"a\":1,\"b\":\"x\\ny\\n\"}\n" },
		{ "1: a\ntrue: b\n~: c\n? d\n: e\n",
		  "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\",\"d\":\"e\"}\n" },
		{ "a: >-\n  one\n  two\n\n  three\nb: \"x\\\n  y\"\n",
		  "{\"a\":\"one two\\nthree\",\"b\":\"xy\"}\n" },
		{ "a:\n- 1\n", "{\"a\":[1]}\n" },
		{ "\"\": x\n", "{\"\":\"x\"}\n" },
		{ "%YAML 1.2\n%TAG ! tag:yaml.org,2002:\n---\na: !str 1\n", "{\"a\":\"1\"}\n" },
	};

	(void)state;
	check_rows(rows, COUNTOF(rows));
}

static void test_yaml__resolves_scalars_by_the_core_schema(void **state)
{
	static const struct row rows[] = {
		{ "[~, null, Null, NULL, nULL, ]", "[null,null,null,null,\"nULL\"]\n" },
		{ "[true, True, TRUE, tRUE, false, False, FALSE]",
		  "[true,true,true,\"tRUE\",false,false,false]\n" },
		{ "[yes, no, on, off, y, n]", "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\"]\n" },
		{ "[0, -1, +2, 007, 0o17, 0x1F, 0o8, 0xg, -0x1]",
		  "[0,-1,2,7,15,31,\"0o8\",\"0xg\",\"-0x1\"]\n" },
		{ "[1_000, 0b1, 12:30:45, 2026-11-22]",
		  "[\"1_000\",\"0b1\",\"12:30:45\",\"2026-11-22\"]\n" },
		{ "[1., .5, 1.5, 1e3, 1E-2, -1.5e+3, +.5, .5.5, 1e, ., -, +, 1.2.3]",
		  "[1.0,0.5,1.5,1000.0,0.01,-1500.0,0.5,\".5.5\",\"1e\",\".\",\"-\",\"+\","
		  "\"1.2.3\"]\n" },
		{ "[.inf, -.INF, +.Inf, .nan, -.nan, .iNF]",
		  "[null,null,null,null,\"-.nan\",\".iNF\"]\n" },
		{ "[9223372036854775807, -9223372036854775808, 9223372036854775808, "
		  "0xffffffffffffffff]",
		  "[9223372036854775807,-9223372036854775808,9223372036854776000.0,"
		  "18446744073709552000.0]\n" },
		{ "['1', \"true\", '~', \"\", '']", "[\"1\",\"true\",\"~\",\"\",\"\"]\n" },
		{ "[!!str 1, !!int 0x10, !!float 1, !!bool true, !!null ~, !!str , !!int '7']",
		  "[\"1\",16,1.0,true,null,\"\",7]\n" },
		{ "[!!map {}, !!seq []]", "[{},[]]\n" },
	};

	(void)state;
	check_rows(rows, COUNTOF(rows));
}

static void test_yaml__resolves_anchors_and_merge_keys(void **state)
{
	static const struct row rows[] = {
		{ "a: &x 1\nb: *x\nc: &x [2]\nd: *x\n", "{\"a\":1,\"b\":1,\"c\":[2],\"d\":[2]}\n" },
		{ "a: &m {x: 1, y: 2}\nb:\n  y: 3\n  <<: *m\n",
		  "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"y\":3,\"x\":1}}\n" },
		{ "a: &m {x: 1, y: 2}\nb:\n  <<: *m\n  y: 3\n",
		  "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"y\":3,\"x\":1}}\n" },
		{ "- &a {x: 1}\n- &b {x: 2, y: 2}\n- <<: [*a, *b]\n- {<<: {z: 1}}\n- '<<': 1\n",
		  "[{\"x\":1},{\"x\":2,\"y\":2},{\"x\":1,\"y\":2},{\"z\":1},{\"<<\":1}]\n" },
		{ "- &k key\n- *k : 1\n- &l m: 1\n- *l\n",
		  "[\"key\",{\"key\":1},{\"m\":1},\"m\"]\n" },
		{ "a: &m {x: {y: [1]}}\nb: {<<: *m}\nc: {<<: *m, x: 0}\n",
		  "{\"a\":{\"x\":{\"y\":[1]}},\"b\":{\"x\":{\"y\":[1]}},\"c\":{\"x\":0}}\n" },
		{ "a: *x\nb: 1\n", "{\"a\":null,\"b\":1}\n1:4+2 unknown anchor 'x'\n" },
		{ "a: &x [1, *x]\n", "{\"a\":[1,null]}\n1:11+2 anchor 'x' contains itself\n" },
		{ "a: &x 1\n---\nb: *x\n", "{\"a\":1}\n{\"b\":null}\n3:4+2 unknown anchor 'x'\n" },
		{ "<<: 1\na: 2\n",
		  "{\"a\":2}\n1:1+2 '<<' needs a mapping or a sequence of mappings\n" },
		{ "<<: [{b: 1}, 2]\na: 2\n",
		  "{\"a\":2,\"b\":1}\n"
		  "1:1+2 '<<' needs a mapping or a sequence of mappings\n" },
		{ "<<: {a: 1}\n<<: {b: 1}\n",
		  "{\"a\":1}\n2:1+2 key '<<' is given twice; first in line 1, column 1; "
		  "merge several mappings with a sequence\n" },
	};

	(void)state;
	check_rows(rows, COUNTOF(rows));
}

static void test_yaml__reports_mistakes_and_reads_on(void **state)
{
	static const struct row rows[] = {
		{ "a: 1\nb: 2\na: {c: 3}\n\xC3\xA9: 1\n\xC3\xA9: 2\n",
		  "{\"a\":1,\"b\":2,\"\xC3\xA9\":1}\n"
		  "3:1+1 key 'a' is given twice; first in line 1, column 1\n"
		  "5:1+1 key '\xC3\xA9' is given twice; first in line 4, column 1\n" },
		{ "a: !secret x\nb: !!binary aGk=\nc: !!int x\nd: !!set {}\n",
		  "{\"a\":\"x\",\"b\":\"aGk=\",\"c\":\"x\",\"d\":{}}\n"
		  "1:4+9 tag '!secret' is not supported\n"
		  "2:4+13 tag '!!binary' is not supported here\n"
		  "3:4+7 the text is no !!int\n"
		  "4:4+7 tag '!!set' is not supported here\n" },
		{ "?\n: 1\nb: 2\n", "{\"b\":2}\n1:2+1 a key is missing before ':'\n" },
		{ "\"a\\0b\": 1\nb: 2\n", "{\"b\":2}\n1:1+6 U+0000 in a key\n" },
	};

	(void)state;
	check_rows(rows, COUNTOF(rows));
}

static void test_yaml__explains_syntax_errors(void **state)
{
	static const struct row rows[] = {
		{ "a: 1\n---\nb: [1, 2\nc: 3\n",
		  "{\"a\":1}\n4:2+1 expected ',' or ']' in the sequence (it starts in line 3)\n" },
		{ "a:\n\tb: 1\n", "2:1+1 a tab in the indentation; YAML wants blanks\n" },
		{ "a:\n  - x\n\t- y\n", "3:1+1 a tab in the indentation; YAML wants blanks\n" },
		{ "a: b: c\n",
		  "1:5+1 a ':' that starts no value; check the indentation, or quote the text\n" },
		{ "a: 1\n  b: 2\n",
		  "2:4+1 a ':' that starts no value; check the indentation, or quote the text\n" },
		{ "a:\n    b: 1\n  c: 2\n", "3:3+1 expected a key of the mapping; check the "
					    "indentation and quotes (it starts in line 1)\n" },
		{ "a: 1\nb\nc: 2\n",
		  "3:1+1 a ':' is missing after this key (it starts in line 2)\n" },
		{ "a: \"x\nb: 1\n", "3:1+1 the quoted text is not closed (it starts in line 1)\n" },
		{ "a: \"\\q\"\n", "1:5+1 unknown escape in the quoted text\n" },
		{ "a: @x\n",
		  "1:4+1 a plain text cannot start with this character; put it in quotes\n" },
		{ "a: - b\n", "1:4+1 a '-' item cannot stand here; check the indentation\n" },
		{ "? [a]\n: 1\n", "1:3+1 a key must be a text, not a sequence\n" },
		{ "{a: 1}: 2\n", "1:1+1 a key must be a text, not a mapping\n" },
		{ "a: !x!y z\n", "1:4+1 the tag has an unknown prefix\n" },
		{ "a: x\xFFy\n", "1:5+1 not valid UTF-8 (byte 0xff)\n" },
		{ "\xC3\xA9: x\r\n\r\nb: \x01\n",
		  "3:4+1 control character U+0001 in the text; write it as an escape in double "
		  "quotes\n" },
		{ "a: x\xE2\x80\xA8y\n",
		  "1:5+1 a line end that not all YAML readers know (U+0085, U+2028 or U+2029); "
		  "write it as an escape in double quotes\n" },
		{ "\xFF\xFE"
		  "a",
		  "0:0+1 the file is UTF-16; save it as UTF-8\n" },
		{ "%YAML 2.0\n---\na: 1\n", "1:1+1 only YAML 1.1 and 1.2 are supported\n" },
		{ "{\"a\": \"\\ud83d\\ude00\", \"b\": 1,}x",
		  "1:10+1 the escape names no character (halves of surrogate pairs are not "
		  "allowed)\n" },
	};

	(void)state;
	check_rows(rows, COUNTOF(rows));
}

static void test_yaml__reports_a_nul_byte(void **state)
{
	struct read r;

	(void)state;
	read_bytes(&r, "a: 1\nb: x\0y\n", 12);
	assert_string_equal(shown(&r), "2:5+1 control character U+0000 in the text; write it as an "
				       "escape in double quotes\n");
	arena_free(r.arena);
}

static void test_yaml__reads_json_with_surrogate_pairs(void **state)
{
	struct read r;

	(void)state;
	read_text(&r, "\n{\n\t\"a\": \"\\ud83d\\ude00\"\n}\n");
	assert_string_equal(shown(&r), "{\"a\":\"\xF0\x9F\x98\x80\"}\n");
	assert_int_equal(r.documents.v[0]->first->pos.line, 3);
	assert_int_equal(r.documents.v[0]->first->pos.column, 7);
	arena_free(r.arena);
}

static void check_place(const struct node *node, struct pos pos, struct pos end)
{
	assert_int_equal(node->pos.line, pos.line);
	assert_int_equal(node->pos.column, pos.column);
	assert_int_equal(node->end.line, end.line);
	assert_int_equal(node->end.column, end.column);
}

#define AT_(l, c) ((struct pos){ (l), (c) })

static void test_yaml__knows_where_things_stand(void **state)
{
	const struct node *root, *node;
	struct read r;

	(void)state;
	read_text(&r, "# \xC3\xA9\n"
		      "\xC3\xA9\xC3\xA9: \"x\xC3\xA9\"  # c\n"
		      "b:\n"
		      "  - c: 12\n"
		      "    d: {e: f}\n"
		      "\n"
		      "g: |\n"
		      "  text\n"
		      "\n");
	root = r.documents.v[0];
	check_place(root->first, AT_(2, 5), AT_(2, 9));
	assert_int_equal(root->first->key_pos.column, 1);
	assert_false(root->first->is_plain);
	node = node_get(root, "b");
	check_place(node, AT_(4, 3), AT_(5, 14));
	assert_true(node->is_block);
	check_place(node->first, AT_(4, 5), AT_(5, 14));
	check_place(node_get(node->first, "c"), AT_(4, 8), AT_(4, 10));
	assert_true(node_get(node->first, "c")->is_plain);
	assert_string_equal(node_get(node->first, "c")->text, "12");
	check_place(node_get(node->first, "d"), AT_(5, 8), AT_(5, 14));
	assert_false(node_get(node->first, "d")->is_block);
	assert_true(node_get(root, "g")->is_block);
	assert_int_equal(node_get(root, "g")->pos.line, 7);
	arena_free(r.arena);
}

static void test_yaml__copies_of_an_alias_keep_the_place_of_the_original(void **state)
{
	struct read r;
	const struct node *copy;

	(void)state;
	read_text(&r, "a: &x {k: v}\nb: *x\n");
	copy = node_get(r.documents.v[0], "b");
	assert_int_equal(copy->key_pos.line, 2);
	assert_int_equal(copy->first->pos.line, 1);
	arena_free(r.arena);
}

static void test_yaml__trees_may_be_freed_before_texts(void **state)
{
	static const char text[] = "key: some text\nmap: {a: b}\n";
	struct source_file file = { "a.yaml", text, sizeof(text) - 1 };
	struct arena *trees = arena_new(), *texts = arena_new();
	struct documents documents;
	struct diags diags;
	const char *key, *value;

	(void)state;
	diags_init(&diags, texts);
	yaml_parse_split(&file, trees, texts, &documents, &diags);
	key = documents.v[0]->first->key;
	value = documents.v[0]->first->text;
	arena_free(trees);
	assert_string_equal(key, "key");
	assert_string_equal(value, "some text");
	arena_free(texts);
}

/* `head`, then n times `item` (with the index for %u), then `tail`. */
static void check_repeated(const char *head, const char *item, unsigned n, const char *tail,
			   const char *wanted)
{
	AUTO_BUF text = BUF_INIT(64u << 20);
	struct read r;

	buf_puts(&text, head);
	for (unsigned i = 0; i < n; i++)
		buf_puts(&text, item);
	buf_puts(&text, tail);
	read_bytes(&r, text.data, text.len);
	if (!wanted) {
		assert_int_equal(r.diags.list.n, 0);
	} else {
		assert_int_equal(r.diags.list.n, 1);
		assert_string_equal(r.diags.list.v[0].text, wanted);
		assert_string_equal(r.diags.list.v[0].code, "limit");
	}
	arena_free(r.arena);
}

static void test_yaml__stops_at_its_limits(void **state)
{
	(void)state;
	check_repeated("", "- ", LIMIT_DOC_DEPTH, "x\n", NULL);
	check_repeated("", "- ", LIMIT_DOC_DEPTH + 1, "x\n", "nested more than 64 levels deep");
	check_repeated("", "[", 100000, "", "nested more than 64 levels deep");
	check_repeated("", "{a: ", 100000, "", "nested more than 64 levels deep");
	check_repeated("", "- x\n", LIMIT_DOC_NODES - 1, "", NULL);
	check_repeated("", "- x\n", LIMIT_DOC_NODES, "",
		       "the document has more than 200000 values");
	check_repeated("", "--- x\n", LIMIT_FILE_DOCS, "", NULL);
	check_repeated("", "--- x\n", LIMIT_FILE_DOCS + 1, "",
		       "more than 10000 documents in one file");
	check_repeated("- &a 1\n", "- *a\n", LIMIT_DOC_ALIASES, "", NULL);
	check_repeated("- &a 1\n", "- *a\n", LIMIT_DOC_ALIASES + 1, "",
		       "more than 100 aliases in the document");
	check_repeated("\"", "x", LIMIT_KEY_BYTES - 20, "\": 1\n", NULL);
	check_repeated("? ", "x", LIMIT_KEY_BYTES + 1, "\n: 1\n",
		       "the key is longer than 1024 bytes");
	check_repeated("", "# comment\n", LIMIT_FILE_BYTES / 10 + 1, "",
		       "the file is larger than 8 MiB");
}

static void test_yaml__stops_expansion_bombs(void **state)
{
	static const char laughs[] = "a: &a [x,x,x,x,x,x,x,x,x]\n"
				     "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
				     "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
				     "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
				     "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
	AUTO_BUF deep = BUF_INIT(1 << 20);
	struct read r;

	(void)state;
	read_text(&r, laughs);
	assert_string_equal(shown(&r), "5:11+2 aliases expand to more than 20000 values\n");
	arena_free(r.arena);

	buf_puts(&deep, "a0: &a0 [x]\n");
	for (int i = 1; i < 90; i++)
		buf_printf(&deep, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	read_text(&r, deep.data);
	assert_int_equal(r.diags.n_errors, 1);
	assert_string_equal(r.diags.list.v[0].text, "aliases nest more than 64 levels deep");
	arena_free(r.arena);
}

/* '<<' copies what it names, and what that one has copied. */
static void test_yaml__stops_bombs_of_merge_keys(void **state)
{
	AUTO_BUF wide = BUF_INIT(1 << 20), chain = BUF_INIT(1 << 20);
	struct read r;

	(void)state;
	buf_puts(&wide, "a: &a\n");
	for (int i = 0; i < 1000; i++)
		buf_printf(&wide, "  k%d: x\n", i);
	for (int i = 0; i < 50; i++)
		buf_printf(&wide, "b%d: {<<: *a}\n", i);
	read_text(&r, wide.data);
	assert_int_equal(r.diags.n_errors, 1);
	assert_string_equal(r.diags.list.v[0].text, "aliases expand to more than 20000 values");
	arena_free(r.arena);

	buf_puts(&chain, "m0: &m0 {k: [x,x,x,x]}\n");
	for (int i = 1; i < 30; i++)
		buf_printf(&chain, "m%d: &m%d {<<: [*m%d, *m%d], l: *m%d, r: *m%d}\n", i, i, i - 1,
			   i - 1, i - 1, i - 1);
	read_text(&r, chain.data);
	assert_true(r.diags.n_errors > 0);
	assert_non_null(strstr(r.diags.list.v[0].text, "alias"));
	arena_free(r.arena);
	read_text(&r, "a: &a {<<: *a}\n");
	assert_true(r.diags.n_errors > 0);
	arena_free(r.arena);
}

/* Numbers of any length are read or refused in the time that their bytes take; none of them becomes another. */
static void test_yaml__huge_numbers_stay_what_they_are(void **state)
{
	static const char *const heads[] = { "", "-", "0x", "0o", "1e", "1e-", "0.", "1_" };
	AUTO_BUF text = BUF_INIT(4 << 20);
	struct read r;

	(void)state;
	for (size_t i = 0; i < COUNTOF(heads); i++) {
		const struct node *node;

		buf_clear(&text);
		buf_printf(&text, "a: %s", heads[i]);
		for (int k = 0; k < 1000000; k++)
			buf_byte(&text, '7');
		buf_puts(&text, "\n");
		read_bytes(&r, text.data, text.len);
		node = r.documents.n ? node_get(r.documents.v[0], "a") : NULL;
		if (!r.diags.n_errors && (!node || node->kind == NODE_INT))
			fail_msg("'%s777…' is a number that it is not", heads[i]);
		arena_free(r.arena);
	}
}

static void test_yaml__finds_twice_given_keys_in_large_mappings(void **state)
{
	AUTO_BUF text = BUF_INIT(8u << 20);
	struct read r;

	(void)state;
	for (int i = 0; i < 90000; i++)
		buf_printf(&text, "key%d: 1\n", i);
	buf_puts(&text, "key123: 2\n");
	read_bytes(&r, text.data, text.len);
	assert_int_equal(r.diags.n_errors, 1);
	assert_string_equal(r.diags.list.v[0].text,
			    "key 'key123' is given twice; first in line 124, column 1");
	assert_int_equal(r.documents.v[0]->n, 90000);
	arena_free(r.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml__reads_collections),
		cmocka_unit_test(test_yaml__resolves_scalars_by_the_core_schema),
		cmocka_unit_test(test_yaml__resolves_anchors_and_merge_keys),
		cmocka_unit_test(test_yaml__reports_mistakes_and_reads_on),
		cmocka_unit_test(test_yaml__explains_syntax_errors),
		cmocka_unit_test(test_yaml__reports_a_nul_byte),
		cmocka_unit_test(test_yaml__reads_json_with_surrogate_pairs),
		cmocka_unit_test(test_yaml__knows_where_things_stand),
		cmocka_unit_test(test_yaml__copies_of_an_alias_keep_the_place_of_the_original),
		cmocka_unit_test(test_yaml__trees_may_be_freed_before_texts),
		cmocka_unit_test(test_yaml__stops_at_its_limits),
		cmocka_unit_test(test_yaml__stops_expansion_bombs),
		cmocka_unit_test(test_yaml__stops_bombs_of_merge_keys),
		cmocka_unit_test(test_yaml__huge_numbers_stay_what_they_are),
		cmocka_unit_test(test_yaml__finds_twice_given_keys_in_large_mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
