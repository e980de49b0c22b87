/* SPDX-License-Identifier: Apache-2.0 */
/* import_allow.c — one reference against the list of registries. */
#include "reconcile/observe/import_allow.h"

#include <string.h>

enum { SHOWN_MAX = 4 };

#define PORT_SECURE   "443"
#define PORT_INSECURE "80"

struct address {
	const char *host, *port; /* port NULL: not written */
};

/* "[::1]:5000" too: brackets keep the colons of an address together. */
static bool split(const char *text, struct arena *arena, struct address *out, struct err *err)
{
	const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *colon = strchr(end ? end : text, ':');

	*out = (struct address){ .host = text };
	if (!colon)
		return true;
	if (strchr(colon + 1, ':'))
		return err_set(err, ERR_INVALID, "address %s: too many colons in address", text);
	out->host = arena_copy(arena, text, (size_t)(colon - text));
	out->port = arena_strdup(arena, colon + 1);
	return true;
}

/* The hub answers to several names. */
static const char *canonical(const char *host)
{
	static const char *const hub[] = { "index.docker.io", "registry-1.docker.io" };

	for (size_t i = 0; i < COUNTOF(hub); i++)
		if (strcmp(host, hub[i]) == 0)
			return "docker.io";
	return host;
}

/* "*" for any bytes, "?" for one; the last "*" is gone back to, so that the time is bounded by the product of the lengths. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL, *mark = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			mark = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool rule_fits(const struct settings_allowed *rule, const struct address *want,
		      const char *port, struct arena *arena)
{
	struct err ignored = { 0 };
	struct address at;

	if (!split(rule->domain, arena, &at, &ignored))
		return false;
	if (!at.port)
		at.port = rule->is_insecure ? PORT_INSECURE : PORT_SECURE;
	return matches(canonical(at.host), canonical(want->host)) &&
	       matches(at.port, want->port ? want->port : port);
}

static bool any_fits(const struct settings_streams *streams, const struct address *want,
		     const char *port, struct arena *arena)
{
	for (size_t i = 0; i < streams->allowed.n; i++)
		if (rule_fits(LIST_AT(streams->allowed, struct settings_allowed, i), want, port,
			      arena))
			return true;
	return false;
}

static const char *shown_rules(const struct settings_streams *streams, struct arena *arena)
{
	const char *text = "";
	size_t n = streams->allowed.n;

	for (size_t i = 0; i < n; i++) {
		const struct settings_allowed *rule =
			LIST_AT(streams->allowed, struct settings_allowed, i);
		struct err ignored = { 0 };
		struct address at;

		if (i == SHOWN_MAX && i + 1 < n)
			return arena_printf(arena, "%s, and %zu more ...", text, n - i);
		if (!split(rule->domain, arena, &at, &ignored))
			at = (struct address){ rule->domain, NULL };
		if (!at.port)
			at.port = rule->is_insecure ? PORT_INSECURE : PORT_SECURE;
		text = arena_printf(arena, "%s%s\"%s:%s\"", text, i ? ", " : "", at.host, at.port);
	}
	return text;
}

bool import_is_allowed(const struct settings_streams *streams, const char *registry,
		       bool is_insecure, struct arena *arena, struct err *err)
{
	const char *usual = is_insecure ? PORT_INSECURE : PORT_SECURE;
	struct address want;

	if (!streams->has_allowed)
		return true;
	if (!split(registry, arena, &want, err))
		return false;
	if (any_fits(streams, &want, PORT_SECURE, arena) ||
	    (is_insecure && any_fits(streams, &want, PORT_INSECURE, arena)))
		return true;
	if (!want.port)
		want.port = usual;
	if (streams->allowed.n == 0)
		return err_set(err, ERR_DENIED, "registry \"%s:%s\" not allowed by empty whitelist",
			       want.host, want.port);
	return err_set(err, ERR_DENIED, "registry \"%s:%s\" not allowed by whitelist: %s",
		       want.host, want.port, shown_rules(streams, arena));
}
