/* SPDX-License-Identifier: Apache-2.0 */
/* context.c — opens the manifests, the settings and the state for the commands. */
#include "reconcile/context.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/source/access.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_history.h"
#include "buildexec/sys/git_url.h"
#include "buildexec/sys/proc.h"
#include "model/base/limits.h"
#include "model/base/time.h"
#include "model/kind/build_config.h"
#include "model/kind/settings.h"
#include "reconcile/secrets.h"

#define SETTINGS_FILE "reconcile.yaml"

enum { OUTPUT_BYTES = 256 << 20 };

int context_fail(const struct err *err, int code)
{
	log_line(LOG_ERROR, "%s", err->text);
	return code;
}

/* A reader that went away is a failure of the result, not of what was done. */
int context_flush(struct context *context, int code)
{
	struct buf *out = &context->out;
	AUTO_BUF clean = BUF_INIT(out->max * 2);
	struct err err = { 0 };

	if (out->is_over) {
		log_line(LOG_ERROR, "the result is longer than %zu bytes", out->max);
		return EXIT_ERROR;
	}
	redact(buf_text(out), out->len, &clean);
	buf_clear(out);
	if (!clean.len || fd_write_all(STDOUT_FILENO, buf_text(&clean), clean.len, &err))
		return code;
	return code == EXIT_DONE ? context_fail(&err, EXIT_ERROR) : code;
}

static bool is_color(const struct options *options, int fd)
{
	const char *none = proc_getenv("NO_COLOR"), *force = proc_getenv("CLICOLOR_FORCE");

	if (options->color && strcmp(options->color, "always") == 0)
		return true;
	if ((options->color && strcmp(options->color, "never") == 0) || (none && *none))
		return false;
	if (force && *force && strcmp(force, "0") != 0)
		return true;
	return isatty(fd);
}

static const char *default_cache(struct arena *arena)
{
	const char *base = proc_getenv("XDG_CACHE_HOME"), *home = proc_getenv("HOME");

	if (base && base[0] == '/')
		return arena_printf(arena, "%s/reconcile", base);
	if (home && home[0] == '/')
		return arena_printf(arena, "%s/.cache/reconcile", home);
	return arena_printf(arena, "/tmp/reconcile-cache-%d", (int)getuid());
}

static const char *path_below(const char *dir, const char *path, struct arena *arena)
{
	return path[0] == '/' ? path : path_join(arena, dir, path);
}

static const char *absolute(const char *path, struct arena *arena)
{
	char here[PATH_MAX];

	if (path[0] == '/' || !getcwd(here, sizeof(here)))
		return path;
	return path_join(arena, here, path);
}

void context_init(struct context *context, const struct command *command,
		  const struct options *options, struct arena *arena)
{
	*context = (struct context){ .arena = arena, .command = command, .options = *options };
	if (options->is_upload_dry_run && !options->dry_run)
		context->options.dry_run = "lookup";
	context->out = BUF_INIT(OUTPUT_BYTES);
	context->with_color = is_color(options, STDOUT_FILENO);
	context->is_terminal = isatty(STDERR_FILENO) && !proc_getenv("CI");
	context->settings = settings_default(arena);
	context->settings_dir = absolute(".", arena);
	context->cache_dir =
		options->cache_dir ? absolute(options->cache_dir, arena) : default_cache(arena);
	context->keys = ARENA_NEW(arena, struct tmpdir);
	if (!options->now || !time_parse(options->now, &context->now_s))
		context->now_s = clock_now_s();
}

void context_release(struct context *context)
{
	if (context->is_state_read)
		state_files_release(&context->state);
	if (context->store)
		store_close(&context->store);
	if (context->logs)
		store_close(&context->logs);
	tmpdir_release(context->keys);
	if (context->is_loaded)
		loaded_release(&context->loaded);
	buf_release(&context->out);
}

