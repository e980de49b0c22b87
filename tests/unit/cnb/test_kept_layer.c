/* SPDX-License-Identifier: Apache-2.0 */
/* test_kept_layer.c — a layer's folder that comes back without being read, and everything that must make it be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/cnb/kept_layer.h"
#include "buildexec/image/tar_tree.h"
#include "buildexec/sys/fs.h"

#define HEX     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIFF_ID "sha256:" HEX

struct world {
	struct tmpdir temp;
	struct lifecycle life;
	struct kept_layer layer;
};

static const char *at(const struct world *world, const char *name)
{
	return path_join(world->life.arena, world->temp.path, name);
}

static void write_text(const struct world *world, const char *name, const char *text)
{
	AUTO_FD fd = open(at(world, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct err err = { 0 };

	assert_true(fd >= 0 && fd_write_all(fd, text, strlen(text), &err));
}

static void make_dirs(const struct world *world, const char *name)
{
	struct err err = { 0 };

	assert_true(fs_make_dirs(at(world, name), 0755, &err));
}

static int set_up(void **state)
{
	struct world *world = mem_realloc(NULL, sizeof(*world));
	struct err err = { 0 };

	*world = (struct world){ .life.arena = arena_new() };
	assert_true(tmpdir_make(NULL, "test-kept", &world->temp, &err));
	make_dirs(world, "cache");
	make_dirs(world, "layers/a_b/kept/folder");
	write_text(world, "layers/a_b/kept/folder/file", "content");
	assert_int_equal(symlink("file", at(world, "layers/a_b/kept/folder/link")), 0);
	assert_int_equal(
		link(at(world, "layers/a_b/kept/folder/file"), at(world, "layers/a_b/kept/second")),
		0);
	world->life.options = (struct lifecycle_options){ .cache_dir = at(world, "cache"),
							  .layers_dir = at(world, "layers"),
							  .uid = geteuid(),
							  .gid = getegid() };
	world->layer =
		(struct kept_layer){ at(world, "layers/a_b/kept"), "/layers/a_b/kept", DIFF_ID };
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	tmpdir_release(&world->temp);
	arena_free(world->life.arena);
	free(world);
	return 0;
}

/* The build that made the layer is over. */
static void keep(struct world *world)
{
	uint64_t room_bytes = UINT64_MAX;

	kept_layer_put(&world->life, &world->layer, &room_bytes);
	assert_true(room_bytes < UINT64_MAX);
	assert_false(fs_exists(world->layer.dir));
}

/* Nothing of the last build is known but what is on disk. */
static bool take(struct world *world)
{
	world->life.taken.n = 0;
	return kept_layer_take(&world->life, &world->layer);
}

static const char *diff_id(const struct world *world)
{
	return kept_layer_diff_id(&world->life, world->layer.dir, world->layer.name);
}

static void test_kept_layer__comes_back_as_an_archive_would_give_it(void **state)
{
	struct world *world = *state;
	struct stat st;

	assert_false(take(world));
	for (int i = 0; i < 3; i++) {
		keep(world);
		assert_true(take(world));
		assert_string_equal(diff_id(world), DIFF_ID);
	}
	assert_int_equal(stat(at(world, "layers/a_b/kept/folder"), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, TAR_FIXED_MTIME_S);
	assert_int_equal(lstat(at(world, "layers/a_b/kept/folder/link"), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, TAR_FIXED_MTIME_S);
}

static void change_secretly(const struct world *world)
{
	const struct timespec times[2] = { { .tv_sec = TAR_FIXED_MTIME_S },
					   { .tv_sec = TAR_FIXED_MTIME_S } };

	write_text(world, "layers/a_b/kept/folder/file", "CONTENT");
	assert_int_equal(utimensat(AT_FDCWD, at(world, "layers/a_b/kept/folder/file"), times, 0),
			 0);
}

static void change_mode(const struct world *world)
{
	assert_int_equal(chmod(at(world, "layers/a_b/kept/folder/file"), 0755), 0);
}

static void change_top_mode(const struct world *world)
{
	assert_int_equal(chmod(at(world, "layers/a_b/kept"), 0700), 0);
}

static void change_parent_mode(const struct world *world)
{
	assert_int_equal(chmod(at(world, "layers/a_b"), 0700), 0);
}

static void add_file(const struct world *world)
{
	write_text(world, "layers/a_b/kept/new", "");
}

static void remove_file(const struct world *world)
{
	assert_int_equal(unlink(at(world, "layers/a_b/kept/folder/link")), 0);
}

static void rename_file(const struct world *world)
{
	assert_int_equal(
		rename(at(world, "layers/a_b/kept/second"), at(world, "layers/a_b/kept/third")), 0);
}

static void test_kept_layer__is_read_when_anything_changed(void **state)
{
	static void (*const changes[])(const struct world *world) = {
		change_secretly, change_mode, change_top_mode, change_parent_mode,
		add_file,        remove_file, rename_file,
	};
	struct world *world = *state;

	for (size_t i = 0; i < COUNTOF(changes); i++) {
		keep(world);
		assert_true(take(world));
		usleep(20000); /* more than a tick: as long as a container takes to start */
		changes[i](world);
		assert_null(diff_id(world));
	}
}

static void test_kept_layer__that_was_touched_in_the_cache_is_not_taken(void **state)
{
	struct world *world = *state;

	keep(world);
	usleep(20000);
	write_text(world, "cache/kept/" HEX "/tree/folder/file", "CONTENT");
	assert_false(take(world));
	write_text(world, "cache/kept/" HEX "/print", "damaged");
	assert_false(take(world));
	assert_false(fs_exists(world->layer.dir));
}

static void test_kept_layer__has_limits(void **state)
{
	struct world *world = *state;
	const struct strings none = { 0 };
	uint64_t room_bytes = 1;

	kept_layer_put(&world->life, &world->layer, &room_bytes);
	assert_true(fs_exists(world->layer.dir));
	assert_int_equal(room_bytes, 1);
	/* A pipe is no thing that an archive of a layer gives back as it was. */
	assert_int_equal(mkfifo(at(world, "layers/a_b/kept/pipe"), 0644), 0);
	room_bytes = UINT64_MAX;
	kept_layer_put(&world->life, &world->layer, &room_bytes);
	assert_true(fs_exists(world->layer.dir));
	assert_int_equal(unlink(at(world, "layers/a_b/kept/pipe")), 0);
	keep(world);
	kept_layer_sweep(&world->life, &none);
	assert_false(take(world));
	assert_false(fs_exists(at(world, "cache/kept/" HEX)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_kept_layer__comes_back_as_an_archive_would_give_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kept_layer__is_read_when_anything_changed,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_kept_layer__that_was_touched_in_the_cache_is_not_taken, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_kept_layer__has_limits, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
