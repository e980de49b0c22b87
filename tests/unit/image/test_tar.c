/* SPDX-License-Identifier: Apache-2.0 */
/* test_tar.c — archives against the bytes that the reference lifecycle wrote, and what a layer blob
 * is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/allocator_interface.h>
#endif

#include "buildexec/image/layer.h"
#include "buildexec/image/tar_tree.h"
#include "buildexec/image/unpack.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"

static const struct tar_owner cnb = { 1001, 1000, TAR_FIXED_MTIME_S };

struct fixture {
	struct tmpdir dir;
	struct arena *arena;
};

/* The recorded images, outside the repository; $RECONCILE_SHARED where they are not beside it. */
static const char *suite(const struct fixture *f)
{
	const char *shared = getenv("RECONCILE_SHARED");

	return arena_printf(f->arena, "%s/suites/lifecycle-parity",
			    shared ? shared : TEST_SOURCE_DIR "/../shared");
}

static void need_suite(const struct fixture *f)
{
	if (fs_exists(suite(f)))
		return;
	print_message("skipped: no lifecycle-parity suite at %s\n", suite(f));
	skip();
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = { 0 };

	f->arena = arena_new();
	*state = f;
	return tmpdir_make(NULL, "test-tar", &f->dir, &err) ? 0 : -1;
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

static void write_bytes(const char *path, const void *bytes, size_t n)
{
	struct err err = { 0 };

	assert_true(fs_write_atomic(AT_FDCWD, path, bytes, n, 0644, false, &err));
}

static void make_dir(const char *path)
{
	struct err err = { 0 };

	assert_true(fs_make_dirs(path, 0755, &err));
}

/* What the reference made: the diff id in the line "# layer N sha256:… <title>" of tars.txt. */
static char *expected_diff_id(const struct fixture *f, const char *case_name, const char *title)
{
	char *path =
		arena_printf(f->arena, "%s/cases/%s/expected/build/tars.txt", suite(f), case_name);
	struct err err = { 0 };
	char *text, *line;
	size_t len;

	assert_true(fs_read(AT_FDCWD, path, 4u << 20, f->arena, &text, &len, &err));
	assert_non_null(text);
	for (line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *digest =
			strncmp(line, "# layer ", 8) == 0 ? strstr(line, "sha256:") : NULL;

		if (digest && strncmp(digest + DIGEST_TEXT, title, strlen(title)) == 0)
			return arena_copy(f->arena, digest, DIGEST_TEXT - 1);
	}
	fail_msg("no layer '%s' in %s", title, path);
	return NULL;
}

static void app_layer_equals(struct fixture *f, const char *case_name)
{
	struct tar_map map = { at(f, "in/app"), "/workspace" };
	const char *argv[] = { NULL, NULL, "build", at(f, "in"), NULL };
	const char *env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", NULL };
	struct proc_spec spec = { .argv = argv, .env = env };
	struct proc_result result;
	struct sha256 sha;
	struct tar tar = { .sink = tar_hash_sink, .ctx = &sha };
	struct strings paths;
	struct err err = { 0 };

	need_suite(f);
	argv[0] = arena_printf(f->arena, "%s/materialize", suite(f));
	argv[1] = arena_printf(f->arena, "%s/cases/%s", suite(f), case_name);
	assert_true(proc_run(&spec, &result, &err));
	assert_int_equal(result.exit_code, 0);
	sha256_init(&sha);
	assert_true(tree_list(map.dir, f->arena, &paths, &err));
	assert_true(tar_add_paths(&tar, &map, &paths, &cnb, &err));
	assert_true(tar_finish(&tar, &err));
	assert_string_equal(sha256_final(&sha).text,
			    expected_diff_id(f, case_name, "Application Layer"));
}

static void test_app_layer__equals_the_reference_for_all_kinds_of_files(void **state)
{
	app_layer_equals(*state, "25-file-kinds");
}

static void test_app_layer__equals_the_reference_for_all_kinds_of_names(void **state)
{
	app_layer_equals(*state, "26-file-names");
}

static void test_app_layer__equals_the_reference_for_large_files(void **state)
{
	app_layer_equals(*state, "27-big-file");
}

/* The launch layer of case 27: a folder with 20 MiB of zeros, with its parents, through the whole
 * layer writer. */
static void test_launch_layer__equals_the_reference_with_parents(void **state)
{
	struct fixture *f = *state;
	size_t n = 20971520;
	char *zeros;
	struct tar_map layers = { at(f, "layers"), "/layers" };
	struct tar_map layer_map = { at(f, "layers/parity_big/big"), "/layers/parity_big/big" };
	struct tar_parents parents = { &layers, layer_map.name, cnb, false };
	struct layer_options options = { .blob_dir = at(f, "blobs") };
	struct layer_result result;
	struct layer *layer;
	struct err err = { 0 };

	need_suite(f);
	zeros = calloc(1, n);
	make_dir(layer_map.dir);
	write_bytes(path_join(f->arena, layer_map.dir, "zeros"), zeros, n);
	free(zeros);
	assert_true(layer_open(&options, &layer, &err));
	assert_true(tar_add_parents(layer_tar(layer), &parents, &err));
	assert_true(tar_add_tree(layer_tar(layer), &layer_map, &cnb, &err));
	assert_true(layer_commit(&layer, &result, &err));
	assert_null(layer);
	assert_string_equal(result.diff_id.text,
			    expected_diff_id(f, "27-big-file", "Layer: 'big'"));
}

/* The launcher's layer: parents that are on no disk, and a file from memory. */
static void test_parents__are_root_s_without_a_map(void **state)
{
	struct fixture *f = *state;
	struct tar_parents parents = { NULL, "/cnb/lifecycle/launcher", cnb, false };
	struct tar_entry entry = { .name = "/cnb/lifecycle/launcher",
				   .mode = 0755,
				   .mtime_s = TAR_FIXED_MTIME_S };
	struct sha256 sha;
	struct tar tar = { .sink = tar_hash_sink, .ctx = &sha };
	struct err err = { 0 };
	char *bytes;
	size_t len;

	need_suite(f);
	assert_true(fs_read(AT_FDCWD, path_join(f->arena, suite(f), "launcher"), 1000, f->arena,
			    &bytes, &len, &err));
	sha256_init(&sha);
	assert_true(tar_add_parents(&tar, &parents, &err));
	assert_true(tar_add(&tar, &entry, bytes, len, &err));
	assert_true(tar_finish(&tar, &err));
	assert_string_equal(sha256_final(&sha).text,
			    expected_diff_id(f, "27-big-file", "Buildpacks Application Launcher"));
}

static bool keep(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)err;
	buf_add(ctx, bytes, n);
	return true;
}

