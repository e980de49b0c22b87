/* SPDX-License-Identifier: Apache-2.0 */
/* test_edit.c — changes in texts as people write them: the whole text before and after, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/limits.h"
#include "model/doc/edit.h"

enum op { SET, REMOVE, APPEND, REMOVE_DOC, ADD_DOC };

struct row {
	const char *name;
	const char *before;
	enum op op;
	const char *path; /* "document/key/[index]"; '~' stands for '/' in a key */
	const char *value;
	const char *after; /* NULL: refused with `error` */
	const char *error;
};

static struct edit_path path_of(struct arena *arena, const char *text)
{
	struct edit_path path = { 0 };

	path.document = strtoul(text, (char **)(uintptr_t)&text, 10);
	while (*text == '/') {
		size_t n = strcspn(++text, "/");
		char *key = arena_copy(arena, text, n);

		for (char *c = key; *c; c++)
			if (*c == '~')
				*c = '/';
		path = *key == '[' ? edit_item(&path, strtoul(key + 1, NULL, 10))
				   : edit_key(&path, key);
		text += n;
	}
	return path;
}

static const struct node *value_of(struct arena *arena, const char *text)
{
	struct source_file file = { "value", text, text ? strlen(text) : 0 };
	struct documents documents;
	struct diags diags;

	if (!text)
		return NULL;
	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	if (documents.n != 1)
		return node_new(arena, NODE_NULL);
	return documents.v[0];
}

static bool perform(struct edit *edit, const struct row *row, struct err *err)
{
	struct edit_path path = path_of(edit->arena, row->path);
	const struct node *value = value_of(edit->arena, row->value);

	switch (row->op) {
	case SET:
		return edit_set(edit, &path, value, err);
	case REMOVE:
		return edit_remove(edit, &path, err);
	case APPEND:
		return edit_append(edit, &path, value, err);
	case REMOVE_DOC:
		return edit_remove_document(edit, path.document, err);
	case ADD_DOC:
		return edit_add_document(edit, value, err);
	}
	return false;
}

static bool check_row(const struct row *row)
{
	struct arena *arena = arena_new();
	struct source_file file = { "a.yaml", row->before, strlen(row->before) };
	const char *want = row->after ? row->after : row->before;
	struct err err = { 0 };
	struct edit edit;
	bool is_done = edit_open(&edit, &file, arena, &err) && perform(&edit, row, &err);
	bool is_right = is_done == (row->after != NULL) && edit.len == strlen(want) &&
			memcmp(edit.text, want, edit.len) == 0 &&
			(row->after || strstr(err.text, row->error));

	if (!is_right)
		print_error("%s:\n--- before\n%s\n--- after\n%.*s\n--- expected\n%s\n--- %s\n",
			    row->name, row->before, (int)edit.len, edit.text, want, err.text);
	arena_free(arena);
	return is_right;
}

static void check_rows(const struct row *rows, size_t n)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += !check_row(&rows[i]);
	assert_int_equal(bad, 0);
}

