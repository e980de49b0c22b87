/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply.c — the scheduler: a ready queue over the plan's steps, jobs in slots, one poll loop.
 * Order of durability: claim pushed → worker started → image pushed by the worker → log and status pushed. A kill between
 * any two is made good by the next run: an unfinished claim is dead with its run, a pushed image is found by its build key.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/log.h"
#include "model/base/limits.h"
#include "reconcile/apply/walk.h"

enum {
	GATHER_MS = 1000,
	HEARTBEAT_MS = 30000,
	LATER_MS = 15000,
	POLLS_PER_JOB = 3,
};

/*
 * Tags that take what builds of this run push, and images that follow such tags: nothing is performed, but not before
 * those are done.
 */
static bool comes_late(const struct step *step)
{
	return !step->blocked && step->n_after > 0 &&
	       (step->action == ACTION_IMPORT || step->action == ACTION_EDIT);
}

static bool all_folded(const struct step *step)
{
	for (size_t i = 0; i < step->n_after; i++)
		if (!step->after[i]->is_folded)
			return false;
	return true;
}

/* Binds what became ready; claims its builds. */
static bool make_ready(struct walk *walk, bool *any, struct err *err)
{
	*any = false;
	for (size_t i = 0; i < walk->n_tasks; i++) {
		struct task *task = &walk->tasks[i];
		struct err why = { 0 };

		if (task->state != TASK_WAITING || !all_folded(task->step))
			continue;
		*any = true;
		task->state = TASK_READY;
		if (!plan_bind(task->step, walk->spec->plan, walk->arena, &why)) {
			walk_end_unstarted(walk, task, &why);
			continue;
		}
		if (!walk_is_action(task->step)) {
			task->state = TASK_ENDED;
			task->step->is_folded = true;
			walk_put_plain(walk, task->step);
			if (task->step->is_status_changed && !walk_put_marks(walk, task->step, err))
				return false;
			continue;
		}
		if (!walk_is_build(task->step))
			continue;
		walk_put_claim(walk, task);
		if (!walk_put_marks(walk, task->step, err))
			return false;
	}
	return true;
}

static bool flush(struct walk *walk, const char *what, bool is_strict, struct err *err)
{
	size_t first = walk->out->lost.n;

	walk->gathered_ms = 0;
	/* While builds run nobody waits for a server: their output is to be read. */
	recorder_set_patient(walk->spec->recorder, !walk->n_running && !walk->spec->is_stopping());
	if (!recorder_flush(walk->spec->recorder, what, is_strict, &walk->out->lost, err))
		return false;
	walk_drop_lost(walk, first);
	for (size_t i = 0; i < walk->n_tasks; i++)
		if (walk->tasks[i].state == TASK_READY && walk_is_build(walk->tasks[i].step))
			walk->tasks[i].is_claimed = true;
	return true;
}

static size_t n_claims(const struct walk *walk)
{
	size_t n = 0;

	for (size_t i = 0; i < walk->n_tasks; i++)
		n += walk->tasks[i].state == TASK_READY && walk_is_build(walk->tasks[i].step);
	return n;
}

static const char *subject(const struct walk *walk)
{
	size_t n_claimed = n_claims(walk);

	if (n_claimed)
		return arena_printf(walk->arena, "%zu claimed", n_claimed);
	if (walk->out->n_done || walk->out->n_failed)
		return arena_printf(walk->arena, "%zu done, %zu failed", walk->out->n_done,
				    walk->out->n_failed);
	return "status";
}

/* Everything that the plan alone says, and the first claims, in one commit. */
static bool begin(struct walk *walk, struct err *err)
{
	bool any;

	for (size_t i = 0; i < walk->spec->plan->steps.n; i++) {
		struct step *step = walk->spec->plan->steps.v[i];

		if (step->action == ACTION_DELETE && !step->blocked) {
			const char *path =
				status_path(step->kind, step->ns, step->name, walk->arena);
			struct state_entry gone = { .kind = step->kind,
						    .ns = step->ns,
						    .name = step->name,
						    .id = step->id,
						    .path = path };

			recorder_delete(walk->spec->recorder, &gone,
					arena_printf(walk->arena, "%s: deleted", step->id));
			if (plan_log_folder(step, walk->arena))
				log_drop(&walk->logs, plan_log_folder(step, walk->arena),
					 walk->arena);
			walk->out->n_done++;
			continue;
		}
		if (comes_late(step))
			continue;
		/* Nothing is performed, so whoever comes after it need not wait. */
		if (step->action == ACTION_IMPORT)
			step->is_folded = true;
		walk_put_plain(walk, step);
		if (step->object && step->is_status_changed && !walk_is_action(step) &&
		    !walk_put_marks(walk, step, err))
			return false;
	}
	if (!make_ready(walk, &any, err))
		return false;
	/* What is composed first needs no claim: its statuses go along with the claims that follow. */
	if (walk->n_tasks && n_claims(walk) == 0)
		return true;
	return flush(walk, subject(walk), true, err);
}

