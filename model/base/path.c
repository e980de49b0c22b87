/* SPDX-License-Identifier: Apache-2.0 */
/* path.c — see path.h. */
#include "model/base/path.h"

#include <string.h>

const char *path_clean(const char *path, struct arena *arena)
{
	bool is_rooted = *path == '/';
	char *out = arena_alloc(arena, strlen(path) + 2), *end = out;
	char *floor; /* what ".." cannot go above */

	if (is_rooted)
		*end++ = '/';
	floor = end;
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && strncmp(path, "..", 2) == 0 && end > floor) {
			while (end > floor && *--end != '/')
				continue;
		} else if (n == 2 && strncmp(path, "..", 2) == 0 && !is_rooted) {
			if (end > out)
				*end++ = '/';
			*end++ = '.';
			*end++ = '.';
			floor = end;
		} else if (n && !(n == 1 && *path == '.') && !(n == 2 && !strncmp(path, "..", 2))) {
			if (end > out && end[-1] != '/')
				*end++ = '/';
			memcpy(end, path, n);
			end += n;
		}
		path += n + (path[n] == '/');
	}
	if (end == out)
		*end++ = '.';
	*end = '\0';
	return out;
}

bool path_has_dotdot(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}
