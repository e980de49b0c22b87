/* SPDX-License-Identifier: Apache-2.0 */
/* test_sandbox.c — real containers: busybox as the only layer, crun as the runtime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "buildexec/sandbox/cgroup.h"
#include "buildexec/sandbox/sandbox.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"

#define BUSYBOX "/bin/busybox"

struct fixture {
	struct tmpdir dir;
	struct arena *arena;
	struct buf out, errors;
	struct sandbox_spec spec;
};

static void take(void *ctx, bool is_stderr, const char *bytes, size_t n)
{
	struct fixture *f = ctx;

	buf_add(is_stderr ? &f->errors : &f->out, bytes, n);
}

static char *at(const struct fixture *f, const char *name)
{
	return path_join(f->arena, f->dir.path, name);
}

static void copy_program(const char *from, const char *to)
{
	struct arena *arena = arena_new();
	struct err err = { 0 };
	char *bytes;
	size_t len;

	assert_true(fs_read(AT_FDCWD, from, 8u << 20, arena, &bytes, &len, &err));
	assert_true(fs_write_atomic(AT_FDCWD, to, bytes, len, 0755, false, &err));
	arena_free(arena);
}

static void fill_root(const struct fixture *f)
{
	static const char *const names[] = { "sh",    "cat",  "id",       "ls",   "sleep",   "true",
					     "touch", "env",  "rm",       "head", "mkdir",   "wc",
					     "tail",  "ip",   "mount",    "ps",   "unshare", "stat",
					     "dd",    "grep", "readlink", "chmod" };
	struct err err = { 0 };

	assert_true(fs_make_dirs(at(f, "base/bin"), 0755, &err));
	assert_true(fs_make_dirs(at(f, "base/etc"), 0755, &err));
	copy_program(BUSYBOX, at(f, "base/bin/busybox"));
	for (size_t i = 0; i < COUNTOF(names); i++)
		assert_int_equal(
			symlink("busybox", at(f, arena_printf(f->arena, "base/bin/%s", names[i]))),
			0);
	assert_true(
		fs_write_atomic(AT_FDCWD, at(f, "base/etc/name"), "base\n", 5, 0644, false, &err));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = { 0 };

	f->arena = arena_new();
	f->out = BUF_INIT(1u << 20);
	f->errors = BUF_INIT(1u << 20);
	*state = f;
	umask(022);
	if (!tmpdir_make(NULL, "test-sandbox", &f->dir, &err))
		return -1;
	chmod(f->dir.path, 0755);
	fill_root(f);
	f->spec = (struct sandbox_spec){
		.root = { .to = "/" },
		.cwd = "/",
		.uid = 1001,
		.gid = 1000,
		.output = take,
		.output_ctx = f,
	};
	vec_push(f->arena, &f->spec.root.lowers, at(f, "base"));
	vec_push(f->arena, &f->spec.env, "PATH=/bin");
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	buf_release(&f->out);
	buf_release(&f->errors);
	tmpdir_release(&f->dir);
	arena_free(f->arena);
	free(f);
	return 0;
}

static struct sandbox_result run(struct fixture *f, const char *script)
{
	struct sandbox_result result;
	struct err err = { 0 };

	buf_clear(&f->out);
	buf_clear(&f->errors);
	f->spec.argv = (struct strings){ 0 };
	vec_push(f->arena, &f->spec.argv, "/bin/sh");
	vec_push(f->arena, &f->spec.argv, "-c");
	vec_push(f->arena, &f->spec.argv, script);
	if (!sandbox_run(&f->spec, &result, &err))
		fail_msg("%s", err.text);
	return result;
}

static void prints(struct fixture *f, const char *script, const char *want)
{
	struct sandbox_result result = run(f, script);

	if (result.exit_code)
		print_message("exit %d: %s", result.exit_code, buf_text(&f->errors));
	assert_int_equal(result.exit_code, 0);
	assert_string_equal(buf_text(&f->out), want);
}

static void test_sandbox__gives_exit_code_and_both_streams(void **state)
{
	struct fixture *f = *state;
	struct sandbox_result result = run(f, "echo out; echo err >&2; exit 7");

	assert_int_equal(result.exit_code, 7);
	assert_string_equal(buf_text(&f->out), "out\n");
	assert_string_equal(buf_text(&f->errors), "err\n");
	assert_false(result.is_timeout || result.is_oom || result.missed);
	assert_int_equal(run(f, "sh -c 'kill -9 $$'; exit $?").exit_code, 137);
}

static void test_sandbox__runs_as_the_user_with_exactly_this_environment(void **state)
{
	static const uint32_t groups[] = { 2000, 3000 };
	struct fixture *f = *state;

	f->spec.groups = groups;
	f->spec.n_groups = 2;
	vec_push(f->arena, &f->spec.env, "ODD=a \"b\" \\c\n\xc3\xa9");
	f->spec.cwd = "/etc";
	prints(f,
	       "id; pwd; echo \"$ODD\"; grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status; env | "
	       "wc -l",
	       "uid=1001 gid=1000 groups=2000,3000\n/etc\na \"b\" \\c\n\xc3\xa9\n"
	       "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n6\n");
}

static void test_sandbox__joins_layers_and_keeps_changes_only_in_the_upper(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	assert_true(fs_make_dirs(at(f, "top/etc"), 0755, &err));
	assert_true(fs_make_dirs(at(f, "top/home"), 0755, &err));
	assert_int_equal(chmod(at(f, "top/home"), 0777), 0);
	assert_true(
		fs_write_atomic(AT_FDCWD, at(f, "top/etc/name"), "top\n", 4, 0644, false, &err));

	vec_push(f->arena, &f->spec.root.lowers, at(f, "top"));
	prints(f, "cat /etc/name; touch /home/thrown-away; ls /home", "top\nthrown-away\n");
	prints(f, "ls /home", "");
	f->spec.root.upper_dir = at(f, "kept/here");
	prints(f, "touch /home/kept", "");
	prints(f, "ls /home; touch /tmp/also", "kept\n");
	prints(f, "ls /tmp", "also\n");
	assert_true(fs_exists(at(f, "kept/here/fs/home/kept")));
	assert_false(fs_exists(at(f, "top/home/kept")));
}

static void test_sandbox__reads_whiteouts_and_opaque_folders_of_layers(void **state)
{
	struct fixture *f = *state;
	const char *opaque = geteuid() == 0 ? "trusted.overlay.opaque" : "user.overlay.opaque";
	struct err err = { 0 };

	assert_true(fs_make_dirs(at(f, "base/d"), 0755, &err));
	assert_true(fs_make_dirs(at(f, "base/o"), 0755, &err));
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "base/d/gone"), "", 0, 0644, false, &err));
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "base/d/left"), "", 0, 0644, false, &err));
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "base/o/hidden"), "", 0, 0644, false, &err));
	assert_true(fs_make_dirs(at(f, "top/d"), 0755, &err));
	assert_true(fs_make_dirs(at(f, "top/o"), 0755, &err));
	assert_int_equal(mknod(at(f, "top/d/gone"), S_IFCHR, makedev(0, 0)), 0);
	assert_int_equal(setxattr(at(f, "top/o"), opaque, "y", 1, 0), 0);
	vec_push(f->arena, &f->spec.root.lowers, at(f, "top"));
	prints(f, "ls /d /o", "/d:\nleft\n\n/o:\n");
}

static void test_sandbox__takes_a_layer_that_is_there_twice(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	assert_true(fs_make_dirs(at(f, "empty"), 0755, &err));
	assert_true(fs_make_dirs(at(f, "one/d"), 0755, &err));
	assert_true(fs_make_dirs(at(f, "two/d"), 0755, &err));
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "one/d/x"), "one\n", 4, 0644, false, &err));
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "two/d/x"), "two\n", 4, 0644, false, &err));
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "two/d/y"), "", 0, 0644, false, &err));
	for (size_t i = 0; i < 7; i++)
		vec_push(f->arena, &f->spec.root.lowers,
			 at(f, (const char *[]){ "empty", "one", "empty", "empty", "two", "one",
						 "empty" }[i]));
	prints(f, "cat /d/x; ls /d", "one\nx\ny\n");
}

static void test_sandbox__takes_hundreds_of_layers(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	for (int i = 0; i < 300; i++) {
		char *dir = at(f, arena_printf(f->arena, "layer-with-a-long-name-%04d", i));

		assert_true(fs_make_dirs(dir, 0755, &err));
		assert_true(fs_write_atomic(AT_FDCWD, path_join(f->arena, dir, "top"),
					    arena_printf(f->arena, "%d\n", i), 3, 0644, false,
					    &err));
		vec_push(f->arena, &f->spec.root.lowers, dir);
	}
	prints(f, "head -c 3 /top", "299");
}

static void test_sandbox__binds_and_overlays_inside(void **state)
{
	struct fixture *f = *state;
	struct sandbox_bind binds[] = {
		{ at(f, "work"), "/workspace", true },
		{ at(f, "read"), "/platform/read", false },
		{ at(f, "read/file"), "/etc/one", false },
	};
	struct sandbox_overlay overlay = { .to = "/layers/bp", .upper_dir = at(f, "changes") };
	struct err err = { 0 };

	assert_true(fs_make_dirs(at(f, "work"), 0755, &err));
	assert_true(fs_make_dirs(at(f, "read"), 0755, &err));
	assert_true(fs_make_dirs(at(f, "cached"), 0777, &err));
	assert_int_equal(chmod(at(f, "cached"), 0777), 0);
	assert_int_equal(chmod(at(f, "work"), 0777), 0);
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "read/file"), "r\n", 2, 0644, false, &err));
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "cached/c"), "c\n", 2, 0666, false, &err));
	vec_push(f->arena, &overlay.lowers, at(f, "cached"));
	f->spec.binds = binds;
	f->spec.n_binds = COUNTOF(binds);
	f->spec.overlays = &overlay;
	f->spec.n_overlays = 1;
	prints(f,
	       "cat /platform/read/file /etc/one /layers/bp/c; touch /workspace/new; "
	       "touch /platform/read/x 2>/dev/null || echo read-only",
	       "r\nr\nc\nread-only\n");
	assert_true(fs_exists(at(f, "work/new")));
	/* An overlay that nothing wrote to has an empty upper folder. */
	assert_int_equal(rmdir(at(f, "changes/fs")), 0);
	prints(f, "rm -f /layers/bp/c; ls /layers/bp", "");
	assert_true(fs_exists(at(f, "cached/c")));
	assert_int_not_equal(rmdir(at(f, "changes/fs")), 0);
}

