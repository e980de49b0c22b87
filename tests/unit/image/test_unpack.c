/* SPDX-License-Identifier: Apache-2.0 */
/* test_unpack.c — layers on disk: every kind of entry, whiteouts, hostile archives, broken blobs, the shared store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "buildexec/image/tar.h"
#include "buildexec/image/tar_tree.h"
#include "buildexec/image/unpack.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"
#include "buildexec/sys/proc.h"
#include "model/base/limits.h"

struct fixture {
	struct tmpdir dir;
	struct arena *arena;
	struct buf bytes;
	struct tar tar;
};

static bool keep(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)err;
	buf_add(ctx, bytes, n);
	return true;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = { 0 };

	f->arena = arena_new();
	f->bytes = BUF_INIT(64u << 20);
	f->tar = (struct tar){ .sink = keep, .ctx = &f->bytes };
	*state = f;
	return tmpdir_make(NULL, "test-unpack", &f->dir, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tmpdir_release(&f->dir);
	arena_free(f->arena);
	buf_release(&f->bytes);
	free(f);
	return 0;
}

static char *at(const struct fixture *f, const char *name)
{
	return path_join(f->arena, f->dir.path, name);
}

static void add(struct fixture *f, struct tar_entry entry, const char *content)
{
	struct err err = { 0 };

	if (!entry.mode)
		entry.mode = entry.type == TAR_DIR ? 0755 : 0644;
	entry.uid = geteuid();
	entry.gid = getegid();
	assert_true(tar_add(&f->tar, &entry, content, strlen(content), &err));
}

static void save(const char *path, const void *bytes, size_t n)
{
	struct err err = { 0 };

	assert_true(fs_write_atomic(AT_FDCWD, path, bytes, n, 0644, false, &err));
}

/* The archive so far, as the blob "blob". */
static char *finish(struct fixture *f)
{
	struct err err = { 0 };

	assert_true(tar_finish(&f->tar, &err));
	save(at(f, "blob"), f->bytes.data, f->bytes.len);
	return at(f, "blob");
}

static bool unpack_blob(struct fixture *f, const char *blob, const char *diff_id,
			struct unpack_stats *stats, struct err *err)
{
	AUTO_FD fd = open(blob, O_RDONLY);
	struct unpack_spec spec = {
		.fd = fd, .dir = at(f, "out"), .diff_id = diff_id, .form = unpack_form_here()
	};

	assert_true(fd >= 0);
	assert_true(fs_remove_tree(spec.dir, err));
	assert_true(fs_make_dirs(spec.dir, 0755, err));
	return unpack_layer(&spec, stats, err);
}

static void unpack(struct fixture *f, struct unpack_stats *stats)
{
	const char *blob = finish(f);
	struct digest diff_id = digest_of(f->bytes.data, f->bytes.len);
	struct err err = { 0 };
	bool is_ok = unpack_blob(f, blob, diff_id.text, stats, &err);

	if (!is_ok)
		print_message("%s\n", err.text);
	assert_true(is_ok);
}

static struct stat look(const struct fixture *f, const char *name)
{
	struct stat st = { 0 };

	if (lstat(at(f, name), &st) < 0)
		fail_msg("no '%s': %s", name, strerror(errno));
	return st;
}

static void has_text(const struct fixture *f, const char *name, const char *want)
{
	struct err err = { 0 };
	char *text;
	size_t len;

	assert_true(fs_read(AT_FDCWD, at(f, name), 1000, f->arena, &text, &len, &err));
	assert_non_null(text);
	assert_string_equal(text, want);
}

