/* SPDX-License-Identifier: Apache-2.0 */
/* tree_hash.c — see tree_hash.h. */
#include "buildexec/source/tree_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/fs.h"

#define CHUNK_BYTES (1u << 20)

struct hasher {
	struct sha256 sha;
	char *chunk;
	uint64_t n_bytes;
};

static bool hash_file(struct hasher *hasher, const struct tree_entry *entry, struct err *err)
{
	AUTO_FD fd =
		openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct sha256 content;
	struct digest digest;
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", entry->path);
	if (!tree_takes(entry, &hasher->n_bytes, err))
		return false;
	sha256_init(&content);
	while ((n = read(fd, hasher->chunk, CHUNK_BYTES)) > 0)
		sha256_update(&content, hasher->chunk, (size_t)n);
	if (n < 0)
		return err_sys(err, errno, "cannot read '%s'", entry->path);
	digest = sha256_final(&content);
	sha256_update(&hasher->sha, digest.text, strlen(digest.text) + 1);
	return true;
}

static bool hash_link(struct hasher *hasher, const struct tree_entry *entry, struct err *err)
{
	ssize_t n = readlinkat(entry->dir_fd, entry->name, hasher->chunk, CHUNK_BYTES);

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
	const char *kind = S_ISDIR(mode)    ? "d"
			   : S_ISLNK(mode)  ? "l"
			   : !S_ISREG(mode) ? NULL
			   : mode & 0100    ? "x"
					    : "f";

	if (tree_is_git(entry->name)) {
		entry->is_pruned = true;
		return true;
	}
	if (!kind)
		return tree_bad_kind(entry->path, err);
	sha256_update(&hasher->sha, kind, 1);
	sha256_update(&hasher->sha, entry->path, strlen(entry->path) + 1);
	if (S_ISREG(mode))
		return hash_file(hasher, entry, err);
	return S_ISDIR(mode) || hash_link(hasher, entry, err);
}

bool tree_hash(const char *root, struct digest *out, struct err *err)
{
	struct hasher hasher = { .chunk = mem_realloc(NULL, CHUNK_BYTES) };
	bool is_done;

	sha256_init(&hasher.sha);
	is_done = tree_walk(root, hash_entry, &hasher, err);
	free(hasher.chunk);
	*out = sha256_final(&hasher.sha);
	if (!is_done)
		*out = (struct digest){ 0 };
	return is_done;
}
