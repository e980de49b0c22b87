/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit_check.c — the same change made to the trees: what a reader of the new text must find. It knows nothing of bytes, so
 * that a mistake in the splicing cannot hide here.
 */
#include <string.h>

#include "model/doc/edit_change.h"

static struct node *child_of(struct node *parent, const struct edit_step *step)
{
	struct node *c = parent->first;

	if (step->key) {
		while (c && strcmp(c->key, step->key) != 0)
			c = c->next;
		return c;
	}
	for (size_t i = step->index; c && i; i--)
		c = c->next;
	return c;
}

static struct node *walk(struct node *root, const struct edit_path *path, size_t n)
{
	struct node *at = root;

	for (size_t i = 0; at && i < n; i++)
		at = child_of(at, &path->v[i]);
	if (!at)
		BUG("a place that was found in the text is not in its tree");
	return at;
}

static void unlink_child(struct node *parent, const struct node *child)
{
	struct node *c = parent->first;

	parent->first = parent->last = NULL;
	parent->n = 0;
	while (c) {
		struct node *next = c->next;

		if (c != child)
			node_push(parent, c);
		c = next;
	}
}

static struct node *changed(const struct edit *edit, const struct change *change)
{
	struct arena *arena = edit->arena;
	const struct edit_path *path = &change->path;
	struct node *root = node_share(arena, edit->documents.v[path->document]);
	struct node *value = change->value ? node_share(arena, change->value) : NULL;
	struct node *at = walk(root, path, path->n), *next = at->next;
	const char *key = at->key;

	switch (change->kind) {
	case CHANGE_INSERT:
		node_set(arena, at, change->key, value);
		break;
	case CHANGE_APPEND:
		node_push(at, value);
		break;
	case CHANGE_REMOVE:
		unlink_child(walk(root, path, path->n - 1), at);
		break;
	case CHANGE_REPLACE:
		*at = *value;
		at->next = next;
		at->key = key;
		break;
	case CHANGE_REMOVE_DOCUMENT:
	case CHANGE_ADD_DOCUMENT:
	case CHANGE_KINDS:
		BUG("change %d is not inside of a document", (int)change->kind);
	}
	return root;
}

void change_expect(const struct edit *edit, const struct change *change, struct documents *out)
{
	const struct documents *now = &edit->documents;
	bool is_whole =
		change->kind == CHANGE_REMOVE_DOCUMENT || change->kind == CHANGE_ADD_DOCUMENT;

	*out = (struct documents){ 0 };
	for (size_t i = 0; i < now->n; i++) {
		bool is_this = change->kind != CHANGE_ADD_DOCUMENT && i == change->path.document;

		if (is_this && change->kind == CHANGE_REMOVE_DOCUMENT)
			continue;
		vec_push(edit->arena, out,
			 is_this && !is_whole ? changed(edit, change) : now->v[i]);
	}
	if (change->kind == CHANGE_ADD_DOCUMENT)
		vec_push(edit->arena, out, node_share(edit->arena, change->value));
}

bool documents_equal(const struct documents *a, const struct documents *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!node_equal(a->v[i], b->v[i]))
			return false;
	return true;
}
