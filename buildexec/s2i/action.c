/* SPDX-License-Identifier: Apache-2.0 */
/* action.c — the worker's action "s2i": a request of a build config with a Source strategy as a source-to-image build. */
#include "buildexec/s2i/action.h"

#include <string.h>

#include "buildexec/s2i/s2i.h"
#include "buildexec/task/hook.h"
#include "buildexec/task/inputs.h"
#include "model/base/base64.h"

/* Builders without the right to run as anybody run scripts as numbered users other than root. */
#define ALLOWED_UIDS "1-"

static void on_phase(void *ctx, enum s2i_phase phase)
{
	task_tell_phase(ctx, s2i_phase_name(phase));
}

/* Its line is in the log already. */
static void on_notice(void *ctx, const char *text)
{
	struct task *task = ctx;

	task_send(task, &(struct build_event){ .type = EVENT_NOTICE, .text = text });
}

static bool on_made(void *ctx, const struct s2i_made *image, struct err *err)
{
	return hook_run(ctx, &(struct hook_image){ image->lowers, image->config }, err);
}

static bool is_cancelled(void *ctx)
{
	(void)ctx;
	return task_is_cancelled(NULL);
}

static void fill_identity(struct task *task, const struct inputs *inputs, struct s2i_spec *spec)
{
	const struct bc_request *config = task->request->config;
	const struct source_info *info = &inputs->info;
	struct s2i_identity *identity = &spec->identity;

	*identity = (struct s2i_identity){
		.name = config->build,
		.namespace = config->ns,
		.display_name = spec->tags.n == 0 ? config->build : NULL,
		.source_location = info->location,
		.source_ref = config->spec.source.git ? info->ref : NULL,
		.commit_id = info->commit,
		.commit_ref = info->ref,
		.commit_date = info->date,
		.commit_message = info->message,
	};
	if (info->author_name && info->author_name[0])
		identity->commit_author =
			arena_printf(task->arena, "%s <%s>", info->author_name, info->author_email);
}

static void fill_env(struct task *task, struct s2i_spec *spec)
{
	const struct list *env = &task->request->config->spec.strategy.source->env;

	for (size_t i = 0; i < env->n; i++) {
		const struct env_var *var = LIST_AT(*env, struct env_var, i);

		vec_push(task->arena, &spec->env,
			 (struct pair){ .key = var->name, .value = var->value ? var->value : "" });
	}
}

/* What the build says of itself, and the output's labels over that. */
static void fill_labels(struct task *task, const struct inputs *inputs, struct s2i_spec *spec)
{
	const struct bc_request *config = task->request->config;
	const struct build_id id = { config->build, config->ns };
	struct list labels = build_info_labels(&id, &config->spec, &inputs->info, task->arena);

	for (size_t i = 0; i < labels.n; i++) {
		const struct image_label *label = LIST_AT(labels, struct image_label, i);

		label_set(task->arena, &spec->image_labels, label->name,
			  label->value ? label->value : "");
	}
}

static bool read_files(struct task *task, const struct request_files *from, struct s2i_files *out,
		       struct err *err)
{
	*out = (struct s2i_files){ .destination = from->destination,
				   .is_secret = from->is_secret,
				   .mode = (mode_t)from->mode };
	for (size_t i = 0; i < from->files.n; i++) {
		const struct pair *pair = &from->files.v[i];
		struct base64 value;

		if (!base64_decode(pair->value, strlen(pair->value), task->arena, &value))
			return err_set(err, ERR_INVALID, "%s '%s': the value of '%s' is no base64",
				       from->is_secret ? "secret" : "config map", from->name,
				       pair->key);
		vec_push(
			task->arena, &out->list,
			(struct s2i_file){ .name = pair->key, .bytes = value.bytes, .n = value.n });
	}
	/* Nobody but the user sees a secret. */
	if (!out->mode && from->is_secret)
		out->mode = 0400;
	return true;
}

static bool fill_files(struct task *task, struct s2i_spec *spec, struct err *err)
{
	const struct list *list = &task->request->config->files;

	for (size_t i = 0; i < list->n; i++) {
		const struct request_files *from = LIST_AT(*list, struct request_files, i);
		bool is_volume = strcmp(from->purpose, FILES_VOLUME) == 0;
		struct s2i_files files;

		if (!is_volume && strcmp(from->purpose, FILES_INPUT) != 0)
			continue;
		if (!read_files(task, from, &files, err))
			return task_fail(task, "FetchSourceFailed");
		if (is_volume)
			vec_push(task->arena, &spec->volumes, files);
		else
			vec_push(task->arena, &spec->files, files);
	}
	return true;
}

static bool fill_spec(struct task *task, const struct inputs *inputs, struct s2i_spec *spec,
		      struct err *err)
{
	const struct build_request *request = task->request;
	const struct source_strategy *source = request->config->spec.strategy.source;

	*spec = (struct s2i_spec){
		.builder_image = source->from.name,
		.tags = request->tags,
		.source = inputs->source,
		.context_dir = request->config->spec.source.context_dir,
		.scripts_url = source->scripts,
		.allowed_uids = ALLOWED_UIDS,
		.is_incremental = source->is_incremental,
		.previous_image = request->previous_image,
		.annotations = task_annotations(task),
		.deadline_ms = task_deadline_ms(task),
		.network = task_network(task),
		.runtime = request->runtime,
		.is_cancelled = is_cancelled,
		.on_phase = on_phase,
		.on_notice = on_notice,
		.on_made = on_made,
		.ctx = task,
		.registry = task->registry,
		.access = &task->image_access,
		.store = task->store,
		.created_s = inputs->commit_s,
		.profile = task_profile(task),
		.arena = task->arena,
	};
	fill_identity(task, inputs, spec);
	fill_env(task, spec);
	fill_labels(task, inputs, spec);
	return task_limits(task, &spec->limits, err) &&
	       task_dir(task, "s2i", 0755, &spec->work_dir, err) && fill_files(task, spec, err);
}

static bool run(struct task *task, const struct inputs *inputs, struct err *err)
{
	struct s2i_result result = { 0 };
	struct http *http = NULL;
	struct s2i_spec spec;
	bool is_done;

	if (!fill_spec(task, inputs, &spec, err))
		return false;
	if (spec.scripts_url && !http_open(&(struct http_options){ 0 }, &http, err))
		return false;
	spec.http = http;
	is_done = s2i_build(&spec, &result, err);
	if (http)
		http_close(&http);
	if (is_done) {
		task->result.image = result.image;
		return true;
	}
	/* A hook that failed has said so itself; that a cancelled script was killed is not its failure. */
	if (result.exit_code && result.reason != S2I_CANCELLED)
		task->exit_code = result.exit_code;
	task->is_oom |= result.is_oom;
	task->is_timeout |= result.is_timeout;
	return task_fail(task, s2i_reason_name(result.reason));
}

bool task_s2i(struct task *task, struct err *err)
{
	const struct build_request *request = task->request;
	struct remote_image image;
	struct inputs inputs;
	bool is_adopted = false;

	if (!request->config || !request->config->spec.strategy.source)
		return err_set(err, ERR_INVALID, "build request: no Source strategy");
	task_catch_signals();
	task_say_reasons(task);
	if (request->tags.n > 0 && !task_check_tags(task, err))
		return task_fail(task, s2i_reason_name(S2I_PUSH_FAILED));
	if (!task_adopt_request(task, &image, &is_adopted, err))
		return false;
	return is_adopted || (inputs_fetch(task, &inputs, err) &&
			      inputs_add_images(task, &inputs, err) && run(task, &inputs, err));
}
