/* links: exec_source */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_layer_tree.c — well-formed archives with odd contents: four bytes make an entry, its type, name and link out of words
 * that lead up, out, through links and around whiteouts. As a layer, as layers on top of each other and as a source's archive it
 * is refused or unpacked, and what stands beside the folder stays as it was. What was unpacked is then read as an image's tree and
 * packed again: nothing of what stands outside comes out.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/image/rootfs.h"
#include "buildexec/image/tar.h"
#include "buildexec/image/tar_tree.h"
#include "buildexec/image/unpack.h"
#include "buildexec/source/archive.h"
#include "buildexec/sys/fs.h"
#include "tests/fuzz/folder.h"

#define SAME "same"

enum { ENTRIES_MAX = 40, ENTRY_BYTES = 4, LOOKED_AT = 5, OUTSIDE_S = 1000000000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {
	"a",
	"b",
	"a/b",
	"a/b/c",
	"..",
	"../..",
	"a/../..",
	"/",
	"",
	".",
	"./a",
	"/a",
	"a//b",
	"a/",
	"../outside",
	"../outside/file",
	"a/outside/file",
	"/proc/self/root",
	"OUTSIDE",
	"OUTSIDE/file",
	".wh.a",
	".wh.b",
	"a/.wh.b",
	".wh..wh..opq",
	"a/.wh..wh..opq",
	".wh.",
	".wh..",
	".wh...",
	".wh..wh.",
	".wh..wh.plnk",
	"a/.wh..wh.aufs",
	".wh../outside",
	"a/.wh.OUTSIDE",
	"..\\a",
	"C:\\a",
	"a:b",
	"-rf",
	"\xff\xfe",
	"\x1b[2J",
	"a\nb",
	"::error::x",
	"new",
	"outside",
	"layer",
	"file",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/b",
};

struct world {
	struct arena *arena;
	const char *dir, *outside, *file;
};

/* OUTSIDE becomes the absolute path. */
static const char *word(const struct world *world, uint8_t byte)
{
	const char *text = words[byte % COUNTOF(words)], *mark = strstr(text, "OUTSIDE");

	if (!mark)
		return text;
	return arena_printf(world->arena, "%.*s%s%s", (int)(mark - text), text, world->outside,
			    mark + strlen("OUTSIDE"));
}

static bool to_fd(void *ctx, const void *bytes, size_t n, struct err *err)
{
	return fd_write_all(*(int *)ctx, bytes, n, err);
}

static void add_entry(const struct world *world, const uint8_t *bytes, struct tar *tar)
{
	static const char content[] = "changed";
	struct tar_entry entry = { .name = word(world, bytes[1]),
				   .type = (enum tar_type)(bytes[0] % TAR_TYPES),
				   .mode = (mode_t)(bytes[3] & 1 ? 06777 : 0755),
				   .mtime_s = bytes[3] };
	struct err err = { 0 };

	if (bytes[3] & 2)
		entry.name = arena_printf(world->arena, "%s/%s", entry.name, word(world, bytes[3]));
	if (entry.type == TAR_SYMLINK || entry.type == TAR_HARDLINK)
		entry.linkname = word(world, bytes[2]);
	if (entry.type == TAR_FILE)
		entry.size_bytes = sizeof(content);
	if (*entry.name && !tar_add(tar, &entry, content, (size_t)entry.size_bytes, &err))
		abort();
}

static int archive_of(const struct world *world, const uint8_t *data, size_t size)
{
	int fd = fuzz_memory_file(NULL, 0);
	struct tar tar = { .sink = to_fd, .ctx = &fd };
	struct err err = { 0 };

	for (size_t i = 0; i + ENTRY_BYTES <= size && i < ENTRIES_MAX * ENTRY_BYTES;
	     i += ENTRY_BYTES)
		add_entry(world, data + i, &tar);
	if (!tar_finish(&tar, &err))
		abort();
	return fd;
}

static bool set_times(const char *path)
{
	const struct timespec times[2] = { { .tv_sec = OUTSIDE_S }, { .tv_sec = OUTSIDE_S } };

	return utimensat(AT_FDCWD, path, times, 0) == 0;
}

static void make_world(struct world *world)
{
	struct err err = { 0 };

	world->arena = arena_new();
	world->dir = fuzz_folder();
	world->outside = path_join(world->arena, world->dir, "outside");
	world->file = path_join(world->arena, world->outside, "file");
	if (mkdir(world->outside, 0750) < 0 ||
	    !fs_write_atomic(AT_FDCWD, world->file, SAME, strlen(SAME), 0640, false, &err) ||
	    !set_times(world->file) || !set_times(world->outside))
		abort();
}

static const char *below(const struct world *world, const char *name)
{
	const char *path = path_join(world->arena, world->dir, name);

	if (mkdir(path, 0755) < 0)
		abort();
	return path;
}

/* Whether the bytes hold what only the file outside does. */
static bool find_outside(void *ctx, const void *bytes, size_t n, struct err *err)
{
	(void)ctx;
	(void)err;
	if (n == strlen(SAME) && memcmp(bytes, SAME, n) == 0)
		BUG("the file outside was packed");
	return true;
}

static void read_path(const struct rootfs *root, const char *path, struct arena *arena)
{
	struct rootfs_entry entry;
	struct strings names = { 0 };
	struct err err = { 0 };
	char *text;
	size_t n;

	if (rootfs_read(root, path, 100, arena, &text, &n, &err) && text && strcmp(text, SAME) == 0)
		BUG("'%s' is the file outside", path);
	err = (struct err){ 0 };
	if (rootfs_find(root, path, true, arena, &entry, &err) && entry.host &&
	    S_ISDIR(entry.stat.st_mode))
		(void)!rootfs_names(root, &entry, arena, &names, &err);
}

/* As an image whose two layers are the same; the first entries' names and links are looked up. */
static void read_tree(const struct world *world, const char *dir, const uint8_t *data, size_t size)
{
	struct rootfs root = { .form = unpack_form_here() };
	struct tar tar = { .sink = find_outside };
	const struct tar_map map = { dir, "/" };
	const struct tar_owner owner = { .mtime_s = TAR_FIXED_MTIME_S };
	struct strings all = { 0 };
	struct err err = { 0 };

	vec_push(world->arena, &root.layers, dir);
	vec_push(world->arena, &root.layers, dir);
	for (size_t i = 0; i + ENTRY_BYTES <= size && i < LOOKED_AT * ENTRY_BYTES;
	     i += ENTRY_BYTES) {
		read_path(&root, word(world, data[i + 1]), world->arena);
		read_path(&root, word(world, data[i + 2]), world->arena);
	}
	if (tree_list(dir, world->arena, &all, &err) &&
	    tar_add_paths(&tar, &map, &all, &owner, &err))
		(void)!tar_finish(&tar, &err);
}

static void check_outside(const struct world *world)
{
	struct err err = { 0 };
	struct stat file, dir;
	char *text;
	size_t n;

	if (lstat(world->file, &file) < 0 || lstat(world->outside, &dir) < 0 ||
	    !fs_read(AT_FDCWD, world->file, 100, world->arena, &text, &n, &err))
		abort();
	if (!text || strcmp(text, SAME) != 0 || file.st_nlink != 1 || !S_ISREG(file.st_mode) ||
	    (file.st_mode & 07777) != 0640 || file.st_mtime != OUTSIDE_S ||
	    (dir.st_mode & 07777) != 0750 || dir.st_mtime != OUTSIDE_S)
		BUG("what stands outside was changed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct archive_limits limits = {
		.bytes = 1 << 20, .entries = 100, .ratio = 1000, .free_bytes = 1 << 20
	};
	size_t half = size / (2 * ENTRY_BYTES) * ENTRY_BYTES;
	struct unpack_stats stats;
	struct world world;
	struct err err = { 0 };

	make_world(&world);
	AUTO_FD whole = archive_of(&world, data, size);
	AUTO_FD first = archive_of(&world, data, half);
	AUTO_FD second = archive_of(&world, data + half, size - half);
	const char *both = below(&world, "both"), *layer;

	if (lseek(whole, 0, SEEK_SET) != 0)
		abort();
	layer = below(&world, "layer");
	(void)!unpack_layer(
		&(struct unpack_spec){ .fd = whole, .dir = layer, .form = unpack_form_here() },
		&stats, &err);
	read_tree(&world, layer, data, size);
	(void)!archive_unpack(&(struct archive_spec){ .fd = whole,
						      .dest = below(&world, "source"),
						      .limits = &limits },
			      &err);
	if (archive_unpack(
		    &(struct archive_spec){
			    .fd = first, .dest = both, .is_layer = true, .limits = &limits },
		    &err))
		(void)!archive_unpack(
			&(struct archive_spec){
				.fd = second, .dest = both, .is_layer = true, .limits = &limits },
			&err);
	check_outside(&world);
	/* "outside" and the three folders. */
	if (fuzz_folder_names() != 4)
		BUG("something is beside the folders");
	arena_free(world.arena);
	return 0;
}
