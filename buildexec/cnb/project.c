/* SPDX-License-Identifier: Apache-2.0 */
/* project.c — see project.h. */
#include "buildexec/cnb/project.h"

#include <string.h>

#include "buildexec/source/ignore.h"

static bool read_patterns(const struct node *build, const char *key, struct arena *arena,
			  struct strings *out, bool *is_given, struct err *err)
{
	const struct node *list = node_get(build, key);

	*is_given = list != NULL;
	if (!list)
		return true;
	if (list->kind != NODE_SEQ)
		return err_set(err, ERR_INVALID, "project descriptor: '%s' is no list", key);
	for (const struct node *item = list->first; item; item = item->next) {
		if (item->kind != NODE_STRING)
			return err_set(err, ERR_INVALID,
				       "project descriptor: '%s' holds something that is no text",
				       key);
		vec_push(arena, out, item->text);
	}
	return true;
}

static bool name_is_safe(const char *name)
{
	return name[0] != '\0' && !strpbrk(name, "/=") && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static bool read_env(const struct node *list, struct arena *arena, struct pairs *out,
		     struct err *err)
{
	if (!list)
		return true;
	if (list->kind != NODE_SEQ)
		return err_set(err, ERR_INVALID, "project descriptor: 'env' is no list of tables");
	for (const struct node *item = list->first; item; item = item->next) {
		const char *name = node_text(item, "name"), *value = node_text(item, "value");

		if (!name || !name_is_safe(name) || !value)
			return err_set(err, ERR_INVALID,
				       "project descriptor: 'env' needs a name and a value");
		vec_push(arena, out, (struct pair){ .key = name, .value = value });
	}
	return true;
}

static void ignored(struct project *project, const struct node *map, const char *key,
		    struct arena *arena)
{
	if (node_get(map, key))
		vec_push(arena, &project->warnings,
			 arena_printf(arena,
				      "'%s' of the project descriptor is not used: the builder "
				      "decides",
				      key));
}

static bool read_build(const struct node *build, const struct node *env, struct arena *arena,
		       struct project *out, struct err *err)
{
	if (!read_patterns(build, "include", arena, &out->include, &out->has_include, err) ||
	    !read_patterns(build, "exclude", arena, &out->exclude, &out->has_exclude, err))
		return false;
	if (out->has_include && out->has_exclude)
		return err_set(err, ERR_INVALID,
			       "project descriptor cannot have both include and exclude defined");
	ignored(out, build, "builder", arena);
	ignored(out, build, "buildpacks", arena);
	ignored(out, build, "group", arena);
	return read_env(env, arena, &out->env, err);
}

bool project_read(const struct node *toml, struct arena *arena, struct project *out,
		  struct err *err)
{
	const struct node *meta = node_get(toml, "_"), *build;
	const char *version = node_text(meta, "schema-version");

	*out = (struct project){ 0 };
	if (!meta || !version) {
		build = node_get(toml, "build");
		return read_build(build, node_get(build, "env"), arena, out, err);
	}
	if (strcmp(version, "0.1") == 0) {
		build = node_get(toml, "build");
		return read_build(build, node_get(build, "env"), arena, out, err);
	}
	if (strcmp(version, "0.2") != 0) {
		vec_push(arena, &out->warnings,
			 arena_printf(arena,
				      "project descriptor version %s is unsupported and the file "
				      "will be ignored",
				      version));
		return true;
	}
	build = node_at(toml, "io", "buildpacks", NULL);
	return read_build(build,
			  node_at(build, "build", "env", NULL)
				  ? node_at(build, "build", "env", NULL)
				  : node_get(build, "env"),
			  arena, out, err);
}

bool project_keeps(const struct project *project, const char *path)
{
	if (project->has_exclude)
		return !ignore_matches(&project->exclude, path, false);
	if (project->has_include)
		return ignore_matches(&project->include, path, false);
	return true;
}
