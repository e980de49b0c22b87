/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.h — the variables of a buildpack or a process, and how files in layers and platform folders
 * change them. Pure: the files' names and contents are given. Used while building and by the
 * launcher. Spec: buildpack.md "Environment", platform.md "User-Provided Variables",
 * "Operator-Defined Variables".
 */
#ifndef BUILDEXEC_CNB_ENV_H
#define BUILDEXEC_CNB_ENV_H

#include "buildexec/cnb/api.h"
#include "model/base/vec.h"

struct env_value {
	const char *name, *value;
};
/* In order of first definition; values live in the arena. */
struct env {
	struct arena *arena;
	VEC(struct env_value) vars;
};

/* What a file without suffix does. */
enum env_default { ENV_OVERRIDE, ENV_SET_IF_EMPTY, ENV_PREPEND_PATH };
/* What it does in a layer: before Buildpack API 0.5 all variables were paths. */
enum env_default env_default_of(struct api api);

void vars_set(struct env *env, const char *name, const char *value);
/* "" when it is not set. */
const char *vars_get(const struct env *env, const char *name);
/* A copy that changes on its own. */
struct env env_copy(const struct env *env, struct arena *arena);
/* "NAME=value" texts with NULL at the end, for exec. */
char **env_list(const struct env *env, struct arena *arena);

/* From the process environment `list`: what a buildpack may see (build), what a process may see
 * (launch). */
struct env env_for_build(char *const *list, struct arena *arena);
struct env env_for_launch(char *const *list, struct arena *arena);

/* The folders of a layer that lead to variables; NULL name ends the table. */
struct env_root {
	const char *folder, *names[3];
};
extern const struct env_root env_build_roots[], env_launch_roots[];
/* `path` is put before the variable's value, with ':'. */
void env_prepend_path(struct env *env, const char *name, const char *path);

/*
 * One file of an env folder. The name's suffix says what to do (append, default, override,
 * prepend); `delim` is the content of NAME.delim beside it, or NULL. Files with other suffixes
 * change nothing.
 */
void env_apply_file(struct env *env, const char *file, const char *content, const char *delim,
		    enum env_default when_plain);
/* The name of the file that holds the delimiter for `file`. */
const char *env_delim_file(const char *file, struct arena *arena);
/* One file of <platform>/env: path variables are put before, others replaced. */
void env_apply_user(struct env *env, const char *name, const char *content);

#endif
