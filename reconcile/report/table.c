/* SPDX-License-Identifier: Apache-2.0 */
/* table.c — the last column is never padded, as tabwriter leaves it. */
#include "reconcile/report/table.h"

#include <string.h>

#include "buildexec/sys/log.h"

enum { PADDING = 4 };

static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xC0) != 0x80;
	return n;
}

void text_table_init(struct text_table *table, struct arena *arena, const char *const *header,
		     size_t n)
{
	*table = (struct text_table){ .arena = arena, .n_columns = n };
	text_table_add(table, header);
}

void text_table_add(struct text_table *table, const char *const *cells)
{
	struct table_row row = { { 0 } };

	for (size_t i = 0; i < table->n_columns; i++) {
		AUTO_BUF clean = BUF_INIT(1 << 20);
		const char *cell = cells[i] ? cells[i] : "";

		sanitize(cell, strlen(cell), false, &clean);
		row.cells[i] = buf_copy(&clean, table->arena);
	}
	vec_push(table->arena, &table->rows, row);
}

void text_table_print(const struct text_table *table, struct buf *out)
{
	size_t widths[TABLE_COLUMNS] = { 0 };

	for (size_t i = 0; i < table->rows.n; i++)
		for (size_t k = 0; k < table->n_columns; k++) {
			size_t n = width_of(table->rows.v[i].cells[k]);

			widths[k] = n > widths[k] ? n : widths[k];
		}
	for (size_t i = 0; i < table->rows.n; i++) {
		for (size_t k = 0; k < table->n_columns; k++) {
			const char *cell = table->rows.v[i].cells[k];
			int pad = (int)(widths[k] + PADDING - width_of(cell));

			buf_puts(out, cell);
			if (k + 1 < table->n_columns)
				buf_printf(out, "%*s", pad, "");
		}
		buf_byte(out, '\n');
	}
	buf_byte(out, '\n');
}

void block_print(const struct block_line *lines, size_t n, struct buf *out)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i++)
		if (lines[i].key && lines[i].value && strlen(lines[i].key) > width)
			width = strlen(lines[i].key);
	for (size_t i = 0; i < n; i++) {
		AUTO_BUF clean = BUF_INIT(1 << 20);
		const char *value = lines[i].value;

		if (!lines[i].key) {
			buf_byte(out, '\n');
			continue;
		}
		buf_printf(out, "%s%s", lines[i].key, value ? ":" : "");
		if (value) {
			sanitize(value, strlen(value), false, &clean);
			buf_printf(out, "%*s%s", (int)(width + PADDING - strlen(lines[i].key)), "",
				   clean.len ? buf_text(&clean) : "--");
		}
		buf_byte(out, '\n');
	}
	buf_byte(out, '\n');
}
