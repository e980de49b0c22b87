/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder.h — collects what changed in state and commits it in few commits, by compare-and-swap. When the branch moved,
 * changes are put on top of the new tip, object by object: an object that nobody else touched takes ours; one that somebody
 * else changed is theirs, unless it still carries our claim; of a build config in which each run has a build, each keeps its own.
 * What others did since the plan was made counts as such, whenever it was read. Never forced. Logs go to their own branch, before the state
 * that points at them; a log that cannot be kept is a warning, results are worth more.
 */
#ifndef RECONCILE_APPLY_RECORDER_H
#define RECONCILE_APPLY_RECORDER_H

#include "reconcile/apply/state_read.h"

/* The dashboard, made anew for every try from the state as it will be. */
typedef void recorder_readme_fn(void *ctx, const struct state *state, struct buf *out);

struct recorder_spec {
	struct arena *arena; /* what goes into `base` lives in it: it must outlive `base` */
	struct store *store;
	struct store *logs; /* NULL: logs are not kept in git */
	/* what was read; owned by the caller, replaced in place when the branch moved */
	struct state_files *base;
	const char *author_name, *author_email;
	/* trailers; source NULL when the manifests are not in git */
	const char *run_id, *source_commit;
	int64_t retries;   /* in a row, without a commit of ours */
	unsigned n_failed; /* of them before */
	int64_t now_s;     /* of commits; 0: the clock */
	recorder_readme_fn *readme;
	void *readme_ctx;
};

struct recorder;
struct image_record;
struct recorder *recorder_new(const struct recorder_spec *spec);
void recorder_free(struct recorder **recorder);

/* `status` is by the object's kind and lent until the recorder is freed. `line` goes to the commit's body: "Image/shop/cart: build #12 succeeded". */
void recorder_put(struct recorder *recorder, const struct object *object,
		  const struct origin *origin, const void *status, const char *line);
/* A file that stands and falls with the object's status (a build record); document NULL: delete it. */
void recorder_put_file(struct recorder *recorder, const char *id, const char *path,
		       const struct node *document);
/*
 * An image's record: written when the branch has none at that path yet, whoever else wants it there; it stands and falls with
 * the object's status. One that is too large for a state file is not kept, which is said.
 */
void recorder_put_record(struct recorder *recorder, const char *id,
			 const struct image_record *record);
/* The object's status file and what lies below it. */
void recorder_delete(struct recorder *recorder, const struct state_entry *entry, const char *line);
/* bytes NULL: delete it. */
void recorder_put_log(struct recorder *recorder, const char *path, const char *bytes, size_t n);

bool recorder_has_pending(const struct recorder *recorder);
/*
 * Commits what is pending; a change of no byte makes no commit. With `is_strict`, an object changed by others is ERR_CONFLICT
 * (claims: read and plan again); nothing is pending any more then. Without, the ids whose changes were dropped for theirs are
 * appended to *lost. So are those of which a file would be larger than LIMIT_STATE_BLOB, or have more keys and values than
 * LIMIT_DOC_NODES, which nobody would read back: recorder_has_all tells. ERR_CONFLICT also after the retries, between which it
 * waits (full jitter, 100 ms to 10 s). After other errors everything is still pending: flush again later.
 */
MUST_CHECK bool recorder_flush(struct recorder *recorder, const char *subject, bool is_strict,
			       struct strings *lost, struct err *err);
/* Was the object left out, since one of its files is too large? */
bool recorder_has_refused(const struct recorder *recorder, const char *id);
/* ERR_INVALID: one was. */
MUST_CHECK bool recorder_has_all(const struct recorder *recorder, struct err *err);
/*
 * Has the branch moved? Then it is read, and what is pending is put on top, as a flush would. On failure everything is still
 * pending.
 */
MUST_CHECK bool recorder_look(struct recorder *recorder, struct strings *lost, struct err *err);
/*
 * What is pending as a document, without claims of builds that have not ended; logs along with it. NULL: nothing. And back, into
 * a recorder of the same run that nothing was put into: the next flush puts it on what is there by then, as above.
 * ERR_INVALID when no run wrote it.
 */
struct node *recorder_save(const struct recorder *recorder, struct arena *arena);
MUST_CHECK bool recorder_load(struct recorder *recorder, const struct node *saved, struct err *err);
/* Forgets what is pending and whose build records are on the branch word for word: it landed before. *n: of how many objects. */
MUST_CHECK bool recorder_drop_landed(struct recorder *recorder, size_t *n, struct err *err);
/* Called whenever another's commit was read, before anything of ours goes over it; must not put anything. */
typedef void recorder_moved_fn(void *ctx);
void recorder_watch(struct recorder *recorder, recorder_moved_fn *on_moved, void *ctx);
/* Whether a flush also retries what a server refused for reasons of its own, or could not be asked. Not at first. */
void recorder_set_patient(struct recorder *recorder, bool is_patient);
/* Tries in a row that did not land. */
unsigned recorder_n_failed(const struct recorder *recorder);
size_t recorder_n_commits(const struct recorder *recorder);

#endif
