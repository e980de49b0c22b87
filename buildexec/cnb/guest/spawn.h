/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.h — other programs: started, waited for, their output kept where asked. */
#ifndef BUILDEXEC_CNB_GUEST_SPAWN_H
#define BUILDEXEC_CNB_GUEST_SPAWN_H

#include <sys/types.h>

#include "model/base/buf.h"

struct child_spec {
	char *const *argv; /* argv[0] is the path of the program */
	char *const *env;
	const char *cwd; /* NULL: as here                                      */
	int out_fd;      /* stdout and stderr; -1: stderr joins our own stdout */
	int fd3;         /* given as descriptor 3; -1: none                    */
};
struct child_exit {
	int code;   /* exit status; -1 when a signal ended it */
	int signal; /* or 0                                   */
};

MUST_CHECK bool child_start(const struct child_spec *spec, pid_t *pid, struct err *err);
MUST_CHECK bool child_wait(pid_t pid, struct child_exit *out, struct err *err);
/* "exit status 7", "signal: killed (9)". */
char *child_exit_text(struct child_exit result, struct arena *arena);

/* A child whose output is collected. */
struct captured {
	struct child_spec spec;
	struct buf output; /* `max` set by the caller; what passes it is dropped    */
	bool is_started;   /* false: `err` says why                                 */
	struct err err;
	struct child_exit result;
	pid_t pid;
	int fd;
	bool has_ended;
};
/* Runs all of them at the same time, and returns when all have ended. */
void captured_run(struct captured *children, size_t n);

#endif
