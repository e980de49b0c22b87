/* SPDX-License-Identifier: Apache-2.0 */
/* foreign.c — see foreign.h. */
#include "buildexec/cnb/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/toml.h"

bool foreign_read(const char *path, size_t max, struct arena *arena, char **out, size_t *len,
		  struct err *err)
{
	/* O_NONBLOCK: a pipe of that name must not make us wait for its other end. */
	AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat stat;
	ssize_t n;

	*out = NULL;
	*len = 0;
	if (fd < 0 && errno == ENOENT)
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

bool foreign_toml(const char *path, struct arena *arena, struct node **out, struct err *err)
{
	char *text;
	size_t len;

	*out = NULL;
	if (!foreign_read(path, LIMIT_TOML_BYTES, arena, &text, &len, err))
		return false;
	if (!text)
		return true;
	return toml_parse(text, len, arena, out, err) || err_prefix(err, "'%s'", path);
}

bool foreign_is_dir(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0 && S_ISDIR(stat.st_mode);
}

bool foreign_is_file(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0 && S_ISREG(stat.st_mode);
}

bool foreign_is_dir_below(const char *root, const char *path, struct arena *arena)
{
	const char *at = path;

	while (*at) {
		at += strcspn(at, "/");
		if (!foreign_is_dir(
			    path_join(arena, root, arena_copy(arena, path, (size_t)(at - path)))))
			return false;
		at += *at == '/';
	}
	return true;
}
