/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit_print.h — values as text that fits the text around them: its indentation, its line ends, block or flow style, JSON.
 * Strings are plain where every reader takes them for strings, else in double quotes.
 */
#ifndef MODEL_DOC_EDIT_PRINT_H
#define MODEL_DOC_EDIT_PRINT_H

#include "model/base/buf.h"
#include "model/doc/layout.h"

struct edit_style {
	const char *eol;
	unsigned map_step; /* columns from a mapping to a mapping in it */
	unsigned
		seq_step; /* columns from a mapping's keys to the dashes of a sequence in it: often 0 */
	bool is_json;
	bool is_tight; /* JSON: no blanks behind ':' and ',' */
};

/* From what the document shows first, else what kubectl prints; the line end is the text's first one. */
void edit_style_find(const struct layout *root, const char *text, size_t len,
		     struct edit_style *out);

/* True for mappings and sequences with children. */
bool edit_is_tree(const struct node *value);
/* On one line, with braces. */
void edit_print_flow(const struct node *value, const struct edit_style *style, struct buf *out);
/* A scalar (or {} or []) in a wanted quoting style, or in another where that cannot say it. */
void edit_print_scalar(const struct node *value, enum layout_style wanted, bool is_flow,
		       const struct edit_style *style, struct buf *out);
/* Lines of which the first has no indentation and the last no line end; for trees. */
void edit_print_block(const struct node *value, unsigned column, const struct edit_style *style,
		      struct buf *out);
/* "key: value" with what follows at `column`. */
void edit_print_entry(const char *key, const struct node *value, unsigned column,
		      const struct edit_style *style, struct buf *out);
void edit_print_key(const char *key, bool is_flow, const struct edit_style *style, struct buf *out);
void edit_put_blanks(unsigned n, struct buf *out);

#endif
