/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack.h — unpacked layers, each once per machine, as lower folders for overlayfs:
 * <root>/<form>/<diff id hex>/. A layer appears there complete and verified by one rename, or not
 * at all; whoever unpacks holds a lock, others wait and find it done. Folders of killed runs are
 * removed by the next one.
 *
 * Two forms, in folders of their own because they differ on disk:
 *   layers       made by root: owners are set, opaque folders carry trusted.overlay.opaque
 *   layers-user  made by an unprivileged user: everything is that user's, who always gets rw (x on
 *                folders) added so that it can be read and removed; user.overlay.opaque. Who
 *                mounts it maps that user to the container's user (sandbox.h).
 *
 * Whiteouts are char devices 0:0 in both, as overlayfs reads them. Devices are left out and
 * counted; set-user-id bits, hard links, sparse files and extended attributes (user.*, as root
 * security.capability too) are kept. Nothing is ever written outside: names with ".." are refused,
 * links on the way are resolved inside the layer as in a chroot, and an entry replaces what an
 * earlier one put there.
 * Spec: opencontainers/image-spec layer.md.
 */
#ifndef BUILDEXEC_IMAGE_UNPACK_H
#define BUILDEXEC_IMAGE_UNPACK_H

#include "model/base/digest.h"
#include "model/oci/image.h"

struct unpack_stats {
	uint64_t n_entries, n_bytes;
	uint64_t n_devices; /* left out */
	uint64_t n_xattrs;  /* left out: not ours to set */
};

/* How whiteouts and owners are written down. */
enum unpack_form { UNPACK_AS_ROOT, UNPACK_AS_USER, UNPACK_FORMS };
/* By the effective user. */
enum unpack_form unpack_form_here(void);

/*
 * One layer read from `fd` (from its position to its end; gzip, zstd or plain, by content) into the
 * empty folder `dir`. `diff_id` NULL: not verified. ERR_INVALID for a broken or hostile archive or
 * another diff id: `dir` is then unfit for use.
 */
struct unpack_limits {
	uint64_t bytes,
		entries; /* as LIMIT_UNPACK_…; holes of sparse files count, since whoever reads them reads zeros */
};
struct unpack_spec {
	int fd;
	const char *dir;
	const char *diff_id;
	enum unpack_form form;
	bool has_exact_modes; /* UNPACK_AS_USER too: for folders that are changed and archived again */
	const struct unpack_limits *limits; /* NULL: LIMIT_UNPACK_… */
};
MUST_CHECK bool unpack_layer(const struct unpack_spec *spec, struct unpack_stats *out,
			     struct err *err);

struct layer_store;
/* Makes the folders, that of the layers for nobody else to enter; sweeps what killed runs left. May be shared by threads. */
MUST_CHECK bool layer_store_open(const char *root, struct layer_store **out, struct err *err);
void layer_store_close(struct layer_store **store);
#define AUTO_LAYER_STORE __attribute__((cleanup(layer_store_close))) struct layer_store
/* <root>/blobs: where compressed blobs lie, as layer.h names them. */
const char *layer_store_blobs(const struct layer_store *store);
/* The unpacked layer's folder, or NULL when it is not there yet. */
char *layer_store_find(const struct layer_store *store, const char *diff_id, struct arena *arena);
/* Unpacks the blob at `path` unless it is there; waits for another that is at it. */
MUST_CHECK bool layer_store_add(struct layer_store *store, const char *diff_id, const char *path,
				struct arena *arena, char **dir, struct err *err);

/* Held while a blob is fetched and unpacked, so that only one process does it. */
MUST_CHECK bool layer_store_lock_blob(const struct layer_store *store, const char *digest, int *fd,
				      struct err *err);

#endif
