/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml_print.c — a tree as TOML text in the layout of the reference lifecycle's encoder.
 * The rules, as seen in the files it writes: values of a table before its tables; a line "[a.b]"
 * indented by two blanks per step of its path but the first, its values by two per step; an empty
 * line before each top-level table and each element of an array of tables, but none at the start of
 * the text. Spec: vectors in the lifecycle parity suite; toml.io/en/v1.0.0
 */
#include "model/doc/toml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/limits.h"
#include "model/doc/toml_scalar.h"

/* The path of the table being printed, from the innermost step outwards. */
struct path {
	const struct path *outer;
	const char *key;
	int depth; /* steps up to here */
};

static void print_value(const struct node *node, struct buf *out);

enum quoting { QUOTE_KEY, QUOTE_TEXT, QUOTE_GO_JSON };

/* The length of a character that Go's JSON encoder escapes and TOML does not need to: <, >, &,
 * U+2028, U+2029. */
static size_t print_go_escape(const char *text, size_t left, struct buf *out)
{
	if (strchr("<>&", text[0])) {
		buf_printf(out, "\\u%04x", text[0]);
		return 1;
	}
	if (left >= 3 && memcmp(text, "\xe2\x80", 2) == 0 && (text[2] & 0xfe) == 0xa8) {
		buf_printf(out, "\\u202%x", text[2] & 0x0f);
		return 3;
	}
	return 0;
}

static void print_quoted(const char *text, size_t len, enum quoting quoting, struct buf *out)
{
	static const char *const names[128] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
		['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"
	};

	buf_byte(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (quoting == QUOTE_GO_JSON && c) {
			size_t n = print_go_escape(text + i, len - i, out);

			if (n) {
				i += n - 1;
				continue;
			}
		}
		/* The form that toml.c gives to a NUL in a key. */
		if (quoting == QUOTE_KEY && c == 0xc0 && (unsigned char)text[i + 1] == 0x80) {
			buf_puts(out, "\\u0000");
			i++;
		} else if (c < 128 && names[c]) {
			buf_puts(out, names[c]);
		} else if (c < 0x20 || c == 0x7f) {
			buf_printf(out, "\\u%04x", c);
		} else {
			buf_byte(out, (char)c);
		}
	}
	buf_byte(out, '"');
}

