/* SPDX-License-Identifier: Apache-2.0 */
/* test_open_inside.c — names and links of all sorts: the walk opens what the kernel opens, and fails as it does. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/open_inside.h"

/* The folder has a file, folders and links; beside it is a file that must stay out of reach. */
static const struct {
	const char *link, *target;
} links[] = {
	{ "in/to-file", "file" },
	{ "in/to-dir", "dir" },
	{ "in/dir/up", ".." },
	{ "in/dir/out", "../../outside" },
	{ "in/absolute", "/file" },
	{ "in/absolute-dir", "/dir" },
	{ "in/out", "../outside" },
	{ "in/dangling", "nowhere/file" },
	{ "in/loop", "loop" },
	{ "in/over-links", "to-dir/up/to-dir/file" },
	{ "in/self", "." },
	{ "in/slash", "dir/" },
	{ "in/chain", "over-links" },
	{ "in/dir/far", "../../../../../../outside" },
	{ "in/real-outside", "OUTSIDE" },
};
static const char *const paths[] = {
	"",
	".",
	"file",
	"dir",
	"dir/file",
	"dir/../file",
	"..",
	"../outside",
	"dir/../../outside",
	"/file",
	"/",
	"//dir//file",
	"dir/.",
	"to-file",
	"to-dir",
	"to-dir/file",
	"dir/up/file",
	"dir/out",
	"absolute",
	"absolute-dir/file",
	"out",
	"dangling",
	"loop",
	"loop/x",
	"over-links",
	"self/self/dir/file",
	"slash/file",
	"chain",
	"dir/far",
	"file/x",
	"file/../dir",
	"nothing",
	"nothing/x",
	"nothing/../file",
	"real-outside",
	"dir/up/../outside",
	"to-dir/../file",
};

struct world {
	struct tmpdir dir;
	struct arena *arena;
	int fd;
};

static void put(const struct world *w, const char *name)
{
	struct err err = { 0 };

	assert_true(fs_write_atomic(AT_FDCWD, path_join(w->arena, w->dir.path, name), name,
				    strlen(name), 0644, false, &err));
}

static void make_world(struct world *w)
{
	struct err err = { 0 };

	w->arena = arena_new();
	assert_true(tmpdir_make(NULL, "test-inside", &w->dir, &err));
	assert_true(fs_make_dirs(path_join(w->arena, w->dir.path, "in/dir"), 0755, &err));
	put(w, "outside");
	put(w, "in/file");
	put(w, "in/dir/file");
	for (size_t i = 0; i < COUNTOF(links); i++) {
		const char *target = strcmp(links[i].target, "OUTSIDE") == 0
					     ? path_join(w->arena, w->dir.path, "outside")
					     : links[i].target;

		assert_int_equal(symlink(target, path_join(w->arena, w->dir.path, links[i].link)),
				 0);
	}
	w->fd = open(path_join(w->arena, w->dir.path, "in"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->fd >= 0);
}

static void end_world(struct world *w)
{
	fd_close(&w->fd);
	tmpdir_release(&w->dir);
	arena_free(w->arena);
}

static ino_t number_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void test_open_inside__walks_as_the_kernel_does(void **state)
{
	static const uint64_t flags[] = { O_RDONLY, O_PATH, O_RDONLY | O_DIRECTORY,
					  O_PATH | O_NOFOLLOW };
	struct world w;

	(void)state;
	make_world(&w);
	for (size_t i = 0; i < COUNTOF(paths) * COUNTOF(flags) * INSIDES; i++) {
		const char *path = paths[i / INSIDES / COUNTOF(flags)];
		uint64_t how = flags[i / INSIDES % COUNTOF(flags)];
		AUTO_FD want = open_inside(w.fd, path, how, (enum inside)(i % INSIDES));
		int sys = errno;
		AUTO_FD got = open_inside_walk(w.fd, path, how, (enum inside)(i % INSIDES));

		if ((want < 0) != (got < 0) || (want < 0 && sys != errno))
			fail_msg("'%s' flags %llx mode %zu: %s, not %s", path,
				 (unsigned long long)how, i % INSIDES,
				 strerror(got < 0 ? errno : 0), strerror(want < 0 ? sys : 0));
		if (want >= 0)
			assert_int_equal(number_of(want), number_of(got));
	}
	end_world(&w);
}

static void test_open_inside__never_reaches_what_is_outside(void **state)
{
	struct stat outside;
	struct world w;

	(void)state;
	make_world(&w);
	assert_int_equal(stat(path_join(w.arena, w.dir.path, "outside"), &outside), 0);
	for (size_t i = 0; i < COUNTOF(paths) * INSIDES; i++) {
		AUTO_FD fd = open_inside_walk(w.fd, paths[i / INSIDES], O_RDONLY,
					      (enum inside)(i % INSIDES));

		assert_true(fd < 0 || number_of(fd) != outside.st_ino);
	}
	end_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_inside__walks_as_the_kernel_does),
		cmocka_unit_test(test_open_inside__never_reaches_what_is_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
