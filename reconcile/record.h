/* SPDX-License-Identifier: Apache-2.0 */
/* record.h — what every command that commits to the state branch tells the recorder: author, run, retries, dashboard. */
#ifndef RECONCILE_RECORD_H
#define RECONCILE_RECORD_H

#include "reconcile/apply/recorder.h"
#include "reconcile/context.h"

/* The state must be read; logs are opened where they are kept in git. */
MUST_CHECK bool record_spec_make(struct context *context, const char *run_id,
				 struct recorder_spec *out, struct err *err);
/* "NAME <EMAIL>" of --author, else of the settings, else a fixed one of ours. */
void record_author(const struct context *context, struct recorder_spec *out);

#endif