/* DIR is the argument of commands that are about no object, and the second one of `why`. */
const char *context_dir(const struct context *context)
{
	const struct command *command = context->command;
	bool is_about_object = command->min_args > 0;

	if (context->options.manifests)
		return context->options.manifests;
	if (!(command->options & (FOR_RUN | FOR_LOAD)) ||
	    context->options.args.n <= is_about_object)
		return ".";
	return context->options.args.v[is_about_object];
}

void context_print_problems(const struct context *context, const struct diags *diags)
{
	const struct diag_style style = { .with_color = is_color(&context->options, STDERR_FILENO),
					  .with_excerpt = true,
					  .hide = redact };
	AUTO_BUF text = BUF_INIT(OUTPUT_BYTES);
	AUTO_BUF harmless = BUF_INIT(2 * OUTPUT_BYTES);
	AUTO_BUF clean = BUF_INIT(2 * OUTPUT_BYTES);
	struct err err = { 0 };

	for (size_t i = 0; i < diags->list.n; i++)
		diag_render(&diags->list.v[i], &style, &text);
	if (diags->n_dropped)
		buf_printf(&text, "and %zu more problems\n", diags->n_dropped);
	hide_commands(buf_text(&text), text.len, &harmless);
	redact(buf_text(&harmless), harmless.len, &clean);
	if (clean.len && !fd_write_all(STDERR_FILENO, buf_text(&clean), clean.len, &err))
		context_fail(&err, EXIT_ERROR);
}

/* Nobody should think that what loads without a word is built as well. */
static void say_exports(const struct model *model)
{
	size_t n_builds = 0;

	for (size_t i = 0; i < model->objects.n; i++)
		n_builds += build_is_export(model->objects.v[i]);
	if (n_builds)
		log_line(LOG_INFO, "%zu build%s made by a cluster and left alone", n_builds,
			 n_builds == 1 ? " was" : "s were");
}

static void say_left_out(const struct context *context)
{
	AUTO_BUF kinds = BUF_INIT(4096);
	const struct map *later = &context->loaded.model.later;
	size_t n_ignored = context->loaded.model.n_ignored;

	for (size_t i = 0; i < later->n; i++)
		buf_printf(&kinds, "%s%s (%zu)", i ? ", " : "", later->items[i].key,
			   (size_t)(uintptr_t)later->items[i].value);
	if (later->n)
		log_line(LOG_INFO, "not reconciled yet: %s", buf_text(&kinds));
	say_exports(&context->loaded.model);
	if (n_ignored)
		log_line(LOG_INFO, "%zu document%s of other kinds %s ignored", n_ignored,
			 n_ignored == 1 ? "" : "s", n_ignored == 1 ? "is" : "are");
	if (context->loaded.dropped)
		log_line(LOG_WARN,
			 "settings of the manifests' folder may not say this, it does not count: "
			 "%s; "
			 "use --settings FILE or the user's settings",
			 context->loaded.dropped);
}

/* Relative paths in settings are below the folder of the file they stand in. */
static const char *settings_dir(const struct context *context)
{
	const struct source_file *file = context->settings->file;
	const char *folder;
	char *slash, *path, real[PATH_MAX];

	if (!file || file->path[0] == '<')
		return context->loaded.dir;
	path = arena_strdup(context->arena, file->path);
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	folder = !slash ? "." : *path ? path : "/";
	return realpath(folder, real) ? arena_strdup(context->arena, real) : context->loaded.dir;
}

static void use_settings(struct context *context)
{
	const struct settings *settings = context->loaded.model.settings;

	context->settings = settings;
	context->settings_dir = settings_dir(context);
	if (settings->cache_dir && !context->options.cache_dir)
		context->cache_dir =
			path_below(context->settings_dir, settings->cache_dir, context->arena);
}

/* $XDG_CONFIG_HOME/reconcile/settings.yaml */
static const char *user_settings(struct arena *arena)
{
	const char *base = proc_getenv("XDG_CONFIG_HOME"), *home = proc_getenv("HOME");

	if (base && base[0] == '/')
		return arena_printf(arena, "%s/reconcile/settings.yaml", base);
	if (home && home[0] == '/')
		return arena_printf(arena, "%s/.config/reconcile/settings.yaml", home);
	return NULL;
}

