/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fallback.h — a file for results that the state branch did not take: `reconcile state push FILE` puts them on the branch, as the
 * run itself would have, object by object. JSON Lines, so that no number of objects is too many to be read back: first
 * {apiVersion, kind, branch, sha256 of all that follows}, then one value a line, {KEY: value}: "of" (run, sourceCommit), for each object
 * "object" (id, path, line, base), its "file"s and "record"s (path, text; without a text: deleted), and at the end "log"s.
 */
#ifndef RECONCILE_FALLBACK_H
#define RECONCILE_FALLBACK_H

#include "reconcile/apply/recorder.h"
#include "reconcile/context.h"

enum { FALLBACK_BYTES = 256 << 20 };

/*
 * What the recorder still holds, if it is more than claims: to --state-fallback, else to reconcile-RUN.state in the present
 * folder, else in the cache folder. Says where, or why not.
 */
void fallback_write(struct context *context, const struct recorder *recorder, const char *run_id);
/*
 * The text of such a file: what recorder_save made. Logs that would pass out->max are left out, which is said; out->is_over:
 * the rest does.
 */
void fallback_print(const struct context *context, const struct node *state, struct buf *out);
/* What such a file holds, as recorder_save made it, for this branch. ERR_INVALID: it is none, is damaged, or is of another branch. */
MUST_CHECK bool fallback_read(struct context *context, const char *path, const struct node **out,
			      struct err *err);

#endif
