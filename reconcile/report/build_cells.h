/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_cells.h — what tables and descriptions say of a build in a word: where it is from, how it ended, how long it took or
 * waits. Pure. Rules: openshift.md §5.5 "get builds", "describe build".
 */
#ifndef RECONCILE_REPORT_BUILD_CELLS_H
#define RECONCILE_REPORT_BUILD_CELLS_H

#include "model/kind/build_config_status.h"
#include "model/kind/build_phase.h"

/*
 * "Git@abcdef1", "Dockerfile,Git@main", "Dockerfile", "Binary@4e5f6a7": the revision as built, else the ref that is followed;
 * what looks like a whole commit id is cut to 7 characters.
 */
char *build_from(const struct build_common *common, struct arena *arena);
/* The same of a build config: a Custom one is from its builder image. */
char *build_config_from(const struct build_common *common, struct arena *arena);
/* "Complete", "Failed (PushImageToRegistryFailed)", "New (InvalidOutputReference)"; reason may be NULL. */
char *build_status(const char *phase, const char *reason, struct arena *arena);

/* Unix seconds; 0: not known, or not yet. */
struct build_times {
	enum build_phase phase;
	int64_t created_s, started_s, finished_s;
};
/* Of a table: "1m2s" once it has ended, else nothing. */
char *build_took(const struct build_times *times, struct arena *arena);
/* Of a description: "1m2s", "waiting for 1m0s", "running for 1m0s", "waited for 2m0s" of one that never started. */
char *build_duration(const struct build_times *times, int64_t now_s, struct arena *arena);

#endif
