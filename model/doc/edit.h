/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit.h — changes values in a YAML (or JSON) text that people wrote and leaves every other byte as it is: comments, order,
 * quotes, line ends, byte order mark, anchors, other documents. Works by cutting bytes out of the text and putting others in.
 * Every change is checked by reading the text before and after: the trees may differ in what was asked for and nothing
 * else, or the change is refused. Refused too: values behind an alias, values that an alias elsewhere repeats, keys that
 * come from '<<'. Pure: who reads and writes the file is somebody else.
 */
#ifndef MODEL_DOC_EDIT_H
#define MODEL_DOC_EDIT_H

#include "model/doc/layout.h"
#include "model/doc/yaml.h"

enum { EDIT_DEPTH = 16 };

/* A place: a document of the text, then keys and indexes. */
struct edit_step {
	const char *key; /* NULL: an item of a sequence */
	size_t index;
};
struct edit_path {
	size_t document; /* among those that are not empty */
	size_t n;
	struct edit_step v[EDIT_DEPTH];
};
struct edit_path edit_key(const struct edit_path *path, const char *key);
struct edit_path edit_item(const struct edit_path *path, size_t index);

struct edit {
	struct arena *arena;
	const char *path; /* for messages */
	const char *text; /* as it is by now */
	size_t len;
	struct documents documents; /* of the text, as readers see it */
	struct layouts layouts;
	bool is_json; /* must stay JSON */
	bool is_changed;
};

/*
 * Opens a text, which may be empty. Everything lives in `arena`. ERR_INVALID with "path:line:column: …" when it has
 * mistakes. All functions below change `edit` only when they return true; errors are ERR_INVALID and say where.
 */
MUST_CHECK bool edit_open(struct edit *edit, const struct source_file *file, struct arena *arena,
			  struct err *err);

struct edit_object {
	const char *group; /* of apiVersion: "kpack.io"; "" for core */
	const char *kind, *name;
	const char *ns; /* NULL: any. Documents that say none are in `default_ns` */
	const char *default_ns;
};
/*
 * The object's document, or its item in a `kind: List`; *is_found says whether it is there. ERR_INVALID when there are
 * two.
 */
MUST_CHECK bool edit_find(const struct edit *edit, const struct edit_object *object,
			  struct edit_path *out, bool *is_found, struct err *err);
/* As readers see it, or NULL. */
const struct node *edit_node(const struct edit *edit, const struct edit_path *path);
/* Where it stands in the text: "path:line:column". */
const char *edit_where(const struct edit *edit, const struct edit_path *path);

/*
 * Makes `value` the value of a key, which may be absent, as may be the mappings around it. A scalar keeps its quoting
 * style where the new text allows it. The same value again changes nothing.
 */
MUST_CHECK bool edit_set(struct edit *edit, const struct edit_path *path, const struct node *value,
			 struct err *err);
/* Takes a key or an item away with its own lines and the comment behind it. What it was the only child of is then {} or []. */
MUST_CHECK bool edit_remove(struct edit *edit, const struct edit_path *path, struct err *err);
/* Adds an item at the end of a sequence, which may be absent, null or empty. */
MUST_CHECK bool edit_append(struct edit *edit, const struct edit_path *path,
			    const struct node *value, struct err *err);
/* A document with all that stands between its markers. */
MUST_CHECK bool edit_remove_document(struct edit *edit, size_t document, struct err *err);
MUST_CHECK bool edit_add_document(struct edit *edit, const struct node *value, struct err *err);
/* No document is left (comments may be). */
bool edit_is_empty(const struct edit *edit);

#endif
