/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checks.h — when scheduled tags of image streams were looked at last, remembered on this machine: a look that finds nothing
 * new leaves no trace in the state. A file below the cache folder, one per place of state; lost or damaged, tags are only
 * looked at earlier than they had to be.
 */
#ifndef RECONCILE_CHECKS_H
#define RECONCILE_CHECKS_H

#include "reconcile/plan/facts.h"

struct checks_place {
	const char *cache_dir, *state_url;
	int64_t now_s;
};
/* plan_options.checks: "ns/stream:tag" → const int64_t *. Times to come are not believed. */
struct map checks_read(const struct checks_place *place, struct arena *arena);
/* Notes the tags whose question was asked, answered or not, and forgets what is a month old. A failure is a debug line. */
void checks_write(const struct checks_place *place, const struct map *known,
		  const struct facts *facts);

#endif
