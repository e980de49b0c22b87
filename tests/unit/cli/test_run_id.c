/* SPDX-License-Identifier: Apache-2.0 */
/* test_run_id.c — names of runs are ULIDs; a claim of a dead run of this machine ends, of any other it holds. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include <cmocka.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "model/kind/build_config_status.h"
#include "reconcile/run_id.h"
#include "unit/cli/folder.h"

enum { LEASE_S = 2000000000 };

static int setup(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	*state = folder;
	return folder_make(folder);
}

static int teardown(void **state)
{
	folder_release(*state);
	free(*state);
	return 0;
}

static void test_run_ids__are_ulids_that_sort_by_time(void **state)
{
	struct run_id early, late, same;

	(void)state;
	run_id_make(&early, 1500000000);
	run_id_make(&late, 1500000001);
	run_id_make(&same, 1500000001);
	assert_int_equal(strlen(early.text), 26);
	assert_int_equal(strspn(early.text, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
	assert_true(early.text[0] <= '7');
	assert_true(strncmp(early.text, late.text, 10) < 0);
	assert_string_not_equal(late.text, same.text);
	/* 1500000000 s in Crockford's digits; the last two count milliseconds */
	assert_memory_equal(early.text, "01BMZFF6", 8);
}

/* The lease that is left of a claim of `run_id`, as seen by another run. */
static int64_t lease_left(struct folder *folder, const char *run_id)
{
	struct attempt attempt = { .number = 1, .run_id = run_id, .lease_s = LEASE_S };
	struct image_status status = { .last = &attempt };
	struct state_entry entry = { .kind = KIND_IMAGE, .id = "Image/a/b", .status = &status };
	struct bc_attempt build = { .number = 2, .run_id = run_id, .lease_s = LEASE_S };
	struct bc_history_entry builds[] = { { .number = 1, .lease_s = LEASE_S },
					     { .number = 2, .lease_s = LEASE_S } };
	struct build_config_status config = { .last = &build, .history = { builds, 2 } };
	struct state_entry other = { .kind = KIND_BUILD_CONFIG,
				     .id = "BuildConfig/a/b",
				     .status = &config };
	struct state read = { 0 };
	struct run_id me;

	run_id_make(&me, clock_now_s());
	map_set(folder->arena, &read.by_id, entry.id, &entry);
	map_set(folder->arena, &read.by_id, other.id, &other);
	run_id_judge(&me, folder->dir.path, &read, folder->arena);
	assert_int_equal(build.lease_s, attempt.lease_s);
	assert_int_equal(builds[1].lease_s, attempt.lease_s);
	assert_int_equal(builds[0].lease_s, LEASE_S); /* nobody knows whose it is */
	return attempt.lease_s;
}

static void write_over(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
}

static void test_claims__of_the_living_hold(void **state)
{
	struct folder *folder = *state;
	struct err err = { 0 };
	struct run_id other;

	run_id_make(&other, clock_now_s());
	assert_true(run_id_claim(&other, folder->dir.path, &err));
	assert_int_equal(lease_left(folder, other.text), LEASE_S);
	run_id_release(&other);
	assert_int_equal(lease_left(folder, other.text), 1);
}

static void test_claims__of_a_killed_process_end(void **state)
{
	struct folder *folder = *state;
	struct run_id other;
	int ready[2];
	pid_t pid;
	char byte;

	run_id_make(&other, clock_now_s());
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct err err = { 0 };

		if (!run_id_claim(&other, folder->dir.path, &err) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(lease_left(folder, other.text), LEASE_S);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(lease_left(folder, other.text), 1);
	close(ready[0]);
	close(ready[1]);
}

static void test_claims__of_other_machines_and_strange_names_hold(void **state)
{
	static const char *const names[] = { "01BX5ZZKBKACTAV9WEVGEMMVRZ", "../../etc/passwd", "",
					     "01BX5ZZKBKACTAV9WEVGEMMVR/" };
	struct folder *folder = *state;

	for (size_t i = 0; i < COUNTOF(names); i++)
		assert_int_equal(lease_left(folder, names[i]), LEASE_S);
}

/* A restored cache folder, or one of another machine, has the file of a run that may live. */
static void test_claims__hold_where_the_file_is_a_copy(void **state)
{
	struct folder *folder = *state;
	struct err err = { 0 };
	struct run_id other;
	char *path, *text;
	size_t n;

	run_id_make(&other, clock_now_s());
	assert_true(run_id_claim(&other, folder->dir.path, &err));
	run_id_release(&other);
	assert_int_equal(lease_left(folder, other.text), 1);
	path = arena_printf(folder->arena, "%s/runs/%s", folder->dir.path, other.text);
	assert_true(fs_read(AT_FDCWD, path, 4096, folder->arena, &text, &n, &err));
	assert_true(n > 36);

	/* a new inode: the old one is kept from being given again */
	assert_int_equal(rename(path, arena_printf(folder->arena, "%s.old", path)), 0);
	assert_true(fs_write_atomic(AT_FDCWD, path, text, n, 0600, false, &err));
	assert_int_equal(lease_left(folder, other.text), LEASE_S);

	/* the same file, of another boot */
	assert_int_equal(rename(arena_printf(folder->arena, "%s.old", path), path), 0);
	assert_int_equal(lease_left(folder, other.text), 1);
	text[0] = text[0] == '0' ? '1' : '0';
	write_over(path, text, n);
	assert_int_equal(lease_left(folder, other.text), LEASE_S);
	/* one that was killed before it wrote has claimed nothing */
	write_over(path, "", 0);
	assert_int_equal(lease_left(folder, other.text), LEASE_S);
}

static void test_files__of_runs_that_died_long_ago_are_swept(void **state)
{
	struct folder *folder = *state;
	const struct utimbuf old = { 1000000000, 1000000000 };
	struct run_id dead, alive, next;
	struct err err = { 0 };
	char *dead_path, *alive_path;

	run_id_make(&dead, clock_now_s());
	run_id_make(&alive, clock_now_s());
	run_id_make(&next, clock_now_s());
	assert_true(run_id_claim(&dead, folder->dir.path, &err));
	run_id_release(&dead);
	assert_true(run_id_claim(&alive, folder->dir.path, &err));
	dead_path = folder_path(folder, arena_printf(folder->arena, "runs/%s", dead.text));
	alive_path = folder_path(folder, arena_printf(folder->arena, "runs/%s", alive.text));
	assert_int_equal(utime(dead_path, &old), 0);
	assert_int_equal(utime(alive_path, &old), 0);
	assert_true(run_id_claim(&next, folder->dir.path, &err));
	assert_false(fs_exists(dead_path));
	assert_true(fs_exists(alive_path));
	run_id_release(&alive);
	run_id_release(&next);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run_ids__are_ulids_that_sort_by_time),
		TEST(test_claims__of_the_living_hold),
		TEST(test_claims__of_a_killed_process_end),
		TEST(test_claims__of_other_machines_and_strange_names_hold),
		TEST(test_claims__hold_where_the_file_is_a_copy),
		TEST(test_files__of_runs_that_died_long_ago_are_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
