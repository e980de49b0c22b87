/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dockerfile.c — the lines of a Dockerfile become instructions. An instruction's words are looked at in a flat copy, without
 * continuations and the comments between them, in which every byte knows where it stands in the text.
 */
#include "buildexec/engine/dockerfile.h"

#include <string.h>
#include <strings.h>

struct line {
	size_t start, end; /* without the line break */
	size_t next;
};

/* One instruction's bytes. */
struct flat {
	char *text; /* NUL-terminated */
	size_t *at; /* n + 1 of them */
	size_t n;
};

struct parser {
	struct dockerfile *file;
	struct arena *arena;
	struct err *err;
	size_t pos;
	uint32_t line; /* of pos */
};

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\v' || ch == '\f';
}

static struct line line_at(const struct dockerfile *file, size_t pos)
{
	const char *end = memchr(file->text + pos, '\n', file->len - pos);
	struct line line = { pos, end ? (size_t)(end - file->text) : file->len, 0 };

	line.next = end ? line.end + 1 : file->len;
	if (line.end > line.start && file->text[line.end - 1] == '\r')
		line.end--;
	return line;
}

static size_t first_of(const struct dockerfile *file, const struct line *line)
{
	size_t i = line->start;

	while (i < line->end && is_blank(file->text[i]))
		i++;
	return i;
}

/* Blank, or a comment. */
static bool says_nothing(const struct dockerfile *file, const struct line *line)
{
	size_t i = first_of(file, line);

	return i == line->end || file->text[i] == '#';
}

/* Where the escape stands that continues the line; line->end: it is not continued. */
static size_t continuation_of(const struct dockerfile *file, const struct line *line)
{
	size_t i = line->end;

	while (i > line->start && is_blank(file->text[i - 1]))
		i--;
	return i > line->start && file->text[i - 1] == file->escape ? i - 1 : line->end;
}

static void next_line(struct parser *p, const struct line *line)
{
	p->pos = line->next;
	p->line++;
}

/* ---- directives ---- */

/* "# name=value" in the first lines; false: no directive, and none may follow. */
static bool directive_of(const struct parser *p, const struct line *line, struct docker_span *name,
			 struct docker_span *value)
{
	const char *text = p->file->text;
	size_t i = first_of(p->file, line), end = line->end;

	if (i == end || text[i] != '#')
		return false;
	for (i++; i < end && is_blank(text[i]);)
		i++;
	name->start = i;
	while (i < end && ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z'))
		i++;
	name->end = i;
	while (i < end && is_blank(text[i]))
		i++;
	if (name->start == name->end || i == end || text[i] != '=')
		return false;
	for (i++; i < end && is_blank(text[i]);)
		i++;
	while (end > i && is_blank(text[end - 1]))
		end--;
	*value = (struct docker_span){ .start = i, .end = end };
	return true;
}

static bool read_directives(struct parser *p)
{
	struct docker_span name, value;
	size_t pos = p->pos;
	uint32_t number = p->line;

	for (; pos < p->file->len; number++) {
		const struct line line = line_at(p->file, pos);
		const char *text = p->file->text;

		if (!directive_of(p, &line, &name, &value))
			break;
		pos = line.next;
		if (name.end - name.start != 6 || strncasecmp(text + name.start, "escape", 6) != 0)
			continue;
		if (value.end - value.start != 1 ||
		    (text[value.start] != '\\' && text[value.start] != '`'))
			return err_set(
				p->err, ERR_INVALID,
				"line %u of the Dockerfile: the escape directive takes \\ or `",
				number);
		p->file->escape = text[value.start];
	}
	return true;
}

/* ---- instructions ---- */

static void flat_add(const struct parser *p, struct flat *flat, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++) {
		flat->text[flat->n] = p->file->text[i];
		flat->at[flat->n++] = i;
	}
}

/* Behind the last byte that is no blank: what follows says nothing. */
static size_t tail_of(const struct flat *flat, size_t begin)
{
	size_t n = flat->n;

	while (n && is_blank(flat->text[n - 1]))
		n--;
	return n ? flat->at[n - 1] + 1 : begin;
}

/* All lines of the instruction at p->pos; afterwards p->pos is behind them. */
static struct flat take_lines(struct parser *p)
{
	struct flat flat = { 0 };
	size_t begin = p->pos, stop = begin;
	bool goes_on = true;