static int load(struct context *context, const char *path)
{
	const struct load_spec spec = { .path = path,
					.settings = context->options.settings,
					.user = user_settings(context->arena),
					.is_strict = context->options.is_strict };
	struct secrets_spec secrets = { .with_values = context->command->options &
							       (FOR_RUN | FOR_BOM | FOR_IMAGE) &&
						       !context_is_offline(context) };
	struct err err = { 0 };

	if (!load_manifests(&spec, context->arena, &context->loaded, &err))
		return context_fail(&err, EXIT_INVALID);
	context->is_loaded = true;
	secrets.dir = context->loaded.dir;
	secrets.rules = &context->loaded.model.settings->secrets;
	secrets.is_dry_run = (context->options.dry_run && !context->options.is_upload_dry_run) ||
			     context->options.expect_no_changes;
	secrets_read(&secrets, &context->loaded.model, &context->loaded.diags);
	diags_sort(&context->loaded.diags);
	context_print_problems(context, &context->loaded.diags);
	if (context->loaded.diags.n_errors) {
		log_line(LOG_ERROR, "%zu error%s in the manifests", context->loaded.diags.n_errors,
			 context->loaded.diags.n_errors == 1 ? "" : "s");
		return EXIT_INVALID;
	}
	use_settings(context);
	return EXIT_DONE;
}

static int check_now(const struct context *context)
{
	struct err err = { 0 };
	int64_t now_s;

	if (!context->options.now || time_parse(context->options.now, &now_s))
		return EXIT_DONE;
	err_set(&err, ERR_INVALID, "--now takes an RFC 3339 time, not '%s'", context->options.now);
	return context_fail(&err, EXIT_USAGE);
}

int context_load(struct context *context)
{
	int code = check_now(context);

	if (context->is_loaded)
		return context->loaded.diags.n_errors ? EXIT_INVALID : EXIT_DONE;
	if (code != EXIT_DONE)
		return code;
	code = load(context, context_dir(context));
	if (code == EXIT_DONE)
		say_left_out(context);
	return code;
}

/* A path in a repository's configuration is below its work tree, as git takes it. */
static const char *remote_location(const struct git_repo *repo, const char *url,
				   struct arena *arena)
{
	struct git_url parsed;
	struct err err = { 0 };
	const char *base = git_repo_workdir(repo);

	if (url[0] == '/' || strstr(url, "://") || !git_url_parse(url, arena, &parsed, &err) ||
	    parsed.scheme != GIT_SCHEME_LOCAL)
		return url;
	return path_join(arena, base ? base : git_repo_path(repo), url);
}

/* The short name of the branch that HEAD points at. */
static bool find_branch(struct git_repo *repo, struct arena *arena, const char **out,
			struct err *err)
{
	static const char heads[] = "refs/heads/";
	struct strings prefixes = { 0 };
	struct git_refs refs;

	*out = NULL;
	vec_push(arena, &prefixes, "HEAD");
	if (!git_repo_list_refs(repo, &prefixes, arena, &refs, err))
		return false;
	for (size_t i = 0; i < refs.n; i++)
		if (strcmp(refs.v[i].name, "HEAD") == 0 && refs.v[i].target &&
		    strncmp(refs.v[i].target, heads, strlen(heads)) == 0)
			*out = refs.v[i].target + strlen(heads);
	return true;
}

