/* links: model_doc */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_field.c — YAML into structs with rows of every type: no crash, no use of the tree once it is freed, and what was
 * decoded without mistake survives encode → read → encode.
 */
#include <stdint.h>
#include <stdlib.h>

#include "model/doc/field.h"
#include "model/doc/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct part {
	struct pos pos;
	const char *name, *value;
};
struct whole {
	const char *text, *scalar, *choice;
	bool flag, is_flag_given;
	int64_t number, time;
	struct part part;
	struct part *more;
	struct strings list;
	struct list parts;
	struct pairs pairs;
	const struct node *any;
};

static const char *const choices[] = { "one", "two", NULL };
/* clang-format off */
static const struct field part_fields[] = {
	{ "name",  FIELD_STRING, AT(struct part, name), .is_required = true },
	{ "value", FIELD_TEXT,   AT(struct part, value), .deflt = "x" },
	{ 0 },
};
static const struct table part_table = { "Part", sizeof(struct part), part_fields, POS(struct part, pos) };
static const struct field whole_fields[] = {
	{ "t", FIELD_STRING,     AT(struct whole, text), .alias = "text" },
	{ "s", FIELD_TEXT,       AT(struct whole, scalar) },
	{ "c", FIELD_ENUM,       AT(struct whole, choice), .values = choices },
	{ "f", FIELD_BOOL,       AT(struct whole, flag), .has_given = true,
	                         .given_offset = offsetof(struct whole, is_flag_given) },
	{ "n", FIELD_INT,        AT(struct whole, number), .min = -5, .max = 500, .deflt = "7" },
	{ "d", FIELD_TIME,       AT(struct whole, time) },
	{ "p", FIELD_STRUCT,     AT(struct whole, part), .table = &part_table },
	{ "m", FIELD_STRUCT_PTR, AT(struct whole, more), .table = &part_table },
	{ "l", FIELD_STRINGS,    AT(struct whole, list) },
	{ "q", FIELD_STRUCTS,    AT(struct whole, parts), .table = &part_table },
	{ "k", FIELD_STRING_MAP, AT(struct whole, pairs) },
	{ "a", FIELD_NODE,       AT(struct whole, any) },
	{ "i", FIELD_IGNORED },
	{ 0 },
};
static const struct table whole_table = { "Whole", sizeof(struct whole), whole_fields };
/* clang-format on */

static void check_encoded(const struct whole *whole, struct arena *arena)
{
	struct node *tree = fields_encode(&whole_table, whole, arena);
	struct whole back = { 0 };
	struct err err;

	/* A part that is absent has the defaults but no name, which it needs when it is there. */
	if (!whole->part.name)
		return;
	if (!fields_read(&whole_table, tree, &back, arena, &err))
		abort();
	if (!node_equal(fields_encode(&whole_table, &back, arena), tree))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source_file file = { "input", (const char *)data, size };
	struct arena *trees = arena_new(), *arena = arena_new();
	struct whole whole = { 0 };
	struct documents documents;
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse_split(&file, trees, arena, &documents, &diags);
	if (documents.n)
		fields_decode(&whole_table, documents.v[0], "", &whole, arena, &file, &diags);
	arena_free(trees);
	diags_sort(&diags);
	if (documents.n && !diags.n_errors)
		check_encoded(&whole, arena);
	arena_free(arena);
	return 0;
}
