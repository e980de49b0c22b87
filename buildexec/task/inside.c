/* SPDX-License-Identifier: Apache-2.0 */
/* inside.c — see inside.h. */
#include "buildexec/task/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"

/* `real` is NULL when there is nothing. */
static bool resolve(const char *root, const char *path, char *real, bool *is_there, struct err *err)
{
	char top[PATH_MAX];
	size_t n;

	if (!realpath(root, top))
		return err_sys(err, errno, "cannot find '%s'", root);
	*is_there = realpath(path, real) != NULL;
	if (!*is_there)
		return errno == ENOENT || errno == ENOTDIR ||
		       err_sys(err, errno, "cannot find '%s'", path);
	n = strlen(top);
	if (strncmp(real, top, n) != 0 || (real[n] != '/' && real[n] != '\0'))
		return err_set(err, ERR_INVALID, "'%s' leads out of the source by a link",
			       path + (strncmp(path, root, strlen(root)) == 0 ? strlen(root) : 0));
	return true;
}

bool inside_find(const char *root, const char *path, struct arena *arena, const char **out,
		 struct err *err)
{
	char real[PATH_MAX];
	bool is_there;

	*out = NULL;
	if (!resolve(root, path[0] ? path_join(arena, root, path) : root, real, &is_there, err))
		return false;
	if (is_there)
		*out = arena_strdup(arena, real);
	return true;
}

bool inside_make(const char *root, const char *path, struct arena *arena, const char **out,
		 struct err *err)
{
	const char *at = path;

	if (!inside_find(root, "", arena, out, err))
		return false;
	while (*at) {
		size_t n = strcspn(at, "/");
		const char *next = path_join(arena, *out, arena_copy(arena, at, n));
		char real[PATH_MAX];
		bool is_there;

		/* A link to nothing exists too: then the folder is not made and not found. */
		if (mkdir(next, 0755) != 0 && errno != EEXIST)
			return err_sys(err, errno, "cannot create folder '%s' of the source", path);
		if (!resolve(root, next, real, &is_there, err))
			return false;
		if (!is_there || !fs_is_dir(real))
			return err_set(err, ERR_INVALID, "'%.*s' of the source is no folder",
				       (int)(at - path + (ptrdiff_t)n), path);
		*out = arena_strdup(arena, real);
		at += n + (at[n] == '/');
	}
	return true;
}

bool inside_put(const char *dir, const struct inside_file *file, struct arena *arena,
		struct err *err)
{
	const char *to = path_join(arena, dir, file->name);
	AUTO_FD fd = -1;

	if (!path_is_inside(file->name) || strchr(file->name, '/'))
		return err_set(err, ERR_INVALID, "'%s' is no name of a file", file->name);
	if (unlink(to) != 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot replace '%s'", file->name);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot create '%s'", file->name);
	if (!fd_write_all(fd, file->bytes, file->n, err))
		return err_prefix(err, "cannot write '%s'", file->name);
	return fchmod(fd, file->mode) == 0 ||
	       err_sys(err, errno, "cannot set the mode of '%s'", file->name);
}
