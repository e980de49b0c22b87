/* SPDX-License-Identifier: Apache-2.0 */
/* prepare.c — see prepare.h. */
#include "buildexec/docker/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/docker/dockerfile_change.h"
#include "buildexec/engine/bases.h"
#include "buildexec/sys/proc.h"
#include "buildexec/task/inside.h"

const struct docker_strategy *prepare_strategy(const struct task *task)
{
	return task->request->config->spec.strategy.docker;
}

static int64_t read_timestamp(const struct docker_strategy *strategy)
{
	const char *text = env_var_find(&strategy->build_args, "SOURCE_DATE_EPOCH");
	int64_t seconds;
	char *end;

	if (!text)
		text = env_var_find(&strategy->env, "SOURCE_DATE_EPOCH");
	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	seconds = strtoll(text, &end, 10);
	return errno || *end ? -1 : seconds;
}

void prepare_args(struct engine_job *job)
{
	const struct docker_strategy *strategy = prepare_strategy(job->task);
	struct arena *arena = job->task->arena;

	for (size_t i = 0; i < strategy->build_args.n; i++) {
		const struct env_var *one = LIST_AT(strategy->build_args, struct env_var, i);

		vec_push(arena, &job->build_args,
			 (struct pair){ .key = one->name, .value = one->value ? one->value : "" });
	}
	engine_add_proxies(job, &strategy->env);
	job->is_uncached = strategy->is_uncached;
	job->timestamp_s = read_timestamp(strategy);
}

static bool no_dockerfile(struct engine_job *job, const char *name, const char *why,
			  struct err *err)
{
	const char *folder = job->task->request->config->spec.source.context_dir;

	return err_set(err, ERR_INVALID,
		       "cannot use the Dockerfile '%s' in %s%s%s: %s (strategy.dockerStrategy"
		       ".dockerfilePath names another, below source.contextDir)",
		       name, folder && *folder ? "the folder '" : "the top folder",
		       folder && *folder ? folder : "",
		       folder && *folder ? "' of the source" : " of the source", why);
}

/* Links are followed as long as they stay in the source. */
static bool read_text(struct engine_job *job, const struct inputs *inputs, char **text, size_t *len,
		      struct err *err)
{
	struct arena *arena = job->task->arena;
	const char *folder = job->task->request->config->spec.source.context_dir;
	const char *given = prepare_strategy(job->task)->dockerfile_path;
	const char *name = given ? given : "Dockerfile";
	const char *path = folder && *folder ? path_join(arena, folder, name) : name;
	const char *real;

	if (!inside_find(inputs->source, path, arena, &real, err))
		return no_dockerfile(job, name, "it leads out of the source", err);
	if (!real)
		return no_dockerfile(job, name, "there is no such file", err);
	if (!fs_read_plain(real, DOCKERFILE_MAX_BYTES, arena, text, len, err))
		return no_dockerfile(job, name, arena_strdup(arena, err->text), err);
	if (!*text)
		return no_dockerfile(job, name, "there is no such file", err);
	return inside_find(inputs->source, arena_printf(arena, "%s.dockerignore", path), arena,
			   &job->ignore, err);
}

static void add_pair(struct arena *arena, struct list *list, const struct docker_pair *pair)
{
	struct docker_pair *grown = arena_array(arena, list->n + 1, sizeof(*grown));

	if (list->n)
		memcpy(grown, list->v, list->n * sizeof(*grown));
	grown[list->n] = *pair;
	*list = (struct list){ grown, list->n + 1 };
}

static void add_env(struct arena *arena, struct list *to, const struct list *env, bool may_expand)
{
	for (size_t i = 0; i < env->n; i++) {
		const struct env_var *one = LIST_AT(*env, struct env_var, i);
		const struct docker_pair pair = { one->name, one->value, may_expand };

		add_pair(arena, to, &pair);
	}
}

/* What people wrote is expanded by the engine, as in OpenShift; what we add is not. */
static struct docker_changes changes_of(const struct engine_job *job, const struct inputs *inputs)
{
	const struct bc_request *config = job->task->request->config;
	const struct build_common *spec = &config->spec;
	struct arena *arena = job->task->arena;
	const struct build_id id = { config->build, config->ns };
	const struct list last_env = build_info_env(&id, spec, &inputs->info, arena);
	const struct list labels = build_info_labels(&id, spec, &inputs->info, arena);
	const struct list *images = &spec->source.images;
	const struct docker_strategy *strategy = prepare_strategy(job->task);
	struct docker_changes changes = { 0 };

	if (strategy->from)
		changes.from = strategy->from->name;
	for (size_t i = 0; i < images->n; i++) {
		const struct build_image_source *one =
			LIST_AT(*images, struct build_image_source, i);

		for (size_t k = 0; k < one->as.n; k++)
			vec_push(arena, &changes.images,
				 (struct pair){ .key = one->as.v[k], .value = one->from.name });
	}
	add_env(arena, &changes.env, &strategy->env, true);
	add_env(arena, &changes.last_env, &last_env, false);
	for (size_t i = 0; i < labels.n; i++) {
		const struct image_label *label = LIST_AT(labels, struct image_label, i);
		const struct docker_pair pair = { label->name, label->value,
						  i + spec->output.labels.n >= labels.n };

		add_pair(arena, &changes.labels, &pair);
	}
	return changes;
}

static bool change(struct engine_job *job, const struct inputs *inputs, struct prepared *out,
		   struct err *err)
{
	struct arena *arena = job->task->arena;
	const struct docker_changes changes = changes_of(job, inputs);
	const struct platform host = platform_host();
	AUTO_BUF changed = BUF_INIT(DOCKERFILE_OUT_MAX_BYTES);
	char *text;
	size_t len;

	if (!read_text(job, inputs, &text, &len, err) ||
	    !dockerfile_parse(text, len, arena, &out->original, err) ||
	    !dockerfile_change(&out->original, &changes, &changed, err) ||
	    !dockerfile_parse(buf_copy(&changed, arena), changed.len, arena, &out->file, err))
		return false;
	docker_images_find(&out->file, &job->build_args, &host, arena, &out->images);
	return true;
}

bool prepare_read(struct engine_job *job, const struct inputs *inputs, struct prepared *out,
		  struct err *err)
{
	*out = (struct prepared){ 0 };
	return (change(job, inputs, out, err) && engine_reads(job, &out->original, err)) ||
	       task_fail(job->task, "ManageDockerfileFailed");
}

bool prepare_bases(struct engine_job *job, const struct prepared *prepared, struct err *err)
{
	struct pairs *known = &job->task->result.bases;

	if (!bases_resolve(job, &prepared->images, err))
		return task_fail(job->task, "PullBuilderImageFailed");
	for (size_t i = 0; i < job->bases.n; i++) {
		const struct engine_base *base = &job->bases.v[i];

		if (!pairs_get(known, base->name))
			vec_push(job->task->arena, known,
				 (struct pair){ .key = base->name,
						.value = base_pinned(base, job->task->arena) });
	}
	return true;
}
