/* SPDX-License-Identifier: Apache-2.0 */
/* describe.c — oc's formatString, formatMapStringString and formatAnnotations. */
#include "reconcile/report/describe.h"

#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/log.h"
#include "reconcile/report/tabwriter.h"

enum { DESCRIBE_BYTES = 64 << 20, TAB_COLUMNS = 8 };

void describe_init(struct describe *describe, struct arena *arena)
{
	*describe = (struct describe){ .arena = arena, .raw = BUF_INIT(DESCRIBE_BYTES) };
}

void describe_finish(struct describe *describe, struct buf *out)
{
	tab_align(buf_text(&describe->raw), &tab_describe, out);
	buf_release(&describe->raw);
}

void describe_put(struct describe *describe, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_vprintf(&describe->raw, fmt, args);
	va_end(args);
}

const char *describe_clean(struct describe *describe, const char *text)
{
	AUTO_BUF clean = BUF_INIT(DESCRIBE_BYTES);

	sanitize(text, strlen(text), false, &clean);
	return buf_copy(&clean, describe->arena);
}

const char *describe_line(struct describe *describe, const char *line, size_t n)
{
	AUTO_BUF text = BUF_INIT(DESCRIBE_BYTES);

	if (n && line[n - 1] == '\r')
		n--;
	for (size_t i = 0, column = 0; i < n; i++) {
		size_t blanks = line[i] == '\t' ? TAB_COLUMNS - column % TAB_COLUMNS : 0;

		if (blanks)
			buf_printf(&text, "%*s", (int)blanks, "");
		else
			buf_byte(&text, line[i]);
		column += blanks ? blanks : 1;
	}
	return describe_clean(describe, buf_text(&text));
}

void describe_field(struct describe *describe, const char *key, const char *value)
{
	describe_put(describe, "%s:\t%s\n", key,
		     value && *value ? describe_clean(describe, value) : "<none>");
}

void describe_text(struct describe *describe, const char *key, const char *text)
{
	if (!text || !*text)
		describe_field(describe, key, NULL);
	for (size_t n, i = 0; text && *text; text += n + (text[n] == '\n'), i++) {
		n = strcspn(text, "\n");
		describe_put(describe, "%s%s\t%s\n", i ? "" : key, i ? "" : ":",
			     describe_line(describe, text, n));
	}
}

void describe_lines(struct describe *describe, const char *key, const struct strings *values)
{
	for (size_t i = 0; i < values->n; i++)
		describe_put(describe, "%s%s\t%s\n", i ? "" : key, i ? "" : ":",
			     describe_clean(describe, values->v[i]));
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static struct pairs sorted(struct describe *describe, const struct pairs *pairs)
{
	struct pairs copy = { 0 };

	for (size_t i = 0; i < pairs->n; i++)
		vec_push(describe->arena, &copy, pairs->v[i]);
	if (copy.n)
		qsort(copy.v, copy.n, sizeof(*copy.v), by_key);
	return copy;
}

void describe_pairs(struct describe *describe, const char *key, const struct pairs *pairs)
{
	struct pairs all = sorted(describe, pairs);
	struct strings lines = { 0 };

	for (size_t i = 0; i < all.n; i++)
		vec_push(describe->arena, &lines,
			 arena_printf(describe->arena, "%s=%s", all.v[i].key, all.v[i].value));
	if (lines.n)
		describe_lines(describe, key, &lines);
	else
		describe_field(describe, key, NULL);
}

void describe_annotations(struct describe *describe, const struct pairs *pairs)
{
	const char *description = pairs_get(pairs, "description");
	struct pairs others = { 0 };

	for (size_t i = 0; i < pairs->n; i++)
		if (!description || strcmp(pairs->v[i].key, "description") != 0)
			vec_push(describe->arena, &others, pairs->v[i]);
	describe_pairs(describe, "Annotations", &others);
	if (description && *description)
		describe_field(describe, "Description", description);
}
