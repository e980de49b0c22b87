/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_url.c — one parser per form, chosen by "://", by a colon before the first slash (scp), else a
 * local path. Forms and their order: git-clone(1) "GIT URLS". Everything decoded from percent signs
 * is checked again.
 */
#include "buildexec/sys/git_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/git_id.h"
#include "model/base/limits.h"

struct scheme_row {
	const char *word;
	enum git_scheme scheme;
	int port; /* that goes without saying */
};

/* clang-format off */
static const struct scheme_row schemes[] = {
	{ "file",    GIT_SCHEME_LOCAL, 0    },
	{ "http",    GIT_SCHEME_HTTP,  80   },
	{ "https",   GIT_SCHEME_HTTPS, 443  },
	{ "ssh",     GIT_SCHEME_SSH,   22   },
	{ "git",     GIT_SCHEME_GIT,   9418 },
	{ "git+ssh", GIT_SCHEME_SSH,   22   },
	{ "ssh+git", GIT_SCHEME_SSH,   22   },
};
/* clang-format on */

const char *git_scheme_name(enum git_scheme scheme)
{
	for (size_t i = 0; i < COUNTOF(schemes); i++)
		if (schemes[i].scheme == scheme)
			return schemes[i].word;
	return "";
}

static int scheme_port(enum git_scheme scheme)
{
	for (size_t i = 0; i < COUNTOF(schemes); i++)
		if (schemes[i].scheme == scheme)
			return schemes[i].port;
	return 0;
}

static bool has_control(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			return true;
	return false;
}

/* NULL when a percent sign is followed by no byte, or by one that does not belong in a path or
 * name. */
static char *percent_decode(struct arena *arena, const char *text, size_t n)
{
	char *out = arena_alloc(arena, n + 1);
	size_t length = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (text[i] == '%') {
			if (n - i < 3 || !git_hex_bytes(text + i + 1, &byte, 1))
				return NULL;
			i += 2;
		}
		if (byte < 0x20 || byte == 0x7f)
			return NULL;
		out[length++] = (char)byte;
	}
	out[length] = '\0';
	return out;
}

static bool is_host(const char *host, size_t n)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";

	return n && n <= 255 && host[0] != '-' && strspn(host, allowed) >= n;
}

static bool take_host(struct arena *arena, const char *host, size_t n, struct git_url *url,
		      struct err *err)
{
	char *lower;

	if (!is_host(host, n))
		return err_set(err, ERR_INVALID, "invalid git url: '%.*s' is no host name", (int)n,
			       host);
	lower = arena_copy(arena, host, n);
	for (char *c = lower; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	url->host = lower;
	return true;
}

static bool take_port(const char *text, size_t n, struct git_url *url, struct err *err)
{
	int port = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9' || port > 65535)
			return err_set(err, ERR_INVALID, "invalid git url: '%.*s' is no port",
				       (int)n, text);
		port = port * 10 + (text[i] - '0');
	}
	if (n && (!port || port > 65535))
		return err_set(err, ERR_INVALID, "invalid git url: '%.*s' is no port", (int)n,
			       text);
	url->port = port == scheme_port(url->scheme) ? 0 : port;
	return true;
}

static bool take_user(struct arena *arena, const char *text, size_t n, struct git_url *url,
		      struct err *err)
{
	const char *colon = memchr(text, ':', n);
	size_t n_user = colon ? (size_t)(colon - text) : n;

	url->user = percent_decode(arena, text, n_user);
	if (colon)
		url->password = percent_decode(arena, colon + 1, n - n_user - 1);
	if (!url->user || (colon && !url->password))
		return err_set(
			err, ERR_INVALID,
			"invalid git url: its user or password is not percent-encoded right");
	if (url->user[0] == '-' || (url->scheme == GIT_SCHEME_SSH && strpbrk(url->user, "@:/ ")))
		return err_set(err, ERR_INVALID, "invalid git url: '%s' is no user name",
			       url->user);
	if (!url->user[0])
		url->user = NULL;
	return true;
}

/* [user[:password]@]host[:port], the host perhaps in brackets */
static bool take_authority(struct arena *arena, const char *text, size_t n, struct git_url *url,
			   struct err *err)
{
	const char *at = memrchr(text, '@', n), *end = text + n, *colon;

