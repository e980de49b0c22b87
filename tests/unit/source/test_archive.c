/* SPDX-License-Identifier: Apache-2.0 */
/* test_archive.c — archives of every type, and hostile ones, made on the spot by hostile_archives.py. */
#include "buildexec/source/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "buildexec/source/tree_hash.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"

static struct arena *arena;
static struct tmpdir temp;
static unsigned n_folders;

static int set_up(void **state)
{
	const char *const argv[] = { "python3",
				     TEST_SOURCE_DIR "/tests/unit/source/hostile_archives.py", NULL,
				     NULL };
	const char *args[COUNTOF(argv)];
	struct proc_result result = { 0 };
	struct err err = { 0 };

	(void)state;
	arena = arena_new();
	if (!tmpdir_make(NULL, "test-archive", &temp, &err))
		return 1;
	memcpy(args, argv, sizeof(argv));
	args[2] = temp.path;
	if (!proc_run(&(struct proc_spec){ .argv = args, .err_fd = 2 }, &result, &err) ||
	    result.exit_code != 0) {
		fprintf(stderr, "cannot make archives: %s\n", err.text);
		return 1;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_release(&temp);
	arena_free(arena);
	return 0;
}

static const char *at(const char *name)
{
	return path_join(arena, temp.path, name);
}

/* A new empty folder inside another one, so that what escapes it is seen. */
static const char *make_dest(void)
{
	const char *above = at(arena_printf(arena, "out%u", n_folders++));
	const char *dest = path_join(arena, above, "dest");
	struct err err = { 0 };

	assert_true(fs_make_dirs(dest, 0755, &err));
	return dest;
}

static bool unpack(const char *name, struct archive_spec spec, struct err *err)
{
	AUTO_FD fd = open(at(name), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail_msg("there is no archive '%s'", name);
	spec.fd = fd;
	*err = (struct err){ 0 };
	return archive_unpack(&spec, err);
}

static const char *content_of(const char *dest, const char *name)
{
	struct err err = { 0 };
	size_t n;
	char *text;

	if (!fs_read(AT_FDCWD, path_join(arena, dest, name), 1 << 20, arena, &text, &n, &err))
		fail_msg("%s", err.text);
	return text;
}

static mode_t mode_of(const char *dest, const char *name)
{
	struct stat st;

	if (lstat(path_join(arena, dest, name), &st) != 0)
		fail_msg("there is no '%s'", name);
	return st.st_mode & 07777;
}

static void test_archive__every_type_gives_the_same_folder(void **state)
{
	static const char *const names[] = {
		"app.tar", "app.tar.gz", "app.tar.xz",       "app.tar.zst",          "app.zip",
		"app.jar", "app.war",    "self-running.jar", "tar-that-says-zip.zip"
	};
	struct digest first = { 0 }, digest;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNTOF(names); i++) {
		const char *dest = make_dest();

		if (access(at(names[i]), R_OK) != 0 && strcmp(names[i], "app.tar.zst") == 0)
			continue; /* there is no zstd program here */
		if (!unpack(names[i], (struct archive_spec){ .dest = dest }, &err))
			fail_msg("%s: %s", names[i], err.text);
		assert_string_equal(content_of(dest, "src/main.txt"), "main");
		assert_string_equal(content_of(dest, "grün/ü.txt"), "umlaut");
		assert_int_equal(mode_of(dest, "run"), 0755);
		assert_int_equal(mode_of(dest, "src/main.txt"), 0644);
		assert_int_equal(mode_of(dest, "src"), 0755);
		assert_false(fs_exists(path_join(arena, dest, ".git")));
		err = (struct err){ 0 };
		assert_true(tree_hash(dest, &digest, &err));
		if (i == 0)
			first = digest;
		if (strcmp(digest.text, first.text) != 0)
			fail_msg("%s is another folder than %s", names[i], names[0]);
	}
}

static void test_archive__strips_leading_parts(void **state)
{
	const char *dest = make_dest();
	struct err err;

	(void)state;
	assert_true(unpack("app.tar", (struct archive_spec){ .dest = dest, .strip = 1 }, &err));
	assert_string_equal(content_of(dest, "main.txt"), "main");
	assert_null(content_of(dest, "run"));
	assert_null(content_of(dest, "src/main.txt"));
}

static void test_archive__keeps_links_that_stay_inside(void **state)
{
	const char *dest = make_dest();
	char target[64] = { 0 };
	struct err err;

	(void)state;
	if (!unpack("links.tar", (struct archive_spec){ .dest = dest }, &err))
		fail_msg("%s", err.text);
	assert_true(readlink(path_join(arena, dest, "a/b/up"), target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "../../file");
	assert_string_equal(content_of(dest, "a/b/up"), "file");
	assert_string_equal(content_of(dest, "hard"), "file");
	assert_true(readlink(path_join(arena, dest, "dangling"), target, sizeof(target) - 1) > 0);
}

static void test_archive__the_last_of_a_name_counts(void **state)
{
	const char *dest = make_dest();
	struct err err;

	(void)state;
	if (!unpack("names-twice.tar", (struct archive_spec){ .dest = dest }, &err))
		fail_msg("%s", err.text);
	assert_string_equal(content_of(dest, "a"), "2");
	assert_string_equal(content_of(dest, "l"), "3");
}

/* clang-format off */
static const struct {
	const char *name, *text;
} hostile[] = {
	{ "absolute.tar",        "its name is absolute" },
	{ "absolute.zip",        "its name is absolute" },
	{ "dotdot.tar",          "its name leads out of the archive" },
	{ "dotdot.zip",          "its name leads out of the archive" },
	{ "dotdot-middle.tar",   "its name leads out of the archive" },
	{ "link-absolute.tar",   "it is a link that leads out of the archive" },
	{ "link-dotdot.tar",     "it is a link that leads out of the archive" },
	{ "link-dotdot.zip",     "it is a link that leads out of the archive" },
	{ "link-over-link.tar",  "it is a link that leads out of the archive" },
	{ "link-then-file.tar",  "it lies behind a link" },
	{ "link-then-folder.tar", "it lies behind a link" },
	{ "hardlink-out.tar",    "it links to a name outside" },
	{ "hardlink-absolute.tar", "it links to a name outside" },
	{ "hardlink-to-link.tar", "it links to what is no file of the archive" },
	{ "device.tar",          "it is neither file, folder nor link" },
	{ "block.tar",           "it is neither file, folder nor link" },
	{ "fifo.tar",            "it is neither file, folder nor link" },
	{ "control.tar",         "its name holds control characters" },
	{ "long-part.tar",       "a part of its name is too long" },
	{ "long-name.tar",       "its name is too long" },
	{ "deep.tar",            "it is too deep" },
	{ "file-then-folder.tar", "it lies behind a file" },
	{ "folder-then-file.tar", "it is a folder already" },
	{ "bomb.tar.gz",         "the archive grows more than 200 times" },
	{ "bomb.zip",            "the archive grows more than 200 times" },
	{ "bomb.tar.xz",         "the archive grows more than 200 times" },
	{ "bomb.tar.zst",        "the archive grows more than 200 times" },
	{ "size-8-eib.tar",      "" },
	{ "size-negative.tar",   "" },
	{ "size-beyond.tar",     "" },
	{ "size-pax-negative.tar", "" },
	{ "sparse.tar",          "the archive holds more than" },
	{ "pax-large.tar.gz",    "cannot read the archive" },
	{ "pax-flood.tar.gz",    "cannot unpack an entry without a name" },
	{ "bomb-in-git.tar.gz",  "the archive grows more than 200 times" },
	{ "twice.tar.gz.gz",     "unexpected blob file type, must be one of .zip, .tar.gz" },
	{ "text.txt",            "unexpected blob file type, must be one of .zip, .tar.gz" },
	{ "empty",               "unexpected blob file type, must be one of .zip, .tar.gz" },
	{ "one-file.gz",         "unexpected blob file type, must be one of .zip, .tar.gz" },
	{ "cut.tar.gz",          "" },
	{ "cut.zip",             "" },
	{ "flipped.zip",         "" },
};
/* clang-format on */

static void test_archive__refuses_hostile_archives_and_writes_nothing_outside(void **state)
{
	char before[64];
	struct err err;
	bool is_bad = false;

	(void)state;
	snprintf(before, sizeof(before), "/tmp/reconcile-hostile-%d", (int)getpid());
	for (size_t i = 0; i < COUNTOF(hostile); i++) {
		const char *dest = make_dest(), *above = path_join(arena, dest, "..");

		if (access(at(hostile[i].name), R_OK) != 0 && strstr(hostile[i].name, ".zst"))
			continue; /* there is no zstd program here */
		if (unpack(hostile[i].name, (struct archive_spec){ .dest = dest }, &err)) {
			print_message("%s was unpacked\n", hostile[i].name);
			is_bad = true;
		} else if (err.kind != ERR_INVALID || !strstr(err.text, hostile[i].text)) {
			print_message("%s: %s\n", hostile[i].name, err.text);
			is_bad = true;
		}
		if (fs_exists(path_join(arena, above, "escaped")) ||
		    fs_exists(path_join(arena, temp.path, "escaped"))) {
			print_message("%s escaped\n", hostile[i].name);
			is_bad = true;
		}
	}
	assert_false(is_bad);
}

static void test_archive__limits_are_the_callers(void **state)
{
	const struct archive_limits few = {
		.bytes = 1 << 20, .entries = 3, .ratio = 100, .free_bytes = 1 << 20
	};
	const struct archive_limits thousand = {
		.bytes = 1 << 20, .entries = 1000, .ratio = 100, .free_bytes = 64 << 20
	};
	const struct archive_limits small = {
		.bytes = 5, .entries = 100, .ratio = 100, .free_bytes = 1 << 20
	};
	struct err err;

	(void)state;
	assert_false(unpack("app.tar", (struct archive_spec){ .dest = make_dest(), .limits = &few },
			    &err));
	assert_string_equal(err.text, "cannot unpack more than 3 entries");
	/* Folders that no entry is for count. */
	assert_false(unpack("folders.tar",
			    (struct archive_spec){ .dest = make_dest(), .limits = &thousand },
			    &err));
	assert_string_equal(err.text, "cannot unpack more than 1000 entries");
	assert_false(unpack("many.tar",
			    (struct archive_spec){ .dest = make_dest(), .limits = &thousand },
			    &err));
	assert_string_equal(err.text, "cannot unpack more than 1000 entries");
	assert_false(unpack("app.zip",
			    (struct archive_spec){ .dest = make_dest(), .limits = &small }, &err));
	assert_non_null(strstr(err.text, "the archive holds more than 5 bytes"));
}

static void test_archive__layers_apply_over_each_other(void **state)
{
	const char *dest = make_dest();
	struct err err;

	(void)state;
	for (size_t i = 1; i <= 3; i++)
		if (!unpack(arena_printf(arena, "layer%zu.tar", i),
			    (struct archive_spec){ .dest = dest, .is_layer = true }, &err))
			fail_msg("layer %zu: %s", i, err.text);
	assert_string_equal(content_of(dest, "kept"), "1");
	assert_null(content_of(dest, "removed"));
	assert_string_equal(content_of(dest, "replaced"), "2");
	assert_null(content_of(dest, "opaque/old"));
	assert_string_equal(content_of(dest, "opaque/new"), "2");
	assert_string_equal(content_of(dest, "real/through"), "2");
	assert_string_equal(content_of(dest, "was-folder"), "3");
	assert_string_equal(content_of(dest, "was-file/x"), "3");
	assert_false(fs_exists(path_join(arena, dest, "null")));
	assert_false(fs_exists(path_join(arena, dest, ".wh.removed")));
}

static void test_archive__layers_stay_inside(void **state)
{
	static const char *const names[] = { "layer-dotdot.tar", "layer-link-out.tar",
					     "layer-whiteout.tar" };
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNTOF(names); i++) {
		const char *dest = make_dest();

		(void)!unpack(names[i], (struct archive_spec){ .dest = dest, .is_layer = true },
			      &err);
		assert_false(fs_exists(path_join(arena, dest, "../escaped")));
		assert_true(fs_exists(path_join(arena, dest, "..")));
		assert_true(fs_exists(dest));
		assert_false(fs_exists("/tmp/reconcile-escaped"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_archive__every_type_gives_the_same_folder),
		cmocka_unit_test(test_archive__strips_leading_parts),
		cmocka_unit_test(test_archive__keeps_links_that_stay_inside),
		cmocka_unit_test(test_archive__the_last_of_a_name_counts),
		cmocka_unit_test(test_archive__refuses_hostile_archives_and_writes_nothing_outside),
		cmocka_unit_test(test_archive__limits_are_the_callers),
		cmocka_unit_test(test_archive__layers_apply_over_each_other),
		cmocka_unit_test(test_archive__layers_stay_inside),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
