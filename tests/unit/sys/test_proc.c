/* SPDX-License-Identifier: Apache-2.0 */
/* test_proc.c — children: results, streams, time limits, descriptors, groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"

static void test_proc__a_failing_exit_is_a_value(void **state)
{
	static const struct {
		const char *script, *text;
		int exit_code, signal;
	} rows[] = {
		{ "exit 0", "exit status 0", 0, 0 },
		{ "exit 3", "exit status 3", 3, 0 },
		{ "kill -9 $$", "killed by signal 9 (SIGKILL)", -1, 9 },
		{ "kill -15 $$", "killed by signal 15 (SIGTERM)", -1, 15 },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *argv[] = { "sh", "-c", rows[i].script, NULL };
		struct proc_spec spec = { .argv = argv };
		struct proc_result result;
		struct err err = { 0 };

		assert_true(proc_run(&spec, &result, &err));
		assert_int_equal(result.exit_code, rows[i].exit_code);
		assert_int_equal(result.signal, rows[i].signal);
		assert_string_equal(proc_result_text(&result, arena), rows[i].text);
	}
	arena_free(arena);
}

static void test_proc__feeds_and_collects_more_than_a_pipe_holds(void **state)
{
	const char *argv[] = { "sh", "-c", "cat; echo oops >&2", NULL };
	size_t n = 3u << 20;
	char *input = calloc(1, n);
	AUTO_BUF out = BUF_INIT(4u << 20);
	AUTO_BUF errors = BUF_INIT(100);
	struct proc_spec spec = {
		.argv = argv, .input = input, .input_len = n, .out = &out, .err = &errors
	};
	struct proc_result result;
	struct err err = { 0 };

	(void)state;
	memset(input, 'x', n);
	assert_true(proc_run(&spec, &result, &err));
	assert_int_equal(result.exit_code, 0);
	assert_int_equal(out.len, n);
	assert_memory_equal(out.data, input, n);
	assert_string_equal(buf_text(&errors), "oops\n");
	free(input);
}

static void test_proc__a_child_that_ignores_its_input_is_no_failure(void **state)
{
	const char *argv[] = { "true", NULL };
	size_t n = 1u << 20;
	char *input = calloc(1, n);
	struct proc_spec spec = { .argv = argv, .input = input, .input_len = n };
	struct proc_result result;
	struct err err = { 0 };

	(void)state;
	assert_true(proc_run(&spec, &result, &err));
	assert_int_equal(result.exit_code, 0);
	free(input);
}

static void test_proc__drops_output_past_the_maximum(void **state)
{
	const char *argv[] = { "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' y", NULL };
	AUTO_BUF out = BUF_INIT(1000);
	struct proc_spec spec = { .argv = argv, .out = &out };
	struct proc_result result;
	struct err err = { 0 };

	(void)state;
	assert_true(proc_run(&spec, &result, &err));
	assert_int_equal(result.exit_code, 0);
	assert_int_equal(out.len, 1000);
	assert_true(out.is_over);
}

static void test_proc__kills_the_whole_group_at_its_time_limit(void **state)
{
	const char *argv[] = { "sh", "-c", "sleep 100 & echo $!; wait", NULL };
	AUTO_BUF out = BUF_INIT(100);
	struct proc_spec spec = {
		.argv = argv, .out = &out, .timeout_ms = 200, .is_own_group = true
	};
	struct arena *arena = arena_new();
	struct proc_result result;
	struct err err = { 0 };
	int64_t before = clock_mono_ms();
	pid_t sleeper;

	(void)state;
	assert_true(proc_run(&spec, &result, &err));
	assert_true(result.is_timeout);
	assert_string_equal(proc_result_text(&result, arena), "timed out");
	assert_true(clock_mono_ms() - before < 10000);
	sleeper = (pid_t)strtol(buf_text(&out), NULL, 10);
	assert_true(sleeper > 1);
	/* It may stay a zombie of init's for a moment. */
	for (int i = 0; i < 200 && kill(sleeper, 0) == 0; i++)
		clock_sleep_ms(10);
	assert_int_not_equal(kill(sleeper, 0), 0);
	arena_free(arena);
}

static void test_proc__kills_one_that_does_not_heed_sigterm(void **state)
{
	const char *argv[] = { "sh", "-c", "trap '' TERM; while :; do sleep 1; done", NULL };
	struct proc_spec spec = { .argv = argv, .timeout_ms = 100, .is_own_group = true };
	struct proc_result result;
	struct err err = { 0 };

	(void)state;
	assert_true(proc_run(&spec, &result, &err));
	assert_true(result.is_timeout);
	assert_int_equal(result.signal, SIGKILL);
}

static void test_proc__does_not_wait_for_a_daemon_that_keeps_the_pipe(void **state)
{
	const char *argv[] = { "sh", "-c", "sleep 3 & echo started", NULL };
	AUTO_BUF out = BUF_INIT(100);
	struct proc_spec spec = { .argv = argv, .out = &out };
	struct proc_result result;
	struct err err = { 0 };
	int64_t before = clock_mono_ms();

	(void)state;
	assert_true(proc_run(&spec, &result, &err));
	assert_true(clock_mono_ms() - before < 2500);
	assert_string_equal(buf_text(&out), "started\n");
}

