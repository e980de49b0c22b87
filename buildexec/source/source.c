/* SPDX-License-Identifier: Apache-2.0 */
/* source.c — see source.h. */
#include "buildexec/source/source.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/source/source_git.h"
#include "buildexec/source/tree_copy.h"
#include "buildexec/source/tree_hash.h"
#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/fs.h"

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

bool source_local_folder(const struct source *source, const char *manifest_dir, struct arena *arena,
			 const char **out, struct err *err)
{
	const char *path = source->local->path;
	char root[PATH_MAX];

	*out = NULL;
	if (path[0] != '/')
		path = path_join(arena, manifest_dir, path);
	if (!realpath(path, root))
		return err_sys(err, errno, "cannot find local source '%s'", source->local->path);
	if (!fs_is_dir(root))
		return err_set(err, ERR_INVALID,
			       "local source '%s' is no folder; archives are not supported yet",
			       source->local->path);
	*out = arena_strdup(arena, root);
	return true;
}

/* A folder inside the copy; links must not lead out of it. */
static bool find_part(const char *root, const char *sub_path, const struct source *source,
		      struct arena *arena, const char **out, struct err *err)
{
	char real_root[PATH_MAX], folder[PATH_MAX];
	size_t n;

	if (!realpath(root, real_root) || !realpath(path_join(arena, root, sub_path), folder))
		return err_sys(err, errno, "cannot find '%s' in local source '%s'", sub_path,
			       source->local->path);
	n = strlen(real_root);
	if (strncmp(folder, real_root, n) != 0 || folder[n] != '/')
		return err_set(err, ERR_INVALID, "sub path '%s' leads out of '%s' by a link",
			       sub_path, source->local->path);
	*out = arena_strdup(arena, folder);
	return true;
}

/*
 * The copy is hashed, not the original: what is built is what was asked for even when somebody changes the folder
 * meanwhile.
 */
static bool check_content(const struct source_spec *spec, const char *copy, struct err *err)
{
	struct digest digest;

	if (!spec->content)
		return true;
	if (!tree_hash(copy, &digest, err))
		return false;
	if (strcmp(digest.text, spec->content) != 0)
		return err_set(err, ERR_CONFLICT,
			       "local source '%s' is now '%s', not '%s' as planned",
			       spec->source->local->path, digest.text, spec->content);
	return true;
}

/* The digest speaks of the whole source, so all of it is copied even where only a part is wanted. */
static bool materialise_part(const struct source_spec *spec, const char *root, const char *sub_path,
			     struct arena *arena, struct err *err)
{
	AUTO_TMPDIR whole = { 0 };
	const char *folder;

	return tmpdir_make(NULL, "reconcile-source", &whole, err) &&
	       tree_copy(root, whole.path, err) && check_content(spec, whole.path, err) &&
	       find_part(whole.path, sub_path, spec->source, arena, &folder, err) &&
	       tree_copy(folder, spec->dest, err);
}

static bool materialise_local(const struct source_spec *spec, struct arena *arena, struct err *err)
{
	const char *root, *sub_path;

	if (!source_sub_path(spec->source->sub_path, arena, &sub_path, err) ||
	    !source_local_folder(spec->source, spec->manifest_dir, arena, &root, err))
		return false;
	if (sub_path[0])
		return materialise_part(spec, root, sub_path, arena, err);
	return tree_copy(root, spec->dest, err) && check_content(spec, spec->dest, err);
}

bool source_materialise(const struct source_spec *spec, struct arena *arena, struct err *err)
{
	const struct source *source = spec->source;
	bool is_done;

	if (source->git)
		is_done = source_git_export(spec, arena, err);
	else if (source->local)
		is_done = materialise_local(spec, arena, err);
	else
		is_done = err_set(err, ERR_INVALID, "%s sources are not supported yet",
				  source->blob       ? "blob"
				  : source->registry ? "registry"
						     : "such");
	return is_done && tree_chown(spec->dest, spec->uid, spec->gid, err);
}

struct node *source_project_metadata(const struct source *source, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP), *version = node_new(arena, NODE_MAP);
	struct node *metadata = node_new(arena, NODE_MAP);

	if (!source->git)
		return NULL;
	node_set_text(arena, out, "type", "git");
	node_set_text(arena, version, "commit", source->git->revision);
	node_set_text(arena, metadata, "repository", source->git->url);
	node_set_text(arena, metadata, "revision", source->git->revision);
	node_set(arena, out, "version", version);
	node_set(arena, out, "metadata", metadata);
	return out;
}
