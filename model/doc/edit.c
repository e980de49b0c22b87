/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit.c — finds the place, asks for the splices, and accepts the new text only when it reads back as what was meant.
 * The layout says where bytes are, the trees say what they mean; both are of the same text at any time.
 */
#include "model/doc/edit.h"

#include <string.h>

#include "model/base/limits.h"
#include "model/doc/edit_change.h"
#include "model/doc/json.h"

static struct edit_path longer(const struct edit_path *path, struct edit_step step)
{
	struct edit_path copy = *path;

	if (copy.n == EDIT_DEPTH)
		BUG("a path of more than %d steps", EDIT_DEPTH);
	copy.v[copy.n++] = step;
	return copy;
}

struct edit_path edit_key(const struct edit_path *path, const char *key)
{
	return longer(path, (struct edit_step){ .key = key });
}

struct edit_path edit_item(const struct edit_path *path, size_t index)
{
	return longer(path, (struct edit_step){ .index = index });
}

static bool refuse(const struct edit *edit, const struct layout *at, struct err *err,
		   const char *fmt, ...) PRINTF(4, 5);

static bool refuse(const struct edit *edit, const struct layout *at, struct err *err,
		   const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = arena_vprintf(edit->arena, fmt, args);
	va_end(args);
	if (!at)
		return err_set(err, ERR_INVALID, "%s: %s", edit->path, text);
	return err_set(err, ERR_INVALID, "%s:%u:%u: %s", edit->path, at->pos.line, at->pos.column,
		       text);
}

static bool reads_as_json(const char *text, size_t len, struct arena *arena)
{
	size_t at = 0;
	struct node *root;
	struct err err = { 0 };

	while (at < len && strchr(" \t\r\n", text[at]))
		at++;
	return at < len && (text[at] == '{' || text[at] == '[') &&
	       json_parse(text, len, arena, &root, &err);
}

static bool first_error(const struct diags *diags, const char *path, struct err *err)
{
	for (size_t i = 0; i < diags->list.n; i++) {
		const struct diag *diag = &diags->list.v[i];

		if (diag->severity == SEVERITY_ERROR)
			return err_set(err, ERR_INVALID, "%s:%u:%u: %s", path, diag->pos.line,
				       diag->pos.column, diag->text);
	}
	return err_set(err, ERR_INVALID, "%s: the text has mistakes", path);
}

bool edit_open(struct edit *edit, const struct source_file *file, struct arena *arena,
	       struct err *err)
{
	struct source_file copy = *file;
	struct diags diags;
	size_t n = 0;

	copy.text = arena_copy(arena, file->len ? file->text : "", file->len);
	*edit = (struct edit){
		.arena = arena, .path = file->path, .text = copy.text, .len = copy.len
	};
	diags_init(&diags, arena);
	yaml_parse(&copy, arena, &edit->documents, &diags);
	if (diags.n_errors)
		return first_error(&diags, file->path, err);
	if (!layout_parse(&copy, arena, &edit->layouts, err))
		return false;
	for (size_t i = 0; i < edit->layouts.n; i++)
		n += !edit->layouts.v[i].is_empty;
	if (n != edit->documents.n)
		return err_set(err, ERR_INVALID, "%s: a document of the file is no mapping",
			       file->path);
	edit->is_json = reads_as_json(copy.text, copy.len, arena);
	return true;
}

bool edit_is_empty(const struct edit *edit)
{
	return edit->documents.n == 0;
}

const struct node *edit_node(const struct edit *edit, const struct edit_path *path)
{
	const struct node *at =
		path->document < edit->documents.n ? edit->documents.v[path->document] : NULL;

	for (size_t i = 0; at && i < path->n; i++) {
		const struct edit_step *step = &path->v[i];

		if (step->key) {
			at = node_get(at, step->key);
			continue;
		}
		at = at->kind == NODE_SEQ && step->index < at->n ? at->first : NULL;
		for (size_t n = step->index; at && n; n--)
			at = at->next;
	}
	return at;
}

