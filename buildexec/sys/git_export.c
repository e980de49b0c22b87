/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_export.c — walks a tree by folder descriptors: each folder is made and opened below the one
 * above, each file made with O_EXCL, so that nothing in the tree can lead the writing elsewhere.
 */
#include "buildexec/sys/git_export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"

bool git_tree_of_commit(struct git_objects *objects, const struct git_id *commit,
			struct git_id *out, struct err *err)
{
	struct arena *arena = arena_new();
	unsigned char raw[GIT_ID_RAW];
	struct git_id parent;
	struct git_data data;
	bool done;

	*out = (struct git_id){ 0 };
	git_id_to_raw(commit, raw);
	done = git_objects_need(objects, raw, GIT_TYPE_COMMIT, arena, &data, err) &&
	       git_commit_parse(&data, out, &parent, err);
	arena_free(arena);
	return done;
}

/* One name in one tree; false in *found when it is not there. */
static bool find_entry(struct git_objects *objects, const unsigned char *tree, const char *name,
		       size_t n, struct arena *arena, struct git_entry *out, bool *found,
		       struct err *err)
{
	struct git_data data;
	size_t pos = 0;

	*found = false;
	if (!git_objects_need(objects, tree, GIT_TYPE_TREE, arena, &data, err))
		return false;
	while (git_entry_next(data.bytes, data.n, &pos, out))
		if (out->n_name == n && !memcmp(out->name, name, n)) {
			*found = true;
			return true;
		}
	return true;
}

bool git_find_path(struct git_objects *objects, const struct git_id *tree, const char *path,
		   struct git_id *out, unsigned *mode, struct err *err)
{
	struct arena *arena = arena_new();
	unsigned char at[GIT_ID_RAW];
	struct git_entry entry = { .mode = GIT_MODE_DIR };
	bool done = true, found = true;

	*out = (struct git_id){ 0 };
	git_id_to_raw(tree, at);
	if (!strcmp(path, "."))
		path = "";
	while (done && found && *path) {
		size_t n = strcspn(path, "/");

		if (entry.mode != GIT_MODE_DIR)
			break;
		done = find_entry(objects, at, path, n, arena, &entry, &found, err);
		if (done && found)
			memcpy(at, entry.raw, sizeof(at));
		path += n + strspn(path + n, "/");
	}
	arena_free(arena);
	if (done && found && !*path) {
		*out = git_id_from_raw(at);
		if (mode)
			*mode = entry.mode;
	}
	return done;
}

bool git_read_path(struct git_objects *objects, const struct git_id *tree, const char *path,
		   struct arena *arena, struct git_data *out, struct err *err)
{
	unsigned char raw[GIT_ID_RAW];
	struct git_id id;
	unsigned mode = 0;

	*out = (struct git_data){ 0 };
	if (!git_find_path(objects, tree, path, &id, &mode, err))
		return false;
	if (git_id_is_none(&id) || (mode & 0170000) != 0100000)
		return true;
	git_id_to_raw(&id, raw);
	return git_objects_need(objects, raw, GIT_TYPE_BLOB, arena, out, err);
}

struct export
{
	struct git_objects *objects;
	struct arena *arena; /* of the results */
	struct git_export_result *result;
};

static bool export_fail(struct err *err, const char *path, const struct git_entry *entry)
{
	return err_sys(err, errno, "cannot write '%s%s' of the git tree", path, entry->name);
}

static bool export_file(struct export *ex, int dir, const char *path, const struct git_entry *entry,
			struct err *err)
{
	mode_t mode = entry->mode & 0100 ? 0755 : 0644;
	struct arena *scratch = arena_new();
	struct git_data blob;
	AUTO_FD fd = -1;
	bool done = git_objects_need(ex->objects, entry->raw, GIT_TYPE_BLOB, scratch, &blob, err);

	if (done && blob.n > LIMIT_UNPACK_BYTES - ex->result->n_bytes)
		done = err_set(err, ERR_INVALID, "the git tree has more than %llu bytes",
			       LIMIT_UNPACK_BYTES);
	if (done) {
		fd = openat(dir, entry->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    mode);
		/* fchmod: the mode must not depend on the umask of who runs us */
		done = (fd >= 0 && fchmod(fd, mode) == 0) || export_fail(err, path, entry);
	}
	done = done && fd_write_all(fd, blob.bytes, blob.n, err);
	if (done)
		ex->result->n_bytes += blob.n;
	arena_free(scratch);
	return done;
}