/* clang-format off */
static const struct row scalars[] = {
	{ "plain stays plain", "a: 1.2 # c\nb: x\n", SET, "0/b", "w", "a: 1.2 # c\nb: w\n", NULL },
	{ "a comment behind it stays", "a: x   # c\nb: x\n", SET, "0/a", "longer", "a: longer   # c\nb: x\n", NULL },
	{ "plain becomes double where plain is no string", "a: x\n", SET, "0/a", "'1.10'", "a: \"1.10\"\n", NULL },
	{ "on and no are words of YAML 1.1", "a: x\n", SET, "0/a", "'on'", "a: \"on\"\n", NULL },
	{ "12:30:45 is a number in YAML 1.1", "a: x\n", SET, "0/a", "'12:30:45'", "a: \"12:30:45\"\n", NULL },
	{ "single stays single", "a: 'x' # c\n", SET, "0/a", "\"it's\"", "a: 'it''s' # c\n", NULL },
	{ "double stays double", "a: \"x\"\n", SET, "0/a", "'a\"b\\c'", "a: \"a\\\"b\\\\c\"\n", NULL },
	{ "single gives way for a line end", "a: 'x'\n", SET, "0/a", "\"l\\nm\"", "a: \"l\\nm\"\n", NULL },
	{ "a number replaces a text", "a: 'x'\n", SET, "0/a", "12", "a: 12\n", NULL },
	{ "the same value changes nothing", "a:   'x'\n", SET, "0/a", "x", "a:   'x'\n", NULL },
	{ "CRLF stays", "\xEF\xBB\xBF# f\xC3\xBCr\r\na: x\r\nb: w\r\n", SET, "0/b", "z", "\xEF\xBB\xBF# f\xC3\xBCr\r\na: x\r\nb: z\r\n", NULL },
	{ "no final newline stays so", "a:\n  b: x", SET, "0/a/b", "w", "a:\n  b: w", NULL },
	{ "characters of several bytes before it", "\xC3\xA4: \xF0\x9F\x98\x80 # \xE2\x82\xAC\nb: x\n", SET, "0/b", "\xC3\xB6", "\xC3\xA4: \xF0\x9F\x98\x80 # \xE2\x82\xAC\nb: \xC3\xB6\n", NULL },
	{ "nothing becomes a scalar", "a:\nb: x\n", SET, "0/a", "w", "a: w\nb: x\n", NULL },
	{ "nothing with a comment", "a: # todo\nb: x\n", SET, "0/a", "w", "a: w # todo\nb: x\n", NULL },
	{ "null becomes a scalar", "a: ~ # c\n", SET, "0/a", "w", "a: w # c\n", NULL },
	{ "in flow", "a: {b: x, c: [1, two]}\n", SET, "0/a/c/[1]", "2,3", "a: {b: x, c: [1, \"2,3\"]}\n", NULL },
	{ "a literal block as a whole", "a: | # why\n  l1\n  l2\n\nb: x\n", SET, "0/a", "w", "a: w # why\n\nb: x\n", NULL },
	{ "a folded block at the end", "b: x\na: >-\n  l1\n  l2", SET, "0/a", "w", "b: x\na: w", NULL },
	{ "a plain scalar over two lines", "a: one\n  two # c\nb: x\n", SET, "0/a", "w", "a: w # c\nb: x\n", NULL },
	{ "a tagged one", "a: !!str 5\n", SET, "0/a", "six", "a: !!str six\n", NULL },
	{ "an anchor that nobody uses", "a: &x 5\n", SET, "0/a", "6", "a: &x 6\n", NULL },
	{ "an anchored empty value", "a: &x\nb: 1\n", SET, "0/a", "6", "a: &x 6\nb: 1\n", NULL },
	{ "an item", "a:\n- x # 1\n- w # 2\n", SET, "0/a/[1]", "z", "a:\n- x # 1\n- z # 2\n", NULL },
	{ "an empty item", "a:\n-\n- w\n", SET, "0/a/[0]", "z", "a:\n- z\n- w\n", NULL },
	{ "a quoted key", "\"a b\" : x\n", SET, "0/a b", "z", "\"a b\" : z\n", NULL },
	{ "an explicit key", "? a\n: x\nb: 1\n", SET, "0/a", "z", "? a\n: z\nb: 1\n", NULL },
	{ "another document", "a: x\n---\na: x\n...\n# c\n---\na: x\n", SET, "1/a", "w", "a: x\n---\na: w\n...\n# c\n---\na: x\n", NULL },
	{ "documents of comments do not count", "# only\n---\n# only\n---\na: x\n", SET, "0/a", "w", "# only\n---\n# only\n---\na: w\n", NULL },
	{ "JSON", "{\n\t\"a\": \"x\",\n\t\"b\": [1]\n}\n", SET, "0/a", "\"w\\x7F\"", "{\n\t\"a\": \"w\\u007f\",\n\t\"b\": [1]\n}\n", NULL },
	{ "a value behind a tab", "a:\tx\t# c\n", SET, "0/a", "w", "a:\tw\t# c\n", NULL },
	{ "a secret of the merge key stays", "x: &b {c: 1}\na:\n  <<: *b\n  d: 2\n", SET, "0/a/d", "3", "x: &b {c: 1}\na:\n  <<: *b\n  d: 3\n", NULL },
	{ "a merged key is written over", "x: &b {c: 1}\na:\n  <<: *b\n", SET, "0/a/c", "3", "x: &b {c: 1}\na:\n  <<: *b\n  c: 3\n", NULL },
	{ "scalar for a mapping", "a: # c\n  b: 1\n  # d\n  c: 2 # e\nf: 1\n", SET, "0/a", "w", "a: w # c\nf: 1\n", NULL },
};

