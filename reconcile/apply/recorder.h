/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder.h — collects what changed in state and commits it in few commits, by compare-and-swap. When the branch moved,
 * changes are put on top of the new tip, object by object: a file that nobody else touched takes ours; a file that somebody
 * else changed is theirs, unless it still carries our claim. Never forced.
 */
#ifndef RECONCILE_APPLY_RECORDER_H
#define RECONCILE_APPLY_RECORDER_H

#include "model/kind/status.h"
#include "reconcile/apply/state_read.h"

struct recorder_spec {
	struct store *store;
	struct store *logs;      /* NULL: logs are not kept in git */
	const struct state_files *base; /* what was read */
	const char *author_name, *author_email;
	const char *run_id, *source_commit; /* trailers; source NULL when not from git */
	int64_t retries;
	int64_t now_s;           /* of commits; 0: the clock */
};

struct recorder;
struct recorder *recorder_new(const struct recorder_spec *spec);
void recorder_free(struct recorder **recorder);

/* Status of an object and a line for the commit's body ("Image/shop/cart: build #12 succeeded"). Bytes are copied. */
void recorder_put(struct recorder *recorder, const char *id, const char *path, const struct node *document,
		  const char *line);
/* A file that belongs to the object `id` and stands and falls with its status (a build record). */
void recorder_put_with(struct recorder *recorder, const char *id, const char *path,
		       const struct node *document);
void recorder_delete(struct recorder *recorder, const char *id, const char *path, const char *line);
void recorder_put_log(struct recorder *recorder, const char *path, const char *bytes, size_t n);
void recorder_delete_log(struct recorder *recorder, const char *path);
/* A derived file (the dashboard): made anew for each try from the state that will be committed. */
typedef void recorder_derive_fn(void *ctx, const struct state_files *files, struct buf *out);
void recorder_derive(struct recorder *recorder, const char *path, recorder_derive_fn *fn, void *ctx);

size_t recorder_n_pending(const struct recorder *recorder);
/*
 * Commits what is pending; nothing pending, or nothing that changes a byte, makes no commit. With `is_strict` any object
 * changed by others is ERR_CONFLICT at once (claims: plan again). Without, ids whose changes were dropped for theirs are
 * appended to *lost. ERR_CONFLICT after the retries.
 */
MUST_CHECK bool recorder_flush(struct recorder *recorder, const char *subject, bool is_strict,
			       struct strings *lost, struct arena *arena, struct err *err);
size_t recorder_n_commits(const struct recorder *recorder);

#endif
