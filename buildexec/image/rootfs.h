/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs.h — unpacked layers read as the one tree that overlayfs would make of them, without mounting anything: whiteouts and
 * opaque folders hide what is below, links are followed inside the tree as a chroot would. For looking at images and at
 * what a container left; the upper folder of a run is just one more layer on top. Nobody may change the layers meanwhile.
 * Spec: Linux overlayfs.rst "Upper and Lower", "whiteouts and opaque directories".
 */
#ifndef BUILDEXEC_IMAGE_ROOTFS_H
#define BUILDEXEC_IMAGE_ROOTFS_H

#include <sys/stat.h>

#include "buildexec/image/unpack.h"

struct rootfs {
	struct strings layers; /* folders, bottom first */
	enum unpack_form form; /* how opaque folders are marked */
};

/* One object. `host` is NULL where there is none. */
struct rootfs_entry {
	const char *host; /* its path on this machine, in the topmost layer that has it */
	const char *
		path; /* its path in the tree, absolute, without links; also of what is not there, when its folder is */
	struct stat stat; /* of itself, or with follow of what it leads to */
	size_t layer;     /* the one of `host` */
	size_t bottom;    /* of a folder: layers below this one are hidden in it */
};

/*
 * Looks `path` up; a link as its last part is followed when asked. Absent is an answer: host NULL, and path NULL too when
 * not even its folder is there. ERR_INVALID for links in circles and paths too long.
 */
MUST_CHECK bool rootfs_find(const struct rootfs *root, const char *path, bool follows,
			    struct arena *arena, struct rootfs_entry *out, struct err *err);
/* The names in a folder that rootfs_find gave, by bytes. */
MUST_CHECK bool rootfs_names(const struct rootfs *root, const struct rootfs_entry *folder,
			     struct arena *arena, struct strings *out, struct err *err);
/* A plain file whole, over links; absent: true and *out NULL. ERR_INVALID for anything else of that name, or longer. */
MUST_CHECK bool rootfs_read(const struct rootfs *root, const char *path, size_t max,
			    struct arena *arena, char **out, size_t *len, struct err *err);
/*
 * A file, link or folder with all that is in it, to the new name `to` on this machine (into it when it is a folder that
 * exists): modes 0755 and 0644, links as they are, neither times nor owners; devices and pipes are left out.
 */
MUST_CHECK bool rootfs_copy(const struct rootfs *root, const struct rootfs_entry *from,
			    const char *to, struct err *err);

#endif
