/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs.c — whole files in and out, folders, locks, paths. Trees are removed in fs_tree.c, temp
 * folders live in tmpdir.c.
 */
#include "buildexec/sys/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "model/base/digest.h"

enum { READ_CHUNK = 64 * 1024, LOCK_POLL_MS = 10, COPY_CHUNK = 1 << 20 };
/* Less than a build leaves free by accident, more than a file that did not fit leaves. */
enum { FULL_BYTES = 1 << 20, FULL_FILES = 16 };

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

/* Whoever opened it may have set O_NONBLOCK, which holds for all that share it. */
static bool is_waiting(int fd, short events)
{
	if (errno == EAGAIN)
		poll(&(struct pollfd){ .fd = fd, .events = events }, 1, -1);
	return errno == EAGAIN || errno == EINTR;
}

ssize_t fd_read(int fd, void *bytes, size_t n)
{
	ssize_t got;

	do
		got = read(fd, bytes, n);
	while (got < 0 && is_waiting(fd, POLLIN));
	return got;
}

bool fd_write_all(int fd, const void *bytes, size_t n, struct err *err)
{
	const char *at = bytes;

	while (n) {
		ssize_t put = write(fd, at, n);

		if (put < 0 && is_waiting(fd, POLLOUT))
			continue;
		if (put < 0)
			return err_sys(err, errno, "cannot write");
		at += put;
		n -= (size_t)put;
	}
	return true;
}

bool fd_copy_all(int from, int to, struct err *err)
{
	char *chunk;
	ssize_t n;

	while ((n = copy_file_range(from, NULL, to, NULL, (size_t)1 << 30, 0)) > 0)
		;
	if (n == 0)
		return true;
	/* Not between these two file systems: nothing was copied yet, or the offsets tell how far. */
	chunk = mem_realloc(NULL, COPY_CHUNK);
	while ((n = read(from, chunk, COPY_CHUNK)) > 0)
		if (!fd_write_all(to, chunk, (size_t)n, err))
			break;
	free(chunk);
	return n == 0 || (n < 0 && err_sys(err, errno, "cannot read"));
}

bool fs_names(int fd, struct arena *arena, struct strings *out, struct err *err)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	const struct dirent *entry;
	int sys = errno;

	*out = (struct strings){ 0 };
	if (!dir) {
		fd_close(&own);
		return err_sys(err, sys, "cannot list a folder");
	}
	while ((errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			vec_push(arena, out, arena_strdup(arena, entry->d_name));
	sys = errno;
	closedir(dir);
	if (sys != 0)
		return err_sys(err, sys, "cannot list a folder");
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), strings_compare);
	return true;
}

static bool read_open(int fd, const char *path, struct buf *buf, struct err *err)
{
	char chunk[READ_CHUNK];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, errno, "cannot read '%s'", path);
		buf_add(buf, chunk, (size_t)got);
		if (buf->is_over)
			return err_set(err, ERR_INVALID, "cannot read '%s': longer than %zu bytes",
				       path, buf->max);
	}
	return true;
}

/*
 * A pipe with a name is refused: opened as files are, it waits for somebody to write, for ever. One of a shell ("<(…)",
 * /dev/stdin) has its writer and is read as files are.
 */
static bool settle_pipe(int fd, const char *path, struct err *err)
{
	struct stat st;
	struct statfs fs;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot read '%s'", path);
	if (!S_ISFIFO(st.st_mode))
		return true;
	if (fstatfs(fd, &fs) < 0 || fs.f_type != PIPEFS_MAGIC)
		return err_set(err, ERR_INVALID, "cannot read '%s': it is a pipe", path);
	return fcntl(fd, F_SETFL, O_RDONLY) == 0 || err_sys(err, errno, "cannot read '%s'", path);
}

bool fs_read(int dir_fd, const char *path, size_t max, struct arena *arena, char **out, size_t *len,
	     struct err *err)
{
	AUTO_BUF buf = BUF_INIT(max);
	AUTO_FD fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	*out = NULL;
	*len = 0;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return true;
	if (fd < 0)
		return err_sys(err, errno, "cannot read '%s'", path);
	if (!settle_pipe(fd, path, err) || !read_open(fd, path, &buf, err))
		return false;
	*out = arena_copy(arena, buf_text(&buf), buf.len);
	*len = buf.len;
	return true;
}

bool fs_read_plain(const char *path, size_t max, struct arena *arena, char **out, size_t *len,
		   struct err *err)
{
	/* O_NONBLOCK: a pipe of that name must not make us wait for its other end. */
	AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat stat;
	ssize_t n;

