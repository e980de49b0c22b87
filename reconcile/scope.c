/* SPDX-License-Identifier: Apache-2.0 */
/* scope.c — names for repositories, paths below their tops, and a look at manifests that this run did not load. */
#include "reconcile/scope.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_history.h"
#include "buildexec/sys/git_url.h"

enum { HOST_BYTES = 256 };

/* Of this machine, so that the same path elsewhere is another place. */
static const char *local_name(const char *path, struct arena *arena)
{
	char host[HOST_BYTES] = "", real[PATH_MAX];
	size_t n;

	if (gethostname(host, sizeof(host) - 1) < 0 || !realpath(path, real))
		return NULL;
	n = strlen(real);
	if (n > strlen("/.git") && strcmp(real + n - strlen("/.git"), "/.git") == 0)
		real[n - strlen("/.git")] = '\0';
	return arena_printf(arena, "file://%s%s", host, real);
}

/* NULL: none that is the same tomorrow. Never with a user or a password. */
static const char *repo_name(const char *url, struct arena *arena)
{
	struct git_url parsed;
	struct err err = { 0 };

	if (!url || !git_url_parse(url, arena, &parsed, &err))
		return NULL;
	return parsed.scheme == GIT_SCHEME_LOCAL ? local_name(parsed.path, arena) : parsed.identity;
}

/* `path` below `top`, both absolute and without links; NULL when it is not. */
static const char *below(const char *top, const char *path)
{
	size_t n = strcmp(top, "/") == 0 ? 0 : strlen(top);

	if (strncmp(top, path, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path[n] ? path + n + 1 : path + n;
}

static void name_place(struct context *context, struct scope *out)
{
	const struct loaded *loaded = &context->loaded;
	const char *own = repo_name(context->home.url, context->arena);
	const char *state = repo_name(context->state_url, context->arena);
	char top[PATH_MAX];

	if (!context->home.top) {
		out->repo = local_name(loaded->dir, context->arena);
		out->folder = out->repo ? below(loaded->dir, loaded->place) : NULL;
		return;
	}
	if (!own || !realpath(context->home.top, top))
		return;
	out->folder = below(arena_strdup(context->arena, top), loaded->place);
	out->repo = state && strcmp(own, state) == 0 ? NULL : own;
}

/* What the manifests at `path` declare; what cannot be read declares nothing. */
static bool look_into(const struct context *context, const char *path, struct loaded *out)
{
	const struct load_spec spec = { .path = path };
	struct err err = { 0 };

	return load_manifests(&spec, context->arena, out, &err);
}

/* Recorded to be declared outside of what was loaded: is it still? */
static void check_recorded(struct context *context, const struct state_entry *entry,
			   struct scope *out)
{
	const char *path = path_join(context->arena, context->home.top, entry->origin.manifest);
	struct loaded there;

	if (!look_into(context, path, &there))
		return;
	if (map_has(&there.model.by_id, entry->id))
		map_set(context->arena, &out->elsewhere, entry->id,
			(void *)(uintptr_t)entry->origin.manifest);
	loaded_release(&there);
}

/* Those whose manifests are gone from here: were they moved to where another job loads them? */
static void find_moved(struct context *context, const struct strings *ids, struct scope *out)
{
	struct loaded all;

	if (!ids->n || !*out->folder || !look_into(context, context->home.top, &all))
		return;
	for (size_t i = 0; i < ids->n; i++) {
		const struct object *object = map_get(&all.model.by_id, ids->v[i]);
		const char *path = object ? below(all.shown, object->file->path) : NULL;

		if (path)
			map_set(context->arena, &out->elsewhere, ids->v[i],
				arena_strdup(context->arena, path));
	}
	loaded_release(&all);
}

/*
 * Are our manifests of an older commit than what was recorded? Where the repository has both: an ancestor is. Where a clone
 * does not reach that far: the one that was committed earlier; but a dry run is often of a branch that only wants to be merged.
 */
static bool is_older(const struct context *context, struct git_repo *repo,
		     const struct origin *recorded)
{
	const struct home *home = &context->home;
	struct git_id ours, theirs;
	struct err err = { 0 };
	bool is_ancestor;

	if (git_id_parse(home->commit, strlen(home->commit), &ours) &&
	    git_id_parse(recorded->source, strlen(recorded->source), &theirs) &&
	    git_is_ancestor(git_repo_objects(repo), &ours, &theirs, &is_ancestor, &err))
		return is_ancestor;
	log_line(LOG_DEBUG, "compared by time with the manifests of %.7s: %s", recorded->source,
		 err.text);
	return !context->options.dry_run && !context->options.expect_no_changes && home->commit_s &&
	       recorded->source_s > home->commit_s;
}

/* Each recorded commit is judged once. */
static void find_newer(struct context *context, struct scope *out)
{
	const struct map *recorded = &context->state.state.by_id;
	struct map judged = { 0 };
	struct git_repo *repo = NULL;
	struct err err = { 0 };

	for (size_t i = 0; i < recorded->n; i++) {
		const struct state_entry *entry = recorded->items[i].value;
		const struct origin *origin = &entry->origin;

		if (!origin->source || !scope_has_repo(out, origin) ||
		    strcmp(origin->source, out->source) == 0 || map_has(&judged, origin->source))
			continue;
		if (!repo && !git_repo_open(context->home.path, false, &repo, &err)) {
			log_line(LOG_DEBUG, "commits are not compared: %s", err.text);
			return;
		}
		map_set(context->arena, &judged, origin->source, out);
		if (is_older(context, repo, origin))
			map_set(context->arena, &out->newer, origin->source, out);
	}
	git_repo_close(&repo);
	for (size_t i = 0; i < recorded->n && out->newer.n && !out->is_outdated; i++) {
		const struct state_entry *entry = recorded->items[i].value;

		out->is_outdated =
			scope_holds(out, &entry->origin) && scope_is_older(out, &entry->origin);
	}
}

void scope_make(struct context *context, struct scope *out)
{
	const struct loaded *loaded = &context->loaded;
	const struct map *recorded = &context->state.state.by_id;
	struct strings gone = { 0 };

	*out = (struct scope){ .shown = loaded->shown,
			       .is_partial = loaded->is_partial || loaded->diags.n_errors ||
					     context->home.is_sparse };
	if (loaded->place)
		name_place(context, out);
	if (!out->folder || !context->home.top)
		return;
	out->source = context->home.commit;
	out->source_s = context->home.commit_s;
	if (out->source && !context->options.allow_rollback)
		find_newer(context, out);
	for (size_t i = 0; i < recorded->n; i++) {
		const struct state_entry *entry = recorded->items[i].value;
		bool is_loaded = map_has(&loaded->model.by_id, entry->id);

		if (!is_loaded && scope_holds(out, &entry->origin))
			vec_push(context->arena, &gone, entry->id);
		else if (is_loaded && scope_has_repo(out, &entry->origin) &&
			 !scope_holds(out, &entry->origin))
			check_recorded(context, entry, out);
	}
	find_moved(context, &gone, out);
}
