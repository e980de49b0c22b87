/* SPDX-License-Identifier: Apache-2.0 */
/* gitmodules.c — a reader of git's configuration syntax that keeps only what a submodule says. */
#include "buildexec/source/gitmodules.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "model/base/buf.h"
#include "model/base/limits.h"

struct reader {
	const char *at, *end;
	unsigned line;
	struct arena *arena;
	struct gitmodules *out;
	struct gitmodule *section; /* NULL: of another kind */
	struct err *err;
};

static bool bad(struct reader *r, const char *why)
{
	return err_set(r->err, ERR_INVALID, ".gitmodules:%u: %s", r->line, why);
}

static int peek(const struct reader *r)
{
	return r->at < r->end ? (unsigned char)*r->at : -1;
}

static void skip_blanks(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\r')
		r->at++;
}

static void skip_line(struct reader *r)
{
	while (r->at < r->end && *r->at != '\n')
		r->at++;
}

static struct gitmodule *section_of(struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->out->list.n; i++)
		if (strcmp(r->out->list.v[i].name, name) == 0)
			return &r->out->list.v[i];
	vec_push(r->arena, &r->out->list, (struct gitmodule){ .name = name });
	return &r->out->list.v[r->out->list.n - 1];
}

/* [submodule "name"] */
static bool read_section(struct reader *r)
{
	AUTO_BUF kind = BUF_INIT(256);
	AUTO_BUF name = BUF_INIT(LIMIT_PATH_BYTES);

	for (r->at++; isalnum(peek(r)) || peek(r) == '-' || peek(r) == '.'; r->at++)
		buf_byte(&kind, *r->at);
	skip_blanks(r);
	r->section = NULL;
	if (peek(r) == '"') {
		for (r->at++; peek(r) != '"'; r->at++) {
			if (peek(r) == '\\')
				r->at++;
			if (peek(r) <= 0 || peek(r) == '\n')
				return bad(r, "a section's name does not end");
			buf_byte(&name, *r->at);
		}
		r->at++;
	}
	skip_blanks(r);
	if (peek(r) != ']' || kind.is_over || name.is_over)
		return bad(r, "a section does not end");
	r->at++;
	if (strcasecmp(buf_text(&kind), "submodule") != 0 || !name.len)
		return true;
	if (r->out->list.n >= LIMIT_SUBMODULES)
		return bad(r, "too many submodules");
	r->section = section_of(r, buf_copy(&name, r->arena));
	return true;
}

static bool read_escape(struct reader *r, struct buf *value)
{
	static const char from[] = "nt\"\\b", to[] = "\n\t\"\\\b";
	const char *found;

	r->at++;
	if (peek(r) == '\r' && r->at + 1 < r->end && r->at[1] == '\n')
		r->at++;
	if (peek(r) == '\n') {
		r->line++; /* the value goes on */
	} else {
		found = peek(r) > 0 ? strchr(from, peek(r)) : NULL;
		if (!found)
			return bad(r, "an unknown escape in a value");
		buf_byte(value, to[found - from]);
	}
	r->at++;
	return true;
}

/* Up to the end of the line; quotes join, comments end, blanks at the end do not count. */
static bool read_value(struct reader *r, struct buf *value)
{
	bool is_quoted = false;
	size_t kept = 0;

	skip_blanks(r);
	while (r->at < r->end && *r->at != '\n') {
		if (!is_quoted && (*r->at == '#' || *r->at == ';')) {
			skip_line(r);
			break;
		}
		if (*r->at == '\\') {
			if (!read_escape(r, value))
				return false;
			kept = value->len;
			continue;
		}
		if (*r->at == '"') {
			is_quoted = !is_quoted;
			kept = value->len;
		} else if (*r->at == '\0') {
			return bad(r, "a NUL in a value");
		} else {
			buf_byte(value, *r->at);
			if (is_quoted || !isspace((unsigned char)*r->at))
				kept = value->len;
		}
		r->at++;
	}
	if (is_quoted)
		return bad(r, "a quote does not end");
	if (value->is_over)
		return bad(r, "a value is too long");
	if (value->data) {
		value->len = kept;
		value->data[kept] = '\0';
	}
	return true;
}

