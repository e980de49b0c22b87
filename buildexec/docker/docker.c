/* SPDX-License-Identifier: Apache-2.0 */
/* docker.c — the action "docker": the phases of a build of a Dockerfile, whatever engine does it. See action.h. */
#include <string.h>

#include "buildexec/docker/action.h"
#include "buildexec/docker/prepare.h"
#include "buildexec/docker/volumes.h"
#include "buildexec/engine/bases.h"
#include "buildexec/engine/engine.h"
#include "buildexec/engine/image.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/log.h"
#include "buildexec/task/hook.h"
#include "buildexec/task/inputs.h"
#include "model/base/base64.h"
#include "model/kind/build_stage.h"

/* Longer values are no words that would be found in a log. */
enum { SECRET_MAX_BYTES = 64 << 10 };

#define BUILD_FAILED "DockerBuildFailed"
#define PUSH_FAILED  "PushImageToRegistryFailed"

static void hide_secrets(const struct task *task)
{
	const struct bc_request *config = task->request->config;

	for (size_t i = 0; i < config->hidden.n; i++)
		secret_add(config->hidden.v[i], strlen(config->hidden.v[i]));
	for (size_t i = 0; i < config->files.n; i++) {
		const struct request_files *files = LIST_AT(config->files, struct request_files, i);

		for (size_t k = 0; files->is_secret && k < files->files.n; k++) {
			const char *text = files->files.v[k].value;
			struct base64 value;

			if (base64_decode(text, strlen(text), task->arena, &value) &&
			    value.n <= SECRET_MAX_BYTES)
				secret_add(value.bytes, value.n);
		}
	}
}

/* ---- the phases ---- */

static bool fetch(struct engine_job *job, struct inputs *inputs, struct err *err)
{
	if (!inputs_fetch(job->task, inputs, err))
		return false;
	job->context = inputs->context;
	return inputs_add_images(job->task, inputs, err) &&
	       inputs_add_files(job->task, inputs, err);
}

static bool pull(struct engine_job *job, const struct engine *engine,
		 const struct prepared *prepared, struct err *err)
{
	task_begin(job->task, BC_PULL);
	if (!prepare_bases(job, prepared, err))
		return false;
	if (!bases_write(job, &prepared->file, &prepared->images, err))
		return task_fail(job->task, "ManageDockerfileFailed");
	return engine->place(job, err) || task_fail(job->task, "PullBuilderImageFailed");
}

/* The line is one of the Dockerfile in the source. */
static bool build_failed(struct engine_job *job, const struct prepared *prepared, struct err *err)
{
	uint32_t line =
		job->instruction ? dockerfile_line_of(&prepared->original, job->instruction) : 0;
	struct task *task = job->task;

	if (err->kind == ERR_CANCELLED)
		return false;
	if (task->is_oom) {
		task_fail(task, "OutOfMemoryKilled");
		return err_set(err, ERR_INVALID,
			       "OOMKilled: it needed more memory than its limit of %lld MiB allows",
			       (long long)(job->limits.memory_bytes >> 20));
	}
	task_fail(task, BUILD_FAILED);
	return line ? err_prefix(err, "line %u of the Dockerfile", line) : false;
}

static bool build(struct engine_job *job, const struct engine *engine,
		  const struct prepared *prepared, struct image_draft *draft, struct err *err)
{
	struct task *task = job->task;
	const char *dir = path_join(task->arena, task->work.path, "built");
	struct engine_output output;
	const char *id;

	task_begin(task, BC_BUILD);
	if (!engine_build(engine, job, &id, err))
		return build_failed(job, prepared, err);
	if (!engine->export(job, id, dir, &output, err) || !built_image(job, &output, draft, err)) {
		err_prefix(err, "cannot take the image from %s", engine->name);
		return err->kind == ERR_CANCELLED ? false : task_fail(task, BUILD_FAILED);
	}
	return true;
}

static bool run_hook(struct engine_job *job, const struct image_draft *draft, struct err *err)
{
	struct hook_image image = { .config = &draft->config };

	if (!hook_is_set(&job->task->request->config->spec.post_commit))
		return true;
	if (!built_unpack(job, draft, &image.lowers, err))
		return task_fail(job->task, "PostCommitHookFailed");
	return hook_run(job->task, &image, err);
}

static bool push(struct engine_job *job, const struct image_draft *draft, struct err *err)
{
	if (!job->task->request->tags.n) {
		build_log_say("Nothing is pushed: the build config has no output");
		return true;
	}
	task_begin(job->task, BC_PUSH);
	return built_push(job->task, draft, err) || task_fail(job->task, PUSH_FAILED);
}

static void read_policy(struct engine_job *job)
{
	const char *policy = prepare_strategy(job->task)->optimization;

	job->is_joined = policy && strncmp(policy, "SkipLayers", 10) == 0;
	if (policy && strcmp(policy, "SkipLayersAndWarn") == 0)
		task_notice(job->task,
			    "imageOptimizationPolicy is SkipLayersAndWarn: all layers of the build "
			    "become one, and no layer is taken from an earlier build");
}

static bool run_phases(struct engine_job *job, const struct engine *engine, struct err *err)
{
	struct prepared prepared;
	struct inputs inputs = { 0 };
	struct image_draft draft;

	if (!volumes_write(job->task, &job->volumes, err) || !engine->check(job, err))
		return task_fail(job->task, BUILD_FAILED);
	return fetch(job, &inputs, err) && prepare_read(job, &inputs, &prepared, err) &&
	       pull(job, engine, &prepared, err) && build(job, engine, &prepared, &draft, err) &&
	       run_hook(job, &draft, err) && push(job, &draft, err);
}

static bool adopt(struct task *task, bool *found, struct err *err)
{
	struct remote_image image;

	*found = false;
	if (!task->request->tags.n)
		return true;
	return (task_check_tags(task, err) && task_adopt_request(task, &image, found, err)) ||
	       task_fail(task, PUSH_FAILED);
}

bool task_docker(struct task *task, struct err *err)
{
	const struct bc_request *config = task->request->config;
	struct engine_job job = { .task = task };
	const struct engine *engine = NULL;
	bool is_done, found;

	if (!config || !config->spec.strategy.docker)
		return err_set(err, ERR_INVALID, "build request: no Docker strategy");
	job.store_name =
		arena_printf(task->arena, "%s/%s", config->ns ? config->ns : "", config->config);
	hide_secrets(task);
	task_catch_signals();
	task_say_reasons(task);
	if (!adopt(task, &found, err))
		return false;
	if (found)
		return true;
	prepare_args(&job);
	read_policy(&job);
	if (!task_limits(task, &job.limits, err) || !engine_open(&job, &engine, err))
		return err->kind == ERR_CANCELLED ? false : task_fail(task, BUILD_FAILED);
	task->result.engine = job.engine_version;
	build_log_say("Engine: %s", job.engine_version);
	is_done = run_phases(&job, engine, err);
	engine->close(&job);
	return is_done;
}
