/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.c — libyaml's events with their marks turned into byte offsets. libyaml counts characters, does not count the
 * byte order mark, and gives no place for ':' and '-': those are found again by skipping blanks and comments, which is all
 * that can stand before them.
 */
#include "model/doc/layout.h"

#include <string.h>

#include <yaml.h>

#include "model/base/limits.h"
#include "model/doc/utf8.h"
#include "model/doc/yaml_scalar.h"

enum { MARK_STEP = 128 }; /* characters from one remembered offset to the next */

#define BOM "\xEF\xBB\xBF"

struct reader {
	yaml_parser_t parser;
	const char *text;
	size_t len, bom;
	const uint32_t *offsets; /* of every MARK_STEP-th character */
	size_t n_offsets;
	struct arena *arena;
	struct layouts *out;
	struct layout_document *document;
	struct layout *open; /* the innermost container */
	struct layout *key;  /* read, its value comes next */
	VEC(struct layout *) anchors;
};

static size_t bom_size(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, BOM, 3) == 0 ? 3 : 0;
}

static size_t step(const char *text, size_t len, size_t at)
{
	uint32_t c;
	size_t n = utf8_get(text + at, len - at, &c);

	return n ? n : 1;
}

static void index_marks(struct reader *r)
{
	uint32_t *offsets = arena_array(r->arena, r->len / MARK_STEP + 2, sizeof(*offsets));
	size_t n = 0, count = 0;

	for (size_t at = r->bom; at < r->len; at += step(r->text, r->len, at))
		if (count++ % MARK_STEP == 0)
			offsets[n++] = (uint32_t)at;
	if (!n)
		offsets[n++] = (uint32_t)r->bom;
	r->offsets = offsets;
	r->n_offsets = n;
}

