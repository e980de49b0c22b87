/* SPDX-License-Identifier: Apache-2.0 */
/*
 * marker.c — comments that tie a scalar to a policy. libyaml drops comments, so they are found in the text; the layout
 * says what is inside of a value and which value a comment belongs to: the one that ends on its line before it, or the one
 * on the line below, at the comment's own column.
 */
#include <string.h>

#include "model/doc/json.h"
#include "model/doc/layout.h"
#include "model/doc/utf8.h"
#include "model/kind/policy.h"

static const char word[] = "\"$imagepolicy\"";

struct scan {
	const struct source_file *file;
	struct arena *arena, *scratch;
	struct markers *out;
	struct diags *diags;
	/* every scalar and alias of the text, keys too, in order */
	VEC(const struct layout *) leaves;
};

static void collect(struct scan *scan, const struct layout *at)
{
	for (; at; at = at->next) {
		if (at->key)
			vec_push(scan->scratch, &scan->leaves, at->key);
		if (at->kind == LAYOUT_SCALAR || at->kind == LAYOUT_ALIAS)
			vec_push(scan->scratch, &scan->leaves, at);
		collect(scan, at->first);
	}
}

/* The number of leaves that end at or before `at`. */
static size_t leaves_before(const struct scan *scan, size_t at)
{
	size_t low = 0, high = scan->leaves.n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (scan->leaves.v[mid]->end <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_in_value(const struct scan *scan, size_t at)
{
	size_t i = leaves_before(scan, at);

	return i < scan->leaves.n && scan->leaves.v[i]->start <= at;
}

/* Where the comment begins that `at` is in; SIZE_MAX: it is in none. */
static size_t comment_start(const struct scan *scan, size_t line, size_t at)
{
	const char *text = scan->file->text;

	for (size_t i = line; i < at; i++)
		if (text[i] == '#' && (i == line || text[i - 1] == ' ' || text[i - 1] == '\t') &&
		    !is_in_value(scan, i))
			return i;
	return SIZE_MAX;
}

static struct pos pos_of(const struct scan *scan, size_t at)
{
	const char *text = scan->file->text;
	size_t line = layout_line_start(text, at);
	uint32_t n = 1;

	for (size_t i = 0; i < line; i++)
		n += text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
	return (struct pos){ n, (uint32_t)utf8_count(text + line, at - line) + 1 };
}

static const struct layout *before_comment(const struct scan *scan, size_t line, size_t comment)
{
	size_t i = leaves_before(scan, comment);
	const struct layout *leaf = i ? scan->leaves.v[i - 1] : NULL;
	const char *text = scan->file->text;

	if (!leaf || leaf->end <= line)
		return NULL;
	for (size_t at = leaf->end; at < comment; at++)
		if (!strchr(" \t,]}", text[at]))
			return NULL;
	return leaf;
}

/* A block of comments directly above, at the column of the key or of the value itself. */
static const struct layout *below_comment(const struct scan *scan, size_t line, size_t comment)
{
	const char *text = scan->file->text;
	size_t len = scan->file->len, at = line, first;

	do {
		at = layout_next_line(text, len, layout_line_end(text, len, at));
		for (first = at; first < len && (text[first] == ' ' || text[first] == '\t');)
			first++;
	} while (first < len && text[first] == '#');
	if (first - at != comment - line)
		return NULL;
	for (size_t i = leaves_before(scan, first); i < scan->leaves.n; i++) {
		const struct layout *leaf = scan->leaves.v[i];

		if (leaf->start > layout_line_end(text, len, first))
			return NULL;
		if (leaf->entry == first && (leaf->key || leaf->parent))
			return leaf;
	}
	return NULL;
}

static void warn(struct scan *scan, size_t at, const char *why)
{
	diag_add(scan->diags, SEVERITY_WARNING, "marker", scan->file, pos_of(scan, at), 1,
		 "this marks no field: %s", why);
}

/* The policy that the comment names: a JSON object of texts, as Flux takes it. */
static bool read_comment(struct scan *scan, size_t comment, size_t end, const char **value)
{
	const char *text = scan->file->text;
	struct node *tree;
	struct err err = { 0 };
	size_t at = comment;

	while (at < end && text[at] == '#')
		at++;
	while (end > at && strchr(" \t\r", text[end - 1]))
		end--;
	while (at < end && (text[at] == ' ' || text[at] == '\t'))
		at++;
	if (at == end || text[at] != '{')
		return false; /* somebody writes about markers */
	if (!json_parse(text + at, end - at, scan->scratch, &tree, &err)) {
		warn(scan, at, arena_printf(scan->arena, "it is no JSON: %s", err.text));
		return false;
	}
	for (const struct node *entry = tree->first; entry; entry = entry->next)
		if (entry->kind != NODE_STRING) {
			warn(scan, at, "all values must be texts");
			return false;
		}
	*value = node_text(tree, "$imagepolicy");
	return *value != NULL;
}

static bool read_policy(struct scan *scan, size_t at, const char *value, struct marker *out)
{
	static const char *const parts[] = { [MARKER_IMAGE] = "",
					     [MARKER_TAG] = "tag",
					     [MARKER_NAME] = "name",
					     [MARKER_DIGEST] = "digest" };
	char *copy = arena_strdup(scan->arena, value), *name = strchr(copy, ':'), *part;
	const char *near;

	if (!name || name == copy || !name[1]) {
		warn(scan, at, "the policy must be of the form \"NAMESPACE:NAME\"");
		return false;
	}
	*name++ = '\0';
	part = strchr(name, ':');
	if (part)
		*part++ = '\0';
	out->ns = copy;
	out->name = name;
	for (size_t i = 0; i < COUNTOF(parts); i++)
		if (strcmp(part ? part : "", parts[i]) == 0 && (i > 0) == (part != NULL)) {
			out->part = (enum marker_part)i;
			return true;
		}
	near = suggest(part, parts + 1, COUNTOF(parts) - 1);
	warn(scan, at,
	     arena_printf(scan->arena, "':%s' is none of ':tag', ':name', ':digest'%s%s%s", part,
			  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : ""));
	return false;
}

static void take(struct scan *scan, size_t found)
{
	const char *text = scan->file->text, *value = NULL;
	size_t line = layout_line_start(text, found);
	size_t end = layout_line_end(text, scan->file->len, found);
	size_t comment = comment_start(scan, line, found);
	struct marker marker = { .file = scan->file };
	const struct layout *leaf;
	bool is_alone;

	if (comment == SIZE_MAX || !read_comment(scan, comment, end, &value) ||
	    !read_policy(scan, comment, value, &marker))
		return;
	is_alone = strspn(text + line, " \t") == comment - line;
	leaf = is_alone ? below_comment(scan, line, comment) : before_comment(scan, line, comment);
	if (!leaf || (!leaf->key && !leaf->parent)) {
		warn(scan, comment, "there is no value that it stands beside or above");
		return;
	}
	if (leaf->kind == LAYOUT_ALIAS || leaf->style == LAYOUT_BLOCK) {
		warn(scan, comment,
		     leaf->kind == LAYOUT_ALIAS ? "the value is an alias"
						: "the value is a block of lines; write it on one");
		return;
	}
	marker.value = arena_strdup(scan->arena, leaf->text);
	marker.pos = leaf->pos;
	marker.comment = pos_of(scan, comment);
	vec_push(scan->arena, scan->out, marker);
}

void markers_find(const struct source_file *file, struct arena *arena, struct markers *out,
		  struct diags *diags)
{
	struct scan scan = { .file = file, .arena = arena, .out = out, .diags = diags };
	struct layouts layouts;
	struct err err = { 0 };
	const char *at = file->len ? memmem(file->text, file->len, word, sizeof(word) - 1) : NULL;

	if (!at)
		return;
	scan.scratch = arena_new();
	if (!layout_parse(file, scan.scratch, &layouts, &err)) {
		warn(&scan, (size_t)(at - file->text), err.text);
		arena_free(scan.scratch);
		return;
	}
	for (size_t i = 0; i < layouts.n; i++)
		collect(&scan, layouts.v[i].root);
	while (at) {
		size_t found = (size_t)(at - file->text), end;

		take(&scan, found);
		end = layout_line_end(file->text, file->len, found);
		at = end < file->len
			     ? memmem(file->text + end, file->len - end, word, sizeof(word) - 1)
			     : NULL;
	}
	arena_free(scan.scratch);
}