const char *edit_where(const struct edit *edit, const struct edit_path *path)
{
	const struct node *at = edit_node(edit, path);

	if (!at)
		return edit->path;
	return arena_printf(edit->arena, "%s:%u:%u", edit->path, at->pos.line, at->pos.column);
}

static bool is_group(const char *api_version, const char *group)
{
	size_t n = strlen(group);

	if (!n)
		return !strchr(api_version, '/');
	return strncmp(api_version, group, n) == 0 && api_version[n] == '/';
}

static bool is_object(const struct node *document, const struct edit_object *object)
{
	const struct node *meta = node_get(document, "metadata");
	const char *api_version = node_text(document, "apiVersion");
	const char *kind = node_text(document, "kind"), *name = node_text(meta, "name");
	const char *ns = node_text(meta, "namespace");

	if (!ns || !*ns)
		ns = object->default_ns;
	return api_version && kind && name && is_group(api_version, object->group) &&
	       strcmp(kind, object->kind) == 0 && strcmp(name, object->name) == 0 &&
	       (!object->ns || (ns && strcmp(ns, object->ns) == 0));
}

static bool take_match(const struct edit *edit, const struct edit_path *path,
		       const struct edit_object *object, struct edit_path *out, bool *is_found,
		       struct err *err)
{
	if (!is_object(edit_node(edit, path), object))
		return true;
	if (*is_found)
		return err_set(err, ERR_INVALID, "%s: a second %s '%s'; the first is at %s",
			       edit_where(edit, path), object->kind, object->name,
			       edit_where(edit, out));
	*out = *path;
	*is_found = true;
	return true;
}

bool edit_find(const struct edit *edit, const struct edit_object *object, struct edit_path *out,
	       bool *is_found, struct err *err)
{
	*is_found = false;
	for (size_t i = 0; i < edit->documents.n; i++) {
		const struct edit_path root = { .document = i }, list = edit_key(&root, "items");
		const struct node *items = edit_node(edit, &list);
		const char *kind = node_text(edit->documents.v[i], "kind");

		if (!take_match(edit, &root, object, out, is_found, err))
			return false;
		if (!kind || strcmp(kind, "List") != 0 || !items || items->kind != NODE_SEQ)
			continue;
		for (size_t n = 0; n < items->n; n++) {
			const struct edit_path item = edit_item(&list, n);

			if (!take_match(edit, &item, object, out, is_found, err))
				return false;
		}
	}
	return true;
}

static char *with_splices(const struct edit *edit, const struct splices *splices, size_t *len)
{
	AUTO_BUF out = BUF_INIT(LIMIT_FILE_BYTES + 1);
	size_t at = 0;

	for (size_t i = 0; i < splices->n; i++) {
		const struct splice *splice = &splices->v[i];

		if (splice->start < at || splice->end < splice->start || splice->end > edit->len)
			return NULL;
		buf_add(&out, edit->text + at, splice->start - at);
		buf_add(&out, splice->bytes, splice->n);
		at = splice->end;
	}
	buf_add(&out, edit->text + at, edit->len - at);
	*len = out.len;
	return out.is_over ? NULL : buf_copy(&out, edit->arena);
}

/* The new text must read as `expected`, and stay JSON where it was. */
static bool try_splices(struct edit *edit, const struct splices *splices,
			const struct documents *expected)
{
	struct source_file file = { .path = edit->path };
	struct err ignored = { 0 };
	struct edit next;

	file.text = with_splices(edit, splices, &file.len);
	if (!file.text || !edit_open(&next, &file, edit->arena, &ignored))
		return false;
	if (!documents_equal(&next.documents, expected) ||
	    (edit->is_json && next.documents.n && !next.is_json))
		return false;
	next.is_json = edit->is_json;
	next.is_changed = true;
	*edit = next;
	return true;
}

static splice_fn *const splicers[] = {
	[CHANGE_REPLACE] = splice_replace,
	[CHANGE_INSERT] = splice_add,
	[CHANGE_APPEND] = splice_add,
	[CHANGE_REMOVE] = splice_remove,
	[CHANGE_REMOVE_DOCUMENT] = splice_remove_document,
	[CHANGE_ADD_DOCUMENT] = splice_add_document,
};
_Static_assert(COUNTOF(splicers) == CHANGE_KINDS, "every change has its splices");

