// SPDX-License-Identifier: Apache-2.0
/*
 * tracer.c — runs a command, counts its externally visible steps (those of all its processes), and does one thing at one of
 * them: kills, fails the call, or moves the clock. A seccomp filter stops at the calls in the table only, so that a traced
 * run takes about as long as another.
 *
 *     fault-tracer --report FILE [--trace FILE] [--kill run|step|all [--signal NAME [--twice]] |
 *                  --fail ERRNO|SHORT --of GROUP [--on] | --jump SECONDS | --count] [--at N] [--below DIR]
 *                  COMMAND…
 *
 * Without --at steps are only counted, with --count the calls of all groups. --fail and --jump count the calls of their group, and only in the program itself;
 * --on fails all that follow, too; of EINTR every other one, or nothing would go on. SHORT moves fewer bytes than were asked
 * for. --signal sends that one, --twice once more at the next step. --kill step kills the process that makes the step if it is the program. --below says
 * which files can be full or read-only.
 * The report: "steps N", "hit 0|1", "exit CODE" or "signal N", "place PROGRAM CALL FILE", "pid PID" for every process, and
 * "stayed PID COMMAND" for those that were still there STAY_MS after the command's end. They are killed.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if !defined(__x86_64__)
int main(void)
{
	puts("skipped: the tracer knows the registers of x86-64 only");
	return 77;
}
#else

enum {
	SHORT = -1, /* no error */
	STAY_MS = 15000,
	LIVE_MAX = 4096,
	SEEN_MAX = 65536,
};

/* What a call is: bits. */
enum {
	STEP = 1,   /* somebody else can see it */
	SPACE = 2,  /* needs room in the file system */
	CHANGE = 4, /* cannot be done to a read-only file system */
	SYNC = 8,
	FD = 16, /* takes a file descriptor */
	CLOCK = 32,
	OPEN = 64,  /* STEP, SPACE and CHANGE by its flags only */
	DATA = 128, /* SPACE if its first argument is a regular file */
	SLOW = 256, /* may be interrupted; a read or write only where its descriptor is no regular file */
	MOVE = 512 /* moves as many bytes as its third argument says, or fewer */
};

/* Where the path is: index of its argument, of its folder's; -1: the current folder, -2: there is none. */
struct call {
	long nr;
	const char *name;
	unsigned bits;
	int path, dir;
};

