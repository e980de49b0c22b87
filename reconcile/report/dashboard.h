/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dashboard.h — README.md of the state branch: what a git host shows first. All objects while they are few; counts by
 * namespace and what is not ready when they are many, so that a commit of one change stays small.
 */
#ifndef RECONCILE_REPORT_DASHBOARD_H
#define RECONCILE_REPORT_DASHBOARD_H

#include "model/base/buf.h"
#include "model/kind/settings.h"
#include "model/kind/status.h"

/* `ctx`: struct settings, for what streams do by default; NULL: none. Deterministic: no times of day but those recorded. */
void dashboard_print(void *ctx, const struct state *state, struct buf *out);

#endif
