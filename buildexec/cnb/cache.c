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
#define BLOBS     "blobs.json"

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

/* NULL: it is not there, or damaged. */
static struct node *read_json(const struct build_cache *cache, const char *name,
			      struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/" COMMITTED "/%s", cache->dir, name);
	struct err problem = { 0 };
	struct node *json;
	char *text;
	size_t len;

	return fs_read_plain(path, LIMIT_LABEL_BYTES, arena, &text, &len, &problem) && text &&
			       json_parse(text, len, arena, &json, &problem)
		       ? json
		       : NULL;
}

static void read_blobs(struct build_cache *cache, struct arena *arena)
{
	const struct node *blobs = read_json(cache, BLOBS, arena);

	for (const struct node *one = blobs && blobs->kind == NODE_MAP ? blobs->first : NULL; one;
	     one = one->next) {
		const struct node *size = node_get(one, "size");
		const char *digest = node_text(one, "digest");
		struct descriptor *desc;

		if (!digest || !digest_is_valid(digest) || !size || size->kind != NODE_INT)
			continue;
		desc = ARENA_NEW(arena, struct descriptor);
		*desc = (struct descriptor){ .media_type = MEDIA_OCI_LAYER_GZIP,
					     .digest = digest,
					     .size_bytes = size->i };
		map_set(arena, &cache->blobs, one->key, desc);
	}
}

static struct node *blobs_encode(const struct build_cache *cache, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP);

	for (size_t i = 0; i < cache->added.n; i++) {
		const struct descriptor *desc = map_get(&cache->blobs, cache->added.v[i]);
		struct node *one;

		if (!desc)
			continue;
		one = node_new(arena, NODE_MAP);
		node_set_text(arena, one, "digest", desc->digest);
		node_set(arena, one, "size", node_int(arena, desc->size_bytes));
		node_set(arena, out, cache->added.v[i], one);
	}
	return out;
}

static void read_metadata(struct build_cache *cache, struct arena *arena)
{
	const struct node *json = read_json(cache, METADATA, arena);
	struct err problem = { 0 };

	if (json && cache_metadata_decode(json, arena, &cache->metadata, &problem))
		read_blobs(cache, arena);
	else
		cache->metadata = (struct cache_metadata){ .sbom = "" };
}

static bool write_json(const struct build_cache *cache, const char *name, const struct node *json,
		       struct arena *arena, struct err *err)
{
	AUTO_BUF text = BUF_INIT(LIMIT_LABEL_BYTES);

	json_print(json, JSON_TYPED, &text);
	if (text.is_over)
		return err_set(err, ERR_INVALID, "metadata of the build cache is too long");
	return fs_write_atomic(AT_FDCWD, path_join(arena, cache->staging, name), buf_text(&text),
			       text.len, 0600, true, err);
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

void build_cache_sweep(const char *root, struct arena *arena)
{
	AUTO_FD fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err ignored = { 0 };
	struct strings names;

	if (fd < 0 || !fs_names(fd, arena, &names, &ignored))
		return;
	for (size_t i = 0; i < names.n; i++) {
		AUTO_BUILD_CACHE cache = { .dir = path_join(arena, root, names.v[i]),
					   .lock_fd = -1 };
		const char *staging = path_join(arena, cache.dir, STAGING);
		const char *old = path_join(arena, cache.dir, OLD);

		if ((!fs_exists(staging) && !fs_exists(old)) ||
		    !fs_lock(path_join(arena, cache.dir, "lock"), false, 0, &cache.lock_fd,
			     &ignored))
			continue;
		recover(&cache, arena);
		if (!fs_remove_tree(old, &ignored))
			continue;
		cache.staging = staging; /* nobody's: closing removes it */
	}
}

const char *build_cache_find(const struct build_cache *cache, const char *diff_id,
			     struct arena *arena)
{
	const char *path;
	struct stat st;

	if (!digest_is_valid(diff_id))
		return NULL;
	path = archive_path(cache, COMMITTED, diff_id, arena);
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) ? path : NULL;
}

void build_cache_drop(const struct build_cache *cache, const char *diff_id, struct arena *arena)
{
	struct err ignored = { 0 };

	if (digest_is_valid(diff_id) &&
	    !fs_remove_tree(archive_path(cache, COMMITTED, diff_id, arena), &ignored))
		return; /* it is looked at again by the next build */
}

static bool hash_file(const char *path, struct arena *arena, struct descriptor *out,
		      struct err *err)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct sha256 sha;
	struct digest digest;
	char chunk[64 << 10];
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	*out = (struct descriptor){ .media_type = MEDIA_OCI_LAYER_GZIP };
	sha256_init(&sha);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read '%s'", path);
		sha256_update(&sha, chunk, (size_t)n);
		out->size_bytes += n;
	}
	digest = sha256_final(&sha);
	out->digest = arena_strdup(arena, digest.text);
	return true;
}

bool build_cache_describe(const struct build_cache *cache, const char *diff_id, struct arena *arena,
			  struct descriptor *out, struct err *err)
{
	const char *path = build_cache_find(cache, diff_id, arena);
	const struct descriptor *known = map_get(&cache->blobs, diff_id);
	struct stat st;

	if (!path || stat(path, &st) != 0)
		return err_set(err, ERR_ABSENT, "cached layer '%s' is gone", diff_id);
	if (!known)
		return hash_file(path, arena, out, err);
	if (st.st_size != known->size_bytes) {
		build_cache_drop(cache, diff_id, arena);
		return err_set(err, ERR_ABSENT, "cached layer '%s' is damaged", diff_id);
	}
	*out = *known;
	return true;
}

bool build_cache_verify(const struct build_cache *cache, struct arena *arena)
{
	bool is_damaged = false;

	for (size_t i = 0; i < cache->added.n; i++) {
		const struct descriptor *known = map_get(&cache->blobs, cache->added.v[i]);
		struct descriptor is;
		struct err ignored = { 0 };

		if (!known || (hash_file(archive_path(cache, COMMITTED, cache->added.v[i], arena),
					 arena, &is, &ignored) &&
			       strcmp(is.digest, known->digest) == 0))
			continue;
		build_cache_drop(cache, cache->added.v[i], arena);
		is_damaged = true;
	}
	return is_damaged;
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
	struct descriptor *desc;

	if (has(cache, layer->diff_id.text))
		return true;
	/* The same bytes as the image's blob: one more name for them where that is possible. */
	if (link(layer->path, to) != 0 && !copy_file(layer->path, to, err))
		return false;
	vec_push(arena, &cache->added, arena_strdup(arena, layer->diff_id.text));
	desc = ARENA_NEW(arena, struct descriptor);
	*desc = (struct descriptor){ .media_type = MEDIA_OCI_LAYER_GZIP,
				     .digest = arena_strdup(arena, layer->digest.text),
				     .size_bytes = (int64_t)layer->size_bytes };
	map_set(arena, &cache->blobs, layer->diff_id.text, desc);
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

	if (!write_json(cache, BLOBS, blobs_encode(cache, arena), arena, err) ||
	    !write_json(cache, METADATA, cache_metadata_encode(metadata, arena), arena, err) ||
	    !fs_remove_tree(old, err))
		return false;
	if (rename(committed, old) != 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot put the old build cache aside");
	if (rename(cache->staging, committed) != 0)
		return err_sys(err, errno, "cannot commit the build cache");
	cache->staging = NULL;
	return fs_remove_tree(old, err);
}
