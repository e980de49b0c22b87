/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_prune.h — which recorded builds of an image `prune builds` removes. Pure.
 * Rules: openshift.md §5.7. Successful and failed builds are counted apart, newest first; builds younger than the threshold
 * are neither removed nor counted; a build that runs is never removed.
 */
#ifndef RECONCILE_PLAN_BUILD_PRUNE_H
#define RECONCILE_PLAN_BUILD_PRUNE_H

#include "reconcile/plan/plan.h"

struct build_keep {
	int64_t complete, failed; /* of each image */
	int64_t younger_s;        /* seconds */
	int64_t now_s;
};
/*
 * Takes the entries out of status->history; their numbers, oldest first, go to *out. An orphan, whose manifest is gone, keeps
 * none but the young.
 */
void build_prune(struct image_status *status, const struct build_keep *keep, bool is_orphan,
		 struct arena *arena, struct numbers *out);

#endif
