/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache_image.h — a build cache that lies in a registry (spec.cache.registry): an image of the cached layers with their metadata
 * in a label. The folder of cache.h stays in between: what it has of the image is not fetched, what the image has not is
 * no longer cached. Spec: buildpacks/spec platform.md "Cache Image"; cnb.md §1.8.
 */
#ifndef BUILDEXEC_CNB_CACHE_IMAGE_H
#define BUILDEXEC_CNB_CACHE_IMAGE_H

#include "buildexec/cnb/lifecycle.h"

#define LABEL_CACHE_METADATA "io.buildpacks.lifecycle.cache.metadata"

/*
 * Makes the open folder hold what options.cache_image has for the buildpacks of the group. No image, one that is no cache, and
 * layers that are damaged are no failures: they are not cached then.
 */
MUST_CHECK bool cache_image_pull(struct lifecycle *life, struct build_cache *cache,
				 struct err *err);
/* Pushes what was committed just now. */
MUST_CHECK bool cache_image_push(struct lifecycle *life, const struct build_cache *cache,
				 const struct cache_metadata *metadata, struct err *err);

#endif
