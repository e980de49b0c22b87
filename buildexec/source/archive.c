/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive.c — see archive.h. The folder of an entry is opened by open_inside.h (for sources without any link on the way), its last
 * name is never followed. A link is checked twice: by its text, and when everything is there by asking the kernel whether it
 * leaves the folder, since links may lead over links.
 */
#include "buildexec/source/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/open_inside.h"
#include "model/base/limits.h"

static const struct archive_limits usual_limits = {
	.bytes = LIMIT_SOURCE_BYTES,
	.entries = LIMIT_SOURCE_ENTRIES,
	.ratio = LIMIT_SOURCE_RATIO,
	.free_bytes = LIMIT_SOURCE_FREE_BYTES,
};

struct unpacking {
	const struct archive_spec *spec;
	const struct archive_limits *limits;
	struct archive *archive;
	int root_fd;
	uint64_t packed_bytes; /* of the file */
	uint64_t n_entries, n_bytes, n_links;
	int parent_fd; /* of the folder `parent`, kept from one entry to the next */
	char parent[LIMIT_PATH_BYTES];
	struct err *err;
};

static bool fail(struct unpacking *u, int sys, const char *name)
{
	return err_sys(u->err, sys, "cannot unpack '%s'", name);
}

static bool refuse(struct unpacking *u, const char *name, const char *why)
{
	return err_set(u->err, ERR_INVALID, "cannot unpack '%s': %s", name, why);
}

static int open_folder(const struct unpacking *u, const char *path, uint64_t flags)
{
	return open_inside(u->root_fd, path, flags,
			   u->spec->is_layer ? INSIDE_ROOT : INSIDE_NO_LINKS);
}

/* Why a part of a name cannot be one; NULL when it can. */
static const char *part_problem(const char *part, size_t n)
{
	if (n > NAME_MAX)
		return "a part of its name is too long";
	if (n == 2 && part[0] == '.' && part[1] == '.')
		return "its name leads out of the archive";
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)part[i] < ' ' || part[i] == 0x7f)
			return "its name holds control characters";
	return NULL;
}

struct clean_name {
	char text[LIMIT_PATH_BYTES]; /* "": the root, or nothing left of it */
	bool is_git;                 /* one of its parts is ".git" */
};

/* The name without "./" and empty parts, its first parts dropped; or why it is refused. */
static const char *name_clean(const char *name, const struct archive_spec *spec,
			      struct clean_name *out)
{
	int64_t strip = spec->strip;
	size_t n = 0, depth = 0;

	out->is_git = false;
	if (name[0] == '/' && !spec->is_layer)
		return "its name is absolute";
	for (; *name; name += *name == '/') {
		size_t len = strcspn(name, "/");
		const char *why = part_problem(name, len);
		bool is_none = len == 0 || (len == 1 && name[0] == '.');

		if (why)
			return why;
		if (!is_none && strip-- <= 0) {
			if (n + len + 2 > sizeof(out->text))
				return "its name is too long";
			if (++depth > LIMIT_TREE_DEPTH)
				return "it is too deep";
			if (n)
				out->text[n++] = '/';
			memcpy(out->text + n, name, len);
			n += len;
			out->is_git |= len == 4 && memcmp(name, ".git", 4) == 0;
		}
		name += len;
	}
	out->text[n] = '\0';
	return NULL;
}

