/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enter.c — one clone with new namespaces; the child waits for a byte from us (by then its ids are mapped and it sits in its
 * cgroup), mounts and execs. Between clone and exec it allocates nothing: other threads of ours may have held any lock.
 */
#include "buildexec/sandbox/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buildexec/sandbox/bundle.h"
#include "buildexec/sys/fs.h"

/* Where a child's preparations may fail. */
enum step {
	STEP_NONE,
	STEP_MAP,
	STEP_PRIVATE,
	STEP_CGROUP,
	STEP_PROC,
	STEP_SCRATCH,
	STEP_NO_DEVICES,
	STEP_HIDDEN,
	STEP_OVERLAY,
	STEP_STREAMS,
	STEP_EXEC,
	STEPS
};

static const char *const steps[] = {
	[STEP_NONE] = "start the container",
	[STEP_MAP] = "map user ids for the container",
	[STEP_PRIVATE] = "make a private mount namespace",
	[STEP_CGROUP] = "hide the cgroup tree",
	[STEP_PROC] = "mount '/proc' for the container",
	[STEP_SCRATCH] = "mount scratch space for the container",
	[STEP_NO_DEVICES] = "forbid device files for the container",
	[STEP_HIDDEN] = "hide a folder from the engine",
	[STEP_OVERLAY] = "join the layers with overlayfs",
	[STEP_STREAMS] = "set up the container's streams",
	[STEP_EXEC] = "start the container runtime",
};
_Static_assert(COUNTOF(steps) == STEPS, "name every step");

struct report {
	enum step step;
	int sys;
};

_Noreturn static void child_fail(int fd, enum step step)
{
	struct report report = { step, errno };

	(void)!write(fd, &report, sizeof(report));
	_exit(125);
}

/*
 * The cgroup is ours, nobody below needs the tree: an empty folder lies over it. Engines would give it to their containers,
 * which could leave their limits; and crun refuses version 1 and 2 side by side, and a folder where nothing is mounted, as
 * on a machine without cgroups.
 */
static bool hide_cgroups(void)
{
	if (access("/sys/fs/cgroup", F_OK) < 0)
		return true;
	return mount("none", "/sys/fs/cgroup", "tmpfs",
		     MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=4k") == 0;
}

/* Of images that an engine unpacks as root. Elsewhere the kernel makes none. */
static bool forbid_devices(const char *dir)
{
	const unsigned long kept = MS_RDONLY | MS_NOSUID | MS_NOEXEC;
	struct statfs now;

	return mount(dir, dir, NULL, MS_BIND | MS_REC, NULL) == 0 && statfs(dir, &now) == 0 &&
	       mount(NULL, dir, NULL,
		     MS_REMOUNT | MS_BIND | MS_NODEV | ((unsigned long)now.f_flags & kept),
		     NULL) == 0;
}

static bool make_upper(const struct enter_overlay *overlay)
{
	if (mkdir(overlay->upper, 0700) < 0 || mkdir(overlay->work, 0755) < 0)
		return false;
	/* In a user namespace other owners than ours do not exist. */
	(void)!chown(overlay->upper, overlay->uid, overlay->gid);
	return chmod(overlay->upper, overlay->mode) == 0;
}

static bool mount_overlay(const struct enter_overlay *overlay, bool is_rootless)
{
	/* "volatile" spares the sync at the end; kernels before 5.10 do not know it. */
	static const char *const tails[2][2] = { { ",volatile", "" },
						 { ",userxattr,volatile", ",userxattr" } };
	char data[4096];

	if (overlay->upper && !make_upper(overlay))
		return false;
	if (chdir(overlay->dir) < 0)
		return false;
	for (int i = 0; i < 2; i++) {
		int n = snprintf(data, sizeof(data), "%s%s", overlay->data, tails[is_rootless][i]);

		if (n < 0 || n >= (int)sizeof(data)) {
			errno = E2BIG;
			return false;
		}
		if (mount("overlay", overlay->target, "overlay", 0, data) == 0)
			return true;
		if (errno != EINVAL)
			return false;
	}
	return false;
}

/* A root without /tmp gets one, as every program expects; a link of that name is left alone. */
static void make_tmp(const char *bundle)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/" BUNDLE_ROOT "/tmp", bundle);
	if (mkdir(path, 0700) == 0)
		(void)!chmod(path, 01777);
}

