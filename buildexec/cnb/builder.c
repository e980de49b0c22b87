/* SPDX-License-Identifier: Apache-2.0 */
/* builder.c — see builder.h. */
#include "buildexec/cnb/builder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/cnb/descriptor.h"
#include "buildexec/cnb/foreign.h"
#include "buildexec/image/rootfs.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/doc/toml.h"

static bool parse_id(const struct image_config *config, const char *name, uint32_t *out,
		     struct err *err)
{
	const char *text = env_get(&config->env, name);
	unsigned long long value;
	char *end;

	if (!text)
		return err_set(err, ERR_INVALID, "ENV %s not found in the builder image", name);
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || end == text || text[0] == '-' || value >= UINT32_MAX)
		return err_set(err, ERR_INVALID, "ENV %s of the builder image is no id: '%s'", name,
			       text);
	*out = (uint32_t)value;
	return true;
}

bool builder_user(const struct image_config *config, uint32_t *uid, uint32_t *gid, struct err *err)
{
	if (!parse_id(config, "CNB_USER_ID", uid, err) ||
	    !parse_id(config, "CNB_GROUP_ID", gid, err))
		return false;
	if (*uid == 0)
		return err_set(err, ERR_INVALID,
			       "the builder image wants to build as root (CNB_USER_ID=0)");
	return true;
}

/* The n-th field (from 0) of a line of fields split by ':'. */
static const char *field_of(const char *line, size_t len, unsigned n, struct arena *arena)
{
	const char *end = line + len, *colon;

	while ((colon = memchr(line, ':', (size_t)(end - line))) && n > 0) {
		line = colon + 1;
		n--;
	}
	if (n > 0)
		return NULL;
	return arena_copy(arena, line, (size_t)((colon ? colon : end) - line));
}

const char *passwd_home(const char *text, uint32_t uid, struct arena *arena)
{
	const char *want = arena_printf(arena, "%u", uid);

	while (text && *text) {
		size_t n = strcspn(text, "\n");
		const char *id = field_of(text, n, 2, arena);

		if (id && strcmp(id, want) == 0) {
			const char *home = field_of(text, n, 5, arena);

			return home && home[0] == '/' ? home : NULL;
		}
		text += n + (text[n] == '\n');
	}
	return NULL;
}

/* A small file of the root that the layers make. */
static bool read_root_file(const struct strings *lowers, const char *path, struct arena *arena,
			   char **out, size_t *len, struct err *err)
{
	const struct rootfs root = { .layers = *lowers, .form = unpack_form_here() };

	return rootfs_read(&root, path, LIMIT_TOML_BYTES, arena, out, len, err);
}

static bool read_root_toml(const struct strings *lowers, const char *path, struct arena *arena,
			   struct node **out, struct err *err)
{
	char *text;
	size_t len;

	*out = NULL;
	if (!read_root_file(lowers, path, arena, &text, &len, err))
		return false;
	return !text || toml_parse(text, len, arena, out, err) || err_prefix(err, "'/%s'", path);
}

bool builder_read_toml(const struct builder *builder, const char *path, struct arena *arena,
		       struct node **out, struct err *err)
{
	return read_root_toml(&builder->lowers, path, arena, out, err);
}

static bool list_versions(const char *lower, const char *path, struct arena *arena,
			  struct strings *out, struct err *err)
{
	const char *full = path_join(arena, lower, path);
	const struct dirent *entry;
	DIR *dir;

	if (!foreign_is_dir_below(lower, path, arena))
		return true;
	dir = opendir(full);
	if (!dir)
		return err_sys(err, errno, "cannot list '%s'", full);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !strings_has(out, entry->d_name) &&
		    foreign_is_dir(path_join(arena, full, entry->d_name)))
			vec_push(arena, out, arena_strdup(arena, entry->d_name));
	closedir(dir);
	return true;
}

const char *builder_buildpack_version(const struct builder *builder, const char *id,
				      struct arena *arena, struct err *err)
{
	const char *path = arena_printf(arena, "cnb/buildpacks/%s", bp_folder(id, arena));
	struct strings versions = { 0 };

	for (size_t i = 0; i < builder->lowers.n; i++)
		if (!list_versions(builder->lowers.v[i], path, arena, &versions, err))
			return NULL;
	if (versions.n == 1)
		return versions.v[0];
	err_set(err, ERR_INVALID,
		versions.n ? "buildpack '%s' is on the builder in several versions: say which"
			   : "buildpack '%s' is not on the builder",
		id);
	return NULL;
}

/* run.toml, or stack.toml of older builders; what the request says goes first. */
static bool read_run_images(struct task *task, struct builder *builder, struct err *err)
{
	const struct build_request *request = task->request;
	struct node *toml;

	if (request->run_image_name) {
		struct run_image_names names = { .image = request->run_image_name,
						 .mirrors = request->run_image_mirrors };

		vec_push(task->arena, &builder->run_images, names);
		return true;
	}
	if (!read_root_toml(&builder->lowers, "cnb/run.toml", task->arena, &toml, err))
		return false;
	if (toml)
		run_toml_read(toml, task->arena, &builder->run_images);
	if (builder->run_images.n > 0)
		return true;
	if (!read_root_toml(&builder->lowers, "cnb/stack.toml", task->arena, &toml, err))
		return false;
	if (toml)
		stack_toml_read(toml, task->arena, &builder->run_images);
	return true;
}

bool builder_home(const struct strings *lowers, uint32_t uid, struct arena *arena, const char **out,
		  struct err *err)
{
	char *passwd;
	size_t len;

	if (!read_root_file(lowers, "etc/passwd", arena, &passwd, &len, err))
		return false;
	*out = passwd_home(passwd, uid, arena);
	if (!*out)
		*out = "/home/cnb";
	return true;
}

static bool read_env(struct task *task, struct builder *builder, struct err *err)
{
	const struct strings *env = &builder->image.config.env;
	const char *home;

	for (size_t i = 0; i < env->n; i++)
		vec_push(task->arena, &builder->env, env->v[i]);
	if (!builder_home(&builder->lowers, builder->uid, task->arena, &home, err))
		return false;
	env_set(task->arena, &builder->env, "HOME", home);
	return true;
}

static const char *lifecycle_version(struct task *task, const struct builder *builder)
{
	const char *text = pairs_get(&builder->image.config.labels, LABEL_BUILDER_METADATA);
	struct err ignored = { 0 };
	const char *version = NULL;
	struct node *json;

	if (text && json_parse(text, strlen(text), task->arena, &json, &ignored))
		version = node_text(node_get(json, "lifecycle"), "version");
	return version && version[0] ? version : RECONCILE_VERSION;
}

bool builder_open(struct task *task, struct builder *out, struct err *err)
{
	*out = (struct builder){ 0 };
	if (!task->request->builder_image)
		return err_set(err, ERR_INVALID, "build request: builderImage is missing");
	if (!task_read_image(task, task->request->builder_image, &out->image, err))
		return err_prefix(err, "cannot read the builder image");
	if (!builder_user(&out->image.config, &out->uid, &out->gid, err))
		return false;
	if (!image_unpack(&out->image, &task->image_access, task->store, task->arena, &out->lowers,
			  err))
		return err_prefix(err, "cannot unpack the builder image");
	out->lifecycle_version = lifecycle_version(task, out);
	return read_run_images(task, out, err) && read_env(task, out, err);
}