static void test_proc__says_why_it_could_not_start(void **state)
{
	const char *absent[] = { "no-such-program-here", NULL };
	const char *absent_path[] = { "/nonexistent/program", NULL };
	const char *folder[] = { "/", NULL };
	const char *fine[] = { "true", NULL };
	struct {
		struct proc_spec spec;
		enum err_kind kind;
		const char *text;
	} rows[] = {
		{ { .argv = absent },
		  ERR_ABSENT,
		  "cannot start 'no-such-program-here': no such program" },
		{ { .argv = absent_path },
		  ERR_ABSENT,
		  "cannot start '/nonexistent/program': No such file or directory" },
		{ { .argv = folder }, ERR_DENIED, "cannot start '/': Permission denied" },
		{ { .argv = fine, .cwd = "/nonexistent" },
		  ERR_ABSENT,
		  "cannot start 'true': cannot enter '/nonexistent': No such file or directory" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct proc_result result;
		struct err err = { 0 };

		assert_false(proc_run(&rows[i].spec, &result, &err));
		assert_int_equal(err.kind, rows[i].kind);
		assert_string_equal(err.text, rows[i].text);
	}
}

static void test_proc__gives_only_the_descriptors_named(void **state)
{
	const char *argv[] = { "sh", "-c", "ls /proc/self/fd | tr '\\n' ' '; cat /proc/self/fd/50",
			       NULL };
	AUTO_BUF out = BUF_INIT(200);
	struct proc_spec spec = { .argv = argv, .out = &out, .keep_fds = { 50 } };
	struct proc_result result;
	struct err err = { 0 };
	int stray = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as a library might */
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[0], 50), 50);
	assert_int_equal(write(ends[1], "kept", 4), 4);
	close(ends[0]);
	close(ends[1]);
	/* 3 is the folder that ls lists. */
	assert_true(proc_run(&spec, &result, &err));
	assert_string_equal(buf_text(&out), "0 1 2 3 50 kept");
	close(50);
	close(stray);
}

static void test_proc__never_reads_our_own_stdin(void **state)
{
	const char *argv[] = { "sh", "-c", "readlink /proc/self/fd/0", NULL };
	AUTO_BUF out = BUF_INIT(100);
	struct proc_spec spec = { .argv = argv, .out = &out };
	struct proc_result result;
	struct err err = { 0 };

	(void)state;
	assert_true(proc_run(&spec, &result, &err));
	assert_string_equal(buf_text(&out), "/dev/null\n");
}

static void test_proc__passes_the_allow_listed_environment_only(void **state)
{
	static const char *const ours[] = { "PATH=/usr/bin:/bin", "TOKEN=secret", "HOME=/h", NULL };
	const char *argv[] = { "env", NULL };
	const char *env[] = { "ONLY=this", NULL };
	AUTO_BUF out = BUF_INIT(1000);
	struct proc_spec spec = { .argv = argv, .out = &out };
	struct proc_result result;
	struct err err = { 0 };

	(void)state;
	proc_set_environment(ours);
	assert_string_equal(proc_getenv("TOKEN"), "secret");
	assert_null(proc_getenv("TOKE"));
	assert_true(proc_run(&spec, &result, &err));
	assert_string_equal(buf_text(&out), "PATH=/usr/bin:/bin\nHOME=/h\n");
	buf_clear(&out);
	spec.env = env;
	assert_true(proc_run(&spec, &result, &err));
	assert_string_equal(buf_text(&out), "ONLY=this\n");
	proc_set_environment(NULL);
}

static void test_proc__release_kills_what_still_runs(void **state)
{
	const char *argv[] = { "sleep", "100", NULL };
	struct proc_spec spec = { .argv = argv };
	struct proc_result result;
	struct err err = { 0 };
	struct proc proc;
	pid_t pid;

	(void)state;
	assert_true(proc_start(&spec, &proc, &err));
	assert_true(proc.pidfd >= 0);
	pid = proc.pid;
	assert_int_equal(kill(pid, 0), 0);
	proc_release(&proc);
	assert_int_not_equal(kill(pid, 0), 0);
	proc_release(&proc);
	assert_false(proc_wait(&proc, &result, &err));
	assert_int_equal(err.kind, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proc__a_failing_exit_is_a_value),
		cmocka_unit_test(test_proc__feeds_and_collects_more_than_a_pipe_holds),
		cmocka_unit_test(test_proc__a_child_that_ignores_its_input_is_no_failure),
		cmocka_unit_test(test_proc__drops_output_past_the_maximum),
		cmocka_unit_test(test_proc__kills_the_whole_group_at_its_time_limit),
		cmocka_unit_test(test_proc__kills_one_that_does_not_heed_sigterm),
		cmocka_unit_test(test_proc__does_not_wait_for_a_daemon_that_keeps_the_pipe),
		cmocka_unit_test(test_proc__says_why_it_could_not_start),
		cmocka_unit_test(test_proc__gives_only_the_descriptors_named),
		cmocka_unit_test(test_proc__never_reads_our_own_stdin),
		cmocka_unit_test(test_proc__passes_the_allow_listed_environment_only),
		cmocka_unit_test(test_proc__release_kills_what_still_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