	/* Twice over the lines: how long it may get, then the bytes. */
	while (goes_on && stop < p->file->len) {
		const struct line line = line_at(p->file, stop);

		if (stop == begin || !says_nothing(p->file, &line))
			goes_on = continuation_of(p->file, &line) < line.end;
		stop = line.next;
	}
	flat.text = arena_raw(p->arena, stop - begin + 1);
	flat.at = arena_raw(p->arena, (stop - begin + 1) * sizeof(*flat.at));
	while (p->pos < stop) {
		const struct line line = line_at(p->file, p->pos);
		size_t end = continuation_of(p->file, &line);

		if (p->pos == begin || !says_nothing(p->file, &line))
			flat_add(p, &flat, line.start, end);
		next_line(p, &line);
	}
	if (goes_on)
		p->file->dangling = tail_of(&flat, begin);
	flat.text[flat.n] = '\0';
	flat.at[flat.n] = flat.n ? flat.at[flat.n - 1] + 1 : begin;
	return flat;
}

static struct docker_span span_of(const struct flat *flat, size_t start, size_t end,
				  struct arena *arena)
{
	return (struct docker_span){ flat->at[start], end ? flat->at[end - 1] + 1 : flat->at[0],
				     arena_copy(arena, flat->text + start, end - start) };
}

/* The next word from *i on; false at the end. */
static bool word_at(const struct flat *flat, size_t *i, size_t *start)
{
	while (*i < flat->n && is_blank(flat->text[*i]))
		(*i)++;
	*start = *i;
	while (*i < flat->n && !is_blank(flat->text[*i]))
		(*i)++;
	return *i > *start;
}

static bool starts_with(const struct flat *flat, size_t start, size_t end, const char *text)
{
	size_t n = strlen(text);

	return end - start >= n && strncasecmp(flat->text + start, text, n) == 0;
}

static bool read_from(struct parser *p, const struct flat *flat, size_t i,
		      struct docker_instruction *from)
{
	static const char platform[] = "--platform=";
	size_t start;

	while (word_at(flat, &i, &start) && starts_with(flat, start, i, "--"))
		if (starts_with(flat, start, i, platform))
			from->platform = span_of(flat, start + strlen(platform), i, p->arena);
	from->image = span_of(flat, start, i, p->arena);
	if (!*from->image.value)
		return err_set(p->err, ERR_INVALID, "line %u of the Dockerfile: FROM has no image",
			       from->line);
	if (word_at(flat, &i, &start) && i - start == 2 && starts_with(flat, start, i, "as") &&
	    word_at(flat, &i, &start))
		from->stage = span_of(flat, start, i, p->arena);
	return true;
}

static void read_copy(struct parser *p, const struct flat *flat, size_t i,
		      struct docker_instruction *copy)
{
	static const char from[] = "--from=";
	size_t start;

	while (word_at(flat, &i, &start) && starts_with(flat, start, i, "--"))
		if (strncmp(flat->text + start, from, strlen(from)) == 0)
			copy->image = span_of(flat, start + strlen(from), i, p->arena);
}

/* ---- here-documents ---- */

/* One word with its quotes; *i is behind it. */
static bool shell_word_at(const struct flat *flat, char escape, size_t *i, size_t *start)
{
	char quote = '\0';

	while (*i < flat->n && is_blank(flat->text[*i]))
		(*i)++;
	*start = *i;
	for (; *i < flat->n && (quote || !is_blank(flat->text[*i])); (*i)++) {
		char ch = flat->text[*i];

		if (ch == escape && quote != '\'' && *i + 1 < flat->n)
			(*i)++;
		else if (quote ? ch == quote : ch == '\'' || ch == '"')
			quote = quote ? '\0' : ch;
	}
	return *i > *start;
}

/* The name behind "<<" or "<<-" of a word without its quotes; NULL: the word is none. */
static char *here_name(const struct flat *flat, size_t start, size_t end, bool *strips_tabs,
		       struct arena *arena)
{
	char *name, *out;

