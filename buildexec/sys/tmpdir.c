/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpdir.c — temp folders and files that outlive nobody: the owner holds a flock on the folder or
 * file itself, which the kernel drops however the owner dies, so a sweep needs no guess. The owner's
 * pid and start time in a folder's name are for people. A file's name is the first free one of a
 * few, so that the next writer of the same file meets what a killed one left.
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

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"
#include "model/base/digest.h"

enum { TEMP_NAMES = 100 };

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

/* "<prefix>-<pid>-<ticks>-<6>", or "reconcile-<word>-…" */
static bool is_ours(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);
	int end = -1;

	if (strncmp(name, prefix, len) != 0)
		return false;
	if (strcmp(prefix, "reconcile") == 0)
		(void)sscanf(name + len, "-%*[a-z]-%*[0-9]-%*[0-9]-%*6[A-Za-z0-9]%n", &end);
	else
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

static bool is_named(int dir_fd, const char *name, int fd)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && fstatat(dir_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* With the lock in our hands nobody else renames or removes the file: the name stays what it is. */
static void remove_dead(int dir_fd, const char *name)
{
	AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0 && is_named(dir_fd, name, fd))
		unlinkat(dir_fd, name, 0);
}

/* -1 with EEXIST: the name is taken, or a sweeper was quicker than our lock. */
static int create_locked(int dir_fd, const char *name, int access, mode_t mode)
{
	int fd = openat(dir_fd, name, access | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return -1;
	/* Where there are no such locks, nobody sweeps either. */
	if ((flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) ||
	    !is_named(dir_fd, name, fd)) {
		close(fd);
		errno = EEXIST;
		return -1;
	}
	return fd;
}

static bool temp_name(char *name, const char *path, unsigned i)
{
	unsigned char raw[6];
	char hex[13];
	int n;

	random_bytes(raw, sizeof(raw));
	hex_encode(raw, sizeof(raw), hex);
	n = i < TEMP_NAMES ? snprintf(name, PATH_MAX, "%s.tmp-%u", path, i)
			   : snprintf(name, PATH_MAX, "%s.tmp-%s", path, hex);
	errno = ENAMETOOLONG;
	return n > 0 && n < PATH_MAX;
}

/* Writers that ran at the same time left neighbours. */
static void remove_dead_after(int dir_fd, const char *path, unsigned i)
{
	char name[PATH_MAX];

	while (++i < TEMP_NAMES && temp_name(name, path, i) &&
	       faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		remove_dead(dir_fd, name);
}

int fs_open_temp(int dir_fd, const char *path, int access, mode_t mode, char *name)
{
	for (unsigned i = 0; i < 2 * TEMP_NAMES; i++) {
		int fd = -1;

		for (int attempt = 0; attempt < 2 && fd < 0; attempt++) {
			if (!temp_name(name, path, i))
				return -1;
			fd = create_locked(dir_fd, name, access, mode);
			if (fd < 0 && errno != EEXIST)
				return -1;
			if (fd < 0)
				remove_dead(dir_fd, name);
		}
		if (fd >= 0) {
			remove_dead_after(dir_fd, path, i);
			return fd;
		}
	}
	errno = EEXIST;
	return -1;
}

void fs_sweep_files(const char *folder)
{
	const struct dirent *entry;
	DIR *dir = opendir(folder);

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (strstr(entry->d_name, ".tmp-"))
			remove_dead(dirfd(dir), entry->d_name);
	closedir(dir);
}