static const struct row inserts[] = {
	{ "at the mapping's column", "a:\n    b: 1 # c\n    # d\nz: 1\n", SET, "0/a/k", "2", "a:\n    b: 1 # c\n    k: 2\n    # d\nz: 1\n", NULL },
	{ "with mappings around", "a:\n   b: 1\nz: 1\n", SET, "0/a/m/k", "2", "a:\n   b: 1\n   m:\n      k: 2\nz: 1\n", NULL },
	{ "without final newline", "a: 1", SET, "0/b", "2", "a: 1\nb: 2", NULL },
	{ "CRLF", "a:\r\n  b: 1\r\nz: 1\r\n", SET, "0/a/m/k", "2", "a:\r\n  b: 1\r\n  m:\r\n    k: 2\r\nz: 1\r\n", NULL },
	{ "below a key without value", "a: # c\nz: 1\n", SET, "0/a/b", "2", "a: # c\n  b: 2\nz: 1\n", NULL },
	{ "into braces", "a: {b: 1} # c\n", SET, "0/a/x~w", "'1'", "a: {b: 1, x/w: \"1\"} # c\n", NULL },
	{ "into empty braces", "a: {} # c\n", SET, "0/a/k", "2", "a: {k: 2} # c\n", NULL },
	{ "into braces on lines", "a: {\n  b: 1 # c\n}\n", SET, "0/a/k", "2", "a: {\n  b: 1, # c\n  k: 2\n}\n", NULL },
	{ "behind a comma at the end", "a: {\n  b: 1, # c\n}\n", SET, "0/a/k", "2", "a: {\n  b: 1, # c\n  k: 2,\n}\n", NULL },
	{ "JSON on lines", "{\n  \"a\": {\n    \"b\": 1\n  }\n}", SET, "0/a/k", "x", "{\n  \"a\": {\n    \"b\": 1,\n    \"k\": \"x\"\n  }\n}", NULL },
	{ "JSON on one line", "{\"a\":{\"b\":1}}", SET, "0/a/k", "[{k: v, l: 1}]", "{\"a\":{\"b\":1,\"k\":[{\"k\":\"v\",\"l\":1}]}}", NULL },
	{ "behind a literal block", "a:\n  b: |\n    x\n\nc: 1\n", SET, "0/a/k", "2", "a:\n  b: |\n    x\n  k: 2\n\nc: 1\n", NULL },
	{ "behind a literal block that keeps its end", "a:\n  b: |+\n    x\n\nc: 1\n", SET, "0/a/k", "2", "a:\n  k: 2\n  b: |+\n    x\n\nc: 1\n", NULL },
	{ "behind a literal block without line end", "a:\n  c: 1\n  b: |\n    x", SET, "0/a/k", "2", "a:\n  c: 1\n  k: 2\n  b: |\n    x", NULL },
	{ "in an item", "a:\n- b: 1\n  c: 2\n- b: 2\n", SET, "0/a/[1]/k", "3", "a:\n- b: 1\n  c: 2\n- b: 2\n  k: 3\n", NULL },
	{ "a sequence as others are", "x:\n  - 1\na: 1\n", SET, "0/k", "[1, {b: 2, c: [3]}]", "x:\n  - 1\na: 1\nk:\n  - 1\n  - b: 2\n    c:\n      - 3\n", NULL },
	{ "a sequence as kubectl prints it", "a: 1\n", SET, "0/k", "[{b: 2, c: {d: 1}}]", "a: 1\nk:\n- b: 2\n  c:\n    d: 1\n", NULL },
	{ "before the next document", "a: 1\n---\nb: 1\n", SET, "0/k", "2", "a: 1\nk: 2\n---\nb: 1\n", NULL },
	{ "below anchored, unused", "a: &x\n  b: 1\n", SET, "0/a/k", "2", "a: &x\n  b: 1\n  k: 2\n", NULL },
};

