/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_walk.h — folders as a whole: walking them, giving them to another user. Links are never followed.
 */
#ifndef BUILDEXEC_SOURCE_TREE_WALK_H
#define BUILDEXEC_SOURCE_TREE_WALK_H

#include <sys/stat.h>
#include <sys/types.h>

#include "model/base/err.h"
#include "model/base/vec.h"

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
 * what is in it. Stops when it returns false. ERR_INVALID for paths over LIMIT_PATH_BYTES and trees that are too deep or
 * over LIMIT_UNPACK_ENTRIES.
 */
MUST_CHECK bool tree_walk(const char *root, tree_fn *each, void *ctx, struct err *err);

/* Gives the root and everything below it to a user. Not allowed to (no root): true, and nothing happens. */
MUST_CHECK bool tree_chown(const char *root, uid_t uid, gid_t gid, struct err *err);

/* Gives the root and everything below it, links too, one time of change. */
MUST_CHECK bool tree_set_times(const char *root, int64_t mtime_s, struct err *err);

/* Counts a file's bytes; ERR_INVALID past LIMIT_SOURCE_BYTES, before any of the file is read: it may be one long hole. */
MUST_CHECK bool tree_takes(const struct tree_entry *entry, uint64_t *n_bytes, struct err *err);
/* What belongs to git, not to the content: entries named ".git". */
bool tree_is_git(const char *name);
/* The error for sockets, pipes and devices. */
bool tree_bad_kind(const char *path, struct err *err);

#endif
