/* links: exec_engine */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_saved_image.c — any bytes, packed as their last byte says (packed.h), as an image that a Docker daemon saved; and, cut
 * at the byte 255, as the manifest, the config and the names of the files of a well-formed one. Layers go to files below the
 * folder, and to no others.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/engine/archive.h"
#include "buildexec/image/tar.h"
#include "buildexec/sys/fs.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/packed.h"

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

static void read_saved(int fd, struct arena *arena)
{
	struct task task = { .arena = arena };
	const struct engine_job job = { .task = &task };
	const char *path = arena_printf(arena, "/proc/self/fd/%d", fd), *dir;
	struct engine_output out;
	struct err err = { 0 };

	dir = path_join(arena, fuzz_folder(), "layers");
	if (mkdir(dir, 0755) < 0)
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
	if (fuzz_folder_names() != 1)
		BUG("something is beside the layers");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FD raw = fuzz_packed_file(data, size), built = fuzz_memory_file(NULL, 0);
	struct arena *arena = arena_new();

	write_built(built, data, size, arena);
	read_saved(raw, arena);
	read_saved(built, arena);
	arena_free(arena);
	return 0;
}
