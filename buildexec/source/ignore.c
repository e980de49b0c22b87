/* SPDX-License-Identifier: Apache-2.0 */
/* ignore.c — see ignore.h. */
#include "buildexec/source/ignore.h"

#include <string.h>

#include "model/base/limits.h"

/* Behind '[': moves *p behind ']'. 1 in the class, 0 not, -1 no end: then '[' is an ordinary character. */
static int match_class(const char **p, const char *end, unsigned char c)
{
	const char *at = *p;
	bool is_negated = at < end && (*at == '!' || *at == '^'), is_in = false, is_first = true;

	at += is_negated;
	while (at < end && (*at != ']' || is_first)) {
		unsigned char low, high;

		is_first = false;
		at += *at == '\\' && at + 1 < end;
		low = high = (unsigned char)*at++;
		if (at + 1 < end && *at == '-' && at[1] != ']') {
			at++;
			at += *at == '\\' && at + 1 < end;
			high = (unsigned char)*at++;
		}
		is_in |= low <= c && c <= high;
	}
	if (at >= end)
		return -1;
	*p = at + 1;
	return c != '/' && is_in != is_negated;
}

/* One element that is no star at `c`; moves *p behind it. */
static bool match_char(const char **p, const char *end, unsigned char c)
{
	int result;

	if (**p == '?') {
		++*p;
		return c != '/' && c != '\0';
	}
	if (**p == '[') {
		++*p;
		result = match_class(p, end, c);
		if (result >= 0)
			return c != '\0' && result > 0;
		return c == '[';
	}
	if (**p == '\\' && *p + 1 < end)
		++*p;
	return (unsigned char)*(*p)++ == c;
}

/* '*' within one part of a path. Two cursors and one place to go back to: no more than length × length steps. */
static bool match_part(const char *p, const char *end, const char *text, const char *text_end)
{
	const char *star = NULL, *retry = NULL;

	for (;;) {
		const char *next = p;

		if (p < end && *p == '*') {
			while (p < end && *p == '*')
				p++;
			star = p;
			retry = text;
			continue;
		}
		if (p == end && text == text_end)
			return true;
		if (p < end && text < text_end && match_char(&next, end, (unsigned char)*text)) {
			p = next;
			text++;
			continue;
		}
		if (!star || retry == text_end)
			return false;
		text = ++retry;
		p = star;
	}
}

static const char *part_end(const char *text, const char *end)
{
	const char *slash = memchr(text, '/', (size_t)(end - text));

	return slash ? slash : end;
}

/* Part by part; a double star stands for any number of parts. Same cursors, one level up. */
static bool match_parts(const char *p, const char *end, const char *text, const char *text_end)
{
	const char *star = NULL, *retry = NULL;

	for (;;) {
		const char *p_part = part_end(p, end), *text_part = part_end(text, text_end);

		if (p < end && p_part - p == 2 && memcmp(p, "**", 2) == 0) {
			if (p_part == end)
				return text < text_end;
			star = p = p_part + 1;
			retry = text;
			continue;
		}
		if (p >= end && text >= text_end)
			return true;
		if (p < end && text < text_end && match_part(p, p_part, text, text_part)) {
			p = p_part + (p_part < end);
			text = text_part + (text_part < text_end);
			continue;
		}
		if (!star || retry >= text_end)
			return false;
		retry = part_end(retry, text_end);
		retry += retry < text_end;
		text = retry;
		p = star;
	}
}

struct pattern {
	const char *start, *end;
	bool is_negated, is_anchored, is_dir_only;
};

/* False when the line says nothing. */
static bool read_pattern(const char *line, struct pattern *out)
{
	size_t n = strlen(line);

	*out = (struct pattern){ 0 };
	while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n'))
		n--;
	while (n > 0 && line[n - 1] == ' ' && !(n > 1 && line[n - 2] == '\\'))
		n--;
	if (n == 0 || line[0] == '#')
		return false;
	out->start = line;
	out->end = line + n;
	if (*out->start == '!') {
		out->is_negated = true;
		out->start++;
	}
	if (out->end > out->start && out->end[-1] == '/') {
		out->is_dir_only = true;
		out->end--;
	}
	if (out->start < out->end && *out->start == '/') {
		out->is_anchored = true;
		out->start++;
	} else if (memchr(out->start, '/', (size_t)(out->end - out->start))) {
		out->is_anchored = true;
	}
	return out->start < out->end;
}

static bool pattern_matches(const struct pattern *pattern, const char *path, const char *end,
			    bool is_dir)
{
	const char *base = path;

	if (pattern->is_dir_only && !is_dir)
		return false;
	if (pattern->is_anchored)
		return match_parts(pattern->start, pattern->end, path, end);
	for (const char *p = path; p < end; p++)
		if (*p == '/')
			base = p + 1;
	return match_part(pattern->start, pattern->end, base, end);
}

bool ignore_matches(const struct strings *patterns, const char *path, bool is_dir)
{
	const char *end = path + strlen(path);

	for (size_t i = patterns->n; i-- > 0;) {
		struct pattern pattern;

		if (!read_pattern(patterns->v[i], &pattern))
			continue;
		for (const char *p = path; p < end; p++)
			if (*p == '/' && pattern_matches(&pattern, path, p, true))
				return !pattern.is_negated;
		if (pattern_matches(&pattern, path, end, is_dir))
			return !pattern.is_negated;
	}
	return false;
}
