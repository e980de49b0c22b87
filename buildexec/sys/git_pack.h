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
/* The same when the caller has the name from git_id_hash() already. */
MUST_CHECK bool git_pack_add_named(struct git_pack *pack, enum git_type type, const void *bytes,
				   size_t n, const unsigned char *raw, struct err *err);
/* Many files, deflated by all cores; the pack's bytes do not depend on how many there are. */
struct git_blob {
	const void *bytes;
	size_t n;
	const unsigned char *raw; /* from git_id_hash() */
};
MUST_CHECK bool git_pack_add_blobs(struct git_pack *pack, const struct git_blob *blobs, size_t n,
				   struct err *err);
/* The same for an entry as it stands in another pack, whole (no delta). For git_fold.c. */
MUST_CHECK bool git_pack_add_entry(struct git_pack *pack, const unsigned char *raw,
				   const void *entry, size_t n, struct err *err);
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
	const char *message;   /* ends in a newline, one is added if not */
	const char *signature; /* of git_commit_text, armoured; NULL: none */
};
/* The commit without its signature: what is signed. ERR_INVALID when it is too long. */
MUST_CHECK bool git_commit_text(const struct git_commit_spec *spec, struct buf *out,
				struct err *err);
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

/*
 * The packs that git_pack_store wrote are listed in GIT_PACK_LIST below the objects folder, one hex
 * name per line; what is not listed, or gone, is not ours to touch.
 */
#define GIT_PACK_LIST "info/reconcile-packs"
MUST_CHECK bool git_pack_list_add(const char *objects_path, const char *hex, struct err *err);
/*
 * Folds listed packs into one when there are more than GIT_PACKS_MAX of them: those that are not
 * much larger than all smaller ones together, so that the work stays in proportion. Objects are
 * copied, none is left out, and the old packs go after the new one is in place. The caller holds
 * git_repo_lock.
 */
enum { GIT_PACKS_MAX = 50 };
MUST_CHECK bool git_pack_fold(const char *objects_path, struct err *err);

#endif
