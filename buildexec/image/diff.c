/* SPDX-License-Identifier: Apache-2.0 */
/* diff.c — see diff.h. Every folder is opened below the one above it; what the container left is never followed. */
#include "buildexec/image/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/base/map.h"

enum { CHUNK_BYTES = 256 << 10 };
/* Attributes of one file: names and values, and so much more for each. The rest of a PAX header must fit as well. */
enum { XATTRS_BYTES = 16 << 10, XATTR_MORE = 64 };

struct diff {
	const struct diff_spec *spec;
	struct tar *tar;
	struct diff_stats *stats;
	struct map links; /* "dev:inode" of files with several names → the first one */
	struct arena *arena;
	char *chunk;
	unsigned depth;
};

/*
 * A folder on the way: written before the first thing in it. Layers without the folders above their entries would leave
 * mode and owner of those to whoever unpacks each layer into a place of its own.
 */
struct folder {
	struct folder *above; /* NULL: the root, which is not written */
	struct tar_entry entry;
	bool is_written;
};

/* One object: where it is open below, and its name in the layer. */
struct place {
	struct folder *folder;
	int dir_fd;
	const char *name;
	const char *path; /* absolute */
	struct stat stat;
};

static struct tar_entry entry_of(const struct diff *diff, const struct place *place)
{
	const struct diff_spec *spec = diff->spec;

	return (struct tar_entry){
		.name = place->path + 1,
		.mode = place->stat.st_mode,
		.uid = spec->has_owner ? spec->uid : place->stat.st_uid,
		.gid = spec->has_owner ? spec->gid : place->stat.st_gid,
		.mtime_s = spec->mtime_s,
	};
}

static bool write_folder(struct diff *diff, struct folder *folder, struct err *err)
{
	if (!folder->above || folder->is_written)
		return true;
	folder->is_written = true;
	diff->stats->n_entries++;
	return write_folder(diff, folder->above, err) && tar_begin(diff->tar, &folder->entry, err);
}

static bool begin(struct diff *diff, struct folder *folder, const struct tar_entry *entry,
		  struct err *err)
{
	if (!write_folder(diff, folder, err))
		return false;
	if (++diff->stats->n_entries > LIMIT_UNPACK_ENTRIES)
		return err_set(err, ERR_INVALID, "the layer has too many entries");
	return tar_begin(diff->tar, entry, err);
}

static bool copy_data(struct diff *diff, const struct place *place, int fd, struct err *err)
{
	while (diff->tar->left > 0) {
		size_t want = diff->tar->left < CHUNK_BYTES ? (size_t)diff->tar->left : CHUNK_BYTES;
		ssize_t n = read(fd, diff->chunk, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EIO, "cannot read '%s'", place->path);
		if (!tar_data(diff->tar, diff->chunk, (size_t)n, err))
			return false;
	}
	return true;
}

/* The first name of the file, when this is another one. */
static const char *first_name(struct diff *diff, const struct place *place)
{
	const char *key, *known;

	if (place->stat.st_nlink < 2)
		return NULL;
	key = arena_printf(diff->arena, "%llx:%llx", (unsigned long long)place->stat.st_dev,
			   (unsigned long long)place->stat.st_ino);
	known = map_get(&diff->links, key);
	if (!known)
		map_set(diff->arena, &diff->links, key, arena_strdup(diff->arena, place->path + 1));
	return known;
}

/* Without root a container's files are ours, but it may have shut us out; what is written has the mode from before. */
static int open_anyway(const struct place *place, int flags)
{
	int fd = openat(place->dir_fd, place->name, flags);

	if (fd < 0 && errno == EACCES &&
	    fchmodat(place->dir_fd, place->name, (place->stat.st_mode & 07777) | 0500, 0) == 0)
		fd = openat(place->dir_fd, place->name, flags);
	return fd;
}

