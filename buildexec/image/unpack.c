/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack.c — one layer into one folder. libarchive reads the headers; everything on disk is made
 * here, relative to the descriptor of a parent folder that the kernel resolved inside the layer
 * (open_inside.h), and with the last part of a name never followed. Times of folders are
 * set last, since making entries changes them.
 */
#include "buildexec/image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "buildexec/image/inflate.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/open_inside.h"
#include "model/base/limits.h"
#include "model/base/vec.h"

/* Folders' times kept in memory; past that they keep the time of unpacking. */
enum { TIMES_BYTES = 64 << 20 };

static const struct unpack_limits usual_limits = {
	.bytes = LIMIT_UNPACK_BYTES,
	.entries = LIMIT_UNPACK_ENTRIES,
};

struct folder_time {
	const char *path;
	int64_t mtime_s;
	long mtime_ns;
};

/* One that its owner may not read, enter and write to: closed when everything is in it. */
struct closed_folder {
	const char *path;
	mode_t mode;
};

struct unpack {
	struct inflate *inflate;
	struct archive *archive;
	int root_fd;
	enum unpack_form form;
	bool has_exact_modes;
	const struct unpack_limits *limits;
	uint64_t n_read; /* of the archive, inflated */
	uint64_t n_made; /* entries, and folders made for them */
	struct unpack_stats *stats;
	struct arena *arena;
	VEC(struct folder_time) times;
	VEC(struct closed_folder) closed; /* with exact modes */
	int parent_fd; /* of the folder `parent`, kept from one entry to the next */
	char parent[LIMIT_PATH_BYTES];
	struct err *err;
};

static void archive_close(struct archive **archive)
{
	if (*archive)
		archive_read_free(*archive);
}

enum unpack_form unpack_form_here(void)
{
	return geteuid() == 0 ? UNPACK_AS_ROOT : UNPACK_AS_USER;
}

static bool fail(struct unpack *unpack, int sys, const char *name)
{
	return err_sys(unpack->err, sys, "cannot unpack '%s'", name);
}

static bool refuse(struct unpack *unpack, const char *name, const char *why)
{
	return err_set(unpack->err, ERR_INVALID, "cannot unpack '%s': %s", name, why);
}

/* Resolves inside the layer as a chroot would: links on the way may not lead out. */
static int open_in_layer(int root_fd, const char *path, uint64_t flags)
{
	return open_inside(root_fd, path, flags, INSIDE_ROOT);
}

/* The name without leading "/" and "./", empty parts and trailing "/"; "" is the layer's root.
 * False for ".." and what is too long or too deep. */
static bool clean_name(const char *name, char *out, size_t cap)
{
	size_t n = 0, depth = 0;

	while (*name) {
		size_t len = strcspn(name, "/");

		if (len == 2 && name[0] == '.' && name[1] == '.')
			return false;
		if (len && !(len == 1 && name[0] == '.')) {
			if (len > NAME_MAX || n + len + 2 > cap || ++depth > LIMIT_TREE_DEPTH)
				return false;
			if (n)
				out[n++] = '/';
			memcpy(out + n, name, len);
			n += len;
		}
		name += len + (name[len] == '/');
	}
	out[n] = '\0';
	return true;
}

/* Nothing of the folder in the layers below shows through. */
static bool set_opaque(struct unpack *unpack, int fd, const char *name)
{
	const char *key =
		unpack->form == UNPACK_AS_ROOT ? "trusted.overlay.opaque" : "user.overlay.opaque";

	if (fsetxattr(fd, key, "y", 1, 0) < 0)
		return fail(unpack, errno, name);
	return true;
}

