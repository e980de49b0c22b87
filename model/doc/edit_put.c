/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit_put.c — the bytes that put a value into a text. In block style a new key or item gets lines of its own behind the
 * last one, at its column; in flow style it stands behind the last one, on a line of its own where that has one. Comments
 * stay on the line they are on.
 */
#include <string.h>

#include "model/base/limits.h"
#include "model/doc/edit_change.h"

void splice_add_bytes(struct splices *out, size_t start, size_t end, const char *bytes, size_t n)
{
	if (out->n == COUNTOF(out->v))
		BUG("too many splices");
	out->v[out->n++] = (struct splice){ start, end, n, bytes };
}

void splice_add_buf(struct splices *out, const struct edit *edit, size_t start, size_t end,
		    const struct buf *bytes)
{
	splice_add_bytes(out, start, end, buf_copy(bytes, edit->arena), bytes->len);
}

size_t line_end_of(const struct edit *edit, size_t at)
{
	return layout_line_end(edit->text, edit->len, at);
}

bool is_first_on_line(const struct edit *edit, size_t at)
{
	for (size_t i = layout_line_start(edit->text, at); i < at; i++)
		if (edit->text[i] != ' ' && edit->text[i] != '\t')
			return false;
	return true;
}

static bool is_tight(const struct edit *edit, const struct layout *at)
{
	const struct layout *first = at;

	while (first && first->parent)
		first = first->parent;
	first = first ? first->first : NULL;
	return edit->is_json && first && first->key && first->mark < edit->len &&
	       edit->text[first->mark] != ' ' && edit->text[first->mark] != '\t';
}

struct edit_style style_at(const struct edit *edit, const struct layout *at)
{
	const struct layout *root = at;
	struct edit_style style = { .is_json = edit->is_json, .is_tight = is_tight(edit, at) };
	size_t end, next;

	while (root && root->parent)
		root = root->parent;
	edit_style_find(root, edit->text, edit->len, &style);
	if (!at)
		return style;
	end = line_end_of(edit, at->end);
	next = layout_next_line(edit->text, edit->len, end);
	if (next > end)
		style.eol = arena_copy(edit->arena, edit->text + end, next - end);
	return style;
}

/* Nothing but blanks and a comment between `at` and the end of its line. */
static bool ends_line(const struct edit *edit, size_t at)
{
	size_t end = line_end_of(edit, at);

	return layout_skip(edit->text, end, at) >= end;
}

static void put_block_child(const struct change *change, const struct edit_style *style,
			    struct buf *out)
{
	struct node item = *change->value, list = { .kind = NODE_SEQ, .n = 1 };

	if (change->kind == CHANGE_INSERT) {
		edit_print_entry(change->key, change->value, change->at->column, style, out);
		return;
	}
	item.next = NULL;
	list.first = list.last = &item;
	edit_print_block(&list, change->at->column, style, out);
}

static void put_flow_child(const struct change *change, const struct edit_style *style,
			   struct buf *out)
{
	if (change->kind == CHANGE_INSERT) {
		edit_print_key(change->key, true, style, out);
		if (!style->is_tight)
			buf_byte(out, ' ');
	}
	edit_print_flow(change->value, style, out);
}

/* Behind the last child; before it where that is no good: behind a block scalar that keeps its blank lines. */
static bool add_block(const struct edit *edit, const struct change *change, struct splices *out)
{
	const struct layout *last = change->at->last;
	struct edit_style style = style_at(edit, last);
	AUTO_BUF bytes = BUF_INIT(LIMIT_FILE_BYTES);
	size_t end = line_end_of(edit, last->end);
	size_t next = layout_next_line(edit->text, edit->len, end);

	if (change->attempt == 1) {
		put_block_child(change, &style, &bytes);
		buf_puts(&bytes, style.eol);
		edit_put_blanks(change->at->column, &bytes);
		splice_add_buf(out, edit, last->entry, last->entry, &bytes);
		return true;
	}
	if (next == end)
		buf_puts(&bytes, style.eol);
	edit_put_blanks(change->at->column, &bytes);
	put_block_child(change, &style, &bytes);
	if (next > end)
		buf_puts(&bytes, style.eol);
	splice_add_buf(out, edit, next, next, &bytes);
	return change->attempt == 0;
}

/* {a: 1,
 *  b: 2}  # the last child has a line of its own, and so gets the new one */
static bool add_flow_line(const struct edit *edit, const struct change *change,
			  const struct edit_style *style, struct splices *out)
{
	const struct layout *last = change->at->last;
	size_t comma = layout_skip(edit->text, edit->len, last->end);
	bool has_comma = comma < edit->len && edit->text[comma] == ',';
	size_t behind = has_comma ? comma + 1 : last->end;
	size_t line = layout_line_start(edit->text, last->entry);
	size_t end = line_end_of(edit, behind);
	AUTO_BUF bytes = BUF_INIT(LIMIT_FILE_BYTES);

	if (!is_first_on_line(edit, last->entry) || !ends_line(edit, behind) ||
	    (has_comma && comma > line_end_of(edit, last->end)))
		return false;
	if (!has_comma)
		splice_add_bytes(out, last->end, last->end, ",", 1);
	buf_puts(&bytes, style->eol);
	buf_add(&bytes, edit->text + line, last->entry - line);
	put_flow_child(change, style, &bytes);
	if (has_comma)
		buf_byte(&bytes, ',');
	splice_add_buf(out, edit, end, end, &bytes);
	return true;
}

