/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.c — one container from its folder to its result: lay out the bundle (names of layers made short, for a mount's
 * data is one page), limit, start, collect, clean up. What is mounted belongs to the child's namespace (enter.c).
 */
#include "buildexec/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buildexec/sandbox/bundle.h"
#include "buildexec/sandbox/cgroup.h"
#include "buildexec/sandbox/enter.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

enum {
	CONFIG_MAX = 4 << 20,
	LOG_MAX = 64 * 1024,
	CHUNK = 32 * 1024,
	TICK_MS = 100,
	DATA_MAX = 4096
};

static const char temp_prefix[] = "reconcile-run";

/* One run while it lasts. */
struct run {
	const struct sandbox_spec *spec;
	struct sandbox_result *result;
	struct arena *arena;
	struct tmpdir dir;
	const char *bundle;
	bool is_rootless;
	struct cgroup cgroup;
	struct enter_overlay *overlays;
	int out[2], err_out[2]; /* pipes, when output is collected */
	pid_t pid;
	int pidfd;
	int killed_by; /* signal that ended the runtime; 0: none */
};

static bool make_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make folder '%s'", path);
	return true;
}

static bool make_link(const char *target, const char *path, struct err *err)
{
	if (symlink(target, path) < 0)
		return err_sys(err, errno, "cannot make link '%s'", path);
	return true;
}

/* The upper folder gives the joined one its mode and owner: once, those of the topmost layer. */
static bool make_kept(const char *path, const struct enter_overlay *like, struct err *err)
{
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST || err_sys(err, errno, "cannot make folder '%s'", path);
	/* Only root may give folders away; otherwise all are ours anyway. */
	(void)!chown(path, like->uid, like->gid);
	if (chmod(path, like->mode) < 0)
		return err_sys(err, errno, "cannot set the mode of folder '%s'", path);
	return true;
}

/*
 * A kept upper folder. The work folder is overlayfs' own and starts empty each time: what an unsynced ("volatile") mount
 * left there would forbid the next.
 */
static bool lay_out_upper(struct run *run, const char *upper_dir, const struct enter_overlay *like,
			  struct err *err)
{
	const char *dir = like->dir;
	const char *fs = path_join(run->arena, upper_dir, "fs");
	const char *work = path_join(run->arena, upper_dir, "work");

	return fs_make_dirs(upper_dir, 0755, err) && make_kept(fs, like, err) &&
	       fs_remove_tree(work, err) && make_dir(work, err) &&
	       make_link(fs, path_join(run->arena, dir, "u"), err) &&
	       make_link(work, path_join(run->arena, dir, "w"), err);
}

static bool lay_out_scratch(struct run *run, struct enter_overlay *out, const char *name,
			    struct err *err)
{
	out->upper = arena_printf(run->arena, "%s/scratch/%s-u", run->bundle, name);
	out->work = arena_printf(run->arena, "%s/scratch/%s-w", run->bundle, name);
	return make_link(out->upper, path_join(run->arena, out->dir, "u"), err) &&
	       make_link(out->work, path_join(run->arena, out->dir, "w"), err);
}

/*
 * Is the layer at `i` there again, further up? Images repeat layers (the empty one of Dockerfile instructions), overlayfs
 * refuses a folder twice. Whatever a layer adds or hides, its upper self adds or hides again: the lower one can go.
 */
static bool comes_again(const struct strings *lowers, size_t i)
{
	for (size_t k = i + 1; k < lowers->n; k++)
		if (strcmp(lowers->v[k], lowers->v[i]) == 0)
			return true;
	return false;
}

