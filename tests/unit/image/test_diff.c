/* SPDX-License-Identifier: Apache-2.0 */
/* test_diff.c — extended attributes of what a container changed: into a layer and out of it again. */
#include "buildexec/image/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "buildexec/image/unpack.h"
#include "buildexec/sys/fs.h"

/* cap_net_raw+ep, as the kernel stores it. */
static const unsigned char capability[] = { 1, 0, 0, 2, 0, 32, 0, 0, 0, 0,
					    0, 0, 0, 0, 0, 0,  0, 0, 0, 0 };

struct fixture {
	struct tmpdir dir;
	struct arena *arena;
	struct rootfs base;
};

static const char *at(const struct fixture *f, const char *name)
{
	return path_join(f->arena, f->dir.path, name);
}

static int set_up_in(void **state, const char *base)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	struct err err = { 0 };

	*f = (struct fixture){ .arena = arena_new() };
	*state = f;
	if (!tmpdir_make(base, "diff-test", &f->dir, &err) ||
	    !fs_make_dirs(at(f, "base"), 0755, &err) ||
	    !fs_make_dirs(at(f, "upper/d"), 0755, &err) || !fs_make_dirs(at(f, "out"), 0755, &err))
		return -1;
	vec_push(f->arena, &f->base.layers, at(f, "base"));
	f->base.form = unpack_form_here();
	return 0;
}

static int set_up(void **state)
{
	return set_up_in(state, NULL);
}

/* Disks hold few attributes of a file, memory many. */
static int set_up_in_memory(void **state)
{
	return set_up_in(state, fs_is_dir("/dev/shm") ? "/dev/shm" : NULL);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tmpdir_release(&f->dir);
	arena_free(f->arena);
	return 0;
}

static bool to_buffer(void *ctx, const void *bytes, size_t n, struct err *err)
{
	struct buf *out = ctx;

	buf_add(out, bytes, n);
	return !out->is_over || err_set(err, ERR_INVALID, "too long");
}

static struct diff_stats write_diff(const struct fixture *f, struct buf *out)
{
	const struct diff_spec spec = { .upper = at(f, "upper"),
					.base = &f->base,
					.mtime_s = TAR_FIXED_MTIME_S };
	struct tar tar = { .sink = to_buffer, .ctx = out };
	struct diff_stats stats;
	struct err err = { 0 };

	if (!diff_write(&spec, &tar, &stats, &err) || !tar_finish(&tar, &err))
		fail_msg("%s", err.text);
	return stats;
}

static void put(const struct fixture *f, const char *name)
{
	struct err err = { 0 };

	assert_true(fs_write_atomic(AT_FDCWD, at(f, name), "x\n", 2, 0755, false, &err));
}

static void set(const struct fixture *f, const char *name, const char *key, const void *value,
		size_t n)
{
	if (setxattr(at(f, name), key, value, n, 0) == 0)
		return;
	print_message("skipped: this file system keeps no '%s': %s\n", key, strerror(errno));
	skip();
}

static void is_kept(const struct fixture *f, const char *name, const char *key, const void *want,
		    size_t n)
{
	char value[64];

	assert_int_equal(getxattr(at(f, name), key, value, sizeof(value)), n);
	assert_memory_equal(value, want, n);
}

static void test_diff__extended_attributes_go_through_a_layer(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF out = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20);
	const char *layer = at(f, "layer.tar");
	struct unpack_stats stats;
	struct err err = { 0 };
	AUTO_FD fd = -1;

	put(f, "upper/d/file");
	put(f, "upper/plain");
	set(f, "upper/d/file", "user.b", "a\0b\n=", 5);
	set(f, "upper/d/file", "user.a", "", 0);
	set(f, "upper/d", "user.dir", "1", 1);
	set(f, "upper/d/file", "user.overlay.mine", "no", 2);
	if (geteuid() == 0)
		set(f, "upper/d/file", "security.capability", capability, sizeof(capability));
	assert_int_equal(write_diff(f, &out).n_xattrs_left_out, 0);
	write_diff(f, &again);
	assert_int_equal(out.len, again.len);
	assert_memory_equal(out.data, again.data, out.len);
	assert_true(fs_write_atomic(AT_FDCWD, layer, out.data, out.len, 0600, false, &err));
	fd = open(layer, O_RDONLY | O_CLOEXEC);
	if (!unpack_layer(&(struct unpack_spec){ .fd = fd,
						 .dir = at(f, "out"),
						 .form = unpack_form_here() },
			  &stats, &err))
		fail_msg("%s", err.text);
	is_kept(f, "out/d/file", "user.b", "a\0b\n=", 5);
	is_kept(f, "out/d/file", "user.a", "", 0);
	is_kept(f, "out/d", "user.dir", "1", 1);
	if (geteuid() == 0)
		is_kept(f, "out/d/file", "security.capability", capability, sizeof(capability));
	assert_int_equal(getxattr(at(f, "out/d/file"), "user.overlay.mine", NULL, 0), -1);
	assert_int_equal(listxattr(at(f, "out/plain"), NULL, 0), 0);
}

static void test_diff__too_many_attributes_are_left_out_and_counted(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF out = BUF_INIT(1 << 20);
	char value[2048] = { 0 };

	put(f, "upper/file");
	for (int i = 0; i < 9; i++)
		if (setxattr(at(f, "upper/file"), arena_printf(f->arena, "user.%d", i), value,
			     sizeof(value), 0) != 0) {
			print_message("skipped: no room for so many here\n");
			skip();
		}
	assert_int_equal(write_diff(f, &out).n_xattrs_left_out, 1);
	assert_null(memmem(out.data, out.len, "SCHILY", 6));
}

static void test_tar__refuses_attributes_that_it_cannot_hold(void **state)
{
	static const char value[TAR_RECORDS_MAX];
	const struct tar_xattr odd = { "user.a=b", "", 0 },
			       large = { "user.a", value, sizeof(value) };
	struct tar_entry entry = { .name = "x", .n_xattrs = 1, .xattrs = &odd };
	AUTO_BUF out = BUF_INIT(1 << 20);
	struct tar tar = { .sink = to_buffer, .ctx = &out };
	struct err err = { 0 };

	(void)state;
	assert_false(tar_begin(&tar, &entry, &err));
	assert_string_equal(err.text, "cannot archive 'x': no attribute can be called 'user.a=b'");
	entry.xattrs = &large;
	assert_false(tar_begin(&tar, &entry, &err));
	assert_string_equal(
		err.text, "cannot archive 'x': its extended attributes have more than 65536 bytes");
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(test_diff__extended_attributes_go_through_a_layer),
		cmocka_unit_test_setup_teardown(
			test_diff__too_many_attributes_are_left_out_and_counted, set_up_in_memory,
			tear_down),
		ROW(test_tar__refuses_attributes_that_it_cannot_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