static int compare_xattrs(const void *a, const void *b)
{
	const struct tar_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool is_kept_xattr(const struct diff *diff, const char *name)
{
	return tar_keeps_xattr(name) &&
	       (!diff->spec->has_owner || strcmp(name, "security.capability") != 0);
}

/* In an arena of the one entry: those of all would fill memory. A file system without them has none. */
static void take_xattrs(struct diff *diff, int fd, struct arena *arena, struct tar_entry *entry)
{
	char names[XATTRS_BYTES], value[XATTRS_BYTES];
	VEC(struct tar_xattr) list = { 0 };
	ssize_t all = flistxattr(fd, names, sizeof(names));
	size_t total = 0;

	if (all < 0 && errno == ERANGE)
		diff->stats->n_xattrs_left_out++;
	for (const char *at = names; all > 0 && at < names + all; at += strlen(at) + 1) {
		ssize_t n;

		if (!is_kept_xattr(diff, at))
			continue;
		n = fgetxattr(fd, at, value, sizeof(value));
		total += strlen(at) + XATTR_MORE + (n > 0 ? (size_t)n : 0);
		if (n < 0 || total > XATTRS_BYTES) {
			diff->stats->n_xattrs_left_out++;
			return;
		}
		vec_push(arena, &list,
			 (struct tar_xattr){ .name = arena_strdup(arena, at),
					     .value = arena_copy(arena, value, (size_t)n),
					     .n = (size_t)n });
	}
	if (list.n > 1)
		qsort(list.v, list.n, sizeof(*list.v), compare_xattrs);
	entry->xattrs = list.v;
	entry->n_xattrs = list.n;
}

static bool has_mark(int fd, const char *name)
{
	char key[64];

	for (int i = 0; i < 2; i++) {
		snprintf(key, sizeof(key), "%s.overlay.%s", i ? "user" : "trusted", name);
		if (fgetxattr(fd, key, NULL, 0) >= 0)
			return true;
	}
	return false;
}

static bool refuse_mark(const struct place *place, const char *name, struct err *err)
{
	return err_set(err, ERR_SYSTEM,
		       "cannot make a layer of '%s': overlayfs works with %s here (turn the module "
		       "parameter off)",
		       place->path, name);
}

static bool add_file(struct diff *diff, const struct place *place, struct err *err)
{
	AUTO_FD fd = open_anyway(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct tar_entry entry = entry_of(diff, place);
	const char *first = first_name(diff, place);
	struct arena *arena;
	bool is_done;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", place->path);
	if (has_mark(fd, "metacopy"))
		return refuse_mark(place, "metacopy", err);
	if (first) {
		entry.type = TAR_HARDLINK;
		entry.linkname = first;
		return begin(diff, place->folder, &entry, err);
	}
	entry.type = TAR_FILE;
	entry.size_bytes = (uint64_t)place->stat.st_size;
	arena = arena_new();
	take_xattrs(diff, fd, arena, &entry);
	is_done = begin(diff, place->folder, &entry, err);
	arena_free(arena);
	return is_done && copy_data(diff, place, fd, err);
}

static bool add_link(struct diff *diff, const struct place *place, struct err *err)
{
	struct tar_entry entry = entry_of(diff, place);
	char target[PATH_MAX];
	ssize_t n = readlinkat(place->dir_fd, place->name, target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(err, errno, "cannot read link '%s'", place->path);
	target[n] = '\0';
	entry.type = TAR_SYMLINK;
	entry.linkname = target;
	return begin(diff, place->folder, &entry, err);
}

static bool add_whiteout(struct diff *diff, struct folder *folder, const char *hidden,
			 struct err *err)
{
	struct tar_entry entry = { .type = TAR_FILE, .mode = 0644, .mtime_s = diff->spec->mtime_s };

	entry.name =
		arena_printf(diff->arena, "%s%s.wh.%s", folder->above ? folder->entry.name : "",
			     folder->above ? "/" : "", hidden);
	diff->stats->n_whiteouts++;
	return begin(diff, folder, &entry, err);
}

static bool walk(struct diff *diff, int fd, const char *path, struct folder *folder,
		 struct err *err);

static bool is_at_or_below(const char *path, const struct strings *tops)
{
	for (size_t i = 0; tops && i < tops->n; i++) {
		size_t n = strlen(tops->v[i]);

		if (strncmp(path, tops->v[i], n) == 0 && (path[n] == '/' || path[n] == '\0'))
			return true;
	}
	return false;
}

/*
 * overlayfs marks every folder opaque that it makes, as a short cut; it means something only where the base has a folder of
 * that name.
 */
static bool add_folder(struct diff *diff, const struct place *place, struct err *err)
{
	AUTO_FD fd = open_anyway(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct folder folder = { .above = place->folder, .entry = entry_of(diff, place) };
	struct rootfs_entry below;
	bool has_below, is_same, hides, is_done;
	const struct stat *st = &below.stat;
	struct arena *arena;

	if (fd < 0)
		return err_sys(err, errno, "cannot open folder '%s'", place->path);
	if (has_mark(fd, "redirect"))
		return refuse_mark(place, "redirect_dir", err);
	if (!rootfs_find(diff->spec->base, place->path, false, diff->arena, &below, err))
		return false;
	has_below = below.host && S_ISDIR(st->st_mode);
	is_same = has_below && st->st_mode == place->stat.st_mode &&
		  st->st_uid == place->stat.st_uid && st->st_gid == place->stat.st_gid;
	hides = has_below && has_mark(fd, "opaque");
	folder.entry.type = TAR_DIR;
	if (is_same && diff->spec->has_owner && !is_at_or_below(place->path, diff->spec->owned))
		folder.entry.uid = folder.entry.gid = 0;
	arena = arena_new();
	take_xattrs(diff, fd, arena, &folder.entry);
	is_done = (is_same || write_folder(diff, &folder, err)) &&
		  (!hides || add_whiteout(diff, &folder, ".wh..opq", err)) &&
		  walk(diff, fd, place->path, &folder, err);
	arena_free(arena);
	return is_done;
}

static bool add_fifo(struct diff *diff, const struct place *place, struct err *err)
{
	struct tar_entry entry = entry_of(diff, place);

	entry.type = TAR_FIFO;
	return begin(diff, place->folder, &entry, err);
}

static bool add(struct diff *diff, const struct place *place, struct err *err)
{
	mode_t mode = place->stat.st_mode;

	if (S_ISREG(mode))
		return add_file(diff, place, err);
	if (S_ISDIR(mode))
		return add_folder(diff, place, err);
	if (S_ISLNK(mode))
		return add_link(diff, place, err);
	if (S_ISFIFO(mode))
		return add_fifo(diff, place, err);
	if (S_ISCHR(mode) && place->stat.st_rdev == makedev(0, 0))
		return add_whiteout(diff, place->folder, place->name, err);
	diff->stats->n_left_out++;
	return true;
}

/* "/" is "" here, so that names join. */
static bool walk(struct diff *diff, int fd, const char *path, struct folder *folder,
		 struct err *err)
{
	struct arena *arena;
	struct strings names;
	bool is_done;

	if (++diff->depth > LIMIT_TREE_DEPTH)
		return err_set(err, ERR_INVALID, "'%s' is deeper than %u folders", path,
			       LIMIT_TREE_DEPTH);
	arena = arena_new();
	is_done = fs_names(fd, arena, &names, err) || err_prefix(err, "'%s'", path);
	for (size_t i = 0; is_done && i < names.n; i++) {
		struct place place = { .folder = folder, .dir_fd = fd, .name = names.v[i] };

		place.path = arena_printf(arena, "%s/%s", path, names.v[i]);
		/* No layer can hold such names: they would remove others. */
		if (strncmp(names.v[i], ".wh.", 4) == 0) {
			diff->stats->n_left_out++;
			continue;
		}
		if (diff->spec->left_out && strings_has(diff->spec->left_out, place.path))
			continue;
		is_done = fstatat(fd, place.name, &place.stat, AT_SYMLINK_NOFOLLOW) == 0 ||
			  err_sys(err, errno, "cannot look at '%s'", place.path);
		is_done = is_done && add(diff, &place, err);
	}
	arena_free(arena);
	diff->depth--;
	return is_done;
}

bool diff_write(const struct diff_spec *spec, struct tar *tar, struct diff_stats *out,
		struct err *err)
{
	struct diff diff = { .spec = spec, .tar = tar, .stats = out };
	struct folder root = { 0 };
	AUTO_FD fd = open(spec->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_done;

	*out = (struct diff_stats){ 0 };
	if (fd < 0)
		return err_sys(err, errno, "cannot open folder '%s'", spec->upper);
	diff.arena = arena_new();
	diff.chunk = mem_realloc(NULL, CHUNK_BYTES);
	is_done = walk(&diff, fd, "", &root, err);
	free(diff.chunk);
	arena_free(diff.arena);
	return is_done;
}
