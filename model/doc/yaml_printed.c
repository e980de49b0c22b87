/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_printed.c — one pass over a copy of the text, in which texts are ended by a NUL where they stand. Whatever is not
 * plainly of the printed shape ends the reading: doubts are settled by the general reader, never here.
 */
#include "model/doc/yaml_printed.h"

#include <string.h>

#include "model/base/limits.h"
#include "model/doc/keys.h"
#include "model/doc/yaml_scalar.h"

/* libyaml takes a key of at most 1024 characters; deeper trees and larger files are the general reader's. */
enum { KEY_MAX = 1000, DEPTH_MAX = LIMIT_DOC_DEPTH - 1 };

struct reader {
	char *at, *end; /* what comes next; a line end always stands before `end` */
	char *line_start;
	uint32_t line;
	unsigned indent; /* of the line at hand */
	bool is_over;    /* there is no further line */
	unsigned depth;
	uint32_t n_nodes;
	struct arena *trees, *texts, *scratch;
};

/* Where a text stands in the copy; ended by a NUL once it is taken. */
struct span {
	char *text, *end;
	bool is_quoted;
};

static struct node *read_block(struct reader *r, unsigned indent);

/* Goes to the next line and over its blanks. False for empty lines, which the printer does not make. */
static bool next_line(struct reader *r)
{
	r->line_start = r->at;
	r->line++;
	r->indent = 0;
	if (r->at == r->end) {
		r->is_over = true;
		return true;
	}
	while (*r->at == ' ')
		r->at++;
	r->indent = (unsigned)(r->at - r->line_start);
	return *r->at != '\n';
}

static struct pos here(const struct reader *r, const char *at)
{
	return (struct pos){ r->line, (uint32_t)(at - r->line_start) + 1 };
}

static struct node *make(struct reader *r, enum node_kind kind, const char *at)
{
	struct node *node;

	if (++r->n_nodes > LIMIT_DOC_NODES)
		return NULL;
	node = node_new(r->trees, kind);
	node->pos = here(r, at);
	return node;
}

static bool is_ascii(unsigned char c)
{
	return c >= ' ' && c < 0x7f;
}

static bool starts_plain(const char *text)
{
	if (strchr(" ?:,[]{}#&*!|>'\"%@`", *text))
		return false;
	if (*text == '-' && (text[1] == ' ' || text[1] == '\n'))
		return false;
	return strncmp(text, "---", 3) != 0 && strncmp(text, "...", 3) != 0;
}

