/* SPDX-License-Identifier: Apache-2.0 */
/* env.c — variables as a list, suffix rules as a table. */
#include "buildexec/cnb/env.h"

#include <string.h>

const struct env_root env_build_roots[] = {
	{ "bin", { "PATH" } },
	{ "lib", { "LD_LIBRARY_PATH", "LIBRARY_PATH" } },
	{ "include", { "CPATH" } },
	{ "pkgconfig", { "PKG_CONFIG_PATH" } },
	{ 0 },
};

const struct env_root env_launch_roots[] = {
	{ "bin", { "PATH" } },
	{ "lib", { "LD_LIBRARY_PATH" } },
	{ 0 },
};

/* What passes from the platform's process to buildpacks, besides the path variables. */
static const char *const build_allowed[] = {
	"CNB_STACK_ID", "HOSTNAME",   "HOME",     "HTTPS_PROXY", "https_proxy",
	"HTTP_PROXY",   "http_proxy", "NO_PROXY", "no_proxy",    NULL
};

static const char *const launch_hidden[] = { "CNB_LAYERS_DIR",       "CNB_APP_DIR",
					     "CNB_PROCESS_TYPE",     "CNB_PLATFORM_API",
					     "CNB_DEPRECATION_MODE", NULL };

static bool is_in(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static bool is_path_variable(const char *name)
{
	for (const struct env_root *root = env_build_roots; root->folder; root++)
		if (is_in(root->names, name))
			return true;
	return false;
}

static struct env_value *find(const struct env *env, const char *name)
{
	for (size_t i = 0; i < env->vars.n; i++)
		if (strcmp(env->vars.v[i].name, name) == 0)
			return &env->vars.v[i];
	return NULL;
}

void vars_set(struct env *env, const char *name, const char *value)
{
	struct env_value *var = find(env, name);

	if (var)
		var->value = arena_strdup(env->arena, value);
	else
		vec_push(env->arena, &env->vars,
			 (struct env_value){ arena_strdup(env->arena, name),
					     arena_strdup(env->arena, value) });
}

const char *vars_get(const struct env *env, const char *name)
{
	const struct env_value *var = find(env, name);

	return var ? var->value : "";
}

struct env env_copy(const struct env *env, struct arena *arena)
{
	struct env copy = { .arena = arena };

	for (size_t i = 0; i < env->vars.n; i++)
		vec_push(arena, &copy.vars, env->vars.v[i]);
	return copy;
}

char **env_list(const struct env *env, struct arena *arena)
{
	char **list = arena_array(arena, env->vars.n + 1, sizeof(*list));

	for (size_t i = 0; i < env->vars.n; i++)
		list[i] = arena_printf(arena, "%s=%s", env->vars.v[i].name, env->vars.v[i].value);
	return list;
}

typedef bool keep_fn(const char *name);

static struct env from_list(char *const *list, struct arena *arena, keep_fn *keep)
{
	struct env env = { .arena = arena };

	for (; *list; list++) {
		const char *equals = strchr(*list, '=');
		const char *name;

		if (!equals)
			continue;
		name = arena_copy(arena, *list, (size_t)(equals - *list));
		if (keep(name))
			vars_set(&env, name, equals + 1);
	}
	return env;
}

static bool is_for_build(const char *name)
{
	return is_in(build_allowed, name) || is_path_variable(name);
}

static bool is_for_launch(const char *name)
{
	return !is_in(launch_hidden, name);
}

struct env env_for_build(char *const *list, struct arena *arena)
{
	return from_list(list, arena, is_for_build);
}

static bool is_ours(const char *part, size_t n)
{
	static const char process[] = "/cnb/process", lifecycle[] = "/cnb/lifecycle";

	return (n == sizeof(process) - 1 && memcmp(part, process, n) == 0) ||
	       (n == sizeof(lifecycle) - 1 && memcmp(part, lifecycle, n) == 0);
}

struct env env_for_launch(char *const *list, struct arena *arena)
{
	struct env env = from_list(list, arena, is_for_launch);
	struct env_value *path = find(&env, "PATH");
	char *kept, *end;
	const char *part;

	if (!path)
		return env;
	/* The folders of the launcher itself are for the image's entrypoint, not for what it
	 * starts. */
	kept = end = arena_alloc(arena, strlen(path->value) + 2);
	for (part = path->value;; part++) {
		size_t n = strcspn(part, ":");

		if (!is_ours(part, n)) {
			memcpy(end, part, n);
			end += n;
			*end++ = ':';
		}
		part += n;
		if (!*part)
			break;
	}
	if (end > kept)
		end--;
	*end = '\0';
	path->value = kept;
	return env;
}

void env_prepend_path(struct env *env, const char *name, const char *path)
{
	const char *old = vars_get(env, name);

	vars_set(env, name, *old ? arena_printf(env->arena, "%s:%s", path, old) : path);
}

enum action {
	ACTION_NONE,
	ACTION_OVERRIDE,
	ACTION_APPEND,
	ACTION_PREPEND,
	ACTION_DEFAULT,
	ACTION_PREPEND_PATH, /* "NAME." with nothing behind the dot, as the reference has it */
};

static const struct suffix {
	const char *text;
	enum action action;
} suffixes[] = {
	{ "override", ACTION_OVERRIDE }, { "append", ACTION_APPEND }, { "prepend", ACTION_PREPEND },
	{ "default", ACTION_DEFAULT },   { "", ACTION_PREPEND_PATH },
};

static const enum action plain[] = {
	[ENV_OVERRIDE] = ACTION_OVERRIDE,
	[ENV_SET_IF_EMPTY] = ACTION_DEFAULT,
	[ENV_PREPEND_PATH] = ACTION_PREPEND_PATH,
};

enum env_default env_default_of(struct api api)
{
	return api_at_least(api, 5) ? ENV_OVERRIDE : ENV_PREPEND_PATH;
}

static enum action action_of(const char *file, enum env_default when_plain)
{
	const char *dot = strchr(file, '.');

	if (!dot)
		return plain[when_plain];
	for (size_t i = 0; i < COUNTOF(suffixes); i++)
		if (strcmp(dot + 1, suffixes[i].text) == 0)
			return suffixes[i].action;
	return ACTION_NONE;
}

const char *env_delim_file(const char *file, struct arena *arena)
{
	return arena_printf(arena, "%.*s.delim", (int)strcspn(file, "."), file);
}

void env_apply_file(struct env *env, const char *file, const char *content, const char *delim,
		    enum env_default when_plain)
{
	const char *name = arena_copy(env->arena, file, strcspn(file, "."));
	const char *old = vars_get(env, name), *between = *old && delim ? delim : "";

	switch (action_of(file, when_plain)) {
	case ACTION_NONE:
		return;
	case ACTION_OVERRIDE:
		vars_set(env, name, content);
		return;
	case ACTION_APPEND:
		vars_set(env, name, arena_printf(env->arena, "%s%s%s", old, between, content));
		return;
	case ACTION_PREPEND:
		vars_set(env, name, arena_printf(env->arena, "%s%s%s", content, between, old));
		return;
	case ACTION_DEFAULT:
		if (!*old)
			vars_set(env, name, content);
		return;
	case ACTION_PREPEND_PATH:
		between = !*old ? "" : delim ? delim : ":";
		vars_set(env, name, arena_printf(env->arena, "%s%s%s", content, between, old));
		return;
	}
}

void env_apply_user(struct env *env, const char *name, const char *content)
{
	if (is_path_variable(name))
		env_prepend_path(env, name, content);
	else
		vars_set(env, name, content);
}
