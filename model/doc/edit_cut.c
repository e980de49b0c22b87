/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit_cut.c — the bytes that take something out of a text: a key or an item with its own lines and the comment behind
 * it, a document with what stands between its markers. Comments on lines of their own stay.
 */
#include <string.h>

#include "model/base/limits.h"
#include "model/doc/edit_change.h"

struct layout_document *document_layout(const struct edit *edit, size_t document)
{
	for (size_t i = 0; i < edit->layouts.n; i++)
		if (!edit->layouts.v[i].is_empty && document-- == 0)
			return &edit->layouts.v[i];
	return NULL;
}

/*
 * The lines from the one of `first` to the one of `last`. A last line of the text without line end takes the one before
 * with it, unless a block scalar needs that one (keeps_end).
 */
static void cut_lines(const struct edit *edit, size_t first, size_t last, bool keeps_end,
		      struct splices *out)
{
	size_t start = layout_line_start(edit->text, first);
	size_t end = line_end_of(edit, last);
	size_t next = layout_next_line(edit->text, edit->len, end);

	if (next == end && start && !keeps_end) {
		if (edit->text[start - 1] == '\n')
			start--;
		if (start && edit->text[start - 1] == '\r')
			start--;
	}
	splice_add_bytes(out, start, next, "", 0);
}

/* The only child goes: {} or [] stands for what held it. */
static bool cut_only_child(const struct edit *edit, const struct layout *at, bool keeps_end,
			   struct splices *out)
{
	const struct layout *holder = at->parent;
	const char *braces = holder->kind == LAYOUT_MAP ? "{}" : "[]";
	bool is_below = holder->parent && line_end_of(edit, holder->mark) < holder->content;

	if (holder->start != holder->content)
		return false;
	if (!is_below) {
		splice_add_bytes(out, at->entry, at->end, braces, 2);
		return true;
	}
	splice_add_bytes(out, holder->mark, holder->mark, arena_printf(edit->arena, " %s", braces),
			 3);
	cut_lines(edit, at->entry, at->end, keeps_end, out);
	return true;
}

static bool cut_block(const struct edit *edit, const struct layout *at, bool keeps_end,
		      struct splices *out)
{
	size_t end = line_end_of(edit, at->end);

	if (at->parent->n == 1)
		return cut_only_child(edit, at, keeps_end, out);
	if (is_first_on_line(edit, at->entry)) {
		cut_lines(edit, at->entry, at->end, keeps_end, out);
		return true;
	}
	/* "- a: 1": the dash stays, what comes next moves up to it. */
	if (at->prev || !at->next)
		return false;
	while (end < edit->len && strchr(" \t\r\n", edit->text[end]))
		end++;
	splice_add_bytes(out, at->entry, end, "", 0);
	return true;
}

static bool is_comma(const struct edit *edit, size_t at)
{
	return at < edit->len && edit->text[at] == ',';
}

static bool is_rest_of_line_free(const struct edit *edit, size_t at)
{
	size_t end = line_end_of(edit, at);

	return layout_skip(edit->text, end, at) >= end;
}

/* From the entry to `behind`: as whole lines where it has them to itself. */
static void cut_flow_range(const struct edit *edit, const struct layout *at, size_t behind,
			   struct splices *out)
{
	size_t start = at->entry;

	if (is_first_on_line(edit, start) && is_rest_of_line_free(edit, behind)) {
		cut_lines(edit, start, behind, false, out);
		return;
	}
	if (at->next)
		while (behind < edit->len &&
		       (edit->text[behind] == ' ' || edit->text[behind] == '\t'))
			behind++;
	else
		while (start && (edit->text[start - 1] == ' ' || edit->text[start - 1] == '\t'))
			start--;
	splice_add_bytes(out, start, behind, "", 0);
}

static bool cut_flow(const struct edit *edit, const struct layout *at, struct splices *out)
{
	size_t comma = layout_skip(edit->text, edit->len, at->end), before;

	if (is_comma(edit, comma)) {
		cut_flow_range(edit, at, comma + 1, out);
		return true;
	}
	if (!at->prev) {
		splice_add_bytes(out, at->entry, at->end, "", 0);
		return true;
	}
	before = layout_skip(edit->text, edit->len, at->prev->end);
	if (!is_comma(edit, before))
		return false;
	splice_add_bytes(out, before, before + 1, "", 0);
	cut_flow_range(edit, at, at->end, out);
	return true;
}

bool splice_remove(const struct edit *edit, const struct change *change, struct splices *out)
{
	const struct layout *at = change->at;

	if (!at->parent->is_flow)
		return cut_block(edit, at, change->attempt == 1, out);
	return change->attempt == 0 && cut_flow(edit, at, out);
}

bool splice_remove_document(const struct edit *edit, const struct change *change,
			    struct splices *out)
{
	const struct layout_document *document = document_layout(edit, change->path.document);
	size_t i = (size_t)(document - edit->layouts.v);
	size_t end = i + 1 < edit->layouts.n ? edit->layouts.v[i + 1].start : edit->len;
	size_t start = layout_line_start(edit->text, document->start);

	/* Before a directive (%YAML) the document before it must have ended with "...". */
	if (i && end < edit->len && edit->text[end] == '%')
		end = document->end;
	if (change->attempt)
		return false;
	splice_add_bytes(out, start, end, "", 0);
	return true;
}

bool splice_add_document(const struct edit *edit, const struct change *change, struct splices *out)
{
	struct edit_style style = { 0 };
	AUTO_BUF bytes = BUF_INIT(LIMIT_FILE_BYTES);
	const struct layout *root = NULL;

	if (change->attempt || edit->is_json)
		return false;
	if (edit->layouts.n)
		root = edit->layouts.v[edit->layouts.n - 1].root;
	edit_style_find(root, edit->text, edit->len, &style);
	if (edit->len && edit->text[edit->len - 1] != '\n' && edit->text[edit->len - 1] != '\r')
		buf_puts(&bytes, style.eol);
	if (edit->layouts.n)
		buf_printf(&bytes, "---%s", style.eol);
	if (edit_is_tree(change->value))
		edit_print_block(change->value, 0, &style, &bytes);
	else
		edit_print_flow(change->value, &style, &bytes);
	buf_puts(&bytes, style.eol);
	splice_add_buf(out, edit, edit->len, edit->len, &bytes);
	return true;
}