/* clang-format off */
static const struct call calls[] = {
	{ SYS_open,            "open",            OPEN | FD,               0, -1 },
	{ SYS_openat,          "openat",          OPEN | FD,               1,  0 },
	{ SYS_creat,           "creat",           STEP | SPACE | CHANGE | FD, 0, -1 },
	{ SYS_write,           "write",           STEP | DATA | SLOW | MOVE, -2, -2 },
	{ SYS_pwrite64,        "pwrite64",        STEP | DATA | MOVE,     -2, -2 },
	{ SYS_writev,          "writev",          STEP | DATA,            -2, -2 },
	{ SYS_pwritev,         "pwritev",         STEP | DATA,            -2, -2 },
	{ SYS_read,            "read",            SLOW | MOVE,            -2, -2 },
	{ SYS_recvfrom,        "recvfrom",        SLOW | MOVE,            -2, -2 },
	{ SYS_poll,            "poll",            SLOW,                   -2, -2 },
	{ SYS_epoll_wait,      "epoll_wait",      SLOW,                   -2, -2 },
	{ SYS_wait4,           "wait4",           SLOW,                   -2, -2 },
	{ SYS_waitid,          "waitid",          SLOW,                   -2, -2 },
	{ SYS_sendfile,        "sendfile",        STEP | DATA,            -2, -2 },
	{ SYS_copy_file_range, "copy_file_range", STEP,                   -2, -2 },
	{ SYS_splice,          "splice",          STEP,                   -2, -2 },
	{ SYS_sendto,          "sendto",          STEP | SLOW | MOVE,     -2, -2 },
	{ SYS_sendmsg,         "sendmsg",         STEP,                   -2, -2 },
	{ SYS_connect,         "connect",         STEP,                   -2, -2 },
	{ SYS_rename,          "rename",          STEP | SPACE | CHANGE,   0, -1 },
	{ SYS_renameat,        "renameat",        STEP | SPACE | CHANGE,   1,  0 },
	{ SYS_renameat2,       "renameat2",       STEP | SPACE | CHANGE,   1,  0 },
	{ SYS_link,            "link",            STEP | SPACE | CHANGE,   1, -1 },
	{ SYS_linkat,          "linkat",          STEP | SPACE | CHANGE,   3,  2 },
	{ SYS_symlink,         "symlink",         STEP | SPACE | CHANGE,   1, -1 },
	{ SYS_symlinkat,       "symlinkat",       STEP | SPACE | CHANGE,   2,  1 },
	{ SYS_mkdir,           "mkdir",           STEP | SPACE | CHANGE,   0, -1 },
	{ SYS_mkdirat,         "mkdirat",         STEP | SPACE | CHANGE,   1,  0 },
	{ SYS_mknodat,         "mknodat",         STEP | SPACE | CHANGE,   1,  0 },
	{ SYS_unlink,          "unlink",          STEP | CHANGE,           0, -1 },
	{ SYS_unlinkat,        "unlinkat",        STEP | CHANGE,           1,  0 },
	{ SYS_rmdir,           "rmdir",           STEP | CHANGE,           0, -1 },
	{ SYS_truncate,        "truncate",        STEP | CHANGE,           0, -1 },
	{ SYS_ftruncate,       "ftruncate",       STEP | DATA,            -2, -2 },
	{ SYS_fallocate,       "fallocate",       STEP | DATA,            -2, -2 },
	{ SYS_fchmodat,        "fchmodat",        STEP | CHANGE,           1,  0 },
	{ SYS_fchownat,        "fchownat",        STEP | CHANGE,           1,  0 },
	{ SYS_utimensat,       "utimensat",       STEP | CHANGE,           1,  0 },
	{ SYS_flock,           "flock",           STEP | SLOW,            -2, -2 },
	{ SYS_fsync,           "fsync",           STEP | SYNC,            -2, -2 },
	{ SYS_fdatasync,       "fdatasync",       STEP | SYNC,            -2, -2 },
	{ SYS_syncfs,          "syncfs",          STEP | SYNC,            -2, -2 },
	{ SYS_mount,           "mount",           STEP,                   -2, -2 },
	{ SYS_move_mount,      "move_mount",      STEP,                   -2, -2 },
	{ SYS_umount2,         "umount2",         STEP,                   -2, -2 },
	{ SYS_pivot_root,      "pivot_root",      STEP,                   -2, -2 },
	{ SYS_unshare,         "unshare",         STEP,                   -2, -2 },
	{ SYS_clone,           "clone",           STEP,                   -2, -2 },
	{ SYS_clone3,          "clone3",          STEP,                   -2, -2 },
	{ SYS_fork,            "fork",            STEP,                   -2, -2 },
	{ SYS_vfork,           "vfork",           STEP,                   -2, -2 },
	{ SYS_execve,          "execve",          STEP,                    0, -1 },
	{ SYS_execveat,        "execveat",        STEP,                    1,  0 },
	{ SYS_kill,            "kill",            STEP,                   -2, -2 },
	{ SYS_pidfd_send_signal, "pidfd_send_signal", STEP,               -2, -2 },
	{ SYS_socket,          "socket",          FD,                     -2, -2 },
	{ SYS_socketpair,      "socketpair",      FD,                     -2, -2 },
	{ SYS_accept4,         "accept4",         FD,                     -2, -2 },
	{ SYS_pipe2,           "pipe2",           FD,                     -2, -2 },
	{ SYS_dup,             "dup",             FD,                     -2, -2 },
	{ SYS_epoll_create1,   "epoll_create1",   FD,                     -2, -2 },
	{ SYS_eventfd2,        "eventfd2",        FD,                     -2, -2 },
	{ SYS_memfd_create,    "memfd_create",    FD,                     -2, -2 },
	{ SYS_pidfd_open,      "pidfd_open",      FD,                     -2, -2 },
	{ SYS_clock_gettime,   "clock_gettime",   CLOCK,                  -2, -2 },
};
static const struct { const char *name; unsigned bits; } groups[] = {
	{ "space", SPACE }, { "change", CHANGE }, { "sync", SYNC },
	{ "fd", FD },       { "slow", SLOW },     { "move", MOVE },
};
static const struct { const char *name; int value; } errors[] = {
	{ "ENOSPC", ENOSPC }, { "EROFS", EROFS }, { "EMFILE", EMFILE }, { "EIO", EIO },
	{ "EDQUOT", EDQUOT }, { "EINTR", EINTR }, { "SHORT", SHORT },
};
static const struct { const char *name; int value; } signals[] = {
	{ "INT", SIGINT }, { "TERM", SIGTERM }, { "HUP", SIGHUP }, { "PIPE", SIGPIPE },
};
/* clang-format on */
enum { N_CALLS = sizeof(calls) / sizeof(calls[0]), N_GROUPS = sizeof(groups) / sizeof(groups[0]) };