	*out = NULL;
	*len = 0;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return true;
	if (fd < 0 && errno == ELOOP)
		return err_set(err, ERR_INVALID, "'%s' is a link", path);
	if (fd < 0 || fstat(fd, &stat) != 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is no plain file", path);
	if ((uint64_t)stat.st_size > max)
		return err_set(err, ERR_INVALID, "'%s' is longer than %zu bytes", path, max);
	*out = arena_alloc(arena, (size_t)stat.st_size + 1);
	while (*len < (size_t)stat.st_size &&
	       (n = read(fd, *out + *len, (size_t)stat.st_size - *len)) > 0)
		*len += (size_t)n;
	if (*len == (size_t)stat.st_size)
		return true;
	*out = NULL;
	return err_sys(err, errno ? errno : EIO, "cannot read '%s'", path);
}

/* After a rename the folder itself must reach the disk, else a crash may bring the old name back.
 */
static bool sync_folder_of(int dir_fd, const char *path, struct err *err)
{
	char folder[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	AUTO_FD fd = -1;

	if (slash == path)
		slash++;
	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_sys(err, errno, "cannot sync folder '%s'", folder);
	return true;
}

static bool fill_temp(int fd, const void *bytes, size_t n, bool is_synced, struct err *err)
{
	int twin;

	if (!fd_write_all(fd, bytes, n, err))
		return false;
	if (is_synced && fsync(fd) < 0)
		return err_sys(err, errno, "cannot sync");
	/* close() reports what a full or remote disk kept to itself; fd keeps the file's lock. */
	twin = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (twin < 0 || close(twin) < 0)
		return err_sys(err, errno, "cannot finish");
	return true;
}

bool fs_write_atomic(int dir_fd, const char *path, const void *bytes, size_t n, mode_t mode,
		     bool is_synced, struct err *err)
{
	char temp[PATH_MAX];
	AUTO_FD fd = fs_open_temp(dir_fd, path, O_WRONLY, mode, temp);
	bool is_filled;

	if (fd < 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	is_filled = fill_temp(fd, bytes, n, is_synced, err);
	if (is_filled && renameat(dir_fd, temp, dir_fd, path) < 0)
		is_filled = err_sys(err, errno, "cannot rename");
	if (!is_filled) {
		unlinkat(dir_fd, temp, 0);
		return err_prefix(err, "cannot write '%s'", path);
	}
	return !is_synced || sync_folder_of(dir_fd, path, err);
}

static bool make_one(const char *path, mode_t mode, struct err *err)
{
	struct stat st;
	int sys;

	if (mkdir(path, mode) == 0)
		return true;
	sys = errno;
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return true;
		sys = ENOTDIR;
	}
	return err_sys(err, sys, "cannot make folder '%s'", path);
}

bool fs_make_dirs(const char *path, mode_t mode, struct err *err)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part))
		return err_sys(err, len ? ENAMETOOLONG : ENOENT, "cannot make folder '%s'", path);
	if (fs_is_dir(path))
		return true;
	memcpy(part, path, len + 1);
	for (char *at = part + 1; *at; at++) {
		bool is_ok;

		if (*at != '/' || at[-1] == '/')
			continue;
		*at = '\0';
		is_ok = make_one(part, mode, err);
		*at = '/';
		if (!is_ok)
			return false;
	}
	return make_one(part, mode, err);
}

bool fs_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool fs_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Somebody may remove or replace the file between our open and our lock: then we hold a lock on
 * nothing. */
static bool is_still_named(int fd, const char *path)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino &&
	       ours.st_dev == named.st_dev;
}

/* 0, or the errno. flock() has no timeout of its own, so a bounded wait asks again and again. */
static int lock_within(int fd, int how, int64_t timeout_ms)
{
	int64_t end = clock_mono_ms() + timeout_ms;

	for (;;) {
		if (flock(fd, timeout_ms < 0 ? how : how | LOCK_NB) == 0)
			return 0;
		if (errno != EINTR && errno != EWOULDBLOCK)
			return errno;
		if (errno == EWOULDBLOCK) {
			if (clock_mono_ms() >= end)
				return EWOULDBLOCK;
			clock_sleep_ms(LOCK_POLL_MS);
		}
	}
}

bool fs_lock(const char *path, bool is_shared, int64_t timeout_ms, int *fd, struct err *err)
{
	*fd = -1;
	for (;;) {
		AUTO_FD file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
		int sys;

		if (file < 0)
			return err_sys(err, errno, "cannot open lock '%s'", path);
		sys = lock_within(file, is_shared ? LOCK_SH : LOCK_EX, timeout_ms);
		if (sys == EWOULDBLOCK)
			return err_set(err, ERR_CONFLICT, "cannot lock '%s': held by another run",
				       path);
		if (sys)
			return err_sys(err, sys, "cannot lock '%s'", path);
		if (is_still_named(file, path)) {
			*fd = file;
			file = -1;
			return true;
		}
	}
}

bool fs_is_full(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) == 0 &&
	       ((fs.f_blocks && (uint64_t)fs.f_bavail * fs.f_frsize < FULL_BYTES) ||
		(fs.f_files && fs.f_favail < FULL_FILES));
}

char *path_join(struct arena *arena, const char *dir, const char *name)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	while (*name == '/')
		name++;
	if (len == 0)
		return arena_strdup(arena, name);
	return arena_printf(arena, "%.*s%s%s", (int)len, dir, dir[len - 1] == '/' ? "" : "/", name);
}

static bool part_is_plain(const char *part, size_t len)
{
	if (len == 0 || (len == 1 && part[0] == '.') ||
	    (len == 2 && part[0] == '.' && part[1] == '.'))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)part[i] < 0x20 || part[i] == 0x7f || part[i] == '\\')
			return false;
	return true;
}

bool path_is_inside(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (!part_is_plain(path, len))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}
