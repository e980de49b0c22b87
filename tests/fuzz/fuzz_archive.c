/* links: exec_source */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_archive.c — any bytes as a source archive and as a layer: refused or unpacked, and nothing appears beside the folder. */
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buildexec/source/archive.h"
#include "buildexec/sys/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct archive_limits limits = {
		.bytes = 1 << 20, .entries = 200, .ratio = 100, .free_bytes = 1 << 16
	};
	AUTO_FD fd = memfd_create("archive", MFD_CLOEXEC);
	struct arena *arena = arena_new();
	AUTO_TMPDIR dir = { 0 };
	struct err err = { 0 };

	if (fd < 0 || !tmpdir_make(NULL, "fuzz-archive", &dir, &err) ||
	    !fd_write_all(fd, data, size, &err))
		abort();
	for (int i = 0; i < 2; i++) {
		const char *dest = path_join(arena, dir.path, i ? "layer" : "source");
		struct archive_spec spec = {
			.fd = fd, .dest = dest, .is_layer = i > 0, .limits = &limits
		};

		err = (struct err){ 0 };
		if (!fs_make_dirs(dest, 0755, &err))
			abort();
		if (!archive_unpack(&spec, &err) && err.kind == ERR_NONE)
			abort();
	}
	/* ".", ".." and the two folders. */
	if (count_entries(dir.path) != 4)
		abort();
	arena_free(arena);
	return 0;
}
