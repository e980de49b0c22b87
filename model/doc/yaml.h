/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml.h — YAML text (JSON is a part of it) into trees, and trees into YAML of one fixed shape.
 * Scalars by the YAML 1.2 core schema; anchors, aliases and merge keys ("<<") are resolved, duplicate keys are errors;
 * tags other than the core ones are errors. Limits: model/base/limits.h.
 */
#ifndef MODEL_DOC_YAML_H
#define MODEL_DOC_YAML_H

#include "model/base/buf.h"
#include "model/doc/diag.h"
#include "model/doc/node.h"

struct documents {
	struct node **v; /* empty documents are left out */
	size_t n, cap;
};

/*
 * All documents of a file. Problems go to `diags`; the documents before the first syntax error are still given.
 * Trees and texts live in `arena`; the file's text need not outlive the call, except for rendering diagnostics.
 */
void yaml_parse(const struct source_file *file, struct arena *arena, struct documents *out,
		struct diags *diags);
/*
 * The same with the trees, which are most of the memory, in an arena of their own, to be freed as soon as they are
 * decoded: decoded structs refer to texts only (fields_decode copies the nodes of FIELD_NODE, not their texts).
 */
void yaml_parse_split(const struct source_file *file, struct arena *trees, struct arena *texts,
		      struct documents *out, struct diags *diags);

/*
 * Deterministic text: block style, two blanks, keys in the tree's order, LF, strings quoted exactly where YAML 1.1 or
 * 1.2 would read another type, multi-line strings as literal blocks; empty mappings and sequences as {} and [].
 * A sequence or mapping of scalars is never folded. The result parses back to an equal tree.
 */
void yaml_print(const struct node *node, struct buf *out);

#endif
