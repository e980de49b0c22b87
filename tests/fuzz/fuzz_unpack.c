/* links: exec_image */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_unpack.c — any bytes as a layer: refused or unpacked, and nothing appears beside the folder. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/image/unpack.h"
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
	AUTO_TMPDIR dir = { 0 };
	AUTO_FD fd = memfd_create("layer", MFD_CLOEXEC);
	struct unpack_spec spec = { .form = UNPACK_AS_USER };
	struct unpack_stats stats;
	struct err err = { 0 };
	char path[4096];

	if (fd < 0 || !tmpdir_make(NULL, "fuzz-unpack", &dir, &err) ||
	    !fd_write_all(fd, data, size, &err) || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	snprintf(path, sizeof(path), "%s/layer", dir.path);
	if (mkdir(path, 0755) < 0)
		abort();
	spec.dir = path;
	spec.fd = fd;
	(void)!unpack_layer(&spec, &stats, &err);
	/* ".", ".." and the layer's own folder. */
	if (count_entries(dir.path) != 3)
		abort();
	return 0;
}