static bool add_flow(const struct edit *edit, const struct change *change, struct splices *out)
{
	const struct layout *last = change->at->last;
	struct edit_style style = style_at(edit, change->at);
	AUTO_BUF bytes = BUF_INIT(LIMIT_FILE_BYTES);
	size_t at = last ? last->end : change->at->content + 1;

	if (change->attempt)
		return false;
	if (last && add_flow_line(edit, change, &style, out))
		return true;
	if (last)
		buf_puts(&bytes, style.is_tight ? "," : ", ");
	put_flow_child(change, &style, &bytes);
	splice_add_buf(out, edit, at, at, &bytes);
	return true;
}

bool splice_add(const struct edit *edit, const struct change *change, struct splices *out)
{
	return change->at->is_flow ? add_flow(edit, change, out) : add_block(edit, change, out);
}

static bool is_in_flow(const struct layout *at)
{
	return at->parent && at->parent->is_flow;
}

/* Behind ':' and '-' stands a blank, which an empty value may lack. */
static void put_gap(const struct edit *edit, size_t at, struct buf *out)
{
	char before = at ? edit->text[at - 1] : '\n';

	if (before == ':' || before == '-')
		buf_byte(out, ' ');
	else if (before != ' ' && before != '\t' && before != '\n' && before != '\r')
		buf_byte(out, ' ');
}

/* Puts text without line ends in the place of a scalar or of something with braces. */
static void replace_inline(const struct edit *edit, const struct change *change,
			   struct splices *out)
{
	const struct layout *at = change->at;
	struct edit_style style = style_at(edit, at);
	bool is_flow = is_in_flow(at);
	AUTO_BUF bytes = BUF_INIT(LIMIT_FILE_BYTES);

	if (at->content == at->end && !style.is_tight)
		put_gap(edit, at->end, &bytes);
	if (edit_is_tree(change->value))
		edit_print_flow(change->value, &style, &bytes);
	else
		edit_print_scalar(change->value,
				  at->style == LAYOUT_BLOCK ? LAYOUT_PLAIN : at->style, is_flow,
				  &style, &bytes);
	if (at->kind == LAYOUT_SCALAR && at->style == LAYOUT_BLOCK) {
		/* "key: | # why": the comment stays */
		size_t end = line_end_of(edit, at->content), from = at->content;

		while (from < end && edit->text[from] != ' ' && edit->text[from] != '\t')
			from++;
		buf_add(&bytes, edit->text + from, end - from);
	}
	splice_add_buf(out, edit, at->content, at->end, &bytes);
}

/* Lines of its own below the key or behind the dash; a comment on the key's line stays there. */
static void replace_by_lines(const struct edit *edit, const struct change *change,
			     struct splices *out)
{
	const struct layout *at = change->at, *parent = at->parent;
	struct edit_style style = style_at(edit, at);
	bool is_item = parent->kind == LAYOUT_SEQ;
	unsigned step = change->value->kind == NODE_MAP ? style.map_step : style.seq_step;
	unsigned column = parent->column + (is_item ? 2 : step);
	AUTO_BUF bytes = BUF_INIT(LIMIT_FILE_BYTES);
	size_t end = line_end_of(edit, at->end);

	if (is_item) {
		buf_byte(&bytes, ' ');
		edit_print_block(change->value, column, &style, &bytes);
		splice_add_buf(out, edit, at->mark, at->end, &bytes);
		return;
	}
	buf_puts(&bytes, style.eol);
	edit_put_blanks(column, &bytes);
	edit_print_block(change->value, column, &style, &bytes);
	if (at->end > at->mark)
		splice_add_bytes(out, at->mark, at->end, "", 0);
	splice_add_buf(out, edit, end, end, &bytes);
}

/* A block mapping or sequence gives way to something else. */
static bool replace_block(const struct edit *edit, const struct change *change, struct splices *out)
{
	const struct layout *at = change->at;
	struct edit_style style = style_at(edit, at);
	bool is_tree = edit_is_tree(change->value), is_below;
	AUTO_BUF bytes = BUF_INIT(LIMIT_FILE_BYTES);
	size_t line = line_end_of(edit, at->mark);

	if (at->start != at->content || !at->parent)
		return false;
	is_below = line < at->content;
	if (!is_below) {
		if (is_tree)
			edit_print_block(change->value, at->column, &style, &bytes);
		else
			edit_print_scalar(change->value, LAYOUT_PLAIN, false, &style, &bytes);
		splice_add_buf(out, edit, at->content, at->end, &bytes);
		return true;
	}
	if (is_tree) {
		edit_print_block(change->value, at->column, &style, &bytes);
		splice_add_buf(out, edit, at->content, at->end, &bytes);
		return true;
	}
	buf_byte(&bytes, ' ');
	edit_print_scalar(change->value, LAYOUT_PLAIN, false, &style, &bytes);
	splice_add_buf(out, edit, at->mark, at->mark, &bytes);
	splice_add_bytes(out, line, line_end_of(edit, at->end), "", 0);
	return true;
}

bool splice_replace(const struct edit *edit, const struct change *change, struct splices *out)
{
	const struct layout *at = change->at;
	bool is_tree = edit_is_tree(change->value);
	bool has_braces = at->is_flow && (at->kind == LAYOUT_MAP || at->kind == LAYOUT_SEQ);

	if (change->attempt)
		return false;
	if (at->kind != LAYOUT_SCALAR && !at->is_flow)
		return replace_block(edit, change, out);
	if (!is_tree || has_braces || is_in_flow(at) || !at->parent)
		replace_inline(edit, change, out);
	else
		replace_by_lines(edit, change, out);
	return true;
}
