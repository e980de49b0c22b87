/* SPDX-License-Identifier: Apache-2.0 */
/* value.c — one check per type, one text for all failures. */
#include "buildexec/cnb/value.h"

#include <string.h>
#include <strings.h>

bool value_fail(const struct node *node, const char *key, const char *what, struct err *err)
{
	return err_set(err, ERR_INVALID, "line %u, column %u: '%s' must be %s", node->pos.line,
		       node->pos.column, key, what);
}

const struct node *value_get(const struct node *map, const char *key)
{
	const struct node *exact = node_get(map, key);

	if (exact || !map || map->kind != NODE_MAP)
		return exact;
	for (const struct node *child = map->first; child; child = child->next)
		if (strcasecmp(child->key, key) == 0)
			return child;
	return NULL;
}

static bool is_text(const struct node *node)
{
	return node->kind == NODE_STRING && strlen(node->text) == node->len;
}

bool value_text(const struct node *map, const char *key, const char **out, struct err *err)
{
	const struct node *node = value_get(map, key);

	*out = NULL;
	if (!node)
		return true;
	if (!is_text(node))
		return value_fail(node, key, "a text", err);
	*out = node->text;
	return true;
}

bool value_bool(const struct node *map, const char *key, bool *out, struct err *err)
{
	const struct node *node = value_get(map, key);

	*out = false;
	if (!node)
		return true;
	if (node->kind != NODE_BOOL)
		return value_fail(node, key, "true or false", err);
	*out = node->i != 0;
	return true;
}

bool value_texts(const struct node *map, const char *key, struct arena *arena, struct strings *out,
		 struct err *err)
{
	const struct node *node = value_get(map, key);

	*out = (struct strings){ 0 };
	if (!node)
		return true;
	if (node->kind != NODE_SEQ)
		return value_fail(node, key, "an array of texts", err);
	for (const struct node *child = node->first; child; child = child->next) {
		if (!is_text(child))
			return value_fail(child, key, "an array of texts", err);
		vec_push(arena, out, child->text);
	}
	return true;
}

bool value_table(const struct node *map, const char *key, const struct node **out, struct err *err)
{
	const struct node *node = value_get(map, key);

	*out = NULL;
	if (!node)
		return true;
	if (node->kind != NODE_MAP)
		return value_fail(node, key, "a table", err);
	*out = node;
	return true;
}

const struct node *value_free_table(const struct node *map, const char *key)
{
	const struct node *node = value_get(map, key);

	return node && node->kind == NODE_MAP ? node : NULL;
}

bool value_tables(const struct node *map, const char *key, const struct node **first,
		  struct err *err)
{
	const struct node *node = value_get(map, key);

	*first = NULL;
	if (!node)
		return true;
	if (node->kind != NODE_SEQ)
		return value_fail(node, key, "an array of tables", err);
	for (const struct node *child = node->first; child; child = child->next)
		if (child->kind != NODE_MAP)
			return value_fail(child, key, "an array of tables", err);
	*first = node->first;
	return true;
}
