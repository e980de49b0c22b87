/* links: exec_engine */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_saved_image.c — any bytes as an image that a Docker daemon saved; and, cut at the byte 255, as the manifest, the config
 * and the names of the files of a well-formed one. Layers go to files below the folder, and to no others.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buildexec/engine/archive.h"
#include "buildexec/image/tar.h"
#include "buildexec/sys/fs.h"

enum { CUT = 255, PARTS_MAX = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool to_fd(void *ctx, const void *bytes, size_t n, struct err *err)
{
	return fd_write_all(*(int *)ctx, bytes, n, err);
}

static void add(struct tar *tar, const char *name, enum tar_type type, const char *content)
{
	const struct tar_entry entry = { .name = name,
					 .type = type,
					 .mode = 0644,
					 .size_bytes = type == TAR_FILE ? strlen(content) : 0,
					 .linkname = type == TAR_FILE ? NULL : content };
	struct err err = { 0 };

	/* Only what an archive can hold. */
	if (*name && *content && !tar_add(tar, &entry, content, (size_t)entry.size_bytes, &err))
		abort();
}

/* Manifest, config; then name and target of a link by turns with names of files. */
static void write_built(int fd, const uint8_t *data, size_t size, struct arena *arena)
{
	struct tar tar = { .sink = to_fd, .ctx = &fd };
	const char *parts[PARTS_MAX] = { 0 };
	struct err err = { 0 };
	size_t n = 0;

	for (const uint8_t *end; n < PARTS_MAX; data = end + 1, n++) {
		end = memchr(data, CUT, size);
		parts[n] = arena_copy(arena, data, end ? (size_t)(end - data) : size);
		if (!end) {
			n++;
			break;
		}
		size -= (size_t)(end - data) + 1;
	}
	add(&tar, "manifest.json", TAR_FILE, parts[0]);
	if (n > 1)
		add(&tar, "config.json", TAR_FILE, parts[1]);
	for (size_t i = 2; i < n; i++)
		add(&tar, parts[i], i % 2 ? TAR_SYMLINK : TAR_FILE, parts[i == n - 1 ? 1 : i + 1]);
	if (!tar_finish(&tar, &err))
		abort();
}

static size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static void read_saved(int fd, struct arena *arena)
{
	struct task task = { .arena = arena };
	const struct engine_job job = { .task = &task };
	const char *path = arena_printf(arena, "/proc/self/fd/%d", fd), *dir;
	struct engine_output out;
	AUTO_TMPDIR temp = { 0 };
	struct err err = { 0 };

	if (!tmpdir_make(NULL, "fuzz-saved", &temp, &err))
		abort();
	dir = path_join(arena, temp.path, "layers");
	if (!fs_make_dirs(dir, 0755, &err))
		abort();
	if (!archive_read_image(&job, path, dir, &out, &err)) {
		if (err.kind == ERR_NONE)
			BUG("a failure without an error");
	} else {
		for (size_t i = 0; i < out.n_layers; i++)
			if (!out.layers[i].path ||
			    strncmp(out.layers[i].path, dir, strlen(dir)) != 0)
				BUG("layer %zu is elsewhere", i);
	}
	if (count_entries(temp.path) != 3)
		BUG("something is beside the layers");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FD raw = memfd_create("raw", MFD_CLOEXEC), built = memfd_create("built", MFD_CLOEXEC);
	struct arena *arena = arena_new();
	struct err err = { 0 };

	if (raw < 0 || built < 0 || !fd_write_all(raw, data, size, &err))
		abort();
	write_built(built, data, size, arena);
	read_saved(raw, arena);
	read_saved(built, arena);
	arena_free(arena);
	return 0;
}
