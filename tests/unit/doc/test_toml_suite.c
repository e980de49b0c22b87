/* SPDX-License-Identifier: Apache-2.0 */
/* test_toml_suite.c — every text of the public TOML 1.0.0 suite: read as its tagged JSON says,
 * printed and read again, or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/json.h"
#include "model/doc/toml.h"

static char suite[1024];

static bool read_file(const char *name, struct buf *out)
{
	char path[2048], block[4096];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", suite, name);
	file = fopen(path, "rb");
	if (!file)
		return false;
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(out, block, n);
	fclose(file);
	return true;
}

/* Dates and times compare without the choices of writing: case, blank for 'T', zeros at the end of
 * a fraction. */
static void normalize(const char *text, char *out)
{
	size_t n = strlen(text), end = n, zeros;
	const char *dot = strchr(text, '.');

	snprintf(out, 64, "%s", text);
	for (char *c = out; *c; c++)
		*c = *c == ' ' || *c == 't' ? 'T' : *c == 'z' ? 'Z' : *c;
	if (!dot)
		return;
	end = (size_t)(dot - text) + 1;
	end += strspn(out + end, "0123456789");
	for (zeros = end; out[zeros - 1] == '0' || out[zeros - 1] == '.'; zeros--)
		if (out[zeros - 1] == '.') {
			zeros--;
			break;
		}
	memmove(out + zeros, out + end, strlen(out + end) + 1);
}

static bool is_tagged(const struct node *node)
{
	const struct node *type = node_get(node, "type");

	return node->kind == NODE_MAP && node->n == 2 && type && type->kind == NODE_STRING &&
	       node_get(node, "value") && node_get(node, "value")->kind == NODE_STRING;
}

static bool scalar_agrees(const struct node *node, const char *type, const struct node *value)
{
	char a[64], b[64];

	if (strcmp(type, "string") == 0)
		return node->kind == NODE_STRING && node->len == value->len &&
		       memcmp(node->text, value->text, node->len) == 0;
	if (strcmp(type, "integer") == 0)
		return node->kind == NODE_INT && node->i == strtoll(value->text, NULL, 10);
	if (strcmp(type, "bool") == 0)
		return node->kind == NODE_BOOL && node->i == (strcmp(value->text, "true") == 0);
	if (strcmp(type, "float") == 0) {
		double want = strtod(value->text, NULL);

		return node->kind == NODE_FLOAT &&
		       (want != want ? node->f != node->f : !(node->f < want) && !(node->f > want));
	}
	if (node->kind != NODE_DATETIME)
		return false;
	normalize(node->text, a);
	normalize(value->text, b);
	return strcmp(a, b) == 0;
}

/* JSON trees hold no NUL in a key, TOML trees hold it as C0 80: the one text that has such a key is read with this word. */
static const char nul_key[] = "a key of NUL";

static void rename_nul_key(struct buf *json)
{
	static const char written[] = "\"\\u0000\":";
	char *at = json->data ? strstr(json->data, written) : NULL;
	AUTO_BUF rest = BUF_INIT(1 << 20);

	if (!at)
		return;
	buf_puts(&rest, at + strlen(written));
	json->len = (size_t)(at - json->data);
	buf_printf(json, "\"%s\":%s", nul_key, buf_text(&rest));
}

static const char *toml_key(const char *json_key)
{
	return strcmp(json_key, nul_key) == 0 ? "\xc0\x80" : json_key;
}

static bool agrees(const struct node *node, const struct node *want)
{
	const struct node *a, *b;

	if (is_tagged(want) && node->kind != NODE_MAP)
		return scalar_agrees(node, node_text(want, "type"), node_get(want, "value"));
	if (node->kind != want->kind || node->n != want->n)
		return false;
	if (node->kind == NODE_MAP) {
		for (b = want->first; b; b = b->next) {
			a = node_get(node, toml_key(b->key));
			if (!a || !agrees(a, b))
				return false;
		}
		return true;
	}
	for (a = node->first, b = want->first; a; a = a->next, b = b->next)
		if (!agrees(a, b))
			return false;
	return true;
}

static bool check_valid(const char *name)
{
	struct arena *arena = arena_new();
	struct node *tree, *want, *again;
	struct err err = { 0 };
	AUTO_BUF text = BUF_INIT(1 << 20);
	AUTO_BUF json = BUF_INIT(1 << 20);
	AUTO_BUF printed = BUF_INIT(1 << 20);
	char json_name[256];
	bool is_ok = false;

	snprintf(json_name, sizeof(json_name), "%.*s.json", (int)strlen(name) - 5, name);
	if (!read_file(name, &text) || !read_file(json_name, &json)) {
		printf("%s: cannot read\n", name);
		arena_free(arena);
		return false;
	}
	rename_nul_key(&json);
	if (!json_parse(buf_text(&json), json.len, arena, &want, &err))
		printf("%s: %s\n", json_name, err.text);
	else if (!toml_parse(buf_text(&text), text.len, arena, &tree, &err))
		printf("%s: %s\n", name, err.text);
	else if (!agrees(tree, want))
		printf("%s: read as something else\n", name);
	else {
		toml_print(tree, &printed);
		if (!toml_parse(buf_text(&printed), printed.len, arena, &again, &err))
			printf("%s: printed and read again: %s\n", name, err.text);
		else if (!agrees(again, want))
			printf("%s: printed as something else:\n%s\n", name, buf_text(&printed));
		else
			is_ok = true;
	}
	arena_free(arena);
	return is_ok;
}

static bool check_invalid(const char *name)
{
	struct arena *arena = arena_new();
	struct node *tree;
	struct err err = { 0 };
	AUTO_BUF text = BUF_INIT(1 << 20);
	bool is_ok = false;

	if (!read_file(name, &text))
		printf("%s: cannot read\n", name);
	else if (toml_parse(buf_text(&text), text.len, arena, &tree, &err))
		printf("%s: was accepted\n", name);
	else if (err.kind != ERR_INVALID || strncmp(err.text, "line ", 5) != 0)
		printf("%s: the error names no place: %s\n", name, err.text);
	else
		is_ok = true;
	arena_free(arena);
	return is_ok;
}

static void run_list(const char *folder, bool (*check)(const char *), int at_least)
{
	AUTO_BUF list = BUF_INIT(1 << 20);
	int n = 0, n_bad = 0;

	assert_true(read_file("files-toml-1.0.0", &list));
	for (char *line = list.data, *end; line && *line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		if (strncmp(line, folder, strlen(folder)) == 0 && strlen(line) > 5 &&
		    strcmp(line + strlen(line) - 5, ".toml") == 0) {
			n++;
			n_bad += !check(line);
		}
		if (!end)
			break;
	}
	assert_true(n >= at_least);
	assert_int_equal(n_bad, 0);
}

static void test_suite__reads_every_valid_text(void **state)
{
	(void)state;
	run_list("valid/", check_valid, 150);
}

static void test_suite__refuses_every_invalid_text(void **state)
{
	(void)state;
	run_list("invalid/", check_invalid, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suite__reads_every_valid_text),
		cmocka_unit_test(test_suite__refuses_every_invalid_text),
	};
	AUTO_BUF probe = BUF_INIT(1 << 20);
	const char *shared = getenv("RECONCILE_SHARED");

	snprintf(suite, sizeof(suite), "%s/suites/toml-test/tests",
		 shared ? shared : TEST_SOURCE_DIR "/../shared");
	if (!read_file("files-toml-1.0.0", &probe)) {
		printf("skipped: no TOML suite at %s\n", suite);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
