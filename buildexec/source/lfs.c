/* SPDX-License-Identifier: Apache-2.0 */
/* lfs.c — see lfs.h. A pointer begins with its version and has fewer than 1024 bytes, so hardly a file is opened. */
#include "buildexec/source/lfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/fs.h"

#define FIRST_LINE "version https://git-lfs.github.com/spec/v1\n"

enum { POINTER_MIN = 100, POINTER_MAX = 1024 };

struct finding {
	struct arena *arena;
	struct strings *out;
};

static bool look_at(void *ctx, struct tree_entry *entry, struct err *err)
{
	const struct finding *finding = ctx;
	char head[sizeof(FIRST_LINE) - 1];
	AUTO_FD fd = -1;

	if (!S_ISREG(entry->stat.st_mode) || entry->stat.st_size < POINTER_MIN ||
	    entry->stat.st_size >= POINTER_MAX)
		return true;
	fd = openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", entry->path);
	if (read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
	    memcmp(head, FIRST_LINE, sizeof(head)) == 0)
		vec_push(finding->arena, finding->out, arena_strdup(finding->arena, entry->path));
	return true;
}

bool lfs_find(const char *root, struct arena *arena, struct strings *out, struct err *err)
{
	struct finding finding = { arena, out };

	*out = (struct strings){ 0 };
	return tree_walk(root, look_at, &finding, err);
}