	while (start < end && flat->text[start] >= '0' && flat->text[start] <= '9')
		start++;
	if (end - start < 3 || strncmp(flat->text + start, "<<", 2) != 0 ||
	    memchr(flat->text + start + 2, '<', end - start - 2))
		return NULL;
	start += 2;
	*strips_tabs = flat->text[start] == '-';
	start += *strips_tabs;
	name = out = arena_copy(arena, flat->text + start, end - start);
	for (const char *c = name; *c; c++)
		if (*c != '"' && *c != '\'')
			*out++ = *c;
	*out = '\0';
	return *name ? name : NULL;
}

static bool skip_here_document(struct parser *p, const char *name, bool strips_tabs, uint32_t line)
{
	size_t n = strlen(name);

	while (p->pos < p->file->len) {
		const struct line at = line_at(p->file, p->pos);
		size_t start = at.start;

		while (strips_tabs && start < at.end && p->file->text[start] == '\t')
			start++;
		next_line(p, &at);
		if (at.end - start == n && memcmp(p->file->text + start, name, n) == 0)
			return true;
	}
	return err_set(p->err, ERR_INVALID,
		       "line %u of the Dockerfile: the here-document '%.80s' has no end", line,
		       name);
}

static bool skip_here_documents(struct parser *p, const struct flat *flat, size_t i, uint32_t line)
{
	size_t start;

	while (shell_word_at(flat, p->file->escape, &i, &start)) {
		bool strips_tabs = false;
		const char *name = here_name(flat, start, i, &strips_tabs, p->arena);

		if (name && !skip_here_document(p, name, strips_tabs, line))
			return false;
	}
	return true;
}

static char *upper(const struct flat *flat, size_t start, size_t end, struct arena *arena)
{
	char *name = arena_copy(arena, flat->text + start, end - start);

	for (char *c = name; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - ('a' - 'A'));
	return name;
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool take_instruction(struct parser *p)
{
	static const char *const with_here[] = { "RUN", "COPY", "ADD", "ONBUILD" };
	struct docker_instruction one = { .line = p->line };
	const struct flat flat = take_lines(p);
	size_t i = 0, start, here;

	(void)word_at(&flat, &i, &start);
	one.name = upper(&flat, start, i, p->arena);
	if (!*one.name)
		return true;
	/* The one that continues nothing can be left out; then these would continue the line. */
	if (p->file->dangling < p->file->len &&
	    p->file->text[p->file->dangling - 1] == p->file->escape)
		return err_set(p->err, ERR_INVALID,
			       "line %u of the Dockerfile: the last instruction ends in several %c",
			       one.line, p->file->escape);
	one.start = flat.at[start];
	one.args = flat.text + i;
	while (is_blank(*one.args))
		one.args++;
	if (strcmp(one.name, "FROM") == 0) {
		if (!read_from(p, &flat, i, &one))
			return false;
		p->file->n_stages++;
	} else if (strcmp(one.name, "COPY") == 0) {
		read_copy(p, &flat, i, &one);
	}
	here = p->pos;
	if (is_one_of(one.name, with_here, COUNTOF(with_here)) &&
	    !skip_here_documents(p, &flat, i, one.line))
		return false;
	one.end = p->pos;
	one.has_here = p->pos > here;
	vec_push(p->arena, p->file, one);
	return true;
}

bool dockerfile_parse(const char *text, size_t len, struct arena *arena, struct dockerfile *out,
		      struct err *err)
{
	struct parser p = { .file = out, .arena = arena, .err = err, .line = 1 };

	*out = (struct dockerfile){ .text = text, .len = len, .escape = '\\', .dangling = len };
	if (len > DOCKERFILE_MAX_BYTES)
		return err_set(err, ERR_INVALID, "the Dockerfile has more than %d bytes",
			       (int)DOCKERFILE_MAX_BYTES);
	if (len && memchr(text, '\0', len))
		return err_set(err, ERR_INVALID, "the Dockerfile has NUL bytes");
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		p.pos = 3;
	if (p.pos < len) {
		const char *end = memchr(text, '\n', len);

		out->has_crlf = end && end > text && end[-1] == '\r';
	}
	if (!read_directives(&p))
		return false;
	while (p.pos < len) {
		const struct line line = line_at(out, p.pos);

		if (says_nothing(out, &line))
			next_line(&p, &line);
		else if (!take_instruction(&p))
			return false;
	}
	return true;
}
