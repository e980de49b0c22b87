/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob_cache.h — downloaded source archives below the cache folder, named by their digest, and what a URL held when it was
 * asked last. Verified whenever one is opened; those that were not used for longest go when they have more
 * than LIMIT_BLOB_CACHE_BYTES together. Several processes may use it at once:
 * files appear by rename, and one that is open stays readable when it is removed.
 */
#ifndef BUILDEXEC_SOURCE_BLOB_CACHE_H
#define BUILDEXEC_SOURCE_BLOB_CACHE_H

#include "model/base/digest.h"

/* What a URL held: a digest, and the ETag or Last-Modified it came with. Both NULL: nothing is known. */
struct blob_version {
	const char *content, *validator;
};

/* An empty file of the cache to download to; *path names it until it is kept or unlinked. */
MUST_CHECK bool blob_cache_create(const char *cache_dir, struct arena *arena, int *fd,
				  const char **path, struct err *err);
/* Gives the file its name; older ones may have to go. */
MUST_CHECK bool blob_cache_keep(const char *cache_dir, const char *path, const char *content,
				struct err *err);
/* Where it lies or would lie; the folder is made. For what is verified while it is written. */
MUST_CHECK bool blob_cache_path(const char *cache_dir, const char *content, struct arena *arena,
				const char **out, struct err *err);
/* Open for reading; -1 when it is not there, or no longer what it was. */
MUST_CHECK bool blob_cache_open(const char *cache_dir, const char *content, int *fd,
				struct err *err);

/* Of a URL. What cannot be read is not known; what cannot be written is asked again. */
struct blob_version blob_cache_version(const char *cache_dir, const char *url, struct arena *arena);
void blob_cache_remember(const char *cache_dir, const char *url, struct blob_version version);
void blob_cache_forget(const char *cache_dir, const char *url);

#endif
