/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_choose.c — from argv and metadata.toml to one command with its arguments; also the shell text for it.
 * Pure but for launch_look_up, which asks the file system for programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/cnb/guest/launcher.h"
#include "model/base/buf.h"

const struct process *launch_find(const struct launch *launch, const char *type)
{
	const struct processes *all = &launch->metadata.processes;

	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i].type, type) == 0 &&
		    (!api_at_least(launch->platform, 15) ||
		     exec_env_fits(&all->v[i].exec_envs, launch->exec_env)))
			return &all->v[i];
	return NULL;
}

static void add_all(struct arena *arena, struct strings *to, const struct strings *from,
		    size_t start)
{
	for (size_t i = start; i < from->n; i++)
		vec_push(arena, to, from->v[i]);
}

static bool user_process(const struct launch *launch, char *const *argv, struct process *out,
			 struct err *err)
{
	*out = (struct process){ .type = "" };
	if (!argv[0])
		return err_set(err, ERR_INVALID,
			       "when there is no default process a command is required");
	if (strcmp(argv[0], "--") == 0 && argv[1]) {
		out->is_direct = true;
		argv++;
	}
	vec_push(launch->arena, &out->command, argv[0]);
	for (argv++; *argv; argv++)
		vec_push(launch->arena, &out->args, *argv);
	return true;
}

/* The API of the buildpack that a process is of; false: it is of none. */
static bool process_api(const struct launch *launch, const struct process *process, struct api *out)
{
	const struct bp_group *group = &launch->metadata.buildpacks;

	*out = (struct api){ 0 };
	for (size_t i = 0; i < group->n && process->buildpack_id; i++)
		if (strcmp(group->v[i].id, process->buildpack_id) == 0)
			return api_parse(group->v[i].api, out) || true;
	return false;
}

bool launch_is_script(const struct launch *launch, const struct process *process)
{
	struct api api;

	return process->args.n == 0 ||
	       (process_api(launch, process, &api) && !api_at_least(api, 4));
}

/* Arguments of the user replace those of the process from Buildpack API 0.9 on. */
static bool user_replaces(const struct launch *launch, const struct process *process, bool *out,
			  struct err *err)
{
	struct api api;

	if (!process_api(launch, process, &api))
		return err_set(err, ERR_INVALID,
			       "failed to find buildpack for process %s with buildpack ID %s",
			       process->type, process->buildpack_id);
	*out = api_at_least(api, 9);
	return true;
}

bool launch_choose(const struct launch *launch, const char *type, char *const *argv,
		   struct process *out, struct err *err)
{
	const struct process *found;
	struct strings user = { 0 }, args = { 0 };
	bool is_replaced = false;

	if (!type)
		return user_process(launch, argv, out, err);
	found = launch_find(launch, type);
	if (!found)
		return err_set(err, ERR_INVALID, "process type %s was not found", type);
	for (; *argv; argv++)
		vec_push(launch->arena, &user, *argv);
	*out = *found;
	if (api_at_least(launch->platform, 10)) {
		if (found->command.n > 1)
			is_replaced = user.n > 0;
		else if (user.n && !user_replaces(launch, found, &is_replaced, err))
			return false;
		add_all(launch->arena, &args, &found->command, 1);
		out->command.n = found->command.n ? 1 : 0;
	}
	if (!is_replaced)
		add_all(launch->arena, &args, &found->args, 0);
	add_all(launch->arena, &args, &user, 0);
	out->args = args;
	return true;
}

/* 0, or the reason why it cannot be run. */
static int check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0 || !(st.st_mode & 0111))
		return EACCES;
	return 0;
}

static bool look_up_path(const char *command, char **out, struct arena *arena, struct err *err)
{
	int reason = check_program(command);

	*out = arena_strdup(arena, command);
	switch (reason) {
	case 0:
		return true;
	case ENOENT:
		return err_set(err, ERR_ABSENT, "exec: \"%s\": stat %s: no such file or directory",
			       command, command);
	case EACCES:
		return err_set(err, ERR_DENIED, "exec: \"%s\": permission denied", command);
	default:
		return launch_fail(err, reason, "exec: \"%s\"", command);
	}
}

bool launch_look_up(const char *command, const char *path, struct arena *arena, char **out,
		    struct err *err)
{
	*out = NULL;
	if (strchr(command, '/'))
		return look_up_path(command, out, arena, err);
	for (const char *part = path; *path; part += *part == ':') {
		size_t n = strcspn(part, ":");
		char *candidate = n ? arena_printf(arena, "%.*s/%s", (int)n, part, command)
				    : arena_printf(arena, "./%s", command);

		if (check_program(candidate) == 0) {
			/* The folder in which a process starts is no place to take programs from. */
			if (*candidate != '/')
				return err_set(err, ERR_DENIED,
					       "exec: \"%s\": cannot run executable found relative "
					       "to current directory",
					       command);
			*out = candidate;
			return true;
		}
		part += n;
		if (!*part)
			break;
	}
	return err_set(err, ERR_ABSENT, "exec: \"%s\": executable file not found in $PATH",
		       command);
}

char *launch_script(const struct process *process, bool is_script, const char *cwd,
		    const struct strings *profiles, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(1u << 20);

	for (size_t i = 0; i < profiles->n; i++)
		buf_printf(&text, "source \"%s\"\n", profiles->v[i]);
	buf_printf(&text, "cd \"%s\"\n", cwd);
	if (is_script) {
		buf_puts(&text, "exec bash -c \"$@\"");
	} else {
		/* Each word is evaluated by the shell once more, so that "$PORT" in an argument works. */
		buf_puts(&text, "exec bash -c '\"$(eval echo \\\"$0\\\")\"");
		for (size_t i = 1; i <= process->args.n; i++)
			buf_printf(&text, " \"$(eval echo \\\"${%zu}\\\")\"", i);
		buf_puts(&text, "' \"${@:1}\"");
	}
	return text.is_over ? NULL : buf_copy(&text, arena);
}
