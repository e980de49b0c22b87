/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply.h — walks the plan: claims what it is about to build, runs workers (at most `jobs` at once) in one poll loop,
 * records results as they arrive. A worker that dies is a failed build, never a failed run.
 * SIGINT and SIGTERM: nothing new is started, running builds get a grace period, everything finished is recorded.
 */
#ifndef RECONCILE_APPLY_APPLY_H
#define RECONCILE_APPLY_APPLY_H

#include "reconcile/apply/recorder.h"
#include "reconcile/apply/request.h"
#include "reconcile/plan/plan.h"

/* What a person is told while it goes on; all may be NULL. */
struct apply_events {
	void (*on_start)(void *ctx, const struct step *step);
	void (*on_phase)(void *ctx, const struct step *step, const char *phase);
	void (*on_notice)(void *ctx, const struct step *step, const char *text);
	void (*on_end)(void *ctx, const struct step *step, const struct outcome *outcome);
	/* Lines of its log, redacted. */
	void (*on_log)(void *ctx, const struct step *step, const char *text, size_t n);
	void (*on_wait)(void *ctx, const struct step *step, const char *phase, int64_t seconds);
	void *ctx;
};

struct apply_spec {
	struct plan *plan;
	const struct plan_options *options;
	struct recorder *recorder;
	struct store *store; /* for records of interrupted builds */
	const struct request_spec *request;
	const char *const *worker_argv;
	const char *log_dir;    /* of running builds */
	const char *log_folder; /* finished logs go here; NULL: to the logs branch */
	bool without_logs;
	size_t jobs;
	int64_t lease_s, grace_s;
	bool (*is_stopping)(void); /* a signal came; the loop's poll is interrupted by it */
	int wake_fd;               /* readable when a signal came */
	struct apply_events events;
};

struct apply_result {
	size_t n_done, n_failed; /* actions */
	struct strings lost;     /* ids whose results or claims were left to another run */
	bool has_begun;          /* something was started */
	bool is_interrupted;
};

/*
 * ERR_CONFLICT before anything was started: the state moved, read and plan again. Other errors: state could not be written.
 */
MUST_CHECK bool apply(const struct apply_spec *spec, struct arena *arena, struct apply_result *out,
		      struct err *err);

#endif
