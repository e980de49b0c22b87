/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml_lex.h — a TOML text being read, and how its characters are taken. Used by toml.c only.
 * A function that fails has set `err` with line and column.
 */
#ifndef MODEL_DOC_TOML_LEX_H
#define MODEL_DOC_TOML_LEX_H

#include "model/base/buf.h"
#include "model/doc/node.h"

struct toml_text {
	const char *text;
	size_t len, at;
	uint32_t line;
	size_t mark_at; /* `mark_column` is the column of this byte */
	uint32_t mark_column;
	size_t n_nodes;
	struct arena *arena;
	struct err *err;
};

/* Refuses what no TOML text may hold anywhere (malformed UTF-8, control characters), then goes to
 * the first character. */
MUST_CHECK bool toml_check(struct toml_text *p);

struct pos toml_pos(struct toml_text *p, size_t at);
/* Fails at the present place; false. */
bool toml_fail(struct toml_text *p, const char *text);

/* NUL at the end. */
char toml_peek(const struct toml_text *p);
bool toml_at(const struct toml_text *p, const char *text);
bool toml_take(struct toml_text *p, char c);
/* A line end, LF or CRLF. */
bool toml_take_newline(struct toml_text *p);
void toml_skip_blanks(struct toml_text *p);
/* Blanks, then a comment up to its line end. */
void toml_skip_comment(struct toml_text *p);
/* Blanks, comments and line ends. */
void toml_skip_space(struct toml_text *p);

/* A string in either kind of quotes; triple quotes only where it may span lines. */
MUST_CHECK bool toml_read_string(struct toml_text *p, bool may_span_lines, struct buf *out);

#endif