/* <bundle>/l-<name>/ holds links "0", "1", … to the lowers, "u" and "w". */
static bool lay_out_overlay(struct run *run, const struct sandbox_overlay *overlay,
			    const char *name, struct enter_overlay *out, struct err *err)
{
	AUTO_BUF data = BUF_INIT(DATA_MAX);
	struct stat top;
	char number[32];

	if (overlay->lowers.n == 0 || overlay->lowers.n > LIMIT_LAYERS)
		return err_set(err, ERR_INVALID, "a container needs 1 to %u layers, not %zu",
			       LIMIT_LAYERS, overlay->lowers.n);
	out->dir = arena_printf(run->arena, "%s/l-%s", run->bundle, name);
	out->target = path_join(run->arena, run->bundle, name);
	if (!make_dir(out->dir, err) || !make_dir(out->target, err))
		return false;
	buf_puts(&data, "lowerdir");
	for (size_t i = overlay->lowers.n; i-- > 0;) {
		if (comes_again(&overlay->lowers, i))
			continue;
		snprintf(number, sizeof(number), "%zu", i);
		if (!make_link(overlay->lowers.v[i], path_join(run->arena, out->dir, number), err))
			return false;
		buf_printf(&data, "%c%s", i + 1 == overlay->lowers.n ? '=' : ':', number);
	}
	buf_puts(&data, ",upperdir=u,workdir=w");
	out->data = buf_copy(&data, run->arena);
	if (stat(overlay->lowers.v[overlay->lowers.n - 1], &top) < 0)
		return err_sys(err, errno, "cannot use layer '%s'",
			       overlay->lowers.v[overlay->lowers.n - 1]);
	out->mode = top.st_mode & 07777;
	out->uid = top.st_uid;
	out->gid = top.st_gid;
	return overlay->upper_dir ? lay_out_upper(run, overlay->upper_dir, out, err)
				  : lay_out_scratch(run, out, name, err);
}

static bool lay_out(struct run *run, struct err *err)
{
	const struct sandbox_spec *spec = run->spec;
	AUTO_BUF config = BUF_INIT(CONFIG_MAX);

	if (!tmpdir_make(spec->work_dir, temp_prefix, &run->dir, err))
		return false;
	run->bundle = run->dir.path;
	run->overlays = arena_array(run->arena, spec->n_overlays + 1, sizeof(*run->overlays));
	if (!make_dir(path_join(run->arena, run->bundle, "scratch"), err) ||
	    !lay_out_overlay(run, &spec->root, BUNDLE_ROOT, &run->overlays[0], err))
		return false;
	for (size_t i = 0; i < spec->n_overlays; i++)
		if (!lay_out_overlay(run, &spec->overlays[i],
				     arena_printf(run->arena, "over-%zu", i), &run->overlays[i + 1],
				     err))
			return false;
	bundle_print(spec, run->bundle, run->is_rootless, &config);
	if (config.is_over)
		return err_set(err, ERR_INVALID,
			       "the container's command and environment are too large");
	return fs_write_atomic(AT_FDCWD, path_join(run->arena, run->bundle, "config.json"),
			       config.data, config.len, 0600, false, err);
}

static const char *missed_names(unsigned missed, struct arena *arena)
{
	return arena_printf(arena, "%s%s%s", missed & SANDBOX_MEMORY ? " memory" : "",
			    missed & SANDBOX_CPU ? " cpu" : "",
			    missed & SANDBOX_PIDS ? " pids" : "");
}

static bool check_limits(struct run *run, struct err *err)
{
	run->result->missed = run->cgroup.missed;
	if (!(run->cgroup.missed & ~run->spec->limits.may_miss) || run->spec->limits.may_be_missed)
		return true;
	return err_set(err, ERR_SYSTEM,
		       "cannot limit a container's%s here: no writable cgroup (run as root or in a "
		       "delegated cgroup, or leave the limit out)",
		       missed_names(run->cgroup.missed & ~run->spec->limits.may_miss, run->arena));
}

static void join_cgroup(void *ctx, pid_t pid)
{
	struct run *run = ctx;

	cgroup_add(&run->cgroup, pid);
}

