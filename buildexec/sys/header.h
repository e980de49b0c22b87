/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header.h — values of HTTP headers that servers send, as values. Pure: text in, value out, the time is a parameter.
 * Spec: RFC 9110 §10.2.3 (Retry-After), §11.6.1 (WWW-Authenticate), §14.4 (Content-Range); RFC 8288 (Link).
 */
#ifndef BUILDEXEC_SYS_HEADER_H
#define BUILDEXEC_SYS_HEADER_H

#include <stdint.h>

#include "model/base/arena.h"

/* Seconds to wait from now_s on, at least 0; -1 when it is neither seconds nor a date. */
int64_t header_retry_after(const char *value, int64_t now_s);

/* Unix seconds of an HTTP date; -1 when it is none. */
int64_t header_date(const char *value);

struct challenge {
	const char *scheme;                          /* lower case: "basic", "bearer" */
	const char *realm, *service, *scope, *error; /* NULL when not given */
};
/* The challenges of one value, at most `cap`; what follows a syntax error is left out. */
size_t header_challenges(const char *value, struct arena *arena, struct challenge *out, size_t cap);

/* The target of the first link whose relation is "next", as written; NULL when there is none. */
const char *header_link_next(const char *value, struct arena *arena);

struct content_range {
	int64_t first, last; /* both inclusive; first ≤ last      */
	int64_t total;       /* -1: the server does not say ('*') */
};
/* False unless "bytes first-last/total". */
bool header_content_range(const char *value, struct content_range *out);

/* The media type of a Content-Type, lower case, without parameters; NULL for NULL or an empty one. */
char *header_media_type(const char *value, struct arena *arena);

/* A number of 1 to 18 digits and nothing else. */
bool header_number(const char *value, int64_t *out);

#endif
