/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.h — what the parts of the scheduler share: its tasks and what is at hand while it walks the plan. For apply.c, walk.c
 * and cancel.c alone.
 */
#ifndef RECONCILE_APPLY_WALK_H
#define RECONCILE_APPLY_WALK_H

#include <poll.h>

#include "reconcile/apply/apply.h"
#include "reconcile/apply/job.h"
#include "reconcile/apply/log_place.h"

enum task_state {
	TASK_WAITING, /* for steps before it                    */
	TASK_READY,   /* bound; a build is claimed when flushed */
	TASK_RUNNING,
	TASK_ENDED,
};

struct task {
	struct step *step;
	enum task_state state;
	bool is_claimed, is_cancelled; /* the latter by its record */
	bool is_lost;                  /* while it ran another run took it over */
	struct job *job;
	int64_t started_ms, told_ms;
	const char *phase;
};

struct walk {
	const struct apply_spec *spec;
	struct arena *arena;
	struct task *tasks; /* one per step that does something, dependencies first */
	size_t n_tasks, n_running;
	struct apply_result *out;
	int64_t gathered_ms;           /* when the oldest unrecorded result came; 0: none */
	int64_t claimed_s, claimed_ms; /* when leases began, by both clocks */
	int64_t stopped_ms, looked_ms;
	size_t n_signals;
	struct log_place logs;
	struct pollfd *polls;
	struct task **polled;
};

/* A worker performs it. */
bool walk_is_action(const struct step *step);
/* It has a number, a record and a log. */
bool walk_is_build(const struct step *step);
int64_t walk_now_s(const struct walk *walk);

/* ---- what is recorded; it lands with the next flush ---- */

/* What the plan alone changes: resolved references, blocked objects. Nothing for what is yet to be performed. */
void walk_put_plain(struct walk *walk, const struct step *step);
/* The records of builds that ended without a result of their own say so from now on; one that is gone needs not. */
MUST_CHECK bool walk_put_marks(struct walk *walk, const struct step *step, struct err *err);
void walk_put_claim(struct walk *walk, struct task *task);
/* The step's result. */
void walk_end(struct walk *walk, struct task *task, const struct outcome *outcome);
/* A step that ends without a worker: what it waited for gave nothing, or nothing could be started. */
void walk_end_unstarted(struct walk *walk, struct task *task, const struct err *why);
/* What its build names is not there. */
void walk_end_refused(struct walk *walk, struct task *task, const struct build_event *refusal);
/* Steps whose ids joined out->lost from `first` on are another run's; those that run are stopped. */
void walk_drop_lost(struct walk *walk, size_t first);
/*
 * In how many milliseconds leases are to be renewed, 0: now. Half of a lease, by whichever clock is first: one that was set
 * back must not delay it, one that was set forward, or went on while this machine slept, has the others think that it is late.
 */
int64_t walk_renewal_ms(const struct walk *walk, int64_t now_s, int64_t now_ms);

/* ---- cancelled builds: another command writes `status.cancelled: true` into their records (cancel.c) ---- */

/* Of a build config, claimed and not ended. */
bool walk_may_be_cancelled(const struct task *task);
/* Somebody else's commit was read: a recorder_moved_fn, of the walk. */
void walk_note_cancelled(void *walk);
/* Looks at the state when it is time to, and ends what is to be ended. */
void walk_cancel(struct walk *walk);
/* When to look next, of clock_mono_ms; 0: there is nothing to look for. */
int64_t walk_next_look_ms(const struct walk *walk);

#endif
