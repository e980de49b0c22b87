/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h — an engine's program in namespaces of its own (pid, mount, without root also user): whatever it starts and mounts is
 * gone when it ends, however it ends. With the task's limits for all that runs in it, its deadline and its cancellation.
 * Without root it gets the user's subordinate ids, where there are any; else one id, and all files are that user's.
 */
#ifndef BUILDEXEC_ENGINE_RUN_H
#define BUILDEXEC_ENGINE_RUN_H

#include "buildexec/task/task.h"

struct run_spec {
	struct strings argv;                 /* the program by name or path first */
	struct strings env;                  /* all of it */
	const char *dir;                     /* where it runs; has no folder BUNDLE_ROOT */
	const struct sandbox_limits *limits; /* of all that runs; NULL: none */
	const char *no_devices;              /* a folder below which device files are none; NULL */
	bool is_offline;                     /* in a network of its own, where nothing is */
	bool is_logged; /* what it prints on both streams is for the build's log */
	/* Told of every line that goes to the log. */
	void (*on_line)(void *ctx, const char *line, size_t n);
	void *ctx;
	struct buf *out, *err; /* else, where not NULL, what it prints; more than fits is dropped */
	int64_t after_ms; /* for what cleans up behind a build: its own time, instead of the task's deadline and cancellation; 0 */
};
struct run_end {
	int exit_code; /* 128 + signal */
	bool is_oom;
};

/* Has this user ids besides his own? Always as root. */
bool run_has_ids(struct arena *arena);
/*
 * False when it could not run, or may not go on: ERR_ABSENT no such program, ERR_CANCELLED, ERR_INVALID with
 * task->is_timeout for the deadline, ERR_SYSTEM when somebody killed it, or it failed on a full disk.
 */
MUST_CHECK bool run_engine(struct task *task, const struct run_spec *spec, struct run_end *out,
			   struct err *err);

/* Notes in the task that its time is up; false, with the name of the field that set it in the error. */
bool run_deadline_passed(struct task *task, struct err *err);

#endif