static void test_sandbox__offline_has_loopback_only(void **state)
{
	struct fixture *f = *state;
	char ns[100] = "";

	prints(f, "tail -n +3 /proc/net/dev | wc -l; grep -c 'lo:' /proc/net/dev", "1\n1\n");
	f->spec.network = SANDBOX_HOST;
	if (fs_exists("/etc/hosts"))
		prints(f, "wc -c < /etc/hosts > /tmp/n; [ -s /etc/hosts ] && echo there",
		       "there\n");
	assert_true(readlink("/proc/self/ns/net", ns, sizeof(ns) - 1) > 0);
	prints(f, "readlink /proc/self/ns/net", arena_printf(f->arena, "%s\n", ns));
}

static void test_sandbox__refuses_what_reaches_out(void **state)
{
	static const char *const scripts[] = {
		"mount -t tmpfs none /tmp",
		"unshare -U true",
		"unshare -m true",
		"echo 1 > /proc/sys/kernel/panic",
		"cat /proc/kcore | head -c 1 | grep .",
		"echo x > /sys/kernel/profiling",
		"dd if=/dev/sda of=/tmp/x count=1",
	};
	struct fixture *f = *state;

	f->spec.uid = 0;
	f->spec.gid = 0;
	for (size_t i = 0; i < COUNTOF(scripts); i++)
		if (run(f, scripts[i]).exit_code == 0)
			fail_msg("allowed: %s", scripts[i]);
}