/* Up to the line end, or to a ':' that ends a key; *is_key says which. */
static bool scan_plain(char *text, struct span *out, bool *is_key)
{
	char *at = text;

	*is_key = false;
	if (!starts_plain(text))
		return false;
	for (; *at != '\n'; at++) {
		if (!is_ascii((unsigned char)*at))
			return false;
		if (*at == '#' && at[-1] == ' ')
			return false;
		if (*at == ':' && (at[1] == ' ' || at[1] == '\n')) {
			*is_key = true;
			break;
		}
	}
	*out = (struct span){ .text = text, .end = at };
	return at > text && at[-1] != ' ';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* \xNN and \uNNNN below U+0080, the only ones that are printed of ASCII texts. */
static bool put_hex(char **from, unsigned n_digits, char **to)
{
	unsigned value = 0;

	for (unsigned i = 0; i < n_digits; i++, (*from)++) {
		int digit = hex_digit(**from);

		if (digit < 0)
			return false;
		value = value * 16 + (unsigned)digit;
	}
	if (value >= 0x80)
		return false;
	*(*to)++ = (char)value;
	return true;
}

static bool put_escape(char **from, char **to)
{
	static const char letters[] = "\"\\nrte0", means[] = "\"\\\n\r\t\033";
	char c = *(*from)++;
	const char *at = c ? strchr(letters, c) : NULL;

	if (c == 'x')
		return put_hex(from, 2, to);
	if (c == 'u')
		return put_hex(from, 4, to);
	if (!at)
		return false;
	*(*to)++ = means[at - letters]; /* '0' means the NUL that ends `means` */
	return true;
}

/* `text` is at the quote; *after is behind the closing one. The text is decoded in place: it only gets shorter. */
static bool scan_quoted(char *text, struct span *out, char **after)
{
	char *from = text + 1, *to = from;

	out->text = from;
	out->is_quoted = true;
	while (*from != '"') {
		if (!is_ascii((unsigned char)*from))
			return false;
		if (*from != '\\') {
			*to++ = *from++;
			continue;
		}
		from++;
		if (!put_escape(&from, &to))
			return false;
	}
	out->end = to;
	*after = from + 1;
	return true;
}

/* What stands at the cursor. A key's ':' is passed over; a scalar goes up to the line end. */
static bool scan(struct reader *r, struct span *out, bool *is_key)
{
	char *after;

	*out = (struct span){ 0 };
	if (*r->at != '"') {
		if (!scan_plain(r->at, out, is_key))
			return false;
		r->at = out->end + *is_key;
		return true;
	}
	if (!scan_quoted(r->at, out, &after))
		return false;
	*is_key = *after == ':';
	r->at = after + *is_key;
	return *is_key ? *r->at == ' ' || *r->at == '\n' : *r->at == '\n';
}

static struct node *take_scalar(struct reader *r, const struct span *span)
{
	struct node *node = make(r, NODE_STRING, span->text - span->is_quoted);

	if (!node)
		return NULL;
	*span->end = '\0';
	node->text = span->text;
	node->len = (uint32_t)(span->end - span->text);
	if (!span->is_quoted) {
		node->is_plain = true;
		yaml_resolve(node);
	}
	return node;
}

/* [] and {}, or a scalar; the cursor ends on the next line. */
static struct node *read_scalar(struct reader *r)
{
	struct span span;
	struct node *node;
	bool is_key;

	if ((r->at[0] == '[' && r->at[1] == ']') || (r->at[0] == '{' && r->at[1] == '}')) {
		node = make(r, *r->at == '[' ? NODE_SEQ : NODE_MAP, r->at);
		r->at += 2;
		if (*r->at != '\n')
			return NULL;
	} else {
		char *stop;

		if (!scan(r, &span, &is_key) || is_key)
			return NULL;
		stop = r->at;
		node = take_scalar(r, &span);
		r->at = stop;
	}
	r->at++;
	return node && next_line(r) ? node : NULL;
}

static bool is_dash(const struct reader *r)
{
	return r->at[0] == '-' && r->at[1] == ' ';
}

/* Of a key: on its line, or a block on the lines below, which is a sequence at the key's indentation or a mapping further in. */
static struct node *read_value(struct reader *r, unsigned indent)
{
	if (*r->at == ' ') {
		r->at++;
		return read_scalar(r);
	}
	r->at++;
	if (!next_line(r) || r->is_over)
		return NULL;
	if (is_dash(r) ? r->indent != indent : r->indent != indent + 2)
		return NULL;
	return read_block(r, r->indent);
}

static bool take_key(struct reader *r, const struct span *key, struct keys *keys,
		     const struct node *map)
{
	size_t len = (size_t)(key->end - key->text);

	if (!len || len > KEY_MAX || memchr(key->text, '\0', len))
		return false;
	if (!key->is_quoted && len == 2 && memcmp(key->text, "<<", 2) == 0)
		return false;
	*key->end = '\0';
	if (map->n > KEYS_WALKED && !r->scratch)
		r->scratch = arena_new();
	return !keys_find(keys, map, key->text, r->scratch);
}

static bool read_map(struct reader *r, struct node *map, unsigned indent)
{
	struct keys keys = { 0 };

	do {
		struct pos pos = here(r, r->at);
		struct span key;
		struct node *value;
		bool is_key;

		if (is_dash(r) || !scan(r, &key, &is_key) || !is_key ||
		    !take_key(r, &key, &keys, map))
			return false;
		value = read_value(r, indent);
		if (!value)
			return false;
		value->key = key.text;
		value->key_pos = pos;
		node_push(map, value);
	} while (!r->is_over && r->indent == indent);
	return r->is_over || r->indent < indent;
}

/* Behind a dash: is it "key: value", so that a mapping begins? */
static bool is_key_ahead(const struct reader *r)
{
	const char *at = r->at;

	if (*at == '"')
		for (at++; *at != '"' && *at != '\n'; at++)
			at += *at == '\\' && at[1] != '\n';
	for (; *at != '\n'; at++)
		if (*at == ':' && (at[1] == ' ' || at[1] == '\n'))
			return true;
	return false;
}

static bool read_seq(struct reader *r, struct node *seq, unsigned indent)
{
	do {
		struct node *item;

		r->at += 2;
		item = is_dash(r) || is_key_ahead(r) ? read_block(r, indent + 2) : read_scalar(r);
		if (!item)
			return false;
		node_push(seq, item);
	} while (!r->is_over && r->indent == indent && is_dash(r));
	return r->is_over || r->indent <= indent;
}

/* The cursor is at the block's first character, which stands in column `indent`. */
static struct node *read_block(struct reader *r, unsigned indent)
{
	bool is_seq = is_dash(r), is_done;
	struct node *node = make(r, is_seq ? NODE_SEQ : NODE_MAP, r->at);

	if (!node || r->depth >= DEPTH_MAX)
		return NULL;
	node->is_block = true;
	r->depth++;
	is_done = is_seq ? read_seq(r, node, indent) : read_map(r, node, indent);
	r->depth--;
	return is_done ? node : NULL;
}

struct node *yaml_parse_printed(const char *text, size_t len, struct arena *trees,
				struct arena *texts)
{
	struct reader r = { .trees = trees, .texts = texts };
	struct node *root = NULL;

	if (!len || len > LIMIT_FILE_BYTES || text[len - 1] != '\n')
		return NULL;
	r.at = arena_copy(texts, text, len);
	r.end = r.at + len;
	if (next_line(&r) && !r.is_over && r.indent == 0)
		root = read_block(&r, 0);
	if (r.scratch)
		arena_free(r.scratch);
	return root && r.is_over ? root : NULL;
}
