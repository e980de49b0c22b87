/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layers_dir.h — what one buildpack left in its layers folder: its layers by folders and <layer>.toml files, and its
 * store.toml. Untrusted: names and kinds are checked, links are not followed.
 * Spec: buildpacks/spec buildpack.md "Layers", "Layer Content Metadata (TOML)"; cnb.md §1.4, §1.6.
 */
#ifndef BUILDEXEC_CNB_LAYERS_DIR_H
#define BUILDEXEC_CNB_LAYERS_DIR_H

#include "buildexec/cnb/api.h"
#include "buildexec/cnb/app_metadata.h"

struct fs_layer {
	struct layer_record record; /* name, data and flags; sha is "" */
	const char *path;           /* on this machine                 */
	bool has_contents;          /* a folder, a file, or a link      */
	const char *problem;        /* its toml cannot be read; NULL   */
};

struct layers_dir {
	struct fs_layer *v; /* in order of the bytes of their names */
	size_t n, cap;
	const struct node *store;
};

/* `api` is the buildpack's. Absent folder: no layers. ERR_INVALID for a folder or a store.toml that cannot be read. */
MUST_CHECK bool layers_dir_read(const char *path, struct api api, struct arena *arena,
				struct layers_dir *out, struct err *err);

/* "a/b" → "a_b": a buildpack's folder below the layers. */
const char *cnb_escape_id(const char *id, struct arena *arena);

#endif
