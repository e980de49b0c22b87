/* SPDX-License-Identifier: Apache-2.0 */
/* recorder_parts.h — what a recorder holds. For recorder.c and recorder_save.c alone. */
#ifndef RECONCILE_APPLY_RECORDER_PARTS_H
#define RECONCILE_APPLY_RECORDER_PARTS_H

#include "reconcile/apply/recorder.h"

struct file_change {
	const char *path, *bytes; /* bytes NULL: deleted */
	size_t n;
};

struct pending {
	const char *id, *path, *line;
	struct state_entry *entry;     /* as it will be; NULL: deleted */
	VEC(struct file_change) files; /* the status first */
	VEC(struct file_change) records;
	const char *base; /* the status file's bytes that ours is made from; NULL: there was none */
	const struct object *object; /* NULL: deleted */
	const struct origin *origin;
	/* Ours as it was put, and what it is made from, without what others did meanwhile */
	const void *own, *own_base;
	const char *too_large; /* path of a file that would not be read back; NULL: none */
};

/* What a run knows of an object: as it was read when the plan was made, or as it put it since. */
struct known {
	const char *bytes;
	const void *status;
};

struct recorder {
	struct recorder_spec spec;
	struct arena *arena;
	struct map by_id; /* id → struct pending */
	VEC(struct file_change) logs;
	VEC(struct file_change) unkept; /* logs that their branch did not take */
	unsigned n_failed;              /* tries in a row that did not land */
	bool is_patient;
	size_t n_commits;
	struct map refused; /* id → path of a file of it that would not be read back */
	bool is_behind;     /* the store went to another commit, and `base` is not that one */
	bool has_moved;     /* `base` was read again since the plan was made */
	struct map known;   /* then: id → struct known */
	recorder_moved_fn *on_moved;
	void *moved_ctx;
};

/* Does the status at the tip still carry our claim? */
bool recorder_has_claim(const struct recorder *recorder, const struct state_entry *entry);

#endif
