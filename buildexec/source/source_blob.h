/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_blob.h — an archive behind an http(s) URL: what it is now, and its bytes. A validator (ETag, else Last-Modified)
 * that is known already answers without a transfer; the digest of the bytes is what counts. Spec: kpack.md §4.3, §4.4;
 * RFC 9110 §8.8 (validators), §13.1 (conditions), §14 (ranges).
 */
#ifndef BUILDEXEC_SOURCE_SOURCE_BLOB_H
#define BUILDEXEC_SOURCE_SOURCE_BLOB_H

#include "buildexec/source/access.h"
#include "buildexec/source/blob_cache.h"

struct blob_place {
	const struct access *access;
	const char *url, *auth; /* "", "secret"; "helper" is refused */
	const char *cache_dir;
	bool is_doubted; /* read anew, whatever validators say */
};

/*
 * What the URL holds now; the bytes are fetched into the cache unless a validator says that they are those of `known` or of
 * the last time. out->validator is NULL where the server gives none that can be relied on. ERR_DENIED, ERR_ABSENT,
 * ERR_TRANSIENT by the server's answer.
 */
MUST_CHECK bool source_blob_resolve(const struct blob_place *place,
				    const struct blob_version *known, struct arena *arena,
				    struct blob_version *out, struct err *err);
/* The bytes with this digest, from the cache or the URL. ERR_CONFLICT when the URL holds others now. */
MUST_CHECK bool source_blob_open(const struct blob_place *place, const char *content,
				 struct arena *arena, int *fd, struct err *err);

#endif
