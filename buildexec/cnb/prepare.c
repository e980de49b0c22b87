/* SPDX-License-Identifier: Apache-2.0 */
/* prepare.c — see prepare.h. */
#include "buildexec/cnb/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/cnb/descriptor.h"
#include "buildexec/cnb/foreign.h"
#include "buildexec/cnb/guest_bytes.h"
#include "buildexec/cnb/project_order.h"
#include "buildexec/image/tar.h"
#include "buildexec/source/source.h"
#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "buildexec/sys/url.h"
#include "buildexec/task/inside.h"
#include "model/base/base64.h"
#include "model/base/limits.h"
#include "model/doc/toml.h"

#define PROJECT_FILE "project.toml"

/*
 * Of the application's files, so that what buildpacks make of their times (archives, compiled scripts) is the same on every
 * day. Later than that of restored layers: tools that compare times then make anew what they made of older sources.
 */
enum { SOURCE_MTIME_S = TAR_FIXED_MTIME_S + 1 };

static bool write_file(const char *path, const void *bytes, size_t n, mode_t mode, struct err *err)
{
	return fs_write_atomic(AT_FDCWD, path, bytes, n, mode, false, err);
}

static bool name_is_plain(const char *name)
{
	return name && name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

bool prepare_access(struct task *task, struct err *err)
{
	const struct build_request *request = task->request;
	struct remote_image run;
	struct ref cache;

	if (!task_check_tags(task, err))
		return false;
	if (request->cache_image && request->cache_image[0] &&
	    (!ref_parse(request->cache_image, task->arena, &cache, err) ||
	     !registry_check_write(task->registry, &cache, err)))
		return err_prefix(err, "cannot write to cache image '%s'", request->cache_image);
	if (request->run_image && !task_read_image(task, request->run_image, &run, err))
		return err_prefix(err, "cannot read run image '%s'", request->run_image);
	return true;
}

static void say_source(const struct source *source, struct arena *arena)
{
	struct err ignored = { 0 };
	struct url url;

	if (source->git)
		build_log_say("Cloning \"%s\" @ \"%s\"...", source->git->url,
			      source->git->revision);
	if (source->blob && url_parse(source->blob->url, arena, &url, &ignored))
		build_log_say("Downloading %s%s...", url.host, url.path);
	if (source->registry)
		build_log_say("Pulling %s...", source->registry->image);
	if (source->local)
		build_log_say("Copying \"%s\"...", source->local->path);
	if (source->sub_path && source->sub_path[0])
		build_log_say("Using \"%s\" of it", source->sub_path);
}

static void say_fetched(const struct source *source)
{
	if (source->git)
		build_log_say("Successfully cloned \"%s\" @ \"%s\" in path \"" CNB_APP_DIR "\"",
			      source->git->url, source->git->revision);
	if (source->registry)
		build_log_say("Successfully pulled %s in path \"" CNB_APP_DIR "\"",
			      source->registry->image);
}

static bool fetch_source(struct build *build, struct err *err)
{
	struct task *task = build->task;
	const struct build_request *request = task->request;
	struct strings notices = { 0 };
	struct source_spec spec = {
		.source = &request->source,
		.content = request->content,
		.part = request->part,
		.manifest_dir = request->manifest_dir,
		.access = &task->access,
		.registry = task->registry,
		.notices = &notices,
		.cache_dir = task->cache_dir,
		.uid = build->builder.uid,
		.gid = build->builder.gid,
	};
	struct node *project = node_new(task->arena, NODE_MAP), *source;
	AUTO_BUF text = BUF_INIT(LIMIT_TOML_BYTES);

	if (!task_dir(task, "app", 0755, &build->app, err))
		return false;
	spec.dest = build->app;
	say_source(&request->source, task->arena);
	if (!source_materialise(&spec, task->arena, err))
		return err_prefix(err, "cannot get the source");
	say_fetched(&request->source);
	for (size_t i = 0; i < notices.n; i++)
		task_notice(task, "%s", notices.v[i]);
	source = source_project_metadata(&request->source, request->content, task->arena);
	if (source)
		node_set(task->arena, project, "source", source);
	toml_print(project, &text);
	build->project_metadata = path_join(task->arena, task->work.path, "project-metadata.toml");
	return write_file(build->project_metadata, buf_text(&text), text.len, 0600, err);
}

static bool drop_file(void *ctx, struct tree_entry *entry, struct err *err)
{
	const struct project *project = ctx;

	if (S_ISDIR(entry->stat.st_mode) || project_keeps(project, entry->path))
		return true;
	if (unlinkat(entry->dir_fd, entry->name, 0) != 0)
		return err_sys(err, errno, "cannot leave out '%s'", entry->path);
	return true;
}

/* project.toml: only an error when the image's spec names it and it is not there. */
static bool read_project(struct build *build, struct project *project, struct err *err)
{
	struct task *task = build->task;
	const char *given = task->request->project_descriptor;
	const char *file = given && given[0] ? given : PROJECT_FILE;
	const char *real;
	struct node *toml = NULL;

	*project = (struct project){ 0 };
	if (!path_is_inside(file))
		return err_set(err, ERR_INVALID,
			       "project descriptor path '%s' leads out of the source", file);
	if (!inside_find(build->app, file, task->arena, &real, err) ||
	    (real && !foreign_toml(real, task->arena, &toml, err)))
		return err_prefix(err, "project descriptor");
	if (!toml)
		return !(given && given[0]) ||
		       err_set(err, ERR_INVALID,
			       "project descriptor path set but no file found: %s", given);
	if (!project_read(toml, task->arena, project, err))
		return false;
	for (size_t i = 0; i < project->warnings.n; i++)
		task_notice(task, "%s", project->warnings.v[i]);
	return (!project->has_include && !project->has_exclude) ||
	       tree_walk(build->app, drop_file, project, err);
}

static bool write_env(struct build *build, const char *name, const char *value, struct err *err)
{
	struct task *task = build->task;
	const char *path = arena_printf(task->arena, "%s/env/%s", build->platform, name);

	if (!name_is_plain(name))
		return err_set(err, ERR_INVALID, "'%s' is no name of a variable", name);
	return write_file(path, value ? value : "", value ? strlen(value) : 0, 0644, err);
}

/* "db", or "db/secret": of a legacy binding. */
static bool mount_is_plain(const char *name, struct arena *arena)
{
	const char *slash = strchr(name, '/');

	return slash ? name_is_plain(slash + 1) &&
			       name_is_plain(arena_copy(arena, name, (size_t)(slash - name)))
		     : name_is_plain(name);
}

static bool write_binding(struct build *build, const struct request_mount *mount, struct err *err)
{
	struct task *task = build->task;
	const char *dir = arena_printf(task->arena, "%s/bindings/%s", build->platform, mount->name);

	if (!mount_is_plain(mount->name, task->arena))
		return err_set(err, ERR_INVALID, "'%s' is no name of a binding", mount->name);
	if (!fs_make_dirs(dir, 0755, err))
		return false;
	for (size_t i = 0; i < mount->files.n; i++) {
		const struct pair *file = &mount->files.v[i];
		struct base64 value;

		if (!name_is_plain(file->key))
			return err_set(err, ERR_INVALID, "'%s' is no name of a file", file->key);
		if (!base64_decode(file->value, strlen(file->value), task->arena, &value))
			return err_set(err, ERR_INVALID, "binding '%s': '%s' is no base64",
				       mount->name, file->key);
		if (!write_file(path_join(task->arena, dir, file->key), value.bytes, value.n, 0400,
				err))
			return err_prefix(err, "binding '%s'", mount->name);
	}
	return true;
}

/* The image's variables win over those of project.toml: they are written last. */
static bool make_platform(struct build *build, const struct project *project, struct err *err)
{
	struct task *task = build->task;
	const struct build_request *request = task->request;
	const char *dir;

	if (!task_dir(task, "platform", 0755, &build->platform, err) ||
	    !task_dir(task, "platform/env", 0755, &dir, err) ||
	    !task_dir(task, "platform/bindings", 0755, &dir, err))
		return false;
	/* Buildpacks get little of the container's own environment; what the platform sets reaches them all. */
	if (request->bindings.n > 0 &&
	    !write_env(build, "SERVICE_BINDING_ROOT", CNB_PLATFORM_DIR "/bindings", err))
		return false;
	for (size_t i = 0; i < project->env.n; i++)
		if (!write_env(build, project->env.v[i].key, project->env.v[i].value, err))
			return false;
	for (size_t i = 0; i < request->env.n; i++) {
		const struct env_var *var = LIST_AT(request->env, const struct env_var, i);

		if (!write_env(build, var->name, var->value, err))
			return false;
	}
	for (size_t i = 0; i < request->bindings.n; i++)
		if (!write_binding(build, LIST_AT(request->bindings, const struct request_mount, i),
				   err))
			return false;
	return tree_chown(build->platform, build->builder.uid, build->builder.gid, err);
}

static bool write_programs(struct build *build, struct err *err)
{
	struct task *task = build->task;

	build->guest = path_join(task->arena, task->work.path, "cnb-guest");
	build->launcher = path_join(task->arena, task->work.path, "launcher");
	return write_file(build->guest, cnb_guest_bytes, cnb_guest_size, 0755, err) &&
	       write_file(build->launcher, cnb_launcher_bytes, cnb_launcher_size, 0755, err);
}

static const char *version_on_builder(void *ctx, const char *id, struct err *err)
{
	const struct build *build = ctx;

	return builder_buildpack_version(&build->builder, id, build->task->arena, err);
}

static bool write_inline(struct build *build, const char *root,
			 const struct project_buildpack *buildpack, struct err *err)
{
	struct arena *arena = build->task->arena;
	const char *dir = arena_printf(arena, "%s/cnb/buildpacks/%s/%s", root,
				       bp_folder(buildpack->id, arena), buildpack->version);
	const char *script = project_buildpack_script(buildpack, arena);
	AUTO_BUF text = BUF_INIT(LIMIT_TOML_BYTES);

	toml_print(project_buildpack_toml(buildpack, arena), &text);
	return fs_make_dirs(path_join(arena, dir, "bin"), 0755, err) &&
	       write_file(path_join(arena, dir, "buildpack.toml"), buf_text(&text), text.len, 0644,
			  err) &&
	       write_file(path_join(arena, dir, "bin/detect"), "#!/bin/sh\n", 10, 0755, err) &&
	       write_file(path_join(arena, dir, "bin/build"), script, strlen(script), 0755, err);
}

/* Inline buildpacks lie in a layer of their own on top of the builder; the order goes where detection looks first. */
static bool add_inline(struct build *build, const struct project *project, struct err *err)
{
	const struct project_buildpacks *lists[] = { &project->pre, &project->group,
						     &project->post };
	struct arena *arena = build->task->arena;
	AUTO_BUF text = BUF_INIT(LIMIT_TOML_BYTES);
	struct node *builders, *order;
	const char *root;

	if (!builder_read_toml(&build->builder, "cnb/order.toml", arena, &builders, err) ||
	    !project_order(project, builders, version_on_builder, build, arena, &order, err))
		return false;
	if (!order)
		return true;
	if (!task_dir(build->task, "inline", 0755, &root, err))
		return false;
	for (size_t i = 0; i < COUNTOF(lists); i++)
		for (size_t k = 0; k < lists[i]->n; k++)
			if (lists[i]->v[k].script &&
			    !write_inline(build, root, &lists[i]->v[k], err))
				return false;
	vec_push(arena, &build->builder.lowers, root);
	toml_print(order, &text);
	return write_file(path_join(arena, build->layers, "order.toml"), buf_text(&text), text.len,
			  0644, err);
}

bool prepare_build(struct build *build, struct err *err)
{
	struct task *task = build->task;
	struct project project;

	if (!builder_open(task, &build->builder, err))
		return false;
	build_log_say("Builder:");
	build_log_say(" Image: %s", task->request->builder_image);
	return fetch_source(build, err) && read_project(build, &project, err) &&
	       tree_set_times(build->app, SOURCE_MTIME_S, err) &&
	       make_platform(build, &project, err) && write_programs(build, err) &&
	       task_dir(task, "layers", 0755, &build->layers, err) &&
	       add_inline(build, &project, err) &&
	       tree_chown(build->layers, build->builder.uid, build->builder.gid, err);
}