static bool open_output(struct run *run, struct err *err)
{
	if (!run->spec->output)
		return true;
	if (pipe2(run->out, O_CLOEXEC) < 0 || pipe2(run->err_out, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	return true;
}

static bool start(struct run *run, struct err *err)
{
	static const char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL
	};
	const struct sandbox_spec *spec = run->spec;
	const char *name = spec->runtime ? spec->runtime : "crun";
	const char *scratch = path_join(run->arena, run->bundle, "scratch");
	const char *argv[] = {
		name,
		"--root",
		path_join(run->arena, scratch, "state"),
		"--cgroup-manager=disabled",
		"--log",
		path_join(run->arena, run->bundle, "log"),
		"--log-format",
		"json",
		"run",
		"--bundle",
		run->bundle,
		"container",
		NULL,
	};
	AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct enter_spec enter = {
		.argv = argv,
		.env = env,
		.bundle = run->bundle,
		.scratch = scratch,
		.overlays = run->overlays,
		.n_overlays = spec->n_overlays + 1,
		.is_rootless = run->is_rootless,
		.fds = { spec->in_fd > 0 ? spec->in_fd : null,
			 spec->output       ? run->out[1]
			 : spec->out_fd > 0 ? spec->out_fd
					    : null,
			 spec->output       ? run->err_out[1]
			 : spec->err_fd > 0 ? spec->err_fd
					    : null },
		.prepare = join_cgroup,
		.ctx = run,
	};
	char path[PATH_MAX];

	if (null < 0)
		return err_sys(err, errno, "cannot open '/dev/null'");
	enter.program = name;
	if (!strchr(name, '/')) {
		if (!proc_find(name, path))
			return err_set(
				err, ERR_ABSENT,
				"cannot run containers: no '%s' in PATH (install it, or name "
				"another OCI runtime)",
				name);
		enter.program = path;
	}
	if (!enter_start(&enter, &run->pid, err))
		return false;
	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	return check_limits(run, err);
}

static void pass_on(struct run *run, int *fd, bool is_stderr)
{
	char chunk[CHUNK];
	ssize_t n;

	do
		n = read(*fd, chunk, sizeof(chunk));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		fd_close(fd);
	else
		run->spec->output(run->spec->output_ctx, is_stderr, chunk, (size_t)n);
}

/* True when it must end now. */
static bool is_due(struct run *run, int64_t started_ms)
{
	const struct sandbox_spec *spec = run->spec;
	int64_t wall_ms = spec->limits.wall_ms;

	run->result->is_timeout = wall_ms > 0 && clock_mono_ms() - started_ms >= wall_ms;
	run->result->is_cancelled = spec->is_cancelled && spec->is_cancelled(spec->cancel_ctx);
	return run->result->is_timeout || run->result->is_cancelled;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) < 0 ||
	       info.si_pid == pid;
}

static int tick_ms(const struct run *run, int64_t started_ms)
{
	int64_t wall_ms = run->spec->limits.wall_ms;
	int64_t left = wall_ms > 0 ? started_ms + wall_ms - clock_mono_ms() : INT_MAX;
	int64_t tick = run->spec->is_cancelled || run->pidfd < 0 ? TICK_MS : INT_MAX;

	if (left < 0)
		left = 0;
	return (int)(left < tick ? left : tick);
}

/*
 * Until the first process has ended; by then the kernel has killed all others in its namespace, so that the pipes end too.
 * Killing the first process is how a limit ends everything.
 */
static void collect(struct run *run, int64_t started_ms)
{
	bool is_killed = false;

	for (;;) {
		/* Asked once: were it to end between two questions, there would be nothing to wait for. */
		bool is_over = has_ended(run->pid);
		struct pollfd polls[] = {
			{ .fd = run->out[0], .events = POLLIN },
			{ .fd = run->err_out[0], .events = POLLIN },
			{ .fd = is_over ? -1 : run->pidfd, .events = POLLIN },
		};

		if (is_over && run->out[0] < 0 && run->err_out[0] < 0)
			return;

		if (!is_killed && is_due(run, started_ms)) {
			kill(run->pid, SIGKILL);
			is_killed = true;
		}
		if (poll(polls, COUNTOF(polls), is_killed ? TICK_MS : tick_ms(run, started_ms)) <=
		    0)
			continue;
		if (polls[0].revents)
			pass_on(run, &run->out[0], false);
		if (polls[1].revents)
			pass_on(run, &run->err_out[0], true);
	}
}

