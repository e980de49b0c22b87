/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.c — posix_spawn, and one poll loop over the pipes of several children.
 * A program that ends but leaves its pipe open in a child of its own does not hold the others up: once the program is gone,
 * only what is already in the pipe is taken.
 */
#include "buildexec/cnb/guest/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLL_MS = 20, CAPTURED_AT_ONCE = 64 };

static int add_actions(const struct child_spec *spec, posix_spawn_file_actions_t *actions)
{
	int out = spec->out_fd < 0 ? STDOUT_FILENO : spec->out_fd;
	int rc = 0;

	if (spec->cwd)
		rc = posix_spawn_file_actions_addchdir_np(actions, spec->cwd);
	if (!rc && spec->out_fd >= 0)
		rc = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	if (!rc && (spec->out_fd >= 0 || spec->fd3 < 0))
		rc = posix_spawn_file_actions_adddup2(actions, out, STDERR_FILENO);
	if (!rc && spec->fd3 >= 0)
		rc = posix_spawn_file_actions_adddup2(actions, spec->fd3, 3);
	return rc;
}

bool child_start(const struct child_spec *spec, pid_t *pid, struct err *err)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc)
		return err_sys(err, rc, "cannot start '%s'", spec->argv[0]);
	rc = add_actions(spec, &actions);
	if (!rc)
		rc = posix_spawn(pid, spec->argv[0], &actions, NULL, spec->argv, spec->env);
	posix_spawn_file_actions_destroy(&actions);
	return rc ? err_sys(err, rc, "cannot start '%s'", spec->argv[0]) : true;
}

static struct child_exit exit_of(int status)
{
	if (WIFEXITED(status))
		return (struct child_exit){ .code = WEXITSTATUS(status) };
	return (struct child_exit){ .code = -1, .signal = WTERMSIG(status) };
}

bool child_wait(pid_t pid, struct child_exit *out, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "cannot wait for process %d", (int)pid);
	*out = exit_of(status);
	return true;
}

char *child_exit_text(struct child_exit result, struct arena *arena)
{
	if (result.signal)
		return arena_printf(arena, "signal: %s (%d)", strsignal(result.signal),
				    result.signal);
	return arena_printf(arena, "exit status %d", result.code);
}

static void start_captured(struct captured *child)
{
	int ends[2];

	child->fd = -1;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		err_sys(&child->err, errno, "cannot start '%s'", child->spec.argv[0]);
		return;
	}
	child->spec.out_fd = ends[1];
	child->is_started = child_start(&child->spec, &child->pid, &child->err);
	close(ends[1]);
	if (!child->is_started) {
		close(ends[0]);
		return;
	}
	child->fd = ends[0];
	fcntl(child->fd, F_SETFL, O_NONBLOCK);
}

static void close_pipe(struct captured *child)
{
	close(child->fd);
	child->fd = -1;
}

/* Takes what is in the pipe; closes it at its end. */
static void drain(struct captured *child)
{
	char block[4096];
	ssize_t n;

	while (child->fd >= 0) {
		n = read(child->fd, block, sizeof(block));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close_pipe(child);
			return;
		}
		if ((size_t)n > child->output.max - child->output.len)
			n = (ssize_t)(child->output.max - child->output.len);
		buf_add(&child->output, block, (size_t)n);
	}
}

static void reap(struct captured *child)
{
	int status, flags = child->fd < 0 ? 0 : WNOHANG;
	pid_t pid;

	if (!child->is_started || child->has_ended)
		return;
	do
		pid = waitpid(child->pid, &status, flags);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return;
	child->has_ended = true;
	child->result = pid < 0 ? (struct child_exit){ .code = -1 } : exit_of(status);
	drain(child);
	if (child->fd >= 0)
		close_pipe(child);
}

static void run_some(struct captured *children, size_t n)
{
	struct pollfd fds[CAPTURED_AT_ONCE];
	size_t n_open;

	for (size_t i = 0; i < n; i++)
		start_captured(&children[i]);
	do {
		n_open = 0;
		for (size_t i = 0; i < n; i++)
			if (children[i].fd >= 0)
				fds[n_open++] =
					(struct pollfd){ .fd = children[i].fd, .events = POLLIN };
		if (n_open)
			poll(fds, n_open, POLL_MS);
		for (size_t i = 0; i < n; i++) {
			drain(&children[i]);
			reap(&children[i]);
		}
	} while (n_open);
}

void captured_run(struct captured *children, size_t n)
{
	for (size_t from = 0; from < n; from += CAPTURED_AT_ONCE)
		run_some(children + from,
			 n - from < CAPTURED_AT_ONCE ? n - from : CAPTURED_AT_ONCE);
}
