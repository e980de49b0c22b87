/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dockerignore.c — see dockerignore.h. A pattern is a row of tokens, and a path is read once while the set of tokens at which
 * one may be is kept: time is the product of both lengths, whatever stars there are.
 */
#include "buildexec/engine/dockerignore.h"

#include <string.h>

enum token_kind {
	TOKEN_CHAR,
	TOKEN_ONE,  /* ? */
	TOKEN_SET,  /* [a-z] */
	TOKEN_STAR, /* * */
	TOKEN_ALL,  /* ** at the end */
	TOKEN_DIRS, /* ** before something: nothing, or anything up to and with a '/' */
};
struct dockerignore_token {
	enum token_kind kind;
	char ch;
	bool is_not;
	const char *set; /* behind '[' and '^' */
	size_t n_set;
};
typedef VEC(struct dockerignore_token) tokens;

static bool is_blank(char ch)
{
	return ch == ' ' || (ch >= '\t' && ch <= '\r');
}

/* Without "." and empty parts, ".." taken back; no '/' at the start. Go's path.Clean, of what is below the context. */
static const char *clean(const char *text, size_t n, struct arena *arena)
{
	char *out = arena_alloc(arena, n + 2);
	size_t len = 0;

	for (size_t i = 0; i < n;) {
		size_t end = i;

		while (end < n && text[end] != '/')
			end++;
		if (end - i == 2 && text[i] == '.' && text[i + 1] == '.') {
			while (len > 0 && out[len - 1] != '/')
				len--;
			len -= len > 0;
		} else if (end > i && !(end - i == 1 && text[i] == '.')) {
			if (len)
				out[len++] = '/';
			memcpy(out + len, text + i, end - i);
			len += end - i;
		}
		i = end + 1;
	}
	out[len] = '\0';
	return out;
}

/* "[…]" at p[0] == '['; 0: it has no end. */
static size_t read_set(const char *p, struct dockerignore_token *out)
{
	size_t i = 1;

	*out = (struct dockerignore_token){ .kind = TOKEN_SET };
	if (p[i] == '^') {
		out->is_not = true;
		i++;
	}
	out->set = p + i;
	for (; p[i] && (p[i] != ']' || out->set == p + i); i++)
		if (p[i] == '\\' && p[i + 1])
			i++;
	out->n_set = (size_t)(p + i - out->set);
	return p[i] ? i + 1 : 0;
}

static bool read_tokens(const char *p, struct arena *arena, tokens *out)
{
	while (*p) {
		struct dockerignore_token token = { .kind = TOKEN_CHAR, .ch = *p };
		size_t n = 1;

		if (p[0] == '*' && p[1] == '*') {
			n = p[2] == '/' ? 3 : 2;
			token.kind = p[n] ? TOKEN_DIRS : TOKEN_ALL;
		} else if (*p == '*') {
			token.kind = TOKEN_STAR;
		} else if (*p == '?') {
			token.kind = TOKEN_ONE;
		} else if (*p == '[') {
			n = read_set(p, &token);
			if (!n)
				return false;
		} else if (*p == '\\') {
			if (!p[1])
				return false;
			token.ch = p[1];
			n = 2;
		}
		vec_push(arena, out, token);
		p += n;
	}
	return true;
}

static void read_line(const char *line, size_t n, struct arena *arena, struct dockerignore *out)
{
	struct dockerignore_pattern pattern = { 0 };
	tokens list = { 0 };
	const char *text;

	if (!n || *line == '#')
		return;
	while (n && is_blank(*line)) {
		line++;
		n--;
	}
	while (n && is_blank(line[n - 1]))
		n--;
	pattern.takes_back = n && *line == '!';
	if (pattern.takes_back) {
		do {
			line++;
			n--;
		} while (n && is_blank(*line));
	}
	text = clean(line, n, arena);
	if (!*text || !read_tokens(text, arena, &list))
		return;
	pattern.v = list.v;
	pattern.n = list.n;
	vec_push(arena, out, pattern);
}