static bool read_home(struct git_repo *repo, struct arena *arena, struct home *out, struct err *err)
{
	const char *origin = NULL;
	struct git_id head;

	if (!git_repo_config(repo, "remote.origin.url", arena, &origin, err) ||
	    !git_repo_is_sparse(repo, &out->is_sparse, err) ||
	    !find_branch(repo, arena, &out->branch, err) ||
	    !git_repo_read_ref(repo, "HEAD", &head, err))
		return false;
	if (!git_id_is_none(&head) &&
	    !git_commit_time(git_repo_objects(repo), &head, &out->commit_s, err))
		return false;
	if (!git_id_is_none(&head))
		out->commit = arena_strdup(arena, head.hex);
	out->url = origin ? remote_location(repo, origin, arena)
			  : arena_strdup(arena, git_repo_path(repo));
	out->path = arena_strdup(arena, git_repo_path(repo));
	if (git_repo_workdir(repo))
		out->top = arena_strdup(arena, git_repo_workdir(repo));
	return true;
}

/* The origin where it has one (CI works on a clone), else the repository itself. */
static bool find_home(struct context *context, struct home *out, struct err *err)
{
	struct git_repo *repo = NULL;
	const char *dir = context->is_loaded ? context->loaded.dir : context_dir(context);
	bool is_done;

	*out = (struct home){ 0 };
	if (!git_repo_open(dir, true, &repo, err)) {
		if (err->kind == ERR_ABSENT)
			err_set(err, ERR_ABSENT,
				"'%s' is in no git repository, so there is no place for state: use "
				"--state URL|PATH",
				dir);
		return false;
	}
	is_done = read_home(repo, context->arena, out, err);
	if (!is_done)
		*out = (struct home){ 0 };
	git_repo_close(&repo);
	return is_done;
}

static bool is_same_server(const char *a, const char *b, struct arena *arena)
{
	struct git_url left, right;
	struct err err = { 0 };

	return git_url_parse(a, arena, &left, &err) && git_url_parse(b, arena, &right, &err) &&
	       git_url_is_same_server(&left, &right);
}

/*
 * --state, else the settings, else home. Settings out of the manifests' folder may be a pull request's: where they lead away
 * from home's server, our login does not go along.
 */
static bool find_state(struct context *context, struct err *err)
{
	const char *said = context->settings->state_repo;
	struct home *home = &context->home;
	bool has_home = find_home(context, home, err);

	context->source_commit = home->commit;
	context->has_state_login = true;
	if (context->options.state) {
		context->state_url = context->options.state;
	} else if (said) {
		struct git_url url;

		context->state_url =
			git_url_parse(said, context->arena, &url, err) &&
					url.scheme == GIT_SCHEME_LOCAL && !strstr(said, "://")
				? path_below(context->settings_dir, said, context->arena)
				: said;
		context->has_state_login =
			context->loaded.has_trusted_settings ||
			(has_home && is_same_server(said, home->url, context->arena));
	} else {
		context->state_url = home->url;
	}
	return context->state_url != NULL;
}

/* RECONCILE_GIT_USERNAME and RECONCILE_GIT_PASSWORD or RECONCILE_GIT_TOKEN belong to the state repository's server only. */
static struct list state_login(const struct context *context)
{
	struct arena *arena = context->arena;
	const char *url = context->state_url;
	const char *user = proc_getenv("RECONCILE_GIT_USERNAME");
	const char *password = proc_getenv("RECONCILE_GIT_PASSWORD");
	const char *token = proc_getenv("RECONCILE_GIT_TOKEN");
	struct request_credential *login = ARENA_NEW(arena, struct request_credential);
	const char *mark = strstr(url, "://");

	if (!mark || (!password && !token))
		return (struct list){ 0 };
	if (!context->has_state_login) {
		log_line(LOG_WARN,
			 "RECONCILE_GIT_… is not sent to %.*s: only the manifests name it; say it "
			 "with "
			 "--state or RECONCILE_STATE",
			 (int)((size_t)(mark - url) + 3 + strcspn(mark + 3, "/")), url);
		return (struct list){ 0 };
	}
	login->server = arena_copy(arena, url, (size_t)(mark - url) + 3 + strcspn(mark + 3, "/"));
	login->user = user ? user : "git";
	login->password = password ? password : token;
	return (struct list){ login, 1 };
}

