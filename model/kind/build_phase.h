/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_phase.h — the phases of an OpenShift build as a state table, the reasons it ends for, and how much of a log is shown.
 * Pure. Spec: openshift.md §3.6.
 */
#ifndef MODEL_KIND_BUILD_PHASE_H
#define MODEL_KIND_BUILD_PHASE_H

#include "model/base/arena.h"

enum build_phase {
	PHASE_NONE, /* not recorded, or no phase */
	PHASE_NEW,
	PHASE_PENDING,
	PHASE_RUNNING,
	PHASE_COMPLETE,
	PHASE_FAILED,
	PHASE_ERROR,
	PHASE_CANCELLED,
	PHASES
};
/* "New", … by enum build_phase without PHASE_NONE; NULL-terminated, for tables. */
extern const char *const PHASE_NAMES[];

const char *phase_name(enum build_phase phase); /* "" for PHASE_NONE */
enum build_phase phase_find(const char *name);  /* PHASE_NONE: NULL or none of them */
bool phase_is_terminal(enum build_phase phase);
/* Forward only: any later phase from an active one, nothing from a terminal one; staying is allowed. */
bool phase_may_follow(enum build_phase from, enum build_phase to);

/* The message that goes with a status reason; NULL: not one that is known (some bring their own). */
const char *reason_message(const char *reason);

/*
 * The last few lines of a log, each at most 120 characters: 58, "...", and the last 59 of longer ones. Carriage returns and a
 * last line break do not count. "" for an empty log.
 */
char *log_snippet(const char *log, size_t len, struct arena *arena);

#endif
