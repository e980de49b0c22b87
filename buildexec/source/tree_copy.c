/* SPDX-License-Identifier: Apache-2.0 */
/* tree_copy.c — see tree_copy.h. */
#include "buildexec/source/tree_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"

struct copying {
	int to_dir;
	uint64_t n_bytes;
};

static bool copy_file(const struct tree_entry *entry, int to_dir, struct err *err)
{
	mode_t mode = entry->stat.st_mode & 0100 ? 0755 : 0644;
	AUTO_FD from =
		openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO_FD to = -1;

	if (from < 0)
		return err_sys(err, errno, "cannot open '%s'", entry->path);
	to = openat(to_dir, entry->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    mode);
	if (to < 0)
		return err_sys(err, errno, "cannot create '%s'", entry->path);
	if (!fd_copy_all(from, to, err))
		return err_prefix(err, "cannot copy '%s'", entry->path);
	if (fchmod(to, mode) != 0)
		return err_sys(err, errno, "cannot set the mode of '%s'", entry->path);
	return true;
}

static bool copy_link(const struct tree_entry *entry, int to_dir, struct err *err)
{
	char target[LIMIT_PATH_BYTES];
	ssize_t n = readlinkat(entry->dir_fd, entry->name, target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(err, errno, "cannot read link '%s'", entry->path);
	target[n] = '\0';
	if (symlinkat(target, to_dir, entry->path) != 0)
		return err_sys(err, errno, "cannot create link '%s'", entry->path);
	return true;
}

/* The copy is ours alone while it is made, so its own folders hold no foreign links. */
static bool copy_entry(void *ctx, struct tree_entry *entry, struct err *err)
{
	struct copying *copying = ctx;
	int to_dir = copying->to_dir;

	if (tree_is_git(entry->name)) {
		entry->is_pruned = true;
		return true;
	}
	if (S_ISREG(entry->stat.st_mode))
		return tree_takes(entry, &copying->n_bytes, err) && copy_file(entry, to_dir, err);
	if (S_ISLNK(entry->stat.st_mode))
		return copy_link(entry, to_dir, err);
	if (!S_ISDIR(entry->stat.st_mode))
		return tree_bad_kind(entry->path, err);
	if (mkdirat(to_dir, entry->path, 0755) != 0 || fchmodat(to_dir, entry->path, 0755, 0) != 0)
		return err_sys(err, errno, "cannot create folder '%s'", entry->path);
	return true;
}

bool tree_copy(const char *from, const char *to, struct err *err)
{
	AUTO_FD to_dir = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copying copying = { .to_dir = to_dir };

	if (to_dir < 0)
		return err_sys(err, errno, "cannot open folder '%s'", to);
	if (!tree_walk(from, copy_entry, &copying, err))
		return err_prefix(err, "cannot copy '%s'", from);
	return true;
}
