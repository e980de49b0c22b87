/* SPDX-License-Identifier: Apache-2.0 */
/* build_metadata.c — see build_metadata.h. */
#include "buildexec/cnb/build_metadata.h"

#include <string.h>

#include "buildexec/cnb/app_metadata.h"
#include "buildexec/cnb/platform_api.h"
#include "buildexec/cnb/value.h"

static const char *filled(const struct node *map, const char *key)
{
	const char *text = node_text(map, key);

	return text && text[0] != '\0' ? text : NULL;
}

/* The child as a list of tables; NULL and no error when absent. */
static bool tables(const struct node *map, const char *key, const struct node **first,
		   struct err *err)
{
	const struct node *list = node_get(map, key);

	*first = NULL;
	if (!list)
		return true;
	if (list->kind != NODE_SEQ)
		return err_set(err, ERR_INVALID, "'%s' is no list of tables", key);
	for (const struct node *item = list->first; item; item = item->next)
		if (item->kind != NODE_MAP)
			return err_set(err, ERR_INVALID, "'%s' is no list of tables", key);
	*first = list->first;
	return true;
}

static bool read_group(const struct node *map, const char *key, struct arena *arena,
		       struct group *out, struct err *err)
{
	const struct node *item;

	*out = (struct group){ 0 };
	if (!tables(map, key, &item, err))
		return false;
	for (; item; item = item->next) {
		struct group_element element = {
			.id = filled(item, "id"),
			.version = filled(item, "version"),
			.api = filled(item, "api"),
			.homepage = filled(item, "homepage"),
		};

		if (!element.id || !element.version)
			return err_set(err, ERR_INVALID, "an element of '%s' lacks id or version",
				       key);
		/* The id names a folder below the layers, with '/' replaced. */
		if (strcmp(element.id, ".") == 0 || strcmp(element.id, "..") == 0)
			return err_set(err, ERR_INVALID, "'%s' is no id of a buildpack",
				       element.id);
		vec_push(arena, out, element);
	}
	return true;
}

bool group_read(const struct node *toml, struct arena *arena, struct group *out, struct err *err)
{
	return read_group(toml, "group", arena, out, err);
}

bool group_read_extensions(const struct node *toml, struct arena *arena, struct group *out,
			   struct err *err)
{
	return read_group(toml, "group-extensions", arena, out, err);
}

bool group_element_api(const struct group_element *element, struct api *out, struct err *err)
{
	return (api_parse(element->api, out) && api_is_buildpack(*out)) ||
	       err_set(err, ERR_INVALID, "buildpack '%s' has the unknown Buildpack API '%s'",
		       element->id, element->api ? element->api : "");
}

static bool read_labels(const struct node *toml, struct arena *arena, struct pairs *out,
			struct err *err)
{
	const struct node *item;

	if (!tables(toml, "labels", &item, err))
		return false;
	for (; item; item = item->next) {
		const char *key = node_text(item, "key"), *value = node_text(item, "value");

		vec_push(arena, out,
			 (struct pair){ .key = key ? key : "", .value = value ? value : "" });
	}
	return true;
}

static bool read_slices(const struct node *toml, struct arena *arena, struct build_metadata *out,
			struct err *err)
{
	const struct node *item, *list = node_get(toml, "slices");

	if (!tables(toml, "slices", &item, err))
		return false;
	out->slices = arena_array(arena, list ? list->n : 0, sizeof(*out->slices));
	for (; item; item = item->next) {
		const struct node *paths = node_get(item, "paths");
		struct strings *slice = &out->slices[out->n_slices++];

		for (const struct node *path = paths && paths->kind == NODE_SEQ ? paths->first
										: NULL;
		     path; path = path->next)
			if (path->kind == NODE_STRING)
				vec_push(arena, slice, path->text);
	}
	return true;
}

/* The type becomes the name of a link below /cnb/process. */
static bool read_processes(const struct node *toml, struct arena *arena, struct build_metadata *out,
			   struct err *err)
{
	const struct node *item;

	if (!tables(toml, "processes", &item, err))
		return false;
	out->processes = node_get(toml, "processes");
	for (; item; item = item->next) {
		const char *type = node_text(item, "type");

		if (!type || type[0] == '\0')
			return err_set(err, ERR_INVALID, "a process has no type");
		if (strpbrk(type, "/><:|&\\"))
			return err_set(err, ERR_INVALID,
				       "type of process '%s' has a character of '/><:|&\\'", type);
		if (strcmp(type, ".") == 0 || strcmp(type, "..") == 0)
			return err_set(err, ERR_INVALID, "type of process '%s' cannot name a link",
				       type);
		/* One type may be there for several execution environments. */
		if (!strings_has(&out->process_types, type))
			vec_push(arena, &out->process_types, type);
	}
	return true;
}

