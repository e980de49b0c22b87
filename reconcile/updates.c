/* SPDX-License-Identifier: Apache-2.0 */
/* updates.c — see updates.h. */
#include "reconcile/updates.h"

#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_repo.h"
#include "buildexec/sys/git_url.h"
#include "model/base/limits.h"
#include "model/kind/settings.h"

enum { DIFF_STEPS = 200, DIFF_CONTEXT = 1 };

struct map updates_diffs(const struct plan *plan, struct arena *arena)
{
	struct map diffs = { 0 };

	for (size_t i = 0; i < plan->steps.n && diffs.n < DIFF_STEPS; i++) {
		const struct step *step = plan->steps.v[i];
		AUTO_BUF text = BUF_INIT(LIMIT_FILE_BYTES);
		struct edit_set set;

		if (step->blocked || !step->edits.n)
			continue;
		edits_collect(plan, step, arena, &set);
		edits_diff(&set, DIFF_CONTEXT, &text);
		for (size_t k = 0; k < set.problems.n; k++)
			buf_printf(&text, "cannot be edited: %s\n", set.problems.v[k]);
		map_set(arena, &diffs, step->id, buf_copy(&text, arena));
	}
	return diffs;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static bool say_problems(const struct edit_set *set)
{
	for (size_t i = 0; i < set->problems.n; i++)
		log_line(LOG_ERROR, "an edit is not made: %s", set->problems.v[i]);
	return set->problems.n == 0;
}

static bool has_end(const char *text, const char *end)
{
	size_t n = strlen(text), n_end = strlen(end);

	return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* As git refuses it: the files and the index would not be those of the branch any more. */
static bool check_not_checked_out(const char *url, const char *branch, struct arena *arena,
				  struct err *err)
{
	struct strings prefixes = { 0 };
	struct git_repo *repo = NULL;
	struct git_refs refs = { 0 };
	struct git_url parsed;
	const char *head = arena_printf(arena, "refs/heads/%s", branch), *workdir = NULL;
	struct err ignored = { 0 };
	bool is_local =
		git_url_parse(url, arena, &parsed, &ignored) && parsed.scheme == GIT_SCHEME_LOCAL;

	if (!is_local || !git_repo_open(parsed.path, false, &repo, &ignored))
		return true;
	vec_push(arena, &prefixes, "HEAD");
	workdir = arena_strdup(arena, git_repo_workdir(repo));
	if (!workdir && has_end(git_repo_path(repo), "/.git")) /* opened by that name */
		workdir = arena_strdup(arena, git_repo_path(repo));
	if (!git_repo_list_refs(repo, &prefixes, arena, &refs, &ignored))
		refs.n = 0;
	git_repo_close(&repo);
	for (size_t i = 0; workdir && i < refs.n; i++)
		if (strcmp(refs.v[i].name, "HEAD") == 0 && refs.v[i].target &&
		    strcmp(refs.v[i].target, head) == 0)
			return err_set(
				err, ERR_INVALID,
				"the branch '%s' is checked out in '%s': say another one with "
				"updates.branch in the settings, or use --write=files",
				branch, workdir);
	return true;
}

static const struct signer *signer_of(const struct context *context)
{
	const struct settings_updates *updates = &context->settings->updates;
	struct signer *signer;

	if (!updates->sign_method || !updates->sign_key)
		return NULL;
	signer = ARENA_NEW(context->arena, struct signer);
	signer->method = strcmp(updates->sign_method, "gpg") == 0 ? SIGN_GPG : SIGN_SSH;
	signer->key = updates->sign_key;
	if (signer->method == SIGN_SSH && signer->key[0] != '/')
		signer->key = path_join(context->arena, context->settings_dir, signer->key);
	return signer;
}

static bool commit(struct context *context, const struct updates_spec *spec,
		   const struct edit_set *set, struct err *err)
{
	const struct settings_updates *updates = &context->settings->updates;
	const struct home *home = &context->home;
	const char *branch = updates->branch ? updates->branch : home->branch;
	const char *url = updates->is_pushed ? home->url : home->path;
	bool has_author = updates->author_name && updates->author_email;
	struct edits_commit how = {
		.branch = branch,
		.workdir = home->top,
		.message = updates->message,
		.author_name = has_author ? updates->author_name : spec->author_name,
		.author_email = has_author ? updates->author_email : spec->author_email,
		.run_id = spec->run_id,
		.source_commit = context->source_commit,
		.signer = signer_of(context),
		.now_s = context->options.now ? context->now_s : 0,
		.retries = context->settings->push_retries,
	};
	bool made, is_done;

	if (!url || !home->top)
		return err_set(err, ERR_INVALID,
			       "the manifests are in no work tree of a git repository: use "
			       "--write=files");
	if (!branch)
		return err_set(err, ERR_INVALID,
			       "no branch is checked out: say which one with updates.branch in the "
			       "settings");
	if (!check_not_checked_out(url, branch, context->arena, err) ||
	    !context_open_branch(context, url, branch, &how.store, err))
		return false;
	store_sweep(how.store);
	is_done = edits_commit(set, &how, context->arena, &made, err);
	if (is_done && made)
		log_line(LOG_INFO, "%zu edit%s committed to '%s': %.7s", set->n_edits,
			 plural(set->n_edits), branch, store_commit_id(how.store)->hex);
	else if (is_done)
		log_line(LOG_INFO, "the edits are on the branch '%s' already", branch);
	store_close(&how.store);
	return is_done;
}

bool updates_write(struct context *context, const struct updates_spec *spec)
{
	const char *mode =
		context->options.write ? context->options.write : context->settings->updates.write;
	struct err err = { 0 };
	struct edit_set set;

	edits_collect(spec->plan, NULL, context->arena, &set);
	if (!set.n_edits && !set.problems.n)
		return true;
	if (strcmp(mode, "none") == 0) {
		log_line(LOG_INFO,
			 "%zu edit%s not written: --write=files writes in place, --write=commit to "
			 "the manifests' repository",
			 set.n_edits, set.n_edits == 1 ? " is" : "s are");
		return true;
	}
	if (strcmp(mode, "files") == 0) {
		edits_write(&set, context->arena);
		if (set.files.n)
			log_line(LOG_INFO, "%zu edit%s written to %zu file%s", set.n_edits,
				 plural(set.n_edits), set.files.n, plural(set.files.n));
		return say_problems(&set);
	}
	if (set.files.n && !commit(context, spec, &set, &err)) {
		log_line(LOG_ERROR, "edits are not committed: %s", err.text);
		say_problems(&set);
		return false;
	}
	return say_problems(&set);
}