static void test_unpack__makes_every_kind_of_entry(void **state)
{
	struct fixture *f = *state;
	struct unpack_stats stats;
	char target[100] = "";

	add(f, (struct tar_entry){ "d", TAR_DIR, .mode = 01777, .mtime_s = 1000 }, "");
	add(f, (struct tar_entry){ "/d/file", .mode = 04755, .mtime_s = 2000 }, "text");
	add(f, (struct tar_entry){ "./d//link", TAR_SYMLINK, .linkname = "/etc/../x" }, "");
	add(f, (struct tar_entry){ "d/hard", TAR_HARDLINK, .linkname = "/d/file" }, "");
	add(f, (struct tar_entry){ "d/fifo", TAR_FIFO, .mode = 0640 }, "");
	add(f, (struct tar_entry){ "d/null", TAR_CHAR }, "");
	add(f, (struct tar_entry){ "d/disk", TAR_BLOCK }, "");
	add(f, (struct tar_entry){ "deep/er/file" }, "made its parents");
	add(f, (struct tar_entry){ "d/\xff\xfe" }, "not UTF-8");
	add(f, (struct tar_entry){ "d/\xc3\xa9" }, "UTF-8");
	unpack(f, &stats);
	assert_int_equal(stats.n_entries, 10);
	assert_int_equal(stats.n_devices, 2);
	assert_int_equal(look(f, "out/d").st_mode, S_IFDIR | 01777);
	assert_int_equal(look(f, "out/d").st_mtim.tv_sec, 1000);
	assert_int_equal(look(f, "out/d/file").st_mode, S_IFREG | 04755);
	assert_int_equal(look(f, "out/d/file").st_mtim.tv_sec, 2000);
	assert_int_equal(look(f, "out/d/hard").st_ino, look(f, "out/d/file").st_ino);
	assert_true(S_ISFIFO(look(f, "out/d/fifo").st_mode));
	assert_true(readlink(at(f, "out/d/link"), target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "/etc/../x");
	assert_false(fs_exists(at(f, "out/d/null")));
	has_text(f, "out/d/file", "text");
	has_text(f, "out/deep/er/file", "made its parents");
	has_text(f, "out/d/\xff\xfe", "not UTF-8");
	has_text(f, "out/d/\xc3\xa9", "UTF-8");
}

static void test_unpack__sets_owners_as_root(void **state)
{
	struct fixture *f = *state;
	struct tar_entry file = { "f", .mode = 02711, .uid = 4242, .gid = 3000000 };
	struct tar_entry link = { "l", TAR_SYMLINK, .uid = 7, .gid = 8, .linkname = "f" };
	struct unpack_stats stats;
	struct err err = { 0 };

	if (geteuid() != 0) {
		print_message("skipped: only root sets owners\n");
		skip();
	}
	assert_true(tar_add(&f->tar, &file, "x", 1, &err));
	assert_true(tar_add(&f->tar, &link, "", 0, &err));
	unpack(f, &stats);
	assert_int_equal(look(f, "out/f").st_uid, 4242);
	assert_int_equal(look(f, "out/f").st_gid, 3000000);
	assert_int_equal(look(f, "out/f").st_mode & 07777, 02711);
	assert_int_equal(look(f, "out/l").st_uid, 7);
}

static void test_unpack__as_user_keeps_everything_readable(void **state)
{
	struct fixture *f = *state;
	struct unpack_spec spec = { .dir = at(f, "out"), .form = UNPACK_AS_USER };
	struct unpack_stats stats;
	struct err err = { 0 };
	AUTO_FD fd = -1;

	add(f, (struct tar_entry){ "shut", TAR_DIR, .mode = 0111 }, "");
	add(f, (struct tar_entry){ "shut/secret", .mode = 0001 }, "x");
	add(f, (struct tar_entry){ "shut/.wh..wh..opq" }, "");
	fd = open(finish(f), O_RDONLY);
	spec.fd = fd;
	assert_int_equal(mkdir(spec.dir, 0755), 0);
	assert_true(unpack_layer(&spec, &stats, &err));
	assert_int_equal(look(f, "out/shut").st_mode & 07777, 0711);
	assert_int_equal(look(f, "out/shut/secret").st_mode & 07777, 0601);
	if (getxattr(at(f, "out/shut"), "user.overlay.opaque", NULL, 0) < 0)
		assert_int_equal(errno, ENOTSUP);
}

/* For what is archived again: a cached layer that came back otherwise would be another one. */
static void test_unpack__as_user_keeps_exact_modes_where_asked(void **state)
{
	struct fixture *f = *state;
	struct unpack_spec spec = { .dir = at(f, "out"),
				    .form = UNPACK_AS_USER,
				    .has_exact_modes = true };
	struct unpack_stats stats;
	struct err err = { 0 };
	AUTO_FD fd = -1;

	add(f, (struct tar_entry){ "shut", TAR_DIR, .mode = 0700 }, "");
	add(f, (struct tar_entry){ "shut/in", TAR_DIR, .mode = 02555 }, "");
	add(f, (struct tar_entry){ "shut/in/secret", .mode = 01 }, "x");
	add(f, (struct tar_entry){ "shut", TAR_DIR, .mode = 0111 }, "");
	add(f, (struct tar_entry){ "shut/in/late", .mode = 0444 }, "x");
	add(f, (struct tar_entry){ "gone", TAR_DIR, .mode = 01 }, "");
	add(f, (struct tar_entry){ "gone", .mode = 0640 }, "x");
	fd = open(finish(f), O_RDONLY);
	spec.fd = fd;
	assert_int_equal(mkdir(spec.dir, 0755), 0);
	assert_true(unpack_layer(&spec, &stats, &err));
	assert_int_equal(look(f, "out/shut").st_mode & 07777, 0111);
	assert_int_equal(look(f, "out/gone").st_mode & 07777, 0640);
	assert_int_equal(chmod(at(f, "out/shut"), 0700), 0);
	assert_int_equal(look(f, "out/shut/in").st_mode & 07777, 02555);
	assert_int_equal(look(f, "out/shut/in/secret").st_mode & 07777, 01);
	assert_int_equal(look(f, "out/shut/in/late").st_mode & 07777, 0444);
}

static void test_unpack__turns_whiteouts_into_overlayfs_marks(void **state)
{
	struct fixture *f = *state;
	const char *opaque = geteuid() == 0 ? "trusted.overlay.opaque" : "user.overlay.opaque";
	struct unpack_stats stats;
	char value[2] = "";

	add(f, (struct tar_entry){ "d/.wh.gone" }, "");
	add(f, (struct tar_entry){ ".wh.top" }, "");
	add(f, (struct tar_entry){ "o/.wh..wh..opq" }, "");
	add(f, (struct tar_entry){ "o/new" }, "x");
	add(f, (struct tar_entry){ "d/.wh..wh.plnk/123" }, "");
	add(f, (struct tar_entry){ ".wh..wh.aufs" }, "");
	add(f, (struct tar_entry){ ".wh..wh..opq" }, "");
	unpack(f, &stats);
	assert_int_equal(getxattr(at(f, "out"), opaque, value, 1), 1);
	assert_true(S_ISCHR(look(f, "out/d/gone").st_mode));
	assert_int_equal(look(f, "out/d/gone").st_rdev, makedev(0, 0));
	assert_true(S_ISCHR(look(f, "out/top").st_mode));
	assert_int_equal(getxattr(at(f, "out/o"), opaque, value, 1), 1);
	assert_string_equal(value, "y");
	assert_true(getxattr(at(f, "out/d"), opaque, value, 1) < 0);
	has_text(f, "out/o/new", "x");
	assert_false(fs_exists(at(f, "out/.wh..wh.aufs")));
}

static void test_unpack__what_a_layer_puts_back_hides_what_it_removed(void **state)
{
	struct fixture *f = *state;
	const char *opaque = geteuid() == 0 ? "trusted.overlay.opaque" : "user.overlay.opaque";
	struct unpack_stats stats;
	char value;

	add(f, (struct tar_entry){ ".wh.first" }, "");
	add(f, (struct tar_entry){ "first", TAR_DIR }, "");
	add(f, (struct tar_entry){ "second/in" }, "kept");
	add(f, (struct tar_entry){ ".wh.second" }, "");
	add(f, (struct tar_entry){ "a/.wh.third" }, "");
	add(f, (struct tar_entry){ "a/third/in/deep" }, "made its parents");
	add(f, (struct tar_entry){ "file" }, "kept");
	add(f, (struct tar_entry){ ".wh.file" }, "");
	add(f, (struct tar_entry){ ".wh.other" }, "");
	add(f, (struct tar_entry){ "other" }, "new");
	unpack(f, &stats);
	assert_int_equal(getxattr(at(f, "out/first"), opaque, &value, 1), 1);
	assert_int_equal(getxattr(at(f, "out/second"), opaque, &value, 1), 1);
	assert_int_equal(getxattr(at(f, "out/a/third"), opaque, &value, 1), 1);
	assert_true(getxattr(at(f, "out/a"), opaque, &value, 1) < 0);
	has_text(f, "out/second/in", "kept");
	has_text(f, "out/a/third/in/deep", "made its parents");
	has_text(f, "out/file", "kept");
	has_text(f, "out/other", "new");
}

static void test_unpack__a_later_entry_replaces_an_earlier_one(void **state)
{
	struct fixture *f = *state;
	struct unpack_stats stats;

	add(f, (struct tar_entry){ "a/full/sub", TAR_DIR }, "");
	add(f, (struct tar_entry){ "a/full/sub/file" }, "x");
	add(f, (struct tar_entry){ "a/full" }, "now a file");
	add(f, (struct tar_entry){ "b" }, "file");
	add(f, (struct tar_entry){ "b", TAR_DIR }, "");
	add(f, (struct tar_entry){ "b/in" }, "1");
	add(f, (struct tar_entry){ "b/in" }, "2");
	add(f, (struct tar_entry){ "c", TAR_SYMLINK, .linkname = "/etc/passwd" }, "");
	add(f, (struct tar_entry){ "c" }, "not through the link");
	add(f, (struct tar_entry){ "d", TAR_DIR }, "");
	add(f, (struct tar_entry){ "d/x" }, "x");
	add(f, (struct tar_entry){ "d", TAR_SYMLINK, .linkname = "b" }, "");
	add(f, (struct tar_entry){ "d/y" }, "through the link, inside");
	add(f, (struct tar_entry){ "e", TAR_SYMLINK, .linkname = "b" }, "");
	add(f, (struct tar_entry){ "e", TAR_DIR }, "");
	unpack(f, &stats);
	has_text(f, "out/a/full", "now a file");
	has_text(f, "out/b/in", "2");
	has_text(f, "out/c", "not through the link");
	has_text(f, "out/b/y", "through the link, inside");
	assert_true(S_ISLNK(look(f, "out/d").st_mode));
	assert_true(S_ISDIR(look(f, "out/e").st_mode));
}

static void test_unpack__links_lead_nowhere_outside(void **state)
{
	struct fixture *f = *state;
	struct unpack_stats stats;

	assert_int_equal(mkdir(at(f, "victim"), 0755), 0);
	add(f, (struct tar_entry){ "abs", TAR_SYMLINK, .linkname = at(f, "victim") }, "");
	add(f, (struct tar_entry){ "tmp", TAR_DIR }, "");
	add(f, (struct tar_entry){ "up", TAR_SYMLINK, .linkname = "../../../../../tmp" }, "");
	add(f, (struct tar_entry){ "up/evil" }, "x");
	unpack(f, &stats);
	has_text(f, "out/tmp/evil", "x");
	assert_int_equal(rmdir(at(f, "victim")), 0);
}

static void test_unpack__refuses_hostile_entries(void **state)
{
	static const struct {
		struct tar_entry entries[2];
		const char *text;
	} rows[] = {
		{ { { "../evil" } }, "leads outside" },
		{ { { "a/../../evil" } }, "leads outside" },
		{ { { "/.." } }, "leads outside" },
		{ { { "x", TAR_HARDLINK, .linkname = "../../../etc/passwd" } }, "outside" },
		{ { { "x", TAR_HARDLINK, .linkname = "/etc/passwd" } }, "cannot unpack 'x'" },
		{ { { "d", TAR_DIR }, { "x", TAR_HARDLINK, .linkname = "d" } }, "not there" },
		{ { { ".wh." } }, "removes a name outside" },
		{ { { ".wh..." } }, "removes a name outside" },
		{ { { ".wh.." } }, "removes a name outside" },
		{ { { "." } }, "root is no folder" },
		{ { { "file" }, { "file/below" } }, "Not a directory" },
		{ { { "l", TAR_SYMLINK, .linkname = "l" }, { "l/x" } }, "Too many levels" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct unpack_stats stats;
		struct err err = { 0 };

		buf_clear(&f->bytes);
		for (size_t k = 0; k < 2 && rows[i].entries[k].name; k++)
			add(f, rows[i].entries[k], "");
		if (unpack_blob(f, finish(f), NULL, &stats, &err))
			fail_msg("row %zu was unpacked", i);
		if (!strstr(err.text, rows[i].text))
			fail_msg("row %zu: %s", i, err.text);
		assert_false(fs_exists(at(f, "evil")));
	}
}

static void run(const char *const *argv)
{
	const char *env[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };
	struct proc_spec spec = { .argv = argv, .env = env };
	struct proc_result result;
	struct err err = { 0 };

	assert_true(proc_run(&spec, &result, &err));
	assert_int_equal(result.exit_code, 0);
}

static const struct unpack_limits few = { .bytes = 1 << 20, .entries = 100 };

static bool unpack_limited(struct fixture *f, const char *blob, struct err *err)
{
	AUTO_FD fd = open(blob, O_RDONLY);
	struct unpack_spec spec = {
		.fd = fd, .dir = at(f, "out"), .form = unpack_form_here(), .limits = &few
	};
	struct unpack_stats stats;

	assert_true(fs_remove_tree(spec.dir, err));
	assert_true(fs_make_dirs(spec.dir, 0755, err));
	return unpack_layer(&spec, &stats, err);
}

/* Other bytes in the header at `header`, and its checksum made right again. */
static void forge(struct fixture *f, size_t header, size_t place, const void *bytes, size_t n)
{
	unsigned char *block = (unsigned char *)f->bytes.data + header;
	unsigned sum = 0;
	char text[8];

	memcpy(block + place, bytes, n);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += block[i];
	snprintf(text, sizeof(text), "%06o", sum);
	memcpy(block + 148, text, 7);
}

/* "key=value" lines, each with its length in front. */
static const char *pax(const struct fixture *f, const char *lines)
{
	const char *out = "";

	for (size_t len; *lines; lines += len) {
		size_t n;

		len = strcspn(lines, "\n") + 1;
		n = len + 3; /* two digits and a blank */
		out = arena_printf(f->arena, "%s%zu %.*s", out, n, (int)len, lines);
	}
	return out;
}

/* A file "a" of one byte whose header says another size, or a PAX header in front of it. */
static void add_sized(struct fixture *f, const char *octal, const char *records)
{
	if (records) {
		const size_t header = f->bytes.len;

		records = pax(f, records);
		add(f, (struct tar_entry){ "h", .size_bytes = strlen(records) }, records);
		forge(f, header, 156, "x", 1);
	}
	add(f, (struct tar_entry){ "a", .size_bytes = 1 }, "x");
	if (octal)
		forge(f, f->bytes.len - 1024, 124, octal, 12);
}

static void test_unpack__refuses_sizes_that_cannot_be(void **state)
{
	static const struct {
		const char *octal, *records;
	} rows[] = {
		{ "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", NULL }, /* 8 EiB */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", NULL },
		{ "\x80\0\0\1\0\0\0\0\0\0\0\0", NULL }, /* more than 64 bits */
		{ "77777777777", NULL },
		{ NULL, "size=9223372036854775807\n" },
		{ NULL, "size=-1\n" },
		{ NULL, "size=99999999999999999999\n" },
		/* One byte behind a hole of 8 EiB. */
		{ NULL, "GNU.sparse.major=0\nGNU.sparse.minor=1\n"
			"GNU.sparse.map=0,0,9223372036854775806,1\n"
			"GNU.sparse.size=9223372036854775807\n" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct unpack_stats stats;
		struct err err = { 0 };

		buf_clear(&f->bytes);
		add_sized(f, rows[i].octal, rows[i].records);
		if (unpack_blob(f, finish(f), NULL, &stats, &err))
			fail_msg("row %zu was unpacked", i);
		if (err.kind != ERR_INVALID)
			fail_msg("row %zu: %s", i, err.text);
	}
}

/* "d/d/…" of that many parts, behind `above`. */
static const char *deep(const struct fixture *f, const char *above, size_t parts)
{
	AUTO_BUF out = BUF_INIT(8192);

	buf_puts(&out, above);
	for (size_t i = 0; i < parts; i++)
		buf_puts(&out, i ? "/d" : "d");
	return buf_copy(&out, f->arena);
}

/* Few bytes that become many: what is packed well, what is claimed, what is empty. */
static void test_unpack__stops_bombs(void **state)
{
	static const char *const names[] = { "files of zeros, in gzip", "padding behind the end",
					     "holes that together are too much", "empty files",
					     "folders above few files" };
	static const char *const texts[] = { "it is too large",
					     "layer is larger than 1048576 bytes",
					     "it is too large", "too many entries",
					     "too many entries" };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(names); i++) {
		struct err err = { 0 };
		const char *script = "cp blob c";

		buf_clear(&f->bytes);
		if (i == 0) {
			add(f, (struct tar_entry){ "a", .size_bytes = 1 }, "x");
			script = "truncate -s 600K y z; tar -cf - y z | gzip -9 > c";
		} else if (i == 1) {
			add(f, (struct tar_entry){ "a", .size_bytes = 1 }, "x");
			script = "(cat blob; head -c 8M /dev/zero) | gzip -9 > c";
		} else if (i == 2) {
			script = "for i in 1 2; do truncate -s 600K s$i; printf x >> s$i; done; "
				 "tar -S --format=posix -cf c s1 s2";
		}
		for (size_t k = 0; i == 3 && k < 200; k++)
			add(f, (struct tar_entry){ arena_printf(f->arena, "e%zu", k) }, "");
		for (size_t k = 0; i == 4 && k < 3; k++)
			add(f,
			    (struct tar_entry){
				    arena_printf(f->arena, "%zu/%s", k, deep(f, "", 50)) },
			    "");
		finish(f);
		run((const char *[]){ "sh", "-c",
				      arena_printf(f->arena, "cd %s && %s", f->dir.path, script),
				      NULL });
		if (unpack_limited(f, at(f, "c"), &err))
			fail_msg("%s: it was unpacked", names[i]);
		if (err.kind != ERR_INVALID || !strstr(err.text, texts[i]))
			fail_msg("%s: %s", names[i], err.text);
	}
}

/* Each further folder costs as many steps as there are above it. */
static void test_unpack__refuses_names_that_are_too_deep(void **state)
{
	struct fixture *f = *state;
	struct unpack_stats stats;
	struct err err = { 0 };

	add(f, (struct tar_entry){ deep(f, "", LIMIT_TREE_DEPTH), TAR_DIR }, "");
	unpack(f, &stats);
	buf_clear(&f->bytes);
	add(f, (struct tar_entry){ deep(f, "", LIMIT_TREE_DEPTH + 1), TAR_DIR }, "");
	assert_false(unpack_blob(f, finish(f), NULL, &stats, &err));
	assert_non_null(strstr(err.text, "too deep"));
}

/* By way of links a folder may be deeper than any path of this machine: it is removed all the same, and not packed. */
static void test_unpack__goes_no_deeper_than_links_lead(void **state)
{
	enum { LINKS = 12 };
	struct fixture *f = *state;
	struct strings all = { 0 };
	struct unpack_stats stats;
	struct err err = { 0 };
	const char *above = "";

	for (size_t i = 0; i < LINKS; i++) {
		const char *folder = deep(f, above, LIMIT_TREE_DEPTH - 5);
		const char *link = arena_printf(f->arena, "l%zu", i);

		add(f, (struct tar_entry){ folder, TAR_DIR }, "");
		add(f, (struct tar_entry){ link, TAR_SYMLINK, .linkname = folder }, "");
		above = arena_printf(f->arena, "%s/", link);
	}
	add(f, (struct tar_entry){ arena_printf(f->arena, "%sfile", above) }, "x");
	unpack(f, &stats);
	assert_false(tree_list(at(f, "out"), f->arena, &all, &err));
	err = (struct err){ 0 };
	if (!fs_remove_tree(at(f, "out"), &err))
		fail_msg("%s", err.text);
	assert_false(fs_exists(at(f, "out")));
}

/* Packers that this machine may lack. */
static bool can_run(const char *script)
{
	char path[PATH_MAX];

	if (strncmp(script, "zstd", 4) != 0 || proc_find("zstd", path))
		return true;
	print_message("skipped a row: no zstd in PATH\n");
	return false;
}

static void test_unpack__reads_each_compression_to_the_same_layer(void **state)
{
	struct fixture *f = *state;
	static const char *const scripts[] = {
		"cat blob > c",
		"gzip -9 < blob > c",
		/* three members */
		"(head -c 3000 blob | gzip; tail -c +3001 blob | gzip -c - /dev/null) > c",
		"zstd -q < blob > c",
	};
	char *text = calloc(1, 300001);

	for (size_t i = 0; i < 300000; i++)
		text[i] = (char)('a' + i * i % 23);
	add(f, (struct tar_entry){ "big" }, text);
	free(text);
	add(f, (struct tar_entry){ "small" }, "x");
	finish(f);
	for (size_t i = 0; i < COUNTOF(scripts); i++) {
		struct unpack_stats stats;
		struct err err = { 0 };
		char *script = arena_printf(f->arena, "cd %s && %s", f->dir.path, scripts[i]);

		if (!can_run(scripts[i]))
			continue;
		run((const char *[]){ "sh", "-c", script, NULL });
		if (!unpack_blob(f, at(f, "c"), digest_of(f->bytes.data, f->bytes.len).text, &stats,
				 &err))
			fail_msg("row %zu: %s", i, err.text);
		assert_int_equal(stats.n_entries, 2);
		assert_int_equal(stats.n_bytes, 300001);
	}
}

static void test_unpack__refuses_broken_blobs(void **state)
{
	static const struct {
		const char *script, *text;
	} rows[] = {
		{ "gzip < blob | head -c -9 > c", "layer ends in the middle" },
		{ "gzip < blob | head -c 100 > c", "layer" },
		{ "(gzip < blob; echo some garbage) > c", "not a valid gzip file" },
		{ "gzip < blob | tr 'a-z' 'b-za' > c; printf '\\037\\213' | "
		  "dd of=c conv=notrunc status=none",
		  "layer" },
		{ "head -c 5000 blob > c", "" },
		{ "zstd -q < blob | head -c -20 > c", "layer" },
		{ "echo this is no archive at all > c", "tar archive" },
		{ "gzip < blob > c", "layer has diff id" },
	};
	struct fixture *f = *state;
	char *text = calloc(1, 50001);

	for (size_t i = 0; i < 50000; i++)
		text[i] = (char)('a' + i * i * i % 25);
	add(f, (struct tar_entry){ "big" }, text);
	free(text);
	finish(f);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct unpack_stats stats;
		struct err err = { 0 };
		char *script = arena_printf(f->arena, "cd %s && %s", f->dir.path, rows[i].script);

		if (!can_run(rows[i].script))
			continue;
		run((const char *[]){ "sh", "-c", script, NULL });
		if (unpack_blob(f, at(f, "c"), digest_of("", 0).text, &stats, &err))
			fail_msg("row %zu was unpacked", i);
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err.text, rows[i].text))
			fail_msg("row %zu: %s", i, err.text);
	}
}

