/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml.c — from libyaml's events to trees, in one pass and without libyaml's own document model.
 * Containers that are still open stand on a stack of LIMIT_DOC_DEPTH frames. Aliases become copies
 * (the texts are shared), merge keys are applied when their mapping ends, so that keys written
 * behind them win too.
 */
#include "model/doc/yaml.h"

#include <string.h>

#include <yaml.h>

#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/doc/keys.h"
#include "model/doc/yaml_error.h"
#include "model/doc/yaml_fast.h"
#include "model/doc/yaml_scalar.h"

/* Texts are cut from blocks: most are shorter than the rounding of an allocation. */
enum { TEXT_BLOCK = 4096, TEXT_LONG = 512, TEXT_SPARE = 64 };

struct frame {
	struct node *node;
	const char *key; /* read, its value comes next; NULL: a key comes next */
	struct pos key_pos;
	bool is_dropped;          /* the value of a key given twice                      */
	bool is_merge;            /* the key is '<<'                                     */
	const struct node *merge; /* the value of '<<', not a child                      */
	struct pos merge_pos;
	struct keys keys;
};

struct anchor {
	const char *name;
	const struct node *node;
};

struct loader {
	yaml_parser_t parser;
	const struct source_file *file;
	struct arena *trees, *texts, *scratch; /* scratch: anchors, indexes of large mappings */
	struct documents *out;
	struct diags *diags;
	struct node *root;
	struct frame frames[LIMIT_DOC_DEPTH];
	unsigned depth; /* frames in use */
	uint32_t n_docs, n_nodes, n_aliases, n_alias_nodes;
	VEC(struct anchor) anchors;
	char *block; /* of texts */
	size_t block_left;
};

static struct pos pos_of(yaml_mark_t mark)
{
	return (struct pos){ (uint32_t)mark.line + 1, (uint32_t)mark.column + 1 };
}

static uint32_t width_of(const yaml_event_t *event)
{
	if (event->start_mark.line != event->end_mark.line)
		return 1;
	return (uint32_t)(event->end_mark.column - event->start_mark.column);
}

#define ERROR_AT(l, event, code, ...)                                                              \
	diag_add((l)->diags, SEVERITY_ERROR, (code), (l)->file, pos_of((event)->start_mark),       \
		 width_of(event), __VA_ARGS__)

static struct arena *scratch_of(struct loader *l)
{
	if (!l->scratch)
		l->scratch = arena_new();
	return l->scratch;
}

static const char *copy_text(struct loader *l, const yaml_event_t *event, size_t len)
{
	const yaml_char_t *text = event->data.scalar.value;
	char *copy;

#ifdef RECONCILE_SANITIZED
	return arena_copy(l->texts, text, len);
#endif
	if (len > TEXT_LONG)
		return arena_copy(l->texts, text, len);
	if (l->block_left < len + 1) {
		size_t read = event->start_mark.index; /* the rest of the file rarely needs more */
		size_t rest = read < l->file->len ? l->file->len - read : 0;

		l->block_left = rest < TEXT_BLOCK ? rest : TEXT_BLOCK;
		if (l->block_left < len + 1)
			l->block_left = len + TEXT_SPARE;
		l->block = arena_alloc(l->texts, l->block_left);
	}
	copy = l->block;
	memcpy(copy, text, len + 1);
	l->block += len + 1;
	l->block_left -= len + 1;
	return copy;
}

static bool count_node(struct loader *l, const yaml_event_t *event)
{
	if (++l->n_nodes <= LIMIT_DOC_NODES)
		return true;
	ERROR_AT(l, event, "limit", "the document has more than %u values", LIMIT_DOC_NODES);
	return false;
}

static struct node *new_node(struct loader *l, const yaml_event_t *event, enum node_kind kind)
{
	struct node *node = node_new(l->trees, kind);

	node->pos = pos_of(event->start_mark);
	node->end = pos_of(event->end_mark);
	return node;
}

