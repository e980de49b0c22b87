/* links: reconcile_report */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_report.c — texts of others, cut at zero bytes, in what people are shown: tables, blocks, descriptions, cells of the
 * dashboard. Each stays in its line and place, and nothing controls a terminal, a CI system or a page.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/log.h"
#include "model/doc/utf8.h"
#include "reconcile/report/dashboard_streams.h"
#include "reconcile/report/describe.h"
#include "reconcile/report/table.h"

enum { TEXTS_MAX = 24, OUT_MAX = 4 << 20, COLUMNS = 3, TEXT_MAX = 16 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Descriptions are aligned by tabs, as oc does it. */
static void check_printable(const struct buf *out, const char *what, bool with_tabs)
{
	const char *text = buf_text(out);
	uint32_t c;

	for (size_t at = 0, len; at < out->len; at += len) {
		len = utf8_get(text + at, out->len - at, &c);
		if (!len || (c != '\n' && (c != '\t' || !with_tabs) && utf8_is_control(c)))
			BUG("%s: byte %zu is not printable", what, at);
	}
	if (strstr(text, "##vso[") || strstr(text, "##[") ||
	    (strncmp(text, "::e", 3) == 0 && strstr(text + 3, "::")))
		BUG("%s is a command", what);
}

static size_t count_lines(const struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < out->len; i++)
		n += buf_text(out)[i] == '\n';
	return n;
}

static void try_table(const struct strings *texts, struct arena *arena)
{
	static const char *const header[COLUMNS] = { "NAME", "STATUS", "MESSAGE" };
	AUTO_BUF out = BUF_INIT(OUT_MAX);
	struct text_table table;
	size_t n = 0;

	text_table_init(&table, arena, header, COLUMNS);
	for (; (n + 1) * COLUMNS <= texts->n; n++)
		text_table_add(&table, texts->v + n * COLUMNS);
	text_table_print(&table, &out);
	check_printable(&out, "a table", false);
	if (n && count_lines(&out) < n + 1)
		BUG("%zu rows in %zu lines", n, count_lines(&out));
}

static void try_describe(const struct strings *texts, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(OUT_MAX);
	struct describe describe;

	describe_init(&describe, arena);
	for (size_t i = 0; i < texts->n; i++) {
		describe_field(&describe, "Key", texts->v[i]);
		describe_text(&describe, "Text", texts->v[i]);
	}
	describe_lines(&describe, "Lines", texts);
	describe_finish(&describe, &out);
	check_printable(&out, "a description", true);
}

static void try_cell(const char *text)
{
	AUTO_BUF cell = BUF_INIT(OUT_MAX), code = BUF_INIT(OUT_MAX);

	dashboard_cell(text, &cell);
	dashboard_code(text, &code);
	check_printable(&cell, "a cell", false);
	check_printable(&code, "a reference", false);
	if (strpbrk(buf_text(&cell), "|`*_<>[]@\\~\n") || strpbrk(buf_text(&code), "|<>\n"))
		BUG("markup in '%s' or '%s'", buf_text(&cell), buf_text(&code));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct strings texts = { 0 };

	size = size < TEXT_MAX ? size : TEXT_MAX;
	while (size && texts.n < TEXTS_MAX) {
		const uint8_t *end = memchr(data, '\0', size);
		size_t n = end ? (size_t)(end - data) : size;

		vec_push(arena, &texts, arena_copy(arena, data, n));
		data += n + (end != NULL);
		size -= n + (end != NULL);
	}
	try_table(&texts, arena);
	try_describe(&texts, arena);
	for (size_t i = 0; i < texts.n; i++)
		try_cell(texts.v[i]);
	arena_free(arena);
	return 0;
}
