/* SPDX-License-Identifier: Apache-2.0 */
/* field_encode.c — structs into trees. What decoding would fill in anyway is left out, so that
 * written files stay short. */
#include "model/doc/field.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/time.h"

static bool is_zero(const struct field *field, const void *slot)
{
	const char *const *text = slot;
	const bool *flag = slot;
	const int64_t *number = slot;
	const struct strings *strings = slot;
	const struct list *list = slot;
	const struct pairs *pairs = slot;

	switch (field->type) {
	case FIELD_STRING:
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_STRUCT_PTR:
	case FIELD_NODE:
		return !*text;
	case FIELD_BOOL:
		return !*flag;
	case FIELD_INT:
	case FIELD_TIME:
		return !*number;
	case FIELD_STRINGS:
		return !strings->n;
	case FIELD_STRUCTS:
		return !list->n;
	case FIELD_STRING_MAP:
		return !pairs->n;
	case FIELD_STRUCT:
		return false;
	case FIELD_IGNORED:
	case FIELD_TYPES:
		return true;
	}
	BUG("field type %d", (int)field->type);
}

static bool is_default(const struct field *field, const void *slot)
{
	const char *const *text = slot;
	const bool *flag = slot;
	const int64_t *number = slot;

	if (!field->deflt)
		return is_zero(field, slot);
	if (field->type == FIELD_BOOL)
		return *flag == (strcmp(field->deflt, "true") == 0);
	if (field->type == FIELD_INT)
		return *number == strtoll(field->deflt, NULL, 10);
	return !*text || strcmp(*text, field->deflt) == 0;
}

/* A zero that must still be printed: "0" and "false" say something, a NULL pointer cannot. */
static bool is_meant(const struct field *field, const void *slot, bool is_given)
{
	bool has_zero = field->type == FIELD_BOOL || field->type == FIELD_INT;

	if (!is_zero(field, slot))
		return true;
	if (has_zero)
		return is_given || field->is_required || field->deflt;
	return is_given && (field->type == FIELD_STRINGS || field->type == FIELD_STRUCTS ||
			    field->type == FIELD_STRING_MAP);
}

static struct node *encode_strings(const struct strings *in, struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < in->n; i++)
		node_push(list, node_string(arena, in->v[i]));
	return list;
}

static struct node *encode_structs(const struct table *table, const struct list *in,
				   struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < in->n; i++)
		node_push(list, fields_encode(table, (const char *)in->v + i * table->size, arena));
	return list;
}

static struct node *encode_pairs(const struct pairs *in, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP);

	for (size_t i = 0; i < in->n; i++)
		node_append(arena, map, in->v[i].key, node_string(arena, in->v[i].value));
	return map;
}

static struct node *encode_time(int64_t seconds, struct arena *arena)
{
	char text[TIME_TEXT];

	time_format(seconds, text);
	return node_string(arena, text);
}

static struct node *encode_value(const struct field *field, const void *slot, struct arena *arena)
{
	const char *const *text = slot;
	const bool *flag = slot;
	const int64_t *number = slot;
	const void *const *pointer = slot;

	switch (field->type) {
	case FIELD_STRING:
	case FIELD_TEXT:
	case FIELD_ENUM:
		return node_string(arena, *text);
	case FIELD_BOOL:
		return node_bool(arena, *flag);
	case FIELD_INT:
		return node_int(arena, *number);
	case FIELD_TIME:
		return encode_time(*number, arena);
	case FIELD_STRUCT:
		return fields_encode(field->table, slot, arena);
	case FIELD_STRUCT_PTR:
		return fields_encode(field->table, *pointer, arena);
	case FIELD_STRINGS:
		return encode_strings(slot, arena);
	case FIELD_STRUCTS:
		return encode_structs(field->table, slot, arena);
	case FIELD_STRING_MAP:
		return encode_pairs(slot, arena);
	case FIELD_NODE:
		return node_clone(arena, *pointer);
	case FIELD_IGNORED:
	case FIELD_TYPES:
		break;
	}
	BUG("field type %d", (int)field->type);
}

struct node *fields_encode(const struct table *table, const void *in, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP);

	for (const struct field *f = table->fields; f->name; f++) {
		const char *base = in;
		const void *slot = base + f->offset;
		const bool *given = f->has_given ? (const void *)(base + f->given_offset) : NULL;
		struct node *value;

		if (f->type == FIELD_IGNORED || (given && !*given && is_default(f, slot)) ||
		    !is_meant(f, slot, given && *given))
			continue;
		value = encode_value(f, slot, arena);
		if (f->type != FIELD_STRUCT || value->n || f->is_required || (given && *given))
			node_append(arena, map, f->name, value);
	}
	return map;
}