static struct frame *top(struct loader *l)
{
	return l->depth ? &l->frames[l->depth - 1] : NULL;
}

static bool wants_key(const struct frame *frame)
{
	return frame && frame->node->kind == NODE_MAP && !frame->key;
}

/* Puts a finished or just opened value where it belongs. */
static void attach(struct loader *l, struct node *node)
{
	struct frame *frame = top(l);

	node->key = NULL; /* a copy by an alias has the key of its original */
	if (!frame) {
		l->root = node;
		return;
	}
	if (frame->node->kind == NODE_SEQ) {
		node_push(frame->node, node);
		return;
	}
	if (frame->is_merge) {
		frame->merge = node;
	} else if (!frame->is_dropped) {
		node->key = frame->key;
		node->key_pos = frame->key_pos;
		node_push(frame->node, node);
	}
	frame->key = NULL;
	frame->is_dropped = frame->is_merge = false;
}

static void set_anchor(struct loader *l, const yaml_char_t *name, const struct node *node)
{
	struct anchor anchor = { NULL, node };

	if (!name)
		return;
	anchor.name = arena_strdup(scratch_of(l), (const char *)name);
	vec_push(l->scratch, &l->anchors, anchor);
}

/* The newest of that name. */
static const struct node *find_anchor(const struct loader *l, const char *name)
{
	for (size_t i = l->anchors.n; i > 0; i--)
		if (strcmp(l->anchors.v[i - 1].name, name) == 0)
			return l->anchors.v[i - 1].node;
	return NULL;
}

static bool is_open(const struct loader *l, const struct node *node)
{
	for (unsigned i = 0; i < l->depth; i++)
		if (l->frames[i].node == node)
			return true;
	return false;
}

/* A copy of a tree that an anchor named, within the limits; NULL when one is passed. */
static struct node *expand(struct loader *l, const yaml_event_t *event, const struct node *node,
			   unsigned depth)
{
	struct node *copy;

	if (++l->n_alias_nodes > LIMIT_ALIAS_NODES) {
		ERROR_AT(l, event, "limit", "aliases expand to more than %u values",
			 LIMIT_ALIAS_NODES);
		return NULL;
	}
	if (depth > LIMIT_DOC_DEPTH) {
		ERROR_AT(l, event, "limit", "aliases nest more than %u levels deep",
			 LIMIT_DOC_DEPTH);
		return NULL;
	}
	if (!count_node(l, event))
		return NULL;
	copy = node_new(l->trees, node->kind);
	*copy = *node;
	copy->next = NULL;
	if (!node->first)
		return copy;
	copy->first = copy->last = NULL;
	copy->n = 0;
	for (const struct node *c = node->first; c; c = c->next) {
		struct node *child = expand(l, event, c, depth + 1);

		if (!child)
			return NULL;
		node_push(copy, child);
	}
	return copy;
}

static bool set_key(struct loader *l, const yaml_event_t *event, const char *key, size_t len)
{
	struct frame *frame = top(l);
	const struct node *earlier;

	frame->key = key;
	frame->key_pos = pos_of(event->start_mark);
	if (len > LIMIT_KEY_BYTES) {
		ERROR_AT(l, event, "limit", "the key is longer than %u bytes", LIMIT_KEY_BYTES);
		return false;
	}
	if (memchr(key, '\0', len)) {
		ERROR_AT(l, event, "key", "U+0000 in a key");
		frame->is_dropped = true;
		return true;
	}
	earlier = keys_find(&frame->keys, frame->node, key,
			    frame->node->n > KEYS_WALKED ? scratch_of(l) : NULL);
	if (earlier) {
		ERROR_AT(l, event, "duplicate-key",
			 "key '%s' is given twice; first in line %u, column %u", key,
			 earlier->key_pos.line, earlier->key_pos.column);
		frame->is_dropped = true;
	}
	return true;
}

