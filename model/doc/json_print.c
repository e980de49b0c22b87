/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_print.c — trees as JSON text. JSON_GO follows Go's encoding/json with its default HTML
 * escaping, because labels of images are compared byte for byte with those of tools written in Go.
 */
#include "model/doc/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/doc/number.h"
#include "model/doc/utf8.h"

static void put_escape(uint32_t c, struct buf *out)
{
	/* Go has the short forms of \b and \f since 1.22. */
	static const char letters[] = "\"\\\n\r\t\b\f", names[] = "\"\\nrtbf";
	const char *letter = c && c < 0x80 ? strchr(letters, (int)c) : NULL;

	if (letter)
		buf_printf(out, "\\%c", names[letter - letters]);
	else
		buf_printf(out, "\\u%04x", c);
}

static bool is_go(enum json_style style)
{
	return style == JSON_GO || style == JSON_TYPED;
}

static bool needs_escape(uint32_t c, enum json_style style)
{
	if (c < 0x20 || c == '"' || c == '\\')
		return true;
	return is_go(style) && (c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029);
}

void json_print_string(const char *text, size_t len, enum json_style style, struct buf *out)
{
	size_t at = 0, done = 0;

	buf_byte(out, '"');
	while (at < len) {
		uint32_t c;
		size_t n = utf8_get(text + at, len - at, &c);

		if (n && !needs_escape(c, style)) {
			at += n;
			continue;
		}
		buf_add(out, text + done, at - done);
		if (n)
			put_escape(c, out);
		else
			buf_puts(out, is_go(style) ? "\\ufffd" : "\xEF\xBF\xBD");
		at += n ? n : 1;
		done = at;
	}
	buf_add(out, text + done, at - done);
	buf_byte(out, '"');
}

/* JSON has no infinities and no NaN: null, as browsers print them. */
static void put_float(double f, enum json_style style, struct buf *out)
{
	char text[NUMBER_TEXT];

	if (!isfinite(f)) {
		buf_puts(out, "null");
		return;
	}
	if (is_go(style))
		number_format_go(f, text);
	else
		number_format(f, text);
	buf_puts(out, text);
	if (style == JSON_TYPED && !strpbrk(text, ".eE"))
		buf_puts(out, ".0");
}

static void new_line(enum json_style style, unsigned depth, struct buf *out)
{
	if (style == JSON_PRETTY)
		buf_printf(out, "\n%*s", (int)(2 * depth), "");
}

static void print_at(const struct node *node, enum json_style style, unsigned depth,
		     struct buf *out);

static void print_children(const struct node *node, enum json_style style, unsigned depth,
			   struct buf *out)
{
	bool is_map = node->kind == NODE_MAP;

	buf_byte(out, is_map ? '{' : '[');
	for (const struct node *c = node->first; c; c = c->next) {
		new_line(style, depth + 1, out);
		if (is_map) {
			json_print_string(c->key, strlen(c->key), style, out);
			buf_puts(out, style == JSON_PRETTY ? ": " : ":");
		}
		print_at(c, style, depth + 1, out);
		if (c->next)
			buf_byte(out, ',');
	}
	if (node->n)
		new_line(style, depth, out);
	buf_byte(out, is_map ? '}' : ']');
}

static void print_at(const struct node *node, enum json_style style, unsigned depth,
		     struct buf *out)
{
	switch (node->kind) {
	case NODE_NULL:
		buf_puts(out, "null");
		return;
	case NODE_BOOL:
		buf_puts(out, node->i ? "true" : "false");
		return;
	case NODE_INT:
		buf_printf(out, "%" PRId64, node->i);
		return;
	case NODE_FLOAT:
		put_float(node->f, style, out);
		return;
	case NODE_STRING:
	case NODE_DATETIME:
		json_print_string(node->text, node->len, style, out);
		return;
	case NODE_SEQ:
	case NODE_MAP:
		print_children(node, style, depth, out);
		return;
	case NODE_KINDS:
		break;
	}
	BUG("node kind %d", (int)node->kind);
}

void json_print(const struct node *node, enum json_style style, struct buf *out)
{
	print_at(node, style, 0, out);
}