static void on_notice(void *ctx, struct job *job, const char *text)
{
	const struct apply_events *events = &((struct walk *)ctx)->spec->events;

	if (events->on_notice)
		events->on_notice(events->ctx, job->step, text);
}

static void on_phase(void *ctx, struct job *job, const char *name)
{
	struct walk *walk = ctx;

	for (size_t i = 0; i < walk->n_tasks; i++)
		if (walk->tasks[i].job == job)
			walk->tasks[i].phase = name;
	if (walk->spec->events.on_phase)
		walk->spec->events.on_phase(walk->spec->events.ctx, job->step, name);
}

static void on_line(void *ctx, const char *text, size_t n)
{
	const struct job *job = ctx;
	const struct apply_events *events = &((struct walk *)job->ctx)->spec->events;

	events->on_log(events->ctx, job->step, text, n);
}

static void start_task(struct walk *walk, struct task *task)
{
	struct job *job = ARENA_NEW(walk->arena, struct job);
	struct job_spec spec = { .argv = walk->spec->worker_argv, .log_dir = walk->spec->log_dir };
	const struct build_event *refusal;
	struct err err = { 0 };

	job->arena = walk->arena;
	job->step = task->step;
	job->on_phase = on_phase;
	job->on_notice = on_notice;
	job->ctx = walk;
	spec.request = request_make(task->step, walk->spec->request, job->arena, &refusal);
	if (!spec.request) {
		walk_end_refused(walk, task, refusal);
		return;
	}
	spec.log_name = log_file_name(task->step->id, task->step->number, walk->arena);
	if (!job_start(&spec, job, &err)) {
		walk_end_unstarted(walk, task, &err);
		return;
	}
	if (walk->spec->events.on_log) {
		job->log.on_line = on_line;
		job->log.ctx = job;
	}
	walk->out->has_begun = true;
	task->job = job;
	task->state = TASK_RUNNING;
	task->started_ms = task->told_ms = clock_mono_ms();
	walk->n_running++;
	if (walk->spec->events.on_start)
		walk->spec->events.on_start(walk->spec->events.ctx, task->step);
}

static void start_tasks(struct walk *walk)
{
	for (size_t i = 0; i < walk->n_tasks && walk->n_running < walk->spec->jobs; i++) {
		struct task *task = &walk->tasks[i];

		if (walk->spec->is_stopping())
			return;
		if (task->state == TASK_READY && (!walk_is_build(task->step) || task->is_claimed))
			start_task(walk, task);
	}
}

static void finish_task(struct walk *walk, struct task *task)
{
	AUTO_BUF log = BUF_INIT(2 * LIMIT_LOG_BYTES);
	const char *path = walk_is_build(task->step)
				   ? plan_log_path(task->step, task->step->number, walk->arena)
				   : NULL;
	struct outcome outcome;

	job_finish(task->job, walk_now_s(walk), &log, &outcome);
	outcome.is_cancelled_by_user = task->is_cancelled && !outcome.is_done;
	if (task->is_lost) {
		/* Unlike what was left before it began: work was lost, and leases or clocks are to be looked at. */
		task->state = TASK_ENDED;
		task->step->is_folded = task->step->has_failed = true;
		walk->out->n_failed++;
	} else {
		if (path && log_keep(&walk->logs, path, task->step->id, &log, walk->arena))
			outcome.log = path;
		walk_end(walk, task, &outcome);
	}
	job_release(task->job);
	walk->n_running--;
}