static void set_merge_key(struct loader *l, const yaml_event_t *event)
{
	struct frame *frame = top(l);

	frame->key = "<<";
	frame->is_merge = true;
	if (frame->merge) {
		ERROR_AT(l, event, "duplicate-key",
			 "key '<<' is given twice; first in line %u, column %u; merge several "
			 "mappings with a sequence",
			 frame->merge_pos.line, frame->merge_pos.column);
		frame->is_merge = false;
		frame->is_dropped = true;
		return;
	}
	frame->merge_pos = pos_of(event->start_mark);
}

static bool on_key(struct loader *l, const yaml_event_t *event)
{
	size_t len = event->data.scalar.length;
	const char *text = copy_text(l, event, len);
	bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (event->data.scalar.anchor) {
		struct node *node = new_node(l, event, NODE_STRING);

		node->text = text;
		node->len = (uint32_t)len;
		set_anchor(l, event->data.scalar.anchor, node);
	}
	if (is_plain && !len) {
		ERROR_AT(l, event, "key", "a key is missing before ':'");
		top(l)->key = text;
		top(l)->is_dropped = true;
		return true;
	}
	if (is_plain && len == 2 && memcmp(text, "<<", 2) == 0) {
		set_merge_key(l, event);
		return true;
	}
	return set_key(l, event, text, len);
}

static const char core[] = "tag:yaml.org,2002:";

static void refuse_tag(struct loader *l, const yaml_event_t *event, const char *tag)
{
	if (strncmp(tag, core, sizeof(core) - 1) == 0)
		ERROR_AT(l, event, "tag", "tag '!!%s' is not supported here",
			 tag + sizeof(core) - 1);
	else
		ERROR_AT(l, event, "tag", "tag '%s' is not supported", tag);
}

/* A scalar with one of the core tags must have a text of that type. */
static void apply_tag(struct loader *l, const yaml_event_t *event, struct node *node)
{
	static const struct {
		const char *name;
		enum node_kind kind;
	} tags[] = { { "str", NODE_STRING },
		     { "int", NODE_INT },
		     { "float", NODE_FLOAT },
		     { "bool", NODE_BOOL },
		     { "null", NODE_NULL } };
	const char *tag = (const char *)event->data.scalar.tag;

	node->kind = NODE_STRING;
	for (size_t i = 0; i < COUNTOF(tags); i++) {
		if (strncmp(tag, core, sizeof(core) - 1) != 0 ||
		    strcmp(tag + sizeof(core) - 1, tags[i].name) != 0)
			continue;
		if (tags[i].kind == NODE_STRING)
			return;
		yaml_resolve(node);
		if (node->kind == NODE_INT && tags[i].kind == NODE_FLOAT) {
			node->kind = NODE_FLOAT;
			node->f = (double)node->i;
		}
		if (node->kind != tags[i].kind)
			ERROR_AT(l, event, "tag", "the text is no !!%s", tags[i].name);
		return;
	}
	refuse_tag(l, event, tag);
}

static bool on_scalar(struct loader *l, const yaml_event_t *event)
{
	yaml_scalar_style_t style = event->data.scalar.style;
	size_t len = event->data.scalar.length;
	struct node *node;

	if (wants_key(top(l)))
		return on_key(l, event);
	if (!count_node(l, event))
		return false;
	node = new_node(l, event, NODE_STRING);
	node->text = copy_text(l, event, len);
	node->len = (uint32_t)len;
	node->is_block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
	if (event->data.scalar.tag) {
		apply_tag(l, event, node);
	} else if (style == YAML_PLAIN_SCALAR_STYLE) {
		node->is_plain = true;
		yaml_resolve(node);
	}
	set_anchor(l, event->data.scalar.anchor, node);
	attach(l, node);
	return true;
}

/* What an alias stands for; a null where that is nothing, so that the rest can still be read. NULL:
 * stop. */
static struct node *resolve_alias(struct loader *l, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct node *node = find_anchor(l, name);

	if (!node) {
		ERROR_AT(l, event, "alias", "unknown anchor '%s'", name);
	} else if (is_open(l, node)) {
		ERROR_AT(l, event, "alias", "anchor '%s' contains itself", name);
		node = NULL;
	}
	if (!node)
		return new_node(l, event, NODE_NULL);
	return expand(l, event, node, l->depth + (node->first != NULL));
}