/* GNU tar writes its own kinds of headers: sparse maps, long names, extended attributes. */
static void test_unpack__reads_what_gnu_tar_writes(void **state)
{
	static const char *const options[] = { "--format=gnu", "--format=posix --xattrs" };
	struct fixture *f = *state;
	char *name = arena_printf(f->arena, "%0100d/%0100d/name", 1, 2);
	char *in = path_join(f->arena, at(f, "in"), name);
	char *out = path_join(f->arena, "out", name);
	bool has_xattrs;

	run((const char *[]){ "sh", "-c",
			      arena_printf(f->arena,
					   "cd %s && mkdir -p in/%0100d/%0100d && cd in && "
					   "echo long > %s && truncate -s 50M hole && "
					   "printf end >> hole && truncate -s 60M hole",
					   f->dir.path, 1, 2, name),
			      NULL });
	has_xattrs = setxattr(in, "user.note", "hello", 5, 0) == 0 &&
		     setxattr(in, "user.overlay.redirect", "/x", 2, 0) == 0;
	for (size_t i = 0; i < COUNTOF(options); i++) {
		struct unpack_stats stats;
		struct err err = { 0 };
		struct stat st;

		run((const char *[]){ "sh", "-c",
				      arena_printf(f->arena, "cd %s/in && tar -S %s -czf ../c .",
						   f->dir.path, options[i]),
				      NULL });
		if (!unpack_blob(f, at(f, "c"), NULL, &stats, &err))
			fail_msg("%s: %s", options[i], err.text);
		st = look(f, "out/hole");
		assert_int_equal(st.st_size, 60 << 20);
		assert_true(st.st_blocks < 2048);
		has_text(f, out, "long\n");
		if (!has_xattrs || i == 0)
			continue;
		assert_int_equal(getxattr(at(f, out), "user.note", NULL, 0), 5);
		assert_true(getxattr(at(f, out), "user.overlay.redirect", NULL, 0) < 0);
		assert_int_equal(stats.n_xattrs, 1);
	}
}

