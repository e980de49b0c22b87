/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_id.h — the name of a run (a ULID), and who is still alive. A run holds a lock on a file below the cache folder while
 * it works; the kernel drops the lock when the process is gone. A claim whose run's file was made here, by this boot, and is not
 * locked belongs to a run that died: it need not wait for its lease. Any other claim waits for its lease.
 */
#ifndef RECONCILE_RUN_ID_H
#define RECONCILE_RUN_ID_H

#include "model/kind/status.h"

struct run_id {
	char text[27];
	int fd; /* -1: not claimed */
};

void run_id_make(struct run_id *id, int64_t now_s);
/* Takes the lock; removes files of runs that died long ago. */
MUST_CHECK bool run_id_claim(struct run_id *id, const char *cache_dir, struct err *err);
/* Ends the leases of dead runs of this machine in what was read. */
void run_id_judge(const struct run_id *id, const char *cache_dir, struct state *state,
		  struct arena *arena);
/* Whether a run of this machine, by its id, has died; false where nobody can know. */
bool run_id_is_dead(const char *run_id, const char *cache_dir, struct arena *arena);
/* Drops the lock. The file stays for a while: a claim that could not be taken back is then known to be dead. */
void run_id_release(struct run_id *id);

#endif
