/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fallback.h — a file for results that the state branch did not take: `reconcile state push FILE` puts them on the branch, as the
 * run itself would have, object by object. JSON: apiVersion, kind, branch, sha256 of `state` as compact JSON, state.
 */
#ifndef RECONCILE_FALLBACK_H
#define RECONCILE_FALLBACK_H

#include "reconcile/apply/recorder.h"
#include "reconcile/context.h"

/*
 * What the recorder still holds, if it is more than claims: to --state-fallback, else to reconcile-RUN.state in the present
 * folder, else in the cache folder. Says where, or why not.
 */
void fallback_write(struct context *context, const struct recorder *recorder, const char *run_id);
/* `state` of such a file, for this branch. ERR_INVALID: it is none, is damaged, or is of another branch. */
MUST_CHECK bool fallback_read(struct context *context, const char *path, const struct node **out,
			      struct err *err);

#endif
