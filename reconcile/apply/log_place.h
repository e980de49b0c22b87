/* SPDX-License-Identifier: Apache-2.0 */
/* log_place.h — where the logs of finished builds are kept: on the logs branch, in a folder, or nowhere. */
#ifndef RECONCILE_APPLY_LOG_PLACE_H
#define RECONCILE_APPLY_LOG_PLACE_H

#include "reconcile/apply/recorder.h"

struct log_place {
	struct recorder *recorder; /* of the logs branch */
	const char *folder;        /* they go here; NULL: to the logs branch */
	bool is_none;
};
/* Under a path of plan_log_path. False: it is not kept; why was said, with `id`. */
bool log_keep(const struct log_place *place, const char *path, const char *id,
	      const struct buf *log, struct arena *arena);
/* `path` may be a folder of logs. */
void log_drop(const struct log_place *place, const char *path, struct arena *arena);

#endif
