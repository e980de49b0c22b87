/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_fast_value.c — what stands on one line: plain and quoted scalars, and braces and brackets that close on their line.
 * Texts are decoded where they stand, which only makes them shorter, and ended by a NUL.
 */
#include <string.h>

#include "model/base/limits.h"
#include "model/doc/keys.h"
#include "model/doc/yaml_fast.h"
#include "model/doc/yaml_scalar.h"

/* libyaml takes a key of at most 1024 characters. */
enum { KEY_MAX = 1000 };

struct pos fast_here(const struct fast_reader *r, const char *at)
{
	uint32_t column = 1;

	if (!r->is_wide)
		return (struct pos){ r->line, (uint32_t)(at - r->line_start) + 1 };
	for (const char *c = r->line_start; c < at; c++)
		column += ((unsigned char)*c & 0xC0) != 0x80;
	return (struct pos){ r->line, column };
}

struct node *fast_node(struct fast_reader *r, enum node_kind kind, const char *at)
{
	struct node *node;

	if (++r->n_nodes > LIMIT_DOC_NODES)
		return NULL;
	node = node_new(r->trees, kind);
	node->pos = fast_here(r, at);
	return node;
}

static bool starts_plain(const char *text)
{
	if (strchr(" \n?:,[]{}#&*!|>'\"%@`", *text))
		return false;
	if (*text == '-' && (text[1] == ' ' || text[1] == '\n'))
		return false;
	return strncmp(text, "---", 3) != 0 && strncmp(text, "...", 3) != 0;
}

/* In braces only what can have no meaning there passes. */
static bool is_flow_char(const char *at)
{
	unsigned char c = (unsigned char)*at;

	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
		return true;
	if (c == ':')
		return at[1] == '/' || (at[1] >= '0' && at[1] <= '9') ||
		       (at[1] >= 'a' && at[1] <= 'z') || (at[1] >= 'A' && at[1] <= 'Z');
	return c && strchr("_./@+=-$~ ", c);
}

