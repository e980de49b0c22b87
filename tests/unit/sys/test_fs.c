/* SPDX-License-Identifier: Apache-2.0 */
/* test_fs.c — files, folders, trees, temp folders, locks, paths; clock and pool beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"

struct fixture {
	struct tmpdir dir;
	struct arena *arena;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = { 0 };

	f->arena = arena_new();
	*state = f;
	return tmpdir_make(NULL, "test-fs", &f->dir, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tmpdir_release(&f->dir);
	arena_free(f->arena);
	free(f);
	return 0;
}

static char *at(const struct fixture *f, const char *name)
{
	return path_join(f->arena, f->dir.path, name);
}

static void write_file(const char *path, const char *text)
{
	struct err err = { 0 };

	assert_true(fs_write_atomic(AT_FDCWD, path, text, strlen(text), 0644, false, &err));
}

static void test_read__tells_absent_from_too_long(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	char *text;
	size_t len;

	assert_true(fs_read(AT_FDCWD, at(f, "no"), 10, f->arena, &text, &len, &err));
	assert_null(text);
	write_file(at(f, "ten"), "0123456789");
	assert_true(fs_read(AT_FDCWD, at(f, "ten"), 10, f->arena, &text, &len, &err));
	assert_int_equal(len, 10);
	assert_string_equal(text, "0123456789");
	assert_false(fs_read(AT_FDCWD, at(f, "ten"), 9, f->arena, &text, &len, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_null(text);
	assert_false(fs_read(AT_FDCWD, f->dir.path, 9, f->arena, &text, &len, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	write_file(at(f, "empty"), "");
	assert_true(fs_read(AT_FDCWD, at(f, "empty"), 0, f->arena, &text, &len, &err));
	assert_string_equal(text, "");
}

static void test_write__replaces_whole_files_and_leaves_nothing_beside(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct stat st;
	char *text;
	size_t len;

	assert_true(fs_make_dirs(at(f, "a/b//c"), 0755, &err));
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "a/b/c/x"), "one", 3, 0600, true, &err));
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "a/b/c/x"), "three", 5, 0600, true, &err));
	assert_true(fs_read(AT_FDCWD, at(f, "a/b/c/x"), 10, f->arena, &text, &len, &err));
	assert_string_equal(text, "three");
	assert_int_equal(stat(at(f, "a/b/c/x"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* A folder in the way: the temp file must be gone, so that the folder above can be removed
	 * plainly. */
	assert_true(fs_make_dirs(at(f, "full/x/y"), 0755, &err));
	assert_false(fs_write_atomic(AT_FDCWD, at(f, "full/x"), "z", 1, 0600, false, &err));
	assert_int_equal(rmdir(at(f, "full/x/y")), 0);
	assert_int_equal(rmdir(at(f, "full/x")), 0);
	assert_int_equal(rmdir(at(f, "full")), 0);
	assert_false(fs_write_atomic(AT_FDCWD, at(f, "no/x"), "z", 1, 0600, false, &err));
	assert_int_equal(err.kind, ERR_ABSENT);
}

static void test_make_dirs__refuses_a_file_in_the_way(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	write_file(at(f, "file"), "");
	assert_false(fs_make_dirs(at(f, "file/sub"), 0755, &err));
	assert_false(fs_make_dirs(at(f, "file"), 0755, &err));
	assert_non_null(strstr(err.text, "Not a directory"));
	assert_true(fs_make_dirs(at(f, "fine/"), 0755, &err));
	assert_true(fs_is_dir(at(f, "fine")));
}

static void test_read__waits_for_no_pipe_with_a_name(void **state)
{
	struct fixture *f = *state;
	char path[64], *text;
	int ends[2];
	size_t n;
	struct err err = { 0 };

	assert_int_equal(mkfifo(at(f, "pipe"), 0600), 0);
	assert_false(fs_read(AT_FDCWD, at(f, "pipe"), 100, f->arena, &text, &n, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.text, "it is a pipe"));
	err = (struct err){ 0 };
	/* As a shell has it: whoever writes may be slow. */
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	if (fork() == 0) {
		close(ends[0]);
		usleep(50000);
		_exit(write(ends[1], "text", 4) != 4);
	}
	close(ends[1]);
	assert_true(fs_read(AT_FDCWD, path, 100, f->arena, &text, &n, &err));
	assert_int_equal(n, 4);
	assert_string_equal(text, "text");
	close(ends[0]);
	assert_true(wait(NULL) > 0);
}

