/* SPDX-License-Identifier: Apache-2.0 */
/* source.c — see source.h. */
#include "buildexec/source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/source/archive.h"
#include "buildexec/source/source_blob.h"
#include "buildexec/source/source_git.h"
#include "buildexec/source/source_image.h"
#include "buildexec/source/tree_copy.h"
#include "buildexec/source/tree_hash.h"
#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/url.h"
#include "model/base/limits.h"

enum { CHUNK_BYTES = 1 << 20 };

bool source_sub_path(const char *sub_path, struct arena *arena, const char **out, struct err *err)
{
	AUTO_BUF clean = BUF_INIT(PATH_MAX);
	const char *p = sub_path ? sub_path : "";

	*out = "";
	while (*p) {
		size_t n = strcspn(p, "/");

		if (n > 0 && !(n == 1 && *p == '.')) {
			buf_puts(&clean, clean.len ? "/" : "");
			buf_add(&clean, p, n);
		}
		p += n + (p[n] == '/');
	}
	if (clean.len == 0 && !clean.is_over)
		return true;
	if ((sub_path && sub_path[0] == '/') || clean.is_over || !path_is_inside(buf_text(&clean)))
		return err_set(err, ERR_INVALID, "sub path '%s' leads out of the source", sub_path);
	*out = buf_copy(&clean, arena);
	return true;
}

/* A local source's real path: a folder or a file. */
static bool local_path(const struct local_source *local, const char *manifest_dir, char *out,
		       struct err *err)
{
	struct arena *arena = arena_new();
	const char *path =
		local->path[0] == '/' ? local->path : path_join(arena, manifest_dir, local->path);
	bool is_found = realpath(path, out) ||
			err_sys(err, errno, "cannot find local source '%s'", local->path);

	arena_free(arena);
	return is_found;
}

/* The bytes of a file from here on, copied to `to` unless it is -1. */
static bool hash_file(int from, int to, struct digest *out, struct err *err)
{
	char *chunk = mem_realloc(NULL, CHUNK_BYTES);
	struct sha256 sha;
	bool is_done = true;
	ssize_t n = 0;

	sha256_init(&sha);
	while (is_done && (n = read(from, chunk, CHUNK_BYTES)) > 0) {
		sha256_update(&sha, chunk, (size_t)n);
		is_done = to < 0 || fd_write_all(to, chunk, (size_t)n, err);
	}
	if (n < 0)
		is_done = err_sys(err, errno, "cannot read");
	*out = sha256_final(&sha);
	free(chunk);
	return is_done;
}

