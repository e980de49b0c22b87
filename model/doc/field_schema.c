/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field_schema.c — field tables as JSON Schema, draft-07 (the draft that editors' YAML plug-ins
 * know). Spec: json-schema.org/draft-07. "deprecated" is of a later draft and an annotation only;
 * editors show it.
 */
#include "model/doc/field.h"

#include <stdlib.h>
#include <string.h>

enum { SCHEMA_DEPTH = 32 };

static const struct {
	const char *type, *format;
} shapes[] = {
	[FIELD_STRING] = { "string" },
	[FIELD_TEXT] = { NULL }, /* any scalar, see add_scalar_types */
	[FIELD_ENUM] = { "string" },
	[FIELD_BOOL] = { "boolean" },
	[FIELD_INT] = { "integer" },
	[FIELD_TIME] = { "string", "date-time" },
	[FIELD_STRUCT] = { "object" },
	[FIELD_STRUCT_PTR] = { "object" },
	[FIELD_STRINGS] = { "array" },
	[FIELD_STRUCTS] = { "array" },
	[FIELD_STRING_MAP] = { "object" },
	[FIELD_NODE] = { NULL },
	[FIELD_IGNORED] = { NULL },
};
_Static_assert(COUNTOF(shapes) == FIELD_TYPES, "a shape for every type");

static void table_schema(const struct table *table, unsigned depth, struct node *schema,
			 struct arena *arena);

static struct node *typed(const char *type, struct arena *arena)
{
	struct node *schema = node_new(arena, NODE_MAP);

	node_set_text(arena, schema, "type", type);
	return schema;
}

static void add_scalar_types(struct node *schema, struct arena *arena)
{
	struct node *types = node_new(arena, NODE_SEQ);

	node_push(types, node_string(arena, "string"));
	node_push(types, node_string(arena, "number"));
	node_push(types, node_string(arena, "boolean"));
	node_set(arena, schema, "type", types);
}

static void add_values(const struct field *field, struct node *schema, struct arena *arena)
{
	struct node *values = node_new(arena, NODE_SEQ);

	for (size_t i = 0; field->values[i]; i++)
		node_push(values, node_string(arena, field->values[i]));
	node_set(arena, schema, "enum", values);
}

/* The bounds that decode_int checks. */
static void add_bounds(const struct field *field, struct node *schema, struct arena *arena)
{
	if (!field->min && !field->max)
		return;
	node_set(arena, schema, "minimum", node_int(arena, field->min));
	if (field->max >= field->min)
		node_set(arena, schema, "maximum", node_int(arena, field->max));
}

static void add_default(const struct field *field, struct node *schema, struct arena *arena)
{
	struct node *value;

	if (!field->deflt)
		return;
	if (field->type == FIELD_BOOL)
		value = node_bool(arena, strcmp(field->deflt, "true") == 0);
	else if (field->type == FIELD_INT)
		value = node_int(arena, strtoll(field->deflt, NULL, 10));
	else
		value = node_string(arena, field->deflt);
	node_set(arena, schema, "default", value);
}

static struct node *field_schema(const struct field *field, unsigned depth, struct arena *arena)
{
	struct node *schema = node_new(arena, NODE_MAP), *items;

	node_set_text(arena, schema, "description", field->doc);
	node_set_text(arena, schema, "type", shapes[field->type].type);
	node_set_text(arena, schema, "format", shapes[field->type].format);
	add_default(field, schema, arena);
	if (field->type == FIELD_TEXT)
		add_scalar_types(schema, arena);
	if (field->type == FIELD_ENUM)
		add_values(field, schema, arena);
	if (field->type == FIELD_INT)
		add_bounds(field, schema, arena);
	if (field->type == FIELD_STRUCT || field->type == FIELD_STRUCT_PTR)
		table_schema(field->table, depth + 1, schema, arena);
	if (field->type == FIELD_STRING_MAP)
		node_set(arena, schema, "additionalProperties", typed("string", arena));
	if (field->type == FIELD_STRINGS)
		node_set(arena, schema, "items", typed("string", arena));
	if (field->type == FIELD_STRUCTS) {
		items = typed("object", arena);
		table_schema(field->table, depth + 1, items, arena);
		node_set(arena, schema, "items", items);
	}
	return schema;
}

static void add_alias(const struct field *field, unsigned depth, struct node *properties,
		      struct arena *arena)
{
	struct node *schema = field_schema(field, depth, arena);

	node_set(arena, schema, "description",
		 node_string(arena, arena_printf(arena, "Old spelling of '%s'.", field->name)));
	node_set(arena, schema, "deprecated", node_bool(arena, true));
	node_set(arena, properties, field->alias, schema);
}

static struct node *requires(const char *name, struct arena *arena)
{
	struct node *schema = node_new(arena, NODE_MAP), *names = node_new(arena, NODE_SEQ);

	node_push(names, node_string(arena, name));
	node_set(arena, schema, "required", names);
	return schema;
}

/* A required field with an old spelling: one of the two. */
static struct node *either_name(const struct field *field, struct arena *arena)
{
	struct node *schema = node_new(arena, NODE_MAP), *any = node_new(arena, NODE_SEQ);

	node_push(any, requires(field->name, arena));
	node_push(any, requires(field->alias, arena));
	node_set(arena, schema, "anyOf", any);
	return schema;
}

static void table_schema(const struct table *table, unsigned depth, struct node *schema,
			 struct arena *arena)
{
	struct node *properties = node_new(arena, NODE_MAP);
	struct node *required = node_new(arena, NODE_SEQ), *all = node_new(arena, NODE_SEQ);

	if (depth > SCHEMA_DEPTH)
		BUG("table '%s' contains itself", table->name);
	for (const struct field *f = table->fields; f->name; f++) {
		node_set(arena, properties, f->name, field_schema(f, depth, arena));
		if (f->alias)
			add_alias(f, depth, properties, arena);
		if (f->is_required && f->alias)
			node_push(all, either_name(f, arena));
		else if (f->is_required)
			node_push(required, node_string(arena, f->name));
	}
	node_set(arena, schema, "properties", properties);
	if (required->n)
		node_set(arena, schema, "required", required);
	if (all->n)
		node_set(arena, schema, "allOf", all);
	node_set(arena, schema, "additionalProperties", node_bool(arena, false));
}

struct node *fields_schema(const struct table *table, struct arena *arena)
{
	struct node *schema = node_new(arena, NODE_MAP);

	node_set_text(arena, schema, "$schema", "http://json-schema.org/draft-07/schema#");
	node_set_text(arena, schema, "title", table->name);
	node_set_text(arena, schema, "type", "object");
	table_schema(table, 0, schema, arena);
	return schema;
}
