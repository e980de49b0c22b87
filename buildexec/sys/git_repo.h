/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_repo.h — a repository on this machine: opening (libgit2 finds it and checks its owner), refs,
 * compare-and-swap. libgit2 1.5's own local push has no compare-and-swap and its create races; refs
 * are therefore written here by git's own lock file rules, so that git and we exclude each other. A
 * lock file left by a killed process of ours is recognised and removed. One handle per thread.
 */
#ifndef BUILDEXEC_SYS_GIT_REPO_H
#define BUILDEXEC_SYS_GIT_REPO_H

#include <stdint.h>

#include "buildexec/sys/git_id.h"
#include "buildexec/sys/git_objects.h"
#include "model/base/vec.h"

struct git_repo;

/* A bare repository, a work tree (or a folder inside one when `is_search`), or a linked work tree.
 * ERR_ABSENT when there is none; ERR_DENIED when it belongs to another user (the text says what to
 * do). */
MUST_CHECK bool git_repo_open(const char *path, bool is_search, struct git_repo **out,
			      struct err *err);
/* Makes a bare repository when there is none yet; several processes may do so at once. */
MUST_CHECK bool git_repo_init(const char *path, struct git_repo **out, struct err *err);
void git_repo_close(struct git_repo **repo);
/* Trust repositories of other users (safe.directory=*): a decision of the person at the command
 * line only. */
void git_repo_trust_all(bool is_trusting);

const char *git_repo_path(
	const struct git_repo *repo); /* the folder with refs and objects, no '/' at the end */
const char *git_repo_objects_path(const struct git_repo *repo); /* "<path>/objects" */
const char *git_repo_workdir(const struct git_repo *repo);      /* NULL when bare */
struct git_objects *git_repo_objects(struct git_repo *repo);    /* lent */
/* A value of the repository's configuration ("remote.origin.url"), user's and system's files
 * included; *out NULL when not set. */
MUST_CHECK bool git_repo_config(struct git_repo *repo, const char *key, struct arena *arena,
				const char **out, struct err *err);

/* A checkout that leaves files out ("git sparse-checkout"): what is missing may be there. */
MUST_CHECK bool git_repo_is_sparse(struct git_repo *repo, bool *out, struct err *err);

struct git_ref {
	const char *name;     /* "refs/heads/main", "HEAD" */
	struct git_id id;     /* what the ref holds: of an annotated tag the tag object */
	struct git_id peeled; /* of an annotated tag the commit, else none */
	const char *target;   /* of a symbolic ref what it points at, else NULL */
};
struct git_refs {
	struct git_ref *v;
	size_t n, cap;
};

/* One ref, symbolic ones followed; absent is none in *out. */
MUST_CHECK bool git_repo_read_ref(struct git_repo *repo, const char *name, struct git_id *out,
				  struct err *err);
/* HEAD and all refs whose name starts with one of the prefixes (none given: all), sorted. */
MUST_CHECK bool git_repo_list_refs(struct git_repo *repo, const struct strings *prefixes,
				   struct arena *arena, struct git_refs *out, struct err *err);
/*
 * Sets a ref to `new_id` if it still is `old_id` (none: must not exist), else ERR_CONFLICT; so is a
 * lock that another program keeps for ten seconds. Synced. The caller holds git_repo_lock.
 */
MUST_CHECK bool git_repo_swap_ref(struct git_repo *repo, const char *name,
				  const struct git_id *old_id, const struct git_id *new_id,
				  struct err *err);
/*
 * Removes the temporary files of writers that were killed, and waits for nobody. A lock that such a writer left goes with the
 * next write of its ref, which alone knows whose it is.
 */
void git_repo_sweep(struct git_repo *repo);
/* Excludes other processes of ours that write here; released with fd_close(), or by the kernel when
 * we die. */
MUST_CHECK bool git_repo_lock(struct git_repo *repo, int64_t timeout_ms, int *fd, struct err *err);

#endif
