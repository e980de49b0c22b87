/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h — a branch of a git repository as a set of files: read at one commit, changed by
 * compare-and-swap. Knows paths and bytes, not what they mean. A commit lands only if the branch is
 * still where it was read, on a local path (under git's own ref lock) as on a server (its ref
 * update); otherwise ERR_CONFLICT and the caller does store_refresh, plans again and retries.
 * Nothing that changes nothing is committed. Killed anywhere, the branch is the old or the new
 * commit. A branch on a server is mirrored, tip only, in a bare repository below the cache folder,
 * which processes may share.
 */
#ifndef RECONCILE_STORE_STORE_H
#define RECONCILE_STORE_STORE_H

#include <stdint.h>

#include "buildexec/sys/git_wire.h"
#include "model/base/arena.h"

struct store;

struct store_place {
	const char *url;       /* as git_url.h: a path, file://, http(s)://, ssh://, git:// … */
	const char *branch;    /* short name, "reconcile/state" */
	const char *cache_dir; /* for mirrors of servers; may be absent on disk; not used for local
				  repositories */
	bool is_offline; /* a server is not asked: what its mirror held last is read, nothing is written */
	bool has_no_history; /* each commit has no parent and replaces the one before
				  (reconcile/logs) */
	/* credentials and limits; NULL: none and the usual ones */
	const struct git_wire_options *wire;
	/* A branch that is not there yet begins at this commit of the repository, 40 hex digits; NULL: empty */
	const char *base;
	const char *what; /* for messages; NULL: "state branch" */
};

/* Opens and reads the tip. A branch that does not exist yet is an empty store. ERR_ABSENT: no such
 * repository. */
MUST_CHECK bool store_open(const struct store_place *spec, struct store **out, struct err *err);
void store_close(struct store **store);
/* Removes what writers left in the repository, or in the mirror of it here, that were killed. For whoever may write. */
void store_sweep(struct store *store);
/* Goes to the branch's present tip; true also when it has not moved. */
MUST_CHECK bool store_refresh(struct store *store, struct err *err);
/* The commit that is read; hex "" while the branch is absent. */
const struct git_id *store_commit_id(const struct store *store);
/* The id of its root tree: equal ids mean equal content. */
const struct git_id *store_tree_id(const struct store *store);

struct store_file {
	const char *path;
	const char *bytes; /* NUL-terminated behind n */
	size_t n;
};
struct store_files {
	struct store_file *v; /* sorted as git sorts trees */
	size_t n, cap;
};
/* Whether to read a file, or to go into a folder at all ("shop/images/cart/builds"). */
typedef bool store_want_fn(void *ctx, const char *path, bool is_dir);
/* All files wanted (want NULL: all), in the arena. ERR_INVALID: one is longer than LIMIT_STATE_BLOB, a link or a submodule;
 * left out it would be taken for one that was never written. */
MUST_CHECK bool store_read_all(struct store *store, store_want_fn *want, void *ctx,
			       struct arena *arena, struct store_files *out, struct err *err);
/* One file; absent is bytes == NULL. */
MUST_CHECK bool store_read(struct store *store, const char *path, struct arena *arena,
			   struct store_file *out, struct err *err);

struct store_change {
	const char *path;  /* relative, '/' between parts */
	const char *bytes; /* NULL: delete the file or folder */
	size_t n;
};
/* Signs a commit's bytes: *signature (armoured) lives in the arena. */
typedef bool store_sign_fn(const void *ctx, const char *bytes, size_t n, struct arena *arena,
			   const char **signature, struct err *err);
struct store_commit {
	const struct store_change *changes; /* each path once, any order */
	size_t n_changes;
	const char *author_name, *author_email;
	int64_t time_s;
	const char *message;
	store_sign_fn *sign; /* NULL: not signed */
	const void *sign_ctx;
};
/*
 * Applies the changes to what was read and moves the branch. *made says whether there was anything
 * to change; the store then reads the new commit. ERR_CONFLICT: the branch moved, nothing was
 * changed; refresh, plan, again.
 */
MUST_CHECK bool store_commit(struct store *store, const struct store_commit *commit, bool *made,
			     struct err *err);

#endif
