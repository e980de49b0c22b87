/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.h — where everything stands in a YAML text, in bytes: what an editor needs and a reader does not. Aliases stay
 * aliases, merge keys stay keys, comments are between the values. For texts that yaml_parse has taken without an error.
 */
#ifndef MODEL_DOC_LAYOUT_H
#define MODEL_DOC_LAYOUT_H

#include "model/base/vec.h"
#include "model/doc/diag.h"

enum layout_kind { LAYOUT_SCALAR, LAYOUT_ALIAS, LAYOUT_MAP, LAYOUT_SEQ };
enum layout_style { LAYOUT_PLAIN, LAYOUT_SINGLE, LAYOUT_DOUBLE, LAYOUT_BLOCK };

/* Offsets are bytes from the start of the text. entry ≤ mark ≤ start ≤ content ≤ end. */
/* clang-format off */
struct layout {
	enum layout_kind kind;
	enum layout_style style; /* of scalars                                                     */
	bool is_flow;            /* a mapping or sequence with braces                              */
	uint32_t n;              /* children                                                       */
	uint32_t column;         /* of a block mapping's keys or a block sequence's dashes, from 0 */
	struct pos pos;
	size_t entry;   /* of a child: its key or its dash (in flow: the value itself)             */
	size_t mark;    /* of a child: just behind its ':' or '-'                                  */
	size_t start;   /* of anchor and tag, where there are some                                 */
	size_t content; /* of the value itself                                                     */
	size_t end;     /* behind its last character; never behind a line end                      */
	const char *text;        /* of scalars: decoded                                            */
	const char *anchor;      /* NULL: none                                                     */
	const struct layout *target; /* of aliases: the anchored value                             */
	struct layout *key;      /* in a mapping; owns no place in the list of children            */
	struct layout *parent, *first, *last, *prev, *next;
};

struct layout_document {
	size_t start;        /* of "---", or of the first value                                    */
	size_t end;          /* of "...", or where the next document starts, or of the text        */
	bool is_empty;       /* nothing or null: yaml_parse leaves it out                          */
	struct layout *root; /* NULL: nothing                                                      */
	VEC(const struct layout *) aliases;
};
/* clang-format on */

struct layouts {
	struct layout_document *v;
	size_t n, cap;
};

/* ERR_INVALID where libyaml does not take what the JSON reader took (escaped surrogate pairs). */
MUST_CHECK bool layout_parse(const struct source_file *file, struct arena *arena,
			     struct layouts *out, struct err *err);

/* The value of a key as written here, not through '<<'; NULL: none. */
struct layout *layout_get(const struct layout *map, const char *key);
struct layout *layout_item(const struct layout *seq, size_t index);

/* The first character from `at` on that is no blank, line end or comment; `len` when there is none. */
size_t layout_skip(const char *text, size_t len, size_t at);
/* Where the line of `at` ends, without its line end; where it starts (behind a byte order mark). */
size_t layout_line_end(const char *text, size_t len, size_t at);
size_t layout_line_start(const char *text, size_t at);
/* Behind the line end that stands at `at` (LF, CRLF or CR); `at` when there is none. */
size_t layout_next_line(const char *text, size_t len, size_t at);

#endif
