/* SPDX-License-Identifier: Apache-2.0 */
/* remote_error.h — answers of registries that are no success, as errors with the registry's own words, made harmless. */
#ifndef BUILDEXEC_REGISTRY_REMOTE_ERROR_H
#define BUILDEXEC_REGISTRY_REMOTE_ERROR_H

#include "buildexec/registry/registry.h"
#include "buildexec/sys/http.h"

/* Status and words of an answer that is no success. */
void remote_note(const struct http_response *response, struct arena *arena,
		 struct registry_refusal *out);
/*
 * Sets err to "<what>: the server answered 404 (MANIFEST_UNKNOWN: manifest unknown)"; always false. 404 is ERR_ABSENT,
 * 401 and 403 ERR_DENIED, 408, 429 and 5xx ERR_TRANSIENT, others ERR_INVALID.
 */
bool remote_fail(const struct http_response *response, const char *what, struct arena *arena,
		 struct err *err);
/* The words alone: the first error of a distribution error body, or the first line of any other text; "" for none. */
char *remote_words(const char *body, size_t n, struct arena *arena);

#endif
