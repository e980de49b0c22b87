/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer.h — one pass from tar entries to a compressed blob: diff id, gzip, digest and file at once,
 * on all cores. The archive is cut into 1 MiB pieces, each a gzip member of its own: the bytes
 * depend neither on the number of cores nor on the CPU (deflate.h). Memory is bounded to 40 MiB whatever the layer's size. The thread that writes
 * entries hashes the archive; workers compress; whoever has the next piece in order writes it.
 */
#ifndef BUILDEXEC_IMAGE_LAYER_H
#define BUILDEXEC_IMAGE_LAYER_H

#include <limits.h>

#include "buildexec/image/tar.h"
#include "buildexec/image/tar_tree.h"

enum layer_profile {
	LAYER_FAST,  /* for a registry nearby: 6 to 20 % more than `gzip -6` */
	LAYER_SMALL, /* the size of `gzip -6` */
	LAYER_PROFILES
};

struct layer_options {
	const char *blob_dir; /* blobs are <blob_dir>/sha256/<hex>; made when absent */
	enum layer_profile profile;
	size_t n_threads; /* 0: the number of cores, at most 8; 1: everything in the caller's thread
			   */
};

struct layer_result {
	struct digest diff_id, digest;
	uint64_t size_bytes; /* of the blob */
	uint64_t tar_bytes;
	char path[PATH_MAX]; /* of the blob */
};

struct layer;
MUST_CHECK bool layer_open(const struct layer_options *options, struct layer **out,
			   struct err *err);
/* Where the entries go. Lent until commit. */
struct tar *layer_tar(struct layer *layer);
/* Ends the archive and names the blob. The handle is gone either way. */
MUST_CHECK bool layer_commit(struct layer **layer, struct layer_result *out, struct err *err);
/* Removes the unfinished blob. NULL is allowed. */
void layer_abort(struct layer **layer);
#define AUTO_LAYER __attribute__((cleanup(layer_abort))) struct layer

/* Path of a blob in such a folder. */
char *blob_path(struct arena *arena, const char *blob_dir, const char *digest);

#endif
