/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag.h — mistakes in texts that people wrote: all of them, with their places.
 *     manifests/cart.yaml:12:5: error: unknown field 'bulid' in Image spec; did you mean 'build'?
 *        12 |     bulid:
 *           |     ^~~~~
 * Pure: rendering gives text, somebody else prints it.
 */
#ifndef MODEL_DOC_DIAG_H
#define MODEL_DOC_DIAG_H

#include "model/base/buf.h"
#include "model/base/vec.h"
#include "model/doc/node.h"

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITIES };

/* A text that was read; lent for as long as its diagnostics are rendered. */
/* clang-format off */
struct source_file {
	const char *path; /* as shown to people, relative to where they stand */
	const char *text; /* the bytes, for the excerpt; may be NULL          */
	size_t len;
};
/* clang-format on */

/* clang-format off */
struct diag {
	enum severity severity;
	const struct source_file *file; /* NULL: about no file           */
	struct pos pos;                 /* line 0: the file as a whole   */
	uint32_t width;                 /* characters to underline, ≥ 1  */
	const char *code;               /* stable word: "unknown-field"  */
	const char *text;
};
/* clang-format on */

/* clang-format off */
struct diags {
	struct arena *arena;
	VEC(struct diag) list;
	size_t n_errors, n_warnings, n_dropped; /* dropped: past LIMIT_DIAGS, counted only */
	bool is_strict;                          /* warnings of unknown fields become errors */
};
/* clang-format on */

void diags_init(struct diags *diags, struct arena *arena);
void diag_add(struct diags *diags, enum severity severity, const char *code,
	      const struct source_file *file, struct pos pos, uint32_t width, const char *fmt, ...)
	PRINTF(7, 8);
/* Moves the entries of `from` behind those of `to` (texts are copied); for loaders that work in parallel. */
void diags_append(struct diags *to, const struct diags *from);
/* Orders by file path, line, column, severity; equal entries once. */
void diags_sort(struct diags *diags);

struct diag_style {
	bool with_color;
	bool with_excerpt;
	/*
	 * Puts the text without what must not be shown; NULL: all may be. Of a line that is too long a part is shown, in which nobody
	 * could find half a secret any more: there is no excerpt of a long line from which this takes something.
	 */
	void (*hide)(const char *text, size_t n, struct buf *out);
};
/* Control characters of the excerpt and the text are shown escaped. */
void diag_render(const struct diag *diag, const struct diag_style *style, struct buf *out);

/* The nearest of the candidates by edit distance (transpositions count one), or NULL when none is near. */
const char *suggest(const char *word, const char *const *candidates, size_t n);

#endif
