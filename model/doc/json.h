/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h — JSON text ⇄ tree. Strict (RFC 8259): UTF-8, no comments, no trailing commas, duplicate keys refused,
 * depth at most LIMIT_DOC_DEPTH. Numbers without '.' and exponent that fit become NODE_INT, others NODE_FLOAT; `text`
 * keeps them as written.
 */
#ifndef MODEL_DOC_JSON_H
#define MODEL_DOC_JSON_H

#include "model/base/buf.h"
#include "model/doc/node.h"

/* The whole text must be one value. ERR_INVALID names line and column: "line 3, column 7: …". */
MUST_CHECK bool json_parse(const char *text, size_t len, struct arena *arena, struct node **out,
			   struct err *err);

enum json_style {
	JSON_COMPACT, /* no blanks                                                                */
	JSON_PRETTY,  /* two blanks, for people                                                   */
	JSON_GO,      /* compact, and <, >, &, U+2028, U+2029 escaped as Go's encoder does        */
	JSON_TYPED,   /* as JSON_GO, and floats have a '.' or an exponent: they come back as such */
};
/* Keys in the tree's order. Floats print the shortest text that reads back the same, always a valid JSON number. */
void json_print(const struct node *node, enum json_style style, struct buf *out);
/* One string with its quotes. */
void json_print_string(const char *text, size_t len, enum json_style style, struct buf *out);

#endif
