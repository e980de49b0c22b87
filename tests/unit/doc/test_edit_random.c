/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_edit_random.c — random texts with comments, blank lines, all quoting styles, flow and block, CRLF and byte order
 * marks, and random changes of them. What must hold whatever the text: setting a scalar changes its line alone, inserting
 * keeps every old line in order, removing only takes lines away. The seed is fixed; EDIT_SEED and EDIT_ROUNDS change it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/limits.h"
#include "model/doc/edit.h"

enum { ROUNDS = 4000, DEPTH = 4, PLACES = 256 };

struct maker {
	struct buf out;
	uint64_t state;
	const char *eol;
	unsigned map_step, seq_step, n; /* n: a new name for everything */
};

static unsigned roll(struct maker *m, unsigned sides)
{
	m->state = m->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(m->state >> 33) % sides;
}

static void put_end(struct maker *m)
{
	if (roll(m, 4) == 0)
		buf_printf(&m->out, "   # c%u {,]", m->n++);
	buf_puts(&m->out, m->eol);
	if (roll(m, 8) == 0)
		buf_puts(&m->out, m->eol);
	if (roll(m, 6) == 0)
		buf_printf(&m->out, "%*s# own line %u: x%s", (int)roll(m, 6), "", m->n++, m->eol);
}

static void put_scalar(struct maker *m, unsigned column)
{
	static const char *const plain[] = { "v%u", "v%u#x", "http://x:%u/y", "1.%u", "true" };

	switch (roll(m, 7)) {
	case 0:
		buf_printf(&m->out, "'it''s # %u'", m->n++);
		break;
	case 1:
		buf_printf(&m->out, "\"q\\\"%u: \xC3\xA4\"", m->n++);
		break;
	case 2:
		buf_printf(&m->out, "|%s%*sl%u%s%*s# no comment", m->eol, (int)column + 2, "",
			   m->n++, m->eol, (int)column + 2, "");
		buf_puts(&m->out, m->eol);
		return;
	case 3:
		buf_printf(&m->out, "&a%u w", m->n);
		m->n++;
		break;
	default:
		switch (roll(m, 5)) {
		case 0:
			buf_printf(&m->out, "v%u", m->n++);
			break;
		case 1:
			buf_printf(&m->out, "v%u#x", m->n++);
			break;
		case 2:
			buf_printf(&m->out, "http://x:%u/y", m->n++);
			break;
		case 3:
			buf_printf(&m->out, "1.%u", m->n++);
			break;
		default:
			buf_puts(&m->out, plain[4]);
		}
	}
	put_end(m);
}

static void put_flow(struct maker *m)
{
	switch (roll(m, 5)) {
	case 0:
		buf_puts(&m->out, "{}");
		break;
	case 1:
		buf_puts(&m->out, "[ ]");
		break;
	case 2:
		buf_printf(&m->out, "{k%u: v, 'k%u': [1, {x: \"y\"}]}", m->n, m->n + 1);
		break;
	case 3:
		buf_printf(&m->out, "[a%u, 'b', {c: d}]", m->n);
		break;
	default:
		buf_printf(&m->out, "{%s      k%u: v, # f%s      l: w%s    }", m->eol, m->n, m->eol,
			   m->eol);
	}
	m->n += 2;
	put_end(m);
}

static void put_map(struct maker *m, unsigned column, unsigned depth);

static void put_seq(struct maker *m, unsigned column, unsigned depth)
{
	for (unsigned i = 1 + roll(m, 3); i; i--) {
		buf_printf(&m->out, "%*s-", (int)column, "");
		if (roll(m, 8) == 0) {
			put_end(m);
			continue;
		}
		buf_byte(&m->out, ' ');
		if (depth < DEPTH && roll(m, 2))
			put_map(m, column + 2, depth + 1);
		else if (roll(m, 4) == 0)
			put_flow(m);
		else
			put_scalar(m, column);
	}
}

