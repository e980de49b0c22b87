/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.c — see pattern.h. */
#include "buildexec/s2i/pattern.h"

#include <string.h>

/* One character of a class, over a backslash; false at the end of the pattern. */
static bool class_char(const char **p, unsigned char *out)
{
	if (**p == '\\')
		++*p;
	if (!**p)
		return false;
	*out = (unsigned char)*(*p)++;
	return true;
}

/* Behind '['; moves behind ']'. False: malformed. */
static bool match_class(const char **p, unsigned char c, bool *is_in)
{
	bool is_negated = **p == '^', is_found = false, is_empty = true;

	*p += is_negated;
	while (**p != ']' || is_empty) {
		unsigned char low, high;

		/* As in Go, neither is taken for itself without a backslash. */
		if (**p == ']' || **p == '-' || !class_char(p, &low))
			return false;
		high = low;
		if (**p == '-') {
			++*p;
			if (**p == ']' || **p == '-' || !class_char(p, &high))
				return false;
		}
		is_found |= low <= c && c <= high;
		is_empty = false;
	}
	++*p;
	*is_in = is_found != is_negated;
	return true;
}

/* One element that is no star; moves behind it. */
static bool match_one(const char **p, unsigned char c, bool *is_match)
{
	if (**p == '?') {
		++*p;
		*is_match = c != '/';
		return true;
	}
	if (**p == '[') {
		++*p;
		if (!match_class(p, c, is_match))
			return false;
		*is_match = *is_match && c != '/';
		return true;
	}
	if (**p == '\\' && !*++*p)
		return false;
	*is_match = (unsigned char)*(*p)++ == c;
	return true;
}

static bool is_well_formed(const char *pattern)
{
	bool ignored;

	while (*pattern)
		if (*pattern == '*')
			pattern++;
		else if (!match_one(&pattern, 'x', &ignored))
			return false;
	return true;
}

bool pattern_matches(const char *pattern, const char *path)
{
	const char *star = NULL, *retry = NULL;

	if (!is_well_formed(pattern))
		return false;
	for (;;) {
		const char *next = pattern;
		bool is_match = false;

		if (*pattern == '*') {
			star = ++pattern;
			retry = path;
			continue;
		}
		if (!*pattern && !*path)
			return true;
		if (*pattern && *path && match_one(&next, (unsigned char)*path, &is_match) &&
		    is_match) {
			pattern = next;
			path++;
			continue;
		}
		/* A star gives way, but never over a '/'; an earlier star cannot help then. */
		if (!star || !*retry || *retry == '/')
			return false;
		path = ++retry;
		pattern = star;
	}
}

/* Without "." and empty parts; NULL when it leads out or to the root itself. */
static const char *clean(const char *text, size_t len, struct arena *arena)
{
	char *out = arena_alloc(arena, len + 1);
	size_t n = 0;

	for (size_t i = 0, part; i < len; i += part + 1) {
		const char *slash = memchr(text + i, '/', len - i);

		part = slash ? (size_t)(slash - text) - i : len - i;
		if (part == 0 || (part == 1 && text[i] == '.'))
			continue;
		if (part == 2 && text[i] == '.' && text[i + 1] == '.') {
			if (n == 0)
				return NULL;
			while (n > 0 && out[--n] != '/')
				;
			continue;
		}
		if (n > 0)
			out[n++] = '/';
		memcpy(out + n, text + i, part);
		n += part;
	}
	out[n] = '\0';
	return n > 0 ? out : NULL;
}

static void parse_line(const char *line, size_t len, struct arena *arena, struct patterns *out)
{
	struct pattern pattern = { 0 };

	len -= len > 0 && line[len - 1] == '\r';
	while (len > 0 && line[0] == ' ')
		line++, len--;
	while (len > 0 && line[len - 1] == ' ')
		len--;
	if (len == 0 || line[0] == '#' || memchr(line, '\0', len))
		return;
	if (line[0] == '!') {
		pattern.is_taken_back = true;
		line++, len--;
	}
	pattern.text = clean(line, len, arena);
	if (pattern.text)
		vec_push(arena, &out->list, pattern);
}

void patterns_parse(const char *text, size_t len, struct arena *arena, struct patterns *out)
{
	*out = (struct patterns){ 0 };
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		parse_line(text, n, arena, out);
		n += end != NULL;
		text += n;
		len -= n;
	}
}

bool patterns_name(const struct patterns *patterns, const char *path)
{
	for (size_t i = patterns->list.n; i-- > 0;)
		if (pattern_matches(patterns->list.v[i].text, path))
			return !patterns->list.v[i].is_taken_back;
	return false;
}
