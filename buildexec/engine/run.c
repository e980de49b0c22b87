/* SPDX-License-Identifier: Apache-2.0 */
/* run.c — see run.h. */
#include "buildexec/engine/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buildexec/engine/subids.h"
#include "buildexec/sandbox/cgroup.h"
#include "buildexec/sandbox/enter.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"

enum { TICK_MS = 100, CHUNK = 64 << 10 };

/*
 * What buildah as root remembers of blobs, for all builds of the machine in one file, wherever its store is: one build that is
 * stopped while it has the file locked would stop all others. Without root it is in our own home.
 */
#define SHARED_CACHE "/var/lib/containers/cache"

struct engine_run {
	struct task *task;
	const struct run_spec *spec;
	struct sandbox_limits limits;
	struct cgroup cgroup;
	struct subids ids;
	struct build_log log;
	int out[2], err_out[2];
	int64_t started_ms;
	pid_t pid;
	int pidfd; /* -1: the kernel has none */
};

static void join_cgroup(void *ctx, pid_t pid)
{
	struct engine_run *run = ctx;

	cgroup_add(&run->cgroup, pid);
}

static bool map_ids(void *ctx, pid_t pid)
{
	const struct engine_run *run = ctx;

	return subids_map(&run->ids, pid);
}

static const char *const *terminated(const struct strings *list, struct arena *arena)
{
	const char **out = arena_array(arena, list->n + 1, sizeof(*out));

	for (size_t i = 0; i < list->n; i++)
		out[i] = list->v[i];
	return out;
}

static bool check_limits(const struct engine_run *run, struct err *err)
{
	unsigned missed = run->cgroup.missed & ~run->limits.may_miss;

	if (!missed || run->limits.may_be_missed)
		return true;
	return err_set(err, ERR_SYSTEM,
		       "cannot limit a build's%s%s%s here: no writable cgroup (run as root or in a "
		       "delegated cgroup, or leave the limit out)",
		       missed & SANDBOX_MEMORY ? " memory" : "", missed & SANDBOX_CPU ? " cpu" : "",
		       missed & SANDBOX_PIDS ? " pids" : "");
}

