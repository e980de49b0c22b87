/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_read.h — the state branch as typed statuses, and single build records and logs. What is read back is untrusted:
 * a file that does not read is an error that names it, never skipped silently.
 */
#ifndef RECONCILE_APPLY_STATE_READ_H
#define RECONCILE_APPLY_STATE_READ_H

#include "model/kind/status.h"
#include "reconcile/store/store.h"

struct image_record;

struct state_files {
	struct state state;
	struct store_files files;
	struct map bytes_by_path; /* path → the file's bytes */
	struct arena **arenas;
	size_t n_arenas;
};
/* All statuses at the store's commit; build records are left where they are. */
MUST_CHECK bool state_read(struct store *store, struct arena *arena, struct state_files *out,
			   struct err *err);
void state_files_release(struct state_files *files);
/* *files becomes `fresh`; what was read before stays valid until the release, since a plan that was made from it is in use. */
void state_files_replace(struct state_files *files, const struct state_files *fresh,
			 struct arena *arena);

/* Who builds the newest build of what has builds; run_id NULL: nobody. False: the kind has none, or nothing was built. */
struct claim {
	const char *run_id;
	int64_t *lease_s;       /* in the status */
	int64_t *entry_lease_s; /* the same in its history; NULL: it has none there */
};
bool status_claim(const struct state_entry *entry, struct claim *out);
/* One after another, from 0, of all builds; several of a build config may run at once. False: there are no more. */
bool status_claim_at(const struct state_entry *entry, size_t i, struct claim *out);

/* One status file by its path on the branch. ERR_INVALID: that is none, or it does not read. */
MUST_CHECK bool state_parse(const char *path, const char *text, struct arena *arena,
			    struct state_entry **out, struct err *err);
/* Whether the status of the object with that id lies at that path of the state. */
bool state_is_of(const char *path, const char *id, struct arena *arena);

/* What is known of one image. ERR_ABSENT: `image "sha256:…" not found`. */
MUST_CHECK bool state_read_image(struct store *store, const char *digest, struct arena *arena,
				 struct image_record *out, struct err *err);
/* ERR_ABSENT: `build "12" not found`. */
MUST_CHECK bool state_read_build(struct store *store, const char *ns, const char *image,
				 int64_t number, struct arena *arena, struct build_record *out,
				 struct err *err);

/* A build's record as it lies there; NULL: it does not. */
MUST_CHECK bool state_read_record(struct store *store, const char *path, struct arena *arena,
				  struct node **out, struct err *err);

#endif
