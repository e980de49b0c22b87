/* SPDX-License-Identifier: Apache-2.0 */
/* node.c — finding, building, copying and comparing trees. Lists keep their last child, so that
 * appending is O(1). */
#include "model/doc/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	[NODE_NULL] = "null",      [NODE_BOOL] = "a boolean",  [NODE_INT] = "a number",
	[NODE_FLOAT] = "a number", [NODE_STRING] = "a string", [NODE_DATETIME] = "a date and time",
	[NODE_SEQ] = "a sequence", [NODE_MAP] = "a mapping",
};
_Static_assert(COUNTOF(kind_names) == NODE_KINDS, "name every kind");

const char *node_kind_name(enum node_kind kind)
{
	return kind_names[kind];
}

static struct node *find(const struct node *map, const char *key)
{
	if (!map || map->kind != NODE_MAP)
		return NULL;
	for (struct node *c = map->first; c; c = c->next)
		if (strcmp(c->key, key) == 0)
			return c;
	return NULL;
}

const struct node *node_get(const struct node *map, const char *key)
{
	return find(map, key);
}

const struct node *node_at(const struct node *root, ...)
{
	const struct node *node = root;
	const char *key;
	va_list keys;

	va_start(keys, root);
	while (node && (key = va_arg(keys, const char *)))
		node = find(node, key);
	va_end(keys);
	return node;
}

const char *node_text(const struct node *map, const char *key)
{
	const struct node *node = find(map, key);

	return node && node->kind == NODE_STRING ? node->text : NULL;
}

struct node *node_new(struct arena *arena, enum node_kind kind)
{
	struct node *node = ARENA_NEW(arena, struct node);

	node->kind = kind;
	return node;
}

static struct node *with_text(struct arena *arena, enum node_kind kind, const char *text)
{
	struct node *node = node_new(arena, kind);

	node->len = (uint32_t)strlen(text);
	node->text = arena_copy(arena, text, node->len);
	return node;
}

struct node *node_string(struct arena *arena, const char *text)
{
	return with_text(arena, NODE_STRING, text);
}

struct node *node_int(struct arena *arena, int64_t value)
{
	char text[24];
	struct node *node;

	snprintf(text, sizeof(text), "%" PRId64, value);
	node = with_text(arena, NODE_INT, text);
	node->i = value;
	return node;
}

struct node *node_bool(struct arena *arena, bool value)
{
	struct node *node = with_text(arena, NODE_BOOL, value ? "true" : "false");

	node->i = value;
	return node;
}

void node_push(struct node *list, struct node *value)
{
	value->next = NULL;
	if (list->last)
		list->last->next = value;
	else
		list->first = value;
	list->last = value;
	list->n++;
}

void node_append(struct arena *arena, struct node *map, const char *key, struct node *value)
{
	value->key = arena_strdup(arena, key);
	node_push(map, value);
}

void node_set(struct arena *arena, struct node *map, const char *key, struct node *value)
{
	struct node *before = NULL, *old = map->first;

	while (old && strcmp(old->key, key) != 0) {
		before = old;
		old = old->next;
	}
	if (!old) {
		node_append(arena, map, key, value);
		return;
	}
	value->key = old->key;
	value->key_pos = old->key_pos;
	value->next = old->next;
	if (before)
		before->next = value;
	else
		map->first = value;
	if (map->last == old)
		map->last = value;
}

void node_set_text(struct arena *arena, struct node *map, const char *key, const char *text)
{
	if (text)
		node_set(arena, map, key, node_string(arena, text));
}

static struct node *copy_tree(struct arena *arena, const struct node *node, bool with_texts)
{
	struct node *copy = ARENA_NEW(arena, struct node);

	*copy = *node;
	copy->next = NULL;
	if (with_texts) {
		copy->key = arena_strdup(arena, node->key);
		if (node->text)
			copy->text = arena_copy(arena, node->text, node->len);
	}
	if (!node->first)
		return copy;
	copy->first = copy->last = NULL;
	copy->n = 0;
	for (const struct node *c = node->first; c; c = c->next)
		node_push(copy, copy_tree(arena, c, with_texts));
	return copy;
}

struct node *node_clone(struct arena *arena, const struct node *node)
{
	return copy_tree(arena, node, true);
}

struct node *node_share(struct arena *arena, const struct node *node)
{
	return copy_tree(arena, node, false);
}

static int by_key(const void *a, const void *b)
{
	const struct node *const *left = a, *const *right = b;

	return strcmp((*left)->key, (*right)->key);
}

/* The children of a mapping by key; free() them. */
static struct node **sorted_children(const struct node *map)
{
	struct node **v = mem_realloc(NULL, map->n * sizeof(struct node *));
	size_t n = 0;

	for (struct node *c = map->first; c; c = c->next)
		v[n++] = c;
	qsort(v, n, sizeof(struct node *), by_key);
	return v;
}

void node_sort_keys(struct node *node)
{
	if (node->kind == NODE_MAP && node->n > 1) {
		struct node **v = sorted_children(node);
		uint32_t n = node->n;

		node->first = node->last = NULL;
		node->n = 0;
		for (uint32_t i = 0; i < n; i++)
			node_push(node, v[i]);
		free(v);
	}
	for (struct node *c = node->first; c; c = c->next)
		node_sort_keys(c);
}

static bool maps_equal_in_any_order(const struct node *a, const struct node *b)
{
	struct node **left = sorted_children(a), **right = sorted_children(b);
	bool equal = true;

	for (uint32_t i = 0; equal && i < a->n; i++)
		equal = strcmp(left[i]->key, right[i]->key) == 0 && node_equal(left[i], right[i]);
	free(left);
	free(right);
	return equal;
}

static bool children_equal(const struct node *a, const struct node *b)
{
	const struct node *y = b->first;

	if (a->n != b->n)
		return false;
	for (const struct node *x = a->first; x; x = x->next, y = y->next) {
		/* Most mappings that are compared have the same order: sort only when they do not.
		 */
		if (a->kind == NODE_MAP && strcmp(x->key, y->key) != 0)
			return maps_equal_in_any_order(a, b);
		if (!node_equal(x, y))
			return false;
	}
	return true;
}

/* The sign of zero counts, since it is printed; every NaN is the same value here. */
static bool floats_equal(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0 || (a != a && b != b);
}

bool node_equal(const struct node *a, const struct node *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case NODE_NULL:
		return true;
	case NODE_BOOL:
	case NODE_INT:
		return a->i == b->i;
	case NODE_FLOAT:
		return floats_equal(a->f, b->f);
	case NODE_STRING:
	case NODE_DATETIME:
		return a->len == b->len && (!a->len || memcmp(a->text, b->text, a->len) == 0);
	case NODE_SEQ:
	case NODE_MAP:
		return children_equal(a, b);
	case NODE_KINDS:
		break;
	}
	BUG("node kind %d", (int)a->kind);
}