static void print_key(const char *key, struct buf *out)
{
	static const char bare[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	if (*key && key[strspn(key, bare)] == '\0')
		buf_puts(out, key);
	else
		print_quoted(key, strlen(key), QUOTE_KEY, out);
}

/* Shortest digits that read back the same; an exponent below 1e-4 and from 1e6 on; always a '.' or
 * an exponent. */
static void print_float(double value, struct buf *out)
{
	char text[64];
	int digits = 1, exponent;

	if (value != value) {
		buf_puts(out, "nan");
		return;
	}
	if (value - value != 0) {
		buf_puts(out, value < 0 ? "-inf" : "inf");
		return;
	}
	do
		snprintf(text, sizeof(text), "%.*e", digits - 1, value);
	while (strtod(text, NULL) != value && ++digits <= 17);
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (exponent >= -4 && exponent < 6)
		snprintf(text, sizeof(text), "%.*f",
			 digits > exponent + 1 ? digits - exponent - 1 : 0, value);
	buf_puts(out, text);
	if (!strpbrk(text, ".e"))
		buf_puts(out, ".0");
}

/* 'T' and 'Z' in upper case, no zeros at the end of a fraction, an offset of zero as 'Z'. */
static void print_moment(const struct node *node, struct buf *out)
{
	struct toml_moment moment;
	const char *text = node->text;
	size_t end;

	if (!toml_moment_parse(text, node->len, &moment))
		BUG("'%s' is no date or time", text);
	if (moment.has_date)
		buf_add(out, text, 10);
	if (!moment.has_time)
		return;
	if (moment.has_date)
		buf_byte(out, 'T');
	end = moment.offset_at;
	while (end > moment.fraction_at && (text[end - 1] == '0' || text[end - 1] == '.'))
		end--;
	buf_add(out, text + moment.time_at, end - moment.time_at);
	if (!moment.has_offset)
		return;
	text += moment.offset_at;
	if ((*text | 0x20) == 'z' || strcmp(text + 1, "00:00") == 0)
		buf_byte(out, 'Z');
	else
		buf_puts(out, text);
}

static void print_array(const struct node *seq, struct buf *out)
{
	buf_byte(out, '[');
	for (const struct node *child = seq->first; child; child = child->next) {
		print_value(child, out);
		if (child->next)
			buf_puts(out, ", ");
	}
	buf_byte(out, ']');
}

static void print_inline_table(const struct node *map, struct buf *out)
{
	buf_byte(out, '{');
	for (const struct node *child = map->first; child; child = child->next) {
		print_key(child->key, out);
		buf_puts(out, " = ");
		print_value(child, out);
		if (child->next)
			buf_puts(out, ", ");
	}
	buf_byte(out, '}');
}

static void print_value(const struct node *node, struct buf *out)
{
	switch (node->kind) {
	case NODE_BOOL:
		buf_puts(out, node->i ? "true" : "false");
		return;
	case NODE_INT:
		buf_printf(out, "%lld", (long long)node->i);
		return;
	case NODE_FLOAT:
		print_float(node->f, out);
		return;
	case NODE_STRING:
		print_quoted(node->text, node->len, node->is_block ? QUOTE_GO_JSON : QUOTE_TEXT,
			     out);
		return;
	case NODE_DATETIME:
		print_moment(node, out);
		return;
	case NODE_SEQ:
		print_array(node, out);
		return;
	case NODE_MAP:
		print_inline_table(node, out);
		return;
	case NODE_NULL: /* TOML has none: callers leave them out, an array cannot */
		buf_puts(out, "\"\"");
		return;
	case NODE_KINDS:
		break;
	}
	BUG("no such node kind: %d", (int)node->kind);
}

static bool is_array_of_tables(const struct node *node)
{
	if (node->kind != NODE_SEQ || node->n == 0)
		return false;
	for (const struct node *child = node->first; child; child = child->next)
		if (child->kind != NODE_MAP)
			return false;
	return true;
}

static void print_indent(int depth, struct buf *out)
{
	for (int i = 0; i < depth; i++)
		buf_puts(out, "  ");
}

static void print_path(const struct path *path, struct buf *out)
{
	if (path->outer) {
		print_path(path->outer, out);
		buf_byte(out, '.');
	}
	print_key(path->key, out);
}

static void print_header(const struct path *path, bool is_element, struct buf *out)
{
	if ((is_element || path->depth == 1) && out->len > 0)
		buf_byte(out, '\n');
	print_indent(path->depth - 1, out);
	buf_puts(out, is_element ? "[[" : "[");
	print_path(path, out);
	buf_puts(out, is_element ? "]]\n" : "]\n");
}

static void print_table(const struct node *map, const struct path *path, struct buf *out)
{
	int depth = path ? path->depth : 0;

	for (const struct node *child = map->first; child; child = child->next) {
		if (child->kind == NODE_MAP || child->kind == NODE_NULL ||
		    is_array_of_tables(child))
			continue;
		print_indent(depth, out);
		print_key(child->key, out);
		buf_puts(out, " = ");
		print_value(child, out);
		buf_byte(out, '\n');
	}
	for (const struct node *child = map->first; child; child = child->next) {
		struct path inner = { path, child->key, depth + 1 };

		if (child->kind == NODE_MAP) {
			print_header(&inner, false, out);
			print_table(child, &inner, out);
		} else if (is_array_of_tables(child)) {
			for (const struct node *e = child->first; e; e = e->next) {
				print_header(&inner, true, out);
				print_table(e, &inner, out);
			}
		}
	}
}

void toml_print(const struct node *root, struct buf *out)
{
	if (root->kind != NODE_MAP)
		BUG("the root of a TOML text is a table, not %d", (int)root->kind);
	print_table(root, NULL, out);
}