bool build_metadata_read(const struct node *toml, struct arena *arena, struct build_metadata *out,
			 struct err *err)
{
	*out = (struct build_metadata){ 0 };
	out->default_process = filled(toml, "buildpack-default-process-type");
	out->has_bom = node_get(toml, "bom") != NULL;
	return read_group(toml, "buildpacks", arena, &out->buildpacks, err) &&
	       read_group(toml, "extensions", arena, &out->extensions, err) &&
	       read_labels(toml, arena, &out->labels, err) && read_slices(toml, arena, out, err) &&
	       read_processes(toml, arena, out, err);
}

static struct node *process_label(const struct node *process, const char *platform_api,
				  struct arena *arena)
{
	const struct node *command = node_get(process, "command");
	const struct node *args = node_get(process, "args");
	const struct node *direct = node_get(process, "direct");
	const struct node *exec_env = node_get(process, "exec-env");
	struct node *out = node_new(arena, NODE_MAP);
	bool is_list = cnb_api_at_least(platform_api, 10);

	node_set_text(arena, out, "type", node_text(process, "type"));
	if (command)
		node_set(arena, out, "command", node_clone(arena, command));
	/* Before 0.10 the command is one text, and no arguments are an empty list. */
	if (args)
		node_set(arena, out, "args", node_clone(arena, args));
	else
		node_set(arena, out, "args", node_new(arena, is_list ? NODE_NULL : NODE_SEQ));
	node_set(arena, out, "direct", node_bool(arena, direct && direct->i));
	node_set(arena, out, "buildpackID",
		 node_string(arena, filled(process, "buildpack-id")
					    ? filled(process, "buildpack-id")
					    : ""));
	node_set_text(arena, out, "working-dir", filled(process, "working-dir"));
	if (exec_env && exec_env->n > 0)
		node_set(arena, out, "exec-env", node_clone(arena, exec_env));
	return out;
}

static struct node *launcher_label(const struct launcher_source *launcher, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP), *source = node_new(arena, NODE_MAP);
	struct node *git = node_new(arena, NODE_MAP);

	node_set(arena, git, "repository", node_string(arena, launcher->repository));
	node_set(arena, git, "commit", node_string(arena, launcher->commit));
	node_set(arena, source, "git", git);
	node_set(arena, out, "version", node_string(arena, launcher->version));
	node_set(arena, out, "source", source);
	return out;
}

static struct node *group_label(const struct group *group, bool is_extension, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < group->n; i++) {
		const struct group_element *element = &group->v[i];
		struct node *item = node_new(arena, NODE_MAP);

		node_set_text(arena, item, "id", element->id);
		node_set_text(arena, item, "version", element->version);
		node_set_text(arena, item, "homepage", element->homepage);
		if (is_extension) {
			node_set(arena, item, "extension", node_bool(arena, true));
			node_set(arena, item, "optional", node_bool(arena, true));
		}
		node_push(out, item);
	}
	return out;
}

struct node *build_metadata_label(const struct build_metadata *metadata,
				  const struct launcher_source *launcher, const char *platform_api,
				  struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP), *processes = node_new(arena, NODE_SEQ);

	if (!cnb_api_at_least(platform_api, 9))
		node_set(arena, out, "bom", node_new(arena, NODE_NULL));
	node_set(arena, out, "buildpacks", group_label(&metadata->buildpacks, false, arena));
	if (metadata->extensions.n)
		node_set(arena, out, "extensions", group_label(&metadata->extensions, true, arena));
	node_set(arena, out, "launcher", launcher_label(launcher, arena));
	for (const struct node *process = metadata->processes ? metadata->processes->first : NULL;
	     process; process = process->next)
		node_push(processes, process_label(process, platform_api, arena));
	node_set(arena, out, "processes", processes);
	node_set_text(arena, out, "buildpack-default-process-type", metadata->default_process);
	return out;
}

bool project_metadata_check(const struct node *toml, struct err *err)
{
	const struct node *source;
	const char *type;

	return value_table(toml, "source", &source, err) && value_text(source, "type", &type, err);
}

struct node *project_metadata_label(const struct node *toml, struct arena *arena)
{
	const struct node *source = value_free_table(toml, "source"), *child, *type;
	struct node *out = node_new(arena, NODE_MAP), *copy;

	if (!source)
		return out;
	copy = node_new(arena, NODE_MAP);
	type = value_get(source, "type");
	if (type && type->kind == NODE_STRING && type->len)
		node_set_text(arena, copy, "type", type->text);
	child = value_free_table(source, "version");
	if (child && child->n > 0)
		node_set(arena, copy, "version", metadata_to_json(child, arena));
	child = value_free_table(source, "metadata");
	if (child && child->n > 0)
		node_set(arena, copy, "metadata", metadata_to_json(child, arena));
	node_set(arena, out, "source", copy);
	return out;
}