static size_t fill_polls(struct walk *walk)
{
	size_t n = 0;

	walk->polls[n++] = (struct pollfd){ .fd = walk->spec->wake_fd, .events = POLLIN };
	for (size_t i = 0; i < walk->n_tasks; i++) {
		struct task *task = &walk->tasks[i];
		int fds[POLLS_PER_JOB];

		if (task->state != TASK_RUNNING)
			continue;
		fds[0] = task->job->out_fd;
		fds[1] = task->job->err_fd;
		fds[2] = task->job->ended_ms ? -1 : task->job->proc.pidfd;
		for (size_t k = 0; k < POLLS_PER_JOB; k++) {
			if (fds[k] < 0)
				continue;
			walk->polled[n] = task;
			walk->polls[n++] = (struct pollfd){ .fd = fds[k], .events = POLLIN };
		}
	}
	return n;
}

static int64_t until(int64_t at_ms, int64_t now_ms, int64_t present)
{
	int64_t rest = at_ms > now_ms ? at_ms - now_ms : 0;

	return rest < present ? rest : present;
}

/* A job's next forced step, a renewal, a commit, the end of the grace period: whatever comes first. */
static int poll_timeout(struct walk *walk)
{
	int64_t now_ms = clock_mono_ms(), rest = HEARTBEAT_MS;

	for (size_t i = 0; i < walk->n_tasks; i++) {
		int64_t job_ms = walk->tasks[i].state == TASK_RUNNING
					 ? job_watch(walk->tasks[i].job, now_ms)
					 : -1;

		if (job_ms >= 0 && job_ms < rest)
			rest = job_ms;
	}
	rest = until(now_ms + walk_renewal_ms(walk, walk_now_s(walk), now_ms), now_ms, rest);
	if (walk->gathered_ms)
		rest = until(walk->gathered_ms + GATHER_MS, now_ms, rest);
	if (walk_next_look_ms(walk))
		rest = until(walk_next_look_ms(walk), now_ms, rest);
	if (walk->stopped_ms)
		rest = until(walk->stopped_ms + walk->spec->grace_s * 1000, now_ms, rest);
	return (int)rest;
}

/* Every signal wrote one byte. */
static void count_signals(struct walk *walk)
{
	char bytes[64];
	ssize_t n = read(walk->spec->wake_fd, bytes, sizeof(bytes));

	if (n > 0)
		walk->n_signals += (size_t)n;
}

static void wait_for_jobs(struct walk *walk)
{
	size_t n = fill_polls(walk);
	int64_t now_ms;

	if (poll(walk->polls, (nfds_t)n, poll_timeout(walk)) < 0)
		return;
	if (walk->polls[0].revents)
		count_signals(walk);
	for (size_t i = 1; i < n; i++)
		if (walk->polls[i].revents && walk->polls[i].fd != walk->polled[i]->job->proc.pidfd)
			job_read(walk->polled[i]->job, walk->polls[i].fd);
	now_ms = clock_mono_ms();
	for (size_t i = 0; i < walk->n_tasks; i++) {
		struct task *task = &walk->tasks[i];

		if (task->state != TASK_RUNNING)
			continue;
		(void)job_watch(task->job, now_ms);
		if (job_has_ended(task->job, now_ms))
			finish_task(walk, task);
	}
}

static void tell_waits(struct walk *walk)
{
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < walk->n_tasks; i++) {
		struct task *task = &walk->tasks[i];

		if (task->state != TASK_RUNNING || now_ms - task->told_ms < HEARTBEAT_MS)
			continue;
		task->told_ms = now_ms;
		if (walk->spec->events.on_wait)
			walk->spec->events.on_wait(walk->spec->events.ctx, task->step, task->phase,
						   (now_ms - task->started_ms) / 1000);
	}
}

/*
 * While builds run, a state repository that cannot be written just now is tried again later: what is pending stays pending.
 * With nothing running there is nothing to wait for.
 */
static bool flush_or_later(struct walk *walk, const char *what, struct err *err)
{
	if (flush(walk, what, false, err))
		return true;
	if (!walk->n_running || err->kind == ERR_DENIED)
		return false;
	log_line(LOG_WARN, "%s; tried again in a while, %zu builds go on", err->text,
		 walk->n_running);
	*err = (struct err){ 0 };
	walk->gathered_ms = clock_mono_ms() + LATER_MS - GATHER_MS;
	return true;
}

static void begin_leases(struct walk *walk)
{
	walk->claimed_s = walk_now_s(walk);
	walk->claimed_ms = clock_mono_ms();
}

