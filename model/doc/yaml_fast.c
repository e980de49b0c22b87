/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_fast.c — lines and blocks. One pass over a copy of the text, which holds the texts of the tree afterwards.
 */
#include "model/doc/yaml_fast.h"

#include <string.h>

#include "model/base/limits.h"
#include "model/doc/keys.h"
#include "model/doc/utf8.h"

static struct node *read_block(struct fast_reader *r, unsigned indent);

/*
 * Characters that need no thought: printable ones and line feeds. Carriage returns, tabs, marks of byte order, and the
 * other line ends of Unicode are the general reader's.
 */
static bool is_simple_text(const char *text, size_t len, bool *is_wide)
{
	*is_wide = false;
	for (size_t at = 0; at < len;) {
		unsigned char byte = (unsigned char)text[at];
		uint32_t c;
		size_t n;

		if ((byte >= ' ' && byte < 0x7f) || byte == '\n') {
			at++;
			continue;
		}
		if (byte < 0x80)
			return false;
		n = utf8_get(text + at, len - at, &c);
		if (!n || c < 0xA0 || c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE ||
		    c == 0xFFFF)
			return false;
		*is_wide = true;
		at += n;
	}
	return true;
}

static bool is_marker(const char *at)
{
	return strncmp(at, "---", 3) == 0 || strncmp(at, "...", 3) == 0;
}

/* From the start of a line to the next one that says something, behind its blanks. */
static void find_line(struct fast_reader *r)
{
	for (;; r->line++) {
		r->line_start = r->at;
		while (*r->at == ' ')
			r->at++;
		if (r->at == r->end)
			break;
		if (*r->at != '#' && *r->at != '\n')
			break;
		r->at = (char *)memchr(r->at, '\n', (size_t)(r->end - r->at)) + 1;
	}
	r->indent = (unsigned)(r->at - r->line_start);
	r->is_over = r->at == r->end || (r->indent == 0 && is_marker(r->at));
}

/* Behind a value there may be blanks, and a comment behind them. */
static bool end_line(struct fast_reader *r)
{
	const char *start = r->at;

	while (*r->at == ' ')
		r->at++;
	if (*r->at == '#' && r->at > start)
		r->at = memchr(r->at, '\n', (size_t)(r->end - r->at));
	if (*r->at != '\n')
		return false;
	r->at++;
	r->line++;
	find_line(r);
	return true;
}

static bool is_dash(const struct fast_reader *r)
{
	return r->at[0] == '-' && r->at[1] == ' ';
}

/* Lines of a literal block go to `to` without their indentation; returns behind the last one. */
static char *take_lines(struct fast_reader *r, unsigned indent, char *to, bool *is_clean)
{
	char *end = to;

	*is_clean = true;
	while (r->at < r->end) {
		char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
		size_t n_blanks = strspn(r->at, " ");

		if (r->at + n_blanks ==
		    stop) { /* an empty line; with more blanks it would be text */
			*is_clean &= n_blanks <= indent;
			*to++ = '\n';
		} else if (n_blanks < indent) {
			break;
		} else {
			size_t n = (size_t)(stop - r->at) - indent + 1;

			memmove(to, r->at + indent, n);
			to += n;
			end = to;
		}
		r->at = stop + 1;
		r->line++;
	}
	return end;
}

/* "|" and "|-", with text in the very next line. */
static struct node *read_literal(struct fast_reader *r, unsigned parent)
{
	struct node *node = fast_node(r, NODE_STRING, r->at);
	bool is_stripped = r->at[1] == '-', is_clean;
	char *text = r->at + 1 + is_stripped, *end;
	unsigned indent;

	if (!node || *text != '\n')
		return NULL;
	r->at = text + 1;
	r->line++;
	indent = (unsigned)strspn(r->at, " ");
	if (indent <= parent || r->at[indent] == '\n' || r->at + indent >= r->end)
		return NULL;
	end = take_lines(r, indent, text, &is_clean);
	if (!is_clean || (r->is_cut && r->at == r->end))
		return NULL;
	end -= is_stripped;
	*end = '\0'; /* at least one blank of indentation gave way */
	node->text = text;
	node->len = (uint32_t)(end - text);
	node->is_block = true;
	find_line(r);
	node->end = (struct pos){ r->line, 1 };
	return node;
}

/* A scalar, or what is in braces, and the rest of its line. A text that goes on below is not ours to read. */
static struct node *read_value(struct fast_reader *r, unsigned parent)
{
	struct node *node;

	if (*r->at == '|')
		return read_literal(r, parent);
	node = fast_value(r);
	if (!node || !end_line(r))
		return NULL;
	fast_finish(node);
	return node;
}

static struct node *make_null(struct fast_reader *r, struct pos pos)
{
	struct node *node = fast_node(r, NODE_NULL, r->line_start);

	if (!node)
		return NULL;
	node->pos = node->end = pos;
	node->text = "";
	node->is_plain = true;
	return node;
}