static void prepare_mounts(const struct enter_spec *spec, int report_fd)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		child_fail(report_fd, STEP_PRIVATE);
	if (!hide_cgroups())
		child_fail(report_fd, STEP_CGROUP);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		child_fail(report_fd, STEP_PROC);
	if (mount("none", spec->scratch, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
		child_fail(report_fd, STEP_SCRATCH);
	if (spec->no_devices && !spec->is_rootless && !forbid_devices(spec->no_devices))
		child_fail(report_fd, STEP_NO_DEVICES);
	if (spec->hidden && !spec->is_rootless && access(spec->hidden, F_OK) == 0 &&
	    mount("none", spec->hidden, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		child_fail(report_fd, STEP_HIDDEN);
	umask(0);
	for (size_t i = 0; i < spec->n_overlays; i++)
		if (!mount_overlay(&spec->overlays[i], spec->is_rootless))
			child_fail(report_fd, STEP_OVERLAY);
	make_tmp(spec->bundle);
	umask(022);
}

static bool place_streams(const int fds[3])
{
	int lifted[3];

	for (int i = 0; i < 3; i++) {
		lifted[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (lifted[i] < 0)
			return false;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(lifted[i], i) < 0)
			return false;
	return true;
}

_Noreturn static void child_main(const struct enter_spec *spec, const int go[2], int report_fd)
{
	struct sigaction as_usual = { .sa_handler = SIG_DFL };
	const struct rlimit no_core = { 0, 0 };
	sigset_t none;
	char *const *argv, *const *env;
	ssize_t n;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int s = 1; s < NSIG; s++)
		sigaction(s, &as_usual, NULL);
	/* With our copy of the parent's end closed, its death before the lines above is an end of file. */
	close(go[1]);
	do
		n = read(go[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(125);
	setsid();
	/* A dump of memory may land on the host, where its pattern says. */
	setrlimit(RLIMIT_CORE, &no_core);
	prepare_mounts(spec, report_fd);
	report_fd = fcntl(report_fd, F_DUPFD_CLOEXEC, 3);
	if (!place_streams(spec->fds))
		child_fail(report_fd, STEP_STREAMS);
	if (syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		child_fail(report_fd, STEP_STREAMS);
	if (chdir(spec->bundle) < 0)
		child_fail(report_fd, STEP_EXEC);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* exec does not write to the texts; its prototype predates const. */
	memcpy(&argv, &spec->argv, sizeof(argv));
	memcpy(&env, &spec->env, sizeof(env));
	execve(spec->program, argv, env);
	child_fail(report_fd, STEP_EXEC);
}

static bool write_proc(pid_t pid, const char *file, const char *text)
{
	char path[64];
	AUTO_FD fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Our own ids are root's around the runtime; it maps them on to the container's user. */
static bool map_ids(pid_t pid)
{
	char text[64];

	snprintf(text, sizeof(text), "0 %u 1\n", (unsigned)geteuid());
	if (!write_proc(pid, "setgroups", "deny") || !write_proc(pid, "uid_map", text))
		return false;
	snprintf(text, sizeof(text), "0 %u 1\n", (unsigned)getegid());
	return write_proc(pid, "gid_map", text);
}

static bool wait_for_exec(int report_fd, struct err *err)
{
	struct report report;
	ssize_t n;

	do
		n = read(report_fd, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return true;
	if (n != sizeof(report) || report.step >= STEPS)
		return err_set(err, ERR_SYSTEM, "cannot start the container: it died at once");
	return err_sys(err, report.sys, "cannot %s", steps[report.step]);
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Signals stay blocked around the clone: a handler of ours must not run in the child. */
static pid_t clone_child(const struct enter_spec *spec, const int go[2], int report_fd)
{
	unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | SIGCHLD |
			      (spec->is_rootless ? CLONE_NEWUSER : 0) |
			      (spec->is_offline ? CLONE_NEWNET : 0);
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (pid == 0)
		child_main(spec, go, report_fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static bool start(const struct enter_spec *spec, int go[2], int report[2], pid_t *pid,
		  struct err *err)
{
	bool is_ok = true;

	*pid = clone_child(spec, go, report[1]);
	if (*pid < 0) {
		*pid = 0; /* never -1: to kill that one is to kill everybody */
		return err_sys(err, errno, "cannot make namespaces for the container");
	}
	fd_close(&go[0]);
	fd_close(&report[1]);
	if (spec->is_rootless && !(spec->map ? spec->map(spec->ctx, *pid) : map_ids(*pid)))
		is_ok = err_sys(err, errno, "cannot %s", steps[STEP_MAP]);
	if (is_ok) {
		spec->prepare(spec->ctx, *pid);
		/* A child that died is noticed next. */
		while (send(go[1], "g", 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
			;
		is_ok = wait_for_exec(report[0], err);
	}
	if (!is_ok) {
		stop(*pid);
		*pid = 0;
	}
	return is_ok;
}

bool enter_start(const struct enter_spec *spec, pid_t *pid, struct err *err)
{
	int go[2] = { -1, -1 }, report[2] = { -1, -1 };
	bool is_ok;

	*pid = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go) < 0 ||
	    pipe2(report, O_CLOEXEC) < 0)
		is_ok = err_sys(err, errno, "cannot make a pipe");
	else
		is_ok = start(spec, go, report, pid, err);
	for (int i = 0; i < 2; i++) {
		fd_close(&go[i]);
		fd_close(&report[i]);
	}
	return is_ok;
}