static size_t offset(const struct reader *r, yaml_mark_t mark)
{
	size_t block = mark.index / MARK_STEP, rest = mark.index % MARK_STEP, at;

	if (block >= r->n_offsets)
		return r->len;
	at = r->offsets[block];
	for (; rest && at < r->len; rest--)
		at += step(r->text, r->len, at);
	return at;
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t layout_line_end(const char *text, size_t len, size_t at)
{
	while (at < len && !is_line_end(text[at]))
		at++;
	return at;
}

size_t layout_next_line(const char *text, size_t len, size_t at)
{
	if (at < len && text[at] == '\r')
		return at + 1 < len && text[at + 1] == '\n' ? at + 2 : at + 1;
	return at < len && text[at] == '\n' ? at + 1 : at;
}

size_t layout_line_start(const char *text, size_t at)
{
	size_t line = at;

	while (line && !is_line_end(text[line - 1]))
		line--;
	return line == 0 ? bom_size(text, at) : line;
}

size_t layout_skip(const char *text, size_t len, size_t at)
{
	while (at < len) {
		if (is_blank(text[at]) || is_line_end(text[at]))
			at++;
		else if (text[at] == '#')
			at = layout_line_end(text, len, at);
		else
			break;
	}
	return at;
}

/* Behind "&anchor" and "!tag", in any order. */
static size_t skip_properties(const struct reader *r, size_t at, size_t end)
{
	while (at < end && (r->text[at] == '&' || r->text[at] == '!')) {
		while (at < end && !is_blank(r->text[at]) && !is_line_end(r->text[at]))
			at++;
		at = layout_skip(r->text, end, at);
	}
	return at;
}

static uint32_t column_of(const struct reader *r, size_t at)
{
	size_t start = layout_line_start(r->text, at);

	return (uint32_t)utf8_count(r->text + start, at - start);
}

/* A block scalar's end mark lies behind the blank lines that follow it. */
static size_t trim_end(const struct reader *r, size_t content, size_t end)
{
	while (end > content && (is_blank(r->text[end - 1]) || is_line_end(r->text[end - 1])))
		end--;
	return end > content ? layout_line_end(r->text, r->len, end) : end;
}

static void attach(struct reader *r, struct layout *value)
{
	struct layout *open = r->open;

	value->parent = open;
	if (!open) {
		r->document->root = value;
		value->entry = value->mark = value->start;
		return;
	}
	value->key = r->key;
	value->prev = open->last;
	if (open->last)
		open->last->next = value;
	else
		open->first = value;
	open->last = value;
	open->n++;
	r->key = NULL;
}

/* An empty value has no place of its own: it stands just behind its ':' or '-'. */
static void place(struct reader *r, struct layout *value)
{
	const struct layout *open = value->parent;
	bool is_nothing = value->start == value->end;

	if (!open)
		return;
	if (value->key) {
		value->entry = value->key->start;
		value->mark = layout_skip(r->text, r->len, value->key->end);
		if (value->mark < r->len && r->text[value->mark] == ':')
			value->mark++;
		else /* a key alone: {a} or "? a" */
			value->mark = value->key->end;
	} else if (open->is_flow) {
		value->entry = value->mark = value->start;
	} else {
		value->entry = layout_skip(r->text, r->len,
					   value->prev ? value->prev->end : open->content);
		value->mark = value->entry + 1;
	}
	if (is_nothing && (value->key || !open->is_flow))
		value->start = value->content = value->end = value->mark;
	if (!open->is_flow && !value->prev)
		value->parent->column = column_of(r, value->entry);
}

static struct layout *new_value(struct reader *r, const yaml_event_t *event, enum layout_kind kind)
{
	struct layout *value = ARENA_NEW(r->arena, struct layout);

	value->kind = kind;
	value->pos = (struct pos){ (uint32_t)event->start_mark.line + 1,
				   (uint32_t)event->start_mark.column + 1 };
	value->start = offset(r, event->start_mark);
	value->end = offset(r, event->end_mark);
	value->content = skip_properties(r, value->start, r->len);
	return value;
}

static void set_anchor(struct reader *r, struct layout *value, const yaml_char_t *name)
{
	if (!name)
		return;
	value->anchor = arena_strdup(r->arena, (const char *)name);
	vec_push(r->arena, &r->anchors, value);
}

static bool wants_key(const struct reader *r)
{
	return r->open && r->open->kind == LAYOUT_MAP && !r->key;
}

static enum layout_style style_of(yaml_scalar_style_t style)
{
	switch (style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
		return LAYOUT_SINGLE;
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		return LAYOUT_DOUBLE;
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE:
		return LAYOUT_BLOCK;
	case YAML_ANY_SCALAR_STYLE:
	case YAML_PLAIN_SCALAR_STYLE:
		break;
	}
	return LAYOUT_PLAIN;
}

static void on_scalar(struct reader *r, const yaml_event_t *event)
{
	struct layout *value = new_value(r, event, LAYOUT_SCALAR);

	value->style = style_of(event->data.scalar.style);
	value->text = arena_copy(r->arena, event->data.scalar.value, event->data.scalar.length);
	if (value->content > value->end) /* properties with nothing behind them */
		value->content = value->end;
	if (value->style == LAYOUT_BLOCK)
		value->end = trim_end(r, value->content, value->end);
	set_anchor(r, value, event->data.scalar.anchor);
	if (wants_key(r)) {
		r->key = value;
		return;
	}
	attach(r, value);
	place(r, value);
}

static void on_alias(struct reader *r, const yaml_event_t *event)
{
	struct layout *value = new_value(r, event, LAYOUT_ALIAS);

	value->text = arena_strdup(r->arena, (const char *)event->data.alias.anchor);
	for (size_t i = r->anchors.n; i > 0 && !value->target; i--)
		if (strcmp(r->anchors.v[i - 1]->anchor, value->text) == 0)
			value->target = r->anchors.v[i - 1];
	vec_push(r->arena, &r->document->aliases, value);
	if (wants_key(r)) {
		r->key = value;
		return;
	}
	attach(r, value);
	place(r, value);
}

static void open_container(struct reader *r, const yaml_event_t *event, enum layout_kind kind)
{
	bool is_map = kind == LAYOUT_MAP;
	struct layout *value = new_value(r, event, kind);

	value->is_flow = is_map ? event->data.mapping_start.style != YAML_BLOCK_MAPPING_STYLE
				: event->data.sequence_start.style != YAML_BLOCK_SEQUENCE_STYLE;
	set_anchor(r, value,
		   is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor);
	value->end = r->len; /* until it is known: so that place() sees something */
	attach(r, value);
	place(r, value);
	r->open = value;
	r->key = NULL;
}

static void close_container(struct reader *r, const yaml_event_t *event)
{
	struct layout *value = r->open;

	if (value->is_flow)
		value->end = offset(r, event->end_mark);
	else
		value->end = value->last ? value->last->end : value->content;
	r->open = value->parent;
}

static bool is_null(const struct layout *root)
{
	struct node node = { .is_plain = true };

	if (!root)
		return true;
	if (root->kind != LAYOUT_SCALAR || root->style != LAYOUT_PLAIN)
		return false;
	node.text = root->text;
	node.len = (uint32_t)strlen(root->text);
	yaml_resolve(&node);
	return node.kind == NODE_NULL;
}

static void start_document(struct reader *r, const yaml_event_t *event)
{
	struct layout_document document = { .start = offset(r, event->start_mark) };

	vec_push(r->arena, r->out, document);
	r->document = &r->out->v[r->out->n - 1];
	r->anchors.n = 0;
	r->open = r->key = NULL;
}

static void end_document(struct reader *r, const yaml_event_t *event)
{
	r->document->end = offset(r, event->start_mark);
	r->document->is_empty = is_null(r->document->root);
}

static void on_event(struct reader *r, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		on_scalar(r, event);
		return;
	case YAML_ALIAS_EVENT:
		on_alias(r, event);
		return;
	case YAML_MAPPING_START_EVENT:
		open_container(r, event, LAYOUT_MAP);
		return;
	case YAML_SEQUENCE_START_EVENT:
		open_container(r, event, LAYOUT_SEQ);
		return;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		close_container(r, event);
		return;
	case YAML_DOCUMENT_START_EVENT:
		start_document(r, event);
		return;
	case YAML_DOCUMENT_END_EVENT:
		end_document(r, event);
		return;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
		return;
	}
	BUG("libyaml event %d", (int)event->type);
}

