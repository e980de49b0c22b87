/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml.h — TOML 1.0.0 text ⇄ tree. Datetimes are NODE_DATETIME with their text; the four kinds are told apart by form.
 * Spec: toml.io/en/v1.0.0
 */
#ifndef MODEL_DOC_TOML_H
#define MODEL_DOC_TOML_H

#include "model/base/buf.h"
#include "model/doc/node.h"

/*
 * ERR_INVALID names line and column: "line 3, column 7: …". Limits: LIMIT_TOML_BYTES, LIMIT_DOC_DEPTH, LIMIT_DOC_NODES.
 * A NUL in a key (written "\u0000") is the two bytes C0 80 in the tree, since keys there are NUL-terminated.
 */
MUST_CHECK bool toml_parse(const char *text, size_t len, struct arena *arena, struct node **out,
			   struct err *err);

/*
 * The layout of the encoder that the reference lifecycle uses: simple keys before tables, two blanks per level of nested
 * tables, a blank line between tables, floats always with '.', keys in the tree's order (sort first where a map was meant).
 * A string with `is_block` gets the escapes of Go's JSON encoder too, as the lifecycle writes the commands of processes.
 * Byte parity with the vectors in the lifecycle suite is the contract.
 */
void toml_print(const struct node *root, struct buf *out);

#endif