static void test_remove_tree__follows_no_link_and_takes_any_mode(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	assert_true(fs_make_dirs(at(f, "keep"), 0755, &err));
	write_file(at(f, "keep/file"), "precious");
	assert_true(fs_make_dirs(at(f, "tree/a/b"), 0755, &err));
	write_file(at(f, "tree/a/b/file"), "x");
	assert_int_equal(symlink(at(f, "keep"), at(f, "tree/a/link")), 0);
	assert_int_equal(mkfifo(at(f, "tree/pipe"), 0600), 0);
	assert_int_equal(chmod(at(f, "tree/a/b"), 0), 0);
	assert_int_equal(chmod(at(f, "tree/a"), 0500), 0);
	assert_true(fs_remove_tree(at(f, "tree"), &err));
	assert_false(fs_exists(at(f, "tree")));
	assert_true(fs_exists(at(f, "keep/file")));
	assert_true(fs_remove_tree(at(f, "tree"), &err));
	assert_int_equal(symlink(at(f, "keep"), at(f, "link")), 0);
	assert_true(fs_remove_tree(at(f, "link"), &err));
	assert_false(fs_exists(at(f, "link")));
	assert_true(fs_exists(at(f, "keep/file")));
}

static void test_remove_tree__takes_any_depth(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	int fd;

	assert_int_equal(mkdir(at(f, "deep"), 0755), 0);
	fd = open(at(f, "deep"), O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		if (i % 500 == 0)
			assert_int_equal(mkdirat(fd, "side", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_true(fs_remove_tree(at(f, "deep"), &err));
	assert_false(fs_exists(at(f, "deep")));
}

static void test_sweep__removes_folders_of_the_dead_only(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	struct tmpdir living = { 0 };
	char dead[4096] = "";
	int ends[2], status;
	pid_t pid;

	assert_true(tmpdir_make(f->dir.path, "work", &living, &err));
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct tmpdir dir = { 0 };

		if (!tmpdir_make(f->dir.path, "work", &dir, &err))
			_exit(1);
		(void)!write(ends[1], dir.path, strlen(dir.path));
		raise(SIGKILL);
	}
	waitpid(pid, &status, 0);
	close(ends[1]);
	assert_true(read(ends[0], dead, sizeof(dead) - 1) > 0);
	close(ends[0]);
	write_file(path_join(f->arena, dead, "file"), "x");
	assert_true(fs_make_dirs(at(f, "work-other"), 0755, &err));
	fs_sweep_temp(f->dir.path, "work");
	assert_false(fs_exists(dead));
	assert_true(fs_exists(living.path));
	assert_true(fs_exists(at(f, "work-other")));
	/* One prefix stands for all of ours. */
	assert_true(fs_make_dirs(at(f, "reconcile-copy-1-2-abcDEF"), 0700, &err));
	assert_true(fs_make_dirs(at(f, "reconcile-copy"), 0700, &err));
	fs_sweep_temp(f->dir.path, "reconcile");
	assert_false(fs_exists(at(f, "reconcile-copy-1-2-abcDEF")));
	assert_true(fs_exists(at(f, "reconcile-copy")));
	assert_true(fs_exists(living.path));
	tmpdir_release(&living);
	assert_null(living.path);
}

static void test_write_atomic__removes_what_a_killed_writer_left(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	char living[PATH_MAX], other[PATH_MAX];
	int fd, second, status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		for (int i = 0; i < 3; i++)
			(void)!fs_open_temp(AT_FDCWD, at(f, "file"), O_WRONLY, 0600, living);
		raise(SIGKILL);
	}
	waitpid(pid, &status, 0);
	assert_true(fs_exists(at(f, "file.tmp-0")) && fs_exists(at(f, "file.tmp-2")));
	assert_true(fs_write_atomic(AT_FDCWD, at(f, "file"), "x", 1, 0600, true, &err));
	for (int i = 0; i < 3; i++)
		assert_false(fs_exists(at(f, arena_printf(f->arena, "file.tmp-%d", i))));
	/* A living writer's is left alone, by its neighbour and by a sweep. */
	fd = fs_open_temp(AT_FDCWD, at(f, "file"), O_WRONLY, 0600, living);
	second = fs_open_temp(AT_FDCWD, at(f, "file"), O_WRONLY, 0600, other);
	assert_true(fd >= 0 && second >= 0);
	assert_string_not_equal(living, other);
	fs_sweep_files(f->dir.path);
	assert_true(fs_exists(living) && fs_exists(other));
	close(second);
	fs_sweep_files(f->dir.path);
	assert_true(fs_exists(living));
	assert_false(fs_exists(other));
	close(fd);
}

static void test_lock__waits_or_says_who(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };
	int a, b, c;
	int64_t before;

	assert_true(fs_lock(at(f, "lock"), false, 0, &a, &err));
	assert_false(fs_lock(at(f, "lock"), false, 0, &b, &err));
	assert_int_equal(err.kind, ERR_CONFLICT);
	before = clock_mono_ms();
	assert_false(fs_lock(at(f, "lock"), true, 60, &b, &err));
	assert_true(clock_mono_ms() - before >= 60);
	fd_close(&a);
	assert_int_equal(a, -1);
	assert_true(fs_lock(at(f, "lock"), true, -1, &b, &err));
	assert_true(fs_lock(at(f, "lock"), true, 0, &c, &err));
	assert_false(fs_lock(at(f, "lock"), false, 0, &a, &err));
	fd_close(&b);
	fd_close(&c);
}