static struct {
	const char *report, *trace, *kill, *below;
	long at, jump_s;
	int fail;
	unsigned of;
	bool goes_on, is_twice, counts;
	int signal;
} opt;

static FILE *trace;
static pid_t command;
static long n_steps, n_of_group, n_of_groups[N_GROUPS];
static bool is_hit;
static char place[1024];     /* the call where it happened */
static pid_t live[LIVE_MAX]; /* processes, not their threads */
static int n_live;
static pid_t seen[SEEN_MAX];
static int n_seen;

static void die(const char *what)
{
	perror(what);
	exit(70);
}

static void install_filter(void)
{
	struct sock_filter code[4 + 2 * N_CALLS];
	size_t n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < N_CALLS; i++) {
		if (!(calls[i].bits & ~(unsigned)(CLOCK | SLOW | MOVE)) &&
		    !(calls[i].bits & opt.of) && !(opt.counts && calls[i].bits != CLOCK) &&
		    (calls[i].bits != CLOCK || opt.jump_s == 0))
			continue;
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned)calls[i].nr, 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = (unsigned short)n, .filter = code };
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("no_new_privs");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		die("seccomp");
}

static void add_live(pid_t pid)
{
	if (n_seen < SEEN_MAX)
		seen[n_seen++] = pid;
	for (int i = 0; i < n_live; i++)
		if (live[i] == pid)
			return;
	if (n_live < LIVE_MAX)
		live[n_live++] = pid;
}

static void remove_live(pid_t pid)
{
	for (int i = 0; i < n_live; i++)
		if (live[i] == pid)
			live[i] = live[--n_live];
}

/* A process may end before its parent's stop tells of it: the list can hold numbers that are another's by now. */
static bool is_ours(pid_t pid)
{
	char name[64], line[256];
	long tracer = 0;

	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	FILE *file = fopen(name, "re");
	if (!file)
		return false;
	while (tracer == 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, "TracerPid:", 10) == 0)
			tracer = strtol(line + 10, NULL, 10);
	fclose(file);
	return tracer == getpid();
}

/* What /proc/<pid>/<what> points to, or "". */
static const char *proc_link(pid_t pid, const char *what, char *out, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	ssize_t n = readlink(path, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	return out;
}

static bool is_program(pid_t pid)
{
	char exe[PATH_MAX];
	const char *name = strrchr(proc_link(pid, "exe", exe, sizeof(exe)), '/');

	return name && strcmp(name, "/reconcile") == 0;
}

static unsigned long long argument(const struct user_regs_struct *regs, int i)
{
	switch (i) {
	case 0:
		return regs->rdi;
	case 1:
		return regs->rsi;
	case 2:
		return regs->rdx;
	case 3:
		return regs->r10;
	default:
		return regs->r8;
	}
}

/* The file a call is about, absolute; "" where that cannot be said. */
static void path_of(pid_t pid, const struct call *call, const struct user_regs_struct *regs,
		    char *out, size_t size)
{
	char text[PATH_MAX] = "", folder[PATH_MAX], what[32];
	char *at = (char *)(uintptr_t)0;

	out[0] = '\0';
	if (call->path == -2) {
		snprintf(what, sizeof(what), "fd/%d", (int)regs->rdi);
		proc_link(pid, what, out, size);
		return;
	}
	at += argument(regs, call->path);
	struct iovec to = { text, sizeof(text) - 1 }, from = { at, sizeof(text) - 1 };
	size_t page_left = 4096 - ((uintptr_t)at & 4095);
	if (process_vm_readv(pid, &to, 1, &from, 1, 0) <= 0) {
		to.iov_len = from.iov_len = page_left < sizeof(text) ? page_left : sizeof(text) - 1;
		if (process_vm_readv(pid, &to, 1, &from, 1, 0) <= 0)
			return;
	}
	if (text[0] == '/') {
		snprintf(out, size, "%s", text);
		return;
	}
	int dir = call->dir < 0 ? AT_FDCWD : (int)argument(regs, call->dir);
	snprintf(what, sizeof(what), dir == AT_FDCWD ? "cwd" : "fd/%d", dir);
	if (snprintf(out, size, "%s/%s", proc_link(pid, what, folder, sizeof(folder)), text) >=
	    (int)size)
		out[0] = '\0';
}

/* The bits of this very call: those of an open depend on its flags, those of a write on what is written to. */
static unsigned bits_of(pid_t pid, const struct call *call, const struct user_regs_struct *regs)
{
	unsigned bits = call->bits;
	struct stat st;
	char path[64];

	if (bits & OPEN) {
		int flags = (int)argument(regs, call->path + 1);
		if (flags & (O_CREAT | O_TRUNC))
			bits |= STEP | CHANGE;
		if (flags & O_CREAT)
			bits |= SPACE;
		if (flags & (O_WRONLY | O_RDWR))
			bits |= CHANGE;
	}
	if (bits & (DATA | MOVE)) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, (int)regs->rdi);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			bits = (bits & ~(unsigned)(bits & DATA ? SLOW : SLOW | MOVE)) |
			       (bits & DATA ? SPACE : 0);
	}
	/* Nobody waits, nobody is interrupted. */
	if ((call->nr == SYS_waitid && (regs->r10 & WNOHANG)) ||
	    (call->nr == SYS_wait4 && (regs->rdx & WNOHANG)) ||
	    (call->nr == SYS_flock && (regs->rsi & LOCK_NB)))
		bits &= ~(unsigned)SLOW;
	if ((bits & MOVE) && regs->rdx < 2)
		bits &= ~(unsigned)MOVE;
	return bits;
}