static bool scan_plain(char *text, bool is_flow, struct fast_span *out, bool *is_key)
{
	char *at = text;

	*is_key = false;
	if (!starts_plain(text))
		return false;
	for (; *at != '\n'; at++) {
		if (*at == ':' && (at[1] == ' ' || at[1] == '\n')) {
			*is_key = true;
			break;
		}
		if (*at == '#' && at[-1] == ' ')
			break;
		if (is_flow && strchr(",]}", *at))
			break;
		if (is_flow && !is_flow_char(at))
			return false;
	}
	if (*is_key && at[-1] == ' ')
		return false;
	out->to = at;
	while (at[-1] == ' ')
		at--;
	*out = (struct fast_span){ text, at, text, *is_key ? out->to : at, true };
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* \xNN and \uNNNN of ASCII characters. */
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

static bool scan_double(char *text, struct fast_span *out)
{
	char *from = text + 1, *to = from;

	while (*from != '"') {
		if (*from == '\n')
			return false;
		if (*from != '\\') {
			*to++ = *from++;
			continue;
		}
		from++;
		if (!put_escape(&from, &to))
			return false;
	}
	*out = (struct fast_span){ text + 1, to, text, from + 1, false };
	return true;
}

static bool scan_single(char *text, struct fast_span *out)
{
	char *from = text + 1, *to = from;

	while (*from != '\'' || from[1] == '\'') {
		if (*from == '\n')
			return false;
		from += *from == '\'';
		*to++ = *from++;
	}
	*out = (struct fast_span){ text + 1, to, text, from + 1, false };
	return true;
}

bool fast_scan(struct fast_reader *r, bool is_flow, struct fast_span *out, bool *is_key)
{
	if (*r->at != '"' && *r->at != '\'') {
		if (!scan_plain(r->at, is_flow, out, is_key))
			return false;
		r->at = out->to + *is_key;
		return true;
	}
	if (*r->at == '"' ? !scan_double(r->at, out) : !scan_single(r->at, out))
		return false;
	*is_key = *out->to == ':' && (out->to[1] == ' ' || out->to[1] == '\n');
	r->at = out->to + *is_key;
	/* Moved bytes would count wrongly; JSON's "a":1 is left to others. */
	return (!r->is_wide || out->end == out->to - 1) && (*is_key || *out->to != ':');
}

static struct node *take(struct fast_reader *r, const struct fast_span *span)
{
	struct node *node = fast_node(r, NODE_STRING, span->from);

	if (!node)
		return NULL;
	node->end = fast_here(r, span->to);
	node->text = span->text;
	node->len = (uint32_t)(span->end - span->text);
	node->is_plain = span->is_plain;
	return node;
}

void fast_finish(struct node *node)
{
	if (!node->text || node->is_block)
		return;
	((char *)(uintptr_t)node->text)[node->len] = '\0';
	if (node->is_plain)
		yaml_resolve(node);
}

bool fast_take_key(struct fast_reader *r, const struct fast_span *key, struct keys *keys,
		   const struct node *map)
{
	size_t len = (size_t)(key->end - key->text);

	if (!len || len > KEY_MAX || memchr(key->text, '\0', len))
		return false;
	if (key->is_plain && len == 2 && memcmp(key->text, "<<", 2) == 0)
		return false;
	*key->end = '\0';
	if (map->n > KEYS_WALKED && !r->scratch)
		r->scratch = arena_new();
	return !keys_find(keys, map, key->text, r->scratch);
}

static void skip_blanks(struct fast_reader *r)
{
	while (*r->at == ' ')
		r->at++;
}

static struct node *read_flow(struct fast_reader *r);

static struct node *read_flow_value(struct fast_reader *r)
{
	struct fast_span span;
	bool is_key;

	if (*r->at == '{' || *r->at == '[')
		return read_flow(r);
	if (!fast_scan(r, true, &span, &is_key) || is_key)
		return NULL;
	return take(r, &span);
}

/* Behind an entry: true goes on with another one; *is_done at the closing bracket, which is passed over. */
static bool next_entry(struct fast_reader *r, char close, struct node *entry, bool *is_done)
{
	char c;

	skip_blanks(r);
	c = *r->at;
	fast_finish(entry);
	*is_done = c == close;
	if (!*is_done && c != ',')
		return false;
	r->at++;
	if (*is_done)
		return true;
	skip_blanks(r);
	return *r->at != close && *r->at != '\n';
}

static bool read_flow_map(struct fast_reader *r, struct node *map)
{
	struct keys keys = { 0 };
	bool is_done = false;

	while (!is_done) {
		struct pos pos = fast_here(r, r->at);
		struct fast_span key;
		struct node *value;
		bool is_key;

		if (!fast_scan(r, true, &key, &is_key) || !is_key || *r->at != ' ' ||
		    !fast_take_key(r, &key, &keys, map))
			return false;
		skip_blanks(r);
		value = read_flow_value(r);
		if (!value || !next_entry(r, '}', value, &is_done))
			return false;
		value->key = key.text;
		value->key_pos = pos;
		node_push(map, value);
	}
	return true;
}

static bool read_flow_seq(struct fast_reader *r, struct node *seq)
{
	bool is_done = false;

	while (!is_done) {
		struct node *value = read_flow_value(r);

		if (!value || !next_entry(r, ']', value, &is_done))
			return false;
		node_push(seq, value);
	}
	return true;
}

static struct node *read_flow(struct fast_reader *r)
{
	bool is_map = *r->at == '{', is_done;
	struct node *node = fast_node(r, is_map ? NODE_MAP : NODE_SEQ, r->at);

	if (!node || r->depth + 1 >= LIMIT_DOC_DEPTH)
		return NULL;
	r->depth++;
	r->at++;
	skip_blanks(r);
	if (*r->at == (is_map ? '}' : ']')) {
		r->at++;
		is_done = true;
	} else {
		is_done = is_map ? read_flow_map(r, node) : read_flow_seq(r, node);
	}
	r->depth--;
	node->end = fast_here(r, r->at);
	return is_done ? node : NULL;
}

struct node *fast_value(struct fast_reader *r)
{
	struct fast_span span;
	struct node *node;
	bool is_key;

	if (*r->at == '{' || *r->at == '[')
		node = read_flow(r);
	else if (fast_scan(r, false, &span, &is_key) && !is_key)
		node = take(r, &span);
	else
		return NULL;
	return *r->at == ' ' || *r->at == '\n' ? node : NULL;
}
