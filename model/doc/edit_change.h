/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit_change.h — inside of the editor: one change as a value, the bytes it costs (edit_put.c, edit_cut.c) and the trees
 * it must lead to (edit_check.c).
 */
#ifndef MODEL_DOC_EDIT_CHANGE_H
#define MODEL_DOC_EDIT_CHANGE_H

#include "model/doc/edit.h"
#include "model/doc/edit_print.h"

enum change_kind {
	CHANGE_REPLACE,         /* the value at `path`                      */
	CHANGE_INSERT,          /* a key that the mapping at `path` has not */
	CHANGE_APPEND,          /* an item of the sequence at `path`        */
	CHANGE_REMOVE,          /* what is at `path`                        */
	CHANGE_REMOVE_DOCUMENT, /* path.document                            */
	CHANGE_ADD_DOCUMENT,
	CHANGE_KINDS
};

struct change {
	enum change_kind kind;
	struct edit_path path;
	const char *key;          /* INSERT */
	const struct node *value; /* what is put in */
	struct layout *at;        /* what is at `path` */
	unsigned attempt;         /* 0, then 1: another place for the same change */
};

/* bytes [start, end) give way to n others; in order, without overlaps. */
struct splice {
	size_t start, end, n;
	const char *bytes;
};
struct splices {
	struct splice v[4];
	size_t n;
};

/* False: there is no such attempt. */
typedef bool splice_fn(const struct edit *edit, const struct change *change, struct splices *out);
splice_fn splice_replace, splice_add, splice_remove, splice_remove_document, splice_add_document;

void splice_add_bytes(struct splices *out, size_t start, size_t end, const char *bytes, size_t n);
void splice_add_buf(struct splices *out, const struct edit *edit, size_t start, size_t end,
		    const struct buf *bytes);
/* The style around `at`, with the line end of its line. */
struct edit_style style_at(const struct edit *edit, const struct layout *at);
/* Where the value at `at` is followed by nothing but a comment up to here. */
size_t line_end_of(const struct edit *edit, size_t at);
/* Nothing but blanks stands before `at` on its line. */
bool is_first_on_line(const struct edit *edit, size_t at);
/* The document of the text that readers count as number `document`; NULL: none. */
struct layout_document *document_layout(const struct edit *edit, size_t document);

/* The trees that a reader must find afterwards; only changed ones are copies. */
void change_expect(const struct edit *edit, const struct change *change, struct documents *out);
bool documents_equal(const struct documents *a, const struct documents *b);

#endif
