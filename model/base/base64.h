/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64.h — bytes to text and back in the standard alphabet of RFC 4648 §4, with padding. Line breaks in a text are skipped,
 * as Go's decoder does, so that what Kubernetes and Docker accept is accepted here. Not the URL alphabet.
 */
#ifndef MODEL_BASE_BASE64_H
#define MODEL_BASE_BASE64_H

#include "model/base/arena.h"
#include "model/base/err.h"

struct base64 {
	char *bytes; /* NUL-terminated behind n */
	size_t n;
	size_t bad_at; /* when it is none: the byte that tells */
};
MUST_CHECK bool base64_decode(const char *text, size_t n, struct arena *arena, struct base64 *out);
char *base64_encode(const void *bytes, size_t n, struct arena *arena);

#endif