static void note_place(pid_t pid, const struct call *call, const struct user_regs_struct *regs)
{
	char path[PATH_MAX + 64], exe[PATH_MAX];

	if (is_hit)
		return;
	is_hit = true;
	path_of(pid, call, regs, path, sizeof(path));
	snprintf(place, sizeof(place), "%s%.200s %s %.400s", pid == command ? "run of " : "",
		 proc_link(pid, "exe", exe, sizeof(exe)), call->name, path);
}

static void print_step(pid_t pid, const struct call *call, const struct user_regs_struct *regs)
{
	char path[PATH_MAX + 64], name[64], comm[32] = "";

	snprintf(name, sizeof(name), "/proc/%d/comm", pid);
	FILE *file = fopen(name, "re");
	if (file) {
		if (!fgets(comm, sizeof(comm), file))
			comm[0] = '\0';
		fclose(file);
		comm[strcspn(comm, "\n")] = '\0';
	}
	path_of(pid, call, regs, path, sizeof(path));
	fprintf(trace, "%ld\t%s\t%s\t%s\n", n_steps,
		is_program(pid) ? (pid == command || comm[0] == 'r' ? "run" : "worker") : comm,
		call->name, path);
}

static void kill_at(pid_t pid, const struct call *call, const struct user_regs_struct *regs)
{
	note_place(pid, call, regs);
	if (strcmp(opt.kill, "all") == 0) {
		for (int i = 0; i < n_live; i++)
			if (is_ours(live[i]))
				kill(live[i], SIGKILL);
	} else {
		kill(strcmp(opt.kill, "step") == 0 ? pid : command, SIGKILL);
	}
}

static void signal_at(pid_t pid, const struct call *call, const struct user_regs_struct *regs)
{
	note_place(pid, call, regs);
	kill(command, opt.signal);
}

static bool is_below(pid_t pid, const struct call *call, const struct user_regs_struct *regs)
{
	char path[PATH_MAX + 64];

	if (!opt.below)
		return true;
	path_of(pid, call, regs, path, sizeof(path));
	return strncmp(path, opt.below, strlen(opt.below)) == 0;
}

/* Of calls that are made again when they were interrupted one in two, and no pattern that a loop could fall into. */
static bool is_next(void)
{
	return opt.fail != EINTR || ((unsigned long)n_of_group * 2654435761u >> 16) % 2 == 0;
}

/* Is this the call to fail, or one after it? */
static bool is_failing(pid_t pid, const struct call *call, const struct user_regs_struct *regs,
		       unsigned bits)
{
	if (!opt.fail || !(bits & opt.of) || !is_program(pid))
		return false;
	if ((opt.of & (SPACE | CHANGE)) && !is_below(pid, call, regs))
		return false;
	n_of_group++;
	return opt.at &&
	       (n_of_group == opt.at || (opt.goes_on && n_of_group > opt.at && is_next()));
}

/* An error instead of the call, or the call with less to do. */
static void fail(pid_t pid, struct user_regs_struct *regs)
{
	if (opt.fail == SHORT) {
		regs->rdx = (regs->rdx + 1) / 2;
	} else {
		regs->orig_rax = (unsigned long long)-1;
		regs->rax = (unsigned long long)-opt.fail;
	}
	ptrace(PTRACE_SETREGS, pid, NULL, regs);
}

