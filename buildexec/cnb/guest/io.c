/* SPDX-License-Identifier: Apache-2.0 */
/* io.c — whole files, sorted folders, and removal without following links. */
#include "buildexec/cnb/guest/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/limits.h"
#include "model/doc/toml.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_fd))) int

static void close_folder(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}
#define AUTO_FOLDER __attribute__((cleanup(close_folder))) DIR *

char *io_join(struct arena *arena, const char *folder, const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name);
}

static bool read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	char block[16384];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read '%s'", path);
		buf_add(out, block, (size_t)n);
		if (out->is_over)
			return err_set(err, ERR_INVALID, "'%s' has more than %zu bytes", path,
				       out->max);
	}
	return true;
}

bool io_read(const char *path, size_t max, struct arena *arena, char **text, size_t *len,
	     struct err *err)
{
	/* O_NONBLOCK: a buildpack may leave a pipe of that name, which nobody ever writes to. */
	AUTO_FD fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	AUTO_BUF out = BUF_INIT(max);
	struct stat st;

	*text = NULL;
	*len = 0;
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(err, errno, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "cannot read '%s': it is no plain file", path);
	if (!read_all(fd, path, &out, err))
		return false;
	*text = buf_copy(&out, arena);
	*len = out.len;
	return true;
}

bool io_read_toml(const char *path, struct arena *arena, struct node **out, struct err *err)
{
	char *text;
	size_t len;

	*out = NULL;
	if (!io_read(path, LIMIT_TOML_BYTES, arena, &text, &len, err))
		return false;
	return toml_parse(text, len, arena, out, err) || err_prefix(err, "%s", path);
}

bool io_read_toml_if_any(const char *path, struct arena *arena, struct node **out, bool *is_there,
			 struct err *err)
{
	bool is_read = io_read_toml(path, arena, out, err);

	if (is_there)
		*is_there = is_read;
	if (is_read || err->kind != ERR_ABSENT)
		return is_read;
	*err = (struct err){ 0 };
	*out = node_new(arena, NODE_MAP);
	return true;
}

bool io_make_dirs(const char *path, struct err *err)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n >= sizeof(part))
		return err_sys(err, ENAMETOOLONG, "cannot make folder '%s'", path);
	for (size_t i = 1; i <= n; i++) {
		if (i < n && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0777) != 0 && errno != EEXIST)
			return err_sys(err, errno, "cannot make folder '%s'", part);
	}
	if (!io_is_dir(path))
		return err_sys(err, ENOTDIR, "cannot make folder '%s'", path);
	return true;
}

static bool make_parents(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];

	if (!slash || slash == path)
		return true;
	if ((size_t)(slash - path) >= sizeof(parent))
		return err_sys(err, ENAMETOOLONG, "cannot write '%s'", path);
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	return io_make_dirs(parent, err);
}

static bool write_all(int fd, const char *path, const char *text, size_t len, struct err *err)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot write '%s'", path);
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static bool write_file(const char *path, mode_t mode, const char *text, size_t len, struct err *err)
{
	/* O_NONBLOCK: not to wait for somebody who reads a pipe of that name. */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, mode);
	bool is_ok;

	if (fd < 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	is_ok = write_all(fd, path, text, len, err);
	if (close(fd) != 0 && is_ok)
		return err_sys(err, errno, "cannot write '%s'", path);
	return is_ok;
}

bool io_write(const char *path, const char *text, size_t len, struct err *err)
{
	return make_parents(path, err) && write_file(path, 0666, text, len, err);
}

bool io_write_toml(const char *path, const struct node *tree, struct err *err)
{
	AUTO_BUF text = BUF_INIT(4 * (size_t)LIMIT_TOML_BYTES);

	toml_print(tree, &text);
	if (text.is_over)
		return err_set(err, ERR_INVALID, "cannot write '%s': more than %zu bytes", path,
			       text.max);
	return io_write(path, buf_text(&text), text.len, err);
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct io_entry *)a)->name, ((const struct io_entry *)b)->name);
}

bool io_list(const char *path, struct arena *arena, struct io_entries *out, struct err *err)
{
	AUTO_FOLDER folder = opendir(path);
	const struct dirent *entry;

	*out = (struct io_entries){ 0 };
	if (!folder)
		return errno == ENOENT ? true : err_sys(err, errno, "cannot list '%s'", path);
	while ((errno = 0, entry = readdir(folder))) {
		struct io_entry item = { .name = arena_strdup(arena, entry->d_name) };
		struct stat st;

		if (strcmp(item.name, ".") == 0 || strcmp(item.name, "..") == 0)
			continue;
		if (fstatat(dirfd(folder), item.name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return err_sys(err, errno, "cannot look at '%s/%s'", path, item.name);
		item.is_dir = S_ISDIR(st.st_mode);
		item.is_link = S_ISLNK(st.st_mode);
		vec_push(arena, out, item);
	}
	if (errno)
		return err_sys(err, errno, "cannot list '%s'", path);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), compare_entries);
	return true;
}

bool io_copy(const char *from, const char *to, struct err *err)
{
	char link[PATH_MAX];
	struct stat st;
	struct arena *arena;
	char *text;
	size_t len;
	bool is_ok;

	if (lstat(from, &st) != 0)
		return err_sys(err, errno, "cannot copy '%s'", from);
	if (!make_parents(to, err))
		return false;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(from, link, sizeof(link) - 1);

		if (n < 0)
			return err_sys(err, errno, "cannot copy link '%s'", from);
		link[n] = '\0';
		return symlink(link, to) == 0 || err_sys(err, errno, "cannot make link '%s'", to);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "'%s' is no file", from);
	arena = arena_new();
	is_ok = io_read(from, 256u << 20, arena, &text, &len, err) &&
		write_file(to, st.st_mode & 0777, text, len, err);
	arena_free(arena);
	return is_ok;
}

bool io_copy_tree(const char *from, const char *to, struct arena *arena, struct err *err)
{
	struct io_entries entries;

	if (!io_exists(from))
		return true;
	if (!io_list(from, arena, &entries, err) || !io_make_dirs(to, err))
		return false;
	for (size_t i = 0; i < entries.n; i++) {
		const char *source = io_join(arena, from, entries.v[i].name);
		const char *target = io_join(arena, to, entries.v[i].name);

		if (!(entries.v[i].is_dir ? io_copy_tree(source, target, arena, err)
					  : io_copy(source, target, err)))
			return false;
	}
	return true;
}

/* Removes what is in the folder `fd`, which it closes. */
static bool remove_content(int fd, const char *path, struct err *err)
{
	AUTO_FOLDER folder = fdopendir(fd);
	const struct dirent *entry;

	if (!folder) {
		close(fd);
		return err_sys(err, errno, "cannot list '%s'", path);
	}
	while ((entry = readdir(folder))) {
		int child;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    unlinkat(dirfd(folder), entry->d_name, 0) == 0)
			continue;
		child = openat(dirfd(folder), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			return err_sys(err, errno, "cannot remove '%s/%s'", path, entry->d_name);
		if (!remove_content(child, path, err))
			return false;
		if (unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR) != 0)
			return err_sys(err, errno, "cannot remove '%s/%s'", path, entry->d_name);
	}
	return true;
}

bool io_remove_tree(const char *path, struct err *err)
{
	int fd;

	if (unlink(path) == 0 || errno == ENOENT)
		return true;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot remove '%s'", path);
	if (!remove_content(fd, path, err))
		return false;
	return rmdir(path) == 0 || err_sys(err, errno, "cannot remove '%s'", path);
}

bool io_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool io_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}
