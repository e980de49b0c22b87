/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_history.h — which commit comes before which. Reads what is there: behind the end of a shallow history nothing is known.
 */
#ifndef BUILDEXEC_SYS_GIT_HISTORY_H
#define BUILDEXEC_SYS_GIT_HISTORY_H

#include "buildexec/sys/git_objects.h"

/* The committer's time of a commit; 0 where it is not there or says none. */
MUST_CHECK bool git_commit_time(struct git_objects *objects, const struct git_id *id, int64_t *out,
				struct err *err);
/*
 * Does `later` have `earlier` among its ancestors? False for a commit and itself. ERR_ABSENT: `later` is not there.
 * ERR_INVALID after GIT_HISTORY_MAX commits. Those made more than a day before `earlier` are not followed, so that asking
 * about neighbours costs little whatever is behind them.
 */
enum { GIT_HISTORY_MAX = 200000 };
MUST_CHECK bool git_is_ancestor(struct git_objects *objects, const struct git_id *earlier,
				const struct git_id *later, bool *out, struct err *err);

#endif
