/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.h — child processes: argv, never a shell; an explicit environment; descriptors closed but the given ones.
 * A non-zero exit is a value (proc_result), not an error. Children die with us (PR_SET_PDEATHSIG) and are killed with their
 * process group on timeout and release.
 */
#ifndef BUILDEXEC_SYS_PROC_H
#define BUILDEXEC_SYS_PROC_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/base/buf.h"
#include "model/base/vec.h"

struct proc_spec {
	/* NULL-terminated; argv[0] is looked up in PATH when it has no '/' */
	const char *const *argv;
	/* NULL-terminated NAME=value; NULL: an allow-list of ours (PATH, HOME, LANG, TMPDIR, proxies, SSL_CERT_*) */
	const char *const *env;
	const char *cwd; /* NULL: ours */
	int in_fd, out_fd,
		err_fd; /* borrowed; 0: /dev/null (never our own stdin); proc_run: a buffer below wins */
	const void *input; /* proc_run: written to stdin, then closed */
	size_t input_len;
	/* proc_run: collected up to their max; what is over is dropped and is_over set */
	struct buf *out, *err;
	int64_t timeout_ms; /* 0: none; then SIGTERM, 2 s later SIGKILL to the group */
	int keep_fds[8]; /* further descriptors to inherit under the same number; 0 ends the list */
	bool is_own_group; /* its own process group: killed as a whole, and what is left of it when the leader ends */
};

struct proc_result {
	int exit_code; /* 0…255; -1 when killed by a signal */
	int signal;    /* or 0 */
	bool is_timeout;
};

struct proc {
	pid_t pid; /* 0 when reaped */
	int pidfd; /* pollable; -1 when the kernel has none */
	bool is_own_group;
	int64_t deadline_ms; /* of clock_mono_ms, kept by proc_wait; 0: none */
};

/*
 * False only when it could not be started (ERR_ABSENT: no such program). The death signal follows the thread that
 * called: wait in the same one.
 */
MUST_CHECK bool proc_start(const struct proc_spec *spec, struct proc *out, struct err *err);
/* True once it has ended; proc_wait then returns at once. */
bool proc_has_ended(const struct proc *proc);
/* True while a signal (SIGSTOP and its like) keeps it from going on. */
bool proc_is_stopped(const struct proc *proc);
MUST_CHECK bool proc_wait(struct proc *proc, struct proc_result *out, struct err *err);
void proc_kill(struct proc *proc, int signal); /* the group, when it has its own */
void proc_release(struct proc *proc);          /* kills and reaps what is left */
#define AUTO_PROC __attribute__((cleanup(proc_release))) struct proc
/* Start, feed, collect, wait. */
MUST_CHECK bool proc_run(const struct proc_spec *spec, struct proc_result *out, struct err *err);
/* The first executable file of that name in our PATH. */
bool proc_find(const char *name, char path[PATH_MAX]);
/* "exit status 3", "killed by signal 9 (SIGKILL)", "timed out" */
char *proc_result_text(const struct proc_result *result, struct arena *arena);

/* When a process started, in clock ticks since boot: with its pid it names a process for ever. 0: there is none, or it has ended. */
unsigned long long proc_start_time(pid_t pid);

/*
 * First thing in main: what we inherit is made usual where it would break us. Closed standard descriptors, whose numbers the
 * first files opened would get, with all that is printed; SIGCHLD ignored, so that the kernel would reap our children; signals
 * blocked. SIGPIPE is ignored, and no memory is dumped to a file. False when there is not even /dev/null.
 */
MUST_CHECK bool proc_begin(void);

/* The environment allow-list above, taken by main at start (rows below never call getenv). */
void proc_set_environment(const char *const *environ_list);
/* Further NAME=value for proc_getenv alone, lent for ever: no child gets them by itself. */
void proc_add_environment(const struct strings *more);
/* A variable of our own environment as main saw it, or NULL. */
const char *proc_getenv(const char *name);
/* The allow-listed part of it, NULL-terminated. Empty before proc_set_environment. */
char *const *proc_default_env(void);

#endif