void dockerignore_parse(const char *text, size_t len, struct arena *arena, struct dockerignore *out)
{
	const char *end = text + len;

	*out = (struct dockerignore){ 0 };
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		stop = stop ? stop : end;
		if (!memchr(text, '\0', (size_t)(stop - text)))
			read_line(text, (size_t)(stop - text), arena, out);
		text = stop + 1;
	}
}

static bool in_set(const struct dockerignore_token *token, char ch)
{
	const char *set = token->set, *end = set + token->n_set;
	bool found = false;

	while (set < end) {
		unsigned char low, high;

		set += *set == '\\' && set + 1 < end;
		low = high = (unsigned char)*set++;
		if (set + 1 < end && *set == '-') {
			set++;
			set += *set == '\\' && set + 1 < end;
			high = (unsigned char)*set++;
		}
		found |= (unsigned char)ch >= low && (unsigned char)ch <= high;
	}
	return found != token->is_not;
}

/* Where one may be: before token i, and of TOKEN_DIRS also within it. */
struct places {
	bool *at, *in;
};

/* Tokens that may stand for nothing are passed over. */
static void settle(const struct dockerignore_pattern *pattern, struct places *places)
{
	for (size_t i = 0; i < pattern->n; i++)
		if (places->at[i] &&
		    (pattern->v[i].kind == TOKEN_STAR || pattern->v[i].kind == TOKEN_ALL ||
		     pattern->v[i].kind == TOKEN_DIRS))
			places->at[i + 1] = true;
}

static void step(const struct dockerignore_token *token, size_t i, char ch,
		 const struct places *from, struct places *to)
{
	switch (token->kind) {
	case TOKEN_CHAR:
		to->at[i + 1] |= from->at[i] && ch == token->ch;
		break;
	case TOKEN_ONE:
		to->at[i + 1] |= from->at[i] && ch != '/';
		break;
	case TOKEN_SET:
		to->at[i + 1] |= from->at[i] && ch != '/' && in_set(token, ch);
		break;
	case TOKEN_STAR:
		to->at[i] |= from->at[i] && ch != '/';
		break;
	case TOKEN_ALL:
		to->at[i] |= from->at[i];
		break;
	case TOKEN_DIRS:
		to->in[i] = from->at[i] || from->in[i];
		to->at[i + 1] |= to->in[i] && ch == '/';
		break;
	}
}

static bool matches(const struct dockerignore_pattern *pattern, const char *path, size_t n,
		    bool *room)
{
	size_t size = pattern->n + 1;
	struct places now = { room, room + size }, next = { room + 2 * size, room + 3 * size };

	memset(room, 0, 4 * size * sizeof(*room));
	now.at[0] = true;
	settle(pattern, &now);
	for (size_t i = 0; i < n; i++) {
		struct places swap = now;

		memset(next.at, 0, size * sizeof(*room));
		memset(next.in, 0, size * sizeof(*room));
		for (size_t k = 0; k < pattern->n; k++)
			step(&pattern->v[k], k, path[i], &now, &next);
		settle(pattern, &next);
		now = next;
		next = swap;
	}
	return now.at[pattern->n];
}

static bool matches_or_parent(const struct dockerignore_pattern *pattern, const char *path,
			      bool *room)
{
	for (size_t n = 1; path[n - 1]; n++)
		if ((!path[n] || path[n] == '/') && matches(pattern, path, n, room))
			return true;
	return false;
}

bool dockerignore_matches(const struct dockerignore *ignore, const char *path,
			  struct arena *scratch)
{
	size_t longest = 0;
	bool found = false, *room;

	for (size_t i = 0; i < ignore->n; i++)
		longest = ignore->v[i].n > longest ? ignore->v[i].n : longest;
	room = arena_array(scratch, longest + 1, 4 * sizeof(*room));
	for (size_t i = 0; i < ignore->n; i++)
		/* Only those that would change the answer. */
		if (ignore->v[i].takes_back == found &&
		    matches_or_parent(&ignore->v[i], path, room))
			found = !ignore->v[i].takes_back;
	return found;
}