struct adding {
	struct layer_store *store;
	const char *diff_id, *blob;
	bool is_ok[16];
};

static void add_layer(void *items, size_t i)
{
	struct adding *adding = items;
	struct arena *arena = arena_new();
	struct err err = { 0 };
	char *dir;

	adding->is_ok[i] =
		layer_store_add(adding->store, adding->diff_id, adding->blob, arena, &dir, &err);
	arena_free(arena);
}

static void test_store__unpacks_once_for_all_who_ask(void **state)
{
	struct fixture *f = *state;
	struct adding adding = { 0 };
	struct digest diff_id;
	struct err err = { 0 };
	char *dir;

	add(f, (struct tar_entry){ "file" }, "content");
	adding.blob = finish(f);
	diff_id = digest_of(f->bytes.data, f->bytes.len);
	adding.diff_id = diff_id.text;
	assert_true(layer_store_open(at(f, "store"), &adding.store, &err));
	assert_null(layer_store_find(adding.store, diff_id.text, f->arena));
	pool_each(8, COUNTOF(adding.is_ok), add_layer, &adding);
	for (size_t i = 0; i < COUNTOF(adding.is_ok); i++)
		assert_true(adding.is_ok[i]);
	dir = layer_store_find(adding.store, diff_id.text, f->arena);
	assert_non_null(dir);
	assert_true(fs_exists(path_join(f->arena, dir, "file")));
	assert_int_equal(rmdir(at(f, "store/tmp")), 0);
	layer_store_close(&adding.store);
}

