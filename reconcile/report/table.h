/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h — kp's tables and status blocks: columns four blanks apart, values of a block in one column, "--" for nothing.
 * Layout: kpack.md §5.1 (Go tabwriter: minimum 0, tab 4, padding 4, blanks).
 */
#ifndef RECONCILE_REPORT_TABLE_H
#define RECONCILE_REPORT_TABLE_H

#include "model/base/buf.h"
#include "model/base/vec.h"

enum { TABLE_COLUMNS = 12 };

struct table_row {
	const char *cells[TABLE_COLUMNS];
};
struct text_table {
	struct arena *arena;
	size_t n_columns;
	VEC(struct table_row) rows; /* the header first */
};

void text_table_init(struct text_table *table, struct arena *arena, const char *const *header,
		     size_t n);
/* Cells as many as columns; NULL prints as nothing. */
void text_table_add(struct text_table *table, const char *const *cells);
/* Rows and an empty line. */
void text_table_print(const struct text_table *table, struct buf *out);

/* Lines "Key:    value"; an empty value shows as "--"; a NULL key is an empty line, a key without value (NULL) a heading. */
struct block_line {
	const char *key, *value;
};
void block_print(const struct block_line *lines, size_t n, struct buf *out);

#endif
