/* links: exec_sys */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_git_packfile.c — an index and a pack that nobody vouches for: two bytes of length (big endian), the index, the pack.
 * Every name in the index is read.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_objects.h"
#include "buildexec/sys/git_packfile.h"

static struct tmpdir dir;

static void leave(void)
{
	tmpdir_release(&dir);
}

static void prepare(void)
{
	struct err err = { 0 };
	char path[4096];

	if (dir.path)
		return;
	if (!tmpdir_make(NULL, "fuzz-pack", &dir, &err))
		abort();
	snprintf(path, sizeof(path), "%s/pack", dir.path);
	if (!fs_make_dirs(path, 0700, &err))
		abort();
	atexit(leave);
}

static void read_all(const char *idx)
{
	struct git_objects *objects = NULL;
	struct arena *arena = arena_new();
	struct git_packfile file;
	struct git_data data;
	struct err err = { 0 };

	if (git_packfile_open(idx, &file, &err)) {
		if (git_objects_open(dir.path, &objects, &err))
			for (uint32_t i = 0; i < file.n_objects; i++)
				(void)!git_objects_read(objects, git_packfile_name(&file, i),
							1 << 20, arena, &data, &err);
		git_objects_close(&objects);
		git_packfile_close(&file);
	}
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char idx[4096], pack[4096];
	size_t n = size >= 2 ? (size_t)data[0] << 8 | data[1] : 0;
	struct err err = { 0 };

	if (size < 2 || n > size - 2)
		return 0;
	prepare();
	snprintf(idx, sizeof(idx), "%s/pack/pack-a.idx", dir.path);
	snprintf(pack, sizeof(pack), "%s/pack/pack-a.pack", dir.path);
	if (!fs_write_atomic(AT_FDCWD, idx, data + 2, n, 0600, false, &err) ||
	    !fs_write_atomic(AT_FDCWD, pack, data + 2 + n, size - 2 - n, 0600, false, &err))
		abort();
	read_all(idx);
	return 0;
}
