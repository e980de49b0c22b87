/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launcher.h — the entrypoint of application images: chooses a process, sets its variables, becomes it.
 * It must run on images without any other file, so it is static and asks no service for anything.
 * Spec: platform.md "Launcher", buildpack.md "Launch".
 */
#ifndef BUILDEXEC_CNB_GUEST_LAUNCHER_H
#define BUILDEXEC_CNB_GUEST_LAUNCHER_H

#include "buildexec/cnb/env.h"
#include "buildexec/cnb/process.h"

enum { LAUNCH_EXIT_METADATA = 1, LAUNCH_EXIT = 82 };

struct launch {
	struct arena *arena;
	char *const *environ;
	struct api platform;
	const char *self; /* argv[0] */
	const char *app, *layers, *exec_env;
	struct launch_metadata metadata;
	struct env env;
};

/* The process of that type which may run in this environment, or NULL. */
const struct process *launch_find(const struct launch *launch, const char *type);

/*
 * Which process to start: `type` (NULL: none was named by argv[0]) with the user's arguments, or what these say
 * ("-- cmd args…" directly, "cmd args…" by a shell). The result has one command, and all its arguments in args.
 */
MUST_CHECK bool launch_choose(const struct launch *launch, const char *type, char *const *argv,
			      struct process *out, struct err *err);

/* Layers' folders, env files and exec.d programs, in the order of the buildpacks. */
MUST_CHECK bool launch_set_env(struct launch *launch, const char *type, struct err *err);
/* The scripts that a shell reads first. */
MUST_CHECK bool launch_profiles(struct launch *launch, const char *type, struct strings *out,
				struct err *err);

/*
 * False: "<what>: no such file or directory". The launcher says its errors on stdout, where the system's texts begin with
 * a small letter in the reference.
 */
bool launch_fail(struct err *err, int sys, const char *what, ...) PRINTF(3, 4);

/* Only return when it failed. */
bool launch_direct(struct launch *launch, const struct process *process, struct err *err);
bool launch_shell(struct launch *launch, const struct process *process, struct err *err);

/* The program for a command, looked up in PATH as execvp would, with errors of their own. */
MUST_CHECK bool launch_look_up(const char *command, const char *path, struct arena *arena,
			       char **out, struct err *err);
/*
 * Is the command a script, with its arguments as $0, $1, …? It is without arguments, and always before Buildpack API 0.4;
 * otherwise it is the first of several words.
 */
bool launch_is_script(const struct launch *launch, const struct process *process);
/* The text that bash is given. */
char *launch_script(const struct process *process, bool is_script, const char *cwd,
		    const struct strings *profiles, struct arena *arena);

#endif
