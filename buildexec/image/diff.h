/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff.h — what a container changed, as entries of a layer: the upper folder of its overlay. Removed names become whiteouts,
 * folders that replaced others are marked opaque, hard links stay links. A folder that overlayfs only copied up, with the
 * mode and owner it had, comes along when something in it changed. Names sorted by bytes, one time for everything:
 * the same changes give the same bytes. Sockets and devices are left out. Of extended attributes those that layers are
 * unpacked with come along: user.*, and as root security.capability; of a folder when the folder does.
 * Spec: opencontainers/image-spec layer.md "Change Types"; Linux overlayfs.rst.
 */
#ifndef BUILDEXEC_IMAGE_DIFF_H
#define BUILDEXEC_IMAGE_DIFF_H

#include "buildexec/image/rootfs.h"
#include "buildexec/image/tar.h"

struct diff_spec {
	const char *upper;         /* the folder that the changes went to */
	const struct rootfs *base; /* what was below it */
	/* Absolute paths that are not the container's: places where something else was mounted. Sorted or not. */
	const struct strings *left_out;
	int64_t mtime_s;
	/*
	 * What is on disk is ours (a container without root): entries belong to this user instead, but for folders that
	 * only came along. Who owns those is not known; root, unless they are at or below one of `owned`.
	 */
	bool has_owner;
	uint64_t uid, gid;
	const struct strings *owned; /* NULL: none */
};

struct diff_stats {
	uint64_t n_entries, n_whiteouts;
	uint64_t n_left_out; /* sockets, devices, and names that mean something else in a layer */
	uint64_t n_xattrs_left_out; /* of files with more of them than fit into an archive */
};

/* ERR_SYSTEM where overlayfs keeps changes in a form of its own (redirect_dir, metacopy), which is no layer. */
MUST_CHECK bool diff_write(const struct diff_spec *spec, struct tar *tar, struct diff_stats *out,
			   struct err *err);

#endif
