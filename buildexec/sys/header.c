/* SPDX-License-Identifier: Apache-2.0 */
/* header.c — small hand-written scanners; every one ends at the NUL and takes no input for granted.
 */
#include "buildexec/sys/header.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

enum { NUMBER_DIGITS = 18 };

static const char *skip_blanks(const char *c)
{
	while (*c == ' ' || *c == '\t')
		c++;
	return c;
}

static bool is_token_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Up to 18 digits; NULL when there are none or more. */
static const char *scan_number(const char *c, int64_t *out)
{
	const char *start = c;

	*out = 0;
	for (; *c >= '0' && *c <= '9'; c++) {
		if (c - start == NUMBER_DIGITS)
			return NULL;
		*out = *out * 10 + (*c - '0');
	}
	return c == start ? NULL : c;
}

bool header_number(const char *value, int64_t *out)
{
	const char *end = scan_number(value, out);

	return end && *end == '\0';
}

int64_t header_date(const char *value)
{
	time_t at = curl_getdate(value, NULL);

	return at < 0 ? -1 : (int64_t)at;
}

int64_t header_retry_after(const char *value, int64_t now_s)
{
	int64_t seconds;
	const char *end;
	time_t at;

	value = skip_blanks(value);
	end = scan_number(value, &seconds);
	if (end)
		return *skip_blanks(end) == '\0' ? seconds : -1;
	at = curl_getdate(value, NULL);
	if (at < 0)
		return -1;
	return at > now_s ? at - now_s : 0;
}

/* A quoted string or a token; *c moves behind it. NULL at a syntax error. */
static char *scan_value(const char **c, struct arena *arena)
{
	const char *start = *c;
	char *out;
	size_t n = 0;

	if (*start != '"') {
		while (is_token_char(**c) || **c == '/' || **c == ':')
			(*c)++;
		return *c == start ? NULL : arena_copy(arena, start, (size_t)(*c - start));
	}
	out = arena_alloc(arena, strlen(start));
	for (start++; *start && *start != '"'; start++) {
		if (*start == '\\' && start[1])
			start++;
		out[n++] = *start;
	}
	if (*start != '"')
		return NULL;
	*c = start + 1;
	out[n] = '\0';
	return out;
}

/* Behind a scheme: base64-like credentials that stand alone ("Negotiate abc=="); skipped, we know
 * no such scheme. */
static const char *skip_token68(const char *c)
{
	const char *end = c;

	while (isalnum((unsigned char)*end) || (*end && strchr("-._~+/", *end)))
		end++;
	if (end == c)
		return c;
	while (*end == '=')
		end++;
	return *skip_blanks(end) == ',' || *skip_blanks(end) == '\0' ? end : c;
}

static void set_param(struct challenge *challenge, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **at;
	} params[] = {
		{ "realm", &challenge->realm },
		{ "service", &challenge->service },
		{ "scope", &challenge->scope },
		{ "error", &challenge->error },
	};

	for (size_t i = 0; i < COUNTOF(params); i++)
		if (strcasecmp(name, params[i].name) == 0 && !*params[i].at)
			*params[i].at = value;
}

static const char *lower(struct arena *arena, const char *text, size_t n)
{
	char *out = arena_copy(arena, text, n);

	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

size_t header_challenges(const char *value, struct arena *arena, struct challenge *out, size_t cap)
{
	size_t n = 0;
	const char *c = value;

	for (;;) {
		const char *start, *end;
		char *text;

		while (*c == ',' || *c == ' ' || *c == '\t')
			c++;
		start = c;
		while (is_token_char(*c))
			c++;
		end = c;
		if (end == start)
			return n;
		c = skip_blanks(c);
		if (*c != '=' || n == 0) {
			/* A word without '=' begins the next challenge. */
			if (n == cap || *c == '=')
				return n;
			out[n++] = (struct challenge){ .scheme = lower(arena, start,
								       (size_t)(end - start)) };
			c = skip_token68(c);
			continue;
		}
		c = skip_blanks(c + 1);
		text = scan_value(&c, arena);
		if (!text)
			return n;
		set_param(&out[n - 1], arena_copy(arena, start, (size_t)(end - start)), text);
	}
}

/* True when one of the blank-separated words of `text` is "next". */
static bool has_next(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " \t");

		if (n == 4 && strncasecmp(text, "next", 4) == 0)
			return true;
		text = skip_blanks(text + n);
	}
	return false;
}

/* The parameters of one link; true when they say rel=next. *c moves to the ',' or the end; NULL at
 * a syntax error. */
static bool scan_link_params(const char **c, struct arena *arena)
{
	bool is_next = false;
	bool is_rel_seen = false;

	for (;;) {
		const char *start;
		size_t n;
		char *text = NULL;

		*c = skip_blanks(*c);
		if (**c != ';')
			return is_next;
		*c = skip_blanks(*c + 1);
		start = *c;
		while (is_token_char(**c))
			(*c)++;
		n = (size_t)(*c - start);
		*c = skip_blanks(*c);
		if (**c == '=') {
			*c = skip_blanks(*c + 1);
			text = scan_value(c, arena);
			if (!text) {
				*c = NULL;
				return false;
			}
		}
		/* RFC 8288 §3.3: only the first rel counts. */
		if (n == 3 && strncasecmp(start, "rel", 3) == 0 && text && !is_rel_seen) {
			is_rel_seen = true;
			is_next = has_next(text);
		}
	}
}

const char *header_link_next(const char *value, struct arena *arena)
{
	const char *c = value;

	for (;;) {
		const char *start, *end;

		while (*c == ',' || *c == ' ' || *c == '\t')
			c++;
		if (*c != '<')
			return NULL;
		start = c + 1;
		end = strchr(start, '>');
		if (!end)
			return NULL;
		c = end + 1;
		if (scan_link_params(&c, arena))
			return arena_copy(arena, start, (size_t)(end - start));
		if (!c || *c != ',')
			return NULL;
	}
}

bool header_content_range(const char *value, struct content_range *out)
{
	struct content_range range = { .total = -1 };
	const char *c = skip_blanks(value);

	*out = (struct content_range){ 0 };
	if (strncasecmp(c, "bytes", 5) != 0 || (c[5] != ' ' && c[5] != '\t'))
		return false;
	c = scan_number(skip_blanks(c + 5), &range.first);
	if (!c || *c != '-')
		return false;
	c = scan_number(c + 1, &range.last);
	if (!c || *c != '/' || range.first > range.last)
		return false;
	c++;
	if (*c == '*')
		c++;
	else
		c = scan_number(c, &range.total);
	if (!c || *skip_blanks(c) != '\0' || (range.total >= 0 && range.last >= range.total))
		return false;
	*out = range;
	return true;
}

char *header_media_type(const char *value, struct arena *arena)
{
	char *out;
	size_t n;

	if (!value)
		return NULL;
	value = skip_blanks(value);
	n = strcspn(value, "; \t,");
	if (n == 0)
		return NULL;
	out = arena_copy(arena, value, n);
	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}