/* The first key stands behind what is there already when `column` was reached by a dash. */
static void put_map(struct maker *m, unsigned column, unsigned depth)
{
	bool is_behind_dash = m->out.len && m->out.data[m->out.len - 1] == ' ';

	for (unsigned i = 1 + roll(m, 4); i; i--) {
		if (!is_behind_dash)
			buf_printf(&m->out, "%*s", (int)column, "");
		is_behind_dash = false;
		buf_printf(&m->out, roll(m, 5) ? "k%u:" : "\"k %u\":", m->n++);
		if (roll(m, 10) == 0) {
			put_end(m);
		} else if (depth < DEPTH && roll(m, 3) == 0) {
			put_end(m);
			put_map(m, column + m->map_step, depth + 1);
		} else if (depth < DEPTH && roll(m, 4) == 0) {
			put_end(m);
			put_seq(m, column + m->seq_step, depth + 1);
		} else {
			buf_byte(&m->out, ' ');
			if (roll(m, 4) == 0)
				put_flow(m);
			else
				put_scalar(m, column);
		}
	}
}

static void make_text(struct maker *m)
{
	m->out.max = LIMIT_FILE_BYTES;
	buf_clear(&m->out);
	m->eol = roll(m, 3) ? "\n" : "\r\n";
	m->map_step = 2 + roll(m, 3);
	m->seq_step = roll(m, 2) ? 0 : m->map_step;
	if (roll(m, 5) == 0)
		buf_puts(&m->out, "\xEF\xBB\xBF");
	buf_printf(&m->out, "# head%s", m->eol);
	for (unsigned i = 1 + roll(m, 3), first = i; i; i--) {
		if (i != first || roll(m, 2))
			buf_printf(&m->out, "---%s%s", roll(m, 3) ? "" : " # d", m->eol);
		put_map(m, 0, 0);
	}
	if (roll(m, 4) == 0 && m->out.len > 2)
		while (m->out.len && strchr("\r\n", m->out.data[m->out.len - 1]))
			m->out.len--;
}

struct places {
	struct edit_path v[PLACES];
	size_t n;
};

static void collect(const struct node *node, const struct edit_path *path, struct places *out)
{
	size_t index = 0;

	if (out->n < PLACES)
		out->v[out->n++] = *path;
	for (const struct node *c = node->first; c && out->n < PLACES; c = c->next) {
		const struct edit_path child =
			node->kind == NODE_MAP ? edit_key(path, c->key) : edit_item(path, index++);

		collect(c, &child, out);
	}
}

struct lines {
	const char **v;
	size_t n, cap;
};

static void split(struct arena *arena, const char *text, size_t len, struct lines *out)
{
	for (size_t at = 0; at < len;) {
		size_t n = 0;

		while (at + n < len && text[at + n] != '\n')
			n++;
		/* The last line may have got its line end. */
		vec_push(arena, out,
			 arena_copy(arena, text + at, n && text[at + n - 1] == '\r' ? n - 1 : n));
		at += n + 1;
	}
}

/* Lines of `few` that are not, in order, among those of `many`; what both start and end with is left out first. */
static size_t missing(const struct lines *few, const struct lines *many)
{
	size_t at = 0, n = 0, end = few->n, end_many = many->n;

	while (at < end && at < end_many && strcmp(few->v[at], many->v[at]) == 0)
		at++;
	while (end > at && end_many > at && strcmp(few->v[end - 1], many->v[end_many - 1]) == 0) {
		end--;
		end_many--;
	}
	for (size_t i = at; i < end; i++) {
		size_t k = at;

		while (k < end_many && strcmp(few->v[i], many->v[k]) != 0)
			k++;
		if (k < end_many)
			at = k + 1;
		else
			n++;
	}
	return n;
}

