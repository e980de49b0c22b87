/* SPDX-License-Identifier: Apache-2.0 */
/* archive.c — what a daemon is given. See archive.h; archive_read.c has what it gives. */
#include "buildexec/engine/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/engine/base.h"
#include "buildexec/engine/dockerignore.h"
#include "buildexec/image/inflate.h"
#include "buildexec/image/tar_tree.h"
#include "model/base/digest.h"

enum { CHUNK = 256 << 10 };

static bool to_file(void *ctx, const void *bytes, size_t n, struct err *err)
{
	const int *fd = ctx;

	return fd_write_all(*fd, bytes, n, err);
}

static int create(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static bool add_bytes(struct tar *tar, const char *name, const char *bytes, size_t n,
		      struct err *err)
{
	const struct tar_entry entry = {
		.name = name, .type = TAR_FILE, .mode = 0644, .size_bytes = n
	};

	return tar_add(tar, &entry, bytes, n, err);
}

/* ---- an image to load ---- */

/* Daemons know gzip; others are laid open. */
static bool make_readable(const struct descriptor *desc, const char *path, const char *plain,
			  const char **out, struct err *err)
{
	enum compression compression = media_compression(desc->media_type);
	AUTO_INFLATE *inflate = NULL;
	AUTO_FD from = -1, to = -1;
	const void *bytes;
	size_t n = 1;

	*out = path;
	if (compression == COMPRESSION_GZIP || compression == COMPRESSION_NONE)
		return true;
	*out = plain;
	from = open(path, O_RDONLY | O_CLOEXEC);
	to = create(plain);
	if (from < 0 || to < 0)
		return err_sys(err, errno, "cannot unpack '%s'", path);
	if (!inflate_open(from, &inflate, err))
		return false;
	while (n > 0)
		if (!inflate_next(inflate, &bytes, &n, err) || !fd_write_all(to, bytes, n, err))
			return false;
	return true;
}

static bool add_layer(struct tar *tar, const char *name, const char *path, struct err *err)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	struct tar_entry entry = { .name = name, .type = TAR_FILE, .mode = 0644 };
	char chunk[CHUNK];
	struct stat st;
	uint64_t left;

	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	entry.size_bytes = left = (uint64_t)st.st_size;
	if (!tar_begin(tar, &entry, err))
		return false;
	while (left > 0) {
		ssize_t n = read(fd, chunk, left < CHUNK ? (size_t)left : CHUNK);

		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EIO, "cannot read '%s'", path);
		if (!tar_data(tar, chunk, (size_t)n, err))
			return false;
		left -= (uint64_t)n;
	}
	return true;
}

static bool add_manifest(const struct engine_base *base, struct tar *tar, struct err *err)
{
	AUTO_BUF text = BUF_INIT(LIMIT_REQUEST_BYTES);

	buf_printf(&text, "[{\"Config\":\"%s.json\",\"RepoTags\":null,\"Layers\":[", base->id);
	for (size_t i = 0; i < base->image.manifest.n_layers; i++)
		buf_printf(&text, "%s\"%zu/layer.tar\"", i ? "," : "", i);
	buf_puts(&text, "]}]");
	return add_bytes(tar, "manifest.json", buf_text(&text), text.len, err) &&
	       tar_finish(tar, err);
}

bool archive_write_image(struct task *task, const struct engine_base *base, const char *dir,
			 const char *path, struct err *err)
{
	struct arena *arena = task->arena;
	AUTO_FD fd = create(path);
	struct tar tar = { .sink = to_file, .ctx = &fd };

	if (fd < 0)
		return err_sys(err, errno, "cannot create '%s'", path);
	if (!base_fetch(task, base, dir, err) ||
	    !add_bytes(&tar, arena_printf(arena, "%s.json", base->id), base->config,
		       base->config_len, err))
		return false;
	for (size_t i = 0; i < base->image.manifest.n_layers; i++) {
		const struct descriptor *desc = &base->image.manifest.layers[i];
		const char *plain = path_join(arena, dir, "plain"), *layer;

		if (!make_readable(desc, path_join(arena, dir, digest_hex(desc->digest)), plain,
				   &layer, err) ||
		    !add_layer(&tar, arena_printf(arena, "%zu/layer.tar", i), layer, err))
			return false;
	}
	return add_manifest(base, &tar, err) && fs_remove_tree(dir, err);
}

/* ---- a context ---- */

static bool read_ignore(const struct engine_job *job, char **text, size_t *len,
			struct dockerignore *out, struct err *err)
{
	struct arena *arena = job->task->arena;
	const char *path =
		job->ignore ? job->ignore : path_join(arena, job->context, ".dockerignore");

	if (!fs_read(AT_FDCWD, path, DOCKERIGNORE_MAX_BYTES, arena, text, len, err))
		return false;
	dockerignore_parse(*text ? *text : "", *text ? *len : 0, arena, out);
	return true;
}

/* The files that go along. A folder that is ignored comes back with what is taken back in it. */
static bool list_files(const struct engine_job *job, const struct dockerignore *ignore,
		       struct strings *out, struct err *err)
{
	struct arena *scratch = arena_new();
	struct strings all;
	bool is_done = tree_list(job->context, job->task->arena, &all, err);

	for (size_t i = 0; is_done && i < all.n; i++)
		if (*all.v[i] && strcmp(all.v[i], ".dockerignore") != 0 &&
		    strcmp(all.v[i], CONTEXT_DOCKERFILE) != 0 &&
		    !dockerignore_matches(ignore, all.v[i], scratch))
			vec_push(job->task->arena, out, all.v[i]);
	arena_free(scratch);
	return is_done;
}

/*
 * The daemon looks at it only to see whether the Dockerfile and the list itself go: the list does when it was not there, or
 * says so.
 */
static bool add_control(const struct engine_job *job, struct tar *tar, const char *ignored,
			struct err *err)
{
	struct arena *arena = job->task->arena;
	const char *list = arena_printf(arena, "%s\n" CONTEXT_DOCKERFILE "\n",
					ignored ? ignored : ".dockerignore");
	char *text;
	size_t len;

	if (!fs_read(AT_FDCWD, job->dockerfile, DOCKERIGNORE_MAX_BYTES << 6, arena, &text, &len,
		     err))
		return false;
	return add_bytes(tar, ".dockerignore", list, strlen(list), err) &&
	       add_bytes(tar, CONTEXT_DOCKERFILE, text, len, err) && tar_finish(tar, err);
}

bool archive_write_context(const struct engine_job *job, const char *path, struct err *err)
{
	const struct tar_map map = { job->context, "/" };
	const struct tar_owner owner = { .mtime_s = TAR_FIXED_MTIME_S };
	AUTO_FD fd = create(path);
	struct tar tar = { .sink = to_file, .ctx = &fd };
	struct dockerignore ignore;
	struct strings files = { 0 };
	char *text;
	size_t len;

	if (fd < 0)
		return err_sys(err, errno, "cannot create '%s'", path);
	return read_ignore(job, &text, &len, &ignore, err) &&
	       list_files(job, &ignore, &files, err) &&
	       tar_add_paths(&tar, &map, &files, &owner, err) &&
	       add_control(job, &tar, job->ignore ? NULL : text, err);
}
