/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_policy.h — which of a build config's waiting builds start now, which are cancelled, and which records go. Pure decisions
 * over what is recorded of its builds. Spec: openshift.md §3.5.
 */
#ifndef RECONCILE_PLAN_RUN_POLICY_H
#define RECONCILE_PLAN_RUN_POLICY_H

#include "model/kind/build_config_status.h"

struct run_decision {
	struct numbers start, cancel; /* build numbers, ascending */
};

/*
 *   builds  struct bc_history_entry of one build config, by number; the policy is the build's own, Serial by default
 * SerialLatestOnly cancels every older build that is New or Pending. Serial and SerialLatestOnly: the oldest New build starts
 * when none is Pending or Running. Parallel: starts unless a build of the other policies is Pending or Running.
 * The builds are looked at by number, and one that starts counts as Pending for those behind it.
 */
struct run_decision run_policy_decide(const struct list *builds, struct arena *arena);

/*
 * Numbers of the records that the history limits leave no room for, ascending: Complete builds and those that ended otherwise
 * are counted apart, the newest by creation are kept. Active builds are never among them, and no limit keeps all.
 */
struct numbers bc_history_prune(const struct list *builds, const struct build_config_spec *spec,
				struct arena *arena);

#endif
