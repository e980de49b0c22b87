/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_git.c — see source_git.h. Submodules are commits of other repositories inside a tree: each is fetched from its own
 * URL with the credentials of that URL's host, and written into the empty folder that the export made for it.
 */
#include "buildexec/source/source_git.h"

#include <string.h>

#include "buildexec/source/git_cache.h"
#include "buildexec/source/gitmodules.h"
#include "buildexec/source/lfs.h"
#include "buildexec/sys/git_export.h"
#include "model/base/limits.h"

enum { GITMODULES_BYTES = 1 << 20, NAMED_FILES = 10 };

struct exporting {
	const struct source_spec *spec;
	struct arena *arena;
	unsigned n_submodules;
};

/* One commit of one repository, and where its files go. */
struct git_place {
	const char *url;
	struct git_id commit;
	const char *sub_path; /* clean */
	const char *dest;
	unsigned depth;
};

static bool export_place(struct exporting *exporting, const struct git_place *place,
			 struct err *err);

static void close_repo(struct git_repo **repo)
{
	if (*repo)
		git_repo_close(repo);
}

static void close_wire(struct git_wire **wire)
{
	if (*wire)
		git_wire_close(wire);
}

/* git itself does not follow a repository to folders of this machine either (protocol.file.allow). */
static bool may_follow(const char *parent, const char *written, const char *url,
		       struct arena *arena, struct err *err)
{
	struct git_url from, to;

	if (!git_url_parse(parent, arena, &from, err) || !git_url_parse(url, arena, &to, err))
		return false;
	if (to.scheme != GIT_SCHEME_LOCAL || (from.scheme == GIT_SCHEME_LOCAL && written[0] == '.'))
		return true;
	return err_set(err, ERR_INVALID, "'%s' is a folder of this machine", written);
}

static bool export_submodule(struct exporting *exporting, const struct git_place *parent,
			     const struct gitmodules *modules, const struct git_submodule *sub,
			     struct err *err)
{
	struct arena *arena = exporting->arena;
	const char *path =
		parent->sub_path[0] ? path_join(arena, parent->sub_path, sub->path) : sub->path;
	const struct gitmodule *module = gitmodules_find(modules, path);
	struct git_place place = { .commit = sub->commit,
				   .sub_path = "",
				   .dest = path_join(arena, parent->dest, sub->path),
				   .depth = parent->depth + 1 };

	if (!module || !module->url || !*module->url)
		return err_set(err, ERR_INVALID, "submodule '%s': .gitmodules names no url", path);
	if (place.depth > LIMIT_SUBMODULE_DEPTH)
		return err_set(err, ERR_INVALID,
			       "submodule '%s': submodules are nested deeper than %u", path,
			       LIMIT_SUBMODULE_DEPTH);
	if (++exporting->n_submodules > LIMIT_SUBMODULES)
		return err_set(err, ERR_INVALID, "there are more than %u submodules",
			       LIMIT_SUBMODULES);
	return (gitmodules_url(parent->url, module->url, arena, &place.url, err) &&
		may_follow(parent->url, module->url, place.url, arena, err) &&
		export_place(exporting, &place, err)) ||
	       err_prefix(err, "submodule '%s'", path);
}

/* .gitmodules is in the root of the repository, wherever the exported part is. */
static bool export_submodules(struct exporting *exporting, const struct git_place *place,
			      struct git_objects *objects, const struct git_id *root,
			      const struct git_export_result *exported, struct err *err)
{
	struct gitmodules modules;
	struct git_data text;

	if (exported->submodules.n == 0 || !exporting->spec->source->git->has_submodules)
		return true;
	if (!git_read_path(objects, root, ".gitmodules", exporting->arena, &text, err))
		return false;
	if (text.n > GITMODULES_BYTES)
		return err_set(err, ERR_INVALID, ".gitmodules has more than %d bytes",
			       GITMODULES_BYTES);
	if (!gitmodules_parse(text.bytes ? text.bytes : "", text.n, exporting->arena, &modules,
			      err))
		return false;
	for (size_t i = 0; i < exported->submodules.n; i++)
		if (!export_submodule(exporting, place, &modules, &exported->submodules.v[i], err))
			return false;
	return true;
}

