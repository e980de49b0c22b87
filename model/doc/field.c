/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.c — trees into structs, one function per field type. The same walk serves people's files,
 * where every mistake becomes a diagnostic, and machine-made trees, where the first one is the
 * error. Paths are linked on the stack and only become text when something is wrong.
 */
#include "model/doc/field.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/limits.h"
#include "model/base/time.h"
#include "model/doc/utf8.h"

struct path {
	const struct path *up;
	const char *name; /* NULL: an index */
	size_t index;
};

struct decoder {
	struct arena *arena;
	const struct source_file *file;
	struct diags *diags; /* NULL: the first mistake goes to err */
	struct err *err;
	bool has_failed;
};

/* What one mistake is about: where it stands, and how many characters are underlined. */
struct spot {
	struct pos pos;
	uint32_t width;
};

static struct spot key_spot(const struct node *node)
{
	return (struct spot){ node->key_pos,
			      node->key ? (uint32_t)utf8_count(node->key, strlen(node->key)) : 1 };
}

/* Scalars at themselves; containers at their key, since their own place is the line below. */
static struct spot value_spot(const struct node *node)
{
	bool is_scalar = node->kind != NODE_SEQ && node->kind != NODE_MAP;

	if (!is_scalar && node->key && node->key_pos.line)
		return key_spot(node);
	if (is_scalar && node->pos.line == node->end.line && node->end.column > node->pos.column)
		return (struct spot){ node->pos, node->end.column - node->pos.column };
	return (struct spot){ node->pos, 1 };
}

static void put_path(const struct path *path, struct buf *out)
{
	if (path->up)
		put_path(path->up, out);
	if (!path->name)
		buf_printf(out, "[%zu]", path->index);
	else if (path->name[0])
		buf_printf(out, "%s%s", out->len ? "." : "", path->name);
}

static const char *path_text(struct decoder *d, const struct path *path)
{
	AUTO_BUF text = BUF_INIT(4096);

	put_path(path, &text);
	return buf_copy(&text, d->arena);
}

PRINTF(4, 5)
static void mistake(struct decoder *d, const char *code, struct spot spot, const char *fmt, ...)
{
	const char *text;
	va_list args;

	if (!d->diags && d->has_failed)
		return;
	va_start(args, fmt);
	text = arena_vprintf(d->arena, fmt, args);
	va_end(args);
	d->has_failed = true;
	if (d->diags)
		diag_add(d->diags, SEVERITY_ERROR, code, d->file, spot.pos, spot.width, "%s", text);
	else
		err_set(d->err, ERR_INVALID, "%s", text);
}

static void wrong_type(struct decoder *d, const struct node *node, const struct path *path,
		       const char *wanted)
{
	const char *where = path_text(d, path);

	mistake(d, "wrong-type", value_spot(node), "expected %s%s%s%s, found %s", wanted,
		*where ? " for '" : "", where, *where ? "'" : "", node_kind_name(node->kind));
}

/* The text of a string; a plain number or boolean is what Kubernetes refuses too. */
static bool take_string(struct decoder *d, const struct node *node, const struct path *path,
			const char **out)
{
	bool is_container = node->kind == NODE_SEQ || node->kind == NODE_MAP;

	if (node->kind == NODE_STRING || node->kind == NODE_DATETIME) {
		if (strlen(node->text) == node->len) {
			*out = node->text;
			return true;
		}
		mistake(d, "unsupported-value", value_spot(node), "U+0000 in the text of '%s'",
			path_text(d, path));
	} else if (is_container || !node->text || !node->len) {
		wrong_type(d, node, path, "a string");
	} else {
		mistake(d, "wrong-type", value_spot(node),
			"expected a string for '%s', found %s; put it in quotes: \"%s\"",
			path_text(d, path), node_kind_name(node->kind), node->text);
	}
	return false;
}

typedef void (*decode_fn)(struct decoder *d, const struct field *field, const struct node *node,
			  const struct path *path, void *slot);

static void decode_table(struct decoder *d, const struct table *table, const struct node *node,
			 const struct path *path, void *out);

