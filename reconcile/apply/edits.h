/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edits.h — what a plan changes in manifests: read the files, give the scalars their new values, and write: in place, or
 * as one commit to a branch, by compare-and-swap and never forced. Only the scalars change. Edits follow from recorded
 * state, so they come behind it: a run that is killed in between leaves them to the next one, and making them again
 * changes nothing.
 */
#ifndef RECONCILE_APPLY_EDITS_H
#define RECONCILE_APPLY_EDITS_H

#include "reconcile/plan/plan.h"
#include "reconcile/store/sign.h"

/* A file with all its edits. */
struct file_edit {
	const char *path;
	const char *before, *after;
	size_t n_before, n_after;
	struct list edits; /* struct image_edit */
};
struct edit_set {
	VEC(struct file_edit) files; /* in order of path */
	size_t n_edits;
	struct strings problems; /* of files that cannot be edited; the others can */
};

/* All edits of a plan's steps that are not blocked; of one step when it is given. Reads the files again. */
void edits_collect(const struct plan *plan, const struct step *step, struct arena *arena,
		   struct edit_set *out);
/* Unified diffs with `context` lines around. */
void edits_diff(const struct edit_set *set, size_t context, struct buf *out);

/* In place: each file beside its place and renamed; links are followed. Problems join set->problems. */
void edits_write(struct edit_set *set, struct arena *arena);

struct edits_commit {
	struct store *store; /* the branch, opened */
	const char *branch;
	const char *workdir; /* absolute: paths in the repository are below it */
	const char
		*message; /* template; NULL: ours. {{summary}}, {{changes}}, {{run}}, {{source}} */
	const char *author_name, *author_email;
	const char *run_id, *source_commit; /* the latter may be NULL */
	const struct signer *signer;        /* NULL: not signed */
	int64_t now_s;                      /* 0: the clock */
	int64_t retries;
};
/*
 * One commit with everything. A file that is on the branch as it was loaded, or differs from that in the edited values
 * alone, is edited there; one that has its new values already is left; any other is ERR_CONFLICT that names it, and
 * nothing is committed. When the branch moves it is read and tried again. *made: there was something to commit.
 */
MUST_CHECK bool edits_commit(const struct edit_set *set, const struct edits_commit *spec,
			     struct arena *arena, bool *made, struct err *err);

#endif
