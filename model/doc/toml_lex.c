/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml_lex.c — the characters of a TOML text: places, line ends, comments, strings with their
 * escapes. Spec: toml.io/en/v1.0.0 "Comment", "String"; Unicode 15, table 3-7 for well-formed
 * UTF-8.
 */
#include "model/doc/toml_lex.h"

#include <string.h>

#include "model/doc/utf8.h"

/* Characters from the last mark on; marks only move forward within a line, so all of them cost one
 * pass. */
struct pos toml_pos(struct toml_text *p, size_t at)
{
	if (at < p->mark_at)
		return (struct pos){ p->line, p->mark_column };
	for (; p->mark_at < at; p->mark_at++)
		p->mark_column += ((unsigned char)p->text[p->mark_at] & 0xc0) != 0x80;
	return (struct pos){ p->line, p->mark_column };
}

bool toml_fail(struct toml_text *p, const char *text)
{
	struct pos pos = toml_pos(p, p->at);

	return err_set(p->err, ERR_INVALID, "line %u, column %u: %s", pos.line, pos.column, text);
}

char toml_peek(const struct toml_text *p)
{
	return p->at < p->len ? p->text[p->at] : '\0';
}

bool toml_at(const struct toml_text *p, const char *text)
{
	size_t n = strlen(text);

	return p->len - p->at >= n && memcmp(p->text + p->at, text, n) == 0;
}

bool toml_take(struct toml_text *p, char c)
{
	if (p->at >= p->len || p->text[p->at] != c)
		return false;
	p->at++;
	return true;
}

/* A line end, LF or CRLF; a CR alone was refused by check_text. */
bool toml_take_newline(struct toml_text *p)
{
	if (toml_peek(p) == '\r')
		p->at++;
	if (!toml_take(p, '\n'))
		return false;
	p->line++;
	p->mark_at = p->at;
	p->mark_column = 1;
	return true;
}

void toml_skip_blanks(struct toml_text *p)
{
	while (p->at < p->len && (p->text[p->at] == ' ' || p->text[p->at] == '\t'))
		p->at++;
}

void toml_skip_comment(struct toml_text *p)
{
	toml_skip_blanks(p);
	if (toml_peek(p) == '#')
		while (p->at < p->len && p->text[p->at] != '\n' && p->text[p->at] != '\r')
			p->at++;
}

/* Blanks, comments and line ends. */
void toml_skip_space(struct toml_text *p)
{
	do
		toml_skip_comment(p);
	while (toml_take_newline(p));
}

/* What no TOML text may hold anywhere, comments and strings included. */
bool toml_check(struct toml_text *p)
{
	uint32_t c;

	while (p->at < p->len) {
		size_t n = utf8_get(p->text + p->at, p->len - p->at, &c);

		if (n == 0)
			return toml_fail(p, "malformed UTF-8");
		if (c == '\r' && (p->at + 1 == p->len || p->text[p->at + 1] != '\n'))
			return toml_fail(p, "a carriage return without line feed");
		if (c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
			return toml_fail(p, "a control character");
		if (!toml_take_newline(p))
			p->at += n;
	}
	p->at = 0;
	p->line = 1;
	p->mark_at = 0;
	p->mark_column = 1;
	return true;
}

/* The digits behind \u or \U. */
static bool read_code_point(struct toml_text *p, int n, struct buf *out)
{
	uint32_t c = 0;
	char bytes[4];

	for (int i = 0; i < n; i++, p->at++) {
		char d = toml_peek(p);

		if (d >= '0' && d <= '9')
			c = c << 4 | (uint32_t)(d - '0');
		else if ((d | 0x20) >= 'a' && (d | 0x20) <= 'f')
			c = c << 4 | (uint32_t)((d | 0x20) - 'a' + 10);
		else
			return toml_fail(p, "a hexadecimal digit is missing in the escape");
	}
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return toml_fail(p, "the escape names no character");
	buf_add(out, bytes, utf8_put(c, bytes));
	return true;
}

static bool read_escape(struct toml_text *p, struct buf *out)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	char c = toml_peek(p);
	const char *found = c ? strchr(names, c) : NULL;

	if (c == 'u' || c == 'U') {
		p->at++;
		return read_code_point(p, c == 'u' ? 4 : 8, out);
	}
	if (!found)
		return toml_fail(p, "unknown escape; a backslash is written '\\\\'");
	buf_byte(out, values[found - names]);
	p->at++;
	return true;
}

/* Behind a backslash in """…""": blanks, a line end, and all blank lines after it vanish. */
static bool skip_line_ending_backslash(struct toml_text *p)
{
	size_t start = p->at;

	toml_skip_blanks(p);
	if (!toml_take_newline(p)) {
		p->at = start;
		return false;
	}
	do
		toml_skip_blanks(p);
	while (toml_take_newline(p));
	return true;
}

static bool read_one_line(struct toml_text *p, char quote, struct buf *out)
{
	p->at++;
	while (!toml_take(p, quote)) {
		if (p->at == p->len || toml_peek(p) == '\n' || toml_peek(p) == '\r')
			return toml_fail(p, "the closing quote is missing");
		if (quote == '"' && toml_take(p, '\\')) {
			if (!read_escape(p, out))
				return false;
			continue;
		}
		buf_byte(out, p->text[p->at++]);
	}
	return true;
}

static bool read_many_lines(struct toml_text *p, char quote, struct buf *out)
{
	const char close[] = { quote, quote, quote, '\0' };

	p->at += 3;
	toml_take_newline(p);
	while (!toml_at(p, close)) {
		if (p->at == p->len)
			return toml_fail(p, "the closing quotes are missing");
		if (quote == '"' && toml_take(p, '\\')) {
			if (!skip_line_ending_backslash(p) && !read_escape(p, out))
				return false;
			continue;
		}
		if (toml_take_newline(p))
			buf_byte(out, '\n');
		else
			buf_byte(out, p->text[p->at++]);
	}
	p->at += 3;
	/* Up to two quotes may stand right before the closing ones. */
	for (int i = 0; i < 2 && toml_take(p, quote); i++)
		buf_byte(out, quote);
	return true;
}

bool toml_read_string(struct toml_text *p, bool may_span_lines, struct buf *out)
{
	char quote = toml_peek(p);
	bool is_triple = toml_at(p, quote == '"' ? "\"\"\"" : "'''");

	if (is_triple && may_span_lines)
		return read_many_lines(p, quote, out);
	return read_one_line(p, quote, out);
}