static void decode_string(struct decoder *d, const struct field *field, const struct node *node,
			  const struct path *path, void *slot)
{
	(void)field;
	(void)take_string(d, node, path, slot);
}

static void decode_text(struct decoder *d, const struct field *field, const struct node *node,
			const struct path *path, void *slot)
{
	const char **out = slot;

	(void)field;
	if (node->kind == NODE_SEQ || node->kind == NODE_MAP)
		wrong_type(d, node, path, "a string");
	else if (node->kind == NODE_STRING)
		(void)take_string(d, node, path, out);
	else
		*out = node->text;
}

static const char *list_values(struct decoder *d, const char *const *values)
{
	AUTO_BUF text = BUF_INIT(4096);

	for (size_t i = 0; values[i]; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", values[i]);
	return buf_copy(&text, d->arena);
}

static void decode_enum(struct decoder *d, const struct field *field, const struct node *node,
			const struct path *path, void *slot)
{
	const char **out = slot, *text, *near;
	size_t n = 0;

	if (!take_string(d, node, path, &text))
		return;
	for (; field->values[n]; n++) {
		if (strcmp(field->values[n], text) == 0) {
			*out = field->values[n];
			return;
		}
	}
	near = suggest(text, field->values, n);
	mistake(d, "unsupported-value", value_spot(node),
		"unsupported value '%s' for '%s'; supported: %s%s%s%s", text, path_text(d, path),
		list_values(d, field->values), near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
}

static void decode_bool(struct decoder *d, const struct field *field, const struct node *node,
			const struct path *path, void *slot)
{
	bool *out = slot;

	(void)field;
	if (node->kind == NODE_BOOL)
		*out = node->i != 0;
	else
		wrong_type(d, node, path, "true or false");
}

static void decode_int(struct decoder *d, const struct field *field, const struct node *node,
		       const struct path *path, void *slot)
{
	bool has_max = field->max >= field->min && (field->max || field->min);
	bool has_min = field->max || field->min;
	int64_t *out = slot;

	if (node->kind != NODE_INT)
		wrong_type(d, node, path, "a whole number");
	else if (has_max && (node->i < field->min || node->i > field->max))
		mistake(d, "out-of-range", value_spot(node),
			"'%s' must be between %" PRId64 " and %" PRId64, path_text(d, path),
			field->min, field->max);
	else if (has_min && node->i < field->min)
		mistake(d, "out-of-range", value_spot(node), "'%s' must be at least %" PRId64,
			path_text(d, path), field->min);
	else
		*out = node->i;
}

static void decode_time(struct decoder *d, const struct field *field, const struct node *node,
			const struct path *path, void *slot)
{
	const char *text;

	(void)field;
	if (take_string(d, node, path, &text) && !time_parse(text, slot))
		mistake(d, "unsupported-value", value_spot(node),
			"'%s' is no RFC 3339 time, as in 2026-11-22T03:14:55Z", path_text(d, path));
}

static void decode_struct(struct decoder *d, const struct field *field, const struct node *node,
			  const struct path *path, void *slot)
{
	decode_table(d, field->table, node, path, slot);
}

static void decode_struct_ptr(struct decoder *d, const struct field *field, const struct node *node,
			      const struct path *path, void *slot)
{
	void **out = slot;

	*out = arena_alloc(d->arena, field->table->size);
	decode_table(d, field->table, node, path, *out);
}

static void decode_strings(struct decoder *d, const struct field *field, const struct node *node,
			   const struct path *path, void *slot)
{
	struct strings *out = slot;
	struct path item = { path, NULL, 0 };

	(void)field;
	if (node->kind != NODE_SEQ) {
		wrong_type(d, node, path, "a sequence of strings");
		return;
	}
	out->v = arena_array(d->arena, node->n, sizeof(*out->v));
	out->cap = node->n;
	for (const struct node *c = node->first; c; c = c->next, item.index++)
		if (take_string(d, c, &item, &out->v[out->n]))
			out->n++;
}

static void decode_structs(struct decoder *d, const struct field *field, const struct node *node,
			   const struct path *path, void *slot)
{
	struct list *out = slot;
	struct path item = { path, NULL, 0 };

	if (node->kind != NODE_SEQ) {
		wrong_type(d, node, path, "a sequence");
		return;
	}
	out->v = arena_array(d->arena, node->n, field->table->size);
	out->n = node->n;
	for (const struct node *c = node->first; c; c = c->next, item.index++)
		decode_table(d, field->table, c, &item,
			     (char *)out->v + item.index * field->table->size);
}

static void decode_string_map(struct decoder *d, const struct field *field, const struct node *node,
			      const struct path *path, void *slot)
{
	struct pairs *out = slot;

	(void)field;
	if (node->kind != NODE_MAP) {
		wrong_type(d, node, path, "a mapping of strings");
		return;
	}
	out->v = arena_array(d->arena, node->n, sizeof(*out->v));
	out->cap = node->n;
	for (const struct node *c = node->first; c; c = c->next) {
		struct pair pair = { c->key, "", c->key_pos };
		struct path item = { path, c->key, 0 };

		if (c->kind == NODE_NULL || take_string(d, c, &item, &pair.value))
			out->v[out->n++] = pair;
	}
}

static void decode_node(struct decoder *d, const struct field *field, const struct node *node,
			const struct path *path, void *slot)
{
	const struct node **out = slot;

	(void)field;
	(void)path;
	*out = node_share(d->arena, node); /* the tree may go before the struct does */
}

static const decode_fn decoders[] = {
	[FIELD_STRING] = decode_string,
	[FIELD_TEXT] = decode_text,
	[FIELD_ENUM] = decode_enum,
	[FIELD_BOOL] = decode_bool,
	[FIELD_INT] = decode_int,
	[FIELD_TIME] = decode_time,
	[FIELD_STRUCT] = decode_struct,
	[FIELD_STRUCT_PTR] = decode_struct_ptr,
	[FIELD_STRINGS] = decode_strings,
	[FIELD_STRUCTS] = decode_structs,
	[FIELD_STRING_MAP] = decode_string_map,
	[FIELD_NODE] = decode_node,
	[FIELD_IGNORED] = NULL,
};
_Static_assert(COUNTOF(decoders) == FIELD_TYPES, "decode every type");

static void fill_defaults(const struct table *table, void *out);

static void fill_default(const struct field *field, void *slot)
{
	const char **text = slot;
	bool *flag = slot;
	int64_t *number = slot;

	if (field->type == FIELD_STRUCT)
		fill_defaults(field->table, slot);
	if (!field->deflt)
		return;
	if (field->type == FIELD_STRING || field->type == FIELD_TEXT || field->type == FIELD_ENUM)
		*text = field->deflt;
	else if (field->type == FIELD_BOOL)
		*flag = strcmp(field->deflt, "true") == 0;
	else if (field->type == FIELD_INT)
		*number = strtoll(field->deflt, NULL, 10);
	else
		BUG("a default for field '%s', which is no string, bool or int", field->name);
}

static void fill_defaults(const struct table *table, void *out)
{
	for (const struct field *f = table->fields; f->name; f++)
		fill_default(f, (char *)out + f->offset);
}

/* Files mostly keep the order of the table: the search starts behind the last row found. */
static const struct field *find_field(const struct table *table, const struct field *from,
				      const char *key)
{
	const struct field *f = from;

	do {
		if (!f->name) {
			f = table->fields;
			continue;
		}
		if (strcmp(f->name, key) == 0 || (f->alias && strcmp(f->alias, key) == 0))
			return f;
		f++;
	} while (f != from);
	return NULL;
}

static void unknown_field(struct decoder *d, const struct table *table, const struct node *node)
{
	const char *names[TABLE_FIELDS], *near;
	struct spot spot = key_spot(node);
	size_t n = 0;

	if (!d->diags)
		return;
	/* Past the limit it is counted only: no guess for each of a hundred thousand fields. */
	for (const struct field *f = table->fields; f->name && d->diags->list.n < LIMIT_DIAGS; f++)
		names[n++] = f->name;
	near = suggest(node->key, names, n);
	diag_add(d->diags, d->diags->is_strict ? SEVERITY_ERROR : SEVERITY_WARNING, "unknown-field",
		 d->file, spot.pos, spot.width, "unknown field '%s' in %s%s%s%s", node->key,
		 table->name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void missing_fields(struct decoder *d, const struct table *table, const struct node *node,
			   const struct path *path, const bool *is_seen)
{
	AUTO_BUF names = BUF_INIT(8192);
	bool has_key = node->key && node->key_pos.line;

	for (const struct field *f = table->fields; f->name; f++) {
		struct path at = { path, f->name, 0 };

		if (f->is_required && !is_seen[f - table->fields])
			buf_printf(&names, "%s%s", names.len ? ", " : "", path_text(d, &at));
	}
	if (names.len)
		mistake(d, "missing-field",
			has_key ? key_spot(node) : (struct spot){ node->pos, 1 },
			"missing field(s): %s", names.data);
}

static void decode_field(struct decoder *d, const struct field *field, const struct node *node,
			 const struct path *path, char *out)
{
	if (field->has_pos)
		*(struct pos *)(void *)(out + field->pos_offset) = node->pos;
	if (field->has_given)
		*(bool *)(void *)(out + field->given_offset) = true;
	if (decoders[field->type])
		decoders[field->type](d, field, node, path, out + field->offset);
}

static size_t row_of(const struct table *table, const struct field *field)
{
	size_t row = (size_t)(field - table->fields);

	if (row >= TABLE_FIELDS)
		BUG("table '%s' has more than %d fields", table->name, TABLE_FIELDS);
	return row;
}

static void decode_children(struct decoder *d, const struct table *table, const struct node *node,
			    const struct path *path, void *out)
{
	bool is_seen[TABLE_FIELDS] = { false };
	const struct field *next = table->fields;

	for (const struct node *c = node->first; c; c = c->next) {
		const struct field *f = find_field(table, next, c->key);
		struct path at = { path, c->key, 0 };

		if (!f) {
			unknown_field(d, table, c);
			continue;
		}
		next = f + 1;
		if (c->kind == NODE_NULL)
			continue;
		if (is_seen[row_of(table, f)]) {
			mistake(d, "duplicate-key", key_spot(c),
				"'%s' and '%s' are two spellings of one field; give one of them",
				f->name, f->alias);
			continue;
		}
		is_seen[row_of(table, f)] = true;
		decode_field(d, f, c, &at, out);
	}
	for (const struct field *f = table->fields; f->name; f++)
		if (!is_seen[row_of(table, f)])
			fill_default(f, (char *)out + f->offset);
	missing_fields(d, table, node, path, is_seen);
}

static void decode_table(struct decoder *d, const struct table *table, const struct node *node,
			 const struct path *path, void *out)
{
	if (table->has_pos)
		*(struct pos *)(void *)((char *)out + table->pos_offset) = node->pos;
	if (node->kind == NODE_MAP)
		decode_children(d, table, node, path, out);
	else
		wrong_type(d, node, path, "a mapping");
}

void fields_decode(const struct table *table, const struct node *node, const char *path, void *out,
		   struct arena *arena, const struct source_file *file, struct diags *diags)
{
	struct decoder d = { .arena = arena, .file = file, .diags = diags };
	struct path root = { NULL, path, 0 };

	decode_table(&d, table, node, &root, out);
}

bool fields_read(const struct table *table, const struct node *node, void *out, struct arena *arena,
		 struct err *err)
{
	struct decoder d = { .arena = arena, .err = err };
	struct path root = { NULL, "", 0 };

	decode_table(&d, table, node, &root, out);
	if (d.has_failed)
		memset(out, 0, table->size);
	return !d.has_failed;
}

const char *pairs_get(const struct pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->v[i].key, key) == 0)
			return pairs->v[i].value;
	return NULL;
}

bool pairs_equal(const struct pairs *a, const struct pairs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const char *value = pairs_get(b, a->v[i].key);

		if (!value || strcmp(value, a->v[i].value) != 0)
			return false;
	}
	return true;
}