static bool describe(struct exporting *exporting, struct git_objects *objects,
		     const struct git_id *commit, struct err *err)
{
	struct git_commit_info *out = exporting->spec->commit;
	unsigned char raw[GIT_ID_RAW];
	struct git_data data;

	if (!out)
		return true;
	git_id_to_raw(commit, raw);
	if (!git_objects_need(objects, raw, GIT_TYPE_COMMIT, exporting->arena, &data, err) ||
	    !git_commit_describe(&data, exporting->arena, out, err))
		return false;
	out->id = *commit;
	return true;
}

static bool export_tree(struct exporting *exporting, const struct git_place *place,
			struct git_repo *repo, struct err *err)
{
	struct git_objects *objects = git_repo_objects(repo);
	struct git_export_result result = { 0 };
	struct git_id root, part;
	unsigned mode = 0;

	if (place->depth == 0 && !describe(exporting, objects, &place->commit, err))
		return false;
	if (!git_tree_of_commit(objects, &place->commit, &root, err) ||
	    !git_find_path(objects, &root, place->sub_path, &part, &mode, err))
		return false;
	if (git_id_is_none(&part))
		return err_set(err, ERR_ABSENT, "commit %s has no folder '%s'", place->commit.hex,
			       place->sub_path);
	if (place->sub_path[0] != '\0' && mode != GIT_MODE_DIR)
		return err_set(err, ERR_INVALID, "'%s' is no folder in commit %s", place->sub_path,
			       place->commit.hex);
	return git_export_tree(objects, &part, place->dest, exporting->arena, &result, err) &&
	       export_submodules(exporting, place, objects, &root, &result, err);
}

static bool export_place(struct exporting *exporting, const struct git_place *place,
			 struct err *err)
{
	const struct source_spec *spec = exporting->spec;
	__attribute__((cleanup(close_repo))) struct git_repo *repo = NULL;
	__attribute__((cleanup(close_wire))) struct git_wire *wire = NULL;
	struct git_revision revision = { .kind = GIT_REVISION_COMMIT,
					 .commit = place->commit,
					 .id = place->commit };
	AUTO_TMPDIR keys = { 0 };

	return access_git(spec->access, place->url, &keys, exporting->arena, &wire, err) &&
	       git_cache_fetch(spec->cache_dir, wire, &revision, &repo, err) &&
	       export_tree(exporting, place, repo, err);
}

/* Pointers stay as they are: what a build makes of them is its own; but somebody should know. */
static bool tell_pointers(const struct source_spec *spec, struct arena *arena, struct err *err)
{
	AUTO_BUF text = BUF_INIT(4096);
	struct strings found;

	if (!spec->notices)
		return true;
	if (!lfs_find(spec->dest, arena, &found, err))
		return false;
	if (found.n == 0)
		return true;
	buf_printf(&text,
		   "Git LFS is not supported: %zu file%s of the source hold%s a pointer instead of "
		   "the content:",
		   found.n, found.n == 1 ? "" : "s", found.n == 1 ? "s" : "");
	for (size_t i = 0; i < found.n && i < NAMED_FILES; i++)
		buf_printf(&text, "%s %.200s", i ? "," : "", found.v[i]);
	if (found.n > NAMED_FILES)
		buf_printf(&text, " and %zu more", found.n - NAMED_FILES);
	vec_push(arena, spec->notices, buf_copy(&text, arena));
	return true;
}

bool source_git_export(const struct source_spec *spec, struct arena *arena, struct err *err)
{
	const struct git_source *git = spec->source->git;
	struct exporting exporting = { .spec = spec, .arena = arena };
	struct git_place place = { .url = git->url, .dest = spec->dest };

	if (!git->revision || !git_id_parse(git->revision, strlen(git->revision), &place.commit))
		return err_set(err, ERR_INVALID, "'%s' is no commit id",
			       git->revision ? git->revision : "");
	return source_sub_path(spec->source->sub_path, arena, &place.sub_path, err) &&
	       export_place(&exporting, &place, err) && tell_pointers(spec, arena, err);
}
