/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h — folders as a whole: walking, hashing, copying, giving to another user. Links are never followed.
 * A tree's digest covers names, kinds, link targets, contents and the executable bit, in the manner of git: times, owners and
 * the rest of the mode do not count, so that the same files have the same digest on every machine. Entries named ".git"
 * are not part of a tree.
 */
#ifndef BUILDEXEC_SYS_TREE_H
#define BUILDEXEC_SYS_TREE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "model/base/digest.h"

struct tree_entry {
	int dir_fd;       /* the folder it is in                    */
	const char *name; /* its name there                         */
	const char *path; /* relative to the root                   */
	struct stat stat; /* of the entry itself                    */
	bool is_pruned;   /* set by the callback: do not go into it */
};
typedef bool tree_fn(void *ctx, struct tree_entry *entry, struct err *err);

/*
 * Calls `each` for everything below `root`, the root itself left out: names in order of their bytes, a folder right before
 * what is in it. Stops when it returns false. ERR_INVALID for paths over LIMIT_PATH_BYTES and trees deeper than
 * LIMIT_TREE_DEPTH or over LIMIT_UNPACK_ENTRIES.
 */
MUST_CHECK bool tree_walk(const char *root, tree_fn *each, void *ctx, struct err *err);

/* ERR_INVALID names an entry that is neither file, folder nor link; ERR_ABSENT when there is no such folder. */
MUST_CHECK bool tree_hash(const char *root, struct digest *out, struct err *err);

/* Copies everything below `from` into the existing folder `to`, modes as git keeps them (0755, 0644). */
MUST_CHECK bool tree_copy(const char *from, const char *to, struct err *err);

/* Gives the root and everything below it to a user. Not allowed to (no root): true, and nothing happens. */
MUST_CHECK bool tree_chown(const char *root, uid_t uid, gid_t gid, struct err *err);

#endif
