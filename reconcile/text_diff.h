/* SPDX-License-Identifier: Apache-2.0 */
/* text_diff.h — two texts as one hunk of a unified diff. Pure. */
#ifndef RECONCILE_TEXT_DIFF_H
#define RECONCILE_TEXT_DIFF_H

#include "model/base/buf.h"

struct diff_side {
	const char *name; /* of the file; both NULL: no header */
	const char *text;
	size_t len;
};
void text_diff(const struct diff_side *before, const struct diff_side *after, struct buf *out);

#endif