static void reopen(struct fixture *f, struct layer_store **store)
{
	struct err err = { 0 };

	layer_store_close(store);
	assert_true(layer_store_open(at(f, "store"), store, &err));
}

static void test_store__trusts_no_unsynced_layer_of_another_boot(void **state)
{
	struct fixture *f = *state;
	const char *form = unpack_form_here() == UNPACK_AS_ROOT ? "layers" : "layers-user";
	char *marker = at(f, arena_printf(f->arena, "store/%s.boot", form));
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct layer_store *store = NULL;
	struct digest diff_id;
	struct err err = { 0 };
	char *dir, *blob;

	add(f, (struct tar_entry){ "file" }, "content");
	blob = finish(f);
	diff_id = digest_of(f->bytes.data, f->bytes.len);
	reopen(f, &store);
	assert_false(fs_exists(marker));
	assert_true(layer_store_add(store, diff_id.text, blob, f->arena, &dir, &err));
	/* This boot, just now: still there, and still warned of. */
	reopen(f, &store);
	assert_non_null(layer_store_find(store, diff_id.text, f->arena));
	assert_true(fs_exists(marker));
	/* This boot, long ago: synced. */
	assert_int_equal(utimensat(AT_FDCWD, marker, old, 0), 0);
	reopen(f, &store);
	assert_non_null(layer_store_find(store, diff_id.text, f->arena));
	assert_false(fs_exists(marker));
	/* Another boot. */
	save(marker, "another", 7);
	reopen(f, &store);
	assert_null(layer_store_find(store, diff_id.text, f->arena));
	assert_false(fs_exists(marker));
	assert_true(layer_store_add(store, diff_id.text, blob, f->arena, &dir, &err));
	layer_store_close(&store);
}