static _Noreturn void fail_with(const struct edit *before, const struct edit *after,
				const char *what, const struct err *err)
{
	print_error("%s: %s\n--- before\n%.*s\n--- after\n%.*s\n---\n", what, err->text,
		    (int)before->len, before->text, (int)after->len, after->text);
	abort();
}

struct counts {
	unsigned done, refused;
};

static void count(struct counts *counts, bool is_done)
{
	if (is_done)
		counts->done++;
	else
		counts->refused++;
}

static void check_one(const struct edit *before, const struct edit_path *path, unsigned which,
		      struct counts *counts)
{
	static const char *const values[] = { "new", "1.10", "it's: # x", "a\nb" };
	struct arena *arena = before->arena;
	const struct edit_path key = edit_key(path, "new.example/key");
	const struct node *now = edit_node(before, path);
	struct lines old = { 0 }, new = { 0 };
	struct edit edit = *before;
	struct err err = { 0 };
	bool is_done;

	split(arena, before->text, before->len, &old);
	if (which % 3 == 0) {
		is_done = edit_set(&edit, &key, node_string(arena, values[which % 4]), &err);
		split(arena, edit.text, edit.len, &new);
		/* In flow style, and below a key without value, one line gets longer. */
		if (is_done && missing(&old, &new) > 1)
			fail_with(before, &edit, "insert", &err);
		if (now->kind == NODE_MAP)
			count(counts, is_done);
		else if (is_done && now->kind != NODE_NULL)
			fail_with(before, &edit, "insert into no mapping", &err);
	} else if (which % 3 == 1 && path->n) {
		is_done = edit_remove(&edit, path, &err);
		split(arena, edit.text, edit.len, &new);
		if (is_done && missing(&new, &old) > 2)
			fail_with(before, &edit, "remove", &err);
		count(counts, is_done);
	} else if (path->n && !now->first) {
		is_done = edit_set(&edit, path, node_string(arena, values[which % 4]), &err);
		split(arena, edit.text, edit.len, &new);
		if (is_done && missing(&new, &old) > 1)
			fail_with(before, &edit, "set", &err);
		if (is_done && !now->is_block && old.n != new.n)
			fail_with(before, &edit, "set changes the number of lines", &err);
		count(counts, is_done);
	}
	if ((edit.text[0] == '\xEF') != (before->text[0] == '\xEF') ||
	    strncmp(edit.text + 3 * (edit.text[0] == '\xEF'), "# head", 6) != 0)
		fail_with(before, &edit, "head", &err);
}

static uint64_t number(const char *variable, uint64_t fallback)
{
	const char *text = getenv(variable);

	return text ? strtoull(text, NULL, 10) : fallback;
}

static void test_edit__changes_only_what_was_asked_in_random_texts(void **state)
{
	struct maker m = { .state = number("EDIT_SEED", 1) };
	struct counts counts = { 0 };

	(void)state;
	for (uint64_t round = number("EDIT_ROUNDS", ROUNDS); round; round--) {
		struct arena *arena = arena_new();
		struct places places = { 0 };
		struct source_file file = { .path = "random.yaml" };
		struct err err = { 0 };
		struct edit edit;

		make_text(&m);
		file.text = buf_text(&m.out);
		file.len = m.out.len;
		if (!edit_open(&edit, &file, arena, &err)) {
			print_error("%s\n%.*s\n", err.text, (int)m.out.len, buf_text(&m.out));
			fail();
		}
		for (size_t i = 0; i < edit.documents.n; i++)
			collect(edit.documents.v[i], &(struct edit_path){ .document = i }, &places);
		for (unsigned i = 0; i < 3; i++)
			check_one(&edit, &places.v[roll(&m, (unsigned)places.n)], roll(&m, 12),
				  &counts);
		arena_free(arena);
	}
	buf_release(&m.out);
	print_message("%u changes done, %u refused\n", counts.done, counts.refused);
	/* Few places of texts without aliases are too hard. */
	assert_true(counts.done > 100 * counts.refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edit__changes_only_what_was_asked_in_random_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
