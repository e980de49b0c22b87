/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c — see tree.h. */
#include "buildexec/sys/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "model/base/buf.h"
#include "model/base/limits.h"
#include "model/base/vec.h"

/* A folder is open on every level of the way down. */
#define LIMIT_TREE_DEPTH 200u
#define COPY_BYTES       (1u << 20)

struct walk {
	const char *root;
	tree_fn *each;
	void *ctx;
	unsigned long long n_entries;
	unsigned depth;
	struct buf path;
};

static bool list_names(int fd, struct arena *arena, struct strings *out, struct err *err)
{
	DIR *dir = fdopendir(dup(fd));
	struct dirent *entry;

	if (!dir)
		return err_sys(err, errno, "cannot list a folder");
	rewinddir(dir);
	errno = 0;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			vec_push(arena, out, arena_strdup(arena, entry->d_name));
	closedir(dir);
	if (errno != 0)
		return err_sys(err, errno, "cannot list a folder");
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), strings_compare);
	return true;
}

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
	is_done = list_names(fd, arena, &names, err);
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
	struct walk walk = { .root = root,
			     .each = each,
			     .ctx = ctx,
			     .path = BUF_INIT(LIMIT_PATH_BYTES) };
	AUTO_FD fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_done;

	if (fd < 0)
		return err_sys(err, errno, "cannot open folder '%s'", root);
	is_done = walk_folder(&walk, fd, err);
	buf_release(&walk.path);
	return is_done;
}

static bool is_git(const char *name)
{
	return strcmp(name, ".git") == 0;
}

static bool bad_kind(const char *path, struct err *err)
{
	return err_set(err, ERR_INVALID, "'%s' is neither file, folder nor link", path);
}

struct hasher {
	struct sha256 sha;
	char *chunk;
};

static bool hash_file(struct hasher *hasher, const struct tree_entry *entry, struct err *err)
{
	AUTO_FD fd = openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct sha256 content;
	struct digest digest;
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", entry->path);
	sha256_init(&content);
	while ((n = read(fd, hasher->chunk, COPY_BYTES)) > 0)
		sha256_update(&content, hasher->chunk, (size_t)n);
	if (n < 0)
		return err_sys(err, errno, "cannot read '%s'", entry->path);
	digest = sha256_final(&content);
	sha256_update(&hasher->sha, digest.text, strlen(digest.text) + 1);
	return true;
}

static bool hash_link(struct hasher *hasher, const struct tree_entry *entry, struct err *err)
{
	ssize_t n = readlinkat(entry->dir_fd, entry->name, hasher->chunk, COPY_BYTES);

	if (n < 0)
		return err_sys(err, errno, "cannot read link '%s'", entry->path);
	sha256_update(&hasher->sha, hasher->chunk, (size_t)n);
	sha256_update(&hasher->sha, "", 1);
	return true;
}

/* Each entry: a letter for its kind, its path, NUL; then the digest of its content or its target, NUL. */
static bool hash_entry(void *ctx, struct tree_entry *entry, struct err *err)
{
	struct hasher *hasher = ctx;
	mode_t mode = entry->stat.st_mode;
	const char *kind = S_ISDIR(mode) ? "d" :
			   S_ISLNK(mode) ? "l" :
			   !S_ISREG(mode) ? NULL :
			   mode & 0100   ? "x" :
					   "f";

	if (is_git(entry->name)) {
		entry->is_pruned = true;
		return true;
	}
	if (!kind)
		return bad_kind(entry->path, err);
	sha256_update(&hasher->sha, kind, 1);
	sha256_update(&hasher->sha, entry->path, strlen(entry->path) + 1);
	if (S_ISREG(mode))
		return hash_file(hasher, entry, err);
	return S_ISDIR(mode) || hash_link(hasher, entry, err);
}

bool tree_hash(const char *root, struct digest *out, struct err *err)
{
	struct hasher hasher = { .chunk = mem_realloc(NULL, COPY_BYTES) };
	bool is_done;

	sha256_init(&hasher.sha);
	is_done = tree_walk(root, hash_entry, &hasher, err);
	free(hasher.chunk);
	*out = sha256_final(&hasher.sha);
	if (!is_done)
		*out = (struct digest){ 0 };
	return is_done;
}

static bool copy_bytes(int from, int to, struct err *err)
{
	char *chunk;
	ssize_t n;

	while ((n = copy_file_range(from, NULL, to, NULL, (size_t)1 << 30, 0)) > 0)
		;
	if (n == 0)
		return true;
	/* Not between these two file systems: nothing was copied yet, or the offsets tell how far. */
	chunk = mem_realloc(NULL, COPY_BYTES);
	while ((n = read(from, chunk, COPY_BYTES)) > 0)
		if (!fd_write_all(to, chunk, (size_t)n, err))
			break;
	free(chunk);
	return n == 0 || (n < 0 && err_sys(err, errno, "cannot read"));
}

static bool copy_file(const struct tree_entry *entry, int to_dir, struct err *err)
{
	mode_t mode = entry->stat.st_mode & 0100 ? 0755 : 0644;
	AUTO_FD from = openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_FD to = -1;

	if (from < 0)
		return err_sys(err, errno, "cannot open '%s'", entry->path);
	to = openat(to_dir, entry->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    mode);
	if (to < 0)
		return err_sys(err, errno, "cannot create '%s'", entry->path);
	if (!copy_bytes(from, to, err))
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
	const int *to_dir = ctx;

	if (is_git(entry->name)) {
		entry->is_pruned = true;
		return true;
	}
	if (S_ISREG(entry->stat.st_mode))
		return copy_file(entry, *to_dir, err);
	if (S_ISLNK(entry->stat.st_mode))
		return copy_link(entry, *to_dir, err);
	if (!S_ISDIR(entry->stat.st_mode))
		return bad_kind(entry->path, err);
	if (mkdirat(*to_dir, entry->path, 0755) != 0 ||
	    fchmodat(*to_dir, entry->path, 0755, 0) != 0)
		return err_sys(err, errno, "cannot create folder '%s'", entry->path);
	return true;
}

bool tree_copy(const char *from, const char *to, struct err *err)
{
	AUTO_FD to_dir = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (to_dir < 0)
		return err_sys(err, errno, "cannot open folder '%s'", to);
	if (!tree_walk(from, copy_entry, &to_dir, err))
		return err_prefix(err, "cannot copy '%s'", from);
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
