/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_job.h — the job of a build config on the server: made, kept current, started, and runs of it found again.
 * It lies in a folder of the namespace's name ("shop/cart") where the server has folders, else it is called "shop-cart".
 */
#ifndef BUILDEXEC_PIPELINE_SERVER_JOB_H
#define BUILDEXEC_PIPELINE_SERVER_JOB_H

#include "buildexec/pipeline/jenkins.h"

struct server_job {
	const char *path;  /* "job/shop/job/cart" */
	const char *shown; /* "shop/cart" */
};

/* Where a build of ours is, on the server. */
struct started {
	int64_t queue_id; /* 0: not known */
	int64_t number;   /* 0: it waits */
	bool is_adopted;  /* started by a run that died */
};

/*
 * Made where it is missing, written anew where the build config changed since. ERR_INVALID when the place is taken by a job
 * of somebody else, which is left alone.
 */
MUST_CHECK bool server_job_ensure(struct jenkins *jenkins, struct server_job *out, struct err *err);
/*
 * The run of the request's build key: one that waits or runs is followed, one that succeeded is taken unless another of
 * our runs came after it; else a new one is queued. Never two of them, whatever is lost on the way.
 */
MUST_CHECK bool server_job_start(struct jenkins *jenkins, const struct server_job *job,
				 struct started *out, struct err *err);
/* Queue items are forgotten after minutes: the run that became of one; *number is 0 when there is none. */
MUST_CHECK bool server_job_find(struct jenkins *jenkins, const struct server_job *job,
				int64_t queue_id, int64_t *number, struct err *err);
/* Address of a run, for people. */
const char *server_job_url(const struct jenkins *jenkins, const struct server_job *job,
			   int64_t number);

#endif