static void count_groups(pid_t pid, const struct call *call, const struct user_regs_struct *regs,
			 unsigned bits)
{
	if (!is_program(pid))
		return;
	for (size_t i = 0; i < N_GROUPS; i++)
		if ((bits & groups[i].bits) &&
		    (!(groups[i].bits & (SPACE | CHANGE)) || is_below(pid, call, regs)))
			n_of_groups[i]++;
}

/* At the entry of a call. True: stop at its exit, too. */
static bool on_call(pid_t pid)
{
	struct user_regs_struct regs;
	const struct call *call = NULL;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return false;
	for (size_t i = 0; i < N_CALLS && !call; i++)
		if (calls[i].nr == (long)regs.orig_rax)
			call = &calls[i];
	if (!call)
		return false;
	unsigned bits = bits_of(pid, call, &regs);
	if (bits & CLOCK) {
		if (regs.rdi != CLOCK_REALTIME || !is_program(pid))
			return false;
		n_of_group++;
		return opt.at && n_of_group >= opt.at;
	}
	if (opt.counts)
		count_groups(pid, call, &regs, bits);
	if (is_failing(pid, call, &regs, bits)) {
		note_place(pid, call, &regs);
		fail(pid, &regs);
		return false;
	}
	if (!(bits & STEP))
		return false;
	n_steps++;
	if (trace)
		print_step(pid, call, &regs);
	if (opt.signal && opt.at && (n_steps == opt.at || (opt.is_twice && n_steps == opt.at + 1)))
		signal_at(pid, call, &regs);
	else if (opt.kill && !opt.signal && n_steps == opt.at &&
		 (strcmp(opt.kill, "step") != 0 || is_program(pid)))
		kill_at(pid, call, &regs);
	return false;
}

/* At the exit of clock_gettime. */
static void move_clock(pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0 || regs.rax != 0)
		return;
	errno = 0;
	long seconds = ptrace(PTRACE_PEEKDATA, pid, regs.rsi, NULL);
	if (errno == 0 && ptrace(PTRACE_POKEDATA, pid, regs.rsi, seconds + opt.jump_s) == 0)
		is_hit = true;
}

/* Without its vDSO a program asks the kernel for the time, where it can be answered for it. */
static void hide_vdso(pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return;
	unsigned long long at =
		regs.rsp + 8 +
		8 * (unsigned long long)ptrace(PTRACE_PEEKDATA, pid, regs.rsp, NULL) + 8;
	while (ptrace(PTRACE_PEEKDATA, pid, at, NULL) != 0)
		at += 8;
	for (at += 8;; at += 16) {
		long type = ptrace(PTRACE_PEEKDATA, pid, at, NULL);
		if (type == AT_NULL)
			return;
		if (type == AT_SYSINFO_EHDR)
			ptrace(PTRACE_POKEDATA, pid, at, AT_IGNORE);
	}
}

static void on_stop(pid_t pid, int status)
{
	int event = status >> 16, sig = WSTOPSIG(status);
	unsigned long child = 0;

	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		ptrace(on_call(pid) ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, 0);
		return;
	case PTRACE_EVENT_EXEC:
		if (opt.jump_s)
			hide_vdso(pid);
		break;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child) == 0)
			add_live((pid_t)child);
		break;
	case PTRACE_EVENT_CLONE: {
		char name[96];
		/* A thread is no process of its own. */
		if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child) == 0) {
			snprintf(name, sizeof(name), "/proc/%d/task/%lu", pid, child);
			if (access(name, F_OK) < 0)
				add_live((pid_t)child);
		}
		break;
	}
	case PTRACE_EVENT_STOP:
		if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU) {
			ptrace(PTRACE_LISTEN, pid, NULL, 0);
			return;
		}
		break;
	default:
		if (sig == (SIGTRAP | 0x80)) {
			move_clock(pid);
			break;
		}
		ptrace(PTRACE_CONT, pid, NULL, sig);
		return;
	}
	ptrace(PTRACE_CONT, pid, NULL, 0);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* Until there is nobody left, or STAY_MS after the command's end. Returns the command's wait status. */