static void test_header__has_pax_records_only_where_a_field_does_not_fit(void **state)
{
	static const struct {
		struct tar_entry entry;
		const char *record; /* NULL: USTAR */
	} rows[] = {
		{ { .name = "a", .uid = 2097151, .gid = 2097151 }, NULL },
		{ { .name = "a", .uid = 2097152 }, "15 uid=2097152\n" },
		{ { .name = "a", .gid = 4294967295 }, "18 gid=4294967295\n" },
		{ { .name = "a", .uid = 2097152, .gid = 2097152 },
		  "15 gid=2097152\n15 uid=2097152\n" },
		{ { .name = "a", .type = TAR_SYMLINK, .linkname = "\xc3\xa9" },
		  "15 linkpath=\xc3\xa9\n" },
		{ { .name = "\xff" }, "9 path=\xff\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		AUTO_BUF out = BUF_INIT(10000);
		struct tar tar = { .sink = keep, .ctx = &out };
		struct err err = { 0 };

		assert_true(tar_begin(&tar, &rows[i].entry, &err));
		assert_int_equal(out.len, rows[i].record ? 1536 : 512);
		assert_int_equal(out.data[156], rows[i].record ? 'x' : i == 4 ? '2' : '0');
		if (rows[i].record)
			assert_string_equal(out.data + 512, rows[i].record);
	}
}

static void test_header__holds_a_size_over_8_gib_in_a_record(void **state)
{
	struct tar_entry entry = { .name = "big", .size_bytes = (uint64_t)8 << 30 };
	AUTO_BUF out = BUF_INIT(10000);
	struct tar tar = { .sink = keep, .ctx = &out };
	struct err err = { 0 };

	(void)state;
	assert_true(tar_begin(&tar, &entry, &err));
	assert_string_equal(out.data + 512, "19 size=8589934592\n");
	assert_string_equal(out.data + 1024 + 124, "00000000000");
	entry.name = "";
	tar = (struct tar){ .sink = keep, .ctx = &out };
	assert_false(tar_begin(&tar, &entry, &err));
	assert_int_equal(err.kind, ERR_INVALID);
}

static void test_tree__any_depth_is_walked_with_few_descriptors(void **state)
{
	struct fixture *f = *state;
	struct tar_map map = { at(f, "deep"), "/deep" };
	struct sha256 sha;
	struct tar tar = { .sink = tar_hash_sink, .ctx = &sha };
	struct strings paths;
	struct err err = { 0 };
	int fd;

	make_dir(map.dir);
	fd = open(map.dir, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 1500; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		close(openat(fd, "e", O_WRONLY | O_CREAT, 0644));
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	close(fd);
	sha256_init(&sha);
	assert_true(tar_add_tree(&tar, &map, &cnb, &err));
	assert_true(tree_list(map.dir, f->arena, &paths, &err));
	assert_int_equal(paths.n, 1 + 2 * 1500);
}

static bool write_to_fd(void *ctx, const void *bytes, size_t n, struct err *err)
{
	return fd_write_all(*(int *)ctx, bytes, n, err);
}

/* Through an archive and back: two names of one file, and an attribute with a NUL in it. */
static void test_tree__links_and_attributes_stay_when_asked_for(void **state)
{
	struct fixture *f = *state;
	struct tar_map map = { at(f, "in"), "/layers/a/in", .is_faithful = true };
	const char *attribute = "user.reconcile", *file = at(f, "in/one");
	AUTO_FD fd = open(at(f, "tar"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct tar tar = { .sink = write_to_fd, .ctx = &fd };
	struct unpack_spec spec = { .fd = fd, .form = unpack_form_here(), .dir = at(f, "out") };
	struct unpack_stats stats;
	struct stat one, two, alone;
	struct err err = { 0 };
	char value[8];

	make_dir(map.dir);
	write_bytes(file, "1", 1);
	write_bytes(at(f, "in/alone"), "1", 1);
	make_dir(at(f, "in/sub"));
	assert_int_equal(link(file, at(f, "in/sub/two")), 0);
	if (setxattr(file, attribute, "a\0b", 3, 0) != 0)
		attribute = NULL; /* a file system without them */
	assert_true(!attribute || setxattr(at(f, "in/sub"), attribute, "dir", 3, 0) == 0);
	assert_true(tar_add_tree(&tar, &map, &cnb, &err) && tar_finish(&tar, &err));
	make_dir(spec.dir);
	lseek(fd, 0, SEEK_SET);
	if (!unpack_layer(&spec, &stats, &err))
		fail_msg("%s", err.text);
	assert_int_equal(stat(at(f, "out/layers/a/in/one"), &one), 0);
	assert_int_equal(stat(at(f, "out/layers/a/in/sub/two"), &two), 0);
	assert_int_equal(stat(at(f, "out/layers/a/in/alone"), &alone), 0);
	assert_true(one.st_ino == two.st_ino && one.st_ino != alone.st_ino && one.st_size == 1);
	if (!attribute)
		return;
	assert_int_equal(getxattr(at(f, "out/layers/a/in/sub/two"), attribute, value, 8), 3);
	assert_memory_equal(value, "a\0b", 3);
	assert_int_equal(getxattr(at(f, "out/layers/a/in/sub"), attribute, value, 8), 3);
	assert_true(getxattr(at(f, "out/layers/a/in/alone"), attribute, value, 8) < 0);
}

/* What is allocated now. */
static size_t live_bytes(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return __sanitizer_get_current_allocated_bytes();
#else
	const struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#endif
}

struct most {
	size_t bytes;
};

static bool note_live_bytes(void *ctx, const void *bytes, size_t n, struct err *err)
{
	struct most *most = ctx;
	size_t now = live_bytes();

	(void)bytes;
	(void)n;
	(void)err;
	most->bytes = now > most->bytes ? now : most->bytes;
	return true;
}

/* Only of one file at a time: a build may leave any number of files, whose attributes take up no room of their own. */
static void test_tree__attributes_take_no_memory_of_all(void **state)
{
	enum { N_FILES = 3000, VALUE_BYTES = 3800, MOST_BYTES = 4 << 20 };
	struct fixture *f = *state;
	struct tar_map map = { at(f, "in"), "/in", .is_faithful = true };
	char value[VALUE_BYTES];
	struct most most = { 0 };
	struct tar tar = { .sink = note_live_bytes, .ctx = &most };
	struct err err = { 0 };
	size_t before;

	make_dir(map.dir);
	memset(value, 'x', sizeof(value));
	for (int i = 0; i < N_FILES; i++) {
		const char *file = at(f, arena_printf(f->arena, "in/%d", i));

		write_bytes(file, "", 0);
		if (setxattr(file, "user.reconcile", value, sizeof(value), 0) != 0)
			return; /* a file system without them */
	}
	before = live_bytes();
	assert_true(tar_add_tree(&tar, &map, &cnb, &err) && tar_finish(&tar, &err));
	assert_true(tar.total_bytes > (uint64_t)N_FILES * VALUE_BYTES);
	if (most.bytes > before + MOST_BYTES)
		fail_msg("%zu bytes", most.bytes - before);
}

static void test_tar__too_many_attributes_are_an_error(void **state)
{
	struct fixture *f = *state;
	char *value = arena_alloc(f->arena, TAR_RECORDS_MAX);
	struct tar_xattr xattr = { "user.large", memset(value, 'x', TAR_RECORDS_MAX),
				   TAR_RECORDS_MAX };
	struct tar_entry entry = { .name = "/f", .xattrs = &xattr, .n_xattrs = 1 };
	struct sha256 sha;
	struct tar tar = { .sink = tar_hash_sink, .ctx = &sha };
	struct err err = { 0 };

	sha256_init(&sha);
	assert_false(tar_begin(&tar, &entry, &err));
	assert_non_null(strstr(err.text, "'/f'"));
}

struct grower {
	const char *path;
	bool is_done;
};

static bool grow_file(void *ctx, const void *bytes, size_t n, struct err *err)
{
	struct grower *grower = ctx;

	(void)bytes;
	(void)n;
	(void)err;
	/* At the header: the size is written, the data not yet read. */
	if (!grower->is_done)
		assert_int_equal(truncate(grower->path, 5), 0);
	grower->is_done = true;
	return true;
}

static void test_tree__a_file_that_changes_is_an_error_that_names_it(void **state)
{
	struct fixture *f = *state;
	struct grower grower = { .path = at(f, "file") };
	struct tar_map map = { grower.path, "/file" };
	struct tar tar = { .sink = grow_file, .ctx = &grower };
	struct err err = { 0 };

	for (int is_longer = 0; is_longer < 2; is_longer++) {
		write_bytes(grower.path, "123456789", is_longer ? 3 : 9);
		grower.is_done = false;
		tar.left = 0;
		assert_false(tar_add_tree(&tar, &map, &cnb, &err));
		assert_int_equal(err.kind, ERR_CONFLICT);
		assert_non_null(strstr(err.text, grower.path));
		assert_non_null(strstr(err.text, "it changed while it was read"));
	}
}

/* Bytes that compress somewhat, of any length. */
static void fill(unsigned char *bytes, size_t n)
{
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = (unsigned char)(x & (i % 7 ? 0x1f : 0xff));
	}
}

static void write_layer(struct fixture *f, const struct layer_options *options, size_t n,
			struct layer_result *out)
{
	struct tar_entry entry = { .name = "/f", .mode = 0644 };
	unsigned char *bytes = malloc(n + 1);
	struct layer *layer;
	struct err err = { 0 };

	(void)f;
	fill(bytes, n);
	assert_true(layer_open(options, &layer, &err));
	assert_true(tar_add(layer_tar(layer), &entry, bytes, n, &err));
	assert_true(layer_commit(&layer, out, &err));
	free(bytes);
}

static void test_layer__has_the_same_bytes_for_any_number_of_threads(void **state)
{
	static const size_t sizes[] = { 0, 1, (1 << 20) - 1536, (1 << 20) - 1535, 9999999 };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNTOF(sizes); i++) {
		struct layer_options options = { .blob_dir = at(f, "one"), .n_threads = 1 };
		struct layer_result one, many;

		write_layer(f, &options, sizes[i], &one);
		for (size_t n = 2; n < 10; n += 3) {
			options =
				(struct layer_options){ .blob_dir = at(f, "many"), .n_threads = n };
			write_layer(f, &options, sizes[i], &many);
			assert_string_equal(one.digest.text, many.digest.text);
			assert_string_equal(one.diff_id.text, many.diff_id.text);
			assert_int_equal(one.size_bytes, many.size_bytes);
		}
	}
}

static void test_layer__blob_is_gzip_of_the_archive_under_its_digest(void **state)
{
	struct fixture *f = *state;
	struct layer_options options = { .blob_dir = at(f, "b"), .profile = LAYER_SMALL };
	AUTO_BUF out = BUF_INIT(8u << 20);
	struct layer_result result;
	struct proc_spec spec = { .out = &out };
	struct proc_result exit;
	struct err err = { 0 };
	char *bytes;
	size_t len;

	write_layer(f, &options, 3000000, &result);
	assert_string_equal(result.path, blob_path(f->arena, options.blob_dir, result.digest.text));
	assert_true(fs_read(AT_FDCWD, result.path, 8u << 20, f->arena, &bytes, &len, &err));
	assert_int_equal(len, result.size_bytes);
	assert_string_equal(digest_of(bytes, len).text, result.digest.text);
	assert_memory_equal(bytes, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
	spec.argv = (const char *[]){ "gzip", "-dc", result.path, NULL };
	assert_true(proc_run(&spec, &exit, &err));
	assert_int_equal(exit.exit_code, 0);
	assert_int_equal(out.len, result.tar_bytes);
	assert_string_equal(digest_of(out.data, out.len).text, result.diff_id.text);
}

static void test_layer__abort_leaves_no_blob(void **state)
{
	struct fixture *f = *state;
	struct layer_options options = { .blob_dir = at(f, "b") };
	struct tar_entry entry = { .name = "/f", .size_bytes = 5u << 20 };
	struct layer *layer;
	struct err err = { 0 };
	void *bytes = calloc(1, 4u << 20);

	assert_true(layer_open(&options, &layer, &err));
	assert_true(tar_begin(layer_tar(layer), &entry, &err));
	assert_true(tar_data(layer_tar(layer), bytes, 4u << 20, &err));
	layer_abort(&layer);
	layer_abort(&layer);
	free(bytes);
	assert_int_equal(rmdir(at(f, "b/sha256")), 0);
}

static void test_layer__a_full_disk_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct layer_options options = { .blob_dir = at(f, "b") };
	struct tar_entry entry = { .name = "/f" };
	struct layer *layer;
	struct layer_result result;
	unsigned char *bytes = malloc(20u << 20);
	struct rlimit before, small;
	struct err err = { 0 };
	bool is_ok;

	fill(bytes, 20u << 20);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 1 << 20;
	assert_true(layer_open(&options, &layer, &err));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	is_ok = tar_add(layer_tar(layer), &entry, bytes, 20u << 20, &err);
	is_ok = is_ok && layer_commit(&layer, &result, &err);
	setrlimit(RLIMIT_FSIZE, &before);
	layer_abort(&layer);
	free(bytes);
	assert_false(is_ok);
	assert_non_null(strstr(err.text, "File too large"));
	assert_int_equal(rmdir(at(f, "b/sha256")), 0);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_app_layer__equals_the_reference_for_all_kinds_of_files),
		ROW(test_app_layer__equals_the_reference_for_all_kinds_of_names),
		ROW(test_app_layer__equals_the_reference_for_large_files),
		ROW(test_launch_layer__equals_the_reference_with_parents),
		ROW(test_parents__are_root_s_without_a_map),
		ROW(test_header__has_pax_records_only_where_a_field_does_not_fit),
		ROW(test_header__holds_a_size_over_8_gib_in_a_record),
		ROW(test_tree__any_depth_is_walked_with_few_descriptors),
		ROW(test_tree__links_and_attributes_stay_when_asked_for),
		ROW(test_tree__attributes_take_no_memory_of_all),
		ROW(test_tar__too_many_attributes_are_an_error),
		ROW(test_tree__a_file_that_changes_is_an_error_that_names_it),
		ROW(test_layer__has_the_same_bytes_for_any_number_of_threads),
		ROW(test_layer__blob_is_gzip_of_the_archive_under_its_digest),
		ROW(test_layer__abort_leaves_no_blob),
		ROW(test_layer__a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
