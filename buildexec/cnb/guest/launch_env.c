/* SPDX-License-Identifier: Apache-2.0 */
/* launch_env.c — what layers bring to a process: folders, env files, exec.d programs, profile scripts. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/cnb/guest/env_dir.h"
#include "buildexec/cnb/guest/io.h"
#include "buildexec/cnb/guest/launcher.h"
#include "buildexec/cnb/guest/spawn.h"
#include "model/base/limits.h"
#include "model/doc/toml.h"

bool launch_fail(struct err *err, int sys, const char *what, ...)
{
	const char *reason = strerror(sys);
	char text[PATH_MAX + 64];
	va_list args;

	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	return err_set(err, ERR_SYSTEM, "%s: %c%s", text, tolower((unsigned char)reason[0]),
		       reason + 1);
}

typedef bool layer_fn(struct launch *launch, const char *layer, const char *type, void *out,
		      struct err *err);

/* Those of metadata.toml were checked when it was read. */
static struct api api_of(const struct bp_element *buildpack)
{
	struct api api;

	return api_parse(buildpack->api, &api) ? api : (struct api){ 0 };
}

/* All layers of one buildpack, in name order. */
static bool each_layer(struct launch *launch, const struct bp_element *buildpack, layer_fn *visit,
		       const char *type, void *out, struct err *err)
{
	const char *dir =
		io_join(launch->arena, launch->layers, bp_folder(buildpack->id, launch->arena));
	struct io_entries entries;

	if (!io_list(dir, launch->arena, &entries, err))
		return false;
	for (size_t i = 0; i < entries.n; i++)
		if (entries.v[i].is_dir &&
		    !visit(launch, io_join(launch->arena, dir, entries.v[i].name), type, out, err))
			return false;
	return true;
}

static bool add_roots(struct launch *launch, const char *layer, const char *type, void *out,
		      struct err *err)
{
	(void)type;
	(void)out;
	return env_dir_apply_roots(&launch->env, layer, env_launch_roots, err);
}

static bool add_files(struct launch *launch, const char *layer, const char *type, void *out,
		      struct err *err)
{
	const char *launch_dir = io_join(launch->arena, layer, "env.launch");
	const enum env_default *when_plain = out;

	if (!env_dir_apply(&launch->env, io_join(launch->arena, layer, "env"), *when_plain, err) ||
	    !env_dir_apply(&launch->env, launch_dir, *when_plain, err))
		return false;
	return !*type || env_dir_apply(&launch->env, io_join(launch->arena, launch_dir, type),
				       *when_plain, err);
}

static bool read_pipe(int fd, struct buf *out)
{
	char block[4096];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		buf_add(out, block, (size_t)n);
	}
	return !out->is_over;
}

static bool set_variables(struct launch *launch, const struct buf *text, struct err *err)
{
	struct node *tree;

	if (!toml_parse(buf_text(text), text->len, launch->arena, &tree, err))
		return false;
	for (const struct node *var = tree->first; var; var = var->next)
		if (var->kind != NODE_STRING || strlen(var->text) != var->len)
			return err_set(err, ERR_INVALID,
				       "line %u, column %u: variable '%s' must be a text",
				       var->pos.line, var->pos.column, var->key);
	for (const struct node *var = tree->first; var; var = var->next)
		vars_set(&launch->env, var->key, var->text);
	return true;
}

/* Runs one exec.d program; what it writes to descriptor 3 are variables. */
static bool run_exec_d(struct launch *launch, char *path, struct err *err)
{
	char *argv[] = { path, NULL };
	struct child_spec spec = { .argv = argv,
				   .env = env_list(&launch->env, launch->arena),
				   .out_fd = -1 };
	AUTO_BUF text = BUF_INIT(LIMIT_TOML_BYTES);
	struct child_exit result;
	int ends[2];
	pid_t pid;
	bool is_ok;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_sys(err, errno, "cannot make a pipe");
	spec.fd3 = ends[1];
	is_ok = child_start(&spec, &pid, err) || launch_fail(err, err->sys, "fork/exec %s", path);
	close(ends[1]);
	if (is_ok) {
		bool is_read = read_pipe(ends[0], &text);

		is_ok = child_wait(pid, &result, err);
		if (is_ok && result.code != 0)
			is_ok = err_set(err, ERR_INVALID, "%s",
					child_exit_text(result, launch->arena));
		else if (is_ok && !is_read)
			is_ok = err_set(err, ERR_INVALID, "its output cannot be read");
	}
	close(ends[0]);
	if (is_ok)
		return set_variables(launch, &text, err) ||
		       err_prefix(err, "failed to decode output from exec.d file at path '%s'",
				  path);
	return err_prefix(err, "failed to execute exec.d file at path '%s'", path);
}

static bool each_file(struct launch *launch, const char *dir, struct strings *out, struct err *err)
{
	struct io_entries entries;

	if (!io_list(dir, launch->arena, &entries, err))
		return false;
	for (size_t i = 0; i < entries.n; i++)
		if (!entries.v[i].is_dir)
			vec_push(launch->arena, out,
				 io_join(launch->arena, dir, entries.v[i].name));
	return true;
}

/* The files of <layer>/<name>, then of <layer>/<name>/<type>. */
static bool files_of(struct launch *launch, const char *layer, const char *name, const char *type,
		     struct strings *out, struct err *err)
{
	const char *dir = io_join(launch->arena, layer, name);

	if (!each_file(launch, dir, out, err))
		return false;
	return !*type || each_file(launch, io_join(launch->arena, dir, type), out, err);
}

static bool run_programs(struct launch *launch, const char *layer, const char *type, void *out,
			 struct err *err)
{
	struct strings files = { 0 };

	(void)out;
	if (!files_of(launch, layer, "exec.d", type, &files, err))
		return false;
	for (size_t i = 0; i < files.n; i++)
		if (!run_exec_d(launch, arena_strdup(launch->arena, files.v[i]), err))
			return false;
	return true;
}

static bool add_profiles(struct launch *launch, const char *layer, const char *type, void *out,
			 struct err *err)
{
	return files_of(launch, layer, "profile.d", type, out, err);
}

bool launch_set_env(struct launch *launch, const char *type, struct err *err)
{
	const struct bp_group *group = &launch->metadata.buildpacks;

	for (size_t i = 0; i < group->n; i++) {
		enum env_default when_plain = env_default_of(api_of(&group->v[i]));

		if (!each_layer(launch, &group->v[i], add_roots, type, NULL, err))
			return err_prefix(err, "modify env: add layer root");
		if (!each_layer(launch, &group->v[i], add_files, type, &when_plain, err))
			return err_prefix(err, "modify env: add layer env");
	}
	for (size_t i = 0; i < group->n; i++)
		if (api_at_least(api_of(&group->v[i]), 5) &&
		    !each_layer(launch, &group->v[i], run_programs, type, NULL, err))
			return err_prefix(err, "exec.d");
	return true;
}

bool launch_profiles(struct launch *launch, const char *type, struct strings *out, struct err *err)
{
	const struct bp_group *group = &launch->metadata.buildpacks;
	struct stat st;

	*out = (struct strings){ 0 };
	for (size_t i = 0; i < group->n; i++)
		if (!each_layer(launch, &group->v[i], add_profiles, type, out, err))
			return err_prefix(err, "find profiles");
	/* The application's own, named as it is: the shell starts in its folder. */
	if (stat(".profile", &st) == 0 && !S_ISDIR(st.st_mode))
		vec_push(launch->arena, out, ".profile");
	return true;
}
