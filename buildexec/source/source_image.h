/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_image.h — an image as a source: its layers, one over the other, in a folder; or, where a label says so, the one
 * archive that its one layer holds. Spec: kpack.md §4.3; opencontainers/image-spec layer.md "Applying Changesets".
 */
#ifndef BUILDEXEC_SOURCE_SOURCE_IMAGE_H
#define BUILDEXEC_SOURCE_SOURCE_IMAGE_H

#include "buildexec/registry/registry.h"

#define SOURCE_CONTENT_TYPE_LABEL "source.contenttype.kpack.io"

struct source_image {
	struct registry *registry;
	const char *image;     /* pinned */
	const char *cache_dir; /* layers are kept there, as downloads are */
	const char *dest;      /* an empty folder */
};
MUST_CHECK bool source_image_unpack(const struct source_image *spec, struct arena *arena,
				    struct err *err);

#endif
