/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_tree.c — walks folders with one descriptor per level, each opened relative to the one above
 * without following links. Deep levels give their descriptor back and open it again by path below
 * the root, so that the depth of a tree is bounded by the length of paths only.
 */
#include "buildexec/image/tar_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/open_inside.h"
#include "model/base/map.h"

enum { FDS_MAX = 64, CHUNK = 256 * 1024, XATTRS_MAX = 64 };

/*
 * One walk. `path` is the current path below `dir` ("" at the root); visit is called for each
 * object with the descriptor of its folder, its name there ("" for the root itself, which dir_fd
 * then is) and what lstat says.
 */
struct walk {
	const char *dir;
	int root_fd;
	char path[PATH_MAX];
	size_t len;
	bool (*visit)(struct walk *walk, int dir_fd, const char *name, const struct stat *st);
	void *ctx;
	struct err *err;
};

static bool walk_fail(struct walk *walk, int sys, const char *what)
{
	return err_sys(walk->err, sys, "cannot %s '%s%s%s'", what, walk->dir, walk->len ? "/" : "",
		       walk->path);
}

/* Opens below the root, passing no link on the way. */
static int open_beneath(int root_fd, const char *path, uint64_t flags)
{
	return open_inside(root_fd, path, flags | O_NOFOLLOW, INSIDE_NO_LINKS);
}

/*
 * May we read and enter it only after changing its mode? Root reads everything, and the same tree must give the same archive
 * to others: what its owner, who we are, has closed to himself is opened for as long as it is read.
 */
static bool is_closed(const struct stat *st)
{
	const mode_t need = S_ISDIR(st->st_mode) ? 0500 : 0400;

	return (st->st_mode & need) != need && st->st_uid == geteuid() && geteuid() != 0;
}

