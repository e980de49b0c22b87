/* SPDX-License-Identifier: Apache-2.0 */
/* text_diff.h — two texts, of which most lines are the same, as a unified diff. Pure. */
#ifndef MODEL_DOC_TEXT_DIFF_H
#define MODEL_DOC_TEXT_DIFF_H

#include "model/base/buf.h"

struct diff_side {
	const char *name; /* of the file; both NULL: no header */
	const char *text;
	size_t len;
};
/* What `diff -U<context>` says; nothing when they are equal. */
void text_diff(const struct diff_side *before, const struct diff_side *after, size_t context,
	       struct buf *out);

#endif
