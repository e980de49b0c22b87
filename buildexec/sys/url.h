/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.h — http and https URLs as values: parts, relative references, origins. Nothing is sent.
 * Spec: RFC 3986; the parsing is libcurl's, so that what is compared here is what is connected to later.
 */
#ifndef BUILDEXEC_SYS_URL_H
#define BUILDEXEC_SYS_URL_H

#include "model/base/buf.h"

struct url {
	const char *text;            /* whole, without user, password and fragment */
	const char *scheme, *host;   /* lower case */
	int port;                    /* the scheme's own when not written */
	const char *path;            /* without the query */
	const char *user, *password; /* decoded; NULL when not written */
	bool is_https;
};

/* ERR_INVALID for anything that is no http or https URL. */
MUST_CHECK bool url_parse(const char *text, struct arena *arena, struct url *out, struct err *err);
/* `target` as seen from `base`: a relative reference or a whole URL. */
MUST_CHECK bool url_resolve(const struct url *base, const char *target, struct arena *arena,
			    struct url *out, struct err *err);
/* Same scheme, host and port: what credentials are bound to. */
bool url_same_origin(const struct url *a, const struct url *b);
/* scheme://host[:port]/path, without the query: queries carry signatures and tokens. */
char *url_shown(const struct url *url, struct arena *arena);
/* Percent-encoded but for the unreserved characters. */
void url_encode(const char *text, struct buf *out);
/* Appends "name=value", encoded, behind '?' or '&' as fits. */
void url_add_query(struct buf *url, const char *name, const char *value);

#endif
