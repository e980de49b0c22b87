/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_pack.h — makes new objects and stores all of them as one pack with its index; the same bytes
 * go over the wire. Nothing is looked up and no delta is searched: hash, deflate, append. Objects
 * given twice are kept once. Spec: gitformat-pack(5): pack version 2, index version 2.
 */
#ifndef BUILDEXEC_SYS_GIT_PACK_H
#define BUILDEXEC_SYS_GIT_PACK_H

#include <stdint.h>

#include "buildexec/sys/git_id.h"
#include "buildexec/sys/git_objects.h"
#include "model/base/buf.h"

struct git_pack;

struct git_pack *git_pack_new(void);
void git_pack_free(struct git_pack **pack);
size_t git_pack_n(const struct git_pack *pack);
/* Adds an object, gives its name in raw (20 bytes). ERR_INVALID when the pack would pass
 * LIMIT_GIT_PACK_MEMORY. */
MUST_CHECK bool git_pack_add(struct git_pack *pack, enum git_type type, const void *bytes, size_t n,
			     unsigned char *raw, struct err *err);
/* The finished pack; lent until freed. No object may be added afterwards. */
const char *git_pack_bytes(struct git_pack *pack, size_t *n);
/* pack-<hex>.pack and .idx below "<objects>/pack", read-only, synced, the index last, so that a
 * kill leaves only garbage. */
MUST_CHECK bool git_pack_store(struct git_pack *pack, const char *objects_path, struct err *err);

/* A commit's bytes. Author and committer are the same person and time; `parent` may be none. */
struct git_commit_spec {
	struct git_id tree, parent;
	const char *name, *email; /* without '<', '>', newline: replaced by '-' */
	int64_t time_s;
	const char *message; /* ends in a newline, one is added if not */
};
MUST_CHECK bool git_pack_add_commit(struct git_pack *pack, const struct git_commit_spec *spec,
				    struct git_id *out, struct err *err);

/*
 * The tree that `base` (none: an empty one) becomes by the changes; only folders on their paths are
 * written anew, folders left empty go. Paths as path_is_inside() demands, in any order, each once.
 * A file replaces a folder of its name and the other way round. An unchanged result gives `base`
 * back and adds nothing.
 */
struct git_change {
	const char *path;
	const void *bytes; /* a file's new content; mode 0100644 */
	size_t n;
	bool is_deleted; /* the file or the folder with all below it; absent is fine */
};
struct git_changes {
	const struct git_change *v;
	size_t n;
};
MUST_CHECK bool git_pack_edit(struct git_pack *pack, struct git_objects *objects,
			      const struct git_id *base, const struct git_changes *changes,
			      struct git_id *out, struct err *err);

/* Folds the packs that git_pack_store wrote there and that are small beside the rest, when there
 * are more than 50. Keep a lock. */
MUST_CHECK bool git_pack_fold(const char *objects_path, struct err *err);

#endif
