/* SPDX-License-Identifier: Apache-2.0 */
/* tree_walk.c — see tree_walk.h. */
#include "buildexec/source/tree_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "model/base/buf.h"
#include "model/base/limits.h"
#include "model/base/vec.h"

struct walk {
	const char *root;
	tree_fn *each;
	void *ctx;
	unsigned long long n_entries;
	unsigned depth;
	struct buf path;
};

static bool walk_folder(struct walk *walk, int fd, struct err *err);

static bool walk_entry(struct walk *walk, int fd, const char *name, struct err *err)
{
	struct tree_entry entry = { .dir_fd = fd, .name = name };
	size_t above = walk->path.len;
	bool is_done = true;

	buf_printf(&walk->path, "%s%s", above ? "/" : "", name);
	if (walk->path.is_over)
		return err_set(err, ERR_INVALID, "a path below '%s' is longer than %u bytes",
			       walk->root, LIMIT_PATH_BYTES);
	if (++walk->n_entries > LIMIT_UNPACK_ENTRIES)
		return err_set(err, ERR_INVALID, "'%s' holds more than %llu entries", walk->root,
			       LIMIT_UNPACK_ENTRIES);
	entry.path = buf_text(&walk->path);
	if (fstatat(fd, name, &entry.stat, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(err, errno, "cannot look at '%s/%s'", walk->root, entry.path);
	if (!walk->each(walk->ctx, &entry, err))
		return false;
	if (S_ISDIR(entry.stat.st_mode) && !entry.is_pruned) {
		AUTO_FD below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (below < 0)
			return err_sys(err, errno, "cannot open '%s/%s'", walk->root, entry.path);
		is_done = walk_folder(walk, below, err);
	}
	walk->path.len = above;
	walk->path.data[above] = '\0';
	return is_done;
}

static bool walk_folder(struct walk *walk, int fd, struct err *err)
{
	struct arena *arena;
	struct strings names = { 0 };
	bool is_done;

	if (++walk->depth > LIMIT_TREE_DEPTH)
		return err_set(err, ERR_INVALID, "'%s' is deeper than %u folders", walk->root,
			       LIMIT_TREE_DEPTH);
	arena = arena_new();
	is_done = fs_names(fd, arena, &names, err);
	if (!is_done)
		err_prefix(err, "'%s/%s'", walk->root, buf_text(&walk->path));
	for (size_t i = 0; is_done && i < names.n; i++)
		is_done = walk_entry(walk, fd, names.v[i], err);
	arena_free(arena);
	walk->depth--;
	return is_done;
}

bool tree_walk(const char *root, tree_fn *each, void *ctx, struct err *err)
{
	struct walk walk = {
		.root = root, .each = each, .ctx = ctx, .path = BUF_INIT(LIMIT_PATH_BYTES)
	};
	AUTO_FD fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_done;

	if (fd < 0)
		return err_sys(err, errno, "cannot open folder '%s'", root);
	is_done = walk_folder(&walk, fd, err);
	buf_release(&walk.path);
	return is_done;
}

bool tree_is_git(const char *name)
{
	return strcmp(name, ".git") == 0;
}

bool tree_bad_kind(const char *path, struct err *err)
{
	return err_set(err, ERR_INVALID, "'%s' is neither file, folder nor link", path);
}

bool tree_takes(const struct tree_entry *entry, uint64_t *n_bytes, struct err *err)
{
	uint64_t size = (uint64_t)entry->stat.st_size;

	if (size > LIMIT_SOURCE_BYTES - *n_bytes)
		return err_set(err, ERR_INVALID, "with '%s' it would have more than %llu bytes",
			       entry->path, LIMIT_SOURCE_BYTES);
	*n_bytes += size;
	return true;
}

struct owner {
	uid_t uid;
	gid_t gid;
};

static bool chown_entry(void *ctx, struct tree_entry *entry, struct err *err)
{
	const struct owner *owner = ctx;

	if (entry->stat.st_uid == owner->uid && entry->stat.st_gid == owner->gid)
		return true;
	if (fchownat(entry->dir_fd, entry->name, owner->uid, owner->gid, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(err, errno, "cannot change the owner of '%s'", entry->path);
	/* A change of owner takes setuid and setgid away. */
	if (S_ISREG(entry->stat.st_mode) && (entry->stat.st_mode & 06000) &&
	    fchmodat(entry->dir_fd, entry->name, entry->stat.st_mode & 07777, 0) != 0)
		return err_sys(err, errno, "cannot set the mode of '%s'", entry->path);
	return true;
}

bool tree_chown(const char *root, uid_t uid, gid_t gid, struct err *err)
{
	struct owner owner = { .uid = uid, .gid = gid };

	if (geteuid() != 0)
		return true;
	if (lchown(root, uid, gid) != 0)
		return err_sys(err, errno, "cannot change the owner of '%s'", root);
	return tree_walk(root, chown_entry, &owner, err);
}

static bool set_entry_times(void *ctx, struct tree_entry *entry, struct err *err)
{
	return utimensat(entry->dir_fd, entry->name, ctx, AT_SYMLINK_NOFOLLOW) == 0 ||
	       err_sys(err, errno, "cannot set the time of '%s'", entry->path);
}

bool tree_set_times(const char *root, int64_t mtime_s, struct err *err)
{
	struct timespec times[2] = { { .tv_sec = mtime_s }, { .tv_sec = mtime_s } };

	if (!tree_walk(root, set_entry_times, times, err))
		return false;
	return utimensat(AT_FDCWD, root, times, 0) == 0 ||
	       err_sys(err, errno, "cannot set the time of '%s'", root);
}
