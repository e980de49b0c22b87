/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_tree.h — folders of this machine as entries of an archive, under another name.
 * Sockets are skipped, hard links become whole files and extended attributes are left out unless
 * they are asked for, symbolic links are never followed. A file that changes while it is read is an error that names it, never a broken
 * archive. Spec: reference lifecycle archive/tarball (reference/cnb.md §1.9).
 */
#ifndef BUILDEXEC_IMAGE_TAR_TREE_H
#define BUILDEXEC_IMAGE_TAR_TREE_H

#include "buildexec/image/tar.h"
#include "model/base/vec.h"

/* What the entries of a tree get instead of what they have on disk. */
struct tar_owner {
	uint64_t uid, gid;
	int64_t mtime_s;
};

/* The folder `dir` on this machine stands for `name` (absolute) in the image. */
struct tar_map {
	const char *dir, *name;
	/* Hard links among the files of one call stay links, and attributes stay: user.* and file
	 * capabilities, but for those that overlayfs keeps for itself. */
	bool is_faithful;
};

/*
 * Entries for the folders above `name`, from below "/" down: those at or under map->name have the
 * mode and the owner that they have on disk (the owner only with has_disk_owner, else owner's);
 * those above it are 0755 0:0. `map` NULL: all are 0755 0:0. The time is owner->mtime_s for all.
 */
struct tar_parents {
	const struct tar_map *map;
	const char *name;
	struct tar_owner owner;
	bool has_disk_owner;
};
MUST_CHECK bool tar_add_parents(struct tar *tar, const struct tar_parents *parents,
				struct err *err);

/* map->dir (a folder, a file or a link) itself and all below it, a folder's entries in byte order
 * of their names. */
MUST_CHECK bool tar_add_tree(struct tar *tar, const struct tar_map *map,
			     const struct tar_owner *owner, struct err *err);

/* These paths below map->dir ("" is the folder itself), in the given order, each alone: no contents
 * of folders. */
MUST_CHECK bool tar_add_paths(struct tar *tar, const struct tar_map *map,
			      const struct strings *paths, const struct tar_owner *owner,
			      struct err *err);

/* All paths below `dir`, which is no link, relative, sorted by bytes of the whole path; "" first.
 * Sockets are left out. */
MUST_CHECK bool tree_list(const char *dir, struct arena *arena, struct strings *out,
			  struct err *err);

#endif
