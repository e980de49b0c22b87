/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h — one worker at work: a child that was given a request, whose events are read and whose output goes to a log.
 * The worker is foreign: its lines are limited, its words are made harmless, and whatever it says, without a RESULT event
 * and an exit status of 0 there is no success.
 */
#ifndef RECONCILE_APPLY_JOB_H
#define RECONCILE_APPLY_JOB_H

#include "buildexec/sys/proc.h"
#include "reconcile/apply/log_file.h"
#include "reconcile/plan/plan.h"

struct job_spec {
	const struct build_request *request;
	const char *const *argv; /* of the worker */
	const char *log_dir, *log_name;
};

struct job;
typedef void job_phase_fn(void *ctx, struct job *job, const char *name);

struct job {
	struct step *step;
	struct arena *arena; /* the run's: the new status points at what the worker said */
	struct proc proc;
	int out_fd, err_fd; /* ours, to poll; -1 at the end */
	struct buf line;
	struct log_file log;
	struct build_event *last; /* RESULT or FAILURE */
	VEC(struct step_state) phases;
	int64_t phase_ms; /* when the present phase began */
	int64_t started_s;
	int64_t ended_ms;           /* when it was seen to have ended; 0: not yet */
	int64_t stopped_ms;         /* since when it is stopped; 0: it is not */
	int64_t force_ms;           /* when it is killed, because it does not go; 0: never */
	int64_t timeout_s, late_ms; /* of the request; when it must have ended: 0: never */
	bool is_late;
	size_t n_events;
	bool is_cancelled;
	const char *bad; /* the worker broke the protocol: why */
	job_phase_fn *on_phase;
	job_phase_fn *on_notice; /* with the text */
	void *ctx;
};

/* Starts the worker; the request is on its standard input. The job is at rest when false. */
MUST_CHECK bool job_start(const struct job_spec *spec, struct job *job, struct err *err);
/* Takes what can be read from one of its descriptors without waiting. */
void job_read(struct job *job, int fd);
/*
 * Looks after a worker that does not behave: one that breaks the protocol or takes longer than the request's timeout and a
 * moment to say so itself (only its container knows the time) is asked to stop, then killed; one that closed its output and
 * lives on is killed, and so is one that was stopped from outside a minute ago. Returns in how many milliseconds to look
 * again; -1: when something can be read.
 */
int64_t job_watch(struct job *job, int64_t now_ms);
/* The worker has ended, and all it said was read; what it left behind with its descriptors is not waited for long. */
bool job_has_ended(const struct job *job, int64_t now_ms);
/* Reaps the worker and says what came of it. `kept` receives the log. */
void job_finish(struct job *job, int64_t now_s, struct buf *kept, struct outcome *out);
/* Asks it to stop; with `is_hard`, kills it with all it started. */
void job_cancel(struct job *job, bool is_hard);
/* Asks it to stop, and kills it when it has not ended so much later. */
void job_cancel_within(struct job *job, int64_t rest_ms);
void job_release(struct job *job);

#endif
