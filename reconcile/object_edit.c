/* SPDX-License-Identifier: Apache-2.0 */
/* object_edit.c — the steps that the editors of all kinds are made of. */
#include "reconcile/object_edit.h"

#include <string.h>

void object_edit_begin(struct object_edit *e, struct declared *manifest, bool is_new)
{
	e->manifest = manifest;
	e->is_new = is_new;
	e->spec = edit_key(&manifest->at, "spec");
}

struct edit_path object_path(const struct object_edit *e, const char *first, const char *second)
{
	struct edit_path at = edit_key(&e->spec, first);

	return second ? edit_key(&at, second) : at;
}

const struct node *object_node(const struct object_edit *e, const char *first, const char *second)
{
	struct edit_path at = object_path(e, first, second);

	return edit_node(&e->manifest->file->edit, &at);
}

bool object_put(const struct object_edit *e, const struct edit_path *path, const struct node *value)
{
	return edit_set(&e->manifest->file->edit, path, value, e->err);
}

bool object_set(const struct object_edit *e, const struct edit_path *path, const char *text)
{
	return !text || object_put(e, path, node_string(e->context->arena, text));
}

bool object_append(const struct object_edit *e, const struct edit_path *list,
		   const struct node *item)
{
	return edit_append(&e->manifest->file->edit, list, item, e->err);
}

bool object_remove(const struct object_edit *e, const struct edit_path *path)
{
	return edit_remove(&e->manifest->file->edit, path, e->err);
}

bool object_find_item(const struct object_edit *e, const struct edit_path *list, match_fn *matches,
		      const void *wanted, size_t *index)
{
	const struct node *node = edit_node(&e->manifest->file->edit, list);
	size_t i = 0;

	for (const struct node *c = node && node->kind == NODE_SEQ ? node->first : NULL; c;
	     c = c->next, i++) {
		if (!matches(c, wanted))
			continue;
		*index = i;
		return true;
	}
	return false;
}

bool object_remove_item(const struct object_edit *e, const struct edit_path *list, size_t index)
{
	const struct edit *edit = &e->manifest->file->edit;
	struct edit_path path = *list;

	if (edit_node(edit, list)->n > 1) {
		path = edit_item(list, index);
		return object_remove(e, &path);
	}
	while (path.n - 1 > e->spec.n) {
		path.n--;
		if (edit_node(edit, &path)->n > 1) {
			path.n++;
			break;
		}
	}
	return object_remove(e, &path);
}

bool object_put_account(struct object_edit *e, bool is_needed)
{
	const struct edit_path name = object_path(e, "serviceAccountRef", "name"),
			       ns = object_path(e, "serviceAccountRef", "namespace");

	if (!e->is_new || (!is_needed && !e->config->is_there))
		return true;
	return object_set(e, &name, e->config->account) &&
	       object_set(e, &ns, e->config->account_ns);
}
