/* SPDX-License-Identifier: Apache-2.0 */
/* start.c — see start.h. What is sent along stays where it lies: the worker of this run reads it there. */
#include "reconcile/start.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/source/source.h"
#include "buildexec/sys/git_repo.h"
#include "buildexec/sys/log.h"
#include "model/kind/build_name.h"
#include "reconcile/plan/build_trigger.h"

/* The options that bring a source. */
static unsigned n_sent(const struct start_options *options)
{
	const char *const given[] = { options->from_dir, options->from_archive, options->from_file,
				      options->from_repo };
	unsigned n = 0;

	for (size_t i = 0; i < COUNTOF(given); i++)
		n += given[i] != NULL;
	return n;
}

bool start_options_check(const struct start_options *options, bool has_name, struct err *err)
{
	if (n_sent(options) > 1)
		return err_set(err, ERR_INVALID,
			       "only one of --from-file, --from-repo, --from-archive or --from-dir "
			       "may be specified");
	if (options->from_build && n_sent(options))
		return err_set(err, ERR_INVALID,
			       "cannot use '--from-build' flag with binary builds");
	if (options->from_build && (options->commit || options->incremental || options->no_cache))
		return err_set(err, ERR_INVALID,
			       "a build that is run again is what it was: '--from-build' goes with "
			       "--env and --build-arg alone");
	if (options->commit && n_sent(options) && !options->from_repo)
		return err_set(
			err, ERR_INVALID,
			"--commit is a commit of a git repository: with a source that is sent "
			"it goes with --from-repo alone");
	return has_name || options->from_build ||
	       err_set(err, ERR_INVALID,
		       "must pass a name of a build config or specify build name with "
		       "'--from-build' flag");
}

/* ---- variables ---- */

static bool add_variable(const char *text, const char *option, struct arena *arena,
			 struct env_var *out, struct err *err)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return err_set(err, ERR_INVALID, "%s takes NAME=VALUE, not '%s'", option, text);
	*out = (struct env_var){ .name = arena_copy(arena, text, (size_t)(equals - text)),
				 .value = equals + 1 };
	return true;
}

static bool read_variables(const struct strings *words, const char *option, struct arena *arena,
			   struct list *out, struct err *err)
{
	struct env_var *all = arena_array(arena, words->n, sizeof(*all));

	for (size_t i = 0; i < words->n; i++)
		if (!add_variable(words->v[i], option, arena, &all[i], err))
			return false;
	*out = (struct list){ all, words->n };
	return true;
}

/* ---- the source that is sent ---- */

static bool real_path(const char *path, struct arena *arena, const char **out, struct err *err)
{
	char real[PATH_MAX];

	if (strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0)
		return err_set(err, ERR_INVALID,
			       "'%s' is not taken from the network: fetch it first", path);
	if (strcmp(path, "-") == 0)
		return err_set(err, ERR_INVALID, "standard input is not supported as a source");
	if (!realpath(path, real))
		return err_set(err, ERR_ABSENT, "stat %s: no such file or directory", path);
	*out = arena_strdup(arena, real);
	return true;
}

static bool take(struct build_starter *starter, const char *path, struct arena *arena,
		 struct err *err)
{
	struct local_source local = { .path = path };
	const struct source source = { .local = &local };
	struct digest digest;

	if (!source_local_content(&source, "/", &digest, err))
		return false;
	starter->binary.path = path;
	starter->binary.content = arena_strdup(arena, digest.text);
	starter->start.binary = &starter->binary;
	return true;
}

static bool take_dir(struct build_starter *starter, const char *given, struct arena *arena,
		     struct err *err)
{
	const char *path;

	if (!real_path(given, arena, &path, err))
		return false;
	if (!fs_is_dir(path))
		return err_set(err, ERR_INVALID,
			       "'%s' is no folder; an archive is sent with --from-archive", given);
	log_line(LOG_INFO, "Uploading directory \"%s\" as binary input for the build ...", given);
	return take(starter, path, arena, err);
}

static bool take_file(struct build_starter *starter, const char *given, bool is_archive,
		      struct arena *arena, struct err *err)
{
	const char *path;

	if (!real_path(given, arena, &path, err))
		return false;
	if (fs_is_dir(path))
		return err_set(err, ERR_INVALID, "'%s' is a folder; it is sent with --from-dir",
			       given);
	if (!is_archive)
		starter->binary.as_file = strrchr(given, '/') ? strrchr(given, '/') + 1 : given;
	log_line(LOG_INFO, "Uploading %s \"%s\" as binary input for the build ...",
		 is_archive ? "archive file" : "file", given);
	return take(starter, path, arena, err);
}