/* Half of the lease is over: say again that we are alive. */
static bool renew(struct walk *walk, struct err *err)
{
	bool any = false;

	if (walk_renewal_ms(walk, walk_now_s(walk), clock_mono_ms()))
		return true;
	begin_leases(walk);
	for (size_t i = 0; i < walk->n_tasks; i++) {
		struct task *task = &walk->tasks[i];

		if (task->state == TASK_ENDED || !task->is_claimed || task->is_lost)
			continue;
		walk_put_claim(walk, task);
		any = true;
	}
	return !any || flush_or_later(walk, "leases renewed", err);
}

static void stop(struct walk *walk)
{
	bool is_late = walk->stopped_ms &&
		       (clock_mono_ms() - walk->stopped_ms >= walk->spec->grace_s * 1000 ||
			walk->n_signals > 1);

	if (!walk->spec->is_stopping())
		return;
	if (!walk->stopped_ms) {
		walk->stopped_ms = clock_mono_ms();
		walk->out->is_interrupted = true;
		if (walk->n_running)
			log_line(LOG_WARN,
				 "stopping: %zu running build%s %lld s to finish; a second "
				 "signal ends that",
				 walk->n_running, walk->n_running == 1 ? " has" : "s have",
				 (long long)walk->spec->grace_s);
	}
	for (size_t i = 0; i < walk->n_tasks; i++) {
		struct task *task = &walk->tasks[i];
		struct err why = { .kind = ERR_CANCELLED,
				   .text = "cancelled before it was started" };

		if (task->state == TASK_RUNNING && is_late)
			job_cancel(task->job, task->job->is_cancelled);
		else if (task->state == TASK_READY || task->state == TASK_WAITING)
			walk_end_unstarted(walk, task, &why);
	}
	if (is_late) {
		walk->stopped_ms = clock_mono_ms();
		walk->n_signals = 0;
	}
}

static bool has_work(const struct walk *walk)
{
	for (size_t i = 0; i < walk->n_tasks; i++)
		if (walk->tasks[i].state != TASK_ENDED)
			return true;
	return false;
}

static bool run_loop(struct walk *walk, struct err *err)
{
	bool any;

	while (has_work(walk)) {
		start_tasks(walk);
		if (walk->n_running)
			wait_for_jobs(walk);
		walk_cancel(walk);
		stop(walk);
		if (!make_ready(walk, &any, err) || !renew(walk, err))
			return false;
		tell_waits(walk);
		if ((any ||
		     (walk->gathered_ms && clock_mono_ms() - walk->gathered_ms >= GATHER_MS)) &&
		    !flush_or_later(walk, subject(walk), err))
			return false;
	}
	return flush(walk, subject(walk), false, err);
}

static void init(struct walk *walk)
{
	const struct plan *plan = walk->spec->plan;

	walk->tasks = arena_array(walk->arena, plan->steps.n, sizeof(*walk->tasks));
	for (size_t i = 0; i < plan->steps.n; i++)
		if (walk_is_action(plan->steps.v[i]) || comes_late(plan->steps.v[i]))
			walk->tasks[walk->n_tasks++] = (struct task){ .step = plan->steps.v[i] };
	walk->polls = arena_array(walk->arena, walk->spec->jobs * POLLS_PER_JOB + 1,
				  sizeof(*walk->polls));
	walk->polled = arena_array(walk->arena, walk->spec->jobs * POLLS_PER_JOB + 1,
				   sizeof(struct task *));
	begin_leases(walk);
	walk->looked_ms = clock_mono_ms();
	walk->logs = (struct log_place){ walk->spec->recorder, walk->spec->log_folder,
					 walk->spec->without_logs };
}

/* Nothing that was started outlives us, also when state cannot be written any more. */
static void release(struct walk *walk)
{
	for (size_t i = 0; i < walk->n_tasks; i++)
		if (walk->tasks[i].state == TASK_RUNNING)
			job_release(walk->tasks[i].job);
}

bool apply(const struct apply_spec *spec, struct arena *arena, struct apply_result *out,
	   struct err *err)
{
	struct walk walk = { .spec = spec, .arena = arena, .out = out };
	bool is_done;

	*out = (struct apply_result){ 0 };
	init(&walk);
	recorder_watch(spec->recorder, walk_note_cancelled, &walk);
	is_done =
		begin(&walk, err) && run_loop(&walk, err) && recorder_has_all(spec->recorder, err);
	recorder_watch(spec->recorder, NULL, NULL);
	release(&walk);
	return is_done;
}