static bool read_setting(struct reader *r)
{
	AUTO_BUF key = BUF_INIT(256);
	AUTO_BUF value = BUF_INIT(LIMIT_PATH_BYTES);

	for (; isalnum(peek(r)) || peek(r) == '-'; r->at++)
		buf_byte(&key, *r->at);
	if (!key.len || key.is_over)
		return bad(r, "a setting has no name");
	skip_blanks(r);
	if (peek(r) == '=') {
		r->at++;
		if (!read_value(r, &value))
			return false;
	} else if (peek(r) == '#' || peek(r) == ';') {
		skip_line(r);
	} else if (peek(r) != '\n' && peek(r) != -1) {
		return bad(r, "a setting without '='");
	}
	if (r->section && strcasecmp(buf_text(&key), "path") == 0)
		r->section->path = buf_copy(&value, r->arena);
	if (r->section && strcasecmp(buf_text(&key), "url") == 0)
		r->section->url = buf_copy(&value, r->arena);
	return true;
}

bool gitmodules_parse(const char *text, size_t n, struct arena *arena, struct gitmodules *out,
		      struct err *err)
{
	struct reader r = {
		.at = text, .end = text + n, .line = 1, .arena = arena, .out = out, .err = err
	};

	*out = (struct gitmodules){ 0 };
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.at += 3;
	while (skip_blanks(&r), r.at < r.end) {
		bool is_read = true;

		if (*r.at == '\n') {
			r.at++;
			r.line++;
		} else if (*r.at == '#' || *r.at == ';') {
			skip_line(&r);
		} else if (*r.at == '[') {
			is_read = read_section(&r);
		} else {
			is_read = read_setting(&r);
		}
		if (!is_read) {
			*out = (struct gitmodules){ 0 };
			return false;
		}
	}
	return true;
}

const struct gitmodule *gitmodules_find(const struct gitmodules *modules, const char *path)
{
	for (size_t i = 0; i < modules->list.n; i++)
		if (modules->list.v[i].path && strcmp(modules->list.v[i].path, path) == 0)
			return &modules->list.v[i];
	return NULL;
}

/* The length of `url` without its last part: behind the last '/', or the ':' of user@host:path. 0: there is none. */
static size_t parent_length(const char *url, size_t n, size_t root)
{
	while (n > root && url[n - 1] != '/' && url[n - 1] != ':')
		n--;
	return n > root ? n : 0;
}

bool gitmodules_url(const char *parent, const char *url, struct arena *arena, const char **out,
		    struct err *err)
{
	const char *mark = strstr(parent, "://"), *rest = url;
	size_t n = strlen(parent), root = 0;

	*out = url;
	if (strncmp(url, "./", 2) != 0 && strncmp(url, "../", 3) != 0)
		return true;
	if (mark) /* behind the host */
		root = (size_t)(mark - parent) + 3 + strcspn(mark + 3, "/");
	while (n > root && parent[n - 1] == '/')
		n--;
	for (;;) {
		if (strncmp(rest, "./", 2) == 0) {
			rest += 2;
			continue;
		}
		if (strncmp(rest, "../", 3) != 0)
			break;
		rest += 3;
		while (n > root && parent[n - 1] == '/')
			n--;
		n = parent_length(parent, n, root);
		if (n == 0)
			return err_set(err, ERR_INVALID, "submodule url '%s' leads above '%s'", url,
				       parent);
	}
	/* "host:" stands for itself; otherwise there is one slash between the two. */
	if (n > 0 && parent[n - 1] == ':' && !mark)
		*out = arena_printf(arena, "%.*s%s", (int)n, parent, rest);
	else
		*out = arena_printf(arena, "%.*s/%s", (int)(parent[n - 1] == '/' ? n - 1 : n),
				    parent, rest);
	return true;
}
