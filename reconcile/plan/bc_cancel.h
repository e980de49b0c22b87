/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bc_cancel.h — what becomes of a build of a build config that is to be cancelled. Nobody runs one that has no live claim: it
 * ends at once. One that somebody runs is marked, and whoever runs it ends it. Pure. Spec: openshift.md §3.6 "Cancel".
 */
#ifndef RECONCILE_PLAN_BC_CANCEL_H
#define RECONCILE_PLAN_BC_CANCEL_H

#include "model/kind/build_config_status.h"
#include "model/kind/build_phase.h"

enum cancel_step {
	CANCEL_OVER, /* it has ended: nothing to do */
	CANCEL_END,  /* to be ended here and now */
	CANCEL_MARK, /* to be marked */
	CANCEL_WAIT, /* is marked: whoever runs it has to see it */
	CANCEL_STEPS
};
enum cancel_step cancel_decide(enum build_phase phase, bool is_claimed, bool is_marked);

/*
 * Until when the build is claimed, Unix seconds; 0: it is not. The status of its build config has the newer word of the newest
 * build, since leases are renewed there.
 */
int64_t build_lease_s(const struct build_config_status *status, const struct bc_build *build);

/*
 * Phase Cancelled, reason CancelledBuild, in the record and in the status of its build config: history, the last attempt
 * (whose failure is the build's own, so that it is not tried again until something differs), and Ready when it was the newest.
 *   status  borrowed, changed; its lists are made anew
 */
void build_cancel(struct bc_build *build, struct build_config_status *status, int64_t now_s,
		  struct arena *arena);

#endif
