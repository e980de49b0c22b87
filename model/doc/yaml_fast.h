/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_fast.h — a reader for the YAML that people and programs mostly write, several times as fast as a general one: block
 * mappings and sequences, scalars that stand on one line, literal blocks, braces and brackets that close on their line,
 * comments, several documents. It gives up on everything else, on every mistake and on every doubt, so that what it does
 * accept cannot be read in two ways; the general reader (yaml.c) then has the word, and words the errors.
 * Inside of model/doc: yaml_parse asks it first.
 */
#ifndef MODEL_DOC_YAML_FAST_H
#define MODEL_DOC_YAML_FAST_H

#include "model/doc/yaml.h"

/*
 * All documents of a file, as yaml_parse_split gives them. False: not of that shape; *out is as it was, and what was
 * allocated is left in the arenas.
 */
bool yaml_fast_parse(const struct source_file *file, struct arena *trees, struct arena *texts,
		     struct documents *out);
/* What yaml_parse_split does without this reader, to compare. */
void yaml_parse_general(const struct source_file *file, struct arena *trees, struct arena *texts,
			struct documents *out, struct diags *diags);

/* ---- between yaml_fast.c (lines and blocks) and yaml_fast_value.c (what stands on one line) ---- */

struct fast_reader {
	char *at, *end; /* what comes next; a line end stands at end[-1], a NUL at end[0] */
	char *line_start;
	uint32_t line;
	unsigned indent; /* of the line at hand: blanks before its first character */
	bool is_over;    /* no further line of this document */
	bool is_cut;     /* the text's last line had no end: it got one */
	bool is_wide;    /* there are characters beyond ASCII: columns are counted */
	unsigned depth;
	uint32_t n_nodes;
	struct arena *trees, *scratch; /* scratch: indexes of large mappings; NULL until needed */
};

/* A text of one line. `text` to `end` is what it says once taken; [from, to) is where it stands. */
struct fast_span {
	char *text, *end, *from, *to;
	bool is_plain;
};

struct pos fast_here(const struct fast_reader *r, const char *at);
/* NULL: too many. */
struct node *fast_node(struct fast_reader *r, enum node_kind kind, const char *at);
/* A key or scalar at the cursor, which goes behind it, and behind the ':' of a key. In braces other characters end it. */
bool fast_scan(struct fast_reader *r, bool is_flow, struct fast_span *out, bool *is_key);
struct keys;
/* Makes the span a key of the mapping; false for a key twice, too long, or of another meaning. */
bool fast_take_key(struct fast_reader *r, const struct fast_span *key, struct keys *keys,
		   const struct node *map);
/* A scalar, to be finished, or what is in braces; the cursor ends behind it, on its line. */
struct node *fast_value(struct fast_reader *r);
/*
 * Ends a scalar's text by a NUL and makes of it what it means. Only once the character behind the text has been passed:
 * the NUL may take its place.
 */
void fast_finish(struct node *node);

#endif
