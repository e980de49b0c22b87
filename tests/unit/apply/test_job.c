/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_job.c — workers that do what they should, and workers that do not: shell scripts that speak the protocol, break it,
 * die, hang, flood.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "buildexec/sys/clock.h"
#include "model/base/limits.h"
#include "reconcile/apply/job.h"
#include "unit/cli/folder.h"

#define RESULT                                                                                     \
	"echo '{\"type\":\"result\",\"image\":\"r.local/a@sha256:"                                 \
	"1111111111111111111111111111111111111111111111111111111111111111\"}'\n"

struct fixture {
	struct folder folder;
	struct job job;
	struct buf kept;
	struct outcome outcome;
	const char *phases;
	int64_t took_ms, timeout_s;
	int64_t hurry; /* the job's clock is so many times faster; 0: it is not */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->kept = BUF_INIT(4 * (size_t)LIMIT_LOG_BYTES);
	f->phases = "";
	return folder_make(&f->folder);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buf_release(&f->kept);
	folder_release(&f->folder);
	free(f);
	return 0;
}

static void on_phase(void *ctx, struct job *job, const char *name)
{
	struct fixture *f = ctx;

	(void)job;
	f->phases = arena_printf(f->folder.arena, "%s%s ", f->phases, name);
}

/* The scheduler's loop in small; `stop_ms`: when it is asked to stop, 0: never. */
static void run(struct fixture *f, const char *script, int64_t stop_ms)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	const struct build_request request = {
		.format = 1, .action = "build", .id = "Image/a/b#1", .timeout_s = f->timeout_s
	};
	const struct job_spec spec = { .request = &request,
				       .argv = argv,
				       .log_dir = f->folder.dir.path,
				       .log_name = "job.log" };
	int64_t start_ms = clock_mono_ms(), now_ms = start_ms;
	struct err err = { 0 };

	f->job = (struct job){ .arena = f->folder.arena, .on_phase = on_phase, .ctx = f };
	if (!job_start(&spec, &f->job, &err))
		fail_msg("%s", err.text);
	while (!job_has_ended(&f->job, now_ms)) {
		struct pollfd polls[] = { { f->job.out_fd, POLLIN, 0 },
					  { f->job.err_fd, POLLIN, 0 } };

		if (clock_mono_ms() - start_ms > 30000)
			fail_msg("it never ends");
		poll(polls, 2, 20);
		for (size_t i = 0; i < 2; i++)
			if (polls[i].revents)
				job_read(&f->job, polls[i].fd);
		now_ms = start_ms + (clock_mono_ms() - start_ms) * (f->hurry ? f->hurry : 1);
		(void)job_watch(&f->job, now_ms);
		if (stop_ms && now_ms - start_ms >= stop_ms)
			job_cancel(&f->job, f->job.is_cancelled && now_ms - start_ms > 2 * stop_ms);
	}
	job_finish(&f->job, clock_now_s(), &f->kept, &f->outcome);
	f->took_ms = clock_mono_ms() - start_ms;
	job_release(&f->job);
}

static void expect_failure(struct fixture *f, const char *kind, const char *text)
{
	assert_false(f->outcome.is_done);
	assert_int_equal(f->outcome.event->type, EVENT_FAILURE);
	assert_string_equal(f->outcome.event->failure, kind);
	if (!strstr(f->outcome.event->text, text))
		fail_msg("'%s' is not in '%s'", text, f->outcome.event->text);
}

static void test_job__succeeds_with_a_result_and_exit_0(void **state)
{
	struct fixture *f = *state;

	run(f,
	    "read request; echo \"$request\" >&2\n"
	    "echo '{\"type\":\"phase\",\"name\":\"DETECT\"}'\n"
	    "echo '{\"type\":\"notice\",\"text\":\"hello\"}'\n"
	    "echo '{\"type\":\"phase\",\"name\":\"EXPORT\"}'\n" RESULT,
	    0);
	assert_true(f->outcome.is_done);
	assert_non_null(strstr(f->outcome.event->image, "r.local/a@sha256:1111"));
	assert_string_equal(f->phases, "DETECT EXPORT ");
	assert_int_equal(f->outcome.steps.n, 2);
	assert_string_equal(LIST_AT(f->outcome.steps, struct step_state, 1)->result, "Succeeded");
	assert_non_null(strstr(buf_text(&f->kept), "\"Image/a/b#1\""));
}