static bool read_events(struct reader *r)
{
	for (bool has_ended = false; !has_ended;) {
		yaml_event_t event;

		if (!yaml_parser_parse(&r->parser, &event))
			return false;
		has_ended = event.type == YAML_STREAM_END_EVENT;
		on_event(r, &event);
		yaml_event_delete(&event);
	}
	return true;
}

bool layout_parse(const struct source_file *file, struct arena *arena, struct layouts *out,
		  struct err *err)
{
	struct reader r = { .text = file->text, .len = file->len, .arena = arena, .out = out };
	bool is_read;

	*out = (struct layouts){ 0 };
	if (!r.len)
		return true;
	if (r.len > LIMIT_FILE_BYTES)
		return err_set(err, ERR_INVALID, "'%s' is larger than %u MiB", file->path,
			       LIMIT_FILE_BYTES >> 20);
	r.bom = bom_size(r.text, r.len);
	index_marks(&r);
	if (!yaml_parser_initialize(&r.parser))
		BUG("libyaml is out of memory");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.text + r.bom,
				     r.len - r.bom);
	is_read = read_events(&r);
	if (!is_read)
		err_set(err, ERR_INVALID, "%s:%zu:%zu: cannot be edited: %s", file->path,
			r.parser.problem_mark.line + 1, r.parser.problem_mark.column + 1,
			r.parser.problem ? r.parser.problem : "no YAML");
	yaml_parser_delete(&r.parser);
	return is_read;
}

struct layout *layout_get(const struct layout *map, const char *key)
{
	if (!map || map->kind != LAYOUT_MAP)
		return NULL;
	for (struct layout *c = map->first; c; c = c->next) {
		const struct layout *name =
			c->key && c->key->kind == LAYOUT_ALIAS ? c->key->target : c->key;

		if (name && name->text && strcmp(name->text, key) == 0)
			return c;
	}
	return NULL;
}

struct layout *layout_item(const struct layout *seq, size_t index)
{
	struct layout *c = seq && seq->kind == LAYOUT_SEQ ? seq->first : NULL;

	while (c && index--)
		c = c->next;
	return c;
}
