/* SPDX-License-Identifier: Apache-2.0 */
/* edit_scalars.c — places into layouts, layouts into splices, and the check of the trees. */
#include "model/doc/edit_scalars.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/limits.h"
#include "model/doc/edit_change.h"

struct spot {
	struct pos pos;
	const struct scalar_edit *edit;
	const struct layout *at; /* found in the text */
	const char *bytes;
	size_t n;
};

struct many {
	const struct edit *edit;
	struct spot *spots; /* in order of place, each place once */
	size_t n;
	struct err *err;
};

static int compare_pos(struct pos a, struct pos b)
{
	if (a.line != b.line)
		return a.line < b.line ? -1 : 1;
	return a.column < b.column ? -1 : a.column > b.column;
}

static int compare_spots(const void *a, const void *b)
{
	return compare_pos(((const struct spot *)a)->pos, ((const struct spot *)b)->pos);
}

static struct spot *find_spot(const struct many *many, struct pos pos)
{
	struct spot key = { .pos = pos };

	return many->n ? bsearch(&key, many->spots, many->n, sizeof(key), compare_spots) : NULL;
}

static bool refuse(const struct many *many, struct pos pos, const char *why)
{
	return err_set(many->err, ERR_INVALID, "%s:%u:%u: %s", many->edit->path, pos.line,
		       pos.column, why);
}

/* Every value of the text is looked at once; the depth was limited when it was read. */
static void find_layouts(const struct many *many, const struct layout *at)
{
	struct spot *spot;

	for (; at; at = at->next) {
		spot = at->kind == LAYOUT_SCALAR || at->kind == LAYOUT_ALIAS
			       ? find_spot(many, at->pos)
			       : NULL;
		if (spot && !spot->at)
			spot->at = at;
		find_layouts(many, at->first);
	}
}

static bool is_repeated(const struct edit *edit, const struct layout *at)
{
	for (size_t i = 0; at->anchor && i < edit->layouts.n; i++)
		for (size_t k = 0; k < edit->layouts.v[i].aliases.n; k++)
			if (edit->layouts.v[i].aliases.v[k]->target == at)
				return true;
	return false;
}

/* An anchor around it may be repeated too. */
static bool is_shared(const struct edit *edit, const struct layout *at)
{
	for (; at; at = at->parent)
		if (is_repeated(edit, at))
			return true;
	return false;
}

static bool check_spot(const struct many *many, const struct spot *spot)
{
	const struct layout *at = spot->at;

	if (!at)
		return refuse(many, spot->pos, "no value begins here any more");
	if (at->kind == LAYOUT_ALIAS)
		return refuse(many, spot->pos,
			      "this is an alias: the value is written elsewhere; edit it by hand");
	if (at->style == LAYOUT_BLOCK)
		return refuse(many, spot->pos,
			      "a block scalar is not edited; write it on one line");
	if (spot->edit->old_text && strcmp(at->text, spot->edit->old_text) != 0)
		return refuse(many, spot->pos, "another value stands here by now");
	if (is_shared(many->edit, at))
		return refuse(
			many, spot->pos,
			"an alias repeats this value: a change here would change that too; edit "
			"it by hand");
	return true;
}

static void make_bytes(const struct many *many, struct spot *spot)
{
	const struct layout *at = spot->at;
	struct edit_style style = { .eol = "\n", .is_json = many->edit->is_json };
	struct node value = { .kind = NODE_STRING, .text = spot->edit->new_text };
	AUTO_BUF bytes = BUF_INIT(LIMIT_FILE_BYTES);

	value.len = (uint32_t)strlen(value.text);
	if (at->content == at->end && at->end &&
	    strchr(":-", many->edit->text[at->end - 1])) /* "image:" with nothing behind it */
		buf_byte(&bytes, ' ');
	edit_print_scalar(&value, at->style, at->parent && at->parent->is_flow, &style, &bytes);
	spot->bytes = buf_copy(&bytes, many->edit->arena);
	spot->n = bytes.len;
}