static bool on_alias(struct loader *l, const yaml_event_t *event)
{
	struct node *node;

	if (++l->n_aliases > LIMIT_DOC_ALIASES) {
		ERROR_AT(l, event, "limit", "more than %u aliases in the document",
			 LIMIT_DOC_ALIASES);
		return false;
	}
	node = resolve_alias(l, event);
	if (!node)
		return false;
	if (!wants_key(top(l))) {
		attach(l, node);
		return true;
	}
	if (!node->text) {
		ERROR_AT(l, event, "key", "a key must be a text");
		return false;
	}
	return set_key(l, event, node->text, node->len);
}

static bool open_container(struct loader *l, const yaml_event_t *event, enum node_kind kind)
{
	bool is_map = kind == NODE_MAP;
	const char *tag = (const char *)(is_map ? event->data.mapping_start.tag
						: event->data.sequence_start.tag);
	struct node *node;

	if (!count_node(l, event))
		return false;
	if (wants_key(top(l))) {
		ERROR_AT(l, event, "key", "a key must be a text, not %s", node_kind_name(kind));
		return false;
	}
	if (l->depth == LIMIT_DOC_DEPTH) {
		ERROR_AT(l, event, "limit", "nested more than %u levels deep", LIMIT_DOC_DEPTH);
		return false;
	}
	node = new_node(l, event, kind);
	node->is_block = is_map ? event->data.mapping_start.style == YAML_BLOCK_MAPPING_STYLE
				: event->data.sequence_start.style == YAML_BLOCK_SEQUENCE_STYLE;
	if (tag && (strncmp(tag, core, sizeof(core) - 1) != 0 ||
		    strcmp(tag + sizeof(core) - 1, is_map ? "map" : "seq") != 0))
		refuse_tag(l, event, tag);
	set_anchor(l, is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
		   node);
	attach(l, node);
	l->frames[l->depth].node = node;
	l->frames[l->depth].key = NULL;
	l->frames[l->depth].merge = NULL;
	l->frames[l->depth].is_dropped = l->frames[l->depth].is_merge = false;
	l->frames[l->depth].keys = (struct keys){ 0 };
	l->depth++;
	return true;
}

/* The children of `from` whose keys are not there yet. */
static bool merge_mapping(struct loader *l, const yaml_event_t *event, struct frame *frame,
			  const struct node *from)
{
	for (const struct node *c = from->first; c; c = c->next) {
		struct node *copy;

		if (keys_find(&frame->keys, frame->node, c->key, scratch_of(l)))
			continue;
		copy = expand(l, event, c, l->depth + (c->first != NULL));
		if (!copy)
			return false;
		node_push(frame->node, copy);
	}
	return true;
}

static bool apply_merge(struct loader *l, const yaml_event_t *event, struct frame *frame)
{
	const struct node *from = frame->merge;
	bool is_list = from->kind == NODE_SEQ, is_wrong = from->kind != NODE_MAP && !is_list;

	if (from->kind == NODE_MAP)
		return merge_mapping(l, event, frame, from);
	for (const struct node *c = from->first; is_list && c; c = c->next) {
		if (c->kind != NODE_MAP)
			is_wrong = true;
		else if (!merge_mapping(l, event, frame, c))
			return false;
	}
	if (is_wrong)
		diag_add(l->diags, SEVERITY_ERROR, "merge", l->file, frame->merge_pos, 2,
			 "'<<' needs a mapping or a sequence of mappings");
	return true;
}

static bool close_container(struct loader *l, const yaml_event_t *event)
{
	struct frame *frame = top(l);
	struct node *node = frame->node;

	if (frame->merge && !apply_merge(l, event, frame))
		return false;
	/* The end of a block is found at the next token; it lies where its last child ends. */
	if (!node->is_block)
		node->end = pos_of(event->end_mark);
	else if (node->n)
		node->end = node->last->end;
	l->depth--;
	return true;
}

