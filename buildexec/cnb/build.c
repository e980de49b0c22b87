/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.c — the worker's actions `build` and `rebase`: what the request says becomes folders and options of a lifecycle.
 * The log reads as kpack's: PREPARE, the phases, COMPLETION (kpack.md §4).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/cnb/builder.h"
#include "buildexec/cnb/foreign.h"
#include "buildexec/cnb/guest_bytes.h"
#include "buildexec/cnb/project.h"
#include "buildexec/cnb/task.h"
#include "buildexec/source/source.h"
#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/fs.h"
#include "model/base/base64.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/doc/toml.h"

#define PROJECT_FILE "project.toml"

struct build {
	struct task *task;
	struct builder builder;
	const char *app, *layers, *platform, *guest, *launcher, *project_metadata;
};

static bool write_file(const char *path, const void *bytes, size_t n, mode_t mode, struct err *err)
{
	return fs_write_atomic(AT_FDCWD, path, bytes, n, mode, false, err);
}

static bool name_is_plain(const char *name)
{
	return name && name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static void say_reasons(const struct task *task)
{
	for (size_t i = 0; i < task->request->reasons.n; i++)
		lifecycle_say("%s", task->request->reasons.v[i]);
}

/* Before anything is spent: may the image be pushed, and can its base be read? */
static bool check_access(struct task *task, struct err *err)
{
	const struct build_request *request = task->request;
	struct remote_image run;
	struct ref ref;

	if (request->tags.n == 0)
		return err_set(err, ERR_INVALID, "build request: no tag");
	for (size_t i = 0; i < request->tags.n; i++)
		if (!ref_parse(request->tags.v[i], task->arena, &ref, err) ||
		    !registry_check_write(task->registry, &ref, err))
			return err_prefix(err, "cannot write to '%s'", request->tags.v[i]);
	if (request->run_image && !task_read_image(task, request->run_image, &run, err))
		return err_prefix(err, "cannot read run image '%s'", request->run_image);
	return true;
}

static void say_source(const struct source *source)
{
	if (source->git)
		lifecycle_say("Cloning \"%s\" @ \"%s\"...", source->git->url,
			      source->git->revision);
	if (source->local)
		lifecycle_say("Copying \"%s\"...", source->local->path);
	if (source->sub_path && source->sub_path[0])
		lifecycle_say("Using \"%s\" of it", source->sub_path);
}

static bool fetch_source(struct build *build, struct err *err)
{
	struct task *task = build->task;
	const struct build_request *request = task->request;
	struct source_spec spec = {
		.source = &request->source,
		.content = request->content,
		.manifest_dir = request->manifest_dir,
		.access = &task->access,
		.cache_dir = task->cache_dir,
		.uid = build->builder.uid,
		.gid = build->builder.gid,
	};
	struct node *project = node_new(task->arena, NODE_MAP), *source;
	AUTO_BUF text = BUF_INIT(LIMIT_TOML_BYTES);

	if (!task_dir(task, "app", 0755, &build->app, err))
		return false;
	spec.dest = build->app;
	say_source(&request->source);
	if (!source_materialise(&spec, task->arena, err))
		return err_prefix(err, "cannot get the source");
	source = source_project_metadata(&request->source, task->arena);
	if (source)
		node_set(task->arena, project, "source", source);
	toml_print(project, &text);
	build->project_metadata =
		path_join(task->arena, task->work.path, "project-metadata.toml");
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
	struct node *toml;

	*project = (struct project){ 0 };
	if (!path_is_inside(file))
		return err_set(err, ERR_INVALID,
			       "project descriptor path '%s' leads out of the source", file);
	if (!foreign_toml(path_join(task->arena, build->app, file), task->arena, &toml, err))
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

static bool write_binding(struct build *build, const struct request_mount *mount, struct err *err)
{
	struct task *task = build->task;
	const char *dir = arena_printf(task->arena, "%s/bindings/%s", build->platform, mount->name);

	if (!name_is_plain(mount->name))
		return err_set(err, ERR_INVALID, "'%s' is no name of a binding", mount->name);
	if (!fs_make_dirs(dir, 0755, err))
		return false;
	for (size_t i = 0; i < mount->files.n; i++) {
		const struct pair *file = &mount->files.v[i];
		struct base64 value;

		if (!name_is_plain(file->key))
			return err_set(err, ERR_INVALID, "'%s' is no name of a file", file->key);
		if (!base64_decode(file->value, strlen(file->value), task->arena, &value))
			return err_set(err, ERR_INVALID,
				       "the content of binding '%s' is no base64", mount->name);
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

static bool prepare(struct build *build, struct err *err)
{
	struct task *task = build->task;
	struct project project;

	if (!builder_open(task, &build->builder, err))
		return false;
	lifecycle_say("Builder:");
	lifecycle_say(" Image: %s", task->request->builder_image);
	return fetch_source(build, err) && read_project(build, &project, err) &&
	       make_platform(build, &project, err) && write_programs(build, err) &&
	       task_dir(task, "layers", 0755, &build->layers, err) &&
	       tree_chown(build->layers, build->builder.uid, build->builder.gid, err);
}

/* Thousandths of a quantity such as "500m" or "1Gi"; 0 when there is none. */
static bool read_limit(const struct pairs *limits, const char *name, int64_t *milli,
		       struct err *err)
{
	const char *text = pairs_get(limits, name);

	*milli = 0;
	if (text && !quantity_parse(text, milli))
		return err_set(err, ERR_INVALID, "limit '%s' is no quantity: '%s'", name, text);
	return true;
}

static bool fill_limits(const struct build_request *request, struct sandbox_limits *out,
			struct err *err)
{
	int64_t memory;

	if (!read_limit(&request->resources.limits, "memory", &memory, err) ||
	    !read_limit(&request->resources.limits, "cpu", &out->cpu_millis, err))
		return false;
	out->memory_bytes = memory / 1000;
	out->wall_ms = request->timeout_s * 1000;
	out->may_be_missed = true;
	return true;
}

static volatile sig_atomic_t is_stopping;

static void stop(int signal)
{
	(void)signal;
	is_stopping = 1;
}

static bool is_cancelled(void *ctx)
{
	(void)ctx;
	return is_stopping != 0;
}

static const char *created_of(const struct task *task)
{
	const char *given = task->request->creation_time;

	if (!given || !given[0])
		return NULL;
	if (strcmp(given, "now") == 0)
		return arena_printf(task->arena, "%lld", (long long)task->request->now_s);
	return given;
}

static void on_phase(void *ctx, enum lifecycle_phase phase)
{
	struct task *task = ctx;
	struct build_event event = { .type = EVENT_PHASE, .name = lifecycle_phase_name(phase) };

	task->phase = phase;
	task_send(task, &event);
}

static void fill_common(struct task *task, struct lifecycle *life)
{
	const struct build_request *request = task->request;
	struct lifecycle_options *options = &life->options;

	life->registry = task->registry;
	life->access = &task->image_access;
	life->arena = task->arena;
	life->on_phase = on_phase;
	life->phase_ctx = task;
	options->platform_api = CNB_PLATFORM_API;
	options->image = request->tags.v[0];
	for (size_t i = 1; i < request->tags.n; i++)
		vec_push(task->arena, &options->tags, request->tags.v[i]);
	options->run_image = request->run_image;
	options->run_image_name = request->run_image_name;
	options->previous_image = request->previous_image;
	options->exec_env = "production";
	options->work_dir = task->work.path;
	options->profile = request->compression && strcmp(request->compression, "small") == 0 ?
				   LAYER_SMALL :
				   LAYER_FAST;
	if (request->build_key)
		vec_push(task->arena, &options->annotations,
			 (struct pair){ .key = BUILD_KEY_ANNOTATION,
					.value = request->build_key });
}

/* Names of caches come from the request: one folder each, whatever they are called. */
static const char *cache_dir(const struct task *task)
{
	const char *key = task->request->cache_key;
	struct digest digest;

	if (!key || !key[0])
		return NULL;
	digest = digest_of(key, strlen(key));
	return arena_printf(task->arena, "%s/cnb/%.32s", task->cache_dir, digest_hex(digest.text));
}

static bool fill_build(struct build *build, struct lifecycle *life, struct err *err)
{
	struct task *task = build->task;
	const struct build_request *request = task->request;
	struct lifecycle_options *options = &life->options;
	struct lifecycle_container *container = &life->container;

	fill_common(task, life);
	options->process_type = request->default_process && request->default_process[0] ?
					request->default_process :
					NULL;
	options->created = created_of(task);
	options->cache_dir = cache_dir(task);
	options->app_dir = build->app;
	options->layers_dir = build->layers;
	options->platform_dir = build->platform;
	options->launcher_path = build->launcher;
	options->project_metadata = build->project_metadata;
	options->uid = build->builder.uid;
	options->gid = build->builder.gid;
	life->run_images = build->builder.run_images;
	container->guest_path = build->guest;
	container->lowers = build->builder.lowers;
	container->env = build->builder.env;
	env_set(task->arena, &container->env, "SERVICE_BINDING_ROOT",
		CNB_PLATFORM_DIR "/bindings");
	container->network = request->network && strcmp(request->network, "none") == 0 ?
				     SANDBOX_OFFLINE :
				     SANDBOX_HOST;
	container->runtime = request->runtime;
	container->is_cancelled = is_cancelled;
	return fill_limits(request, &container->limits, err);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = stop };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void add_buildpacks(struct task *task, const struct group *group)
{
	struct buildpack_id *list = arena_array(task->arena, group->n, sizeof(*list));

	for (size_t i = 0; i < group->n; i++)
		list[i] = (struct buildpack_id){ .id = group->v[i].id,
						 .version = group->v[i].version,
						 .homepage = group->v[i].homepage,
						 .api = group->v[i].api };
	task->result.buildpacks = (struct list){ .v = list, .n = group->n };
}

/* What the labels of an image say about how it was made; a label that cannot be read says nothing. */
static void result_from_image(struct task *task, const struct remote_image *image)
{
	const char *build = pairs_get(&image->config.labels, LABEL_BUILD_METADATA);
	const char *text = pairs_get(&image->config.labels, LABEL_LIFECYCLE_METADATA);
	struct err ignored = { 0 };
	struct app_metadata metadata;
	struct build_metadata made;
	struct node *json;

	task->result.stack_id = pairs_get(&image->config.labels, LABEL_STACK_ID);
	if (text && json_parse(text, strlen(text), task->arena, &json, &ignored) &&
	    app_metadata_decode(json, task->arena, &metadata, &ignored))
		task->result.run_image = metadata.run_reference;
	if (build && json_parse(build, strlen(build), task->arena, &json, &ignored) &&
	    build_metadata_read(json, task->arena, &made, &ignored))
		add_buildpacks(task, &made.buildpacks);
}

static bool adopt(struct task *task, bool *found, struct err *err)
{
	const struct build_request *request = task->request;
	struct remote_image image;

	if (!task_adopt(task, &request->tags, request->build_key, &image, found, err))
		return false;
	if (!*found)
		return true;
	task->result.is_adopted = true;
	result_from_image(task, &image);
	lifecycle_say("An image of this build is there already: '%s'", request->tags.v[0]);
	return task_pinned(task, request->tags.v[0], image.desc.digest, &task->result.image, err);
}

static bool finish(struct task *task, struct lifecycle *life, struct err *err)
{
	task->result.run_image = life->run_reference;
	task->result.stack_id = pairs_get(&life->run_image.config.labels, LABEL_STACK_ID);
	return task_pinned(task, life->options.image, life->digest.text, &task->result.image, err);
}

static void keep_failure(struct task *task, const struct lifecycle *life, const struct err *err)
{
	/* The registry's, the network's and this machine's failures are not the build's own. */
	bool is_own = err->kind == ERR_INVALID;

	task->phase = life->phase;
	task->exit_code = is_own ? life->exit_code : 0;
	task->is_oom = life->is_oom;
	task->is_timeout = life->is_timeout;
}

static const char *builder_version(struct task *task)
{
	const char *reference = task->request->builder_image;
	struct remote_image image;
	struct err ignored = { 0 };
	const char *text;
	struct node *json;

	if (!reference || !task_read_image(task, reference, &image, &ignored))
		return NULL;
	text = pairs_get(&image.config.labels, LABEL_BUILDER_METADATA);
	if (!text || !json_parse(text, strlen(text), task->arena, &json, &ignored))
		return NULL;
	return node_text(node_get(json, "lifecycle"), "version");
}

static bool build_new(struct task *task, struct err *err)
{
	struct build build = { .task = task };
	struct lifecycle life = { 0 };

	if (!check_access(task, err) || !prepare(&build, err) || !fill_build(&build, &life, err))
		return false;
	if (!lifecycle_create(&life, err)) {
		keep_failure(task, &life, err);
		return false;
	}
	add_buildpacks(task, &life.group);
	task->result.lifecycle_version = build.builder.lifecycle_version;
	return finish(task, &life, err);
}

bool task_build(struct task *task, struct err *err)
{
	bool is_adopted;

	catch_signals();
	task_begin(task, PHASE_PREPARE);
	say_reasons(task);
	if (!adopt(task, &is_adopted, err))
		return false;
	if (is_adopted)
		task->result.lifecycle_version = builder_version(task);
	else if (!build_new(task, err))
		return false;
	task_begin(task, PHASE_COMPLETION);
	lifecycle_say("Build successful");
	return true;
}

static bool rebase_new(struct task *task, struct err *err)
{
	struct lifecycle life = { .phase = PHASE_REBASE };

	fill_common(task, &life);
	if (!lifecycle_rebase(&life, err)) {
		keep_failure(task, &life, err);
		return false;
	}
	result_from_image(task, &life.previous);
	return finish(task, &life, err);
}

bool task_rebase(struct task *task, struct err *err)
{
	bool is_adopted;

	catch_signals();
	task_begin(task, PHASE_REBASE);
	say_reasons(task);
	if (task->request->tags.n == 0)
		return err_set(err, ERR_INVALID, "build request: no tag");
	if (!adopt(task, &is_adopted, err) || (!is_adopted && !rebase_new(task, err)))
		return false;
	task->result.lifecycle_version = builder_version(task);
	task_begin(task, PHASE_COMPLETION);
	lifecycle_say("Build successful");
	return true;
}
