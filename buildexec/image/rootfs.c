/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs.c — see rootfs.h. A path is walked part by part; for the folder reached so far we know from which layer up it
 * counts. In those layers all folders on the way are real ones or absent: a link in a hidden layer is never walked over.
 */
#include "buildexec/image/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"

enum { LINKS_MAX = 40 };

static bool is_whiteout(const struct stat *stat)
{
	return S_ISCHR(stat->st_mode) && stat->st_rdev == makedev(0, 0);
}

static bool is_opaque(const struct rootfs *root, const char *host)
{
	const char *key =
		root->form == UNPACK_AS_ROOT ? "trusted.overlay.opaque" : "user.overlay.opaque";
	char value[2];

	return lgetxattr(host, key, value, sizeof(value)) == 1 && value[0] == 'y';
}

/*
 * What `path` is in the layers from `bottom` up. For a folder all layers down to the first that hides the rest are looked
 * at, for anything else the topmost counts alone.
 */
static bool look(const struct rootfs *root, size_t bottom, struct arena *arena,
		 struct rootfs_entry *entry, struct err *err)
{
	entry->host = NULL;
	for (size_t i = root->layers.n; i-- > bottom;) {
		const char *host = path_join(arena, root->layers.v[i], entry->path);
		struct stat stat;

		if (lstat(host, &stat) != 0) {
			/* What no layer can hold is in none. */
			if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
				continue;
			return err_sys(err, errno, "cannot look at '%s'", host);
		}
		if (entry->host && !S_ISDIR(stat.st_mode))
			return true; /* hidden by the folder above it, like all below */
		if (is_whiteout(&stat))
			return true;
		if (!entry->host) {
			entry->host = host;
			entry->stat = stat;
			entry->layer = i;
		}
		entry->bottom = i;
		if (!S_ISDIR(stat.st_mode) || is_opaque(root, host))
			return true;
	}
	return true;
}

static const char *read_link(const char *host, struct arena *arena)
{
	char target[PATH_MAX];
	ssize_t n = readlink(host, target, sizeof(target) - 1);

	return n < 0 ? NULL : arena_copy(arena, target, (size_t)n);
}

/* The folder above, which was walked through and therefore is there. */
static bool go_up(const struct rootfs *root, struct arena *arena, struct rootfs_entry *at,
		  struct err *err)
{
	const char *slash = strrchr(at->path, '/');
	const char *above =
		slash == at->path ? "/" : arena_copy(arena, at->path, (size_t)(slash - at->path));

	return rootfs_find(root, above, false, arena, at, err);
}

static bool start_at_root(const struct rootfs *root, struct arena *arena, struct rootfs_entry *at,
			  struct err *err)
{
	*at = (struct rootfs_entry){ .path = "/" };
	return look(root, 0, arena, at, err);
}

/* Replaces what is still to be walked: the target, and behind it the rest. */
static bool enter_link(const struct rootfs *root, struct rootfs_entry *folder, const char *host,
		       const char **rest, struct arena *arena, struct err *err)
{
	const char *target = read_link(host, arena);

	if (!target)
		return err_sys(err, errno, "cannot read link '%s'", host);
	*rest = arena_printf(arena, "%s/%s", target, *rest);
	if (strlen(*rest) >= LIMIT_PATH_BYTES)
		return err_set(err, ERR_INVALID, "a link in '%s' is too long", folder->path);
	return target[0] != '/' || start_at_root(root, arena, folder, err);
}

bool rootfs_find(const struct rootfs *root, const char *path, bool follows, struct arena *arena,
		 struct rootfs_entry *out, struct err *err)
{
	struct rootfs_entry at;
	unsigned n_links = 0;

	*out = (struct rootfs_entry){ 0 };
	if (!start_at_root(root, arena, &at, err))
		return false;
	while (path[strspn(path, "/")]) {
		struct rootfs_entry next = { 0 };
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		next.path = path_join(arena, at.path, arena_copy(arena, path, n));
		path += n;
		if (strlen(next.path) >= LIMIT_PATH_BYTES)
			return err_set(err, ERR_INVALID, "'%s' is too long", next.path);
		if (n == 1 && path[-1] == '.')
			continue;
		if (n == 2 && path[-1] == '.' && path[-2] == '.') {
			if (!go_up(root, arena, &at, err))
				return false;
			continue;
		}
		if (!at.host || !S_ISDIR(at.stat.st_mode))
			return true; /* it leads through what is no folder */
		if (!look(root, at.bottom, arena, &next, err))
			return false;
		if (next.host && S_ISLNK(next.stat.st_mode) &&
		    (follows || path[strspn(path, "/")])) {
			if (++n_links > LINKS_MAX)
				return err_set(err, ERR_INVALID, "links lead in circles at '%s'",
					       next.path);
			if (!enter_link(root, &at, next.host, &path, arena, err))
				return false;
			continue;
		}
		at = next;
	}
	*out = at;
	return true;
}