static bool make_change(struct edit *edit, struct change *change, struct err *err)
{
	struct documents expected;

	change_expect(edit, change, &expected);
	for (change->attempt = 0; change->attempt < 2; change->attempt++) {
		struct splices splices = { 0 };

		if (splicers[change->kind](edit, change, &splices) &&
		    try_splices(edit, &splices, &expected))
			return true;
	}
	return refuse(edit, change->at, err,
		      "this cannot be changed without touching what stands around it; edit it by "
		      "hand");
}

static bool is_within(const struct layout *at, const struct layout *holder)
{
	return at->start >= holder->entry && at->end <= holder->end;
}

static bool holds(const struct layout *holder, const struct layout *at)
{
	while (at && at != holder)
		at = at->parent;
	return at != NULL;
}

/*
 * A change at `at` must not show elsewhere: an alias repeats every value that it is the name of, and needs the one that
 * goes. `goes`: what is at `at` is replaced or taken away.
 */
static bool check_anchors(const struct edit *edit, const struct edit_path *path,
			  const struct layout *at, bool goes, struct err *err)
{
	const struct layout_document *document = document_layout(edit, path->document);

	for (size_t i = 0; i < document->aliases.n; i++) {
		const struct layout *alias = document->aliases.v[i], *target = alias->target;
		bool is_needed = goes && target && is_within(target, at) && !is_within(alias, at);

		if (!target || (!is_needed && !holds(target, at)))
			continue;
		if (target == at && goes && is_within(alias, at))
			continue;
		return refuse(edit, target, err,
			      "'&%s' is repeated by '*%s' in line %u: a change here would change "
			      "that "
			      "too; edit it by hand",
			      target->anchor, alias->text, alias->pos.line);
	}
	return true;
}

static const char *step_name(const struct edit *edit, const struct edit_step *step)
{
	return step->key ? arena_printf(edit->arena, "'%s'", step->key)
			 : arena_printf(edit->arena, "item %zu", step->index + 1);
}

/*
 * Walks as far as the text goes: *n steps were found, change->at is the last of them. Refuses aliases on the way, and
 * values that only a merge key gives.
 */
static bool walk(const struct edit *edit, const struct edit_path *path, struct change *change,
		 size_t *n, struct err *err)
{
	const struct layout_document *document = document_layout(edit, path->document);
	struct layout *at = document ? document->root : NULL;

	if (!at)
		return refuse(edit, NULL, err, "there is no document %zu", path->document + 1);
	change->path = (struct edit_path){ .document = path->document };
	for (*n = 0;; (*n)++) {
		const struct edit_step *step = &path->v[*n];
		struct layout *child;

		change->at = at;
		if (at->kind == LAYOUT_ALIAS)
			return refuse(edit, at, err,
				      "'*%s' stands for a value that is written elsewhere; write "
				      "the "
				      "value here or change it at '&%s'",
				      at->text, at->text);
		if (*n == path->n)
			return true;
		child = step->key ? layout_get(at, step->key) : layout_item(at, step->index);
		if (!child) {
			struct edit_path longer_path = longer(&change->path, *step);

			if (edit_node(edit, &longer_path) && *n + 1 < path->n)
				return refuse(
					edit, at, err,
					"%s comes from a merge key ('<<'); write it here first",
					step_name(edit, step));
			return true;
		}
		change->path = longer(&change->path, *step);
		at = child;
	}
}

/* {key: {key: value}} of the steps from `n` on; NULL when one is an index. */
static const struct node *wrap(const struct edit *edit, const struct edit_path *path, size_t n,
			       const struct node *value)
{
	struct node *inner = node_share(edit->arena, value);

	for (size_t i = path->n; i > n; i--) {
		struct node *outer = node_new(edit->arena, NODE_MAP);

		if (!path->v[i - 1].key)
			return NULL;
		node_append(edit->arena, outer, path->v[i - 1].key, inner);
		inner = outer;
	}
	return inner;
}

