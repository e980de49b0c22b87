/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml_scalar.h — the scalars of TOML that are written without quotes: booleans, numbers, points in
 * time. Pure forms; used by toml.c and toml_print.c only.
 */
#ifndef MODEL_DOC_TOML_SCALAR_H
#define MODEL_DOC_TOML_SCALAR_H

#include "model/doc/node.h"

/* The form of a date, a time or both; toml_print needs the parts. */
struct toml_moment {
	bool has_date, has_time, has_offset;
	/* where the parts begin; the fraction with its dot */
	size_t time_at, fraction_at, offset_at;
	size_t end;
};

/* False when `text` is not exactly one of the four kinds of TOML 1.0.0 with values that exist in
 * the calendar. */
bool toml_moment_parse(const char *text, size_t len, struct toml_moment *out);

/*
 * Fills kind and value of `node` from a token. False: `*problem` says what is wrong with it.
 * The caller sets text and positions.
 */
bool toml_scalar(const char *token, size_t len, struct node *node, const char **problem);

#endif