static bool splice(const struct many *many, const char **out, size_t *len)
{
	const struct edit *edit = many->edit;
	AUTO_BUF text = BUF_INIT(LIMIT_FILE_BYTES + 1);
	size_t at = 0;

	for (size_t i = 0; i < many->n; i++) {
		const struct spot *spot = &many->spots[i];

		buf_add(&text, edit->text + at, spot->at->content - at);
		buf_add(&text, spot->bytes, spot->n);
		at = spot->at->end;
	}
	buf_add(&text, edit->text + at, edit->len - at);
	if (text.is_over)
		return err_set(many->err, ERR_INVALID, "%s: it would be longer than %u MiB",
			       edit->path, LIMIT_FILE_BYTES >> 20);
	*out = buf_copy(&text, edit->arena);
	*len = text.len;
	return true;
}

static bool same_scalar(const struct node *a, const struct node *b)
{
	return a->kind == b->kind && a->len == b->len &&
	       (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

/* What a reader finds is what was meant: `now` has the new texts at the spots and is `was` elsewhere. */
static bool as_meant(const struct many *many, const struct node *was, const struct node *now)
{
	const struct spot *spot =
		was->kind == NODE_MAP || was->kind == NODE_SEQ ? NULL : find_spot(many, was->pos);
	const struct node *x = was->first, *y = now->first;

	if (spot)
		return now->kind == NODE_STRING && now->text &&
		       strcmp(now->text, spot->edit->new_text) == 0;
	if (was->kind != now->kind || was->n != now->n)
		return false;
	if (was->kind != NODE_MAP && was->kind != NODE_SEQ)
		return node_equal(was, now) && same_scalar(was, now);
	for (; x && y; x = x->next, y = y->next) {
		if (was->kind == NODE_MAP && strcmp(x->key, y->key) != 0)
			return false;
		if (!as_meant(many, x, y))
			return false;
	}
	return !x && !y;
}

static bool check_result(const struct many *many, const char *text, size_t len)
{
	const struct edit *was = many->edit;
	struct source_file file = { was->path, text, len };
	struct err why = { 0 };
	struct edit now;
	bool holds = edit_open(&now, &file, was->arena, &why) &&
		     now.documents.n == was->documents.n && now.is_json == was->is_json;

	for (size_t i = 0; holds && i < was->documents.n; i++)
		holds = as_meant(many, was->documents.v[i], now.documents.v[i]);
	return holds ||
	       err_set(many->err, ERR_INVALID,
		       "%s: this cannot be changed without touching what stands around it; "
		       "edit it by hand",
		       was->path);
}

static bool sort_spots(struct many *many, const struct scalar_edit *edits, size_t n)
{
	size_t kept = 0;

	many->spots = arena_array(many->edit->arena, n, sizeof(*many->spots));
	for (size_t i = 0; i < n; i++)
		many->spots[i] = (struct spot){ .pos = edits[i].pos, .edit = &edits[i] };
	if (n)
		qsort(many->spots, n, sizeof(*many->spots), compare_spots);
	for (size_t i = 0; i < n; i++) {
		const struct spot *before = kept ? &many->spots[kept - 1] : NULL;

		if (!before || compare_pos(before->pos, many->spots[i].pos) != 0)
			many->spots[kept++] = many->spots[i];
		else if (strcmp(before->edit->new_text, many->spots[i].edit->new_text) != 0)
			return refuse(many, before->pos,
				      arena_printf(many->edit->arena,
						   "two rules want different values here: '%s' and "
						   "'%s'",
						   before->edit->new_text,
						   many->spots[i].edit->new_text));
	}
	many->n = kept;
	return true;
}

bool edit_scalars(const struct source_file *file, const struct scalar_edit *edits, size_t n,
		  struct arena *arena, const char **out, size_t *len, struct err *err)
{
	struct edit edit;
	struct many many = { .edit = &edit, .err = err };

	if (!edit_open(&edit, file, arena, err) || !sort_spots(&many, edits, n))
		return false;
	for (size_t i = 0; i < edit.layouts.n; i++)
		find_layouts(&many, edit.layouts.v[i].root);
	for (size_t i = 0; i < many.n; i++) {
		if (!check_spot(&many, &many.spots[i]))
			return false;
		make_bytes(&many, &many.spots[i]);
	}
	return splice(&many, out, len) && check_result(&many, *out, *len);
}
