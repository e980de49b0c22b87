/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag_render.c — one diagnostic as text: place, severity, message, and the source line with the
 * spot underlined. A line is first turned into cells (what is shown of one character, and how
 * wide), so that tabs, wide characters, escapes and cut lines all keep the underline in place.
 */
#include "model/doc/diag.h"

#include <stdio.h>
#include <string.h>

#include "model/doc/utf8.h"

enum { LINE_COLUMNS = 100, LEAD_COLUMNS = 40, LINE_CHARACTERS = 4096, HIDE_BYTES = 16 << 10 };

static const struct {
	const char *name, *color;
} severities[] = {
	[SEVERITY_NOTE] = { "note", "\033[1;36m" },
	[SEVERITY_WARNING] = { "warning", "\033[1;33m" },
	[SEVERITY_ERROR] = { "error", "\033[1;31m" },
};
_Static_assert(COUNTOF(severities) == SEVERITIES, "name every severity");

static const char bold[] = "\033[1m", plain[] = "\033[0m";

/* What is shown of one character. */
struct cell {
	char text[12];
	unsigned width;
};

/* The cell of the character at `text`; returns its bytes. */
static size_t cell_of(const char *text, size_t n, struct cell *cell)
{
	uint32_t c;
	size_t len = utf8_get(text, n, &c);

	if (!len)
		snprintf(cell->text, sizeof(cell->text), "\\x%02x", (unsigned char)*text);
	else if (c == '\n' || c == '\t')
		memcpy(cell->text, c == '\n' ? "\\n" : "\\t", 3);
	else if (utf8_is_control(c))
		snprintf(cell->text, sizeof(cell->text), c < 0x100 ? "\\x%02x" : "\\u%04x", c);
	else
		snprintf(cell->text, sizeof(cell->text), "%.*s", (int)len, text);
	if (len && !utf8_is_control(c))
		cell->width = utf8_width(c);
	else
		cell->width = (unsigned)strlen(cell->text);
	return len ? len : 1;
}

static void put_escaped(const char *text, size_t n, struct buf *out)
{
	for (size_t at = 0; at < n;) {
		struct cell cell;

		at += cell_of(text + at, n - at, &cell);
		buf_puts(out, cell.text);
	}
}

/* LF, CRLF or CR, whichever comes first, else the end of the text. */
static const char *find_line_end(const char *at, const char *end)
{
	const char *feed = memchr(at, '\n', (size_t)(end - at));
	const char *stop = feed ? feed : end, *back = memchr(at, '\r', (size_t)(stop - at));

	return back ? back : stop;
}

