/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpdir.c — temp folders that outlive nobody: the owner holds a flock on the folder itself, which
 * the kernel drops however the owner dies, so a sweep needs no guess. The owner's pid and start
 * time in the name are for people.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"

static char temp_base[PATH_MAX] = "/tmp";

void fs_set_temp_base(const char *path)
{
	if (path && *path && strlen(path) < sizeof(temp_base))
		snprintf(temp_base, sizeof(temp_base), "%s", path);
}

/* The descriptor that holds the lock, -1 when a sweeper was quicker and the folder is gone. */
static int lock_folder(const char *path)
{
	AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int taken;

	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) < 0 || stat(path, &st) < 0)
		return -1;
	taken = fd;
	fd = -1;
	return taken;
}

bool tmpdir_make(const char *base, const char *prefix, struct tmpdir *out, struct err *err)
{
	char path[PATH_MAX];
	int fd = -1, n;

	*out = (struct tmpdir){ 0 };
	if (!base)
		base = temp_base;
	for (int i = 0; i < 10 && fd < 0; i++) {
		n = snprintf(path, sizeof(path), "%s/%s-%d-%llu-XXXXXX", base, prefix,
			     (int)getpid(), proc_start_time(getpid()));
		if (n < 0 || n >= (int)sizeof(path))
			return err_sys(err, ENAMETOOLONG, "cannot make a temp folder in '%s'",
				       base);
		if (!mkdtemp(path))
			return err_sys(err, errno, "cannot make a temp folder in '%s'", base);
		fd = lock_folder(path);
	}
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "cannot lock a temp folder in '%s'", base);
	out->path = strdup(path);
	if (!out->path)
		BUG("out of memory");
	out->lock_fd = fd;
	return true;
}

void tmpdir_release(struct tmpdir *dir)
{
	struct err ignored = { 0 };
	int saved = errno;

	if (!dir->path)
		return;
	/* What cannot be removed now is swept by a later run. */
	(void)!fs_remove_tree(dir->path, &ignored);
	fd_close(&dir->lock_fd);
	free(dir->path);
	dir->path = NULL;
	errno = saved;
}

/* "<prefix>-<pid>-<ticks>-<6>" */
static bool is_ours(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);
	int end = -1;

	if (strncmp(name, prefix, len) != 0)
		return false;
	(void)sscanf(name + len, "-%*[0-9]-%*[0-9]-%*6[A-Za-z0-9]%n", &end);
	return end > 0 && !name[len + (size_t)end];
}

static void sweep_one(const char *base, const char *name)
{
	char path[PATH_MAX];
	AUTO_FD fd = -1;
	struct err ignored = { 0 };
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s", base, name);

	if (n < 0 || n >= (int)sizeof(path))
		return;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid())
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)!fs_remove_tree(path, &ignored);
}

void fs_sweep_temp(const char *base, const char *prefix)
{
	const struct dirent *entry;
	DIR *dir;

	if (!base)
		base = temp_base;
	dir = opendir(base);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (is_ours(entry->d_name, prefix))
			sweep_one(base, entry->d_name);
	closedir(dir);
}
