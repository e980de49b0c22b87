/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h — a temp folder of files, for tests that load manifests. */
#ifndef TESTS_UNIT_CLI_FOLDER_H
#define TESTS_UNIT_CLI_FOLDER_H

#include <fcntl.h>
#include <string.h>

#include "buildexec/sys/fs.h"

struct folder {
	struct tmpdir dir;
	struct arena *arena;
};

static inline int folder_make(struct folder *folder)
{
	struct err err = { 0 };

	folder->arena = arena_new();
	return tmpdir_make(NULL, "test-folder", &folder->dir, &err) ? 0 : -1;
}

static inline void folder_release(struct folder *folder)
{
	tmpdir_release(&folder->dir);
	arena_free(folder->arena);
}

static inline char *folder_path(struct folder *folder, const char *name)
{
	return path_join(folder->arena, folder->dir.path, name);
}

/* Folders above are made. */
static inline bool folder_put(struct folder *folder, const char *name, const char *text)
{
	char *path = folder_path(folder, name);
	struct err err = { 0 };
	char *above = arena_copy(folder->arena, path, (size_t)(strrchr(path, '/') - path));

	return fs_make_dirs(above, 0755, &err) &&
	       fs_write_atomic(AT_FDCWD, path, text, strlen(text), 0644, false, &err);
}

#endif