static bool export_link(struct export *ex, int dir, const char *path, const struct git_entry *entry,
			struct err *err)
{
	struct arena *scratch = arena_new();
	struct git_data blob;
	bool done = git_objects_need(ex->objects, entry->raw, GIT_TYPE_BLOB, scratch, &blob, err);

	if (done && (!blob.n || blob.n >= LIMIT_PATH_BYTES || memchr(blob.bytes, '\0', blob.n)))
		done = err_set(err, ERR_INVALID, "'%s%s' in the git tree is no valid link", path,
			       entry->name);
	if (done && symlinkat(blob.bytes, dir, entry->name) < 0)
		done = export_fail(err, path, entry);
	arena_free(scratch);
	return done;
}

static bool export_folder(struct export *ex, const unsigned char *tree, int dir, const char *path,
			  unsigned depth, struct err *err);

static bool export_dir(struct export *ex, int dir, const char *path, const struct git_entry *entry,
		       unsigned depth, struct err *err)
{
	struct arena *scratch;
	AUTO_FD fd = -1;
	bool done;

	if (depth == LIMIT_GIT_DEPTH)
		return err_set(err, ERR_INVALID, "the git tree has folders deeper than %u",
			       LIMIT_GIT_DEPTH);
	if (mkdirat(dir, entry->name, 0755) < 0)
		return export_fail(err, path, entry);
	fd = openat(dir, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0)
		return export_fail(err, path, entry);
	if (entry->mode == GIT_MODE_SUBMODULE) {
		vec_push(ex->arena, &ex->result->submodules,
			 (struct git_submodule){ arena_printf(ex->arena, "%s%s", path, entry->name),
						 git_id_from_raw(entry->raw) });
		return true;
	}
	scratch = arena_new();
	done = export_folder(ex, entry->raw, fd, arena_printf(scratch, "%s%s/", path, entry->name),
			     depth + 1, err);
	arena_free(scratch);
	return done;
}

static bool export_entry(struct export *ex, int dir, const char *path,
			 const struct git_entry *entry, unsigned depth, struct err *err)
{
	if (!git_entry_name_is_safe(entry->name, entry->n_name))
		return err_set(err, ERR_INVALID, "the git tree has an unsafe name in '%s'",
			       *path ? path : ".");
	if (++ex->result->n_files > LIMIT_UNPACK_ENTRIES)
		return err_set(err, ERR_INVALID, "the git tree has more than %llu files",
			       LIMIT_UNPACK_ENTRIES);
	if (strlen(path) + entry->n_name >= LIMIT_PATH_BYTES)
		return err_set(err, ERR_INVALID, "the git tree has a path of more than %u bytes",
			       LIMIT_PATH_BYTES);
	switch (entry->mode & 0170000) {
	case 0100000:
		return export_file(ex, dir, path, entry, err);
	case 0120000:
		return export_link(ex, dir, path, entry, err);
	case 0040000:
	case 0160000:
		return export_dir(ex, dir, path, entry, depth, err);
	}
	return err_set(err, ERR_INVALID, "'%s%s' in the git tree has mode %o", path, entry->name,
		       entry->mode);
}

static bool export_folder(struct export *ex, const unsigned char *tree, int dir, const char *path,
			  unsigned depth, struct err *err)
{
	struct arena *scratch = arena_new();
	struct git_data data;
	struct git_entry entry;
	size_t pos = 0;
	bool done = git_objects_need(ex->objects, tree, GIT_TYPE_TREE, scratch, &data, err);

	while (done && git_entry_next(data.bytes, data.n, &pos, &entry))
		done = export_entry(ex, dir, path, &entry, depth, err);
	if (done && pos != data.n)
		done = err_set(err, ERR_INVALID, "git tree %s is damaged",
			       git_id_from_raw(tree).hex);
	arena_free(scratch);
	return done;
}

bool git_export_tree(struct git_objects *objects, const struct git_id *tree, const char *dir,
		     struct arena *arena, struct git_export_result *out, struct err *err)
{
	struct export ex = { objects, arena, out };
	AUTO_FD fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned char raw[GIT_ID_RAW];

	*out = (struct git_export_result){ 0 };
	if (fd < 0)
		return err_sys(err, errno, "cannot open folder '%s'", dir);
	git_id_to_raw(tree, raw);
	return export_folder(&ex, raw, fd, "", 0, err);
}
