/* SPDX-License-Identifier: Apache-2.0 */
/* diag.c — collecting and ordering diagnostics, and the guess at what a misspelt word was meant to
 * be. */
#include "model/doc/diag.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/limits.h"

void diags_init(struct diags *diags, struct arena *arena)
{
	*diags = (struct diags){ .arena = arena };
}

/* Counts it; false when the list is full. */
static bool count(struct diags *diags, enum severity severity)
{
	diags->n_errors += severity == SEVERITY_ERROR;
	diags->n_warnings += severity == SEVERITY_WARNING;
	if (diags->list.n < LIMIT_DIAGS)
		return true;
	diags->n_dropped++;
	return false;
}

void diag_add(struct diags *diags, enum severity severity, const char *code,
	      const struct source_file *file, struct pos pos, uint32_t width, const char *fmt, ...)
{
	struct diag diag = { severity, file, pos, width ? width : 1, code, NULL };
	va_list args;

	if (!count(diags, severity))
		return;
	va_start(args, fmt);
	diag.text = arena_vprintf(diags->arena, fmt, args);
	va_end(args);
	vec_push(diags->arena, &diags->list, diag);
}

void diags_append(struct diags *to, const struct diags *from)
{
	for (size_t i = 0; i < from->list.n; i++) {
		struct diag diag = from->list.v[i];

		if (!count(to, diag.severity))
			continue;
		diag.text = arena_strdup(to->arena, diag.text);
		vec_push(to->arena, &to->list, diag);
	}
	to->n_errors += from->n_errors;
	to->n_warnings += from->n_warnings;
	to->n_dropped += from->n_dropped;
	for (size_t i = 0; i < from->list.n; i++) {
		to->n_errors -= from->list.v[i].severity == SEVERITY_ERROR;
		to->n_warnings -= from->list.v[i].severity == SEVERITY_WARNING;
	}
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Those about no file come last: they tend to sum up. */
static int compare_files(const struct source_file *a, const struct source_file *b)
{
	if (!a || !b)
		return (a == NULL) - (b == NULL);
	return a == b ? 0 : strcmp(a->path, b->path);
}

static int compare_diags(const void *left, const void *right)
{
	const struct diag *a = left, *b = right;
	int order = compare_files(a->file, b->file);

	if (!order)
		order = compare_numbers(a->pos.line, b->pos.line);
	if (!order)
		order = compare_numbers(a->pos.column, b->pos.column);
	if (!order)
		order = compare_numbers(b->severity, a->severity);
	if (!order)
		order = strcmp(a->text, b->text);
	if (!order)
		order = compare_numbers(a->width, b->width);
	return order ? order : strcmp(a->code, b->code);
}

void diags_sort(struct diags *diags)
{
	size_t n = 0;

	if (diags->list.n < 2)
		return;
	qsort(diags->list.v, diags->list.n, sizeof(*diags->list.v), compare_diags);
	for (size_t i = 0; i < diags->list.n; i++) {
		const struct diag *diag = &diags->list.v[i];

		if (n && compare_diags(&diags->list.v[n - 1], diag) == 0) {
			diags->n_errors -= diag->severity == SEVERITY_ERROR;
			diags->n_warnings -= diag->severity == SEVERITY_WARNING;
			continue;
		}
		diags->list.v[n++] = *diag;
	}
	diags->list.n = n;
}

enum { SUGGEST_MAX = 64 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Optimal string alignment without regard to case: insert, delete, replace, swap neighbours. */
static unsigned distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	unsigned rows[3][SUGGEST_MAX + 1];

	for (unsigned j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= n_a; i++) {
		const unsigned *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
		unsigned *row = rows[i % 3];

		row[0] = i;
		for (unsigned j = 1; j <= n_b; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);

			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = least(row[j], above2[j - 2] + 1);
		}
	}
	return rows[n_a % 3][n_b];
}

const char *suggest(const char *word, const char *const *candidates, size_t n)
{
	size_t len = strlen(word);
	unsigned best = (unsigned)(len <= 2 ? 0 : len < 6 ? 1 : len / 3);
	const char *found = NULL;

	if (len > SUGGEST_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t n_candidate = strlen(candidates[i]);
		unsigned d;

		if (n_candidate > SUGGEST_MAX)
			continue;
		d = distance(word, len, candidates[i], n_candidate);
		if (d < best || (d == best && !found)) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}