/* Whatever an earlier entry left at this place: gone. A folder goes only for a layer. */
static bool clear_place(struct unpacking *u, const char *last, const char *name)
{
	char full[64 + NAME_MAX];

	if (unlinkat(u->parent_fd, last, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return fail(u, errno, name);
	if (!u->spec->is_layer)
		return refuse(u, name, "it is a folder already");
	snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", u->parent_fd, last);
	return fs_remove_tree(full, u->err);
}

static bool count_entry(struct unpacking *u)
{
	return ++u->n_entries <= u->limits->entries ||
	       err_set(u->err, ERR_INVALID, "cannot unpack more than %llu entries",
		       (unsigned long long)u->limits->entries);
}

/* Makes the missing folders of `path`. */
static bool make_parents(struct unpacking *u, const char *path)
{
	char part[LIMIT_PATH_BYTES];
	AUTO_FD above = open_folder(u, "", O_PATH | O_DIRECTORY);

	for (const char *at = path; at; at = *at ? at + 1 : NULL) {
		const char *end = strchrnul(at, '/');
		size_t len = (size_t)(end - path);
		int fd;

		memcpy(part, path, len);
		part[len] = '\0';
		if (above < 0)
			return fail(u, errno, path);
		fd = open_folder(u, part, O_PATH | O_DIRECTORY);
		if (fd < 0 && errno == ENOENT) {
			const char *name = part + (at - path);

			/* Folders that no entry is for count too. */
			if (!count_entry(u))
				return false;
			/* A link to nowhere in the way of a layer is an error too. */
			if (mkdirat(above, name, 0755) != 0 || fchmodat(above, name, 0755, 0) != 0)
				return fail(u, errno, path);
			fd = open_folder(u, part, O_PATH | O_DIRECTORY);
		}
		if (fd < 0)
			return fail(u, errno, path);
		fd_close(&above);
		above = fd;
		at = end;
	}
	return true;
}

/* The folder of `name` becomes u->parent_fd; `last` is the part behind it. */
static bool enter_parent(struct unpacking *u, const char *name, const char **last)
{
	const char *slash = strrchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : 0;

	*last = slash ? slash + 1 : name;
	if (u->parent_fd >= 0 && strlen(u->parent) == len && memcmp(u->parent, name, len) == 0)
		return true;
	fd_close(&u->parent_fd);
	memcpy(u->parent, name, len);
	u->parent[len] = '\0';
	u->parent_fd = open_folder(u, u->parent, O_RDONLY | O_DIRECTORY);
	if (u->parent_fd < 0 && errno == ENOENT) {
		if (!make_parents(u, u->parent))
			return false;
		u->parent_fd = open_folder(u, u->parent, O_RDONLY | O_DIRECTORY);
	}
	if (u->parent_fd >= 0)
		return true;
	if (errno == ELOOP)
		return refuse(u, name, "it lies behind a link");
	if (errno == ENOTDIR)
		return refuse(u, name, "it lies behind a file");
	return fail(u, errno, name);
}

/* What was unpacked so far, and `more`: is it still believable? */
static bool may_take(struct unpacking *u, uint64_t more, const char *name)
{
	const struct archive_limits *limits = u->limits;

	if (more > limits->bytes || u->n_bytes > limits->bytes - more)
		return err_set(u->err, ERR_INVALID,
			       "cannot unpack '%s': the archive holds more than %llu bytes", name,
			       (unsigned long long)limits->bytes);
	if (u->n_bytes + more > limits->free_bytes &&
	    (u->n_bytes + more) / limits->ratio > u->packed_bytes)
		return err_set(u->err, ERR_INVALID,
			       "cannot unpack '%s': the archive grows more than %llu times", name,
			       (unsigned long long)limits->ratio);
	return true;
}

static bool write_at(int fd, const char *at, size_t n, off_t offset)
{
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

/* The data of the entry into `fd`, or nowhere (-1): also what is left out counts. Holes are kept. */
static bool take_data(struct unpacking *u, struct archive_entry *entry, int fd, const char *name)
{
	int64_t end = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0, offset;
	const void *bytes;
	size_t n;
	int rc;

	if (end < 0)
		return refuse(u, name, "it has no size");
	if (!may_take(u, (uint64_t)end, name))
		return false;
	while ((rc = archive_read_data_block(u->archive, &bytes, &n, &offset)) == ARCHIVE_OK) {
		if (offset < 0 || offset > INT64_MAX - (int64_t)n)
			return refuse(u, name, "its data lie nowhere");
		if (offset + (int64_t)n > end)
			end = offset + (int64_t)n;
		if (!may_take(u, (uint64_t)end, name))
			return false;
		if (fd >= 0 && !write_at(fd, bytes, n, offset))
			return fail(u, errno, name);
	}
	if (rc != ARCHIVE_EOF) {
		const char *why = archive_error_string(u->archive);

		return refuse(u, name, why ? why : "its data cannot be read");
	}
	if (fd >= 0 && ftruncate(fd, end) < 0)
		return fail(u, errno, name);
	u->n_bytes += (uint64_t)end;
	return true;
}

static bool make_file(struct unpacking *u, struct archive_entry *entry, const char *name,
		      const char *last)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	AUTO_FD fd = openat(u->parent_fd, last, flags, 0600);

	if (fd < 0 && errno == EEXIST) {
		if (!clear_place(u, last, name))
			return false;
		fd = openat(u->parent_fd, last, flags, 0600);
	}
	if (fd < 0)
		return fail(u, errno, name);
	if (!take_data(u, entry, fd, name))
		return false;
	return fchmod(fd, archive_entry_mode(entry) & 0100 ? 0755 : 0644) == 0 ||
	       fail(u, errno, name);
}

static bool make_folder(struct unpacking *u, const char *name, const char *last)
{
	struct stat st;

	if (!*last)
		return true; /* the root itself */
	if (mkdirat(u->parent_fd, last, 0755) != 0) {
		if (errno != EEXIST || fstatat(u->parent_fd, last, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return fail(u, errno, name);
		if (S_ISDIR(st.st_mode))
			return true;
		if (!clear_place(u, last, name))
			return false;
		if (mkdirat(u->parent_fd, last, 0755) != 0)
			return fail(u, errno, name);
	}
	return fchmodat(u->parent_fd, last, 0755, 0) == 0 || fail(u, errno, name);
}

/* By its text alone: is the target of the link `name` below the root? */
static bool leads_out(const char *name, const char *target)
{
	size_t depth = 0;

	if (target[0] == '/')
		return true;
	for (const char *c = name; *c; c++)
		depth += *c == '/';
	for (; *target; target += *target == '/') {
		size_t len = strcspn(target, "/");

		if (len == 2 && target[0] == '.' && target[1] == '.') {
			if (depth-- == 0)
				return true;
		} else if (len && !(len == 1 && target[0] == '.')) {
			depth++;
		}
		target += len;
	}
	return false;
}

static bool make_link(struct unpacking *u, const char *target, const char *name, const char *last)
{
	if (!target || !*target)
		return refuse(u, name, "it is a link without a target");
	if (!u->spec->is_layer && leads_out(name, target))
		return refuse(u, name, "it is a link that leads out of the archive");
	if (symlinkat(target, u->parent_fd, last) != 0) {
		if (errno != EEXIST)
			return fail(u, errno, name);
		if (!clear_place(u, last, name))
			return false;
		if (symlinkat(target, u->parent_fd, last) != 0)
			return fail(u, errno, name);
	}
	u->n_links++;
	return true;
}

/* To a file that an earlier entry made. */
static bool make_hardlink(struct unpacking *u, const char *target, const char *name,
			  const char *last)
{
	struct clean_name from;
	AUTO_FD folder = -1;
	struct stat st;
	char *slash;

	if (name_clean(target, u->spec, &from) || !*from.text)
		return refuse(u, name, "it links to a name outside");
	if (strcmp(from.text, name) == 0)
		return true;
	slash = strrchr(from.text, '/');
	if (slash)
		*slash = '\0';
	folder = open_folder(u, slash ? from.text : "", O_PATH | O_DIRECTORY);
	target = slash ? slash + 1 : from.text;
	if (folder < 0 || fstatat(folder, target, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return refuse(u, name, "it links to what is no file of the archive");
	if (!clear_place(u, last, name))
		return false;
	return linkat(folder, target, u->parent_fd, last, 0) == 0 || fail(u, errno, name);
}

static bool make_by_type(struct unpacking *u, struct archive_entry *entry, const char *name,
			 const char *last)
{
	if (archive_entry_hardlink(entry))
		return make_hardlink(u, archive_entry_hardlink(entry), name, last);
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return make_file(u, entry, name, last);
	case AE_IFDIR:
		return make_folder(u, name, last);
	case AE_IFLNK:
		return make_link(u, archive_entry_symlink(entry), name, last);
	default:
		return u->spec->is_layer || refuse(u, name, "it is neither file, folder nor link");
	}
}

static bool make_entry(struct unpacking *u, struct archive_entry *entry)
{
	const char *raw = archive_entry_pathname(entry), *last, *why;
	struct clean_name name;

	if (!raw)
		return err_set(u->err, ERR_INVALID, "cannot unpack an entry without a name");
	why = name_clean(raw, u->spec, &name);
	if (why)
		return err_set(u->err, ERR_INVALID, "cannot unpack '%.200s': %s", raw, why);
	if (!*name.text || name.is_git)
		return take_data(u, entry, -1, raw);
	if (!enter_parent(u, name.text, &last))
		return false;
	if (u->spec->is_layer && strncmp(last, ".wh.", 4) == 0)
		return true;
	return make_by_type(u, entry, name.text, last);
}

static bool empty_folder(struct unpacking *u, int fd, const char *name)
{
	struct arena *arena = arena_new();
	char folder[64];
	struct strings names = { 0 };
	bool is_done;

	snprintf(folder, sizeof(folder), "/proc/self/fd/%d", fd);
	is_done = fs_names(fd, arena, &names, u->err);
	for (size_t i = 0; is_done && i < names.n; i++)
		is_done = fs_remove_tree(path_join(arena, folder, names.v[i]), u->err);
	arena_free(arena);
	return is_done || err_prefix(u->err, "cannot apply '%s'", name);
}

/* ".wh.x" removes x of the layers below, ".wh..wh..opq" all that is in its folder. */
static bool apply_whiteout(struct unpacking *u, struct archive_entry *entry)
{
	const char *raw = archive_entry_pathname(entry), *last;
	struct clean_name name;
	char full[64 + NAME_MAX];
	AUTO_FD folder = -1;
	char *slash;

	if (!raw || name_clean(raw, u->spec, &name))
		return true; /* the second pass says what is wrong */
	slash = strrchr(name.text, '/');
	last = slash ? slash + 1 : name.text;
	if (strncmp(last, ".wh.", 4) != 0)
		return true;
	if (slash)
		*slash = '\0';
	folder = open_folder(u, slash ? name.text : "", O_RDONLY | O_DIRECTORY);
	if (folder < 0)
		return true; /* nothing is there to be removed */
	if (strcmp(last, ".wh..wh..opq") == 0)
		return empty_folder(u, folder, raw);
	last += 4;
	if (strncmp(last, ".wh.", 4) == 0)
		return true;
	if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return refuse(u, raw, "it removes a name outside");
	snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", folder, last);
	return fs_remove_tree(full, u->err);
}

static bool unknown_type(struct unpacking *u)
{
	return err_set(u->err, ERR_INVALID,
		       "unexpected blob file type, must be one of .zip, .tar.gz, .tar.zst, "
		       ".tar.xz, .tar, .jar, .war");
}

static bool read_failed(struct unpacking *u)
{
	const char *why = archive_error_string(u->archive);

	/* The only sign: the number of this error stands for damage too. */
	if (why && strcmp(why, "Unrecognized archive format") == 0)
		return unknown_type(u);
	return err_set(u->err, ERR_INVALID, "cannot read the archive: %s",
		       why ? why : "it is damaged");
}

typedef bool entry_fn(struct unpacking *u, struct archive_entry *entry);

static bool each_entry(struct unpacking *u, entry_fn *each)
{
	struct archive_entry *entry;
	int rc;

	u->n_entries = 0;
	/* A warning is a name that is no text in this locale: its bytes are what counts. */
	while ((rc = archive_read_next_header(u->archive, &entry)) == ARCHIVE_OK ||
	       rc == ARCHIVE_WARN) {
		/* One filter: what is packed twice is no source but a bomb. */
		if (archive_filter_count(u->archive) > 2)
			return unknown_type(u);
		if (!count_entry(u) || !each(u, entry))
			return false;
	}
	if (rc == ARCHIVE_EOF)
		return true;
	return read_failed(u);
}

static bool read_archive(struct unpacking *u, entry_fn *each)
{
	struct archive *archive = archive_read_new();
	bool is_done;

	if (!archive)
		BUG("out of memory");
	archive_read_support_format_tar(archive);
	if (!u->spec->is_layer)
		archive_read_support_format_zip(archive);
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_filter_xz(archive);
	u->archive = archive;
	if (lseek(u->spec->fd, 0, SEEK_SET) < 0)
		is_done = err_sys(u->err, errno, "cannot read the archive");
	else if (archive_read_open_fd(archive, u->spec->fd, 64 << 10) != ARCHIVE_OK)
		is_done = read_failed(u);
	else
		is_done = each_entry(u, each);
	archive_read_free(archive);
	u->archive = NULL;
	return is_done;
}

/* A link over links may leave the folder although no text of them says so; the kernel knows. */
static bool check_link(void *ctx, struct tree_entry *entry, struct err *err)
{
	const int *root_fd = ctx;
	AUTO_FD fd = -1;

	if (!S_ISLNK(entry->stat.st_mode))
		return true;
	fd = open_inside(*root_fd, entry->path, O_PATH, INSIDE_BENEATH);
	if (fd < 0 && errno == EXDEV)
		return err_set(err, ERR_INVALID,
			       "cannot unpack '%s': it is a link that leads out of the archive",
			       entry->path);
	return true;
}

static bool unpack(struct unpacking *u)
{
	/* Names in zip files and pax headers are UTF-8; in another locale libarchive would change them. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	bool is_done = (!u->spec->is_layer || read_archive(u, apply_whiteout)) &&
		       read_archive(u, make_entry);

	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	if (is_done && !u->spec->is_layer && u->n_links > 0)
		is_done = tree_walk(u->spec->dest, check_link, &u->root_fd, u->err);
	return is_done;
}

bool archive_unpack(const struct archive_spec *spec, struct err *err)
{
	AUTO_FD root_fd = open(spec->dest, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct unpacking u = { .spec = spec,
			       .limits = spec->limits ? spec->limits : &usual_limits,
			       .root_fd = root_fd,
			       .parent_fd = -1,
			       .err = err };
	struct stat st;
	bool is_done;

	if (root_fd < 0)
		return err_sys(err, errno, "cannot open folder '%s'", spec->dest);
	if (fstat(spec->fd, &st) != 0)
		return err_sys(err, errno, "cannot look at the archive");
	u.packed_bytes = (uint64_t)st.st_size;
	is_done = unpack(&u);
	fd_close(&u.parent_fd);
	return is_done;
}