static void reap(struct run *run)
{
	int status = 0;

	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	run->pid = 0;
	run->killed_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	run->result->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The runtime's own error, from its log of JSON lines; NULL when it had none. */
static const char *runtime_error(struct run *run)
{
	const char *path = path_join(run->arena, run->bundle, "log");
	struct err ignored = { 0 };
	const char *line, *end;
	char *text;
	size_t len;

	if (!fs_read(AT_FDCWD, path, LOG_MAX, run->arena, &text, &len, &ignored) || !text)
		return NULL;
	for (line = text; *line; line = *end ? end + 1 : end) {
		struct node *node;
		const char *level;

		end = line + strcspn(line, "\n");
		if (!json_parse(line, (size_t)(end - line), run->arena, &node, &ignored))
			continue;
		level = node_text(node, "level");
		if (level && strcmp(level, "error") == 0)
			return node_text(node, "msg");
	}
	return NULL;
}

static bool judge(struct run *run, struct err *err)
{
	const char *text = runtime_error(run);

	run->result->is_oom = cgroup_had_oom(&run->cgroup);
	if (run->result->is_timeout || run->result->is_cancelled || run->result->is_oom)
		return true;
	/* What the container's own process dies of is an exit code of the runtime: this came from outside. */
	if (run->killed_by)
		return err_set(err, ERR_SYSTEM,
			       "the container's runtime was killed from outside (signal %d)",
			       run->killed_by);
	if (!text && run->result->exit_code != 0 && fs_is_full(run->bundle))
		return err_set(err, ERR_SYSTEM, "'%s' failed (exit code %d) and the disk is full",
			       run->spec->argv.v[0], run->result->exit_code);
	if (!text)
		return true;
	if (strstr(text, "executable file") || strstr(text, "No such file"))
		return err_set(err, ERR_ABSENT, "cannot start '%s' in the container: %s",
			       run->spec->argv.v[0], text);
	return err_set(err, ERR_SYSTEM, "cannot run the container: %s", text);
}

static bool run_it(struct run *run, struct err *err)
{
	int64_t started_ms = clock_mono_ms();
	bool is_ok;

	if (!lay_out(run, err))
		return false;
	cgroup_make(&run->cgroup, &run->spec->limits);
	is_ok = check_limits(run, err) && open_output(run, err) && start(run, err);
	fd_close(&run->out[1]);
	fd_close(&run->err_out[1]);
	if (is_ok)
		collect(run, started_ms);
	else if (run->pid > 0)
		kill(run->pid, SIGKILL);
	if (run->pid > 0)
		reap(run);
	run->result->wall_ms = clock_mono_ms() - started_ms;
	return is_ok && judge(run, err);
}

static void sweep_once(const char *work_dir)
{
	static atomic_flag is_swept = ATOMIC_FLAG_INIT;

	if (atomic_flag_test_and_set(&is_swept))
		return;
	cgroup_sweep();
	fs_sweep_temp(work_dir, temp_prefix);
}

void sandbox_sweep(void)
{
	cgroup_sweep();
	fs_sweep_temp(NULL, temp_prefix);
}

bool sandbox_run(const struct sandbox_spec *spec, struct sandbox_result *out, struct err *err)
{
	struct run run = {
		.spec = spec,
		.result = out,
		.out = { -1, -1 },
		.err_out = { -1, -1 },
		.pidfd = -1,
		.is_rootless = spec->is_rootless || geteuid() != 0,
	};
	bool is_ok;

	*out = (struct sandbox_result){ 0 };
	if (spec->argv.n == 0 || spec->cwd[0] != '/')
		return err_set(err, ERR_INVALID,
			       "a container needs a command and an absolute folder");
	sweep_once(spec->work_dir);
	run.arena = arena_new();
	is_ok = run_it(&run, err);
	cgroup_remove(&run.cgroup);
	for (int i = 0; i < 2; i++) {
		fd_close(&run.out[i]);
		fd_close(&run.err_out[i]);
	}
	fd_close(&run.pidfd);
	tmpdir_release(&run.dir);
	arena_free(run.arena);
	return is_ok;
}
