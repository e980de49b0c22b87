/* SPDX-License-Identifier: Apache-2.0 */
/* prune.h — shared by `prune builds` and `prune images`: their flags, their dry run, and their one commit. */
#ifndef RECONCILE_PRUNE_H
#define RECONCILE_PRUNE_H

#include "reconcile/apply/recorder.h"
#include "reconcile/context.h"

enum { PRUNE_YOUNGER_S = 60 * 60 };

/* A number from 0 of an option, `standard` where it was not given. ERR_INVALID. */
MUST_CHECK bool prune_number(const char *option, const char *text, int64_t standard, int64_t *out,
			     struct err *err);
/* --keep-younger-than in seconds. */
MUST_CHECK bool prune_younger(const struct options *options, int64_t *out, struct err *err);
/* Without --confirm: says that nothing is changed. */
void prune_say_dry(const struct context *context, const char *what);

typedef void prune_fill_fn(void *ctx, struct recorder *recorder);
/* One commit on the state branch of what `fill` puts into the recorder. An exit code. */
int prune_flush(struct context *context, prune_fill_fn *fill, void *ctx, const char *subject);

#endif