static int follow(void)
{
	const struct itimerval stay = { .it_value = { STAY_MS / 1000, 0 },
					.it_interval = { 1, 0 } };
	const struct sigaction action = { .sa_handler = on_alarm };
	int status, result = 0;
	bool is_over = false;

	sigaction(SIGALRM, &action, NULL);
	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR && is_over)
			return result;
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return result;
		if (WIFSTOPPED(status)) {
			on_stop(pid, status);
			continue;
		}
		remove_live(pid);
		if (pid == command) {
			result = status;
			is_over = true;
			setitimer(ITIMER_REAL, &stay, NULL);
		}
	}
}

static void write_report(int status)
{
	char name[64], text[512];
	FILE *file = fopen(opt.report, "we");

	if (!file)
		die(opt.report);
	fprintf(file, "steps %ld\nhit %d\n%s %d\n", opt.kill || !opt.of ? n_steps : n_of_group,
		is_hit, WIFSIGNALED(status) ? "signal" : "exit",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (place[0])
		fprintf(file, "place %s\n", place);
	if (opt.jump_s)
		fprintf(file, "looks %ld\n", n_of_group);
	for (size_t i = 0; opt.counts && i < N_GROUPS; i++)
		fprintf(file, "of-%s %ld\n", groups[i].name, n_of_groups[i]);
	for (int i = 0; i < n_seen; i++)
		fprintf(file, "pid %d\n", seen[i]);
	for (int i = 0; i < n_live; i++) {
		if (!is_ours(live[i]))
			continue;
		snprintf(name, sizeof(name), "/proc/%d/cmdline", live[i]);
		int fd = open(name, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		for (ssize_t k = 0; k < n; k++)
			if (text[k] == '\0')
				text[k] = ' ';
		text[n > 0 ? n : 0] = '\0';
		if (fd >= 0)
			close(fd);
		fprintf(file, "stayed %d %s\n", live[i], text);
		kill(live[i], SIGKILL);
	}
	fclose(file);
}

static char **options(char **argv)
{
	char **arg = argv + 1;

	for (; *arg && strncmp(*arg, "--", 2) == 0; arg++) {
		const char *name = *arg + 2;
		if (strcmp(name, "on") == 0) {
			opt.goes_on = true;
			continue;
		}
		if (strcmp(name, "twice") == 0) {
			opt.is_twice = true;
			continue;
		}
		if (strcmp(name, "count") == 0) {
			opt.counts = true;
			continue;
		}
		const char *value = *++arg;
		if (!value)
			break;
		if (strcmp(name, "report") == 0)
			opt.report = value;
		else if (strcmp(name, "trace") == 0)
			opt.trace = value;
		else if (strcmp(name, "kill") == 0)
			opt.kill = value;
		else if (strcmp(name, "below") == 0)
			opt.below = value;
		else if (strcmp(name, "at") == 0)
			opt.at = strtol(value, NULL, 10);
		else if (strcmp(name, "jump") == 0)
			opt.jump_s = strtol(value, NULL, 10);
		for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
			if (strcmp(name, "fail") == 0 && strcmp(value, errors[i].name) == 0)
				opt.fail = errors[i].value;
		for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
			if (strcmp(name, "signal") == 0 && strcmp(value, signals[i].name) == 0)
				opt.signal = signals[i].value;
		for (size_t i = 0; i < N_GROUPS; i++)
			if (strcmp(name, "of") == 0 && strcmp(value, groups[i].name) == 0)
				opt.of = groups[i].bits;
	}
	return arg;
}

int main(int argc, char **argv)
{
	char **child_argv = options(argv);
	int go[2];
	char byte;

	if (argc < 2 || !opt.report || !*child_argv || (opt.fail && !opt.of)) {
		fputs("usage: see the head of tracer.c\n", stderr);
		return 64;
	}
	if (pipe2(go, O_CLOEXEC) < 0)
		die("pipe");
	command = fork();
	if (command < 0)
		die("fork");
	if (command == 0) {
		if (read(go[0], &byte, 1) != 1)
			_exit(70);
		install_filter();
		execvp(child_argv[0], child_argv);
		die(child_argv[0]);
	}
	if (ptrace(PTRACE_SEIZE, command, NULL,
		   PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
			   PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
			   PTRACE_O_TRACESYSGOOD) < 0) {
		printf("skipped: cannot trace: %s\n", strerror(errno));
		kill(command, SIGKILL);
		return 77;
	}
	if (opt.trace && !(trace = fopen(opt.trace, "we")))
		die(opt.trace);
	add_live(command);
	if (write(go[1], "", 1) != 1)
		die("write");
	int status = follow();
	if (trace)
		fclose(trace);
	write_report(status);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
#endif
