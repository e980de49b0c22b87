/* SPDX-License-Identifier: Apache-2.0 */
/* build_start.h — a build of a build config that is asked for by hand, and what comes along with the request. */
#ifndef RECONCILE_PLAN_BUILD_START_H
#define RECONCILE_PLAN_BUILD_START_H

#include "model/kind/build_request.h"

/* A build that somebody asked for: start-build (openshift.md §3.1 BuildRequest). */
struct build_start {
	const char *id;              /* of the build config */
	struct list env, build_args; /* struct env_var: over those of the strategy */
	const char *commit;          /* NULL: as the spec says */
	bool is_incremental, has_incremental, is_uncached, has_uncached;
	/* Cloned: its recorded spec instead of the build config's; NULL: the latter */
	const struct bc_build *clone;
	const struct request_binary *binary; /* NULL: none was sent */
};

#endif
