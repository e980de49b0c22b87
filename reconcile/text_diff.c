/* SPDX-License-Identifier: Apache-2.0 */
/* text_diff.c — from the first line that differs to the last one. */
#include "reconcile/text_diff.h"

#include <string.h>

enum { CONTEXT_LINES = 3 };

static size_t line_after(const char *text, size_t len, size_t at)
{
	const char *end = memchr(text + at, '\n', len - at);

	return end ? (size_t)(end - text) + 1 : len;
}

static size_t line_before(const char *text, size_t at)
{
	if (at)
		at--;
	while (at && text[at - 1] != '\n')
		at--;
	return at;
}

static void put_lines(const char *text, size_t from, size_t to, char mark, struct buf *out)
{
	while (from < to) {
		size_t next = line_after(text, to, from);

		buf_byte(out, mark);
		buf_add(out, text + from, next - from);
		if (text[next - 1] != '\n')
			buf_puts(out, "\n\\ No newline at end of file\n");
		from = next;
	}
}

static unsigned lines_in(const char *text, size_t from, size_t to)
{
	unsigned n = 0;

	while (from < to) {
		from = line_after(text, to, from);
		n++;
	}
	return n;
}

/* "-3,7"; a side without lines counts from the line before it. */
static void put_range(char mark, unsigned first, unsigned n, struct buf *out)
{
	buf_printf(out, "%c%u", mark, n ? first : first - 1);
	if (n != 1)
		buf_printf(out, ",%u", n);
}

void text_diff(const struct diff_side *before, const struct diff_side *after, struct buf *out)
{
	const char *old = before->text, *new = after->text;
	size_t n_old = before->len, n_new = after->len;
	size_t start = 0, end_old = n_old, end_new = n_new, from, tail;

	while (start < n_old && start < n_new) {
		size_t a = line_after(old, n_old, start), b = line_after(new, n_new, start);

		if (a != b || memcmp(old + start, new + start, a - start) != 0)
			break;
		start = a;
	}
	while (end_old > start && end_new > start) {
		size_t a = line_before(old, end_old), b = line_before(new, end_new);

		if (end_old - a != end_new - b || memcmp(old + a, new + b, end_old - a) != 0 ||
		    a < start || b < start)
			break;
		end_old = a;
		end_new = b;
	}
	from = start;
	for (unsigned i = 0; i < CONTEXT_LINES && from; i++)
		from = line_before(old, from);
	tail = end_old;
	for (unsigned i = 0; i < CONTEXT_LINES && tail < n_old; i++)
		tail = line_after(old, n_old, tail);
	if (before->name)
		buf_printf(out, "--- %s\n+++ %s\n", before->name, after->name);
	buf_puts(out, "@@ ");
	put_range('-', lines_in(old, 0, from) + 1, lines_in(old, from, tail), out);
	buf_byte(out, ' ');
	put_range('+', lines_in(old, 0, from) + 1,
		  lines_in(old, from, start) + lines_in(new, start, end_new) +
			  lines_in(old, end_old, tail),
		  out);
	buf_puts(out, " @@\n");
	put_lines(old, from, start, ' ', out);
	put_lines(old, start, end_old, '-', out);
	put_lines(new, start, end_new, '+', out);
	put_lines(old, end_old, tail, ' ', out);
}
