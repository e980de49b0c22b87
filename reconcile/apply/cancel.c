/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cancel.c — builds that somebody cancels while they run here: their records on the state branch say so. The branch is looked
 * at every so often, and whenever it moved under a commit of ours.
 */
#include "reconcile/apply/walk.h"

#include <string.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/log.h"
#include "reconcile/apply/state_read.h"

enum {
	LOOK_MS = 15000,   /* between two looks */
	CANCEL_MS = 30000, /* for a cancelled build to end */
};

static bool read_build(struct store *store, const char *path, struct arena *arena,
		       struct bc_build *out, struct err *err)
{
	struct node *document;

	if (!state_read_record(store, path, arena, &document, err))
		return false;
	if (!document)
		return err_set(err, ERR_ABSENT, "it is gone");
	return bc_build_read(document, arena, out, err);
}

/* A record that cannot be read cancels nothing. */
static bool is_asked(struct store *store, const struct step *step, const char *run_id)
{
	struct arena *arena = arena_new();
	const char *path = plan_record_path(step, step->number, arena);
	struct bc_build build = { 0 };
	struct err err = { 0 };
	bool is_cancelled = false;

	if (!read_build(store, path, arena, &build, &err))
		log_line(LOG_DEBUG, "cannot read '%s': %s", path, err.text);
	else
		is_cancelled =
			build.is_cancelled && build.run_id && strcmp(build.run_id, run_id) == 0;
	arena_free(arena);
	return is_cancelled;
}

bool walk_may_be_cancelled(const struct task *task)
{
	return (task->state == TASK_RUNNING || task->state == TASK_READY) && task->is_claimed &&
	       !task->is_cancelled && !task->is_lost && task->step->build;
}

/* Somebody else's commit was read; what we write next may go over their mark, so it is noted at once. */
void walk_note_cancelled(void *ctx)
{
	struct walk *walk = ctx;

	for (size_t i = 0; i < walk->n_tasks; i++) {
		struct task *task = &walk->tasks[i];

		if (walk_may_be_cancelled(task))
			task->is_cancelled = is_asked(walk->spec->store, task->step,
						      walk->spec->options->run_id);
	}
}

int64_t walk_next_look_ms(const struct walk *walk)
{
	for (size_t i = 0; i < walk->n_tasks; i++)
		if (walk_may_be_cancelled(&walk->tasks[i]))
			return walk->looked_ms + LOOK_MS;
	return 0;
}

/* A state repository that cannot be read just now is looked at again later. */
void walk_cancel(struct walk *walk)
{
	const struct err why = { .kind = ERR_CANCELLED, .text = "cancelled before it was started" };
	const int64_t next_ms = walk_next_look_ms(walk);
	size_t first = walk->out->lost.n;
	struct err err = { 0 };

	if (next_ms && clock_mono_ms() >= next_ms) {
		if (!recorder_look(walk->spec->recorder, &walk->out->lost, &err))
			log_line(LOG_DEBUG, "cannot look for cancelled builds: %s", err.text);
		walk->looked_ms = clock_mono_ms();
		walk_drop_lost(walk, first);
	}
	for (size_t i = 0; i < walk->n_tasks; i++) {
		struct task *task = &walk->tasks[i];

		if (!task->is_cancelled || task->state == TASK_ENDED)
			continue;
		if (task->state == TASK_READY)
			walk_end_unstarted(walk, task, &why);
		else if (!task->job->is_cancelled)
			job_cancel_within(task->job, CANCEL_MS);
	}
}