static int open_object(int dir_fd, const char *name, const struct stat *st, int flags)
{
	if (is_closed(st) && fchmodat(dir_fd, name, (st->st_mode & 07777) | 0500, 0) < 0)
		return -1;
	return openat(dir_fd, name, flags | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* After open_object: the mode that it had. */
static bool close_again(int fd, const struct stat *st)
{
	return !is_closed(st) || fchmod(fd, st->st_mode & 07777) == 0;
}

static int by_bytes(const void *a, const void *b)
{
	char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

static void names_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* The names in an open folder, sorted; false with errno. */
static bool list_names(int fd, char ***names, size_t *n)
{
	size_t cap = 0;
	const struct dirent *entry;
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	int sys = errno;

	*names = NULL;
	*n = 0;
	if (!dir) {
		fd_close(&own);
		return false;
	}
	while ((errno = 0, entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (*n == cap) {
			cap = cap ? 2 * cap : 32;
			*names = mem_realloc(*names, cap * sizeof(**names));
		}
		(*names)[*n] = strdup(entry->d_name);
		if (!(*names)[(*n)++])
			BUG("out of memory");
	}
	sys = errno;
	closedir(dir);
	if (*n)
		qsort(*names, *n, sizeof(**names), by_bytes);
	if (!sys)
		return true;
	names_free(*names, *n);
	errno = sys;
	return false;
}

static bool walk_folder(struct walk *walk, int fd, int depth);

static bool walk_child(struct walk *walk, int *fd, const char *name, int depth)
{
	AUTO_FD child = -1;
	struct stat st;

	if (fstatat(*fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return walk_fail(walk, errno, "look at");
	if (S_ISSOCK(st.st_mode))
		return true;
	if (!walk->visit(walk, *fd, name, &st))
		return false;
	if (!S_ISDIR(st.st_mode))
		return true;
	child = open_object(*fd, name, &st, O_DIRECTORY);
	if (child < 0)
		return walk_fail(walk, errno, "open folder");
	if (depth >= FDS_MAX)
		fd_close(fd);
	return walk_folder(walk, child, depth + 1) &&
	       (close_again(child, &st) || walk_fail(walk, errno, "close folder"));
}

static bool walk_names(struct walk *walk, int *fd, char **names, size_t n, int depth)
{
	size_t len = walk->len;

	for (size_t i = 0; i < n; i++) {
		size_t need = strlen(names[i]) + (len > 0);

		if (len + need >= sizeof(walk->path))
			return walk_fail(walk, ENAMETOOLONG, "walk through");
		if (*fd < 0) {
			*fd = open_beneath(walk->root_fd, walk->path, O_RDONLY | O_DIRECTORY);
			if (*fd < 0)
				return walk_fail(walk, errno, "open folder");
		}
		snprintf(walk->path + len, sizeof(walk->path) - len, "%s%s", len ? "/" : "",
			 names[i]);
		walk->len = len + need;
		if (!walk_child(walk, fd, names[i], depth))
			return false;
		walk->len = len;
		walk->path[len] = '\0';
	}
	return true;
}

/* All below the folder `fd`, which stays the caller's. */
static bool walk_folder(struct walk *walk, int fd, int depth)
{
	AUTO_FD own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char **names;
	size_t n;
	bool is_ok;

	if (own < 0 || !list_names(own, &names, &n))
		return walk_fail(walk, errno, "list folder");
	is_ok = walk_names(walk, &own, names, n, depth);
	names_free(names, n);
	return is_ok;
}

/* What an archive is made from: the walk's visitor writes entries. */
struct source {
	struct tar *tar;
	const struct tar_map *map;
	const struct tar_owner *owner;
	char *chunk;         /* CHUNK bytes */
	struct arena *arena; /* of a faithful map, else NULL */
	struct map links;    /* "<device> <inode>" → name of the entry that has the data */
	struct tar_xattr xattrs[XATTRS_MAX]; /* of the entry that is being made */
	struct arena *attributes;            /* their texts: those of all files would fill memory */
};

/* The entry that has the data of this file already; NULL, and remembered, when this is the first one. */
static const char *linked_to(struct source *source, const struct stat *st, const char *name)
{
	char key[48];
	const char *first;

	if (!source->arena || st->st_nlink < 2)
		return NULL;
	snprintf(key, sizeof(key), "%llx %llx", (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino);
	first = map_get(&source->links, key);
	if (!first)
		map_set(source->arena, &source->links, arena_strdup(source->arena, key),
			arena_strdup(source->arena, name));
	return first;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tar_xattr *)a)->name, ((const struct tar_xattr *)b)->name);
}

/* File systems without attributes have none. */
static bool read_xattrs(struct source *source, int fd, struct tar_entry *entry, struct err *err)
{
	char names[4096];
	ssize_t len = source->arena ? flistxattr(fd, names, sizeof(names)) : 0;
	struct tar_xattr *list = source->xattrs;

	if (len < 0 && errno != ENOTSUP)
		return err_sys(err, errno, "cannot read attributes of '%s'", entry->name);
	if (len <= 0)
		return true;
	if (source->attributes)
		arena_free(source->attributes);
	source->attributes = arena_new();
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t n;

		if (!tar_keeps_xattr(name))
			continue;
		n = fgetxattr(fd, name, source->chunk, CHUNK);
		if (n < 0 || entry->n_xattrs == XATTRS_MAX)
			return err_sys(err, n < 0 ? errno : E2BIG, "cannot read attributes of '%s'",
				       entry->name);
		list[entry->n_xattrs++] = (struct tar_xattr){
			.name = arena_strdup(source->attributes, name),
			.value = arena_copy(source->attributes, source->chunk, (size_t)n),
			.n = (size_t)n,
		};
	}
	if (entry->n_xattrs)
		qsort(list, entry->n_xattrs, sizeof(*list), by_name);
	entry->xattrs = list;
	return true;
}

static struct source source_open(struct tar *tar, const struct tar_map *map,
				 const struct tar_owner *owner)
{
	return (struct source){
		.tar = tar,
		.map = map,
		.owner = owner,
		.chunk = mem_realloc(NULL, CHUNK),
		.arena = map->is_faithful ? arena_new() : NULL,
	};
}

static void source_close(struct source *source)
{
	free(source->chunk);
	if (source->attributes)
		arena_free(source->attributes);
	if (source->arena)
		arena_free(source->arena);
}

/* The data of an open file, whose entry has begun. Longer or shorter than announced is an error. */
static bool copy_data(struct source *source, int fd, const char *path, struct err *err)
{
	struct tar *tar = source->tar;
	size_t n = CHUNK;
	char *to = source->chunk;
	ssize_t got;

	for (;;) {
		if (tar->room)
			to = tar->room(tar->ctx, &n);
		got = read(fd, to, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, errno, "cannot read '%s/%s'", source->map->dir, path);
		if (got == 0 || (uint64_t)got > tar->left)
			break;
		if (!tar_data(tar, to, (size_t)got, err))
			return false;
	}
	if (got != 0 || source->tar->left)
		return err_set(err, ERR_CONFLICT,
			       "cannot archive '%s/%s': it changed while it was read",
			       source->map->dir, path);
	return true;
}

static bool add_file(struct source *source, int fd, struct tar_entry *entry, const char *path,
		     struct err *err)
{
	struct stat st;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s/%s'", source->map->dir, path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFLICT,
			       "cannot archive '%s/%s': it changed while it was read",
			       source->map->dir, path);
	entry->mode = st.st_mode;
	entry->linkname = linked_to(source, &st, entry->name);
	if (entry->linkname) {
		entry->type = TAR_HARDLINK;
		return tar_begin(source->tar, entry, err);
	}
	entry->size_bytes = (uint64_t)st.st_size;
	return read_xattrs(source, fd, entry, err) && tar_begin(source->tar, entry, err) &&
	       copy_data(source, fd, path, err);
}

static enum tar_type type_of(mode_t mode)
{
	return S_ISDIR(mode)    ? TAR_DIR
	       : S_ISLNK(mode)  ? TAR_SYMLINK
	       : S_ISFIFO(mode) ? TAR_FIFO
	       : S_ISCHR(mode)  ? TAR_CHAR
	       : S_ISBLK(mode)  ? TAR_BLOCK
				: TAR_FILE;
}

/* One object, under the map's name and its path below it. */
static bool add_object(struct source *source, const char *path, int dir_fd, const char *name,
		       const struct stat *st, struct err *err)
{
	char full[2 * PATH_MAX], target[PATH_MAX];
	struct tar_entry entry = {
		.name = full,
		.type = type_of(st->st_mode),
		.mode = st->st_mode,
		.uid = source->owner->uid,
		.gid = source->owner->gid,
		.mtime_s = source->owner->mtime_s,
	};
	ssize_t len;

	snprintf(full, sizeof(full), "%s%s%s", source->map->name, *path ? "/" : "", path);
	if (S_ISREG(st->st_mode)) {
		AUTO_FD fd = open_object(dir_fd, name, st, O_NONBLOCK | O_NOCTTY);

		if (fd >= 0 && !close_again(fd, st))
			return err_sys(err, errno, "cannot close '%s/%s'", source->map->dir, path);
		return add_file(source, fd, &entry, path, err);
	}
	if (S_ISDIR(st->st_mode) && source->arena) {
		AUTO_FD fd = open_object(dir_fd, *name ? name : ".", st, O_DIRECTORY);

		if (fd < 0 || !close_again(fd, st))
			return err_sys(err, errno, "cannot open '%s/%s'", source->map->dir, path);
		return read_xattrs(source, fd, &entry, err) && tar_begin(source->tar, &entry, err);
	}
	if (S_ISLNK(st->st_mode)) {
		len = readlinkat(dir_fd, name, target, sizeof(target) - 1);
		if (len < 0)
			return err_sys(err, errno, "cannot read link '%s/%s'", source->map->dir,
				       path);
		target[len] = '\0';
		entry.linkname = target;
	}
	return tar_begin(source->tar, &entry, err);
}

static bool visit_for_tar(struct walk *walk, int dir_fd, const char *name, const struct stat *st)
{
	return add_object(walk->ctx, walk->path, dir_fd, name, st, walk->err);
}

bool tar_add_tree(struct tar *tar, const struct tar_map *map, const struct tar_owner *owner,
		  struct err *err)
{
	struct source source;
	struct walk walk = {
		.dir = map->dir, .visit = visit_for_tar, .ctx = &source, .err = err, .root_fd = -1
	};
	AUTO_FD root = -1;
	struct stat st;
	bool is_ok;

	if (lstat(map->dir, &st) < 0)
		return err_sys(err, errno, "cannot archive '%s'", map->dir);
	source = source_open(tar, map, owner);
	is_ok = S_ISSOCK(st.st_mode) || add_object(&source, "", AT_FDCWD, map->dir, &st, err);
	if (is_ok && S_ISDIR(st.st_mode)) {
		root = open(map->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		walk.root_fd = root;
		is_ok = root < 0 ? err_sys(err, errno, "cannot open folder '%s'", map->dir)
				 : walk_folder(&walk, root, 0);
	}
	source_close(&source);
	return is_ok;
}

/* The folder of `path` below the root, kept open from one path to the next, which most often is
 * beside it. */
struct folder {
	int root_fd, fd;
	char path[PATH_MAX];
};

static const char *enter_folder(struct folder *folder, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (folder->fd < 0 || strlen(folder->path) != len || memcmp(folder->path, path, len) != 0) {
		fd_close(&folder->fd);
		if (len >= sizeof(folder->path)) {
			errno = ENAMETOOLONG;
			return NULL;
		}
		memcpy(folder->path, path, len);
		folder->path[len] = '\0';
		folder->fd = open_beneath(folder->root_fd, folder->path, O_RDONLY | O_DIRECTORY);
		if (folder->fd < 0)
			return NULL;
	}
	return slash ? slash + 1 : path;
}

static bool add_path(struct source *source, struct folder *folder, const char *path,
		     struct err *err)
{
	const char *name = enter_folder(folder, path);
	struct stat st;

	if (!name)
		return err_sys(err, errno, "cannot open the folder of '%s/%s'", source->map->dir,
			       path);
	if (!*name)
		name = ".";
	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot archive '%s/%s'", source->map->dir, path);
	return S_ISSOCK(st.st_mode) || add_object(source, path, folder->fd, name, &st, err);
}

bool tar_add_paths(struct tar *tar, const struct tar_map *map, const struct strings *paths,
		   const struct tar_owner *owner, struct err *err)
{
	struct source source;
	AUTO_FD root = open(map->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct folder folder = { .root_fd = root, .fd = -1 };
	bool is_ok = true;

	if (root < 0)
		return err_sys(err, errno, "cannot open folder '%s'", map->dir);
	source = source_open(tar, map, owner);
	for (size_t i = 0; i < paths->n && is_ok; i++)
		is_ok = add_path(&source, &folder, paths->v[i], err);
	fd_close(&folder.fd);
	source_close(&source);
	return is_ok;
}

/* Mode and owner of the folder `name`, which lies at or under the map's. */
static bool look_at_parent(const struct tar_parents *parents, struct tar_entry *entry,
			   struct err *err)
{
	char path[2 * PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", parents->map->dir,
		 entry->name + strlen(parents->map->name));
	if (lstat(path, &st) < 0)
		return err_sys(err, errno, "cannot archive '%s'", path);
	entry->mode = st.st_mode;
	entry->uid = parents->has_disk_owner ? st.st_uid : parents->owner.uid;
	entry->gid = parents->has_disk_owner ? st.st_gid : parents->owner.gid;
	return true;
}

static bool is_at_or_under(const char *name, const char *top)
{
	size_t len = strlen(top);

	return strncmp(name, top, len) == 0 && (name[len] == '/' || name[len] == '\0');
}

bool tar_add_parents(struct tar *tar, const struct tar_parents *parents, struct err *err)
{
	char part[PATH_MAX];

	for (const char *at = strchr(parents->name + 1, '/'); at; at = strchr(at + 1, '/')) {
		struct tar_entry entry = { .name = part,
					   .type = TAR_DIR,
					   .mode = 0755,
					   .mtime_s = parents->owner.mtime_s };

		if ((size_t)(at - parents->name) >= sizeof(part))
			return err_sys(err, ENAMETOOLONG, "cannot archive '%s'", parents->name);
		memcpy(part, parents->name, (size_t)(at - parents->name));
		part[at - parents->name] = '\0';
		if (parents->map && is_at_or_under(part, parents->map->name) &&
		    !look_at_parent(parents, &entry, err))
			return false;
		if (!tar_begin(tar, &entry, err))
			return false;
	}
	return true;
}

struct listing {
	struct arena *arena;
	struct strings *out;
};

static bool visit_for_list(struct walk *walk, int dir_fd, const char *name, const struct stat *st)
{
	struct listing *listing = walk->ctx;

	(void)dir_fd;
	(void)name;
	(void)st;
	vec_push(listing->arena, listing->out, arena_strdup(listing->arena, walk->path));
	return true;
}

bool tree_list(const char *dir, struct arena *arena, struct strings *out, struct err *err)
{
	struct listing listing = { .arena = arena, .out = out };
	AUTO_FD root = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct walk walk = {
		.dir = dir, .root_fd = root, .visit = visit_for_list, .ctx = &listing, .err = err
	};

	*out = (struct strings){ 0 };
	if (root < 0)
		return err_sys(err, errno, "cannot open folder '%s'", dir);
	vec_push(arena, out, "");
	if (!walk_folder(&walk, root, 0)) {
		*out = (struct strings){ 0 };
		return false;
	}
	qsort(out->v, out->n, sizeof(*out->v), strings_compare);
	return true;
}
