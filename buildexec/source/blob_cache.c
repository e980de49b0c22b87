/* SPDX-License-Identifier: Apache-2.0 */
/* blob_cache.c — see blob_cache.h. <cache>/blobs/sha256/<hex>, and <cache>/blobs/urls/<hex of the URL>: two lines. */
#include "buildexec/source/blob_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/base/vec.h"

enum { CHUNK_BYTES = 1 << 20, VERSION_BYTES = 4096, STALE_S = 24 * 3600 };

#define TEMP_PREFIX ".tmp-"

static const char *folder_of(const char *cache_dir, const char *what, struct arena *arena)
{
	return arena_printf(arena, "%s/blobs/%s", cache_dir, what);
}

bool blob_cache_create(const char *cache_dir, struct arena *arena, int *fd, const char **path,
		       struct err *err)
{
	const char *folder = folder_of(cache_dir, "sha256", arena);
	char *temp = arena_printf(arena, "%s/" TEMP_PREFIX "XXXXXX", folder);

	*fd = -1;
	if (!fs_make_dirs(folder, 0700, err))
		return false;
	*fd = mkostemp(temp, O_CLOEXEC);
	if (*fd < 0)
		return err_sys(err, errno, "cannot keep a download in '%s'", folder);
	*path = temp;
	return true;
}

struct kept {
	const char *name;
	int64_t used_s, size_bytes;
};

static int compare_kept(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return x->used_s < y->used_s ? 1 : x->used_s > y->used_s ? -1 : strcmp(x->name, y->name);
}

/*
 * What was used last stays, up to the limit; downloads that nobody finished within a day go too. `wanted` stays whatever its
 * time says: clocks jump, and it is about to be opened. For the same reason no time of use lies in the future.
 */
static void prune(const char *folder, const char *wanted, struct arena *arena)
{
	const int64_t now_s = clock_now_s();
	VEC(struct kept) all = { 0 };
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int64_t total = 0;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (strncmp(entry->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0) {
			if (now_s - st.st_mtime > STALE_S)
				unlinkat(dirfd(dir), entry->d_name, 0);
			continue;
		}
		vec_push(arena, &all,
			 (struct kept){ arena_strdup(arena, entry->d_name),
					strcmp(entry->d_name, wanted) == 0 ? INT64_MAX
					: st.st_mtime > now_s              ? 0
									   : st.st_mtime,
					st.st_size });
	}
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), compare_kept);
	for (size_t i = 0; i < all.n; i++) {
		total += all.v[i].size_bytes;
		if (i > 0 && total > LIMIT_BLOB_CACHE_BYTES)
			unlinkat(dirfd(dir), all.v[i].name, 0);
	}
	if (dir)
		closedir(dir);
}

bool blob_cache_keep(const char *cache_dir, const char *path, const char *content, struct err *err)
{
	struct arena *arena = arena_new();
	const char *folder = folder_of(cache_dir, "sha256", arena);
	bool is_done = rename(path, path_join(arena, folder, digest_hex(content))) == 0 ||
		       err_sys(err, errno, "cannot keep a download in '%s'", folder);

	if (is_done)
		prune(folder, digest_hex(content), arena);
	arena_free(arena);
	return is_done;
}

static bool is_content(int fd, const char *content)
{
	char *chunk = mem_realloc(NULL, CHUNK_BYTES);
	struct sha256 sha;
	struct digest digest;
	off_t at = 0;
	ssize_t n;

	sha256_init(&sha);
	while ((n = pread(fd, chunk, CHUNK_BYTES, at)) > 0) {
		sha256_update(&sha, chunk, (size_t)n);
		at += n;
	}
	digest = sha256_final(&sha);
	free(chunk);
	return n == 0 && strcmp(digest.text, content) == 0;
}

bool blob_cache_path(const char *cache_dir, const char *content, struct arena *arena,
		     const char **out, struct err *err)
{
	const char *folder = folder_of(cache_dir, "sha256", arena);

	*out = path_join(arena, folder, digest_hex(content));
	return fs_make_dirs(folder, 0700, err);
}

bool blob_cache_open(const char *cache_dir, const char *content, int *fd, struct err *err)
{
	struct arena *arena = arena_new();
	const char *path =
		path_join(arena, folder_of(cache_dir, "sha256", arena), digest_hex(content));

	/* A pipe of that name has no content, and nobody waits for one. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (*fd < 0 && errno != ENOENT)
		err_sys(err, errno, "cannot read '%s'", path);
	if (*fd >= 0 && !is_content(*fd, content)) {
		unlink(path);
		fd_close(fd);
	}
	if (*fd >= 0)
		(void)!futimens(*fd, NULL); /* used now */
	arena_free(arena);
	return err->kind == ERR_NONE;
}

static const char *version_path(const char *cache_dir, const char *url, struct arena *arena)
{
	struct digest digest = digest_of(url, strlen(url));

	return path_join(arena, folder_of(cache_dir, "urls", arena), digest_hex(digest.text));
}

struct blob_version blob_cache_version(const char *cache_dir, const char *url, struct arena *arena)
{
	struct blob_version version = { 0 };
	struct err ignored = { 0 };
	char *text, *line;
	size_t n;

	if (!fs_read(AT_FDCWD, version_path(cache_dir, url, arena), VERSION_BYTES, arena, &text, &n,
		     &ignored) ||
	    !text)
		return version;
	line = strchr(text, '\n');
	if (!line)
		return version;
	*line++ = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (digest_is_valid(text) && *line)
		version = (struct blob_version){ text, line };
	return version;
}

void blob_cache_remember(const char *cache_dir, const char *url, struct blob_version version)
{
	struct arena *arena = arena_new();
	const char *text = arena_printf(arena, "%s\n%s\n", version.content, version.validator);
	struct err ignored = { 0 };

	if (strlen(text) <= VERSION_BYTES &&
	    fs_make_dirs(folder_of(cache_dir, "urls", arena), 0700, &ignored))
		(void)!fs_write_atomic(AT_FDCWD, version_path(cache_dir, url, arena), text,
				       strlen(text), 0600, false, &ignored);
	arena_free(arena);
}

void blob_cache_forget(const char *cache_dir, const char *url)
{
	struct arena *arena = arena_new();

	unlink(version_path(cache_dir, url, arena));
	arena_free(arena);
}
