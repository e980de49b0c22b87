/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tabwriter.h — aligns text whose cells end with a tab, as Go's text/tabwriter does and so as oc and kubectl print. A column
 * is a run of lines that have a cell there; what stands behind a line's last tab belongs to no column. Pure.
 */
#ifndef RECONCILE_REPORT_TABWRITER_H
#define RECONCILE_REPORT_TABWRITER_H

#include "model/base/buf.h"

struct tab_style {
	size_t min_width, tab_width, padding;
	char pad; /* '\t': cells are filled up with tabs to multiples of tab_width */
};
extern const struct tab_style tab_describe; /* describe: 0, 8, 1, tabs */
extern const struct tab_style tab_get;      /* get: 10, 4, 3, blanks */

/* `text` of any lines; widths count characters, not bytes. */
void tab_align(const char *text, const struct tab_style *style, struct buf *out);

#endif