static bool start(struct engine_run *run, const char *scratch, struct err *err)
{
	struct arena *arena = run->task->arena;
	struct err ignored = { 0 };
	AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct enter_spec enter = {
		.argv = terminated(&run->spec->argv, arena),
		.env = terminated(&run->spec->env, arena),
		.program = run->spec->argv.v[0],
		.bundle = run->spec->dir,
		.scratch = scratch,
		.no_devices = run->spec->no_devices,
		.hidden = SHARED_CACHE,
		.is_offline = run->spec->is_offline,
		.is_rootless = geteuid() != 0,
		.map = run->ids.n_uids ? map_ids : NULL,
		.prepare = join_cgroup,
		.ctx = run,
	};
	char path[PATH_MAX];

	if (null < 0)
		return err_sys(err, errno, "cannot open '/dev/null'");
	/* buildah would make it, and could not be kept from it then. */
	if (!enter.is_rootless && !fs_make_dirs(SHARED_CACHE, 0700, &ignored))
		enter.hidden = NULL;
	if (pipe2(run->out, O_CLOEXEC) < 0 || pipe2(run->err_out, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	enter.fds[0] = null;
	enter.fds[1] = run->out[1];
	enter.fds[2] = run->spec->is_logged ? run->out[1] : run->err_out[1];
	if (!strchr(enter.program, '/')) {
		if (!proc_find(enter.program, path))
			return err_set(err, ERR_ABSENT, "no program '%s' in PATH", enter.program);
		enter.program = path;
	}
	if (!enter_start(&enter, &run->pid, err))
		return false;
	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	return check_limits(run, err);
}

static void pass_on(struct engine_run *run, int *fd, struct buf *kept)
{
	char chunk[CHUNK];
	ssize_t n;

	do
		n = read(*fd, chunk, sizeof(chunk));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		fd_close(fd);
	else if (run->spec->is_logged)
		build_log_take(&run->log, chunk, (size_t)n);
	else if (kept)
		buf_add(kept, chunk, (size_t)n);
}

bool run_deadline_passed(struct task *task, struct err *err)
{
	task->is_timeout = true;
	return err_set(err, ERR_INVALID, "DeadlineExceeded: it took longer than its %s of %lld s",
		       task->request->config ? "completionDeadlineSeconds" : "buildTimeout",
		       (long long)task->request->timeout_s);
}

/* Why it may not go on. */
static bool may_go_on(struct engine_run *run, struct err *err)
{
	int64_t deadline_ms = task_deadline_ms(run->task);

	if (run->spec->after_ms)
		return clock_mono_ms() < run->started_ms + run->spec->after_ms ||
		       err_set(err, ERR_SYSTEM, "'%s' took too long", run->spec->argv.v[0]);
	if (task_is_cancelled(NULL))
		return err_set(err, ERR_CANCELLED, "cancelled");
	return !deadline_ms || clock_mono_ms() < deadline_ms || run_deadline_passed(run->task, err);
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) < 0 ||
	       info.si_pid == pid;
}

/*
 * Until the first process has ended: by then the kernel has killed all others in its namespace, so the pipes end too. Killing
 * the first is how everything is ended.
 */
static bool collect(struct engine_run *run, struct err *err)
{
	int *const fds[] = { &run->out[0], &run->err_out[0] };
	bool may = true;

	for (;;) {
		bool is_over = has_ended(run->pid);
		struct pollfd polls[] = {
			{ .fd = *fds[0], .events = POLLIN },
			{ .fd = *fds[1], .events = POLLIN },
			{ .fd = is_over ? -1 : run->pidfd, .events = POLLIN },
		};

		if (may && !is_over && !may_go_on(run, err)) {
			may = false;
			kill(run->pid, SIGKILL);
		}
		/* Nothing is open, or nothing comes any more. */
		if (poll(polls, COUNTOF(polls), TICK_MS) <= 0 && is_over)
			return may;
		if (polls[0].revents)
			pass_on(run, fds[0], run->spec->out);
		if (polls[1].revents)
			pass_on(run, fds[1], run->spec->err);
		if (is_over && *fds[0] < 0 && *fds[1] < 0)
			return may;
	}
}

/* Returns the signal that ended it, 0 for none. */
static int reap(struct engine_run *run, struct run_end *out)
{
	int status = 0;

	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	out->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	out->is_oom = out->exit_code != 0 && cgroup_had_oom(&run->cgroup);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static bool run_it(struct engine_run *run, struct run_end *out, struct err *err)
{
	const char *scratch;
	int killed_by = 0;
	bool is_done;

	if (run->spec->limits)
		run->limits = *run->spec->limits;
	if (!task_dir(run->task, "engine-scratch", 0700, &scratch, err) ||
	    !subids_read(run->task->arena, &run->ids, err))
		return false;
	cgroup_make(&run->cgroup, &run->limits);
	is_done = start(run, scratch, err);
	fd_close(&run->out[1]);
	fd_close(&run->err_out[1]);
	if (is_done) {
		is_done = collect(run, err);
	} else if (run->pid) {
		kill(run->pid, SIGKILL);
	}
	if (run->pid)
		killed_by = reap(run, out);
	if (is_done && killed_by && !out->is_oom)
		is_done = err_set(err, ERR_SYSTEM, "'%s' was killed from outside (signal %d)",
				  run->spec->argv.v[0], killed_by);
	else if (is_done && out->exit_code != 0 && !out->is_oom && fs_is_full(run->task->cache_dir))
		is_done =
			err_set(err, ERR_SYSTEM, "'%s' failed (exit code %d) and the disk is full",
				run->spec->argv.v[0], out->exit_code);
	build_log_end(&run->log);
	cgroup_remove(&run->cgroup);
	return is_done;
}

bool run_has_ids(struct arena *arena)
{
	struct err ignored = { 0 };
	struct subids ids;

	return geteuid() == 0 || (subids_read(arena, &ids, &ignored) && ids.n_uids > 0);
}

bool run_engine(struct task *task, const struct run_spec *spec, struct run_end *out,
		struct err *err)
{
	struct engine_run run = {
		.task = task,
		.spec = spec,
		.started_ms = clock_mono_ms(),
		.log = { .on_line = spec->on_line, .ctx = spec->ctx },
		.out = { -1, -1 },
		.err_out = { -1, -1 },
		.pidfd = -1,
	};
	bool is_done;

	*out = (struct run_end){ 0 };
	is_done = run_it(&run, out, err);
	fd_close(&run.pidfd);
	for (int i = 0; i < 2; i++) {
		fd_close(&run.out[i]);
		fd_close(&run.err_out[i]);
	}
	return is_done;
}
