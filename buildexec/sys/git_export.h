/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_export.h — a commit's files into a folder: what a checkout gives, without an index, filters
 * or hooks. Foreign trees are hostile: names are checked (git_entry_name_is_safe), files are made
 * with O_EXCL and O_NOFOLLOW below open folder descriptors, so that a link in the tree is never
 * followed. Bytes, entries and depth are limited.
 */
#ifndef BUILDEXEC_SYS_GIT_EXPORT_H
#define BUILDEXEC_SYS_GIT_EXPORT_H

#include "buildexec/sys/git_objects.h"
#include "model/base/vec.h"

struct git_submodule {
	const char *path; /* below the exported root */
	struct git_id commit;
};
struct git_export_result {
	uint64_t n_files, n_bytes;
	VEC(struct git_submodule) submodules; /* made as empty folders, as git does */
};

/*
 * Writes the tree below `dir`, which exists and is empty. Modes 0755 and 0644, links as they are
 * (they may point anywhere: whoever reads the folder must not follow them out). ERR_INVALID for an
 * unsafe name or a limit passed.
 */
MUST_CHECK bool git_export_tree(struct git_objects *objects, const struct git_id *tree,
				const char *dir, struct arena *arena, struct git_export_result *out,
				struct err *err);
/* The tree of a commit. */
MUST_CHECK bool git_tree_of_commit(struct git_objects *objects, const struct git_id *commit,
				   struct git_id *out, struct err *err);
/* What a path inside a tree is ("" or ".": the tree itself); absent is none. `mode` may be NULL.
 * Path as path_is_inside(). */
MUST_CHECK bool git_find_path(struct git_objects *objects, const struct git_id *tree,
			      const char *path, struct git_id *out, unsigned *mode,
			      struct err *err);
/* A blob inside a tree by path: bytes in the arena, NULL when absent or not a file. */
MUST_CHECK bool git_read_path(struct git_objects *objects, const struct git_id *tree,
			      const char *path, struct arena *arena, struct git_data *out,
			      struct err *err);

#endif