static bool no_place(const struct edit *edit, const struct change *change,
		     const struct edit_step *step, struct err *err)
{
	const struct node *node = edit_node(edit, &change->path);

	return refuse(edit, change->at, err, "there is no %s here: this is %s",
		      step_name(edit, step), node ? node_kind_name(node->kind) : "nothing");
}

bool edit_set(struct edit *edit, const struct edit_path *path, const struct node *value,
	      struct err *err)
{
	struct change change = { .kind = CHANGE_REPLACE };
	const struct edit_step *step;
	const struct node *now;
	size_t n;

	if (!walk(edit, path, &change, &n, err))
		return false;
	now = edit_node(edit, &change.path);
	step = n < path->n ? &path->v[n] : NULL;
	if (!step && node_equal(now, value))
		return true;
	if (step && now->kind == NODE_MAP && step->key) {
		change.kind = CHANGE_INSERT;
		change.key = step->key;
		n++;
	} else if (step && (now->kind != NODE_NULL || !step->key)) {
		return no_place(edit, &change, step, err);
	}
	change.value = wrap(edit, path, n, value);
	if (!change.value)
		return no_place(edit, &change, &path->v[n], err);
	return check_anchors(edit, &change.path, change.at, change.kind == CHANGE_REPLACE, err) &&
	       make_change(edit, &change, err);
}

bool edit_append(struct edit *edit, const struct edit_path *path, const struct node *value,
		 struct err *err)
{
	struct change change = { .kind = CHANGE_APPEND, .value = value };
	const struct node *now = edit_node(edit, path);
	struct node *list;
	size_t n;

	if (!now || now->kind == NODE_NULL) {
		list = node_new(edit->arena, NODE_SEQ);
		node_push(list, node_share(edit->arena, value));
		return edit_set(edit, path, list, err);
	}
	if (!walk(edit, path, &change, &n, err))
		return false;
	if (n < path->n)
		return refuse(edit, change.at, err,
			      "%s comes from a merge key ('<<'); write it here first",
			      step_name(edit, &path->v[n]));
	if (now->kind != NODE_SEQ)
		return refuse(edit, change.at, err, "this is %s, not a sequence",
			      node_kind_name(now->kind));
	return check_anchors(edit, &change.path, change.at, false, err) &&
	       make_change(edit, &change, err);
}

/* An alias may go, though it may not be changed: the walk ends at its holder. */
bool edit_remove(struct edit *edit, const struct edit_path *path, struct err *err)
{
	struct change change = { .kind = CHANGE_REMOVE };
	struct edit_path holder = *path;
	const struct edit_step *step;
	struct layout *child;
	size_t n;

	if (!path->n)
		return edit_remove_document(edit, path->document, err);
	step = &path->v[--holder.n];
	if (!walk(edit, &holder, &change, &n, err))
		return false;
	child = n < holder.n ? NULL
		: step->key  ? layout_get(change.at, step->key)
			     : layout_item(change.at, step->index);
	if (!child)
		return edit_node(edit, path)
			       ? refuse(edit, change.at, err,
					"%s comes from a merge key ('<<') and cannot be removed "
					"here",
					step_name(edit, step))
			       : no_place(edit, &change, n < holder.n ? &holder.v[n] : step, err);
	if (!check_anchors(edit, path, child, true, err))
		return false;
	change.at = child;
	change.path = *path;
	return make_change(edit, &change, err);
}

bool edit_remove_document(struct edit *edit, size_t document, struct err *err)
{
	struct change change = { .kind = CHANGE_REMOVE_DOCUMENT, .path = { .document = document } };
	const struct layout_document *layout = document_layout(edit, document);

	if (!layout)
		return refuse(edit, NULL, err, "there is no document %zu", document + 1);
	change.at = layout->root;
	return make_change(edit, &change, err);
}

bool edit_add_document(struct edit *edit, const struct node *value, struct err *err)
{
	struct change change = { .kind = CHANGE_ADD_DOCUMENT, .value = value };

	if (edit->is_json)
		return refuse(edit, NULL, err, "a JSON file holds one document only");
	return make_change(edit, &change, err);
}