/* The folder that holds the store may be anybody's to enter, and a layer may hold a program that runs as its owner. */
static void test_store__nobody_else_comes_to_the_layers(void **state)
{
	struct fixture *f = *state;
	const char *form = unpack_form_here() == UNPACK_AS_ROOT ? "layers" : "layers-user";
	char *layers = at(f, arena_printf(f->arena, "store/%s", form));
	struct layer_store *store = NULL;
	struct err err = { 0 };
	struct stat st;

	for (int i = 0; i < 2; i++) {
		reopen(f, &store);
		assert_int_equal(stat(layers, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
		assert_int_equal(chmod(layers, 0755), 0);
	}
	/* Of another boot, it is made anew. */
	save(at(f, arena_printf(f->arena, "store/%s.boot", form)), "another", 7);
	reopen(f, &store);
	assert_int_equal(stat(layers, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	layer_store_close(&store);
	assert_true(fs_remove_tree(layers, &err));
}

static void test_store__a_wrong_layer_never_gets_the_name(void **state)
{
	struct fixture *f = *state;
	struct layer_store *store;
	struct digest other = digest_of("other", 5);
	struct err err = { 0 };
	char *dir;

	add(f, (struct tar_entry){ "file" }, "content");
	finish(f);
	assert_true(layer_store_open(at(f, "store"), &store, &err));
	assert_false(layer_store_add(store, other.text, at(f, "blob"), f->arena, &dir, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_null(layer_store_find(store, other.text, f->arena));
	assert_false(layer_store_add(store, "sha256:../../x", at(f, "blob"), f->arena, &dir, &err));
	assert_int_equal(rmdir(at(f, "store/tmp")), 0);
	layer_store_close(&store);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_unpack__makes_every_kind_of_entry),
		ROW(test_unpack__sets_owners_as_root),
		ROW(test_unpack__as_user_keeps_everything_readable),
		ROW(test_unpack__as_user_keeps_exact_modes_where_asked),
		ROW(test_unpack__turns_whiteouts_into_overlayfs_marks),
		ROW(test_unpack__what_a_layer_puts_back_hides_what_it_removed),
		ROW(test_unpack__a_later_entry_replaces_an_earlier_one),
		ROW(test_unpack__links_lead_nowhere_outside),
		ROW(test_unpack__refuses_hostile_entries),
		ROW(test_unpack__refuses_sizes_that_cannot_be),
		ROW(test_unpack__stops_bombs),
		ROW(test_unpack__refuses_names_that_are_too_deep),
		ROW(test_unpack__goes_no_deeper_than_links_lead),
		ROW(test_unpack__reads_each_compression_to_the_same_layer),
		ROW(test_unpack__refuses_broken_blobs),
		ROW(test_unpack__reads_what_gnu_tar_writes),
		ROW(test_store__unpacks_once_for_all_who_ask),
		ROW(test_store__trusts_no_unsynced_layer_of_another_boot),
		ROW(test_store__nobody_else_comes_to_the_layers),
		ROW(test_store__a_wrong_layer_never_gets_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
