/* SPDX-License-Identifier: Apache-2.0 */
/* cache.c — see cache.h. */
#include "buildexec/cnb/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

/* Three names that renames move a state between: a new one, the valid one, and the one it replaced. */
#define STAGING   "staging"
#define COMMITTED "committed"
#define OLD       "committed-backup"
#define METADATA  "metadata.json"

static const char *archive_path(const struct build_cache *cache, const char *state,
				const char *diff_id, struct arena *arena)
{
	return arena_printf(arena, "%s/%s/%s.tar.gz", cache->dir, state, digest_hex(diff_id));
}

/* A commit that was cut between its two renames: the old state is still whole. */
static void recover(const struct build_cache *cache, struct arena *arena)
{
	const char *old = path_join(arena, cache->dir, OLD);
	const char *committed = path_join(arena, cache->dir, COMMITTED);

	if (!fs_exists(committed) && fs_exists(old) && rename(old, committed) != 0)
		return; /* then there is no cache, which is always allowed */
}

static void read_metadata(struct build_cache *cache, struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/" COMMITTED "/" METADATA, cache->dir);
	struct err problem = { 0 };
	struct node *json;
	char *text;
	size_t len;

	cache->metadata = (struct cache_metadata){ .sbom = "" };
	if (!fs_read(AT_FDCWD, path, LIMIT_LABEL_BYTES, arena, &text, &len, &problem) || !text)
		return;
	if (!json_parse(text, len, arena, &json, &problem) ||
	    !cache_metadata_decode(json, arena, &cache->metadata, &problem))
		cache->metadata = (struct cache_metadata){ .sbom = "" };
}

bool build_cache_open(const char *dir, struct arena *arena, struct build_cache *out,
		      struct err *err)
{
	*out = (struct build_cache){ .dir = arena_strdup(arena, dir), .lock_fd = -1 };
	if (!fs_make_dirs(dir, 0700, err) ||
	    !fs_lock(path_join(arena, dir, "lock"), false, -1, &out->lock_fd, err))
		return err_prefix(err, "cannot open build cache");
	recover(out, arena);
	read_metadata(out, arena);
	return true;
}

void build_cache_close(struct build_cache *cache)
{
	struct err ignored = { 0 };

	/* What cannot be removed now is removed when the next state begins. */
	if (cache->staging && !fs_remove_tree(cache->staging, &ignored))
		cache->staging = NULL;
	if (cache->dir && cache->lock_fd >= 0)
		fd_close(&cache->lock_fd);
}

const char *build_cache_find(const struct build_cache *cache, const char *diff_id,
			     struct arena *arena)
{
	const char *path;

	if (!digest_is_valid(diff_id))
		return NULL;
	path = archive_path(cache, COMMITTED, diff_id, arena);
	return fs_exists(path) ? path : NULL;
}

bool build_cache_begin(struct build_cache *cache, struct arena *arena, struct err *err)
{
	cache->staging = path_join(arena, cache->dir, STAGING);
	cache->added = (struct strings){ 0 };
	cache->n_bytes = 0;
	return fs_remove_tree(cache->staging, err) && fs_make_dirs(cache->staging, 0700, err);
}

static bool has(const struct build_cache *cache, const char *diff_id)
{
	return strings_has(&cache->added, diff_id);
}

bool build_cache_keep(struct build_cache *cache, const char *diff_id, struct arena *arena)
{
	const char *from = build_cache_find(cache, diff_id, arena);

	if (has(cache, diff_id))
		return true;
	if (!from || link(from, archive_path(cache, STAGING, diff_id, arena)) != 0)
		return false;
	vec_push(arena, &cache->added, arena_strdup(arena, diff_id));
	return true;
}

static bool copy_file(const char *from, const char *to, struct err *err)
{
	AUTO_FD in = open(from, O_RDONLY | O_CLOEXEC);
	AUTO_FD out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char chunk[64 << 10];
	ssize_t n;

	if (in < 0 || out < 0)
		return err_sys(err, errno, "cannot copy '%s' into the build cache", from);
	while ((n = copy_file_range(in, NULL, out, NULL, (size_t)1 << 30, 0)) > 0)
		;
	while (n != 0 && (n = read(in, chunk, sizeof(chunk))) > 0)
		if (!fd_write_all(out, chunk, (size_t)n, err))
			return false;
	return n == 0 || err_sys(err, errno, "cannot copy '%s' into the build cache", from);
}

bool build_cache_add(struct build_cache *cache, const struct layer_result *layer,
		     struct arena *arena, struct err *err)
{
	const char *to = archive_path(cache, STAGING, layer->diff_id.text, arena);

	if (has(cache, layer->diff_id.text))
		return true;
	/* The same bytes as the image's blob: one more name for them where that is possible. */
	if (link(layer->path, to) != 0 && !copy_file(layer->path, to, err))
		return false;
	vec_push(arena, &cache->added, arena_strdup(arena, layer->diff_id.text));
	return true;
}

bool build_cache_fits(struct build_cache *cache, uint64_t max_bytes, struct arena *arena)
{
	const char *path = archive_path(cache, STAGING, cache->added.v[cache->added.n - 1], arena);
	struct stat stat_buf;

	if (stat(path, &stat_buf) != 0)
		return true;
	if (max_bytes == 0 || cache->n_bytes + (uint64_t)stat_buf.st_size <= max_bytes) {
		cache->n_bytes += (uint64_t)stat_buf.st_size;
		return true;
	}
	/* What cannot be removed is not named by the metadata, and goes with the next state. */
	if (unlink(path) == 0)
		cache->added.n--;
	return false;
}

bool build_cache_commit(struct build_cache *cache, const struct cache_metadata *metadata,
			struct arena *arena, struct err *err)
{
	const char *committed = path_join(arena, cache->dir, COMMITTED);
	const char *old = path_join(arena, cache->dir, OLD);
	AUTO_BUF text = BUF_INIT(LIMIT_LABEL_BYTES);

	json_print(cache_metadata_encode(metadata, arena), JSON_TYPED, &text);
	if (text.is_over)
		return err_set(err, ERR_INVALID, "metadata of the build cache is too long");
	if (!fs_write_atomic(AT_FDCWD, path_join(arena, cache->staging, METADATA), buf_text(&text),
			     text.len, 0600, true, err) ||
	    !fs_remove_tree(old, err))
		return false;
	if (rename(committed, old) != 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot put the old build cache aside");
	if (rename(cache->staging, committed) != 0)
		return err_sys(err, errno, "cannot commit the build cache");
	cache->staging = NULL;
	return fs_remove_tree(old, err);
}
