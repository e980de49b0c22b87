/* SPDX-License-Identifier: Apache-2.0 */
/* build_config_merge.h — the status of a build config that two runs changed at once, each for a build of its own. */
#ifndef RECONCILE_PLAN_BUILD_CONFIG_MERGE_H
#define RECONCILE_PLAN_BUILD_CONFIG_MERGE_H

#include "model/kind/build_config_status.h"

/*
 * `theirs`, as it is recorded, with what `ours` changed of `base` (NULL: there was none). NULL: no build in `theirs` is claimed
 * by `run_id`, so nothing of it is ours. Lives in the arena and in what is given.
 */
const struct build_config_status *config_merge(const struct build_config_status *base,
					       const struct build_config_status *ours,
					       const struct build_config_status *theirs,
					       const char *run_id, struct arena *arena);

#endif