static bool add_names(const struct rootfs *root, const struct rootfs_entry *folder, size_t layer,
		      struct arena *arena, struct strings *out, struct err *err)
{
	const char *host = path_join(arena, root->layers.v[layer], folder->path);
	AUTO_FD fd = open(host, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct strings names;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       err_sys(err, errno, "cannot open folder '%s'", host);
	if (!fs_names(fd, arena, &names, err))
		return err_prefix(err, "'%s'", host);
	for (size_t i = 0; i < names.n; i++)
		vec_push(arena, out, names.v[i]);
	return true;
}

bool rootfs_names(const struct rootfs *root, const struct rootfs_entry *folder, struct arena *arena,
		  struct strings *out, struct err *err)
{
	struct strings all = { 0 };

	*out = (struct strings){ 0 };
	for (size_t i = folder->bottom; i < root->layers.n; i++)
		if (!add_names(root, folder, i, arena, &all, err))
			return false;
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), strings_compare);
	for (size_t i = 0; i < all.n; i++) {
		struct rootfs_entry child = { .path = path_join(arena, folder->path, all.v[i]) };

		if (i > 0 && strcmp(all.v[i - 1], all.v[i]) == 0)
			continue;
		if (!look(root, folder->bottom, arena, &child, err))
			return false;
		if (child.host)
			vec_push(arena, out, all.v[i]);
	}
	return true;
}

bool rootfs_read(const struct rootfs *root, const char *path, size_t max, struct arena *arena,
		 char **out, size_t *len, struct err *err)
{
	struct rootfs_entry entry;

	*out = NULL;
	*len = 0;
	if (!rootfs_find(root, path, true, arena, &entry, err))
		return false;
	return !entry.host || fs_read_plain(entry.host, max, arena, out, len, err);
}

static bool copy_file(const struct rootfs_entry *from, const char *to, struct err *err)
{
	mode_t mode = from->stat.st_mode & 0111 ? 0755 : 0644;
	AUTO_FD in = open(from->host, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO_FD out = -1;

	if (in < 0)
		return err_sys(err, errno, "cannot open '%s'", from->host);
	if (unlink(to) != 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot replace '%s'", to);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (out < 0 || fchmod(out, mode) != 0)
		return err_sys(err, errno, "cannot create '%s'", to);
	return fd_copy_all(in, out, err) || err_prefix(err, "cannot copy '%s'", from->path);
}

static bool copy_link(const struct rootfs_entry *from, const char *to, struct arena *arena,
		      struct err *err)
{
	const char *target = read_link(from->host, arena);

	if (!target)
		return err_sys(err, errno, "cannot read link '%s'", from->host);
	if (unlink(to) != 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot replace '%s'", to);
	return symlink(target, to) == 0 || err_sys(err, errno, "cannot create link '%s'", to);
}

static bool copy_any(const struct rootfs *root, const struct rootfs_entry *from, const char *to,
		     unsigned depth, struct err *err);

static bool copy_folder(const struct rootfs *root, const struct rootfs_entry *from, const char *to,
			unsigned depth, struct err *err)
{
	struct arena *arena = arena_new();
	struct strings names = { 0 };
	struct stat there;
	bool is_done = true;

	/* A link in the place of the folder would lead the rest elsewhere. */
	if (mkdir(to, 0755) != 0 &&
	    (errno != EEXIST || lstat(to, &there) != 0 || !S_ISDIR(there.st_mode)))
		is_done = err_sys(err, errno, "cannot create folder '%s'", to);
	is_done = is_done && rootfs_names(root, from, arena, &names, err);
	for (size_t i = 0; is_done && i < names.n; i++) {
		struct rootfs_entry child = { .path = path_join(arena, from->path, names.v[i]) };

		is_done = look(root, from->bottom, arena, &child, err) &&
			  copy_any(root, &child, path_join(arena, to, names.v[i]), depth + 1, err);
	}
	arena_free(arena);
	return is_done;
}

static bool copy_any(const struct rootfs *root, const struct rootfs_entry *from, const char *to,
		     unsigned depth, struct err *err)
{
	struct arena *arena;
	bool is_done;

	if (depth > LIMIT_TREE_DEPTH)
		return err_set(err, ERR_INVALID, "'%s' is deeper than %u folders", from->path,
			       LIMIT_TREE_DEPTH);
	if (!from->host)
		return true;
	if (S_ISDIR(from->stat.st_mode))
		return copy_folder(root, from, to, depth, err);
	if (S_ISREG(from->stat.st_mode))
		return copy_file(from, to, err);
	if (!S_ISLNK(from->stat.st_mode))
		return true;
	arena = arena_new();
	is_done = copy_link(from, to, arena, err);
	arena_free(arena);
	return is_done;
}

bool rootfs_copy(const struct rootfs *root, const struct rootfs_entry *from, const char *to,
		 struct err *err)
{
	return copy_any(root, from, to, 0, err);
}
