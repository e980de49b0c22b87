/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe.h — the parts that all of oc's descriptions are made of: "Key:<tab>value" lines, "<none>" for nothing, values in
 * several lines. What is put in is aligned when it is finished; foreign text is cleaned of control characters.
 */
#ifndef RECONCILE_REPORT_DESCRIBE_H
#define RECONCILE_REPORT_DESCRIBE_H

#include "model/base/buf.h"
#include "model/doc/field.h"

struct describe {
	struct arena *arena;
	struct buf raw; /* with tabs where cells end */
};

void describe_init(struct describe *describe, struct arena *arena);
/* Aligns, appends to out and releases. */
void describe_finish(struct describe *describe, struct buf *out);
/* As it is: for texts of ours and cleaned ones. */
void describe_put(struct describe *describe, const char *fmt, ...) PRINTF(2, 3);
/* One line, no control characters, no tabs. */
const char *describe_clean(struct describe *describe, const char *text);
/* The same of a line of a file or a log: its tabs are blanks, a carriage return at its end is none. */
const char *describe_line(struct describe *describe, const char *line, size_t n);
/* "<none>" for NULL and "". */
void describe_field(struct describe *describe, const char *key, const char *value);
/* The same for a text of several lines, the second and further ones below the first. */
void describe_text(struct describe *describe, const char *key, const char *text);
/* One per line; nothing at all for an empty list. */
void describe_lines(struct describe *describe, const char *key, const struct strings *values);
/* "key=value", one per line, by key. */
void describe_pairs(struct describe *describe, const char *key, const struct pairs *pairs);
/* The same, with what is called "description" in a field of its own. */
void describe_annotations(struct describe *describe, const struct pairs *pairs);

#endif
