/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs_tree.c — removes trees that foreign code made: any depth, any modes, links never followed,
 * mounts never entered. Depth is bounded by moving folders that lie deeper than DEPTH_MAX up into
 * the root, where a later round finds them: neither the stack nor the number of open descriptors
 * depends on the tree.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"

enum { DEPTH_MAX = 32 };

struct removal {
	int root_fd;
	unsigned n_moved; /* names for folders that were moved up */
	const char *path; /* for messages */
	struct err *err;
};

static void dir_close(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Refuses links and anything mounted there, bind mounts too. */
static int open_folder(int dir_fd, const char *name)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };
	int fd = (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS)
		fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

/* A folder that its maker closed to us is opened up; the descriptor makes sure that no link is
 * followed. */
static int open_up(int dir_fd, const char *name)
{
	char self[64];
	AUTO_FD at = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (at < 0)
		return -1;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	if (chmod(self, 0700) < 0)
		return -1;
	return open_folder(dir_fd, name);
}

static DIR *list_open(int fd)
{
	struct stat st;
	DIR *dir;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		(void)!fchmod(fd, 0700); /* where it fails, the removals inside say so */
	dir = fdopendir(fd);
	if (!dir)
		fd_close(&fd);
	return dir;
}

static DIR *list_folder(int dir_fd, const char *name)
{
	int fd = open_folder(dir_fd, name);

	if (fd < 0 && errno == EACCES)
		fd = open_up(dir_fd, name);
	return list_open(fd);
}

/* The path above the tree is the caller's own and may hold links and mounts; the tree's own name
 * may not be a link. */
static DIR *list_root(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == EACCES && chmod(path, 0700) == 0)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return list_open(fd);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool remove_folder(struct removal *job, int dir_fd, const char *name, int depth);

static bool move_up(struct removal *job, int dir_fd, const char *name)
{
	bool is_opened = false;
	char fresh[64];

	for (;;) {
		snprintf(fresh, sizeof(fresh), ".removed-%d-%u", (int)getpid(), job->n_moved++);
		if (renameat2(dir_fd, name, job->root_fd, fresh, RENAME_NOREPLACE) == 0)
			return true;
		/* Its ".." changes, so it must be writable itself. */
		if (errno == EACCES && !is_opened) {
			AUTO_FD fd = open_up(dir_fd, name);

			is_opened = true;
			if (fd >= 0)
				continue;
		}
		if (errno != EEXIST)
			return err_sys(job->err, errno, "cannot remove '%s' in '%s'", name,
				       job->path);
	}
}

static bool remove_entry(struct removal *job, int dir_fd, const char *name, int depth)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(job->err, errno, "cannot remove '%s' in '%s'", name, job->path);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return true;
	if (depth >= DEPTH_MAX)
		return move_up(job, dir_fd, name);
	return remove_folder(job, dir_fd, name, depth + 1);
}

static bool empty_folder(struct removal *job, DIR *dir, int depth)
{
	const struct dirent *entry;

	while ((errno = 0, entry = readdir(dir))) {
		if (!is_dots(entry->d_name) && !remove_entry(job, dirfd(dir), entry->d_name, depth))
			return false;
	}
	if (errno)
		return err_sys(job->err, errno, "cannot list a folder in '%s'", job->path);
	return true;
}

static bool remove_folder(struct removal *job, int dir_fd, const char *name, int depth)
{
	__attribute__((cleanup(dir_close))) DIR *dir = list_folder(dir_fd, name);

	if (!dir)
		return err_sys(job->err, errno, "cannot remove '%s' in '%s'", name, job->path);
	if (!empty_folder(job, dir, depth))
		return false;
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return true;
	return err_sys(job->err, errno, "cannot remove '%s' in '%s'", name, job->path);
}

/* Rounds over the root, as long as folders were moved up into it. */
static bool empty_root(struct removal *job, DIR *root)
{
	unsigned before;

	do {
		before = job->n_moved;
		rewinddir(root);
		if (!empty_folder(job, root, 0))
			return false;
	} while (job->n_moved != before);
	return true;
}

bool fs_remove_tree(const char *path, struct err *err)
{
	struct removal job = { .path = path, .err = err };
	__attribute__((cleanup(dir_close))) DIR *root = NULL;

	if (unlink(path) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(err, errno, "cannot remove '%s'", path);
	if (rmdir(path) == 0 || errno == ENOENT)
		return true;
	root = list_root(path);
	if (!root)
		return err_sys(err, errno, "cannot remove '%s'", path);
	job.root_fd = dirfd(root);
	if (!empty_root(&job, root))
		return false;
	if (rmdir(path) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", path);
	return true;
}