/* HEAD, a branch, a tag or a commit of a repository on this machine. */
static bool find_commit(struct git_repo *repo, const char *revision, struct arena *arena,
			const char **out, struct err *err)
{
	struct git_wire_options options = { 0 };
	struct git_revision found = { 0 };
	struct git_wire *wire = NULL;
	struct git_id head;
	bool is_done;

	if (!revision || strcmp(revision, "HEAD") == 0) {
		if (!git_repo_read_ref(repo, "HEAD", &head, err))
			return false;
		*out = arena_strdup(arena, head.hex);
		return *head.hex || err_set(err, ERR_ABSENT, "it has no commit yet");
	}
	is_done = git_wire_open(git_repo_path(repo), &options, &wire, err) &&
		  git_wire_resolve(wire, revision, arena, &found, err);
	git_wire_close(&wire);
	*out = arena_strdup(arena, found.commit.hex);
	return is_done &&
	       (found.kind != GIT_REVISION_NONE ||
		err_set(err, ERR_ABSENT,
			"it has no branch, tag or commit '%s' (a commit by all of its 40 "
			"digits)",
			revision));
}

static bool export_commit(struct build_starter *starter, const struct context *context,
			  const struct git_repo *repo, const char *commit, struct err *err)
{
	struct git_source git = { .url = git_repo_path(repo), .revision = commit };
	const struct source source = { .git = &git };
	const struct list none = { 0 };
	const struct access access = { .registries = &none,
				       .credentials = &none,
				       .git_hosts = &none,
				       .git_credentials = &none,
				       .base_dir = "/" };
	const char *base = path_join(context->arena, context->cache_dir, "tmp");
	struct source_spec spec = { .source = &source,
				    .access = &access,
				    .cache_dir = context->cache_dir,
				    .uid = getuid(),
				    .gid = getgid() };

	if (!fs_make_dirs(base, 0700, err) ||
	    !tmpdir_make(base, "reconcile-start", &starter->source, err))
		return false;
	spec.dest = path_join(context->arena, starter->source.path, "source");
	return fs_make_dirs(spec.dest, 0755, err) &&
	       source_materialise(&spec, context->arena, err) &&
	       take(starter, spec.dest, context->arena, err);
}

static bool take_repo(struct build_starter *starter, const struct context *context, struct err *err)
{
	const struct start_options *options = starter->options;
	struct git_repo *repo = NULL;
	const char *path, *commit = NULL;
	bool is_done;

	if (!real_path(options->from_repo, context->arena, &path, err))
		return false;
	if (!git_repo_open(path, true, &repo, err))
		return err_prefix(err, "the directory \"%s\" is not a valid Git repository",
				  options->from_repo);
	is_done = find_commit(repo, options->commit, context->arena, &commit, err);
	if (is_done) {
		log_line(LOG_INFO,
			 "Uploading \"%s\" at commit \"%s\" as binary input for the build ...",
			 options->from_repo, commit);
		is_done = export_commit(starter, context, repo, commit, err);
	}
	git_repo_close(&repo);
	return is_done || err_prefix(err, "--from-repo '%s'", options->from_repo);
}

static bool take_source(struct build_starter *starter, const struct context *context,
			struct err *err)
{
	const struct start_options *options = starter->options;

	if (options->from_dir)
		return take_dir(starter, options->from_dir, context->arena, err);
	if (options->from_archive || options->from_file)
		return take_file(starter,
				 options->from_archive ? options->from_archive : options->from_file,
				 options->from_archive != NULL, context->arena, err);
	if (options->from_repo)
		return take_repo(starter, context, err);
	starter->start.commit = options->commit;
	return true;
}

/* ---- a build that is run again ---- */

static bool no_build(const char *name, struct err *err)
{
	return err_set(err, ERR_ABSENT, "builds.build.openshift.io \"%s\" not found", name);
}

/* By its name alone, which a long name of its build config is not all of. */
static bool find_build(const struct build_starter *starter, const struct context *context,
		       const char **config, int64_t *number, struct err *err)
{
	const struct map *all = &context->state.state.by_id;
	const char *name = starter->options->from_build;

	for (size_t i = 0; i < all->n; i++) {
		const struct state_entry *entry = all->items[i].value;
		const struct build_config_status *status = entry->status;

		if (entry->kind != KIND_BUILD_CONFIG || strcmp(entry->ns, starter->ns) != 0)
			continue;
		for (size_t k = 0; k < status->history.n; k++) {
			int64_t n = LIST_AT(status->history, struct bc_history_entry, k)->number;
			const char *suffix = arena_printf(context->arena, "%lld", (long long)n);

			if (strcmp(build_name(entry->name, suffix, context->arena), name) != 0)
				continue;
			*config = entry->name;
			*number = n;
			return true;
		}
	}
	return no_build(name, err);
}

static bool read_clone(struct build_starter *starter, const struct context *context,
		       struct err *err)
{
	struct bc_build *build = ARENA_NEW(context->arena, struct bc_build);
	struct node *document;
	const char *config = NULL, *path;
	int64_t number = 0;

