/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml.c — TOML text into a tree, by recursive descent over checked UTF-8.
 * Not here: characters and strings (toml_lex.c), numbers and dates (toml_scalar.c), printing
 * (toml_print.c). The idea: a table remembers how it came to be (enum origin), and that alone says
 * what later lines may do to it. Tables carry an index once they are large, so that hostile files
 * cost no more than their length. Spec: toml.io/en/v1.0.0
 */
#include "model/doc/toml.h"

#include <string.h>

#include "model/base/limits.h"
#include "model/doc/keys.h"
#include "model/doc/toml_lex.h"
#include "model/doc/toml_scalar.h"

enum origin {
	ORIGIN_IMPLIED, /* on the way to a [header]: may still be defined, once               */
	ORIGIN_HEADER,  /* by [header] or as an element of [[header]]: headers may go through */
	ORIGIN_DOTTED,  /* by a dotted key: dotted keys and headers may go through            */
	ORIGIN_VALUE,   /* written as a value ({} or []): closed                              */
	ORIGIN_TABLES,  /* an array made by [[header]]                                        */
};

/* Each mapping and sequence of a tree being read is one of these; `node` comes first, so that one
 * is the other. */
struct holder {
	struct node node;
	enum origin origin;
	unsigned depth;
	struct keys keys;
};

struct key_part {
	const char *text;
	struct pos pos;
};
struct key_path {
	struct key_part parts[LIMIT_DOC_DEPTH];
	size_t n;
};

static bool fail_key(struct toml_text *p, const struct key_part *part, const char *text)
{
	return err_set(p->err, ERR_INVALID, "line %u, column %u: key '%.80s' %s", part->pos.line,
		       part->pos.column, part->text, text);
}

/* Keys are NUL-terminated in a tree: a NUL of an escape becomes C0 80, which no UTF-8 text holds.
 */
static const char *key_text(struct toml_text *p, const struct buf *text)
{
	AUTO_BUF out = BUF_INIT(2 * (size_t)LIMIT_KEY_BYTES);

	if (!memchr(buf_text(text), '\0', text->len))
		return arena_copy(p->arena, buf_text(text), text->len);
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i])
			buf_byte(&out, text->data[i]);
		else
			buf_puts(&out, "\xc0\x80");
	return buf_copy(&out, p->arena);
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static bool read_key_part(struct toml_text *p, struct key_part *part)
{
	AUTO_BUF text = BUF_INIT(LIMIT_KEY_BYTES);

	part->pos = toml_pos(p, p->at);
	if (toml_peek(p) == '"' || toml_peek(p) == '\'') {
		if (!toml_read_string(p, false, &text))
			return false;
	} else {
		while (is_bare(toml_peek(p)))
			buf_byte(&text, p->text[p->at++]);
		if (text.len == 0 && !text.is_over)
			return toml_fail(p, "a key is missing");
	}
	if (text.is_over)
		return toml_fail(p, "the key is too long");
	part->text = key_text(p, &text);
	return true;
}

static bool read_key(struct toml_text *p, struct key_path *path)
{
	path->n = 0;
	do {
		toml_skip_blanks(p);
		if (path->n == COUNTOF(path->parts))
			return toml_fail(p, "the key has too many parts");
		if (!read_key_part(p, &path->parts[path->n++]))
			return false;
		toml_skip_blanks(p);
	} while (toml_take(p, '.'));
	return true;
}

static bool count_node(struct toml_text *p)
{
	return ++p->n_nodes <= LIMIT_DOC_NODES || toml_fail(p, "too many values");
}

static struct holder *holder_of(struct node *node)
{
	return node->kind == NODE_MAP || node->kind == NODE_SEQ ? (struct holder *)(void *)node
								: NULL;
}

static struct holder *find(struct toml_text *p, struct holder *map, const char *key)
{
	return (struct holder *)(void *)keys_find(&map->keys, &map->node, key, p->arena);
}

static void append(struct node *parent, struct node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->n++;
}

static void add_child(struct holder *map, const struct key_part *part, struct node *child)
{
	child->key = part->text;
	child->key_pos = part->pos;
	append(&map->node, child);
}

static struct holder *new_holder(struct toml_text *p, enum node_kind kind, enum origin origin,
				 const struct holder *parent, struct pos pos)
{
	struct holder *holder = NULL;

	if (parent->depth >= LIMIT_DOC_DEPTH)
		toml_fail(p, "values are nested too deeply");
	else if (count_node(p)) {
		holder = ARENA_NEW(p->arena, struct holder);
		holder->node.kind = kind;
		holder->node.pos = holder->node.end = pos;
		holder->origin = origin;
		holder->depth = parent->depth + 1;
	}
	return holder;
}

static struct node *read_value(struct toml_text *p, const struct holder *parent);

