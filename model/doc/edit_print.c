/* SPDX-License-Identifier: Apache-2.0 */
/* edit_print.c — small printers: yaml_print has one fixed shape, these take theirs from the text around. */
#include "model/doc/edit_print.h"

#include <string.h>

#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/doc/utf8.h"
#include "model/doc/yaml.h"
#include "model/doc/yaml_scalar.h"

enum { MAP_STEP = 2, STEP_MAX = 16 };

/* The first mapping in a mapping and the first sequence in a mapping say the steps. */
static void find_steps(const struct layout *at, unsigned *map_step, unsigned *seq_step)
{
	for (const struct layout *c = at->first; c; c = c->next) {
		bool is_block = at->kind == LAYOUT_MAP && !at->is_flow && !c->is_flow && c->first &&
				c->column >= at->column && c->column <= at->column + STEP_MAX;

		if (is_block && c->kind == LAYOUT_MAP && *map_step > STEP_MAX)
			*map_step = c->column - at->column;
		if (is_block && c->kind == LAYOUT_SEQ && *seq_step > STEP_MAX)
			*seq_step = c->column - at->column;
		find_steps(c, map_step, seq_step);
	}
}

void edit_style_find(const struct layout *root, const char *text, size_t len,
		     struct edit_style *out)
{
	size_t end = layout_line_end(text, len, 0);
	unsigned map_step = STEP_MAX + 1, seq_step = STEP_MAX + 1;

	out->eol = end < len && text[end] == '\r' ? "\r\n" : "\n";
	if (root)
		find_steps(root, &map_step, &seq_step);
	out->map_step = map_step && map_step <= STEP_MAX ? map_step : MAP_STEP;
	out->seq_step = seq_step <= STEP_MAX ? seq_step : 0;
}

bool edit_is_tree(const struct node *value)
{
	return (value->kind == NODE_MAP || value->kind == NODE_SEQ) && value->n;
}

void edit_put_blanks(unsigned n, struct buf *out)
{
	while (n--)
		buf_byte(out, ' ');
}

/* U+007F to U+009F and the like are valid in JSON strings and not in YAML's. */
static void put_double(const char *text, size_t len, struct buf *out)
{
	buf_byte(out, '"');
	for (size_t at = 0; at < len;) {
		uint32_t c = 0xFFFD;
		size_t n = utf8_get(text + at, len - at, &c);
		AUTO_BUF one = BUF_INIT(64);

		if (n && c >= 0x7F && utf8_is_control(c)) {
			buf_printf(out, "\\u%04x", c);
		} else {
			json_print_string(text + at, n ? n : 1, JSON_COMPACT, &one);
			buf_add(out, one.data + 1, one.len - 2);
		}
		at += n ? n : 1;
	}
	buf_byte(out, '"');
}

static bool is_one_line(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t n = utf8_get(text + at, len - at, &c);

		if (!n || utf8_is_control(c))
			return false;
		at += n;
	}
	return true;
}

static void put_single(const char *text, size_t len, struct buf *out)
{
	buf_byte(out, '\'');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\'')
			buf_byte(out, '\'');
		buf_byte(out, text[i]);
	}
	buf_byte(out, '\'');
}

/* In flow style, commas and brackets end a plain scalar, and older readers stumble over a colon. */
static bool is_plain_safe(const char *text, size_t len, bool is_flow)
{
	return yaml_is_plain_safe(text, len) && !(is_flow && strpbrk(text, ",[]{}:?"));
}

static void put_string(const char *text, size_t len, enum layout_style wanted, bool is_flow,
		       struct buf *out)
{
	if (wanted == LAYOUT_PLAIN && is_plain_safe(text, len, is_flow))
		buf_add(out, text, len);
	else if (wanted == LAYOUT_SINGLE && is_one_line(text, len))
		put_single(text, len, out);
	else
		put_double(text, len, out);
}

void edit_print_scalar(const struct node *value, enum layout_style wanted, bool is_flow,
		       const struct edit_style *style, struct buf *out)
{
	AUTO_BUF text = BUF_INIT(LIMIT_FILE_BYTES);

	if (value->kind == NODE_STRING) {
		put_string(value->text, value->len, style->is_json ? LAYOUT_DOUBLE : wanted,
			   is_flow, out);
	} else if (style->is_json) {
		json_print(value, JSON_COMPACT, out);
	} else { /* numbers and words: as the printer has them, which ends the line */
		yaml_print(value, &text);
		buf_add(out, buf_text(&text), text.len - 1);
	}
}

void edit_print_key(const char *key, bool is_flow, const struct edit_style *style, struct buf *out)
{
	put_string(key, strlen(key), style->is_json ? LAYOUT_DOUBLE : LAYOUT_PLAIN, is_flow, out);
	buf_byte(out, ':');
}

void edit_print_flow(const struct node *value, const struct edit_style *style, struct buf *out)
{
	bool is_map = value->kind == NODE_MAP;

	if (!edit_is_tree(value)) {
		edit_print_scalar(value, LAYOUT_PLAIN, true, style, out);
		return;
	}
	buf_byte(out, is_map ? '{' : '[');
	for (const struct node *c = value->first; c; c = c->next) {
		if (c != value->first)
			buf_puts(out, style->is_tight ? "," : ", ");
		if (is_map) {
			edit_print_key(c->key, true, style, out);
			if (!style->is_tight)
				buf_byte(out, ' ');
		}
		edit_print_flow(c, style, out);
	}
	buf_byte(out, is_map ? '}' : ']');
}

void edit_print_entry(const char *key, const struct node *value, unsigned column,
		      const struct edit_style *style, struct buf *out)
{
	edit_print_key(key, false, style, out);
	if (!edit_is_tree(value)) {
		buf_byte(out, ' ');
		edit_print_scalar(value, LAYOUT_PLAIN, false, style, out);
		return;
	}
	column += value->kind == NODE_MAP ? style->map_step : style->seq_step;
	buf_puts(out, style->eol);
	edit_put_blanks(column, out);
	edit_print_block(value, column, style, out);
}

void edit_print_block(const struct node *value, unsigned column, const struct edit_style *style,
		      struct buf *out)
{
	for (const struct node *c = value->first; c; c = c->next) {
		if (c != value->first) {
			buf_puts(out, style->eol);
			edit_put_blanks(column, out);
		}
		if (value->kind == NODE_MAP) {
			edit_print_entry(c->key, c, column, style, out);
			continue;
		}
		buf_puts(out, "- ");
		if (edit_is_tree(c))
			edit_print_block(c, column + 2, style, out);
		else
			edit_print_scalar(c, LAYOUT_PLAIN, false, style, out);
	}
}
