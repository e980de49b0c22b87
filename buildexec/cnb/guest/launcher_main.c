/* SPDX-License-Identifier: Apache-2.0 */
/* launcher_main.c — /cnb/lifecycle/launcher: reads metadata.toml and becomes a process of the application. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/cnb/guest/io.h"
#include "buildexec/cnb/guest/launcher.h"
#include "buildexec/cnb/platform_api.h"

static const char *variable(char *const *list, const char *name, const char *deflt)
{
	size_t n = strlen(name);

	for (; *list; list++)
		if (strncmp(*list, name, n) == 0 && (*list)[n] == '=' && (*list)[n + 1])
			return *list + n + 1;
	return deflt;
}

static const char *working_dir(const struct launch *launch, const struct process *process)
{
	return process->working_dir && *process->working_dir ? process->working_dir : launch->app;
}

bool launch_direct(struct launch *launch, const struct process *process, struct err *err)
{
	char **argv = arena_array(launch->arena, process->args.n + 2, sizeof(*argv)), *program;
	const char *cwd = working_dir(launch, process);

	if (process->command.n == 0)
		return err_set(err, ERR_INVALID, "no command provided for process type \"%s\"",
			       process->type);
	argv[0] = arena_strdup(launch->arena, process->command.v[0]);
	for (size_t i = 0; i < process->args.n; i++)
		argv[i + 1] = arena_strdup(launch->arena, process->args.v[i]);
	if (!launch_look_up(argv[0], vars_get(&launch->env, "PATH"), launch->arena, &program, err))
		return err_prefix(err, "path lookup");
	if (chdir(cwd) != 0)
		return launch_fail(err, errno, "change directory: chdir %s", cwd);
	execve(program, argv, env_list(&launch->env, launch->arena));
	return launch_fail(err, errno, "direct exec");
}

bool launch_shell(struct launch *launch, const struct process *process, struct err *err)
{
	AUTO_BUF command = BUF_INIT(1u << 20);
	struct strings profiles;
	char **argv = arena_array(launch->arena, process->args.n + 6, sizeof(*argv));
	char *script;

	if (!launch_profiles(launch, process->type, &profiles, err))
		return false;
	for (size_t i = 0; i < process->command.n; i++)
		buf_printf(&command, "%s%s", i ? " " : "", process->command.v[i]);
	script = launch_script(process, launch_is_script(launch, process),
			       working_dir(launch, process), &profiles, launch->arena);
	if (!script || command.is_over)
		return err_set(err, ERR_INVALID, "the command is too long for a shell");
	argv[0] = arena_strdup(launch->arena, "bash");
	argv[1] = arena_strdup(launch->arena, "-c");
	argv[2] = script;
	argv[3] = arena_strdup(launch->arena, launch->self);
	argv[4] = buf_copy(&command, launch->arena);
	for (size_t i = 0; i < process->args.n; i++)
		argv[5 + i] = arena_strdup(launch->arena, process->args.v[i]);
	execve("/bin/bash", argv, env_list(&launch->env, launch->arena));
	return launch_fail(err, errno, "bash exec");
}

/* The type that argv[0] names, if metadata.toml has it. */
static const char *type_of_self(const struct launch *launch)
{
	const char *slash = strrchr(launch->self, '/'), *name = slash ? slash + 1 : launch->self;

	for (size_t i = 0; i < launch->metadata.processes.n; i++)
		if (strcmp(launch->metadata.processes.v[i].type, name) == 0)
			return name;
	return NULL;
}

static void warn_process_type(const struct launch *launch, const char *platform)
{
	const char *type = variable(launch->environ, "CNB_PROCESS_TYPE", NULL);

	if (!type)
		return;
	printf("Warning: CNB_PROCESS_TYPE is not supported in Platform API %s\n", platform);
	printf("Warning: Run with ENTRYPOINT '%s' to invoke the '%s' process type\n", type, type);
	fflush(stdout);
}

static bool start(struct launch *launch, char *const *argv, struct err *err)
{
	struct process process;

	if (!launch_choose(launch, type_of_self(launch), argv, &process, err))
		return err_prefix(err, "determine start command");
	if (chdir(launch->app) != 0)
		return launch_fail(err, errno, "change to app directory: chdir %s", launch->app);
	if (!launch_set_env(launch, process.type, err))
		return false;
	return process.is_direct ? launch_direct(launch, &process, err)
				 : launch_shell(launch, &process, err);
}

static bool read_metadata(struct launch *launch, int *code, struct err *err)
{
	const struct bp_group *group = &launch->metadata.buildpacks;
	const char *path = io_join(launch->arena, launch->layers, "config/metadata.toml");
	struct node *tree;
	struct api api;

	*code = LAUNCH_EXIT_METADATA;
	if (!io_read_toml(path, launch->arena, &tree, err))
		return (err->sys ? launch_fail(err, err->sys, "open %s", path) : false) ||
		       err_prefix(err, "read metadata");
	if (!launch_metadata_decode(tree, launch->arena, &launch->metadata, err))
		return err_prefix(err, "read metadata");
	*code = CNB_EXIT_BUILDPACK_API;
	for (size_t i = 0; i < group->n; i++)
		if (!api_parse(group->v[i].api, &api) || !api_is_buildpack(api))
			return err_set(err, ERR_INVALID,
				       "set API for buildpack '%s': buildpack API version '%s' is "
				       "incompatible with the lifecycle",
				       group->v[i].id, group->v[i].api ? group->v[i].api : "");
	return true;
}

static bool run(struct launch *launch, char *const *argv, int *code, struct err *err)
{
	const char *platform = variable(launch->environ, "CNB_PLATFORM_API", "");

	*code = CNB_EXIT_PLATFORM_API;
	if (!*platform)
		return err_set(err, ERR_INVALID,
			       "get platform API version; please set 'CNB_PLATFORM_API' to specify "
			       "the desired platform API version");
	if (!api_parse(platform, &launch->platform) || !api_is_platform(launch->platform))
		return err_set(err, ERR_INVALID,
			       "set platform API: platform API version '%s' is incompatible with "
			       "the lifecycle",
			       platform);
	launch->app = variable(launch->environ, "CNB_APP_DIR", "/workspace");
	launch->layers = variable(launch->environ, "CNB_LAYERS_DIR", "/layers");
	launch->exec_env = variable(launch->environ, "CNB_EXEC_ENV", "production");
	launch->env = env_for_launch(launch->environ, launch->arena);
	if (!read_metadata(launch, code, err))
		return false;
	warn_process_type(launch, platform);
	*code = LAUNCH_EXIT;
	return start(launch, argv, err) || err_prefix(err, "launch");
}

int main(int argc, char **argv, char **envp)
{
	struct launch launch = { .arena = arena_new(),
				 .environ = envp,
				 .self = argc > 0 ? argv[0] : "launcher" };
	struct err err = { 0 };
	int code = LAUNCH_EXIT;

	if (!run(&launch, argv + (argc > 0), &code, &err))
		printf("ERROR: failed to %s\n", err.text); /* on stdout, as the reference does */
	arena_free(launch.arena);
	return code;
}
