/* SPDX-License-Identifier: Apache-2.0 */
/* source_git.c — see source_git.h. */
#include "buildexec/source/source_git.h"

#include <string.h>

#include "buildexec/source/git_cache.h"
#include "buildexec/sys/git_export.h"

static bool export_tree(const struct source_spec *spec, struct git_repo *repo,
			const struct git_id *commit, struct arena *arena, struct err *err)
{
	struct git_objects *objects = git_repo_objects(repo);
	struct git_export_result result = { 0 };
	struct git_id tree, part;
	const char *sub_path;
	unsigned mode = 0;

	if (!source_sub_path(spec->source->sub_path, arena, &sub_path, err) ||
	    !git_tree_of_commit(objects, commit, &tree, err) ||
	    !git_find_path(objects, &tree, sub_path, &part, &mode, err))
		return false;
	if (git_id_is_none(&part))
		return err_set(err, ERR_ABSENT, "commit %s has no folder '%s'", commit->hex,
			       sub_path);
	if (sub_path[0] != '\0' && mode != GIT_MODE_DIR)
		return err_set(err, ERR_INVALID, "'%s' is no folder in commit %s", sub_path,
			       commit->hex);
	return git_export_tree(objects, &part, spec->dest, arena, &result, err);
}

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

bool source_git_export(const struct source_spec *spec, struct arena *arena, struct err *err)
{
	const struct git_source *git = spec->source->git;
	__attribute__((cleanup(close_repo))) struct git_repo *repo = NULL;
	__attribute__((cleanup(close_wire))) struct git_wire *wire = NULL;
	struct git_revision revision = { .kind = GIT_REVISION_COMMIT };
	AUTO_TMPDIR keys = { 0 };

	if (git->has_submodules)
		return err_set(err, ERR_INVALID, "git submodules are not supported yet");
	if (!git_id_parse(git->revision, strlen(git->revision), &revision.commit))
		return err_set(err, ERR_INVALID, "'%s' is no commit id", git->revision);
	revision.id = revision.commit;
	return access_git(spec->access, git->url, &keys, arena, &wire, err) &&
	       git_cache_fetch(spec->cache_dir, wire, &revision, &repo, err) &&
	       export_tree(spec, repo, &revision.commit, arena, err);
}
