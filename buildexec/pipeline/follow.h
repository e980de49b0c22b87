/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow.h — a run on the server, from the queue to its end: its log becomes part of ours, line by line; it is taken back
 * when the task is cancelled or out of time.
 */
#ifndef BUILDEXEC_PIPELINE_FOLLOW_H
#define BUILDEXEC_PIPELINE_FOLLOW_H

#include "buildexec/pipeline/server_job.h"

struct run_end {
	int64_t number;     /* 0: it never left the queue */
	const char *result; /* as the server says; NULL: it was taken back before it had one */
	bool is_stopped;    /* by us */
	bool is_left;       /* we asked for its end and it goes on */
};

/* False when the run cannot be followed any further; `out` says what is known. */
MUST_CHECK bool follow_run(struct jenkins *jenkins, const struct server_job *job,
			   const struct started *started, struct run_end *out, struct err *err);

#endif
