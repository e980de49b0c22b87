/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit_scalars.h — gives many scalars of one text new values at once, by where they stand. Like edit.h: no other byte
 * changes, the new text is read again and must differ in these scalars and nothing else. One parse before, one after,
 * however many there are. Refused: block scalars, aliases, anchored values that an alias repeats, keys. Pure.
 */
#ifndef MODEL_DOC_EDIT_SCALARS_H
#define MODEL_DOC_EDIT_SCALARS_H

#include "model/base/buf.h"
#include "model/doc/diag.h"

struct scalar_edit {
	struct pos pos;       /* of the value, as its node has it */
	const char *old_text; /* what stands there; NULL: anything */
	const char *new_text;
};

/*
 * *out is NUL-terminated and lives in the arena. The same place twice with the same new text counts once; with different
 * ones it is refused. ERR_INVALID "path:line:column: …".
 */
MUST_CHECK bool edit_scalars(const struct source_file *file, const struct scalar_edit *edits,
			     size_t n, struct arena *arena, const char **out, size_t *len,
			     struct err *err);

#endif
