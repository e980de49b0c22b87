/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_diff.c — a unified diff of two texts of which most lines are the same. Lines are compared in pairs from the start
 * while there are equally many; else everything between the first and the last difference is one hunk.
 */
#include "model/doc/text_diff.h"

#include <string.h>

#include "model/base/vec.h"

struct line {
	const char *text;
	size_t n; /* with its line end */
};
struct lines {
	struct line *v;
	size_t n, cap;
};
struct hunk {
	size_t a, b;   /* first line that differs, in both */
	size_t na, nb; /* how many */
};
struct diff {
	struct arena *arena;
	struct lines a, b;
	VEC(struct hunk) hunks;
	size_t context;
	struct buf *out;
};

static void split(const char *text, size_t len, struct arena *arena, struct lines *out)
{
	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at + 1 : len - at;

		vec_push(arena, out, (struct line){ text + at, n });
		at += n;
	}
}

static bool is_same(const struct line *a, const struct line *b)
{
	return a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

static void find_pairs(struct diff *d)
{
	for (size_t i = 0; i < d->a.n; i++) {
		struct hunk *last = d->hunks.n ? &d->hunks.v[d->hunks.n - 1] : NULL;

		if (is_same(&d->a.v[i], &d->b.v[i]))
			continue;
		if (last && last->a + last->na == i) {
			last->na++;
			last->nb++;
		} else {
			vec_push(d->arena, &d->hunks, (struct hunk){ i, i, 1, 1 });
		}
	}
}

static void find_one(struct diff *d)
{
	size_t head = 0, tail = 0;

	while (head < d->a.n && head < d->b.n && is_same(&d->a.v[head], &d->b.v[head]))
		head++;
	while (tail < d->a.n - head && tail < d->b.n - head &&
	       is_same(&d->a.v[d->a.n - 1 - tail], &d->b.v[d->b.n - 1 - tail]))
		tail++;
	vec_push(d->arena, &d->hunks,
		 (struct hunk){ head, head, d->a.n - head - tail, d->b.n - head - tail });
}

static void put_lines(const struct diff *d, char mark, const struct lines *lines, size_t first,
		      size_t n)
{
	for (size_t i = first; i < first + n; i++) {
		buf_byte(d->out, mark);
		buf_add(d->out, lines->v[i].text, lines->v[i].n);
		if (lines->v[i].text[lines->v[i].n - 1] != '\n')
			buf_puts(d->out, "\n\\ No newline at end of file\n");
	}
}

static void put_range(struct buf *out, char mark, size_t first, size_t n)
{
	buf_printf(out, "%c%zu", mark, n ? first + 1 : first);
	if (n != 1)
		buf_printf(out, ",%zu", n);
}

/* Hunks whose contexts meet are one. Gives back the first that is not part of it. */
static size_t put_hunk(const struct diff *d, size_t from)
{
	const struct hunk *h = &d->hunks.v[from];
	size_t before = h->a < d->context ? h->a : d->context, to = from + 1;
	const struct hunk *last = h;
	size_t after, na, nb, at;

	while (to < d->hunks.n && d->hunks.v[to].a - (last->a + last->na) <= 2 * d->context)
		last = &d->hunks.v[to++];
	after = d->a.n - (last->a + last->na);
	after = after < d->context ? after : d->context;
	na = last->a + last->na + after - (h->a - before);
	nb = last->b + last->nb + after - (h->b - before);
	buf_puts(d->out, "@@ ");
	put_range(d->out, '-', h->a - before, na);
	buf_byte(d->out, ' ');
	put_range(d->out, '+', h->b - before, nb);
	buf_puts(d->out, " @@\n");
	at = h->a - before;
	for (size_t i = from; i < to; i++) {
		put_lines(d, ' ', &d->a, at, d->hunks.v[i].a - at);
		put_lines(d, '-', &d->a, d->hunks.v[i].a, d->hunks.v[i].na);
		put_lines(d, '+', &d->b, d->hunks.v[i].b, d->hunks.v[i].nb);
		at = d->hunks.v[i].a + d->hunks.v[i].na;
	}
	put_lines(d, ' ', &d->a, at, after);
	return to;
}

void text_diff(const struct diff_side *before, const struct diff_side *after, size_t context,
	       struct buf *out)
{
	struct diff d = { .arena = arena_new(), .context = context, .out = out };

	split(before->text, before->len, d.arena, &d.a);
	split(after->text, after->len, d.arena, &d.b);
	if (d.a.n == d.b.n)
		find_pairs(&d);
	else
		find_one(&d);
	if (d.hunks.n && before->name)
		buf_printf(out, "--- %s\n+++ %s\n", before->name, after->name);
	for (size_t i = 0; i < d.hunks.n;)
		i = put_hunk(&d, i);
	arena_free(d.arena);
}