static void test_path_join__has_no_doubled_slash(void **state)
{
	static const struct {
		const char *dir, *name, *want;
	} rows[] = {
		{ "a", "b", "a/b" },     { "a/", "b", "a/b" }, { "/", "b", "/b" },
		{ "a//", "//b", "a/b" }, { "", "b", "b" },     { "/a", "", "/a/" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(path_join(f->arena, rows[i].dir, rows[i].name), rows[i].want);
}

static void test_path_is_inside__takes_only_plain_relative_paths(void **state)
{
	static const char *const good[] = { "a", "a/b", "...", "a.b/..c", "\xc3\xa9" };
	static const char *const bad[] = { "",    "/a",  "a/",   "a//b", ".",     "..",  "a/../b",
					   "./a", "a/.", "a\\b", "a\nb", "a\x7f", "../a" };

	(void)state;
	for (size_t i = 0; i < COUNTOF(good); i++)
		assert_true(path_is_inside(good[i]));
	for (size_t i = 0; i < COUNTOF(bad); i++)
		assert_false(path_is_inside(bad[i]));
}

static void test_backoff__stays_within_its_window(void **state)
{
	int64_t most = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		int64_t ms = backoff_ms(i % 70, 100, 5000);

		assert_true(ms >= 0 && ms <= (i % 70 < 6 ? 100 << (i % 70) : 5000));
		most = ms > most ? ms : most;
	}
	assert_true(most > 2500);
	assert_int_equal(backoff_ms(3, 0, 0), 0);
}

static void mark(void *items, size_t i)
{
	((int *)items)[i] += 1;
}

static void test_pool__does_each_item_once(void **state)
{
	static int items[10000];

	(void)state;
	assert_true(pool_cores() >= 1);
	for (size_t threads = 0; threads < 9; threads++) {
		memset(items, 0, sizeof(items));
		pool_each(threads, COUNTOF(items), mark, items);
		for (size_t i = 0; i < COUNTOF(items); i++)
			assert_int_equal(items[i], 1);
	}
	pool_each(4, 0, mark, items);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_read__tells_absent_from_too_long),
		ROW(test_write__replaces_whole_files_and_leaves_nothing_beside),
		ROW(test_make_dirs__refuses_a_file_in_the_way),
		ROW(test_read__waits_for_no_pipe_with_a_name),
		ROW(test_remove_tree__follows_no_link_and_takes_any_mode),
		ROW(test_remove_tree__takes_any_depth),
		ROW(test_sweep__removes_folders_of_the_dead_only),
		ROW(test_write_atomic__removes_what_a_killed_writer_left),
		ROW(test_lock__waits_or_says_who),
		ROW(test_path_join__has_no_doubled_slash),
		ROW(test_path_is_inside__takes_only_plain_relative_paths),
		ROW(test_backoff__stays_within_its_window),
		ROW(test_pool__does_each_item_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
