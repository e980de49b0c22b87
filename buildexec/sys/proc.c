/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc.c — fork and exec with everything prepared before the fork (other threads may hold any
 * lock), a pipe that tells why exec failed, and one poll loop that feeds, collects and waits.
 * proc_result and the environment are in proc_env.c. PR_SET_PDEATHSIG follows the *thread* that
 * started the child: start and wait in the same thread.
 */
#include "buildexec/sys/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"

enum {
	GRACE_MS = 2000,  /* between SIGTERM and SIGKILL */
	DRAIN_MS = 200,   /* for output in pipes that a left-over grandchild keeps open */
	NO_PIDFD_MS = 20, /* polling where the kernel has no pidfd */
	CHUNK = 32 * 1024,
};

/* Everything the child needs between fork and exec. */
struct launch {
	const char *path;
	char *const *argv, *const *env;
	const char *cwd;
	int fds[3];
	const int *keep_fds;
	int report_fd;
	pid_t parent;
	bool is_own_group;
};

struct report {
	int sys;
	bool is_cwd;
};

_Noreturn static void child_fail(const struct launch *launch, bool is_cwd)
{
	struct report report = { .sys = errno, .is_cwd = is_cwd };

	(void)!write(launch->report_fd, &report, sizeof(report));
	_exit(127);
}

/* Moves a descriptor out of 0…2, so that placing one does not overwrite another. */
static int lift(int fd)
{
	return fd > 2 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static bool place_fds(const struct launch *launch)
{
	int from[3];

	for (int i = 0; i < 3; i++) {
		from[i] = lift(launch->fds[i]);
		if (from[i] < 0)
			return false;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(from[i], i) < 0)
			return false;
	return true;
}

static void close_the_rest(const struct launch *launch)
{
	if (syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		for (int fd = 3; fd < 65536; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	for (const int *fd = launch->keep_fds; *fd; fd++)
		fcntl(*fd, F_SETFD, 0);
}

_Noreturn static void child_main(struct launch *launch)
{
	struct sigaction as_usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		sigaction(s, &as_usual, NULL);
	sigemptyset(&none);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		child_fail(launch, false);
	/* The parent may have died before the line above. */
	if (getppid() != launch->parent)
		_exit(127);
	if (launch->is_own_group)
		setpgid(0, 0);
	launch->report_fd = lift(launch->report_fd);
	if (launch->report_fd < 0 || !place_fds(launch))
		child_fail(launch, false);
	close_the_rest(launch);
	if (launch->cwd && chdir(launch->cwd) < 0)
		child_fail(launch, true);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(launch->path, launch->argv, launch->env);
	child_fail(launch, false);
}

bool proc_begin(void)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t none;

	for (int fd = 0; fd < 3; fd++) {
		/* Opened the wrong way round: who closed one is told so when it is used, as without us. */
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_NOCTTY) != fd)
			return false;
	}
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return true;
}

bool proc_find(const char *name, char path[PATH_MAX])
{
	const char *dirs = proc_getenv("PATH");

	if (!dirs)
		dirs = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	while (*dirs) {
		size_t len = strcspn(dirs, ":");

		if (len && len + strlen(name) + 2 <= PATH_MAX) {
			memcpy(path, dirs, len);
			path[len] = '/';
			memcpy(path + len + 1, name, strlen(name) + 1);
			if (access(path, X_OK) == 0 && !fs_is_dir(path))
				return true;
		}
		dirs += len + (dirs[len] == ':');
	}
	return false;
}

/* Waits for exec: nothing arrives when it worked, for the pipe closes with it. */
static bool was_started(int fd, const struct proc_spec *spec, struct err *err)
{
	struct report report;
	ssize_t n;

	do
		n = read(fd, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(report))
		return true;
	if (report.is_cwd)
		return err_sys(err, report.sys, "cannot start '%s': cannot enter '%s'",
			       spec->argv[0], spec->cwd);
	return err_sys(err, report.sys, "cannot start '%s'", spec->argv[0]);
}