static void test_job__fails_as_the_worker_says(void **state)
{
	struct fixture *f = *state;

	run(f,
	    "echo '{\"type\":\"phase\",\"name\":\"BUILD\"}'\necho last words >&2\n"
	    "echo '{\"type\":\"failure\",\"failure\":\"build\",\"text\":\"buildpack a/b "
	    "failed\",\"exitCode\":"
	    "51}'\nexit 51\n",
	    0);
	expect_failure(f, "build", "buildpack a/b failed");
	assert_int_equal(f->outcome.event->exit_code, 51);
	assert_int_equal(f->outcome.tail.n, 1);
	assert_string_equal(f->outcome.tail.v[0], "last words");
	assert_string_equal(LIST_AT(f->outcome.steps, struct step_state, 0)->result, "Failed");
}

static void test_job__is_no_success_without_both(void **state)
{
	static const struct {
		const char *script, *kind, *text;
	} rows[] = {
		{ "exit 0", "system", "the worker ended without a result: exit status 0" },
		{ RESULT "exit 3", "system", "without a result: exit status 3" },
		{ RESULT "kill -9 $$", "system", "killed by signal 9" },
		{ "kill -SEGV $$", "system", "killed by signal 11" },
		{ "exec /nonexistent/program", "system", "exit status 127" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		run(f, rows[i].script, 0);
		expect_failure(f, rows[i].kind, rows[i].text);
	}
}

static void test_job__does_not_believe_a_worker_that_breaks_the_protocol(void **state)
{
	static const struct {
		const char *script, *text;
	} rows[] = {
		{ "echo garbage\n" RESULT, "is no event" },
		{ "echo '[]'\n" RESULT, "is no event" },
		{ "echo '{\"type\":\"party\"}'\n" RESULT, "is no event" },
		{ "printf '{\"type\":'\n" RESULT, "is no event" },
		{ "head -c 3000000 /dev/zero | tr '\\0' a; echo\n" RESULT,
		  "a line that is too long" },
		{ "yes '{\"type\":\"notice\",\"text\":\"x\"}' | head -n 20000\n" RESULT,
		  "too many events" },
		{ "yes '{\"type\":\"phase\",\"name\":\"BUILD\"}' | head -n 200\n" RESULT,
		  "too many events" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		run(f, rows[i].script, 0);
		expect_failure(f, "system", rows[i].text);
	}
}

static void test_job__stops_a_worker_that_breaks_the_protocol(void **state)
{
	struct fixture *f = *state;

	run(f, "echo garbage\nexec sleep 60\n", 0);
	expect_failure(f, "system", "is no event");
	assert_true(f->took_ms < 25000);
}

static void test_job__kills_a_worker_that_closed_its_output_and_lives_on(void **state)
{
	struct fixture *f = *state;

	run(f, RESULT "exec >&- 2>&-\ntrap '' TERM\nwhile :; do sleep 1; done\n", 0);
	expect_failure(f, "system", "closed its output and did not end");
	assert_true(f->took_ms < 15000);
}

static void test_job__kills_a_worker_that_is_stopped_for_ever(void **state)
{
	struct fixture *f = *state;

	f->hurry = 50;
	run(f, RESULT "kill -STOP $$\n", 0);
	expect_failure(f, "system",
		       "the worker was stopped from outside (SIGSTOP) and did not go on for 60 s");
	assert_true(f->took_ms >= 60000 / f->hurry);
}

static void test_job__leaves_alone_a_worker_that_goes_on(void **state)
{
	struct fixture *f = *state;

	f->hurry = 20;
	run(f,
	    RESULT "(while sleep 1; do kill -CONT $$; done) >&- 2>&- &\n"
		   "for i in 1 2 3 4; do kill -STOP $$; sleep 0.2; done\n",
	    0);
	assert_true(f->outcome.is_done);
	assert_true(f->took_ms * f->hurry > 60000);
}

static void test_job__does_not_wait_for_what_a_worker_left_behind(void **state)
{
	struct fixture *f = *state;

	run(f, "setsid sleep 20 &\necho bye >&2\n" RESULT, 0);
	assert_true(f->outcome.is_done);
	assert_non_null(strstr(buf_text(&f->kept), "bye"));
	assert_true(f->took_ms < 10000);
}

static void test_job__keeps_head_and_tail_of_a_flood(void **state)
{
	struct fixture *f = *state;

	run(f,
	    "echo first >&2; yes 0123456789012345678901234567890123456789 | head -n 100000 >&2; "
	    "echo last "
	    ">&2\n" RESULT,
	    0);
	assert_true(f->outcome.is_done);
	assert_memory_equal(buf_text(&f->kept), "first\n0123", 10);
	assert_non_null(strstr(buf_text(&f->kept), "bytes left out"));
	assert_string_equal(buf_text(&f->kept) + f->kept.len - 5, "last\n");
}

static void test_job__is_cancelled_softly_then_hard(void **state)
{
	struct fixture *f = *state;

	run(f, "trap 'echo stopping >&2; exit 1' TERM\nwhile :; do sleep 0.05; done\n", 200);
	expect_failure(f, "cancelled", "cancelled");
	assert_non_null(strstr(buf_text(&f->kept), "stopping"));
	run(f, "trap '' TERM\nwhile :; do sleep 0.05; done\n", 300);
	expect_failure(f, "cancelled", "cancelled");
	assert_true(f->took_ms < 25000);
}

static void test_job__counts_a_result_that_came_before_the_cancellation(void **state)
{
	struct fixture *f = *state;

	run(f, RESULT "trap 'exit 0' TERM\nwhile :; do sleep 0.05; done\n", 300);
	assert_true(f->outcome.is_done);
}

static void test_job__ends_a_worker_whose_time_is_over(void **state)
{
	struct fixture *f = *state;

	f->timeout_s = 1;
	run(f, "echo '{\"type\":\"phase\",\"name\":\"EXPORT\"}'\nwhile :; do sleep 0.05; done\n",
	    0);
	expect_failure(f, "invalid",
		       "DeadlineExceeded: it took longer than its buildTimeout of 1 s, in EXPORT");
	assert_true(f->outcome.event->is_timeout);
	assert_true(f->took_ms >= 1000);
	run(f, "trap '' TERM\nwhile :; do sleep 0.05; done\n", 0);
	expect_failure(f, "invalid",
		       "DeadlineExceeded: it took longer than its buildTimeout of 1 s");
	assert_true(f->outcome.event->is_timeout);
	assert_true(f->took_ms < 20000);
}

static void test_job__leaves_words_and_results_to_a_worker_whose_time_is_over(void **state)
{
	struct fixture *f = *state;

	f->timeout_s = 1;
	run(f,
	    "sleep 2\necho '{\"type\":\"failure\",\"failure\":\"invalid\",\"timeout\":true,"
	    "\"text\":\"its own words\"}'\nexit 1\n",
	    0);
	expect_failure(f, "invalid", "its own words");
	run(f, RESULT "trap 'exit 0' TERM\nwhile :; do sleep 0.05; done\n", 0);
	assert_true(f->outcome.is_done);
}

static void test_job__says_that_a_worker_cannot_be_started(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = { "/nonexistent/worker", NULL };
	const struct build_request request = { .format = 1, .action = "build", .id = "x" };
	const struct job_spec spec = { .request = &request,
				       .argv = argv,
				       .log_dir = f->folder.dir.path,
				       .log_name = "job.log" };
	struct job job = { .arena = f->folder.arena };
	struct err err = { 0 };

	assert_false(job_start(&spec, &job, &err));
	assert_non_null(strstr(err.text, "cannot start a worker"));
	assert_false(fs_exists(folder_path(&f->folder, "job.log")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_job__succeeds_with_a_result_and_exit_0),
		TEST(test_job__fails_as_the_worker_says),
		TEST(test_job__is_no_success_without_both),
		TEST(test_job__does_not_believe_a_worker_that_breaks_the_protocol),
		TEST(test_job__stops_a_worker_that_breaks_the_protocol),
		TEST(test_job__kills_a_worker_that_closed_its_output_and_lives_on),
		TEST(test_job__kills_a_worker_that_is_stopped_for_ever),
		TEST(test_job__leaves_alone_a_worker_that_goes_on),
		TEST(test_job__does_not_wait_for_what_a_worker_left_behind),
		TEST(test_job__keeps_head_and_tail_of_a_flood),
		TEST(test_job__is_cancelled_softly_then_hard),
		TEST(test_job__counts_a_result_that_came_before_the_cancellation),
		TEST(test_job__ends_a_worker_whose_time_is_over),
		TEST(test_job__leaves_words_and_results_to_a_worker_whose_time_is_over),
		TEST(test_job__says_that_a_worker_cannot_be_started),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
