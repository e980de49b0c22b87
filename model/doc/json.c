/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c — RFC 8259 by recursive descent, one function per production; the depth limit bounds the
 * recursion. Positions are found by counting characters only where a node or an error needs them.
 */
#include "model/doc/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/limits.h"
#include "model/doc/keys.h"
#include "model/doc/utf8.h"

struct reader {
	const char *at, *end;
	const char *counted;   /* up to here, `line` and `column` are right */
	uint32_t line, column; /* from 1, in characters                     */
	uint32_t n_nodes;
	struct arena *arena, *scratch;
	struct err *err;
};

/* Moves the counter on to `to`, which never lies before the last place asked for. */
static struct pos pos_of(struct reader *r, const char *to)
{
	for (; r->counted < to; r->counted++) {
		if (*r->counted == '\n') {
			r->line++;
			r->column = 1;
		} else if (((unsigned char)*r->counted & 0xC0) != 0x80) {
			r->column++;
		}
	}
	return (struct pos){ r->line, r->column };
}

PRINTF(3, 4)
static bool fail_at(struct reader *r, const char *place, const char *fmt, ...)
{
	struct pos pos = pos_of(r, place);
	va_list args;
	AUTO_BUF text = BUF_INIT(400);

	va_start(args, fmt);
	buf_vprintf(&text, fmt, args);
	va_end(args);
	return err_set(r->err, ERR_INVALID, "line %u, column %u: %s", pos.line, pos.column,
		       buf_text(&text));
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->end &&
	       (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
		r->at++;
}

static bool fail_here(struct reader *r, const char *wanted)
{
	uint32_t c = 0;
	char shown[5] = "";

	if (r->at == r->end)
		return fail_at(r, r->at, "expected %s, found the end of the text", wanted);
	if (!utf8_get(r->at, (size_t)(r->end - r->at), &c))
		return fail_at(r, r->at, "not valid UTF-8");
	if (utf8_is_control(c))
		return fail_at(r, r->at, "expected %s, found U+%04X", wanted, c);
	utf8_put(c, shown);
	return fail_at(r, r->at, "expected %s, found '%s'", wanted, shown);
}

static bool read_hex4(struct reader *r, const char *at, uint32_t *out)
{
	*out = 0;
	if (r->end - at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = at[i];

		if (c >= '0' && c <= '9')
			*out = *out << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*out = *out << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* `\uXXXX` at r->at, or a pair of them for characters past U+FFFF. */
static bool read_unicode(struct reader *r, char **to)
{
	const char *start = r->at;
	uint32_t c, low;

	if (!read_hex4(r, r->at + 2, &c))
		return fail_at(r, start, "'\\u' needs four hexadecimal digits");
	r->at += 6;
	if (c >= 0xD800 && c <= 0xDBFF) {
		if (r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u' ||
		    !read_hex4(r, r->at + 2, &low) || low < 0xDC00 || low > 0xDFFF)
			return fail_at(r, start, "half of a surrogate pair");
		r->at += 6;
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
	} else if (c >= 0xDC00 && c <= 0xDFFF) {
		return fail_at(r, start, "half of a surrogate pair");
	}
	*to += utf8_put(c, *to);
	return true;
}

static bool read_escape(struct reader *r, char **to)
{
	static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (r->end - r->at < 2)
		return fail_at(r, r->at, "the string is not closed");
	if (r->at[1] == 'u')
		return read_unicode(r, to);
	letter = r->at[1] ? strchr(letters, r->at[1]) : NULL;
	if (!letter)
		return fail_at(r, r->at, "unknown escape in a string");
	*(*to)++ = values[letter - letters];
	r->at += 2;
	return true;
}

/* The closing quote, or NULL: so the decoded text fits into the bytes in between. */
static const char *find_close(const struct reader *r, const char *at)
{
	while (at < r->end && *at != '"')
		at += *at == '\\' ? 2 : 1;
	return at < r->end ? at : NULL;
}

/* One character that stands for itself. */
static bool copy_raw(struct reader *r, char **to)
{
	uint32_t c = (unsigned char)*r->at;
	size_t n = 1;

	if (c < 0x20)
		return fail_at(r, r->at,
			       "control character U+%04X in a string; write it as an escape", c);
	if (c >= 0x80)
		n = utf8_get(r->at, (size_t)(r->end - r->at), &c);
	if (!n)
		return fail_at(r, r->at, "not valid UTF-8");
	memcpy(*to, r->at, n);
	*to += n;
	r->at += n;
	return true;
}

static bool read_string(struct reader *r, const char **text, uint32_t *len)
{
	const char *open = r->at, *close = find_close(r, open + 1);
	char *copy, *to;

	if (!close)
		return fail_at(r, open, "the string is not closed");
	if ((size_t)(close - open) > UINT32_MAX)
		return fail_at(r, open, "the string is too long");
	copy = to = arena_alloc(r->arena, (size_t)(close - open));
	r->at++;
	while (*r->at != '"')
		if (!(*r->at == '\\' ? read_escape(r, &to) : copy_raw(r, &to)))
			return false;
	r->at++;
	*text = copy;
	*len = (uint32_t)(to - copy);
	return true;
}

static const char *skip_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* The end of the number at r->at, by the grammar; NULL when it is none. */
static const char *scan_number(const struct reader *r, bool *is_float)
{
	const char *at = r->at, *digits;

	if (*at == '-')
		at++;
	digits = at;
	at = skip_digits(at, r->end);
	if (at == digits || (*digits == '0' && at - digits > 1))
		return NULL;
	*is_float = false;
	if (at < r->end && *at == '.') {
		*is_float = true;
		digits = at + 1;
		at = skip_digits(digits, r->end);
		if (at == digits)
			return NULL;
	}
	if (at < r->end && (*at | 0x20) == 'e') {
		*is_float = true;
		at++;
		if (at < r->end && (*at == '+' || *at == '-'))
			at++;
		digits = at;
		at = skip_digits(digits, r->end);
		if (at == digits)
			return NULL;
	}
	return at;
}

static bool read_number(struct reader *r, struct node *node)
{
	bool is_float;
	const char *end = scan_number(r, &is_float);

	if (!end || end - r->at > 1000)
		return fail_at(r, r->at,
			       end ? "the number has too many digits" : "malformed number");
	node->len = (uint32_t)(end - r->at);
	node->text = arena_copy(r->arena, r->at, node->len);
	r->at = end;
	/* No integer has this sign: as the float that it is, it prints the way it was written. */
	is_float = is_float || strcmp(node->text, "-0") == 0;
	if (!is_float) {
		errno = 0;
		node->i = strtoll(node->text, NULL, 10);
		node->kind = NODE_INT;
		is_float = errno == ERANGE;
	}
	if (is_float) {
		node->kind = NODE_FLOAT;
		node->f = strtod(node->text, NULL);
	}
	return true;
}

static bool read_word(struct reader *r, struct node *node)
{
	static const struct {
		const char *text;
		enum node_kind kind;
		int64_t i;
	} words[] = { { "true", NODE_BOOL, 1 },
		      { "false", NODE_BOOL, 0 },
		      { "null", NODE_NULL, 0 } };

	for (size_t i = 0; i < COUNTOF(words); i++) {
		size_t len = strlen(words[i].text);

		if ((size_t)(r->end - r->at) < len || memcmp(r->at, words[i].text, len) != 0)
			continue;
		node->kind = words[i].kind;
		node->i = words[i].i;
		node->text = words[i].text;
		node->len = (uint32_t)len;
		r->at += len;
		return true;
	}
	return fail_here(r, "a value");
}

static bool read_value(struct reader *r, unsigned depth, struct node **out);

static bool read_key(struct reader *r, struct node *map, struct keys *keys, const char **key)
{
	const char *start = r->at;
	const struct node *earlier;
	uint32_t len;

	if (!read_string(r, key, &len))
		return false;
	if (memchr(*key, '\0', len))
		return fail_at(r, start, "U+0000 in a key");
	if (len > LIMIT_KEY_BYTES)
		return fail_at(r, start, "the key is longer than %u bytes", LIMIT_KEY_BYTES);
	earlier = keys_find(keys, map, *key, r->scratch);
	if (earlier)
		return fail_at(r, start, "key '%.100s' is given twice; first in line %u, column %u",
			       *key, earlier->key_pos.line, earlier->key_pos.column);
	return true;
}

static bool read_member(struct reader *r, struct node *map, struct keys *keys, unsigned depth)
{
	struct pos key_pos;
	const char *key;
	struct node *value;

	skip_blanks(r);
	if (r->at == r->end || *r->at != '"')
		return fail_here(r, "a key in double quotes");
	key_pos = pos_of(r, r->at);
	if (!read_key(r, map, keys, &key))
		return false;
	skip_blanks(r);
	if (r->at == r->end || *r->at != ':')
		return fail_here(r, "':'");
	r->at++;
	if (!read_value(r, depth, &value))
		return false;
	value->key = key;
	value->key_pos = key_pos;
	node_push(map, value);
	return true;
}

static bool read_element(struct reader *r, struct node *list, unsigned depth)
{
	struct node *value;

	if (!read_value(r, depth, &value))
		return false;
	node_push(list, value);
	return true;
}

static bool read_children(struct reader *r, struct node *list, unsigned depth)
{
	bool is_map = list->kind == NODE_MAP;
	char close = is_map ? '}' : ']';
	struct keys keys = { 0 };

	if (depth > LIMIT_DOC_DEPTH)
		return fail_at(r, r->at, "nested more than %u levels deep", LIMIT_DOC_DEPTH);
	r->at++;
	skip_blanks(r);
	if (r->at < r->end && *r->at == close) {
		r->at++;
		return true;
	}
	for (;;) {
		if (!(is_map ? read_member(r, list, &keys, depth) : read_element(r, list, depth)))
			return false;
		skip_blanks(r);
		if (r->at == r->end || (*r->at != ',' && *r->at != close))
			return fail_here(r, is_map ? "',' or '}'" : "',' or ']'");
		if (*r->at++ == close)
			return true;
	}
}

static bool read_content(struct reader *r, unsigned depth, struct node *node)
{
	char c = *r->at;

	if (c == '{' || c == '[') {
		node->kind = c == '{' ? NODE_MAP : NODE_SEQ;
		return read_children(r, node, depth + 1);
	}
	if (c == '"') {
		node->kind = NODE_STRING;
		return read_string(r, &node->text, &node->len);
	}
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(r, node);
	return read_word(r, node);
}

static bool read_value(struct reader *r, unsigned depth, struct node **out)
{
	struct node *node;

	skip_blanks(r);
	if (r->at == r->end)
		return fail_here(r, "a value");
	if (++r->n_nodes > LIMIT_DOC_NODES)
		return fail_at(r, r->at, "more than %u values", LIMIT_DOC_NODES);
	node = node_new(r->arena, NODE_NULL);
	node->pos = pos_of(r, r->at);
	if (!read_content(r, depth, node))
		return false;
	node->end = pos_of(r, r->at);
	*out = node;
	return true;
}

bool json_parse(const char *text, size_t len, struct arena *arena, struct node **out,
		struct err *err)
{
	struct reader r = { .at = text,
			    .end = text + len,
			    .counted = text,
			    .line = 1,
			    .column = 1,
			    .arena = arena,
			    .scratch = arena_new(),
			    .err = err };
	struct node *root = NULL;
	bool ok = read_value(&r, 0, &root);

	if (ok) {
		skip_blanks(&r);
		ok = r.at == r.end || fail_here(&r, "the end of the text");
	}
	arena_free(r.scratch);
	*out = ok ? root : NULL;
	return ok;
}