/* The table that the last part of a dotted key goes into. */
static struct holder *walk_dotted(struct toml_text *p, struct holder *map,
				  const struct key_path *path)
{
	for (size_t i = 0; i + 1 < path->n; i++) {
		const struct key_part *part = &path->parts[i];
		struct holder *next = find(p, map, part->text);

		if (!next) {
			next = new_holder(p, NODE_MAP, ORIGIN_DOTTED, map, part->pos);
			if (!next)
				return NULL;
			add_child(map, part, &next->node);
		} else if (next->node.kind != NODE_MAP ||
			   (next->origin != ORIGIN_DOTTED && next->origin != ORIGIN_IMPLIED)) {
			fail_key(p, part,
				 "is defined already and cannot be extended by a dotted key");
			return NULL;
		}
		next->origin = ORIGIN_DOTTED;
		map = next;
	}
	return map;
}

static bool read_pair(struct toml_text *p, struct holder *map)
{
	struct key_path path;
	const struct key_part *last;
	struct holder *target;
	struct node *value;

	if (!read_key(p, &path))
		return false;
	if (!toml_take(p, '='))
		return toml_fail(p, "'=' is missing behind the key");
	toml_skip_blanks(p);
	target = walk_dotted(p, map, &path);
	if (!target)
		return false;
	last = &path.parts[path.n - 1];
	if (find(p, target, last->text))
		return fail_key(p, last, "is defined already");
	value = read_value(p, target);
	if (!value)
		return false;
	add_child(target, last, value);
	return true;
}

static struct node *read_array(struct toml_text *p, const struct holder *parent)
{
	struct holder *array = new_holder(p, NODE_SEQ, ORIGIN_VALUE, parent, toml_pos(p, p->at));

	if (!array)
		return NULL;
	p->at++;
	for (;;) {
		struct node *value;

		toml_skip_space(p);
		if (toml_take(p, ']'))
			break;
		value = read_value(p, array);
		if (!value)
			return NULL;
		append(&array->node, value);
		toml_skip_space(p);
		if (toml_take(p, ']'))
			break;
		if (!toml_take(p, ',')) {
			toml_fail(p, "',' or ']' is missing in the array");
			return NULL;
		}
	}
	array->node.end = toml_pos(p, p->at);
	return &array->node;
}

static struct node *read_inline_table(struct toml_text *p, const struct holder *parent)
{
	struct holder *map = new_holder(p, NODE_MAP, ORIGIN_VALUE, parent, toml_pos(p, p->at));

	if (!map)
		return NULL;
	p->at++;
	toml_skip_blanks(p);
	if (!toml_take(p, '}')) {
		do {
			toml_skip_blanks(p);
			if (!read_pair(p, map))
				return NULL;
			toml_skip_blanks(p);
		} while (toml_take(p, ','));
		if (!toml_take(p, '}')) {
			toml_fail(p, "',' or '}' is missing in the inline table");
			return NULL;
		}
	}
	map->node.end = toml_pos(p, p->at);
	return &map->node;
}

static bool is_token_char(char c)
{
	return is_bare(c) || c == '+' || c == '.' || c == ':';
}

/* "1979-05-27 07:32:00" is one value: a blank behind a date belongs to it when a digit follows. */
static size_t token_end(const struct toml_text *p)
{
	size_t end = p->at;
	struct toml_moment moment;

	while (end < p->len && is_token_char(p->text[end]))
		end++;
	if (end - p->at == 10 && end + 1 < p->len && p->text[end] == ' ' &&
	    p->text[end + 1] >= '0' && p->text[end + 1] <= '9' &&
	    toml_moment_parse(p->text + p->at, 10, &moment)) {
		end++;
		while (end < p->len && is_token_char(p->text[end]))
			end++;
	}
	return end;
}

static struct node *new_scalar(struct toml_text *p)
{
	struct node *node;

	if (!count_node(p))
		return NULL;
	node = ARENA_NEW(p->arena, struct node);
	node->pos = toml_pos(p, p->at);
	return node;
}

static struct node *read_token(struct toml_text *p)
{
	struct node *node = new_scalar(p);
	size_t end = token_end(p);
	const char *problem;

	if (!node)
		return NULL;
	if (!toml_scalar(p->text + p->at, end - p->at, node, &problem)) {
		toml_fail(p, problem);
		return NULL;
	}
	node->len = (uint32_t)(end - p->at);
	node->text = arena_copy(p->arena, p->text + p->at, node->len);
	p->at = end;
	node->end = toml_pos(p, p->at);
	return node;
}

static struct node *read_text(struct toml_text *p)
{
	AUTO_BUF text = BUF_INIT(LIMIT_TOML_BYTES);
	struct node *node = new_scalar(p);

