/* SPDX-License-Identifier: Apache-2.0 */
/* project.c — see project.h. */
#include "buildexec/cnb/project.h"

#include <string.h>

#include "buildexec/cnb/descriptor.h"
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

static void ignored(struct project *project, const char *key, struct arena *arena)
{
	vec_push(arena, &project->warnings,
		 arena_printf(arena,
			      "'%s' of the project descriptor is not used: the builder decides",
			      key));
}

static bool read_script(const struct node *script, struct project_buildpack *out, struct err *err)
{
	struct bp_element element;

	if (!script)
		return true;
	out->script = node_text(script, "inline");
	out->api = node_text(script, "api");
	out->shell = node_text(script, "shell") ? node_text(script, "shell") : "/bin/sh";
	if (!out->version)
		out->version = "0.0.0";
	if (!out->id || !out->script || !out->api || out->uri)
		return err_set(
			err, ERR_INVALID,
			"project descriptor: an inline buildpack needs an id, script.api and "
			"script.inline, and no uri");
	element = (struct bp_element){ .id = out->id, .version = out->version };
	if (out->shell[0] != '/' || strchr(out->shell, '\n'))
		return err_set(err, ERR_INVALID,
			       "project descriptor: script.shell of buildpack '%s' is no path of a "
			       "program",
			       out->id);
	return bp_is_safe(&element) ||
	       err_set(err, ERR_INVALID,
		       "project descriptor: buildpack '%s@%s' cannot name a folder", out->id,
		       out->version);
}

/* A list is followed when one of it is inline; what is wrong in one that is not is nobody's concern. */
static bool read_buildpacks(const struct node *list, const char *key, struct arena *arena,
			    struct project *project, struct project_buildpacks *out,
			    struct err *err)
{
	if (!list)
		return true;
	for (const struct node *item = list->kind == NODE_SEQ ? list->first : NULL; item;
	     item = item->next) {
		struct project_buildpack buildpack = { .id = node_text(item, "id"),
						       .version = node_text(item, "version"),
						       .uri = node_text(item, "uri") };

		if (!read_script(node_get(item, "script"), &buildpack, err))
			return false;
		vec_push(arena, out, buildpack);
	}
	if (!project_has_inline(out)) {
		out->n = 0;
		ignored(project, key, arena);
		return true;
	}
	for (size_t i = 0; i < out->n; i++)
		if (!out->v[i].id && !out->v[i].uri)
			return err_set(err, ERR_INVALID,
				       "project descriptor: a buildpack of '%s' has neither id nor "
				       "uri",
				       key);
	return true;
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
	if (node_get(build, "builder"))
		ignored(out, "builder", arena);
	return read_env(env, arena, &out->env, err);
}

static bool read_0_1(const struct node *toml, struct arena *arena, struct project *out,
		     struct err *err)
{
	const struct node *build = node_get(toml, "build");

	return read_build(build, node_get(build, "env"), arena, out, err) &&
	       read_buildpacks(node_get(build, "buildpacks"), "buildpacks", arena, out, &out->group,
			       err);
}

static bool read_0_2(const struct node *toml, struct arena *arena, struct project *out,
		     struct err *err)
{
	const struct node *build = node_at(toml, "io", "buildpacks", NULL);
	const struct node *env = node_at(build, "build", "env", NULL);

	return read_build(build, env ? env : node_get(build, "env"), arena, out, err) &&
	       read_buildpacks(node_get(build, "group"), "group", arena, out, &out->group, err) &&
	       read_buildpacks(node_at(build, "pre", "group", NULL), "pre.group", arena, out,
			       &out->pre, err) &&
	       read_buildpacks(node_at(build, "post", "group", NULL), "post.group", arena, out,
			       &out->post, err);
}

bool project_read(const struct node *toml, struct arena *arena, struct project *out,
		  struct err *err)
{
	const char *version = node_text(node_get(toml, "_"), "schema-version");

	*out = (struct project){ 0 };
	if (!version || strcmp(version, "0.1") == 0)
		return read_0_1(toml, arena, out, err);
	if (strcmp(version, "0.2") == 0)
		return read_0_2(toml, arena, out, err);
	vec_push(arena, &out->warnings,
		 arena_printf(arena,
			      "project descriptor version %s is unsupported and the file will be "
			      "ignored",
			      version));
	return true;
}

bool project_keeps(const struct project *project, const char *path)
{
	if (project->has_exclude)
		return !ignore_matches(&project->exclude, path, false);
	if (project->has_include)
		return ignore_matches(&project->include, path, false);
	return true;
}
