/* SPDX-License-Identifier: Apache-2.0 */
/* foreign.c — see foreign.h. */
#include "buildexec/cnb/foreign.h"

#include <string.h>
#include <sys/stat.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/toml.h"

bool foreign_toml(const char *path, struct arena *arena, struct node **out, struct err *err)
{
	char *text;
	size_t len;

	*out = NULL;
	if (!fs_read_plain(path, LIMIT_TOML_BYTES, arena, &text, &len, err))
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
