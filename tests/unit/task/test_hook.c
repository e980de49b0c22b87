/* SPDX-License-Identifier: Apache-2.0 */
/* test_hook.c — what a post commit hook runs, and real hooks in busybox. */
#include "buildexec/task/hook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/proc.h"

#define BUSYBOX "/bin/busybox"

static const char *joined(const struct strings *list, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(4096);

	for (size_t i = 0; i < list->n; i++)
		buf_printf(&out, "%s%s", i ? "|" : "", list->v[i]);
	return buf_copy(&out, arena);
}

static void split(const char *text, struct arena *arena, struct strings *out)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		vec_push(arena, out, arena_copy(arena, text, n));
		text += n + (text[n] == ' ');
	}
}

static void test_hook_argv__as_written_and_by_the_entrypoint(void **state)
{
	static const struct {
		const char *command, *args, *script, *entrypoint, *want;
	} rows[] = {
		{ "", "", NULL, "/entry", "" },
		{ "", "", "", "/entry", "" },
		{ "", "", "rake test", "/entry", "/bin/sh|-ic|rake test|/bin/sh" },
		{ "", "a b", "echo $1", "/entry", "/bin/sh|-ic|echo $1|/bin/sh|a|b" },
		{ "/bin/bash -c", "", NULL, "/entry", "/bin/bash|-c" },
		{ "/bin/bash -c", "true x", NULL, "/entry", "/bin/bash|-c|true|x" },
		{ "", "bundle exec", NULL, "/entry -x", "/entry|-x|bundle|exec" },
		{ "", "bundle exec", NULL, "", "bundle|exec" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct post_commit hook = { .script = rows[i].script };
		struct image_config config = { 0 };
		struct strings argv;

		split(rows[i].command, arena, &hook.command);
		split(rows[i].args, arena, &hook.args);
		split(rows[i].entrypoint, arena, &config.entrypoint);
		argv = hook_argv(&hook, &config, arena);
		assert_string_equal(joined(&argv, arena), rows[i].want);
		assert_int_equal(hook_is_set(&hook),
				 rows[i].want[0] != '\0' &&
					 (rows[i].script || rows[i].args[0] || rows[i].command[0]));
	}
	arena_free(arena);
}

struct fixture {
	struct arena *arena;
	struct bc_request config;
	struct build_request request;
	struct image_config image;
	struct hook_image hook;
	struct task task;
	const char *log;
	int saved_stderr;
};

static const char *at(const struct fixture *f, const char *name)
{
	return path_join(f->arena, f->task.work.path, name);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	static const char *const names[] = { "sh", "cat", "id", "pwd", "touch", "sleep", "env" };
	struct fixture *f = &fixture;
	struct err err = { 0 };
	char *bytes;
	size_t n;

	*f = (struct fixture){ .arena = arena_new() };
	f->task = (struct task){ .arena = f->arena,
				 .request = &f->request,
				 .phase = "",
				 .started_ms = clock_mono_ms(),
				 .out_fd = open("/dev/null", O_WRONLY | O_CLOEXEC) };
	f->request.config = &f->config;
	f->request.network = "none";
	if (!tmpdir_make(NULL, "hook-test", &f->task.work, &err) ||
	    chmod(f->task.work.path, 0755) != 0 || !fs_make_dirs(at(f, "root/bin"), 0755, &err) ||
	    !fs_make_dirs(at(f, "root/etc"), 0755, &err) ||
	    !fs_read(AT_FDCWD, BUSYBOX, 8u << 20, f->arena, &bytes, &n, &err) || !bytes ||
	    !fs_write_atomic(AT_FDCWD, at(f, "root/bin/busybox"), bytes, n, 0755, false, &err) ||
	    !fs_write_atomic(AT_FDCWD, at(f, "root/etc/passwd"),
			     "app:x:1001:7::/home/app:/bin/sh\n", 32, 0644, false, &err))
		return -1;
	for (size_t i = 0; i < COUNTOF(names); i++)
		if (symlink("busybox", at(f, arena_printf(f->arena, "root/bin/%s", names[i]))) != 0)
			return -1;
	vec_push(f->arena, &f->hook.lowers, at(f, "root"));
	f->hook.config = &f->image;
	f->image.user = "app";
	f->image.working_dir = "/srv/app";
	vec_push(f->arena, &f->image.env, "PATH=/bin");
	vec_push(f->arena, &f->image.env, "MODE=test");
	f->log = at(f, "log");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	fd_close(&f->task.out_fd);
	tmpdir_release(&f->task.work);
	arena_free(f->arena);
	return 0;
}

/* The log is stderr. */
static bool run(struct fixture *f, struct err *err)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	int fd = open(f->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool is_done;

	*err = (struct err){ 0 };
	f->task.reason = NULL;
	f->task.exit_code = 0;
	dup2(fd, STDERR_FILENO);
	close(fd);
	is_done = hook_run(&f->task, &f->hook, err);
	dup2(saved, STDERR_FILENO);
	close(saved);
	return is_done;
}

static const char *log_of(const struct fixture *f)
{
	struct err err = { 0 };
	char *text;
	size_t n;

	assert_true(fs_read(AT_FDCWD, f->log, 1 << 20, f->arena, &text, &n, &err));
	return text;
}

static void test_hook_run__nothing_to_do_is_success(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_true(run(f, &err));
	assert_string_equal(log_of(f), "");
}

static void test_hook_run__runs_as_the_image_would_and_keeps_nothing(void **state)
{
	struct fixture *f = *state;
	struct err err;

	f->config.spec.post_commit.script = "id -u; id -g; pwd; echo $MODE $HOME $0 $1; "
					    "touch /tmp/x /bin/x 2>/dev/null; echo done";
	vec_push(f->arena, &f->config.spec.post_commit.args, "first");
	if (!run(f, &err))
		fail_msg("%s\n%s", err.text, log_of(f));
	assert_non_null(strstr(log_of(f), "===> POST-COMMIT\n"));
	assert_non_null(strstr(log_of(f), "\n1001\n"));
	assert_non_null(strstr(log_of(f), "\n7\n"));
	assert_non_null(strstr(log_of(f), "/srv/app\ntest /home/app /bin/sh first\n"));
	assert_non_null(strstr(log_of(f), "done\n"));
	assert_false(fs_exists(at(f, "root/srv")));
	assert_false(fs_exists(at(f, "root/bin/x")));
}

static void test_hook_run__a_failure_is_the_builds_own(void **state)
{
	struct fixture *f = *state;
	struct err err;

	f->config.spec.post_commit.script = "exit 3";
	assert_false(run(f, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err.text, "the post commit hook '/bin/sh' failed (exit code 3)");
	assert_string_equal(f->task.reason, "PostCommitHookFailed");
	assert_int_equal(f->task.exit_code, 3);
	f->config.spec.post_commit = (struct post_commit){ 0 };
	vec_push(f->arena, &f->config.spec.post_commit.command, "/bin/none");
	assert_false(run(f, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(f->task.reason, "PostCommitHookFailed");
}

static void test_hook_run__ends_at_the_deadline(void **state)
{
	struct fixture *f = *state;
	struct err err;

	f->config.spec.post_commit.script = "sleep 60";
	f->request.timeout_s = 1;
	assert_false(run(f, &err));
	assert_true(f->task.is_timeout);
	assert_string_equal(err.text,
			    "DeadlineExceeded: the build took longer than its limit of 1 s");
	assert_string_equal(f->task.reason, "PostCommitHookFailed");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest pure[] = {
		cmocka_unit_test(test_hook_argv__as_written_and_by_the_entrypoint),
	};
	const struct CMUnitTest real[] = {
		cmocka_unit_test_setup_teardown(test_hook_run__nothing_to_do_is_success, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			test_hook_run__runs_as_the_image_would_and_keeps_nothing, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_hook_run__a_failure_is_the_builds_own, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_hook_run__ends_at_the_deadline, set_up,
						tear_down),
	};
	int failed = cmocka_run_group_tests(pure, NULL, NULL);

	(void)argc;
	(void)argv;
	if (access("/usr/bin/crun", X_OK) != 0 || access(BUSYBOX, X_OK) != 0) {
		print_message("skipped: containers need crun and busybox-static\n");
		return failed ? failed : 77;
	}
	proc_set_environment((const char *const[]){ "PATH=/usr/bin:/bin", NULL });
	return failed + cmocka_run_group_tests(real, NULL, NULL);
}