	if (!node || !toml_read_string(p, true, &text))
		return NULL;
	node->kind = NODE_STRING;
	node->len = (uint32_t)text.len;
	node->text = buf_copy(&text, p->arena);
	node->end = toml_pos(p, p->at);
	return node;
}

static struct node *read_value(struct toml_text *p, const struct holder *parent)
{
	switch (toml_peek(p)) {
	case '"':
	case '\'':
		return read_text(p);
	case '[':
		return read_array(p, parent);
	case '{':
		return read_inline_table(p, parent);
	default:
		return read_token(p);
	}
}

/* One step of a header's path that is not the last: through tables, and into the newest element of
 * an array of tables. */
static struct holder *walk_header(struct toml_text *p, struct holder *map,
				  const struct key_part *part)
{
	struct holder *next = find(p, map, part->text);

	if (!next) {
		next = new_holder(p, NODE_MAP, ORIGIN_IMPLIED, map, part->pos);
		if (next)
			add_child(map, part, &next->node);
		return next;
	}
	if (next->node.kind == NODE_SEQ && next->origin == ORIGIN_TABLES)
		return holder_of(next->node.last);
	if (next->node.kind != NODE_MAP || next->origin == ORIGIN_VALUE) {
		fail_key(p, part, "is a value and cannot be extended by a header");
		return NULL;
	}
	return next;
}

static struct holder *open_table(struct toml_text *p, struct holder *map,
				 const struct key_part *part)
{
	struct holder *table = find(p, map, part->text);

	if (!table) {
		table = new_holder(p, NODE_MAP, ORIGIN_HEADER, map, part->pos);
		if (table)
			add_child(map, part, &table->node);
		return table;
	}
	if (table->node.kind != NODE_MAP || table->origin != ORIGIN_IMPLIED) {
		fail_key(p, part, "is defined already");
		return NULL;
	}
	table->origin = ORIGIN_HEADER;
	table->node.pos = part->pos;
	return table;
}

static struct holder *open_element(struct toml_text *p, struct holder *map,
				   const struct key_part *part)
{
	struct holder *array = find(p, map, part->text), *element;

	if (!array) {
		array = new_holder(p, NODE_SEQ, ORIGIN_TABLES, map, part->pos);
		if (!array)
			return NULL;
		add_child(map, part, &array->node);
	} else if (array->node.kind != NODE_SEQ || array->origin != ORIGIN_TABLES) {
		fail_key(p, part, "is defined already, and not as an array of tables");
		return NULL;
	}
	element = new_holder(p, NODE_MAP, ORIGIN_HEADER, array, part->pos);
	if (element)
		append(&array->node, &element->node);
	return element;
}

/* "[a.b]" or "[[a.b]]": the table that the following lines fill. */
static struct holder *read_header(struct toml_text *p, struct holder *root)
{
	struct key_path path;
	struct holder *map = root;
	bool is_array;

	p->at++;
	is_array = toml_take(p, '[');
	if (!read_key(p, &path))
		return NULL;
	if (!toml_take(p, ']') || (is_array && !toml_take(p, ']'))) {
		toml_fail(p, "']' is missing behind the header");
		return NULL;
	}
	for (size_t i = 0; map && i + 1 < path.n; i++)
		map = walk_header(p, map, &path.parts[i]);
	if (!map)
		return NULL;
	return is_array ? open_element(p, map, &path.parts[path.n - 1])
			: open_table(p, map, &path.parts[path.n - 1]);
}

static bool read_document(struct toml_text *p, struct holder *root)
{
	struct holder *current = root;

	for (;;) {
		toml_skip_space(p);
		if (p->at == p->len)
			return true;
		if (toml_peek(p) == '[') {
			current = read_header(p, root);
			if (!current)
				return false;
		} else if (!read_pair(p, current)) {
			return false;
		}
		toml_skip_comment(p);
		if (p->at < p->len && !toml_take_newline(p))
			return toml_fail(p, "more text where the line should end");
	}
}

bool toml_parse(const char *text, size_t len, struct arena *arena, struct node **out,
		struct err *err)
{
	struct toml_text p = {
		.text = text, .len = len, .line = 1, .mark_column = 1, .arena = arena, .err = err
	};
	struct holder *root = ARENA_NEW(arena, struct holder);

	*out = NULL;
	if (len > LIMIT_TOML_BYTES)
		return err_set(err, ERR_INVALID, "line 1, column 1: more than %u bytes of TOML",
			       LIMIT_TOML_BYTES);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		p.text += 3;
		p.len -= 3;
	}
	root->node.kind = NODE_MAP;
	root->node.pos = (struct pos){ 1, 1 };
	root->origin = ORIGIN_HEADER;
	if (!toml_check(&p) || !read_document(&p, root))
		return false;
	root->node.end = toml_pos(&p, p.at);
	*out = &root->node;
	return true;
}
