/* SPDX-License-Identifier: Apache-2.0 */
/* git_answer.c — one repository, one revision. */
#include "reconcile/observe/git_answer.h"

#include <string.h>

#include "buildexec/source/git_cache.h"
#include "buildexec/sys/git_export.h"

static const enum git_ref_type ref_types[] = {
	[GIT_REVISION_NONE] = GIT_UNKNOWN,
	[GIT_REVISION_BRANCH] = GIT_BRANCH,
	[GIT_REVISION_TAG] = GIT_TAG,
	[GIT_REVISION_COMMIT] = GIT_COMMIT,
};

/* The revision asked for; without one, the two usual names of a main branch. */
static bool resolve(struct git_wire *wire, const char *revision, struct arena *arena,
		    struct git_revision *out, struct err *err)
{
	static const char *const usual[] = { "master", "main" };

	if (revision)
		return git_wire_resolve(wire, revision, arena, out, err);
	for (size_t i = 0; i < COUNTOF(usual); i++) {
		if (!git_wire_resolve(wire, usual[i], arena, out, err))
			return false;
		if (out->kind != GIT_REVISION_NONE)
			return true;
	}
	return true;
}

static bool read_trees(const struct git_question *question, struct git_wire *wire,
		       const struct git_revision *revision, struct arena *arena, struct fact *out,
		       struct err *err)
{
	const struct query *query = question->query;
	struct git_repo *repo = NULL;
	struct git_id root, tree;
	bool is_done;

	if (!git_cache_fetch(question->cache_dir, wire, revision, &repo, err))
		return false;
	is_done = git_tree_of_commit(git_repo_objects(repo), &revision->commit, &root, err);
	for (size_t i = 0; is_done && i < query->sub_paths.n; i++) {
		const char *path = query->sub_paths.v[i];

		is_done = git_find_path(git_repo_objects(repo), &root, path, &tree, NULL, err);
		if (is_done && !git_id_is_none(&tree))
			vec_push(arena, &out->trees,
				 (struct pair){ path, arena_strdup(arena, tree.hex), { 0 } });
	}
	git_repo_close(&repo);
	return is_done;
}

static bool ask(const struct git_question *question, struct git_wire *wire, struct arena *arena,
		struct fact *out, struct err *err)
{
	const struct query *query = question->query;
	struct git_revision revision = { 0 };

	if (!resolve(wire, query->revision, arena, &revision, err))
		return false;
	if (revision.kind == GIT_REVISION_NONE)
		return err_set(err, ERR_ABSENT, "no branch or tag of that name, and no commit id");
	out->commit = arena_strdup(arena, revision.commit.hex);
	out->ref_name = revision.ref;
	out->ref_type = ref_types[revision.kind];
	if (!query->sub_paths.n ||
	    (query->known_commit && strcmp(query->known_commit, out->commit) == 0))
		return true;
	return read_trees(question, wire, &revision, arena, out, err);
}

bool answer_git(const struct git_question *question, struct arena *arena, struct fact *out,
		struct err *err)
{
	const struct query *query = question->query;
	AUTO_TMPDIR keys = { 0 };
	struct git_wire *wire = NULL;
	bool is_done;

	is_done = access_git(question->access, query->url, &keys, arena, &wire, err) &&
		  ask(question, wire, arena, out, err);
	git_wire_close(&wire);
	return is_done || err_prefix(err, "cannot resolve '%s' of %s",
				     query->revision ? query->revision : "master", query->url);
}
