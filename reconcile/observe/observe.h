/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe.h — answers the plan's queries, all at the same time, read-only. A failed answer is a fact, not an abort.
 * Network questions wait most of their time, so there are more threads than cores; each has its own connections.
 */
#ifndef RECONCILE_OBSERVE_OBSERVE_H
#define RECONCILE_OBSERVE_OBSERVE_H

#include "reconcile/plan/facts.h"

struct observe_spec {
	const struct model *model;
	const char *cache_dir;      /* for trees of sub paths; absolute */
	const char *base_dir;       /* what relative paths of the settings are below */
	bool with_user_credentials; /* Docker's and containers' files of the user */
	size_t threads;             /* 0: 16; at most 64 */
	int64_t timeout_ms;         /* of one request of an import with its retries; 0: 60 s */
	bool (*is_stopping)(
		void); /* true: what was not asked yet is not asked any more; NULL: never */
};

/* The facts and what they point at; lent until observed_release. */
struct observed {
	struct facts facts;
	struct arena **arenas;
	size_t n_arenas;
};

void observe(const struct queries *queries, const struct observe_spec *spec, struct arena *arena,
	     struct observed *out);
void observed_release(struct observed *observed);

#endif