/* The bytes of a line, counted from 1, without its end; false when the text has fewer lines. */
static bool find_line(const struct source_file *file, uint32_t line, const char **start,
		      size_t *len)
{
	const char *at = file->text, *end = at + file->len, *stop;

	if (file->len >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
		at += 3; /* a byte order mark takes no column */
	for (uint32_t i = 1;; i++) {
		stop = find_line_end(at, end);
		if (i == line)
			break;
		if (stop == end)
			return false;
		at = stop + (*stop == '\r' && stop + 1 < end && stop[1] == '\n' ? 2 : 1);
	}
	*start = at;
	*len = (size_t)(stop - at);
	return true;
}

/* The byte where to start, so that column `column` (from 1) of a long line is seen, and the column
 * of that byte. */
static size_t find_cut(const char *line, size_t len, uint32_t column, uint32_t *first)
{
	size_t at = 0;

	*first = 1;
	if (utf8_count(line, len) <= LINE_COLUMNS || column <= LINE_COLUMNS - LEAD_COLUMNS / 2)
		return 0;
	while (at < len && *first + LEAD_COLUMNS < column) {
		struct cell cell;

		at += cell_of(line + at, len - at, &cell);
		(*first)++;
	}
	return at;
}

/* Fills the two lines: the shown source, and blanks, '^' and '~' below it. Is it all of the line? */
static bool put_cells(const struct diag *diag, const char *line, size_t len, struct buf *shown,
		      struct buf *marks)
{
	uint32_t column;
	size_t at = find_cut(line, len, diag->pos.column, &column);
	bool is_whole = at == 0;
	uint32_t from = diag->pos.column, to = from + diag->width;
	unsigned columns = 0;

	if (at) {
		buf_puts(shown, "…");
		buf_byte(marks, ' ');
	}
	for (; at < len && columns < LINE_COLUMNS; column++) {
		struct cell cell;
		bool is_tab = line[at] == '\t';

		at += cell_of(line + at, len - at, &cell);
		buf_puts(shown, is_tab ? "\t" : cell.text);
		columns += is_tab ? 8 : cell.width;
		for (unsigned i = 0; i < (is_tab ? 1 : cell.width); i++)
			buf_byte(marks, column < from || column >= to ? (is_tab ? '\t' : ' ')
					: column == from && i == 0    ? '^'
								      : '~');
	}
	if (at < len)
		buf_puts(shown, "…");
	if (column <= from) /* just behind the end of the line */
		buf_byte(marks, '^');
	return is_whole && at == len;
}

/* Is there something to hide in the part that is shown, or that begins before it or ends behind it? */
static bool hides(const struct diag *diag, const struct diag_style *style, const char *line,
		  size_t len)
{
	uint32_t ignored;
	size_t at = find_cut(line, len, diag->pos.column, &ignored);
	size_t from = at > HIDE_BYTES ? at - HIDE_BYTES : 0;
	size_t n = (len - from < (size_t)2 * HIDE_BYTES) ? len - from : (size_t)2 * HIDE_BYTES;
	AUTO_BUF shown = BUF_INIT((size_t)4 * HIDE_BYTES);

	if (!style->hide)
		return false;
	style->hide(line + from, n, &shown);
	return shown.len != n || memcmp(buf_text(&shown), line + from, n) != 0;
}

static void trim_end(struct buf *buf)
{
	while (buf->len && (buf->data[buf->len - 1] == ' ' || buf->data[buf->len - 1] == '\t'))
		buf->data[--buf->len] = '\0';
}

static void put_excerpt(const struct diag *diag, const struct diag_style *style, struct buf *out)
{
	AUTO_BUF shown = BUF_INIT(LINE_CHARACTERS);
	AUTO_BUF marks = BUF_INIT(LINE_CHARACTERS);
	const char *line;
	size_t len;

	if (!find_line(diag->file, diag->pos.line, &line, &len))
		return;
	if (!put_cells(diag, line, len, &shown, &marks) && hides(diag, style, line, len))
		return;
	trim_end(&shown);
	trim_end(&marks);
	buf_printf(out, "%5u |%s%s\n", diag->pos.line, shown.len ? " " : "", buf_text(&shown));
	buf_printf(out, "      | %s%s%s\n",
		   style->with_color ? severities[diag->severity].color : "", buf_text(&marks),
		   style->with_color ? plain : "");
}

static void put_place(const struct diag *diag, struct buf *out)
{
	put_escaped(diag->file->path, strlen(diag->file->path), out);
	buf_byte(out, ':');
	if (diag->pos.line)
		buf_printf(out, "%u:%u:", diag->pos.line, diag->pos.column);
	buf_byte(out, ' ');
}

void diag_render(const struct diag *diag, const struct diag_style *style, struct buf *out)
{
	bool with_color = style->with_color;

	if (diag->file) {
		buf_puts(out, with_color ? bold : "");
		put_place(diag, out);
		buf_puts(out, with_color ? plain : "");
	}
	buf_printf(out, "%s%s:%s ", with_color ? severities[diag->severity].color : "",
		   severities[diag->severity].name, with_color ? plain : "");
	put_escaped(diag->text, strlen(diag->text), out);
	buf_byte(out, '\n');
	if (style->with_excerpt && diag->file && diag->file->text && diag->pos.line)
		put_excerpt(diag, style, out);
}
