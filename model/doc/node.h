/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.h — one tree for YAML, JSON and TOML texts. Every node knows where it was written.
 * Invariants: children form a list in written order; in a mapping each child has `key`; keys are unique.
 * `text` is the decoded scalar, NUL-terminated, `len` without the NUL (a text may hold NULs: compare with len).
 * Nodes live in the arena given to the parser.
 */
#ifndef MODEL_DOC_NODE_H
#define MODEL_DOC_NODE_H

#include <stdint.h>

#include "model/base/arena.h"

struct pos {
	uint32_t line, column; /* from 1, in characters; 0 = made by us, not read */
};

/* clang-format off */
enum node_kind {
	NODE_NULL,
	NODE_BOOL,     /* i is 0 or 1 */
	NODE_INT,      /* i           */
	NODE_FLOAT,    /* f           */
	NODE_STRING,   /* text        */
	NODE_DATETIME, /* TOML only: text as written, already checked */
	NODE_SEQ,
	NODE_MAP,
	NODE_KINDS
};
/* clang-format on */

/* clang-format off */
struct node {
	enum node_kind kind;
	bool is_plain;        /* YAML: an unquoted scalar: its text may be taken as a string        */
	bool is_block;        /* YAML: block scalar, or mapping and sequence without braces         */
	uint32_t len;         /* bytes of text                                                      */
	uint32_t n;           /* children                                                           */
	struct pos pos, end;  /* first character; just behind the last                              */
	struct pos key_pos;
	const char *key;      /* in a mapping; NUL-terminated, no NUL inside                        */
	const char *text;     /* scalars: as decoded (plain numbers: as written)                    */
	struct node *first, *next;
	union {               /* by kind: a tree of 10,000 manifests should stay small              */
		int64_t i;
		double f;
		struct node *last; /* of sequences and mappings                              */
	};
};
/* clang-format on */
_Static_assert(sizeof(struct node) <= 80, "nodes are many: keep them small");

const char *node_kind_name(enum node_kind kind); /* "a string", "a mapping", … for messages */

/* The child of a mapping, or NULL (also when `map` is NULL or no mapping). */
const struct node *node_get(const struct node *map, const char *key);
/* Several steps: node_at(root, "spec", "source", "git", NULL). */
const struct node *node_at(const struct node *root, ...) __attribute__((sentinel));
/* The text of a string child, else NULL. */
const char *node_text(const struct node *map, const char *key);

/*
 * Building trees. Keys and texts are copied; values are not: one value, one parent.
 * node_set replaces the child of that key, so it looks through the mapping; node_append is for keys known to be new.
 */
struct node *node_new(struct arena *arena, enum node_kind kind);
struct node *node_string(struct arena *arena, const char *text);
struct node *node_int(struct arena *arena, int64_t value);
struct node *node_bool(struct arena *arena, bool value);
void node_set(struct arena *arena, struct node *map, const char *key, struct node *value);
void node_append(struct arena *arena, struct node *map, const char *key, struct node *value);
/* NULL text: nothing is set. */
void node_set_text(struct arena *arena, struct node *map, const char *key, const char *text);
void node_push(struct node *seq, struct node *value);
struct node *node_clone(struct arena *arena, const struct node *node);
/* A copy of the nodes only: keys and texts are those of the original. */
struct node *node_share(struct arena *arena, const struct node *node);
/* Orders the keys of all mappings by bytes, in place. */
void node_sort_keys(struct node *node);
/* Same kind and value, order of mapping keys ignored; int and float differ. */
bool node_equal(const struct node *a, const struct node *b);

#endif