static const struct row appends[] = {
	{ "to dashes", "a:\n  - x # 1\n  # 2\nb: 1\n", APPEND, "0/a", "w", "a:\n  - x # 1\n  - w\n  # 2\nb: 1\n", NULL },
	{ "a mapping to dashes", "a:\n- b: x\n  c: 1\n", APPEND, "0/a", "{b: w, c: '2'}", "a:\n- b: x\n  c: 1\n- b: w\n  c: \"2\"\n", NULL },
	{ "to brackets", "a: [x] # 1\n", APPEND, "0/a", "w", "a: [x, w] # 1\n", NULL },
	{ "to empty brackets", "a: []\n", APPEND, "0/a", "{k: b}", "a: [{k: b}]\n", NULL },
	{ "to nothing", "a:\nb: 1\n", APPEND, "0/a", "w", "a:\n- w\nb: 1\n", NULL },
	{ "to what is not there", "a:\n  c: 1\nb: 1\n", APPEND, "0/a/d", "w", "a:\n  c: 1\n  d:\n  - w\nb: 1\n", NULL },
	{ "JSON", "{\"a\": [\n  1\n]}", APPEND, "0/a", "2", "{\"a\": [\n  1,\n  2\n]}", NULL },
	{ "no sequence", "a: {b: 1}\n", APPEND, "0/a", "2", NULL, "a.yaml:1:4: this is a mapping, not a sequence" },
};

