/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.h — field tables: one row per field of a struct. From the same rows come decoding with diagnostics, defaults,
 * printing and JSON Schema, so that the editor and the tool never disagree. Knows no kind.
 *
 *     static const struct field git_fields[] = {
 *         { "url",      FIELD_STRING, AT(struct git_source, url), .is_required = true, .doc = "…" },
 *         { "revision", FIELD_STRING, AT(struct git_source, revision) },
 *         { 0 },
 *     };
 *     const struct table git_table = { "GitSource", sizeof(struct git_source), git_fields };
 */
#ifndef MODEL_DOC_FIELD_H
#define MODEL_DOC_FIELD_H

#include "model/base/vec.h"
#include "model/doc/diag.h"
#include "model/doc/node.h"

/* clang-format off */
enum field_type {
	FIELD_STRING,      /* const char *; NULL = absent. A plain number or bool is an error, as in Kubernetes          */
	FIELD_TEXT,        /* const char *; takes any scalar as written (env values, quantities)                         */
	FIELD_ENUM,        /* const char *, one of .values; the canonical spelling                                       */
	FIELD_BOOL,        /* bool                                                                                        */
	FIELD_INT,         /* int64_t within .min … .max (both 0: any)                                                    */
	FIELD_TIME,        /* int64_t, RFC 3339 text; 0 = absent                                                          */
	FIELD_STRUCT,      /* struct in place, by .table                                                                  */
	FIELD_STRUCT_PTR,  /* struct T *, by .table; NULL = absent                                                        */
	FIELD_STRINGS,     /* struct strings                                                                              */
	FIELD_STRUCTS,     /* struct list, elements by .table                                                             */
	FIELD_STRING_MAP,  /* struct pairs: text → text, in written order                                                 */
	FIELD_NODE,        /* const struct node *: kept as read, unknown content (affinity, tolerations, …)              */
	FIELD_IGNORED,     /* accepted and dropped (metadata.managedFields, status in a manifest)                         */
	FIELD_TYPES
};
/* clang-format on */

/* A list of structs: element i is at (char *)v + i * table->size. Use LIST_AT. */
struct list {
	void *v;
	size_t n;
};
#define LIST_AT(list, type, i) (&((type *)(list).v)[i])

/* clang-format off */
struct pair {
	const char *key, *value;
	struct pos pos;
};
/* clang-format on */
struct pairs {
	struct pair *v;
	size_t n, cap;
};
const char *pairs_get(const struct pairs *pairs, const char *key);
bool pairs_equal(const struct pairs *a, const struct pairs *b); /* order does not matter */

struct table;
/* clang-format off */
struct field {
	const char *name;   /* NULL ends the table                                                    */
	enum field_type type;
	size_t offset;
	const struct table *table;
	const char *const *values; /* enums, NULL-terminated                                          */
	const char *deflt;  /* used when absent: text of a scalar; the struct keeps it                */
	int64_t min, max;
	bool is_required;
	bool has_pos;
	size_t pos_offset;  /* where to put a `struct pos` of the value, when has_pos                 */
	size_t given_offset;/* where to put a bool "was written", when .has_given                     */
	bool has_given;
	const char *alias;  /* an old spelling that is read as this one (v1alpha1), with no warning   */
	const char *doc;    /* one sentence, for schema and docs                                      */
};
/* clang-format on */
/* clang-format off */
struct table {
	const char *name; /* shown in messages: "unknown field 'x' in Image spec" */
	size_t size;
	const struct field *fields; /* at most TABLE_FIELDS rows */
	bool has_pos;               /* the struct keeps its own place, for elements of lists */
	size_t pos_offset;          /* POS(type, member) works here too                      */
};
/* clang-format on */
enum { TABLE_FIELDS = 256 };
#define AT(type, member)  offsetof(type, member)
#define POS(type, member) .has_pos = true, .pos_offset = offsetof(type, member)

/*
 * Decodes `node` (a mapping; anything else is a diagnostic) into the zeroed struct at `out`. Every mistake is reported,
 * none stops the others: wrong types, missing required fields ("missing field(s): spec.tag" at the parent's key), values
 * not in the enum, unknown fields (warning, or error when strict, with a did-you-mean from the same table). A null is an
 * absent value. Defaults also fill FIELD_STRUCTs that are absent. `path` is the field path so far ("spec"), "" at the
 * root. Texts are lent from the tree; its nodes are not needed afterwards. Codes: unknown-field, missing-field, wrong-type, unsupported-value, out-of-range.
 */
void fields_decode(const struct table *table, const struct node *node, const char *path, void *out,
		   struct arena *arena, const struct source_file *file, struct diags *diags);
/* For trees that nobody wrote by hand (state, worker requests, registry JSON): the first mistake is an ERR_INVALID; unknown fields pass. */
MUST_CHECK bool fields_read(const struct table *table, const struct node *node, void *out,
			    struct arena *arena, struct err *err);
/*
 * The other way, so that decoding gives the same struct again. Left out: NULL, 0 items, structs in place that come out
 * empty, false and 0 of rows without default, and with .has_given what is not written and equals the default. Required
 * scalars are always there. Texts are copied.
 */
struct node *fields_encode(const struct table *table, const void *in, struct arena *arena);
/*
 * JSON Schema (draft-07) of the table: type object, properties, required, enums, defaults, docs as descriptions; other
 * properties are refused. Old spellings (.alias) are deprecated properties. Tables must not contain themselves.
 */
struct node *fields_schema(const struct table *table, struct arena *arena);

#endif