	if (!find_build(starter, context, &config, &number, err))
		return false;
	path = bc_build_path(KIND_BUILD_CONFIG, starter->ns, config, number, context->arena);
	if (!state_read_record(context->store, path, context->arena, &document, err))
		return false;
	if (!document)
		return no_build(starter->options->from_build, err);
	if (!bc_build_read(document, context->arena, build, err))
		return err_prefix(err, "'%s'", path);
	if (build->spec.common.source.binary)
		return err_set(
			err, ERR_INVALID,
			"build %s/%s has no valid source inputs and '--from-build' cannot be "
			"used for binary builds",
			starter->ns, build->name);
	starter->name = config;
	starter->start.clone = build;
	return true;
}

/* ---- all of it ---- */

bool starter_find(const struct build_starter *starter, const struct model *model,
		  const struct object **out, struct err *err)
{
	VEC(const char *) names = { 0 };
	struct arena *arena = arena_new();
	const char *near;

	*out = model_find(model, KIND_BUILD_CONFIG, starter->ns, starter->name);
	for (size_t i = 0; i < model->objects.n; i++)
		if (model->objects.v[i]->kind == KIND_BUILD_CONFIG &&
		    strcmp(model->objects.v[i]->meta.ns, starter->ns) == 0)
			vec_push(arena, &names, model->objects.v[i]->meta.name);
	near = *out ? NULL : suggest(starter->name, names.v, names.n);
	if (!*out)
		err_set(err, ERR_ABSENT, "buildconfigs.build.openshift.io \"%s\" not found%s%s%s",
			starter->name, near ? "; did you mean \"" : "", near ? near : "",
			near ? "\"?" : "");
	arena_free(arena);
	return *out;
}

static bool check_config(const struct build_starter *starter, struct err *err)
{
	const struct start_options *options = starter->options;
	const struct build_config_spec *spec = starter->config->spec;
	const struct bc_build *clone = starter->start.clone;
	const struct build_common *common = clone ? &clone->spec.common : &spec->common;

	if (build_config_is_paused(&starter->config->meta))
		return err_set(err, ERR_INVALID,
			       "can't instantiate from BuildConfig %s/%s: BuildConfig is paused",
			       starter->ns, starter->name);
	if ((options->build_args.n || options->no_cache) && !common->strategy.docker)
		return err_set(
			err, ERR_INVALID,
			"cannot specify Docker build specific options on %s/%s, not a Docker "
			"build",
			starter->ns, starter->name);
	if (options->incremental && !common->strategy.source)
		return err_set(
			err, ERR_INVALID,
			"cannot specify Source build specific options on %s/%s, not a Source "
			"build",
			starter->ns, starter->name);
	if (options->commit && !options->from_repo && !common->source.git)
		return err_set(
			err, ERR_INVALID,
			"--commit needs a build config with a git source, and %s/%s has none",
			starter->ns, starter->name);
	if (common->source.binary && !n_sent(options))
		return err_set(
			err, ERR_INVALID,
			"build configuration %s/%s has no valid source inputs, if this is a "
			"binary build you must specify one of '--from-dir', '--from-archive', "
			"'--from-repo', or '--from-file'",
			starter->ns, starter->name);
	return true;
}

bool starter_make(struct build_starter *starter, struct context *context, struct err *err)
{
	const struct start_options *options = starter->options;
	struct build_start *start = &starter->start;

	if ((options->from_build && !read_clone(starter, context, err)) ||
	    !starter_find(starter, &context->loaded.model, &starter->config, err) ||
	    !check_config(starter, err) ||
	    !read_variables(&options->env, "--env", context->arena, &start->env, err) ||
	    !read_variables(&options->build_args, "--build-arg", context->arena, &start->build_args,
			    err) ||
	    !take_source(starter, context, err))
		return false;
	start->id = starter->config->id;
	start->has_incremental = options->incremental != NULL;
	start->is_incremental = options->incremental && strcmp(options->incremental, "true") == 0;
	start->has_uncached = options->no_cache != NULL;
	start->is_uncached = options->no_cache && strcmp(options->no_cache, "true") == 0;
	starter->starts = (struct list){ start, 1 };
	return true;
}

void starter_release(struct build_starter *starter)
{
	tmpdir_release(&starter->source);
}

void starter_announce(struct build_starter *starter, const struct bc_build *build)
{
	struct arena *arena = arena_new();
	const char *line = arena_printf(arena, "build.build.openshift.io/%s%s\n", build->name,
					starter->is_name_alone ? "" : " started");
	struct err ignored = { 0 };

	/* Whoever reads it may follow the build: it does not wait for the end. */
	if (!starter->is_announced && !fd_write_all(STDOUT_FILENO, line, strlen(line), &ignored))
		log_line(LOG_DEBUG, "nobody reads the name of the build");
	starter->is_announced = true;
	arena_free(arena);
}
