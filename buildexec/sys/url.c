/* SPDX-License-Identifier: Apache-2.0 */
/* url.c — libcurl's URL parser behind values in an arena. */
#include "buildexec/sys/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

static void curlu_release(CURLU **url)
{
	curl_url_cleanup(*url);
}
#define AUTO_CURLU __attribute__((cleanup(curlu_release))) CURLU

/* The part in the arena, NULL when it is not there. */
static char *part(CURLU *url, CURLUPart which, unsigned flags, struct arena *arena)
{
	char *text = NULL;
	char *copy;

	if (curl_url_get(url, which, &text, flags) != CURLUE_OK)
		return NULL;
	copy = arena_strdup(arena, text);
	curl_free(text);
	return copy;
}

static char *lower(char *text)
{
	for (char *c = text; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

/* The query is left out: what it carries is none of a message's business. */
static bool bad_url(const char *text, const char *why, struct err *err)
{
	return err_set(err, ERR_INVALID, "cannot use the URL '%.*s': %s", (int)strcspn(text, "?#"),
		       text, why);
}

static bool take_parts(CURLU *parsed, const char *shown, struct arena *arena, struct url *out,
		       struct err *err)
{
	struct url url = { 0 };
	char *port;

	url.scheme = lower(part(parsed, CURLUPART_SCHEME, 0, arena));
	url.host = lower(part(parsed, CURLUPART_HOST, 0, arena));
	port = part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT, arena);
	url.path = part(parsed, CURLUPART_PATH, 0, arena);
	url.user = part(parsed, CURLUPART_USER, CURLU_URLDECODE, arena);
	url.password = part(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE, arena);
	curl_url_set(parsed, CURLUPART_USER, NULL, 0);
	curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0);
	curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0);
	url.text = part(parsed, CURLUPART_URL, 0, arena);
	if (!url.scheme || !url.host || !url.host[0] || !port || !url.text)
		return bad_url(shown, "it has no host", err);
	if (strcmp(url.scheme, "https") != 0 && strcmp(url.scheme, "http") != 0)
		return bad_url(shown, "only http and https are supported", err);
	url.is_https = strcmp(url.scheme, "https") == 0;
	url.port = (int)strtol(port, NULL, 10);
	*out = url;
	return true;
}

/* Userinfo must not reach a message. */
static const char *without_userinfo(const char *text, struct arena *arena)
{
	const char *scheme_end = strstr(text, "://");
	const char *at;

	if (!scheme_end)
		return text;
	scheme_end += 3;
	at = memchr(scheme_end, '@', strcspn(scheme_end, "/?#"));
	if (!at)
		return text;
	return arena_printf(arena, "%.*s%s", (int)(scheme_end - text), text, at + 1);
}

static bool parse_into(CURLU *parsed, const char *text, struct arena *arena, struct url *out,
		       struct err *err)
{
	const char *shown = without_userinfo(text, arena);
	CURLUcode code = curl_url_set(parsed, CURLUPART_URL, text, 0);

	if (code != CURLUE_OK)
		return bad_url(shown, curl_url_strerror(code), err);
	return take_parts(parsed, shown, arena, out, err);
}

bool url_parse(const char *text, struct arena *arena, struct url *out, struct err *err)
{
	AUTO_CURLU *parsed = curl_url();

	*out = (struct url){ 0 };
	if (!parsed)
		return err_set(err, ERR_SYSTEM, "cannot parse a URL: no memory");
	return parse_into(parsed, text, arena, out, err);
}

bool url_resolve(const struct url *base, const char *target, struct arena *arena, struct url *out,
		 struct err *err)
{
	AUTO_CURLU *parsed = curl_url();
	struct url ignored;

	*out = (struct url){ 0 };
	if (!parsed)
		return err_set(err, ERR_SYSTEM, "cannot parse a URL: no memory");
	return parse_into(parsed, base->text, arena, &ignored, err) &&
	       parse_into(parsed, target, arena, out, err);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 &&
	       a->port == b->port;
}

char *url_shown(const struct url *url, struct arena *arena)
{
	int scheme_port = url->is_https ? 443 : 80;

	if (url->port == scheme_port)
		return arena_printf(arena, "%s://%s%s", url->scheme, url->host, url->path);
	return arena_printf(arena, "%s://%s:%d%s", url->scheme, url->host, url->port, url->path);
}

void url_encode(const char *text, struct buf *out)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (isalnum(*c) || strchr("-._~", *c))
			buf_byte(out, (char)*c);
		else
			buf_printf(out, "%%%02X", *c);
	}
}

void url_add_query(struct buf *url, const char *name, const char *value)
{
	buf_byte(url, strchr(buf_text(url), '?') ? '&' : '?');
	url_encode(name, url);
	buf_byte(url, '=');
	url_encode(value, url);
}
