/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.c — the worker's actions `build` and `rebase`: what the request says becomes options of a lifecycle, and what the
 * lifecycle made becomes the result. The log reads as kpack's: PREPARE, the phases, COMPLETION (kpack.md §4).
 */
#include <string.h>

#include "buildexec/cnb/actions.h"
#include "buildexec/cnb/cache.h"
#include "buildexec/cnb/extend_engine.h"
#include "buildexec/cnb/prepare.h"
#include "buildexec/sys/build_log.h"
#include "model/doc/json.h"

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

	task_tell_phase(task, lifecycle_phase_name(phase));
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
	options->work_dir = task->work.path;
	options->profile = task_profile(task);
	options->annotations = task_annotations(task);
}

static const char *all_caches(const struct task *task)
{
	return path_join(task->arena, task->cache_dir, "cnb");
}

/* Names of caches come from the request: one folder each, whatever they are called. */
static const char *cache_dir(const struct task *task)
{
	const char *key = task->request->cache_key;
	struct digest digest;

	if (!key || !key[0])
		return NULL;
	digest = digest_of(key, strlen(key));
	return arena_printf(task->arena, "%s/%.32s", all_caches(task), digest_hex(digest.text));
}

/* The platform's choice, which buildpacks and processes follow (buildpacks/spec platform.md "Execution Environment"). */
static const char *exec_env_of(const struct task *task)
{
	const char *given = env_var_find(&task->request->env, "CNB_EXEC_ENV");

	return given && given[0] ? given : "production";
}

static bool fill_build(struct build *build, struct lifecycle *life, struct err *err)
{
	struct task *task = build->task;
	const struct build_request *request = task->request;
	struct lifecycle_options *options = &life->options;
	struct lifecycle_container *container = &life->container;

	fill_common(task, life);
	options->process_type = request->default_process && request->default_process[0]
					? request->default_process
					: NULL;
	options->created = created_of(task);
	options->exec_env = exec_env_of(task);
	options->build_id = extend_uuid(arena_printf(task->arena, "%s %s", request->id,
						     request->build_key ? request->build_key : ""),
					task->arena);
	options->cache_dir = cache_dir(task);
	options->cache_bytes = (uint64_t)request->cache_bytes;
	options->cache_image = options->cache_dir && request->cache_image && request->cache_image[0]
				       ? request->cache_image
				       : NULL;
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
	container->image = &build->builder.image;
	container->env = build->builder.env;
	env_set(task->arena, &container->env, "SERVICE_BINDING_ROOT", CNB_PLATFORM_DIR "/bindings");
	container->network = task_network(task);
	container->runtime = request->runtime;
	container->is_cancelled = task_is_cancelled;
	container->deadline_ms = task_deadline_ms(task);
	return task_limits(task, &container->limits, err);
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

static bool says_not_rebasable(const struct image_config *config)
{
	const char *label = pairs_get(&config->labels, LABEL_REBASABLE);

	return label && strcmp(label, "false") == 0;
}

/* Than the run image of the request: then an extension chose it. */
static bool is_on_another(const struct task *task, const struct app_metadata *metadata)
{
	const char *wanted = task->request->run_image_name;

	/* A rebase moved it there. */
	return wanted && metadata->run_image.image &&
	       strcmp(task->request->action, "rebase") != 0 &&
	       !run_image_names_have(&metadata->run_image, wanted, task->arena);
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

	task->result.is_not_rebasable = says_not_rebasable(&image->config);
	task->result.stack_id = pairs_get(&image->config.labels, LABEL_STACK_ID);
	if (text && json_parse(text, strlen(text), task->arena, &json, &ignored) &&
	    app_metadata_decode(json, task->arena, &metadata, &ignored)) {
		task->result.run_image = metadata.run_reference;
		if (is_on_another(task, &metadata)) {
			task->result.chosen_run = metadata.run_image.image;
			task->result.is_not_rebasable = true;
		}
	}
	if (build && json_parse(build, strlen(build), task->arena, &json, &ignored) &&
	    build_metadata_read(json, task->arena, &made, &ignored))
		add_buildpacks(task, &made.buildpacks);
}

static bool adopt(struct task *task, bool *found, struct err *err)
{
	struct remote_image image;

	if (!task_adopt_request(task, &image, found, err))
		return false;
	if (*found)
		result_from_image(task, &image);
	return true;
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
	bool is_own = err->kind == ERR_INVALID && !err->is_foreign;

	task->phase = lifecycle_phase_name(life->phase);
	task->exit_code = is_own ? life->exit_code : 0;
	task->is_oom |= life->is_oom;
	task->is_timeout |= life->is_timeout;
	task->is_told = life->is_told;
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
	struct extend_engine engine;
	bool is_done;

	if (!prepare_access(task, err) || !prepare_build(&build, err) ||
	    !fill_build(&build, &life, err))
		return false;
	extend_engine_init(&engine, task, &life.container.limits, &life.extender);
	is_done = lifecycle_create(&life, err);
	extend_engine_close(&engine);
	if (!is_done) {
		keep_failure(task, &life, err);
		return false;
	}
	task->result.chosen_run = life.is_run_image_switched ? life.run_image_name : NULL;
	task->result.is_not_rebasable =
		life.is_run_image_switched ||
		(life.extended.is_done ? !life.extended.is_rebasable
				       : says_not_rebasable(&life.run_image.config));
	add_buildpacks(task, &life.group);
	task->result.lifecycle_version = build.builder.lifecycle_version;
	return finish(task, &life, err);
}

bool task_build(struct task *task, struct err *err)
{
	bool is_adopted;

	task_catch_signals();
	task_begin(task, TASK_PREPARE);
	task_say_reasons(task);
	build_cache_sweep(all_caches(task), task->arena);
	if (!adopt(task, &is_adopted, err))
		return false;
	if (is_adopted)
		task->result.lifecycle_version = builder_version(task);
	else if (!build_new(task, err))
		return false;
	task_begin(task, TASK_COMPLETION);
	build_log_say("Build successful");
	return true;
}

static bool rebase_new(struct task *task, struct err *err)
{
	struct lifecycle life = { .phase = PHASE_REBASE };

	fill_common(task, &life);
	life.options.is_base_given = true; /* the plan compared stacks (kpack.md §1.7) */
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

	task_catch_signals();
	task_begin(task, lifecycle_phase_name(PHASE_REBASE));
	task_say_reasons(task);
	build_cache_sweep(all_caches(task), task->arena);
	if (task->request->tags.n == 0)
		return err_set(err, ERR_INVALID, "build request: no tag");
	if (!adopt(task, &is_adopted, err) || (!is_adopted && !rebase_new(task, err)))
		return false;
	task->result.lifecycle_version = builder_version(task);
	task_begin(task, TASK_COMPLETION);
	build_log_say("Build successful");
	return true;
}