static void need_cgroup(struct fixture *f, struct sandbox_limits limits)
{
	struct cgroup cgroup;

	cgroup_make(&cgroup, &limits);
	cgroup_remove(&cgroup);
	f->spec.limits = limits;
	if (!cgroup.missed)
		return;
	print_message("skipped: no writable cgroup here\n");
	skip();
}

static void test_sandbox__tells_an_oom_kill(void **state)
{
	struct fixture *f = *state;
	struct sandbox_result result;

	need_cgroup(f, (struct sandbox_limits){ .memory_bytes = 32 << 20 });
	result = run(f, "head -c 200000000 /dev/zero | tail -c 190000000 | wc -c");
	assert_true(result.is_oom);
	result = run(f, "echo fine");
	assert_false(result.is_oom);
	assert_int_equal(result.exit_code, 0);
}

static void test_sandbox__limits_processes(void **state)
{
	struct fixture *f = *state;
	struct sandbox_result result;

	need_cgroup(f, (struct sandbox_limits){ .n_pids = 10 });
	result =
		run(f, "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 5 & done; echo all");
	assert_string_equal(buf_text(&f->out), "");
	assert_non_null(strstr(buf_text(&f->errors), "fork"));
	assert_int_not_equal(result.exit_code, 0);
}

static void test_sandbox__limits_cpu(void **state)
{
	struct fixture *f = *state;
	struct sandbox_result result;

	need_cgroup(f, (struct sandbox_limits){ .cpu_millis = 200 });
	result = run(f, "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done");
	assert_int_equal(result.exit_code, 0);
	assert_int_equal(result.missed, 0);
}

