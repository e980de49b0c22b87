/* SPDX-License-Identifier: Apache-2.0 */
/*
 * updates.h — the end of a run: edits of manifests are shown, written in place, or committed, as `updates` of the settings
 * and --write say.
 */
#ifndef RECONCILE_UPDATES_H
#define RECONCILE_UPDATES_H

#include "reconcile/apply/edits.h"
#include "reconcile/context.h"

/* Id of a step → its diff, for reports. Of the first steps only, when there are very many. */
struct map updates_diffs(const struct plan *plan, struct arena *arena);

struct updates_spec {
	const struct plan *plan;
	const char *run_id;
	const char *author_name, *author_email; /* of state commits */
};
/* False when something could not be written: said, the run exits 4. */
bool updates_write(struct context *context, const struct updates_spec *spec);

#endif
