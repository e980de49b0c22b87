/* SPDX-License-Identifier: Apache-2.0 */
/* tabwriter.c — column by column from the left: the widths to the left of a run of cells are known when it is printed. */
#include "reconcile/report/tabwriter.h"

#include <string.h>

#include "model/base/vec.h"

const struct tab_style tab_describe = { 0, 8, 1, '\t' };
const struct tab_style tab_get = { 10, 4, 3, ' ' };

struct cell {
	const char *text;
	size_t n, width;
};
struct line {
	VEC(struct cell) cells; /* the last one is ended by the line, not by a tab */
};
struct aligner {
	const struct tab_style *style;
	struct arena *arena;
	VEC(struct line) lines;
	VEC(size_t) widths; /* of the columns to the left */
	struct buf *out;
};

static size_t width_of(const char *text, size_t n)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i++)
		width += ((unsigned char)text[i] & 0xC0) != 0x80;
	return width;
}

static void split(struct aligner *a, const char *text)
{
	for (;;) {
		struct line line = { 0 };
		size_t n;

		for (;; text += n + 1) {
			n = strcspn(text, "\t\n");
			vec_push(a->arena, &line.cells,
				 (struct cell){ text, n, width_of(text, n) });
			if (text[n] != '\t')
				break;
		}
		vec_push(a->arena, &a->lines, line);
		if (!text[n])
			return;
		text += n + 1;
	}
}

static void put_padding(const struct aligner *a, size_t text_width, size_t cell_width)
{
	size_t tab = a->style->tab_width, n = cell_width - text_width;

	if (a->style->pad == '\t') {
		cell_width = (cell_width + tab - 1) / tab * tab;
		n = (cell_width - text_width + tab - 1) / tab;
	}
	while (n--)
		buf_byte(a->out, a->style->pad);
}

static void put_lines(const struct aligner *a, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		for (size_t k = 0; k < a->lines.v[i].cells.n; k++) {
			const struct cell *cell = &a->lines.v[i].cells.v[k];

			buf_add(a->out, cell->text, cell->n);
			if (k < a->widths.n)
				put_padding(a, cell->width, a->widths.v[k]);
		}
		if (i + 1 < a->lines.n)
			buf_byte(a->out, '\n');
	}
}

static bool has_column(const struct aligner *a, size_t line, size_t column)
{
	return column + 1 < a->lines.v[line].cells.n;
}

static void format(struct aligner *a, size_t from, size_t to)
{
	size_t column = a->widths.n, end;

	for (size_t i = from; i < to; i = end) {
		size_t width = a->style->min_width;

		end = i + 1;
		if (!has_column(a, i, column))
			continue;
		put_lines(a, from, i);
		for (end = i; end < to && has_column(a, end, column); end++) {
			size_t wanted = a->lines.v[end].cells.v[column].width + a->style->padding;

			width = wanted > width ? wanted : width;
		}
		vec_push(a->arena, &a->widths, width);
		format(a, i, end);
		a->widths.n--;
		from = end;
	}
	put_lines(a, from, to);
}

void tab_align(const char *text, const struct tab_style *style, struct buf *out)
{
	struct aligner a = { .style = style, .arena = arena_new(), .out = out };

	split(&a, text);
	format(&a, 0, a.lines.n);
	arena_free(a.arena);
}