static void test_sandbox__ends_everything_at_the_time_limit(void **state)
{
	struct fixture *f = *state;
	struct sandbox_result result;

	f->spec.limits.wall_ms = 300;
	result = run(f, "trap '' TERM INT; (trap '' TERM; sleep 60; echo late) & sleep 60; wait");
	assert_true(result.is_timeout);
	assert_true(result.wall_ms >= 300 && result.wall_ms < 5000);
	assert_string_equal(buf_text(&f->out), "");
}

static bool at_once(void *ctx)
{
	return clock_mono_ms() > *(int64_t *)ctx;
}

static void test_sandbox__ends_when_cancelled(void **state)
{
	struct fixture *f = *state;
	int64_t when_ms = clock_mono_ms() + 200;
	struct sandbox_result result;

	f->spec.is_cancelled = at_once;
	f->spec.cancel_ctx = &when_ms;
	result = run(f, "sleep 60");
	assert_true(result.is_cancelled);
	assert_false(result.is_timeout);
	assert_true(result.wall_ms < 5000);
}

/* Kills our only child, which is the runtime, as soon as its container says something. */
static void kill_runtime(void *ctx, bool is_stderr, const char *bytes, size_t n)
{
	char path[64], text[32] = "";
	FILE *file;

	(void)ctx, (void)is_stderr, (void)bytes, (void)n;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)gettid());
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_int_equal(kill((pid_t)strtol(text, NULL, 10), SIGKILL), 0);
}