	if (at) {
		if (!take_user(arena, text, (size_t)(at - text), url, err))
			return false;
		text = at + 1;
	}
	if (text < end && *text == '[') {
		const char *bracket = memchr(text, ']', (size_t)(end - text));

		if (!bracket || (bracket + 1 < end && bracket[1] != ':'))
			return err_set(err, ERR_INVALID, "invalid git url: a '[' without its ']'");
		if (!take_host(arena, text + 1, (size_t)(bracket - text - 1), url, err))
			return false;
		colon = bracket + 1 < end ? bracket + 1 : NULL;
	} else {
		colon = memchr(text, ':', (size_t)(end - text));
		if (!take_host(arena, text, (size_t)((colon ? colon : end) - text), url, err))
			return false;
	}
	return !colon || take_port(colon + 1, (size_t)(end - colon - 1), url, err);
}

static size_t length_without(const char *path, const char *suffix)
{
	size_t n = strlen(path), n_suffix = strlen(suffix);

	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n > n_suffix + 1 && !memcmp(path + n - n_suffix, suffix, n_suffix) &&
	    path[n - n_suffix - 1] != '/')
		n -= n_suffix;
	return n;
}

static const char *host_port(const struct git_url *url, struct arena *arena)
{
	const char *open = strchr(url->host, ':') ? "[" : "", *close = *open ? "]" : "";

	if (url->port)
		return arena_printf(arena, "%s%s%s:%d", open, url->host, close, url->port);
	return arena_printf(arena, "%s%s%s", open, url->host, close);
}

static void name_remote(struct git_url *url, struct arena *arena)
{
	const char *scheme = git_scheme_name(url->scheme), *at = host_port(url, arena);
	const char *home = url->path[0] == '/' ? "" : "/./";
	int n = (int)length_without(url->path, ".git");
	bool has_user = url->scheme == GIT_SCHEME_SSH && url->user;

	url->canonical = arena_printf(arena, "%s://%s%s%s%s%.*s", scheme, has_user ? url->user : "",
				      has_user ? "@" : "", at, home, n, url->path);
	url->identity = arena_printf(arena, "%s%s%.*s", at, *home ? "/" : "", n, url->path);
	if (url->scheme == GIT_SCHEME_HTTP || url->scheme == GIT_SCHEME_HTTPS)
		url->request = arena_printf(arena, "%s://%s%.*s", scheme, at,
					    (int)length_without(url->path, ""), url->path);
	else
		url->request = url->path;
}

static void name_local(struct git_url *url, const char *path, struct arena *arena)
{
	url->scheme = GIT_SCHEME_LOCAL;
	url->path = arena_copy(arena, path, length_without(path, ""));
	url->request = url->path;
	url->canonical = url->path;
	url->identity = url->path;
}

static bool parse_local(const char *path, struct arena *arena, struct git_url *url, struct err *err)
{
	if (path[0] == '-' || !path[0])
		return err_set(err, ERR_INVALID,
			       "invalid git url: a path may not be empty or start with '-'");
	name_local(url, path, arena);
	return true;
}

static bool parse_file(const char *rest, struct arena *arena, struct git_url *url, struct err *err)
{
	char *path;

	if (!strncmp(rest, "localhost/", 10))
		rest += 9;
	if (rest[0] != '/')
		return err_set(err, ERR_INVALID,
			       "invalid git url: file:// needs an absolute path of this machine");
	path = percent_decode(arena, rest, strlen(rest));
	if (!path)
		return err_set(err, ERR_INVALID,
			       "invalid git url: the path is not percent-encoded right");
	name_local(url, path, arena);
	return true;
}

/* user@host:path: the path belongs to the user's home unless it starts with '/' */
static bool parse_scp(const char *text, const char *colon, struct arena *arena, struct git_url *url,
		      struct err *err)
{
	url->scheme = GIT_SCHEME_SSH;
	if (!take_authority(arena, text, (size_t)(colon - text), url, err))
		return false;
	url->path = arena_strdup(arena, colon + 1);
	if (!url->path[0] || url->path[0] == '-')
		return err_set(err, ERR_INVALID,
			       "invalid git url: a path may not be empty or start with '-'");
	name_remote(url, arena);
	return true;
}

