/* links: model_doc */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_edit.c — any text that reads without error, every kind of change at many of its places: what is accepted reads
 * back as asked for, and every other value of this and other documents is what it was. Setting a
 * value and removing it again may not lose anything else.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/limits.h"
#include "model/doc/edit.h"

enum { PLACES_MAX = 24, TEXT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct places {
	struct edit_path v[PLACES_MAX];
	size_t n;
};

static void collect(const struct node *node, const struct edit_path *path, struct places *out)
{
	size_t index = 0;

	if (out->n < PLACES_MAX)
		out->v[out->n++] = *path;
	if (path->n + 2 >= EDIT_DEPTH)
		return;
	for (const struct node *c = node->first; c && out->n < PLACES_MAX; c = c->next) {
		const struct edit_path child =
			node->kind == NODE_MAP ? edit_key(path, c->key) : edit_item(path, index++);

		collect(c, &child, out);
	}
}

static const struct node *sample(struct arena *arena, unsigned which)
{
	static const char *const texts[] = { "x", "1.10", "it's \"so\": #1, [or] {not}",
					     "two\nlines ", "" };
	struct node *map, *list;

	if (which < COUNTOF(texts))
		return node_string(arena, texts[which]);
	if (which == COUNTOF(texts))
		return node_int(arena, -7);
	map = node_new(arena, NODE_MAP);
	list = node_new(arena, NODE_SEQ);
	node_push(list, node_string(arena, "a: b"));
	node_append(arena, map, "reconcile.dev/trigger", node_string(arena, "2026-11-22"));
	node_append(arena, map, "on", list);
	return map;
}

static bool is_on_path(const struct edit_step *step, const char *key, size_t index)
{
	return key ? step->key && strcmp(step->key, key) == 0 : !step->key && step->index == index;
}

static const struct node *item_at(const struct node *seq, size_t i)
{
	const struct node *item = seq->first;

	while (item && i--)
		item = item->next;
	return item;
}

/* Every value that is neither at the path nor above it is what it was. */
static void check_others(const struct node *before, const struct node *after,
			 const struct edit_path *path, size_t depth)
{
	size_t i = 0;

	if (depth == path->n)
		return;
	if (before->kind != after->kind || before->n != after->n)
		abort();
	for (const struct node *a = before->first; a; a = a->next, i++) {
		const char *key = before->kind == NODE_MAP ? a->key : NULL;
		/* A key of its own may stand elsewhere than the one of '<<' that it hides. */
		const struct node *b = key ? node_get(after, key) : item_at(after, i);

		if (!b)
			abort();
		if (is_on_path(&path->v[depth], key, i))
			check_others(a, b, path, depth + 1);
		else if (!node_equal(a, b))
			abort();
	}
}

static void check_set(const struct edit *before, const struct edit_path *path, unsigned which)
{
	struct edit edit = *before;
	const struct node *value = sample(before->arena, which), *found;
	struct err err = { 0 };

	if (!edit_set(&edit, path, value, &err)) {
		if (!*err.text || edit.text != before->text)
			abort();
		return;
	}
	found = edit_node(&edit, path);
	if (!found || !node_equal(found, value) || edit.documents.n != before->documents.n)
		abort();
	for (size_t i = 0; i < edit.documents.n; i++) {
		if (i == path->document)
			check_others(before->documents.v[i], edit.documents.v[i], path, 0);
		else if (!node_equal(before->documents.v[i], edit.documents.v[i]))
			abort();
	}
}

static void check_insert(const struct edit *before, const struct edit_path *path, unsigned which)
{
	const struct edit_path key = edit_key(path, "new key");
	struct edit edit = *before;
	struct err err = { 0 };

	if (edit_node(before, &key) || !edit_set(&edit, &key, sample(before->arena, which), &err))
		return;
	if (!edit_node(&edit, &key))
		abort();
	if (!edit_remove(&edit, &key, &err))
		return;
	for (size_t i = 0; i < before->documents.n; i++)
		if (edit.documents.n != before->documents.n ||
		    (edit_node(before, path)->kind == NODE_MAP &&
		     !node_equal(edit.documents.v[i], before->documents.v[i])))
			abort();
}

static void check_rest(const struct edit *before, const struct edit_path *path, unsigned which)
{
	struct edit removed = *before, appended = *before;
	const struct node *now = edit_node(before, path), *after;
	struct err err = { 0 };

	if (edit_append(&appended, path, sample(before->arena, which), &err)) {
		after = edit_node(&appended, path);
		if (!after || after->kind != NODE_SEQ ||
		    after->n != (now->kind == NODE_SEQ ? now->n : 0) + 1)
			abort();
	}
	if (!edit_remove(&removed, path, &err))
		return;
	if (removed.documents.n != before->documents.n - (path->n == 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source_file file = { "input", (const char *)data, size };
	struct arena *arena = arena_new();
	struct places places = { 0 };
	struct err err = { 0 };
	struct edit edit;

	if (size <= TEXT_MAX && edit_open(&edit, &file, arena, &err)) {
		for (size_t i = 0; i < edit.documents.n; i++)
			collect(edit.documents.v[i], &(struct edit_path){ .document = i }, &places);
		for (size_t i = 0; i < places.n; i++) {
			check_set(&edit, &places.v[i], (unsigned)(size + i) % 7);
			check_insert(&edit, &places.v[i], (unsigned)(size + i) % 7);
			check_rest(&edit, &places.v[i], (unsigned)(size + i) % 7);
		}
	}
	arena_free(arena);
	return 0;
}