/* `place` without what is the same for all: cache folder, wire. */
static bool open_store(struct context *context, const struct store_place *what, struct store **out,
		       struct err *err)
{
	static const struct list none;
	const struct list logins = state_login(context);
	const struct access access = { .registries = &none,
				       .credentials = &none,
				       .git_hosts = &context->settings->git,
				       .git_credentials = &logins,
				       .base_dir = context->settings_dir };
	struct git_wire_options *wire = ARENA_NEW(context->arena, struct git_wire_options);
	struct store_place place = *what;

	place.cache_dir = context->cache_dir;
	place.is_offline = context->options.dry_run && context_is_offline(context);
	place.wire = wire;
	return access_git_options(&access, place.url, context->keys, context->arena, wire, err) &&
	       store_open(&place, out, err);
}

bool context_open_branch(struct context *context, const char *url, const char *branch,
			 struct store **out, struct err *err)
{
	return open_store(context,
			  &(struct store_place){ .url = url,
						 .branch = branch,
						 .base = context->home.commit,
						 .what = "branch" },
			  out, err);
}

/*
 * Commands that only look at state read no manifests, but where state is may stand in settings: --settings, the file in this
 * folder, or the user's.
 */
static int load_settings(struct context *context)
{
	const char *path = context->options.settings, *user = user_settings(context->arena);

	if (!path && fs_exists(SETTINGS_FILE))
		path = SETTINGS_FILE;
	if (!path && user && fs_exists(user))
		path = context->options.settings = user;
	return context->is_loaded || !path ? EXIT_DONE : load(context, path);
}

int context_read_state(struct context *context)
{
	const struct options *options = &context->options;
	const struct settings *settings;
	struct err err = { 0 };
	const char *branch;
	int code = check_now(context);

	if (code == EXIT_DONE)
		code = load_settings(context);
	if (code != EXIT_DONE)
		return code;
	settings = context->settings;
	branch = options->state_branch ? options->state_branch : settings->state_branch;
	git_repo_trust_all(options->trust_repos);
	if (!find_state(context, &err))
		return context_fail(&err, EXIT_STATE);
	if (!open_store(context,
			&(struct store_place){ .url = context->state_url, .branch = branch },
			&context->store, &err)) {
		err_prefix(&err, "cannot read state from '%s'", context->state_url);
		return context_fail(&err, EXIT_STATE);
	}
	if (!state_read(context->store, context->arena, &context->state, &err)) {
		err_prefix(&err, "cannot read state from '%s'", context->state_url);
		context_fail(&err, EXIT_STATE);
		if (err.kind == ERR_INVALID)
			log_line(
				LOG_ERROR,
				"nothing was changed; 'git log %s -- FILE' shows what the file was",
				branch);
		return EXIT_STATE;
	}
	context->is_state_read = true;
	return EXIT_DONE;
}

bool context_open_logs(struct context *context, struct err *err)
{
	if (context->logs || strcmp(context->settings->logs, "branch") != 0)
		return true;
	return open_store(context,
			  &(struct store_place){ .url = context->state_url,
						 .branch = "reconcile/logs",
						 .has_no_history = true },
			  &context->logs, err);
}

const char *context_ns(const struct context *context)
{
	if (context->options.all_namespaces)
		return NULL;
	return context->options.ns ? context->options.ns : "default";
}

bool context_is_output(const struct context *context, const char *format)
{
	return context->options.output && strcmp(context->options.output, format) == 0;
}

bool context_is_offline(const struct context *context)
{
	return context->options.offline ||
	       (context->options.dry_run && strcmp(context->options.dry_run, "offline") == 0);
}

const char *context_log_folder(const struct context *context)
{
	const char *logs = context->settings->logs;

	if (strcmp(logs, "branch") == 0 || strcmp(logs, "none") == 0)
		return NULL;
	return path_below(context->settings_dir, logs, context->arena);
}

enum kind command_kind(const struct context *context)
{
	const char *words = context->command->words;

	return kind_by_word(arena_copy(context->arena, words, strcspn(words, " ")));
}