static bool parse_remote(const char *rest, struct arena *arena, struct git_url *url,
			 struct err *err)
{
	const char *slash = strchr(rest, '/');
	bool is_http = url->scheme == GIT_SCHEME_HTTP || url->scheme == GIT_SCHEME_HTTPS;

	if (!slash || !slash[1])
		return err_set(err, ERR_INVALID,
			       "invalid git url: it names a server but no repository");
	if (!take_authority(arena, rest, (size_t)(slash - rest), url, err))
		return false;
	if (is_http && strpbrk(slash, "?#\\ "))
		return err_set(err, ERR_INVALID,
			       "invalid git url: the path may not hold '?', '#', '\\' or blanks");
	url->path =
		is_http ? arena_strdup(arena, slash) : percent_decode(arena, slash, strlen(slash));
	if (!url->path)
		return err_set(err, ERR_INVALID,
			       "invalid git url: the path is not percent-encoded right");
	if (url->scheme == GIT_SCHEME_SSH && url->path[1] == '~')
		url->path++;
	name_remote(url, arena);
	return true;
}

static bool parse_scheme(const char *text, const char *mark, struct arena *arena,
			 struct git_url *url, struct err *err)
{
	size_t n = (size_t)(mark - text);

	for (size_t i = 0; i < COUNTOF(schemes); i++) {
		if (strlen(schemes[i].word) != n || strncasecmp(schemes[i].word, text, n) != 0)
			continue;
		url->scheme = schemes[i].scheme;
		if (url->scheme == GIT_SCHEME_LOCAL)
			return parse_file(mark + 3, arena, url, err);
		return parse_remote(mark + 3, arena, url, err);
	}
	return err_set(
		err, ERR_INVALID,
		"invalid git url: scheme '%.*s' is not supported (http, https, ssh, git, file are)",
		(int)n, text);
}

bool git_url_parse(const char *text, struct arena *arena, struct git_url *out, struct err *err)
{
	struct git_url url = { 0 };
	const char *mark = strstr(text, "://"), *colon = strchr(text, ':'),
		   *slash = strchr(text, '/');
	const char *bracket;
	bool done;

	*out = (struct git_url){ 0 };
	if (strlen(text) > LIMIT_PATH_BYTES)
		return err_set(err, ERR_INVALID, "invalid git url: longer than %u bytes",
			       LIMIT_PATH_BYTES);
	if (has_control(text))
		return err_set(err, ERR_INVALID, "invalid git url: it has control characters");
	bracket = strstr(text, "]:");
	if (bracket && colon && memchr(text, '[', (size_t)(colon - text))) /* user@[::1]:path */
		colon = bracket + 1;
	if (mark && mark > text && (!slash || mark < slash))
		done = parse_scheme(text, mark, arena, &url, err);
	else if (colon && (!slash || colon < slash) && colon[1] == ':')
		done = err_set(err, ERR_INVALID,
			       "invalid git url: helpers such as '%.*s::' are not run",
			       (int)(colon - text), text);
	else if (colon && (!slash || colon < slash))
		done = parse_scp(text, colon, arena, &url, err);
	else
		done = parse_local(text, arena, &url, err);
	if (done)
		*out = url;
	return done;
}

bool git_url_is_same_server(const struct git_url *a, const struct git_url *b)
{
	return a->scheme == b->scheme && a->port == b->port && a->host && b->host &&
	       !strcmp(a->host, b->host);
}

static bool is_part_valid(const char *part, size_t n)
{
	return n && part[0] != '.' && !(n >= 5 && !memcmp(part + n - 5, ".lock", 5));
}

bool git_ref_is_valid(const char *name)
{
	const char *part = name;
	size_t n = strlen(name);

	if (strncmp(name, "refs/", 5) != 0 || n > 1024 || name[n - 1] == '.' || has_control(name))
		return false;
	if (strpbrk(name, " ~^:?*[\\") || strstr(name, "..") || strstr(name, "@{"))
		return false;
	for (;;) {
		const char *end = strchrnul(part, '/');

		if (!is_part_valid(part, (size_t)(end - part)))
			return false;
		if (!*end)
			return true;
		part = end + 1;
	}
}