static bool is_whiteout(int dir_fd, const char *last)
{
	struct stat st;

	return fstatat(dir_fd, last, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(0, 0);
}

/* A folder where this layer has removed one of the layers below: it must not show that one's content. */
static bool replace_whiteout(struct unpack *unpack, int dir_fd, const char *last, const char *name)
{
	AUTO_FD fd = -1;

	if (unlinkat(dir_fd, last, 0) < 0 || mkdirat(dir_fd, last, 0755) < 0)
		return fail(unpack, errno, name);
	fd = openat(dir_fd, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail(unpack, errno, name) : set_opaque(unpack, fd, name);
}

/* Folders that no entry is for count too. */
static bool count_entry(struct unpack *unpack, const char *name)
{
	return ++unpack->n_made <= unpack->limits->entries ||
	       refuse(unpack, name, "the layer has too many entries");
}

/* Makes the missing folders of `path`, which is clean. Whatever is there and no folder (or link to
 * one) stays. */
static bool make_parents(struct unpack *unpack, const char *path)
{
	char part[LIMIT_PATH_BYTES];

	for (const char *at = path; at; at = strchr(at + 1, '/')) {
		const char *slash = strchr(at + (at != path), '/');
		size_t len = slash ? (size_t)(slash - path) : strlen(path);
		AUTO_FD above = -1;
		const char *name;

		memcpy(part, path, len);
		part[len] = '\0';
		name = strrchr(part, '/');
		if (name)
			part[name++ - part] = '\0';
		above = open_in_layer(unpack->root_fd, name ? part : "", O_PATH | O_DIRECTORY);
		if (above < 0)
			return fail(unpack, errno, path);
		if (mkdirat(above, name ? name : part, 0755) == 0) {
			if (!count_entry(unpack, path))
				return false;
		} else if (errno != EEXIST) {
			return fail(unpack, errno, path);
		}
		if (is_whiteout(above, name ? name : part) &&
		    !replace_whiteout(unpack, above, name ? name : part, path))
			return false;
		if (!slash)
			break;
	}
	return true;
}

/* The descriptor of the folder of `name` in unpack->parent_fd; `last` is the part behind it. */
static bool enter_parent(struct unpack *unpack, const char *name, const char **last)
{
	const char *slash = strrchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : 0;

	*last = slash ? slash + 1 : name;
	if (unpack->parent_fd >= 0 && strlen(unpack->parent) == len &&
	    memcmp(unpack->parent, name, len) == 0)
		return true;
	fd_close(&unpack->parent_fd);
	memcpy(unpack->parent, name, len);
	unpack->parent[len] = '\0';
	unpack->parent_fd = open_in_layer(unpack->root_fd, unpack->parent, O_RDONLY | O_DIRECTORY);
	/* ENOTDIR: this layer's own whiteout may be in the way. */
	if (unpack->parent_fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		if (!make_parents(unpack, unpack->parent))
			return false;
		unpack->parent_fd =
			open_in_layer(unpack->root_fd, unpack->parent, O_RDONLY | O_DIRECTORY);
	}
	return unpack->parent_fd >= 0 || fail(unpack, errno, name);
}

/* An entry replaces what an earlier one of the same layer left there; a folder with all that is in
 * it. */
static bool clear_place(struct unpack *unpack, const char *last, const char *name)
{
	char self[64], full[PATH_MAX], base[PATH_MAX];
	ssize_t n;

	if (unlinkat(unpack->parent_fd, last, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return fail(unpack, errno, name);
	if (unlinkat(unpack->parent_fd, last, AT_REMOVEDIR) == 0)
		return true;
	/* The descriptor's path is where the layer is being made, a folder of ours alone. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", unpack->parent_fd);
	n = readlink(self, base, sizeof(base) - 1);
	if (n <= 0 || (size_t)n + strlen(last) + 2 > sizeof(full))
		return fail(unpack, n < 0 ? errno : ENAMETOOLONG, name);
	base[n] = '\0';
	memcpy(full, base, (size_t)n);
	full[n] = '/';
	memcpy(full + n + 1, last, strlen(last) + 1);
	return fs_remove_tree(full, unpack->err);
}

/* Attributes that overlayfs or the kernel read are not the layer's to set. */
static bool may_set_xattr(const struct unpack *unpack, const char *name)
{
	if (strncmp(name, "user.overlay.", 13) == 0)
		return false;
	if (strncmp(name, "user.", 5) == 0)
		return true;
	return unpack->form == UNPACK_AS_ROOT && strcmp(name, "security.capability") == 0;
}

static bool set_xattrs(struct unpack *unpack, struct archive_entry *entry, int fd, const char *name)
{
	const char *key;
	const void *value;
	size_t n;

	if (archive_entry_xattr_reset(entry) == 0)
		return true;
	while (archive_entry_xattr_next(entry, &key, &value, &n) == ARCHIVE_OK) {
		if (!may_set_xattr(unpack, key)) {
			unpack->stats->n_xattrs++;
		} else if (fsetxattr(fd, key, value, n, 0) < 0) {
			/* A file system without them is no reason to fail; a full one is. */
			if (errno != ENOTSUP && errno != EPERM)
				return fail(unpack, errno, name);
			unpack->stats->n_xattrs++;
		}
	}
	return true;
}

static mode_t mode_of(const struct unpack *unpack, struct archive_entry *entry)
{
	mode_t mode = archive_entry_mode(entry) & 07777;

	const bool is_folder = archive_entry_filetype(entry) == AE_IFDIR;

	if (unpack->form == UNPACK_AS_USER && (is_folder || !unpack->has_exact_modes))
		mode |= is_folder ? 0700 : 0600;
	return mode;
}

/* A later entry for the same folder counts. */
static void remember_closed(struct unpack *unpack, struct archive_entry *entry, const char *name)
{
	const mode_t mode = archive_entry_mode(entry) & 07777;

	if (unpack->form != UNPACK_AS_USER || !unpack->has_exact_modes)
		return;
	for (size_t i = 0; i < unpack->closed.n; i++)
		if (strcmp(unpack->closed.v[i].path, name) == 0) {
			unpack->closed.v[i].mode = mode;
			return;
		}
	if ((mode & 0700) != 0700)
		vec_push(unpack->arena, &unpack->closed,
			 (struct closed_folder){ arena_strdup(unpack->arena, name), mode });
}

static bool set_owner(struct unpack *unpack, struct archive_entry *entry, int fd, const char *last)
{
	la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

	if (unpack->form == UNPACK_AS_USER)
		return true;
	if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX) {
		errno = EINVAL;
		return false;
	}
	return fchownat(fd, last, (uid_t)uid, (gid_t)gid,
			AT_SYMLINK_NOFOLLOW | (*last ? 0 : AT_EMPTY_PATH)) == 0;
}

static void times_of(struct archive_entry *entry, struct timespec times[2])
{
	times[0] = times[1] = (struct timespec){ .tv_sec = archive_entry_mtime(entry),
						 .tv_nsec = archive_entry_mtime_nsec(entry) };
}

/* Owner first: changing it takes the set-user-id bits away. Mode last: it may forbid us to set attributes. */
static bool set_metadata(struct unpack *unpack, struct archive_entry *entry, int fd,
			 const char *name)
{
	struct timespec times[2];

	if (!set_owner(unpack, entry, fd, ""))
		return fail(unpack, errno, name);
	if (!set_xattrs(unpack, entry, fd, name))
		return false;
	if (fchmod(fd, mode_of(unpack, entry)) < 0)
		return fail(unpack, errno, name);
	times_of(entry, times);
	/* Times that the file system cannot hold are not worth a failure. */
	(void)!futimens(fd, times);
	return true;
}

static bool write_at(int fd, const void *bytes, size_t n, off_t offset)
{
	const char *at = bytes;

	while (n) {
		ssize_t put = pwrite(fd, at, n, offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		at += put;
		offset += put;
		n -= (size_t)put;
	}
	return true;
}

/* Would a file that ends there be too much, with all before it? */
static bool is_too_large(const struct unpack *unpack, la_int64_t end)
{
	return end < 0 || (uint64_t)end > unpack->limits->bytes - unpack->stats->n_bytes;
}

/* Blocks with holes between them (sparse files); the end may be a hole too. */
static bool write_data(struct unpack *unpack, int fd, la_int64_t end, const char *name)
{
	const void *bytes;
	size_t n;
	la_int64_t offset;
	int rc;

	if (is_too_large(unpack, end))
		return refuse(unpack, name, "it is too large");
	while ((rc = archive_read_data_block(unpack->archive, &bytes, &n, &offset)) == ARCHIVE_OK) {
		if (is_too_large(unpack, offset) || is_too_large(unpack, offset + (la_int64_t)n))
			return refuse(unpack, name, "it is too large");
		if (!write_at(fd, bytes, n, offset))
			return fail(unpack, errno, name);
		if (end < offset + (la_int64_t)n)
			end = offset + (la_int64_t)n;
	}
	if (rc != ARCHIVE_EOF) {
		if (unpack->err->kind) /* the blob's own failure, set by the reader */
			return false;
		return refuse(unpack, name, archive_error_string(unpack->archive));
	}
	if (ftruncate(fd, end) < 0)
		return fail(unpack, errno, name);
	unpack->stats->n_bytes += (uint64_t)end;
	return true;
}

static bool make_file(struct unpack *unpack, struct archive_entry *entry, const char *name,
		      const char *last)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	AUTO_FD fd = openat(unpack->parent_fd, last, flags, 0600);

	if (fd < 0 && errno == EEXIST) {
		if (!clear_place(unpack, last, name))
			return false;
		fd = openat(unpack->parent_fd, last, flags, 0600);
	}
	if (fd < 0)
		return fail(unpack, errno, name);
	return write_data(unpack, fd, archive_entry_size(entry), name) &&
	       set_metadata(unpack, entry, fd, name);
}

static bool make_folder(struct unpack *unpack, struct archive_entry *entry, const char *name,
			const char *last)
{
	struct timespec times[2];
	AUTO_FD fd = -1;
	struct stat st;

	if (!*last) {
		last = "."; /* the root itself */
	} else if (is_whiteout(unpack->parent_fd, last)) {
		if (!replace_whiteout(unpack, unpack->parent_fd, last, name))
			return false;
	} else if (mkdirat(unpack->parent_fd, last, 0700) < 0) {
		if (errno != EEXIST ||
		    fstatat(unpack->parent_fd, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return fail(unpack, errno, name);
		if (!S_ISDIR(st.st_mode) && (!clear_place(unpack, last, name) ||
					     mkdirat(unpack->parent_fd, last, 0700) < 0))
			return fail(unpack, errno, name);
	}
	fd = openat(unpack->parent_fd, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(unpack, errno, name);
	times_of(entry, times);
	if (arena_used(unpack->arena) < TIMES_BYTES)
		vec_push(unpack->arena, &unpack->times,
			 (struct folder_time){ arena_strdup(unpack->arena, name), times[0].tv_sec,
					       times[0].tv_nsec });
	remember_closed(unpack, entry, name);
	return set_metadata(unpack, entry, fd, name);
}

static bool make_link(struct unpack *unpack, struct archive_entry *entry, const char *name,
		      const char *last)
{
	const char *target = archive_entry_symlink(entry);
	struct timespec times[2];

	if (!target || !*target)
		return refuse(unpack, name, "it is a link without a target");
	if (symlinkat(target, unpack->parent_fd, last) < 0 &&
	    (errno != EEXIST || !clear_place(unpack, last, name) ||
	     symlinkat(target, unpack->parent_fd, last) < 0))
		return unpack->err->kind ? false : fail(unpack, errno, name);
	if (!set_owner(unpack, entry, unpack->parent_fd, last))
		return fail(unpack, errno, name);
	times_of(entry, times);
	(void)!utimensat(unpack->parent_fd, last, times, AT_SYMLINK_NOFOLLOW);
	return true;
}

static bool make_hardlink(struct unpack *unpack, const char *target, const char *name,
			  const char *last)
{
	char clean[LIMIT_PATH_BYTES];
	AUTO_FD folder = -1;
	char *slash;

	if (!clean_name(target, clean, sizeof(clean)) || !*clean)
		return refuse(unpack, name, "it links to a name outside");
	if (strcmp(clean, name) == 0)
		return true;
	slash = strrchr(clean, '/');
	if (slash)
		*slash = '\0';
	folder = open_in_layer(unpack->root_fd, slash ? clean : "", O_PATH | O_DIRECTORY);
	if (folder < 0 || !clear_place(unpack, last, name))
		return unpack->err->kind ? false : fail(unpack, errno, name);
	if (linkat(folder, slash ? slash + 1 : clean, unpack->parent_fd, last, 0) < 0) {
		if (errno == ENOENT || errno == EPERM)
			return refuse(unpack, name, "it links to what is not there");
		return fail(unpack, errno, name);
	}
	return true;
}

static bool make_fifo(struct unpack *unpack, struct archive_entry *entry, const char *name,
		      const char *last)
{
	if (!clear_place(unpack, last, name))
		return false;
	if (mkfifoat(unpack->parent_fd, last, 0600) < 0 ||
	    !set_owner(unpack, entry, unpack->parent_fd, last) ||
	    fchmodat(unpack->parent_fd, last, mode_of(unpack, entry), 0) < 0)
		return fail(unpack, errno, name);
	return true;
}

/* ".wh.x" removes x of the layers below, ".wh..wh..opq" all that is in its folder; other ".wh..wh."
 * names are aufs' own. */
static bool make_whiteout(struct unpack *unpack, const char *name, const char *last)
{
	const char *hidden = last + 4;
	AUTO_FD fd = -1;

	if (strcmp(last, ".wh..wh..opq") == 0)
		return set_opaque(unpack, unpack->parent_fd, name);
	if (strncmp(hidden, ".wh.", 4) == 0)
		return true;
	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return refuse(unpack, name, "it removes a name outside");
	/* A char device 0:0 needs no privilege since Linux 5.8: it is nothing but this mark. */
	if (mknodat(unpack->parent_fd, hidden, S_IFCHR, makedev(0, 0)) == 0)
		return true;
	if (errno != EEXIST)
		return fail(unpack, errno, name);
	/* It removes what the layers below have, not what this one puts in its place. */
	fd = openat(unpack->parent_fd, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || set_opaque(unpack, fd, name);
}

static bool make_by_type(struct unpack *unpack, struct archive_entry *entry, const char *name,
			 const char *last)
{
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return make_file(unpack, entry, name, last);
	case AE_IFDIR:
		return make_folder(unpack, entry, name, last);
	case AE_IFLNK:
		return make_link(unpack, entry, name, last);
	case AE_IFIFO:
		return make_fifo(unpack, entry, name, last);
	default:
		unpack->stats->n_devices++;
		return true;
	}
}

static bool make_entry(struct unpack *unpack, struct archive_entry *entry)
{
	const char *raw = archive_entry_pathname(entry);
	const char *target = archive_entry_hardlink(entry);
	char name[LIMIT_PATH_BYTES];
	const char *last;

	if (!raw || !clean_name(raw, name, sizeof(name)))
		return refuse(unpack, raw ? raw : "?",
			      "its name is too long, too deep or leads outside");
	if (!*name && archive_entry_filetype(entry) != AE_IFDIR)
		return refuse(unpack, raw, "the layer's root is no folder");
	unpack->stats->n_entries++;
	if (!count_entry(unpack, raw) || !enter_parent(unpack, name, &last))
		return false;
	if (strncmp(last, ".wh.", 4) == 0)
		return make_whiteout(unpack, name, last);
	/* What is replaced may be the folder whose descriptor is kept, or a link on the way to it.
	 */
	if (archive_entry_filetype(entry) != AE_IFREG || target) {
		bool is_ok = target ? make_hardlink(unpack, target, name, last)
				    : make_by_type(unpack, entry, name, last);

		if (archive_entry_filetype(entry) != AE_IFDIR)
			fd_close(&unpack->parent_fd);
		return is_ok;
	}
	return make_by_type(unpack, entry, name, last);
}

static void set_folder_times(struct unpack *unpack)
{
	/* Backwards, so that of two entries for one folder the later one counts: the first set
	 * would be lost. */
	for (size_t i = 0; i < unpack->times.n; i++) {
		const struct folder_time *folder = &unpack->times.v[i];
		struct timespec times[2] = { { folder->mtime_s, folder->mtime_ns },
					     { folder->mtime_s, folder->mtime_ns } };
		AUTO_FD fd = open_in_layer(unpack->root_fd, folder->path, O_RDONLY | O_DIRECTORY);

		if (fd >= 0)
			(void)!futimens(fd, times);
	}
}

static int compare_closed(const void *a, const void *b)
{
	const struct closed_folder *left = a, *right = b;

	return strcmp(right->path, left->path);
}

/* From the inside: a path comes after what is below it. */
static bool close_folders(struct unpack *unpack)
{
	if (unpack->closed.n > 1)
		qsort(unpack->closed.v, unpack->closed.n, sizeof(*unpack->closed.v),
		      compare_closed);
	for (size_t i = 0; i < unpack->closed.n; i++) {
		const struct closed_folder *folder = &unpack->closed.v[i];
		AUTO_FD fd = open_in_layer(unpack->root_fd, folder->path, O_RDONLY | O_DIRECTORY);

		/* It may have been replaced by something that is no folder. */
		if (fd >= 0 && fchmod(fd, folder->mode) < 0)
			return fail(unpack, errno, folder->path);
	}
	return true;
}

static bool next_bytes(struct unpack *unpack, const void **bytes, size_t *n)
{
	if (!inflate_next(unpack->inflate, bytes, n, unpack->err))
		return false;
	unpack->n_read += *n;
	return unpack->n_read <= unpack->limits->bytes ||
	       err_set(unpack->err, ERR_INVALID, "layer is larger than %llu bytes",
		       (unsigned long long)unpack->limits->bytes);
}

static la_ssize_t give_bytes(struct archive *archive, void *ctx, const void **bytes)
{
	struct unpack *unpack = ctx;
	size_t n;

	(void)archive;
	return next_bytes(unpack, bytes, &n) ? (la_ssize_t)n : -1;
}

static bool unpack_entries(struct unpack *unpack)
{
	struct archive_entry *entry;
	int rc;

	if (archive_read_open(unpack->archive, unpack, NULL, give_bytes, NULL) != ARCHIVE_OK)
		return unpack->err->kind
			       ? false
			       : err_set(unpack->err, ERR_INVALID, "layer is no tar archive");
	/* A warning is a name that is no text in this locale: its bytes are what counts. */
	while ((rc = archive_read_next_header(unpack->archive, &entry)) == ARCHIVE_OK ||
	       rc == ARCHIVE_WARN)
		if (!make_entry(unpack, entry))
			return false;
	if (rc != ARCHIVE_EOF)
		return unpack->err->kind ? false
					 : err_set(unpack->err, ERR_INVALID,
						   "layer is no valid tar archive: %s",
						   archive_error_string(unpack->archive));
	set_folder_times(unpack);
	return close_folders(unpack);
}

/* Padding behind the archive's end belongs to the diff id. */
static bool verify(struct unpack *unpack, const char *diff_id)
{
	const void *bytes;
	struct digest got;
	size_t n;

	do {
		if (!next_bytes(unpack, &bytes, &n))
			return false;
	} while (n);
	got = inflate_digest(unpack->inflate);
	if (diff_id && strcmp(got.text, diff_id) != 0)
		return err_set(unpack->err, ERR_INVALID, "layer has diff id '%s', not '%s'",
			       got.text, diff_id);
	return true;
}

bool unpack_layer(const struct unpack_spec *spec, struct unpack_stats *out, struct err *err)
{
	AUTO_INFLATE *inflate = NULL;
	AUTO_FD root = open(spec->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(archive_close))) struct archive *archive = NULL;
	struct unpack unpack = {
		.root_fd = root,
		.form = spec->form,
		.has_exact_modes = spec->has_exact_modes,
		.limits = spec->limits ? spec->limits : &usual_limits,
		.stats = out,
		.parent_fd = -1,
		.err = err,
	};
	bool is_ok;

	*out = (struct unpack_stats){ 0 };
	*err = (struct err){ 0 };
	if (root < 0)
		return err_sys(err, errno, "cannot open folder '%s'", spec->dir);
	if (!inflate_open(spec->fd, &inflate, err))
		return false;
	archive = archive_read_new();
	if (!archive)
		BUG("out of memory");
	archive_read_support_format_tar(archive);
	unpack.archive = archive;
	unpack.inflate = inflate;
	unpack.arena = arena_new();
	is_ok = unpack_entries(&unpack) && verify(&unpack, spec->diff_id);
	fd_close(&unpack.parent_fd);
	arena_free(unpack.arena);
	return is_ok;
}
