/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_print.c — trees as block YAML in one fixed shape. A sequence in a mapping stands at the
 * mapping's indentation and mappings in sequences start behind the dash, as kubectl prints them.
 */
#include "model/doc/yaml.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/doc/number.h"
#include "model/doc/utf8.h"
#include "model/doc/yaml_scalar.h"

/* libyaml looks for the ':' of a key within 1024 characters; longer ones need the form with '?'. */
enum { SIMPLE_KEY = 1000 };

static void put_indent(unsigned depth, struct buf *out)
{
	for (unsigned i = 0; i < depth; i++)
		buf_add(out, "  ", 2);
}

static void put_escape(uint32_t c, struct buf *out)
{
	static const char from[] = "\"\\\n\r\t\033", to[] = "\"\\nrte";
	const char *at = c && c < 0x80 ? strchr(from, (int)c) : NULL;

	if (at)
		buf_printf(out, "\\%c", to[at - from]);
	else if (c == 0)
		buf_puts(out, "\\0");
	else
		buf_printf(out, c < 0x100 ? "\\x%02X" : "\\u%04X", c);
}

/* Bytes that are no UTF-8 cannot be said in YAML: they become U+FFFD. */
static void put_quoted(const char *text, size_t len, struct buf *out)
{
	buf_byte(out, '"');
	for (size_t at = 0; at < len;) {
		uint32_t c = 0xFFFD;
		size_t n = utf8_get(text + at, len - at, &c);

		if (!n)
			buf_puts(out, "\xEF\xBF\xBD");
		else if (c == '"' || c == '\\' || utf8_is_control(c))
			put_escape(c, out);
		else
			buf_add(out, text + at, n);
		at += n ? n : 1;
	}
	buf_byte(out, '"');
}

/* A literal block shows the text as it is: no characters that need an escape, and more than line
 * ends. */
static bool is_literal(const char *text, size_t len)
{
	bool has_line_end = false, has_content = false;

	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t n = utf8_get(text + at, len - at, &c);

		if (!n || (utf8_is_control(c) && c != '\n' && c != '\t'))
			return false;
		has_line_end |= c == '\n';
		has_content |= c != '\n' && c != ' ' && c != '\t';
		at += n;
	}
	return has_line_end && has_content;
}

/* The header says what the reader cannot guess: leading blanks ("2") and how the text ends. */
static void put_literal(const char *text, size_t len, unsigned depth, struct buf *out)
{
	const char *end = text + len;
	bool starts_blank = *text == ' ' || *text == '\n' || *text == '\t';
	bool ends_once = len >= 2 && end[-1] == '\n' && end[-2] != '\n';

	buf_byte(out, '|');
	if (starts_blank)
		buf_byte(out, '2');
	if (!ends_once)
		buf_byte(out, end[-1] == '\n' ? '+' : '-');
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);

		buf_byte(out, '\n');
		if (n)
			put_indent(depth, out);
		buf_add(out, text, n);
		text += n + 1;
	}
}

static void put_string(const char *text, size_t len, unsigned depth, struct buf *out)
{
	if (yaml_is_plain_safe(text, len))
		buf_add(out, text, len);
	else if (is_literal(text, len))
		put_literal(text, len, depth, out);
	else
		put_quoted(text, len, out);
}

static void put_float(double f, struct buf *out)
{
	char text[NUMBER_TEXT];

	if (isfinite(f))
		number_format(f, text);
	buf_puts(out, isfinite(f) ? text : isnan(f) ? ".nan" : f < 0 ? "-.inf" : ".inf");
}

/* `depth`: of the lines that a block scalar adds. */
static void put_scalar(const struct node *node, unsigned depth, struct buf *out)
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
		put_float(node->f, out);
		return;
	case NODE_STRING:
	case NODE_DATETIME:
		put_string(node->text, node->len, depth, out);
		return;
	case NODE_SEQ:
	case NODE_MAP:
		buf_puts(out, node->kind == NODE_MAP ? "{}" : "[]");
		return;
	case NODE_KINDS:
		break;
	}
	BUG("node kind %d", (int)node->kind);
}

static bool is_block(const struct node *node)
{
	return node->n && (node->kind == NODE_SEQ || node->kind == NODE_MAP);
}

static void put_key(const char *key, unsigned depth, struct buf *out)
{
	size_t len = strlen(key);

	if (yaml_is_plain_safe(key, len) && len <= SIMPLE_KEY) {
		buf_add(out, key, len);
	} else {
		AUTO_BUF quoted = BUF_INIT(out->max);

		put_quoted(key, len, &quoted);
		if (quoted.len > SIMPLE_KEY)
			buf_puts(out, "? ");
		buf_add(out, quoted.data, quoted.len);
		if (quoted.len > SIMPLE_KEY) {
			buf_byte(out, '\n');
			put_indent(depth, out);
		}
	}
	buf_byte(out, ':');
}

static void put_block(const struct node *node, unsigned depth, struct buf *out);

static void put_value_of_key(const struct node *value, unsigned depth, struct buf *out)
{
	if (!is_block(value)) {
		buf_byte(out, ' ');
		put_scalar(value, depth + 1, out);
		buf_byte(out, '\n');
		return;
	}
	depth += value->kind == NODE_MAP;
	buf_byte(out, '\n');
	put_indent(depth, out);
	put_block(value, depth, out);
}

/* The caller has indented the first line already: it may stand behind a dash. */
static void put_block(const struct node *node, unsigned depth, struct buf *out)
{
	for (const struct node *c = node->first; c; c = c->next) {
		if (c != node->first)
			put_indent(depth, out);
		if (node->kind == NODE_MAP) {
			put_key(c->key, depth, out);
			put_value_of_key(c, depth, out);
			continue;
		}
		buf_add(out, "- ", 2);
		if (is_block(c)) {
			put_block(c, depth + 1, out);
		} else {
			put_scalar(c, depth + 1, out);
			buf_byte(out, '\n');
		}
	}
}

void yaml_print(const struct node *node, struct buf *out)
{
	if (is_block(node)) {
		put_block(node, 0, out);
	} else {
		put_scalar(node, 1, out);
		buf_byte(out, '\n');
	}
}