static void test_sandbox__a_killed_runtime_is_no_exit_code(void **state)
{
	static const char *const argv[] = { "/bin/sh", "-c", "echo up; sleep 60" };
	struct fixture *f = *state;
	struct sandbox_result result;
	struct err err = { 0 };

	f->spec.argv = (struct strings){ 0 };
	for (size_t i = 0; i < COUNTOF(argv); i++)
		vec_push(f->arena, &f->spec.argv, argv[i]);
	f->spec.output = kill_runtime;
	assert_false(sandbox_run(&f->spec, &result, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_string_equal(err.text, "the container's runtime was killed from outside (signal 9)");
	assert_true(result.wall_ms < 10000);
}

static void test_sandbox__a_failure_on_a_full_disk_is_not_the_commands(void **state)
{
	struct fixture *f = *state;
	struct sandbox_result result;
	struct err err = { 0 };
	const char *small = at(f, "small");
	bool is_done;

	assert_int_equal(mkdir(small, 0755), 0);
	if (mount("none", small, "tmpfs", 0, "size=512k") < 0)
		skip();
	f->spec.work_dir = small;
	assert_int_equal(run(f, "exit 0").exit_code, 0);
	f->spec.argv.v[2] = "exit 3";
	is_done = sandbox_run(&f->spec, &result, &err);
	assert_int_equal(umount(small), 0);
	assert_false(is_done);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_string_equal(err.text, "'/bin/sh' failed (exit code 3) and the disk is full");
}

static void test_sandbox__says_why_it_could_not_run(void **state)
{
	struct fixture *f = *state;
	struct sandbox_result result;
	struct err err = { 0 };

	vec_push(f->arena, &f->spec.argv, "/bin/nope");
	assert_false(sandbox_run(&f->spec, &result, &err));
	assert_int_equal(err.kind, ERR_ABSENT);
	assert_non_null(strstr(err.text, "cannot start '/bin/nope' in the container"));
	f->spec.runtime = "no-such-runtime";
	assert_false(sandbox_run(&f->spec, &result, &err));
	assert_int_equal(err.kind, ERR_ABSENT);
	assert_non_null(strstr(err.text, "no 'no-such-runtime' in PATH"));
	f->spec.runtime = NULL;
	f->spec.root.lowers.v[0] = "/nonexistent";
	assert_false(sandbox_run(&f->spec, &result, &err));
	assert_non_null(strstr(err.text, "cannot use layer '/nonexistent'"));
	f->spec.cwd = "relative";
	assert_false(sandbox_run(&f->spec, &result, &err));
	assert_int_equal(err.kind, ERR_INVALID);
}

static size_t count_lines(const char *path, const char *word)
{
	char line[4096];
	size_t n = 0;
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, word) != NULL;
	if (file)
		fclose(file);
	return n;
}

/* The owner is killed in the middle: processes end at once, mounts were never ours, the next sweep takes the rest. */
static void killed_owner(struct fixture *f)
{
	struct cgroup_probe {
		int64_t until_ms;
	} wait = { clock_mono_ms() + 10000 };
	char *pid_file = at(f, "work/pid");
	struct sandbox_bind bind = { at(f, "work"), "/job", true };
	struct err err = { 0 };
	char *text = NULL;
	size_t len;
	pid_t pid;

	assert_true(fs_make_dirs(at(f, "work"), 0777, &err));
	assert_int_equal(chmod(at(f, "work"), 0777), 0);
	assert_int_equal(mkdir(at(f, "run"), 0777), 0);
	assert_int_equal(chmod(at(f, "run"), 0777), 0);
	f->spec.binds = &bind;
	f->spec.n_binds = 1;
	f->spec.work_dir = at(f, "run");
	f->spec.limits.n_pids = 100;
	f->spec.limits.may_be_missed = true;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		run(f, "sleep 987654 & echo started > /job/pid; sleep 987654");
		_exit(0);
	}
	while (!text && clock_mono_ms() < wait.until_ms) {
		clock_sleep_ms(10);
		assert_true(fs_read(AT_FDCWD, pid_file, 100, f->arena, &text, &len, &err));
	}
	assert_non_null(text);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool has_sleepers(struct fixture *f)
{
	AUTO_BUF out = BUF_INIT(1000);
	struct proc_spec spec = { .argv = (const char *[]){ "pgrep", "-f", "sleep 98765[4]", NULL },
				  .out = &out };
	struct proc_result result;
	struct err err = { 0 };

	(void)f;
	assert_true(proc_run(&spec, &result, &err));
	return result.exit_code == 0;
}

static void nothing_is_left(struct fixture *f)
{
	for (int i = 0; i < 300 && has_sleepers(f); i++)
		clock_sleep_ms(10);
	assert_false(has_sleepers(f));
	assert_int_equal(count_lines("/proc/self/mountinfo", f->dir.path), 0);
	for (int i = 0; i < 100 && rmdir(at(f, "run")) < 0; i++) {
		fs_sweep_temp(at(f, "run"), "reconcile-run");
		sandbox_sweep();
		clock_sleep_ms(10);
	}
	assert_false(fs_exists(at(f, "run")));
}

static void test_sandbox__leaves_nothing_when_its_owner_is_killed(void **state)
{
	struct fixture *f = *state;

	killed_owner(f);
	nothing_is_left(f);
}

/* The same program run as an unprivileged user, whose ids then stand for the container's. */
static void test_sandbox__runs_without_root(void **state)
{
	struct fixture *f = *state;
	struct sandbox_bind bind = { at(f, "work"), "/job", true };
	struct err err = { 0 };

	f->spec.is_rootless = true;
	f->spec.binds = &bind;
	f->spec.n_binds = 1;
	f->spec.root.upper_dir = at(f, "upper");
	assert_true(fs_make_dirs(at(f, "work"), 0755, &err));
	prints(f, "id -u; id -g; touch /job/new /etc/new; cat /etc/name; stat -c %u /bin/busybox",
	       "1001\n1000\nbase\n1001\n");
	prints(f, "ls /etc", "name\nnew\n");
	assert_true(fs_exists(at(f, "work/new")));
	assert_int_equal(run(f, "mount -t tmpfs none /tmp").exit_code == 0, false);
	f->spec.network = SANDBOX_HOST;
	prints(f, "echo on the host network", "on the host network\n");
}

static void test_sandbox__rootless_leaves_nothing_when_its_owner_is_killed(void **state)
{
	struct fixture *f = *state;

	f->spec.is_rootless = true;
	killed_owner(f);
	nothing_is_left(f);
}

static void test_sandbox__an_unenforceable_limit_is_an_error_or_noted(void **state)
{
	struct fixture *f = *state;
	struct sandbox_result result;
	struct err err = { 0 };
	struct cgroup cgroup;

	f->spec.limits = (struct sandbox_limits){ .memory_bytes = 64 << 20 };
	cgroup_make(&cgroup, &f->spec.limits);
	cgroup_remove(&cgroup);
	if (!cgroup.missed) {
		print_message("skipped: this user can limit memory\n");
		skip();
	}
	vec_push(f->arena, &f->spec.argv, "/bin/true");
	assert_false(sandbox_run(&f->spec, &result, &err));
	assert_string_equal(
		err.text, "cannot limit a container's memory here: no writable cgroup (run as root "
			  "or in a delegated cgroup, or leave the limit out)");
	f->spec.limits.may_be_missed = true;
	assert_true(sandbox_run(&f->spec, &result, &err));
	assert_int_equal(result.missed, SANDBOX_MEMORY);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest everyone[] = {
	ROW(test_sandbox__runs_without_root),
	ROW(test_sandbox__rootless_leaves_nothing_when_its_owner_is_killed),
	ROW(test_sandbox__gives_exit_code_and_both_streams),
	ROW(test_sandbox__a_killed_runtime_is_no_exit_code),
	ROW(test_sandbox__a_failure_on_a_full_disk_is_not_the_commands),
	ROW(test_sandbox__joins_layers_and_keeps_changes_only_in_the_upper),
	ROW(test_sandbox__reads_whiteouts_and_opaque_folders_of_layers),
	ROW(test_sandbox__takes_a_layer_that_is_there_twice),
	ROW(test_sandbox__takes_hundreds_of_layers),
	ROW(test_sandbox__binds_and_overlays_inside),
	ROW(test_sandbox__offline_has_loopback_only),
	ROW(test_sandbox__ends_everything_at_the_time_limit),
	ROW(test_sandbox__ends_when_cancelled),
	ROW(test_sandbox__says_why_it_could_not_run),
	ROW(test_sandbox__an_unenforceable_limit_is_an_error_or_noted),
};

static const struct CMUnitTest as_root[] = {
	ROW(test_sandbox__runs_as_the_user_with_exactly_this_environment),
	ROW(test_sandbox__refuses_what_reaches_out),
	ROW(test_sandbox__tells_an_oom_kill),
	ROW(test_sandbox__limits_processes),
	ROW(test_sandbox__limits_cpu),
	ROW(test_sandbox__leaves_nothing_when_its_owner_is_killed),
};

/* Everything once more without privileges, in a process that gave them up. */
static int run_as_nobody(void)
{
	const uid_t nobody = 65534;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(nobody, nobody, nobody) < 0 ||
		    setresuid(nobody, nobody, nobody) < 0)
			_exit(2);
		/* As it would be after exec; else our own /proc files stay root's. */
		prctl(PR_SET_DUMPABLE, 1);
		_exit(cmocka_run_group_tests_name("as nobody", everyone, NULL, NULL));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(void)
{
	char path[PATH_MAX];
	int failed;

	if (!proc_find("crun", path) || access(BUSYBOX, X_OK) < 0) {
		print_message("skipped: containers need crun and busybox-static\n");
		return 77;
	}
	failed = cmocka_run_group_tests(everyone, NULL, NULL);
	if (geteuid() != 0)
		return failed;
	failed += cmocka_run_group_tests_name("as root", as_root, NULL, NULL);
	return failed + run_as_nobody();
}