/* Signals stay blocked around the fork: a handler of ours must not run in the child. */
static pid_t fork_child(struct launch *launch)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		child_main(launch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static bool start(const struct proc_spec *spec, struct launch *launch, struct proc *out,
		  struct err *err)
{
	int ends[2];
	bool is_ok;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot start '%s'", spec->argv[0]);
	launch->report_fd = ends[1];
	launch->parent = getpid();
	out->pid = fork_child(launch);
	if (out->pid < 0) {
		out->pid = 0;
		is_ok = err_sys(err, errno, "cannot start '%s'", spec->argv[0]);
	} else {
		if (spec->is_own_group)
			setpgid(out->pid,
				out->pid); /* the child does the same: whoever comes first */
		out->pidfd = (int)syscall(SYS_pidfd_open, out->pid, 0);
		fd_close(&ends[1]);
		is_ok = was_started(ends[0], spec, err);
	}
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	if (!is_ok)
		proc_release(out);
	return is_ok;
}

bool proc_start(const struct proc_spec *spec, struct proc *out, struct err *err)
{
	char path[PATH_MAX];
	AUTO_FD null = -1;
	struct launch launch = {
		.path = spec->argv[0],
		.cwd = spec->cwd,
		.fds = { spec->in_fd, spec->out_fd, spec->err_fd },
		.keep_fds = spec->keep_fds,
		.is_own_group = spec->is_own_group,
	};

	*out = (struct proc){ .pidfd = -1, .is_own_group = spec->is_own_group };
	if (!strchr(spec->argv[0], '/')) {
		if (!proc_find(spec->argv[0], path))
			return err_set(err, ERR_ABSENT, "cannot start '%s': no such program",
				       spec->argv[0]);
		launch.path = path;
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_sys(err, errno, "cannot open '/dev/null'");
	for (int i = 0; i < 3; i++)
		if (launch.fds[i] <= 0)
			launch.fds[i] = null;
	/* exec does not write to the texts; its prototype predates const. */
	memcpy(&launch.argv, &spec->argv, sizeof(launch.argv));
	launch.env = proc_default_env();
	if (spec->env)
		memcpy(&launch.env, &spec->env, sizeof(launch.env));
	if (spec->timeout_ms > 0)
		out->deadline_ms = clock_mono_ms() + spec->timeout_ms;
	return start(spec, &launch, out, err);
}

void proc_kill(struct proc *proc, int signal)
{
	if (proc->pid <= 0)
		return;
	if (!proc->is_own_group || kill(-proc->pid, signal) < 0)
		kill(proc->pid, signal);
}

/* Is it in that state? -1: it cannot be asked for. What is told stays to be told. */
static int is_in_state(const struct proc *proc, int state)
{
	siginfo_t info = { 0 };
	int rc;

	do
		rc = waitid(P_PID, (id_t)proc->pid, &info, state | WNOWAIT | WNOHANG);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -1 : info.si_pid == proc->pid;
}

/* It stays a zombie, so that its pid and group cannot be anybody else's yet. */
bool proc_has_ended(const struct proc *proc)
{
	return is_in_state(proc, WEXITED) != 0;
}

bool proc_is_stopped(const struct proc *proc)
{
	return is_in_state(proc, WSTOPPED) == 1;
}

static bool reap(struct proc *proc, struct proc_result *out, struct err *err)
{
	int status = 0;
	pid_t got;

	/* The rest of its group ends with the leader. */
	if (proc->is_own_group)
		kill(-proc->pid, SIGKILL);
	do
		got = waitpid(proc->pid, &status, 0);
	while (got < 0 && errno == EINTR);
	proc->pid = 0;
	fd_close(&proc->pidfd);
	if (got < 0)
		return err_sys(err, errno, "cannot wait for a child process");
	out->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return true;
}

void proc_release(struct proc *proc)
{
	struct proc_result ignored;
	struct err err;
	int saved = errno;

	if (proc->pid > 0) {
		proc_kill(proc, SIGKILL);
		(void)!reap(proc, &ignored, &err);
	}
	errno = saved;
}

/* What one run has open, with the time of the next forced step. */
struct loop {
	struct proc *proc;
	int fds[3]; /* our ends, -1 when closed */
	const char *input;
	size_t input_left;
	struct buf *bufs[3];
	int64_t next_ms; /* of SIGTERM, then of SIGKILL; 0: none */
	int64_t end_ms;  /* of draining, once the child has ended */
	bool is_timeout;
};

/* A write whose SIGPIPE reaches nobody, whatever this process does with that signal. */
static ssize_t write_quietly(int fd, const void *bytes, size_t n)
{
	const struct timespec at_once = { 0 };
	sigset_t pipe_only, before, pending;
	bool was_pending;
	ssize_t put;
	int sys;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	put = write(fd, bytes, n);
	sys = errno;
	if (put < 0 && sys == EPIPE && !was_pending)
		sigtimedwait(&pipe_only, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = sys;
	return put;
}

static void feed(struct loop *loop)
{
	ssize_t n = write_quietly(loop->fds[0], loop->input, loop->input_left);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		loop->input += n;
		loop->input_left -= (size_t)n;
	}
	/* A child that does not want its input is no failure. */
	if (n < 0 || !loop->input_left)
		fd_close(&loop->fds[0]);
}

static void collect(struct loop *loop, int i)
{
	char chunk[CHUNK];
	ssize_t n = read(loop->fds[i], chunk, sizeof(chunk));
	struct buf *buf = loop->bufs[i];
	size_t room;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		fd_close(&loop->fds[i]);
		return;
	}
	room = buf->max - buf->len;
	buf_add(buf, chunk, (size_t)n < room ? (size_t)n : room);
	if ((size_t)n > room)
		buf->is_over = true;
}

static void force(struct loop *loop)
{
	if (!loop->next_ms || clock_mono_ms() < loop->next_ms)
		return;
	proc_kill(loop->proc, loop->is_timeout ? SIGKILL : SIGTERM);
	loop->next_ms = clock_mono_ms() + GRACE_MS;
	loop->is_timeout = true;
}

static int wait_ms(const struct loop *loop)
{
	int64_t until = loop->end_ms ? loop->end_ms : loop->next_ms;
	int64_t left = until ? until - clock_mono_ms() : -1;

	if (until && left < 0)
		left = 0;
	if (!loop->end_ms && loop->proc->pidfd < 0 && (left < 0 || left > NO_PIDFD_MS))
		return NO_PIDFD_MS;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static bool is_done(struct loop *loop)
{
	if (!loop->end_ms && proc_has_ended(loop->proc)) {
		if (loop->proc->is_own_group)
			kill(-loop->proc->pid, SIGKILL);
		loop->end_ms = clock_mono_ms() + DRAIN_MS;
	}
	if (!loop->end_ms)
		return false;
	return (loop->fds[1] < 0 && loop->fds[2] < 0) || clock_mono_ms() >= loop->end_ms;
}

static void step(struct loop *loop)
{
	struct pollfd polls[4] = {
		{ .fd = loop->fds[0], .events = POLLOUT },
		{ .fd = loop->fds[1], .events = POLLIN },
		{ .fd = loop->fds[2], .events = POLLIN },
		{ .fd = loop->end_ms ? -1 : loop->proc->pidfd, .events = POLLIN },
	};

	if (poll(polls, 4, wait_ms(loop)) <= 0)
		return;
	if (polls[0].revents)
		feed(loop);
	for (int i = 1; i < 3; i++)
		if (polls[i].revents)
			collect(loop, i);
}

static bool finish(struct loop *loop, struct proc_result *out, struct err *err)
{
	while (!is_done(loop)) {
		force(loop);
		step(loop);
	}
	for (int i = 0; i < 3; i++)
		fd_close(&loop->fds[i]);
	*out = (struct proc_result){ .is_timeout = loop->is_timeout };
	return reap(loop->proc, out, err);
}

bool proc_wait(struct proc *proc, struct proc_result *out, struct err *err)
{
	struct loop loop = { .proc = proc, .fds = { -1, -1, -1 }, .next_ms = proc->deadline_ms };

	*out = (struct proc_result){ 0 };
	if (proc->pid <= 0)
		return err_set(err, ERR_INVALID,
			       "cannot wait for a child process: none is running");
	return finish(&loop, out, err);
}

/* One pipe for stream i: ours goes into the loop, the child's into `theirs`. */
static bool open_pipe(struct loop *loop, int i, int *theirs, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	loop->fds[i] = i == 0 ? ends[1] : ends[0];
	*theirs = i == 0 ? ends[0] : ends[1];
	fcntl(loop->fds[i], F_SETFL, O_NONBLOCK);
	return true;
}

static bool open_pipes(struct loop *loop, int theirs[3], struct err *err)
{
	for (int i = 0; i < 3; i++)
		if ((i == 0 ? loop->input_left > 0 : loop->bufs[i] != NULL) &&
		    !open_pipe(loop, i, &theirs[i], err))
			return false;
	return true;
}

bool proc_run(const struct proc_spec *spec, struct proc_result *out, struct err *err)
{
	AUTO_PROC proc = { .pidfd = -1 };
	struct loop loop = {
		.proc = &proc,
		.fds = { -1, -1, -1 },
		.input = spec->input,
		.input_left = spec->input ? spec->input_len : 0,
		.bufs = { NULL, spec->out, spec->err },
	};
	struct proc_spec with_pipes = *spec;
	int theirs[3] = { -1, -1, -1 };
	bool is_ok = open_pipes(&loop, theirs, err);

	*out = (struct proc_result){ 0 };
	with_pipes.in_fd = theirs[0] >= 0 ? theirs[0] : spec->in_fd;
	with_pipes.out_fd = theirs[1] >= 0 ? theirs[1] : spec->out_fd;
	with_pipes.err_fd = theirs[2] >= 0 ? theirs[2] : spec->err_fd;
	is_ok = is_ok && proc_start(&with_pipes, &proc, err);
	for (int i = 0; i < 3; i++)
		fd_close(&theirs[i]);
	if (!is_ok) {
		for (int i = 0; i < 3; i++)
			fd_close(&loop.fds[i]);
		return false;
	}
	loop.next_ms = proc.deadline_ms;
	return finish(&loop, out, err);
}
