/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.h — the layers that one image's buildpacks keep between builds, in a folder of their own:
 *     <dir>/lock                   held exclusively while a build reads the cache, and while it writes it
 *     <dir>/committed/metadata.json, blobs.json, <hex of diffID>.tar.gz
 *     <dir>/kept/…                 folders of the same content (kept_layer.h)
 * A new state is made beside it and takes its place by renames: a reader sees the old one or the new one, and a kill
 * leaves one of the two. What is damaged is as good as absent, and removed when that is found out: contents are made again
 * then. metadata.json is the label of a cache image. blobs.json has digest and size of each archive by diffID, so that a cache
 * image is pushed without reading them.
 * Spec: buildpacks/spec platform.md "Cache"; cnb.md §1.3, §1.8.
 */
#ifndef BUILDEXEC_CNB_CACHE_H
#define BUILDEXEC_CNB_CACHE_H

#include "buildexec/cnb/app_metadata.h"
#include "buildexec/image/layer.h"
#include "model/base/map.h"
#include "model/oci/image.h"

struct build_cache {
	const char *dir;
	int lock_fd;
	struct cache_metadata metadata; /* of the committed state */
	struct map blobs; /* diffID → struct descriptor of an archive, as far as known */
	/* the state in the making */
	const char *staging;  /* NULL: none begun */
	struct strings added; /* diffIDs */
	uint64_t n_bytes;     /* of those that fit */
};

/* Waits for another build of the same image. Makes the folder; reads the metadata. Texts live in the arena. */
MUST_CHECK bool build_cache_open(const char *dir, struct arena *arena, struct build_cache *out,
				 struct err *err);
/* Drops what was not committed. */
void build_cache_close(struct build_cache *cache);
#define AUTO_BUILD_CACHE __attribute__((cleanup(build_cache_close))) struct build_cache

/*
 * Below `root` are caches, one folder each: what killed builds left of their new states is removed. A cache that is in use is
 * left alone. One whose build was killed behind its push is opened by nobody until the next build of its image.
 */
void build_cache_sweep(const char *root, struct arena *arena);

/* Path of a committed layer's archive; NULL when it is not there. */
const char *build_cache_find(const struct build_cache *cache, const char *diff_id,
			     struct arena *arena);

/* A committed archive turned out not to hold its layer: it goes. */
void build_cache_drop(const struct build_cache *cache, const char *diff_id, struct arena *arena);
/* Digest and size of a committed archive, without reading it where they are known. ERR_ABSENT when it is gone or was cut. */
MUST_CHECK bool build_cache_describe(const struct build_cache *cache, const char *diff_id,
				     struct arena *arena, struct descriptor *out, struct err *err);
/* Removes committed archives that are not what was written; true when there were any. Reads all of them. */
bool build_cache_verify(const struct build_cache *cache, struct arena *arena);

MUST_CHECK bool build_cache_begin(struct build_cache *cache, struct arena *arena, struct err *err);
/* Keeps a committed layer. False and no error when it is not there. */
bool build_cache_keep(struct build_cache *cache, const char *diff_id, struct arena *arena);
MUST_CHECK bool build_cache_add(struct build_cache *cache, const struct layer_result *layer,
				struct arena *arena, struct err *err);
/* The newest layer of the state in the making, taken back when with it all have more than `max_bytes`: then false. */
bool build_cache_fits(struct build_cache *cache, uint64_t max_bytes, struct arena *arena);
MUST_CHECK bool build_cache_commit(struct build_cache *cache, const struct cache_metadata *metadata,
				   struct arena *arena, struct err *err);

#endif