/* Of a key, the cursor behind its ':'. On the same line, or a block on the lines below, or nothing. */
static struct node *read_value_of_key(struct fast_reader *r, unsigned indent)
{
	struct pos behind = fast_here(r, r->at);

	while (*r->at == ' ')
		r->at++;
	if (*r->at != '\n' && *r->at != '#')
		return read_value(r, indent);
	r->at -= *r->at == '#'; /* a comment needs a blank before it, and has one */
	if (!end_line(r))
		return NULL;
	if (!r->is_over && (r->indent > indent || (r->indent == indent && is_dash(r))))
		return read_block(r, r->indent);
	return make_null(r, behind);
}

static bool read_map(struct fast_reader *r, struct node *map, unsigned indent)
{
	struct keys keys = { 0 };

	do {
		struct pos pos = fast_here(r, r->at);
		struct fast_span key;
		struct node *value;
		bool is_key;

		if (is_dash(r) || !fast_scan(r, false, &key, &is_key) || !is_key ||
		    !fast_take_key(r, &key, &keys, map))
			return false;
		value = read_value_of_key(r, indent);
		if (!value)
			return false;
		value->key = key.text;
		value->key_pos = pos;
		node_push(map, value);
	} while (!r->is_over && r->indent == indent);
	return r->is_over || r->indent < indent;
}

/* Behind a dash: is it "key: value", so that a mapping begins? */
static bool is_key_ahead(const struct fast_reader *r)
{
	const char *at = r->at;

	if (*at == '{' || *at == '[')
		return false;
	if (*at == '"') {
		for (at++; *at != '"' && *at != '\n'; at++)
			at += *at == '\\' && at[1] != '\n';
	} else if (*at == '\'') {
		for (at++; *at != '\n' && (*at != '\'' || at[1] == '\''); at++)
			at += *at == '\'';
	}
	for (; *at != '\n' && !(at[0] == ' ' && at[1] == '#'); at++)
		if (*at == ':' && (at[1] == ' ' || at[1] == '\n'))
			return true;
	return false;
}

static bool read_seq(struct fast_reader *r, struct node *seq, unsigned indent)
{
	do {
		struct node *item;

		for (r->at++; *r->at == ' ';)
			r->at++;
		if (is_dash(r) || is_key_ahead(r))
			item = read_block(r, (unsigned)(r->at - r->line_start));
		else
			item = read_value(r, indent);
		if (!item)
			return false;
		node_push(seq, item);
	} while (!r->is_over && r->indent == indent && is_dash(r));
	return r->is_over || r->indent <= indent;
}

/* The cursor is at the block's first character, which stands in column `indent`. */
static struct node *read_block(struct fast_reader *r, unsigned indent)
{
	bool is_seq = is_dash(r), is_done;
	struct node *node = fast_node(r, is_seq ? NODE_SEQ : NODE_MAP, r->at);

	if (!node || r->depth + 1 >= LIMIT_DOC_DEPTH)
		return NULL;
	node->is_block = true;
	r->depth++;
	is_done = is_seq ? read_seq(r, node, indent) : read_map(r, node, indent);
	r->depth--;
	if (!is_done)
		return NULL;
	node->end = node->last->end;
	return node;
}

/* "---" alone on its line, before a document or between two. */
static bool skip_marker(struct fast_reader *r)
{
	if (strncmp(r->at, "---", 3) != 0)
		return false;
	r->at += 3;
	return (*r->at == ' ' || *r->at == '\n') && end_line(r);
}

static bool read_documents(struct fast_reader *r, struct documents *out)
{
	unsigned n_docs = 0;

	find_line(r);
	while (r->at < r->end) {
		struct node *root;

		if (r->is_over && !skip_marker(r))
			return false;
		if (++n_docs > LIMIT_FILE_DOCS)
			return false;
		if (r->is_over) /* an empty document */
			continue;
		r->n_nodes = 0;
		root = r->indent == 0 ? read_block(r, 0) : NULL;
		if (!root || !r->is_over)
			return false;
		vec_push(r->trees, out, root);
	}
	return true;
}

bool yaml_fast_parse(const struct source_file *file, struct arena *trees, struct arena *texts,
		     struct documents *out)
{
	struct fast_reader r = { .line = 1, .trees = trees };
	struct documents documents = { 0 };
	char *copy;
	bool is_done;

	if (!file->len || !is_simple_text(file->text, file->len, &r.is_wide))
		return false;
	copy = arena_raw(texts, file->len + 2);
	memcpy(copy, file->text, file->len);
	memcpy(copy + file->len, "\n", 2);
	r.at = copy;
	r.is_cut = copy[file->len - 1] != '\n';
	r.end = copy + file->len + r.is_cut;
	*r.end = '\0';
	is_done = read_documents(&r, &documents);
	arena_free(r.scratch);
	if (is_done)
		*out = documents;
	return is_done;
}
