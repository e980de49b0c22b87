/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c — what becomes of steps: their statuses, records and logs on the way to the recorder. */
#include "reconcile/apply/walk.h"

#include <string.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/log.h"

enum { LOST_MS = 30000 }; /* for a build that was lost to end */

bool walk_is_action(const struct step *step)
{
	return !step->blocked && step->action != ACTION_NONE && step->action != ACTION_RESOLVE &&
	       step->action != ACTION_IMPORT && step->action != ACTION_EDIT &&
	       step->action != ACTION_DELETE;
}

bool walk_is_build(const struct step *step)
{
	return step->action == ACTION_BUILD || step->action == ACTION_REBASE;
}

int64_t walk_now_s(const struct walk *walk)
{
	(void)walk;
	return clock_now_s();
}

/* Images that a stream points at for the first time. */
static void put_records(struct walk *walk, const struct step *step)
{
	for (size_t i = 0; i < step->records.n; i++)
		recorder_put_record(walk->spec->recorder, step->id,
				    *LIST_AT(step->records, const struct image_record *, i));
}

/* A status, and what the history limits make of it. */
static void put_status(struct walk *walk, const struct step *step, const void *status,
		       const char *line)
{
	struct numbers old;

	plan_expire(step->object, (void *)(uintptr_t)status, walk->arena, &old);
	recorder_put(walk->spec->recorder, step->object, &step->origin, status, line);
	for (size_t i = 0; i < old.n; i++) {
		recorder_put_file(walk->spec->recorder, step->id,
				  plan_record_path(step, old.v[i], walk->arena), NULL);
		log_drop(&walk->logs, plan_log_path(step, old.v[i], walk->arena), walk->arena);
	}
}

/* Of a build that waits for what it names, or cannot be run: it has a number and a record all the same. */
static void put_waiting(struct walk *walk, const struct step *step)
{
	struct build_file file;

	plan_waiting(step, walk->spec->options, walk->arena, &file);
	if (file.path)
		recorder_put_file(walk->spec->recorder, step->id, file.path, file.document);
}

void walk_put_plain(struct walk *walk, const struct step *step)
{
	struct recorder *recorder = walk->spec->recorder;
	const char *line;

	if (!step->object || walk_is_action(step) || (!step->is_status_changed && !step->moved))
		return;
	if (!step->is_status_changed) {
		line = arena_printf(walk->arena, "%s: declared in %s", step->id,
				    step->origin.manifest);
		recorder_put(recorder, step->object, &step->origin, step->moved, line);
		return;
	}
	line = arena_printf(walk->arena, "%s: %s", step->id,
			    step->blocked   ? step->blocked
			    : step->summary ? step->summary
					    : "status");
	put_status(walk, step, step->status, line);
	put_waiting(walk, step);
	put_records(walk, step);
}

bool walk_put_marks(struct walk *walk, const struct step *step, struct err *err)
{
	for (size_t i = 0; i < step->marks.n; i++) {
		const struct build_mark *mark = LIST_AT(step->marks, struct build_mark, i);
		const char *path = plan_record_path(step, mark->number, walk->arena);
		struct node *record, *marked;

		if (!state_read_record(walk->spec->store, path, walk->arena, &record, err))
			return false;
		if (!record)
			continue;
		if (!plan_mark(step, mark, record, walk_now_s(walk), walk->arena, &marked, err))
			return err_prefix(err, "'%s'", path);
		recorder_put_file(walk->spec->recorder, step->id, path, marked);
	}
	return true;
}

void walk_put_claim(struct walk *walk, struct task *task)
{
	struct step *step = task->step;
	struct build_file file;
	const void *status = plan_claim(step, walk_now_s(walk) + walk->spec->lease_s,
					walk->spec->options, walk->arena, &file);

	put_status(walk, step, status,
		   arena_printf(walk->arena, "%s: %s #%lld started (%s)", step->id,
				action_name(step->action), (long long)step->number, file.reasons));
	recorder_put_file(walk->spec->recorder, step->id, file.path, file.document);
}

void walk_end(struct walk *walk, struct task *task, const struct outcome *outcome)
{
	struct step *step = task->step;
	struct build_file file;
	const void *status = plan_fold(step, outcome, walk->spec->options, walk->arena, &file);
	const char *result = step->has_failed ? "failed" : "succeeded";

	task->state = TASK_ENDED;
	if (step->has_failed)
		walk->out->n_failed++;
	else
		walk->out->n_done++;
	if (status) /* most workloads have no record */
		put_status(walk, step, status,
			   arena_printf(walk->arena, "%s: %s %s", step->id,
					step->number && step->summary ? step->summary
								      : action_name(step->action),
					result));
	put_records(walk, step);
	if (file.path)
		recorder_put_file(walk->spec->recorder, step->id, file.path, file.document);
	else if (status)
		put_waiting(walk, step);
	if (!walk->gathered_ms)
		walk->gathered_ms = clock_mono_ms();
	if (walk->spec->events.on_end)
		walk->spec->events.on_end(walk->spec->events.ctx, step, outcome);
}

void walk_end_unstarted(struct walk *walk, struct task *task, const struct err *why)
{
	struct outcome outcome = { .is_claimed = task->is_claimed,
				   .is_cancelled_by_user = task->is_cancelled,
				   .err = *why };

	outcome.started_s = outcome.finished_s = walk_now_s(walk);
	walk_end(walk, task, &outcome);
}

void walk_end_refused(struct walk *walk, struct task *task, const struct build_event *refusal)
{
	const int64_t now_s = walk_now_s(walk);

	walk_end(walk, task,
		 &(struct outcome){ .is_claimed = task->is_claimed,
				    .event = refusal,
				    .started_s = now_s,
				    .finished_s = now_s });
}

/* Nobody would take its result, and another pushes to the same tags: it ends. */
static void drop(const struct walk *walk, struct task *task)
{
	const bool is_refused = recorder_has_refused(walk->spec->recorder, task->step->id);

	if (task->state == TASK_READY) {
		task->state = TASK_ENDED;
		task->step->is_folded = task->step->has_failed = true;
		log_line(LOG_WARN, "%s: %s", task->step->id,
			 is_refused ? "it is not built, since that could not be recorded"
				    : "another run is at work on it");
	} else if (task->state == TASK_RUNNING && task->is_claimed && !task->is_lost) {
		task->is_lost = true;
		log_line(LOG_WARN, "%s: %s, so its build ends here", task->step->id,
			 is_refused ? "it cannot be recorded" : "another run has taken it over");
		job_cancel_within(task->job, LOST_MS);
	}
}

void walk_drop_lost(struct walk *walk, size_t first)
{
	for (size_t i = first; i < walk->out->lost.n; i++) {
		for (size_t k = 0; k < walk->n_tasks; k++) {
			struct task *task = &walk->tasks[k];

			if (strcmp(task->step->id, walk->out->lost.v[i]) == 0)
				drop(walk, task);
		}
	}
}

int64_t walk_renewal_ms(const struct walk *walk, int64_t now_s, int64_t now_ms)
{
	const int64_t half_ms = walk->spec->lease_s * 1000 / 2;
	const int64_t wall_ms = walk->claimed_s * 1000 + half_ms - now_s * 1000;
	const int64_t mono_ms = walk->claimed_ms + half_ms - now_ms;
	const int64_t rest_ms = wall_ms < mono_ms ? wall_ms : mono_ms;

	return rest_ms > 0 ? rest_ms : 0;
}
