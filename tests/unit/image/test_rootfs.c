/* SPDX-License-Identifier: Apache-2.0 */
/* test_rootfs.c — layers read as one tree, and an upper folder as a layer; whiteouts need root or Linux 5.8. */
#include "buildexec/image/rootfs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/image/diff.h"
#include "buildexec/sys/fs.h"

struct fixture {
	struct tmpdir dir;
	struct arena *arena;
	struct rootfs root; /* three layers: low, mid, top */
};

static char *at(const struct fixture *f, const char *name)
{
	return path_join(f->arena, f->dir.path, name);
}

static void folder(const struct fixture *f, const char *name)
{
	struct err err = { 0 };

	assert_true(fs_make_dirs(at(f, name), 0755, &err));
}

static void file(const struct fixture *f, const char *name, const char *text)
{
	struct err err = { 0 };

	assert_true(fs_write_atomic(AT_FDCWD, at(f, name), text, strlen(text), 0644, false, &err));
}

static void opaque(const struct fixture *f, const char *name)
{
	const char *key =
		f->root.form == UNPACK_AS_ROOT ? "trusted.overlay.opaque" : "user.overlay.opaque";

	assert_int_equal(setxattr(at(f, name), key, "y", 1, 0), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = { 0 };

	f->arena = arena_new();
	*state = f;
	umask(022);
	if (!tmpdir_make(NULL, "test-rootfs", &f->dir, &err))
		return -1;
	f->root.form = unpack_form_here();
	folder(f, "low/etc");
	folder(f, "low/dir/sub");
	folder(f, "low/hidden");
	folder(f, "mid/dir");
	folder(f, "mid/hidden");
	folder(f, "top/dir");
	file(f, "low/etc/name", "low");
	file(f, "low/dir/a", "low");
	file(f, "low/dir/b", "low");
	file(f, "low/dir/sub/x", "x");
	file(f, "low/hidden/x", "x");
	file(f, "mid/dir/a", "mid");
	file(f, "mid/hidden/y", "y");
	file(f, "top/new", "top");
	opaque(f, "mid/hidden");
	assert_int_equal(mknod(at(f, "top/dir/b"), S_IFCHR, makedev(0, 0)), 0);
	assert_int_equal(symlink("/dir/sub", at(f, "mid/way")), 0);
	assert_int_equal(symlink("../../../../etc/name", at(f, "mid/climb")), 0);
	assert_int_equal(symlink("loop", at(f, "top/loop")), 0);
	/* A link in a layer where a higher one has a folder: nobody may walk over it. */
	assert_int_equal(symlink("/etc", at(f, "low/mixed")), 0);
	folder(f, "top/mixed");
	vec_push(f->arena, &f->root.layers, at(f, "low"));
	vec_push(f->arena, &f->root.layers, at(f, "mid"));
	vec_push(f->arena, &f->root.layers, at(f, "top"));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tmpdir_release(&f->dir);
	arena_free(f->arena);
	free(f);
	return 0;
}

static const char *content(const struct fixture *f, const char *path)
{
	struct err err = { 0 };
	char *text;
	size_t len;

	assert_true(rootfs_read(&f->root, path, 100, f->arena, &text, &len, &err));
	return text ? text : "(absent)";
}

static void test_rootfs_read__sees_what_overlayfs_shows(void **state)
{
	const struct fixture *f = *state;
	static const struct {
		const char *path, *text;
	} rows[] = {
		{ "/etc/name", "low" },    { "dir/a", "mid" },
		{ "/dir/b", "(absent)" },  { "/dir/sub/x", "x" },
		{ "/way/x", "x" },         { "/way/../a", "mid" },
		{ "/climb", "low" },       { "/hidden/x", "(absent)" },
		{ "/hidden/y", "y" },      { "/new", "top" },
		{ "/new/x", "(absent)" },  { "/../etc/./name", "low" },
		{ "/none/x", "(absent)" }, { "/mixed/name", "(absent)" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(content(f, rows[i].path), rows[i].text);
}

static void test_rootfs_find__tells_where_things_would_be(void **state)
{
	const struct fixture *f = *state;
	struct rootfs_entry entry;
	struct err err = { 0 };

	assert_true(rootfs_find(&f->root, "/way/none", true, f->arena, &entry, &err));
	assert_null(entry.host);
	assert_string_equal(entry.path, "/dir/sub/none");
	assert_true(rootfs_find(&f->root, "/way", false, f->arena, &entry, &err));
	assert_true(S_ISLNK(entry.stat.st_mode));
	assert_false(rootfs_find(&f->root, "/loop", true, f->arena, &entry, &err));
	assert_int_equal(err.kind, ERR_INVALID);
}

static void test_rootfs_names__joins_folders(void **state)
{
	const struct fixture *f = *state;
	struct rootfs_entry entry;
	struct strings names;
	struct err err = { 0 };

	assert_true(rootfs_find(&f->root, "/dir", true, f->arena, &entry, &err));
	assert_true(rootfs_names(&f->root, &entry, f->arena, &names, &err));
	assert_int_equal(names.n, 2);
	assert_string_equal(names.v[0], "a");
	assert_string_equal(names.v[1], "sub");
}

static void test_rootfs_copy__copies_the_joined_tree(void **state)
{
	struct fixture *f = *state;
	struct rootfs_entry entry;
	struct err err = { 0 };

	assert_true(rootfs_find(&f->root, "/", true, f->arena, &entry, &err));
	assert_true(rootfs_copy(&f->root, &entry, at(f, "copy"), &err));
	f->root.layers.n = 0;
	vec_push(f->arena, &f->root.layers, at(f, "copy"));
	assert_string_equal(content(f, "/dir/a"), "mid");
	assert_string_equal(content(f, "/dir/b"), "(absent)");
	assert_string_equal(content(f, "/hidden/y"), "y");
	assert_string_equal(content(f, "/way/x"), "x");
}

static bool keep(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)err;
	buf_add(ctx, bytes, n);
	return true;
}

/* Names of a ustar archive without long names, in a row, folders with a slash. */
static void list(const struct buf *tar, struct buf *out)
{
	for (size_t i = 0; i + 512 <= tar->len && tar->data[i];) {
		const char *size = tar->data + i + 124;

		buf_printf(out, "%s%s ", tar->data + i, tar->data[i + 156] == '5' ? "/" : "");
		i += 512 + (strtoul(size, NULL, 8) + 511) / 512 * 512;
	}
}

static void test_diff_write__is_a_layer(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF bytes = BUF_INIT(1u << 20), names = BUF_INIT(4096);
	struct tar tar = { .sink = keep, .ctx = &bytes };
	struct rootfs base = { .form = f->root.form };
	struct strings left_out = { 0 };
	struct diff_spec spec = {
		.upper = at(f, "top"), .base = &base, .left_out = &left_out, .mtime_s = 1
	};
	struct diff_stats stats;
	struct err err = { 0 };

	vec_push(f->arena, &base.layers, at(f, "low"));
	vec_push(f->arena, &base.layers, at(f, "mid"));
	vec_push(f->arena, &left_out, "/proc");
	folder(f, "top/proc");      /* a mount point */
	folder(f, "top/etc");       /* came along, nothing in it */
	folder(f, "top/hidden/in"); /* replaces the image's */
	folder(f, "top/fresh");     /* new, marked all the same */
	opaque(f, "top/hidden");
	opaque(f, "top/fresh");
	file(f, "top/.wh.sly", "");
	assert_int_equal(link(at(f, "top/new"), at(f, "top/dir/twin")), 0);
	assert_true(diff_write(&spec, &tar, &stats, &err));
	assert_true(tar_finish(&tar, &err));
	list(&bytes, &names);
	assert_string_equal(buf_text(&names),
			    "dir/ dir/.wh.b dir/twin fresh/ hidden/ hidden/.wh..wh..opq hidden/in/ "
			    "loop mixed/ new ");
	assert_int_equal(stats.n_whiteouts, 2);
	assert_int_equal(stats.n_left_out, 1);
	assert_int_equal(stats.n_entries, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rootfs_read__sees_what_overlayfs_shows, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_rootfs_find__tells_where_things_would_be,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rootfs_names__joins_folders, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_rootfs_copy__copies_the_joined_tree, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_diff_write__is_a_layer, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("rootfs", tests, NULL, NULL);
}