static bool start_document(struct loader *l, const yaml_event_t *event)
{
	l->root = NULL;
	l->n_nodes = l->n_aliases = l->n_alias_nodes = 0;
	l->anchors.n = 0;
	if (++l->n_docs <= LIMIT_FILE_DOCS)
		return true;
	ERROR_AT(l, event, "limit", "more than %u documents in one file", LIMIT_FILE_DOCS);
	return false;
}

static void end_document(struct loader *l)
{
	if (l->root && l->root->kind != NODE_NULL)
		vec_push(l->trees, l->out, l->root);
}

/* False: the file cannot be read further. */
static bool on_event(struct loader *l, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(l, event);
	case YAML_ALIAS_EVENT:
		return on_alias(l, event);
	case YAML_MAPPING_START_EVENT:
		return open_container(l, event, NODE_MAP);
	case YAML_SEQUENCE_START_EVENT:
		return open_container(l, event, NODE_SEQ);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		return close_container(l, event);
	case YAML_DOCUMENT_START_EVENT:
		return start_document(l, event);
	case YAML_DOCUMENT_END_EVENT:
		end_document(l);
		return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
		return true;
	case YAML_STREAM_END_EVENT:
		return false;
	}
	BUG("libyaml event %d", (int)event->type);
}

static void read_events(struct loader *l)
{
	bool goes_on = true;

	while (goes_on) {
		yaml_event_t event;

		if (!yaml_parser_parse(&l->parser, &event)) {
			yaml_report(&l->parser, l->file, l->diags);
			return;
		}
		goes_on = on_event(l, &event);
		yaml_event_delete(&event);
	}
}

/*
 * JSON files go through the JSON reader, which is faster and knows surrogate pairs. What it refuses
 * is read as YAML flow style, which allows more and words the error.
 */
static bool read_as_json(const struct source_file *file, struct arena *arena, struct documents *out)
{
	const char *at = file->text, *end = at + file->len;
	struct node *root;
	struct err err;

	while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	if (at == end || (*at != '{' && *at != '['))
		return false;
	if (!json_parse(file->text, file->len, arena, &root, &err))
		return false;
	vec_push(arena, out, root);
	return true;
}

void yaml_parse(const struct source_file *file, struct arena *arena, struct documents *out,
		struct diags *diags)
{
	yaml_parse_split(file, arena, arena, out, diags);
}

void yaml_parse_split(const struct source_file *file, struct arena *trees, struct arena *texts,
		      struct documents *out, struct diags *diags)
{
	*out = (struct documents){ 0 };
	if (file->len > LIMIT_FILE_BYTES || !yaml_fast_parse(file, trees, texts, out))
		yaml_parse_general(file, trees, texts, out, diags);
}

void yaml_parse_general(const struct source_file *file, struct arena *trees, struct arena *texts,
			struct documents *out, struct diags *diags)
{
	struct loader l;

	*out = (struct documents){ 0 };
	if (file->len > LIMIT_FILE_BYTES) {
		diag_add(diags, SEVERITY_ERROR, "limit", file, (struct pos){ 0 }, 1,
			 "the file is larger than %u MiB", LIMIT_FILE_BYTES >> 20);
		return;
	}
	if (read_as_json(file, texts, out) || !yaml_check_encoding(file, diags))
		return;
	l.file = file;
	l.trees = trees;
	l.texts = texts;
	l.out = out;
	l.diags = diags;
	l.scratch = NULL;
	l.depth = l.n_docs = 0;
	l.anchors.v = NULL;
	l.anchors.n = l.anchors.cap = 0;
	l.block_left = 0;
	if (!yaml_parser_initialize(&l.parser))
		BUG("libyaml is out of memory");
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)file->text, file->len);
	read_events(&l);
	yaml_parser_delete(&l.parser);
	arena_free(l.scratch);
}
