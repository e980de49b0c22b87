/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_url.h — where a git repository is: parsing, refusal of dangerous forms, and one identity per
 * repository. Accepted: http(s)://, ssh:// (git+ssh://, ssh+git://), git://, file://, the scp form
 * user@host:path, and local paths. Pure. Refused: CR, LF, NUL and control characters; a host, user
 * or path that starts with '-' (it would be an option of ssh or git: CVE-2017-1000117); helper
 * forms such as ext::. A password in a URL is accepted and kept out of `canonical`.
 */
#ifndef BUILDEXEC_SYS_GIT_URL_H
#define BUILDEXEC_SYS_GIT_URL_H

#include "model/base/arena.h"

enum git_scheme {
	GIT_SCHEME_LOCAL,
	GIT_SCHEME_HTTP,
	GIT_SCHEME_HTTPS,
	GIT_SCHEME_SSH,
	GIT_SCHEME_GIT,
	GIT_SCHEMES
};

struct git_url {
	enum git_scheme scheme;
	const char *user, *password; /* percent-decoded; NULL when not given              */
	const char *host;            /* lower case, IPv6 without brackets; NULL for local */
	int port;                    /* 0: the scheme's own                               */
	const char *path;            /* what is sent: "/group/app.git", "~u/app", "app"   */
	const char *request; /* http(s): the URL to ask, without user and password, no '/' at the
				end; local: the path */
	/* For asking and caching once: scheme, user of ssh, host, port unless the default, path
	 * without ".git" and '/' at the end. */
	const char *canonical;
	/* The same repository by whatever way: "host/group/app", case of the host ignored; local:
	 * the path. For comparing specs. */
	const char *identity;
};

/* Results in the arena. ERR_INVALID names what is wrong without repeating a password. A local path
 * may be relative. */
MUST_CHECK bool git_url_parse(const char *text, struct arena *arena, struct git_url *out,
			      struct err *err);
/* "http", "https", "ssh", "git", "file" */
const char *git_scheme_name(enum git_scheme scheme);
/* True when both name the same server by scheme, host and port: where a credential may go. */
bool git_url_is_same_server(const struct git_url *a, const struct git_url *b);
/* A full ref name by git-check-ref-format's rules ("refs/heads/x"; no "..", ".lock", "@{", control
 * characters, …). */
bool git_ref_is_valid(const char *name);

#endif