static bool open_file(const char *path, int *fd, struct err *err)
{
	struct stat st;

	/* Not to wait for a writer of a pipe. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0 || fstat(*fd, &st) != 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return tree_bad_kind(path, err);
	return (uint64_t)st.st_size <= LIMIT_SOURCE_BYTES ||
	       err_set(err, ERR_INVALID, "'%s' has more than %llu bytes", path, LIMIT_SOURCE_BYTES);
}

bool source_local_content(const struct source *source, const char *manifest_dir, struct digest *out,
			  struct err *err)
{
	char path[PATH_MAX];
	AUTO_FD fd = -1;

	if (!local_path(source->local, manifest_dir, path, err))
		return false;
	if (fs_is_dir(path))
		return tree_hash(path, out, err);
	return open_file(path, &fd, err) && hash_file(fd, -1, out, err);
}

/* What a sub path leads to; links must not lead out. *out is NULL when nothing is there. */
static bool find_part(const char *root, const char *sub_path, struct arena *arena, const char **out,
		      struct err *err)
{
	char real_root[PATH_MAX], folder[PATH_MAX];
	size_t n;

	*out = NULL;
	if (!realpath(root, real_root))
		return err_sys(err, errno, "cannot find '%s'", root);
	if (!realpath(path_join(arena, root, sub_path), folder))
		return errno == ENOENT || errno == ENOTDIR ||
		       err_sys(err, errno, "cannot find '%s' in the source", sub_path);
	n = strlen(real_root);
	if (strncmp(folder, real_root, n) != 0 || folder[n] != '/')
		return err_set(err, ERR_INVALID, "sub path '%s' leads out of the source by a link",
			       sub_path);
	if (!fs_is_dir(folder))
		return err_set(err, ERR_INVALID, "'%s' is no folder in the source", sub_path);
	*out = arena_strdup(arena, folder);
	return true;
}

static bool check_digest(const char *what, const char *is, const char *planned, struct err *err)
{
	return !planned || strcmp(is, planned) == 0 ||
	       err_set(err, ERR_CONFLICT, "%s is now '%s', not '%s' as planned", what, is, planned);
}

/* A private copy is hashed and read: what is built is what was asked for even when somebody changes the file meanwhile. */
static bool get_local_file(const struct source_spec *spec, const char *path, const char *dest,
			   struct err *err)
{
	AUTO_TMPDIR temp = { 0 };
	AUTO_FD from = -1;
	AUTO_FD copy = -1;
	struct archive_spec archive = { .dest = dest };
	struct digest digest;

	if (!open_file(path, &from, err) || !tmpdir_make(NULL, "reconcile-source", &temp, err))
		return false;
	copy = open(temp.path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (copy < 0)
		return err_sys(err, errno, "cannot copy '%s'", path);
	archive.fd = copy;
	return hash_file(from, copy, &digest, err) &&
	       check_digest("it", digest.text, spec->content, err) && archive_unpack(&archive, err);
}

static bool get_local(const struct source_spec *spec, const char *dest, struct err *err)
{
	const struct local_source *local = spec->source->local;
	struct digest digest;
	char path[PATH_MAX];

	if (!local_path(local, spec->manifest_dir, path, err))
		return false;
	if (!fs_is_dir(path))
		return get_local_file(spec, path, dest, err) ||
		       err_prefix(err, "local source '%s'", local->path);
	/* The copy is hashed, not the original, for the same reason. */
	if (!tree_copy(path, dest, err))
		return false;
	return !spec->content || (tree_hash(dest, &digest, err) &&
				  (check_digest("it", digest.text, spec->content, err) ||
				   err_prefix(err, "local source '%s'", local->path)));
}

static bool get_blob(const struct source_spec *spec, const char *dest, struct arena *arena,
		     struct err *err)
{
	const struct blob_source *blob = spec->source->blob;
	const struct blob_place place = { .access = spec->access,
					  .url = blob->url,
					  .auth = blob->auth,
					  .cache_dir = spec->cache_dir };
	struct archive_spec archive = { .dest = dest, .strip = blob->strip_components };
	AUTO_FD fd = -1;

	if (!source_blob_open(&place, spec->content, arena, &fd, err))
		return false;
	archive.fd = fd;
	if (archive_unpack(&archive, err))
		return true;
	/* Perhaps it was damaged on its way: no ETag is to keep it so. */
	if (err->kind == ERR_INVALID)
		blob_cache_forget(spec->cache_dir, blob->url);
	return false;
}

/* All of a source that is not git, without regard to its sub path. */
static bool get_whole(const struct source_spec *spec, const char *dest, struct arena *arena,
		      struct err *err)
{
	const struct source *source = spec->source;

	if (source->local)
		return get_local(spec, dest, err);
	if (source->blob)
		return get_blob(spec, dest, arena, err);
	if (source->registry)
		return source_image_unpack(&(struct source_image){ .registry = spec->registry,
								   .image = source->registry->image,
								   .cache_dir = spec->cache_dir,
								   .dest = dest },
					   arena, err);
	return err_set(err, ERR_INVALID, "there is no source");
}

/*
 * The folder in which sub paths are looked for: a local folder as it is, everything else in `temp`. What is found there is
 * copied and its copy verified.
 */
static bool open_whole(const struct source_spec *spec, struct tmpdir *temp, struct arena *arena,
		       const char **out, struct err *err)
{
	char path[PATH_MAX];

	if (spec->source->local) {
		if (!local_path(spec->source->local, spec->manifest_dir, path, err))
			return false;
		*out = arena_strdup(arena, path);
		if (fs_is_dir(path))
			return true;
	}
	if (!tmpdir_make(NULL, "reconcile-source", temp, err))
		return false;
	*out = temp->path;
	return get_whole(spec, temp->path, arena, err);
}

static bool get_part(const struct source_spec *spec, const char *sub_path, struct arena *arena,
		     struct err *err)
{
	AUTO_TMPDIR temp = { 0 };
	const char *root, *folder;
	struct digest digest;

	if (!open_whole(spec, &temp, arena, &root, err) ||
	    !find_part(root, sub_path, arena, &folder, err))
		return false;
	if (!folder)
		return err_set(err, ERR_ABSENT, "the source has no folder '%s'", sub_path);
	if (!tree_copy(folder, spec->dest, err))
		return false;
	return !spec->part || (tree_hash(spec->dest, &digest, err) &&
			       check_digest(sub_path, digest.text, spec->part, err));
}

bool source_materialise(const struct source_spec *spec, struct arena *arena, struct err *err)
{
	const char *sub_path;
	bool is_done;

	if (spec->source->git)
		is_done = source_git_export(spec, arena, err);
	else if (!source_sub_path(spec->source->sub_path, arena, &sub_path, err))
		return false;
	else if (sub_path[0])
		is_done = get_part(spec, sub_path, arena, err);
	else
		is_done = get_whole(spec, spec->dest, arena, err);
	return is_done && tree_chown(spec->dest, spec->uid, spec->gid, err);
}

/* Digests of parts are kept as what a URL held is: a source that changed elsewhere is read once, not in every run. */
static const char *part_name(const struct source_spec *spec, const char *sub_path,
			     struct arena *arena)
{
	const struct blob_source *blob = spec->source->blob;

	return arena_printf(arena, "part:%s:%lld:%s", spec->content,
			    blob ? (long long)blob->strip_components : 0, sub_path);
}

static bool take_kept_parts(const struct source_spec *spec, const struct strings *sub_paths,
			    struct arena *arena, struct pairs *out)
{
	if (!spec->content || !spec->cache_dir)
		return false;
	for (size_t i = 0; i < sub_paths->n; i++) {
		const char *name = part_name(spec, sub_paths->v[i], arena);
		struct blob_version kept = blob_cache_version(spec->cache_dir, name, arena);

		if (!kept.content) {
			*out = (struct pairs){ 0 };
			return false;
		}
		vec_push(arena, out, (struct pair){ sub_paths->v[i], kept.content, { 0 } });
	}
	return true;
}

bool source_parts(const struct source_spec *spec, const struct strings *sub_paths,
		  struct arena *arena, struct pairs *out, struct err *err)
{
	AUTO_TMPDIR temp = { 0 };
	struct digest digest;
	const char *root, *folder;

	*out = (struct pairs){ 0 };
	if (take_kept_parts(spec, sub_paths, arena, out))
		return true;
	if (!open_whole(spec, &temp, arena, &root, err))
		return false;
	for (size_t i = 0; i < sub_paths->n; i++) {
		if (!find_part(root, sub_paths->v[i], arena, &folder, err))
			return false;
		if (!folder)
			continue;
		if (!tree_hash(folder, &digest, err))
			return false;
		if (spec->content && spec->cache_dir)
			blob_cache_remember(spec->cache_dir,
					    part_name(spec, sub_paths->v[i], arena),
					    (struct blob_version){ digest.text, "part" });
		vec_push(arena, out,
			 (struct pair){ sub_paths->v[i], arena_strdup(arena, digest.text), { 0 } });
	}
	return true;
}

/* Images are public sooner or later: what a URL says beyond the place stays out of them. */
const char *source_git_shown(const char *text, struct arena *arena)
{
	const char *mark = strstr(text, "://"), *at;
	struct git_url url;
	struct err ignored = { 0 };
	bool is_http;

	if (!mark || !git_url_parse(text, arena, &url, &ignored))
		return text;
	is_http = url.scheme == GIT_SCHEME_HTTP || url.scheme == GIT_SCHEME_HTTPS;
	if (!url.password && !(is_http && url.user))
		return text;
	at = memrchr(mark + 3, '@', strcspn(mark + 3, "/?#"));
	return at ? arena_printf(arena, "%.*s%s", (int)(mark + 3 - text), text, at + 1) : text;
}

static const char *public_blob_url(const char *text, struct arena *arena)
{
	struct url url;
	struct err ignored = { 0 };

	return url_parse(text, arena, &url, &ignored) ? url_shown(&url, arena) : text;
}

struct node *source_project_metadata(const struct source *source, const char *content,
				     struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP), *version = node_new(arena, NODE_MAP);
	struct node *metadata = node_new(arena, NODE_MAP);

	if (source->git) {
		node_set_text(arena, out, "type", "git");
		node_set_text(arena, version, "commit", source->git->revision);
		node_set_text(arena, metadata, "repository",
			      source_git_shown(source->git->url, arena));
		node_set_text(arena, metadata, "revision", source->git->revision);
	} else if (source->blob) {
		node_set_text(arena, out, "type", "blob");
		if (content)
			node_set_text(arena, version, "sha256sum", digest_hex(content));
		node_set_text(arena, metadata, "url", public_blob_url(source->blob->url, arena));
	} else if (source->registry) {
		node_set_text(arena, out, "type", "image");
		if (content)
			node_set_text(arena, version, "digest", content);
		node_set_text(arena, metadata, "image", source->registry->image);
	} else {
		return NULL;
	}
	node_set(arena, out, "version", version);
	node_set(arena, out, "metadata", metadata);
	return out;
}
