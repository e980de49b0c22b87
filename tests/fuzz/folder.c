/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c — see folder.h. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"

static struct tmpdir folder;
static DIR *names;

static void leave(void)
{
	closedir(names);
	tmpdir_release(&folder);
}

static void prepare(void)
{
	struct err err = { 0 };

	fs_set_temp_base(getenv("TMPDIR"));
	if (!tmpdir_make(NULL, "fuzz", &folder, &err))
		BUG("%s", err.text);
	names = opendir(folder.path);
	if (!names)
		abort();
	atexit(leave);
}

static struct dirent *next_name(void)
{
	struct dirent *entry;

	do
		entry = readdir(names);
	while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry;
}

const char *fuzz_folder(void)
{
	char path[4096];
	struct err err = { 0 };

	if (!folder.path)
		prepare();
	rewinddir(names);
	for (struct dirent *entry; (entry = next_name());) {
		snprintf(path, sizeof(path), "%s/%s", folder.path, entry->d_name);
		/* Whatever an input left: what cannot be removed would stay on the machines of users too. */
		if (!fs_remove_tree(path, &err))
			BUG("%s", err.text);
	}
	return folder.path;
}

const char *fuzz_folder_path(void)
{
	return folder.path;
}

size_t fuzz_folder_names(void)
{
	size_t n = 0;

	rewinddir(names);
	while (next_name())
		n++;
	return n;
}

void fuzz_folder_file(const char *name, const uint8_t *data, size_t size)
{
	int dir_fd = dirfd(names);
	AUTO_FD fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err err = { 0 };

	if (fd < 0 || !fd_write_all(fd, data, size, &err))
		abort();
}

size_t fuzz_parts(const uint8_t *data, size_t size, struct fuzz_part *out, size_t max)
{
	size_t n = 0;

	while (n < max) {
		const uint8_t *end = size ? memchr(data, 255, size) : NULL;

		out[n++] = (struct fuzz_part){ data, end ? (size_t)(end - data) : size };
		if (!end)
			break;
		size -= (size_t)(end - data) + 1;
		data = end + 1;
	}
	return n;
}

int fuzz_memory_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	struct err err = { 0 };

	if (fd < 0 || !fd_write_all(fd, data, size, &err) || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}