static const struct row removals[] = {
	{ "a line", "a: 1\n# about b\nb: 2 # own\n# about c\nc: 3\n", REMOVE, "0/b", NULL, "a: 1\n# about b\n# about c\nc: 3\n", NULL },
	{ "a mapping", "a:\n  b:\n    c: 1\n\n    d: 2 # own\n  e: 3\n", REMOVE, "0/a/b", NULL, "a:\n  e: 3\n", NULL },
	{ "the last line without newline", "a: 1\nb: 2", REMOVE, "0/b", NULL, "a: 1", NULL },
	{ "the last line without newline, behind a literal block", "a: |\n  x\nb: 2", REMOVE, "0/b", NULL, "a: |\n  x\n", NULL },
	{ "the last line without newline, CRLF", "a: 1\r\nb: 2", REMOVE, "0/b", NULL, "a: 1", NULL },
	{ "the first key behind a dash", "a:\n- b: 1 # own\n  c: 2\n", REMOVE, "0/a/[0]/b", NULL, "a:\n- c: 2\n", NULL },
	{ "the first key behind a dash, with a comment below", "a:\n- b: 1\n  # on c\n  c: 2\n", REMOVE, "0/a/[0]/b", NULL, "a:\n- # on c\n  c: 2\n", NULL },
	{ "an item", "a:\n- b: 1\n  c: 2\n- b: 2\nz: 1\n", REMOVE, "0/a/[0]", NULL, "a:\n- b: 2\nz: 1\n", NULL },
	{ "the last item", "a:\n- b: 1\n- b: 2\n# c\nz: 1\n", REMOVE, "0/a/[1]", NULL, "a:\n- b: 1\n# c\nz: 1\n", NULL },
	{ "the only item", "a: # c\n  # d\n  - b: 1\nz: 1\n", REMOVE, "0/a/[0]", NULL, "a: [] # c\n  # d\nz: 1\n", NULL },
	{ "the only key behind a dash", "a:\n- b: 1 # c\n- d\n", REMOVE, "0/a/[0]/b", NULL, "a:\n- {} # c\n- d\n", NULL },
	{ "the only key", "a:\n  b: 1\nz: 1\n", REMOVE, "0/a/b", NULL, "a: {}\nz: 1\n", NULL },
	{ "in braces, first", "a: {b: 1, c: 2, d: 3}\n", REMOVE, "0/a/b", NULL, "a: {c: 2, d: 3}\n", NULL },
	{ "in braces, middle", "a: {b: 1, c: 2, d: 3}\n", REMOVE, "0/a/c", NULL, "a: {b: 1, d: 3}\n", NULL },
	{ "in braces, last", "a: {b: 1, c: 2, d: 3 }\n", REMOVE, "0/a/d", NULL, "a: {b: 1, c: 2 }\n", NULL },
	{ "in braces, only", "a: {b: 1}\n", REMOVE, "0/a/b", NULL, "a: {}\n", NULL },
	{ "JSON, last line", "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 2\n  }\n}\n", REMOVE, "0/b", NULL, "{\n  \"a\": 1\n}\n", NULL },
	{ "JSON, first line", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", REMOVE, "0/a", NULL, "{\n  \"b\": 2\n}\n", NULL },
	{ "in brackets with comments", "a: [\n  x, # 1\n  w # 2\n]\n", REMOVE, "0/a/[1]", NULL, "a: [\n  x # 1\n]\n", NULL },
	{ "a literal block", "a: |\n  x\n  w\n\nb: 1\n", REMOVE, "0/a", NULL, "\nb: 1\n", NULL },
	{ "an alias may go", "x: &b {c: 1}\na: *b\nz: 1\n", REMOVE, "0/a", NULL, "x: &b {c: 1}\nz: 1\n", NULL },
	{ "with its own aliases", "a:\n  b: &x 1\n  c: *x\nz: 1\n", REMOVE, "0/a", NULL, "z: 1\n", NULL },
	{ "the first key behind the byte order mark", "\xEF\xBB\xBF" "a: 1\nb: 2\n", REMOVE, "0/a", NULL, "\xEF\xBB\xBF" "b: 2\n", NULL },
	{ "absent", "a: 1\n", REMOVE, "0/b", NULL, NULL, "a.yaml:1:1: there is no 'b' here" },
};

static const struct row documents[] = {
	{ "the first", "# head\na: 1\n---\nb: 1\n", REMOVE_DOC, "0", NULL, "# head\n---\nb: 1\n", NULL },
	{ "one in the middle", "a: 1\n---\n# on b\nb: 1\n---\nc: 1\n", REMOVE_DOC, "1", NULL, "a: 1\n---\nc: 1\n", NULL },
	{ "the last", "a: 1\n# end\n---\nb: 1\n", REMOVE_DOC, "1", NULL, "a: 1\n# end\n", NULL },
	{ "the only one", "---\na: 1\n", REMOVE_DOC, "0", NULL, "", NULL },
	{ "with its end marker", "a: 1\n---\nb: 1\n...\n---\nc: 1\n", REMOVE_DOC, "1", NULL, "a: 1\n---\nc: 1\n", NULL },
	{ "the next one has a directive", "a: 1\n---\nb: 1\n...\n%YAML 1.1\n---\nc: 1\n", REMOVE_DOC, "1", NULL, "a: 1\n...\n%YAML 1.1\n---\nc: 1\n", NULL },
	{ "one more", "a: 1\n", ADD_DOC, "0", "{b: {c: [1]}}", "a: 1\n---\nb:\n  c:\n  - 1\n", NULL },
	{ "one more, no final newline", "a: 1", ADD_DOC, "0", "{b: 1}", "a: 1\n---\nb: 1\n", NULL },
	{ "one more, CRLF", "a: 1\r\n", ADD_DOC, "0", "{b: 1}", "a: 1\r\n---\r\nb: 1\r\n", NULL },
	{ "into an empty text", "", ADD_DOC, "0", "{b: 1}", "b: 1\n", NULL },
	{ "below comments", "# c\n", ADD_DOC, "0", "{b: 1}", "# c\nb: 1\n", NULL },
	{ "behind an end marker", "a: 1\n...\n", ADD_DOC, "0", "{b: 1}", "a: 1\n...\n---\nb: 1\n", NULL },
	{ "not in JSON", "{\"a\": 1}\n", ADD_DOC, "0", "{b: 1}", NULL, "a.yaml: a JSON file holds one document only" },
};

static const struct row refusals[] = {
	{ "an alias as value", "x: &b 1\na: *b\n", SET, "0/a", "2", NULL, "a.yaml:2:4: '*b' stands for a value that is written elsewhere" },
	{ "a value behind an alias", "x: &b {c: 1}\na: *b\n", SET, "0/a/c", "2", NULL, "a.yaml:2:4: '*b' stands for" },
	{ "an anchored value in use", "x: &b 1\na: *b\n", SET, "0/x", "2", NULL, "a.yaml:1:4: '&b' is repeated by '*b' in line 2" },
	{ "below an anchor in use", "x: &b\n  c:\n    d: 1\na:\n  <<: *b\n", SET, "0/x/c/d", "2", NULL, "a.yaml:1:4: '&b' is repeated by '*b' in line 5" },
	{ "new below an anchor in use", "x: &b\n  c: 1\na: *b\n", SET, "0/x/d", "2", NULL, "'&b' is repeated" },
	{ "an anchor in use goes", "x:\n  w: &b 1\na: *b\n", REMOVE, "0/x", NULL, NULL, "'&b' is repeated" },
	{ "an anchored key in use goes", "&k x: 1\na: *k\n", REMOVE, "0/x", NULL, NULL, "'&k' is repeated" },
	{ "below a merged key", "x: &b {c: {d: 1}}\na:\n  <<: *b\n", SET, "0/a/c/e", "2", NULL, "'c' comes from a merge key" },
	{ "a merged key cannot go", "x: &b {c: 1}\na:\n  <<: *b\n", REMOVE, "0/a/c", NULL, NULL, "'c' comes from a merge key" },
	{ "below a scalar", "a: 1\n", SET, "0/a/b", "2", NULL, "a.yaml:1:4: there is no 'b' here: this is a number" },
	{ "an item that is not there", "a: [1]\n", SET, "0/a/[3]", "2", NULL, "there is no item 4 here" },
	{ "a mistake in the text", "a: 1\na: 2\n", SET, "0/a", "2", NULL, "a.yaml:2:1: key 'a' is given twice" },
	{ "an absent document", "a: 1\n", SET, "1/a", "2", NULL, "a.yaml: there is no document 2" },
};
/* clang-format on */

static void test_edit__replaces_scalars_in_their_style(void **state)
{
	(void)state;
	check_rows(scalars, COUNTOF(scalars));
}

static void test_edit__inserts_keys_in_the_style_around(void **state)
{
	(void)state;
	check_rows(inserts, COUNTOF(inserts));
}

static void test_edit__appends_items(void **state)
{
	(void)state;
	check_rows(appends, COUNTOF(appends));
}

static void test_edit__removes_keys_and_items(void **state)
{
	(void)state;
	check_rows(removals, COUNTOF(removals));
}

static void test_edit__removes_and_adds_documents(void **state)
{
	(void)state;
	check_rows(documents, COUNTOF(documents));
}

static void test_edit__refuses_with_the_place(void **state)
{
	(void)state;
	check_rows(refusals, COUNTOF(refusals));
}

static void test_edit_find__knows_group_kind_namespace_and_lists(void **state)
{
	static const char text[] =
		"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\n"
		"apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: a}\n---\n"
		"apiVersion: v1\nkind: List\nitems:\n"
		"- {apiVersion: kpack.io/v1alpha1, kind: Image, metadata: {name: a, "
		"namespace: b}}\n"
		"- {apiVersion: other.io/v1, kind: Image, metadata: {name: a, "
		"namespace: c}}\n";
	static const struct {
		struct edit_object object;
		const char *where; /* NULL: not there */
	} rows[] = {
		{ { "", "Secret", "a", NULL, "default" }, "a.yaml:1:1" },
		{ { "kpack.io", "Image", "a", "default", "default" }, "a.yaml:5:1" },
		{ { "kpack.io", "Image", "a", "b", "default" }, "a.yaml:12:3" },
		{ { "kpack.io", "Image", "a", "c", "default" }, NULL },
		{ { "other.io", "Image", "a", "c", "default" }, "a.yaml:13:3" },
		{ { "kpack", "Image", "a", "b", "default" }, NULL },
	};
	struct arena *arena = arena_new();
	struct source_file file = { "a.yaml", text, sizeof(text) - 1 };
	struct edit_object any = { "kpack.io", "Image", "a", NULL, "default" };
	struct err err = { 0 };
	struct edit_path path;
	struct edit edit;
	bool is_found;

	(void)state;
	assert_true(edit_open(&edit, &file, arena, &err));
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		assert_true(edit_find(&edit, &rows[i].object, &path, &is_found, &err));
		assert_int_equal(is_found, rows[i].where != NULL);
		if (is_found)
			assert_string_equal(edit_where(&edit, &path), rows[i].where);
	}
	assert_false(edit_find(&edit, &any, &path, &is_found, &err));
	assert_string_equal(err.text,
			    "a.yaml:12:3: a second Image 'a'; the first is at a.yaml:5:1");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edit__replaces_scalars_in_their_style),
		cmocka_unit_test(test_edit__inserts_keys_in_the_style_around),
		cmocka_unit_test(test_edit__appends_items),
		cmocka_unit_test(test_edit__removes_keys_and_items),
		cmocka_unit_test(test_edit__removes_and_adds_documents),
		cmocka_unit_test(test_edit__refuses_with_the_place),
		cmocka_unit_test(test_edit_find__knows_group_kind_namespace_and_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
