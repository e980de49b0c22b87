/* SPDX-License-Identifier: Apache-2.0 */
/* prepare.c — see prepare.h. */
#include "buildexec/docker/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/docker/base.h"
#include "buildexec/sys/proc.h"
#include "buildexec/task/inside.h"

/* Of the engine itself, as OpenShift lets a build config set them for its builder. */
static const char *const proxies[] = { "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
				       "http_proxy", "https_proxy", "no_proxy" };

static const char *value_of(const struct list *env, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < env->n; i++) {
		const struct env_var *one = LIST_AT(*env, struct env_var, i);

		if (strcmp(one->name, name) == 0)
			value = one->value ? one->value : "";
	}
	return value;
}

static int64_t read_timestamp(const struct docker_strategy *strategy)
{
	const char *text = value_of(&strategy->build_args, "SOURCE_DATE_EPOCH");
	int64_t seconds;
	char *end;

	if (!text)
		text = value_of(&strategy->env, "SOURCE_DATE_EPOCH");
	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	seconds = strtoll(text, &end, 10);
	return errno || *end ? -1 : seconds;
}

void prepare_args(struct docker_job *job)
{
	const struct docker_strategy *strategy = job->strategy;
	struct arena *arena = job->task->arena;

	for (size_t i = 0; i < strategy->build_args.n; i++) {
		const struct env_var *one = LIST_AT(strategy->build_args, struct env_var, i);

		vec_push(arena, &job->build_args,
			 (struct pair){ .key = one->name, .value = one->value ? one->value : "" });
	}
	for (size_t i = 0; i < COUNTOF(proxies); i++) {
		const char *value = value_of(&strategy->env, proxies[i]);

		value = value ? value : proc_getenv(proxies[i]);
		if (value)
			vec_push(arena, &job->env,
				 (struct pair){ .key = proxies[i], .value = value });
	}
	job->timestamp_s = read_timestamp(strategy);
}

static bool no_dockerfile(struct docker_job *job, const char *name, const char *why,
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
static bool read_text(struct docker_job *job, const struct inputs *inputs, char **text, size_t *len,
		      struct err *err)
{
	struct arena *arena = job->task->arena;
	const char *folder = job->task->request->config->spec.source.context_dir;
	const char *name =
		job->strategy->dockerfile_path ? job->strategy->dockerfile_path : "Dockerfile";
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
static struct docker_changes changes_of(const struct docker_job *job, const struct inputs *inputs)
{
	const struct bc_request *config = job->task->request->config;
	const struct build_common *spec = &config->spec;
	struct arena *arena = job->task->arena;
	const struct build_id id = { config->build, config->ns };
	const struct list last_env = build_info_env(&id, spec, &inputs->info, arena);
	const struct list labels = build_info_labels(&id, spec, &inputs->info, arena);
	const struct list *images = &spec->source.images;
	struct docker_changes changes = { 0 };

	if (job->strategy->from)
		changes.from = job->strategy->from->name;
	for (size_t i = 0; i < images->n; i++) {
		const struct build_image_source *one =
			LIST_AT(*images, struct build_image_source, i);

		for (size_t k = 0; k < one->as.n; k++)
			vec_push(arena, &changes.images,
				 (struct pair){ .key = one->as.v[k], .value = one->from.name });
	}
	add_env(arena, &changes.env, &job->strategy->env, true);
	add_env(arena, &changes.last_env, &last_env, false);
	for (size_t i = 0; i < labels.n; i++) {
		const struct image_label *label = LIST_AT(labels, struct image_label, i);
		const struct docker_pair pair = { label->name, label->value,
						  i + spec->output.labels.n >= labels.n };

		add_pair(arena, &changes.labels, &pair);
	}
	return changes;
}

static bool change(struct docker_job *job, const struct inputs *inputs, struct prepared *out,
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

/* Said before the engine takes the lines of the document for instructions. */
static bool check_here(struct docker_job *job, const struct dockerfile *file, struct err *err)
{
	for (size_t i = 0; job->here_needs && i < file->n; i++)
		if (file->v[i].has_here)
			return err_set(err, ERR_INVALID,
				       "line %u of the Dockerfile: here-documents need %s, and "
				       "this is %s (put the lines in a file of the source)",
				       file->v[i].line, job->here_needs, job->engine_version);
	return true;
}

bool prepare_read(struct docker_job *job, const struct inputs *inputs, struct prepared *out,
		  struct err *err)
{
	*out = (struct prepared){ 0 };
	return (change(job, inputs, out, err) && check_here(job, &out->original, err)) ||
	       task_fail(job->task, "ManageDockerfileFailed");
}

/* ---- images ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static struct docker_base *find(struct docker_bases *bases, const struct docker_image *image)
{
	for (size_t i = 0; i < bases->n; i++)
		if (strcmp(bases->v[i].name, image->name) == 0 &&
		    same_text(bases->v[i].platform, image->platform))
			return &bases->v[i];
	return NULL;
}

static bool read_platform(const char *text, struct arena *arena, struct platform *out,
			  struct err *err)
{
	const char *slash = text ? strchr(text, '/') : NULL, *second;

	*out = platform_host();
	if (!text)
		return true;
	if (!slash || slash == text || !slash[1])
		return err_set(err, ERR_INVALID, "'%s' is no platform (as in linux/arm64)", text);
	second = strchr(slash + 1, '/');
	*out = (struct platform){ .os = arena_copy(arena, text, (size_t)(slash - text)) };
	out->arch = second ? arena_copy(arena, slash + 1, (size_t)(second - slash - 1)) : slash + 1;
	out->variant = second ? second + 1 : NULL;
	return true;
}

static bool resolve(struct docker_job *job, const struct docker_image *image, struct err *err)
{
	struct task *task = job->task;
	struct docker_base base = { .name = image->name, .platform = image->platform };
	struct platform want;
	struct ref ref;

	if (!read_platform(image->platform, task->arena, &want, err) ||
	    !ref_parse(image->name, task->arena, &ref, err) ||
	    !registry_read_image(task->registry, &ref, &want, task->arena, &base.image, err) ||
	    !base_settle(task, &base, err))
		return err_prefix(err, "cannot get the image '%s' of the Dockerfile", image->name);
	vec_push(task->arena, &job->bases, base);
	if (!pairs_get(&task->result.bases, image->name))
		vec_push(task->arena, &task->result.bases,
			 (struct pair){ .key = image->name,
					.value = ref_pinned(&base.image.ref,
							    base.image.top_digest
								    ? base.image.top_digest
								    : base.image.desc.digest,
							    task->arena) });
	return true;
}

bool prepare_bases(struct docker_job *job, const struct prepared *prepared, struct err *err)
{
	const struct docker_images *images = &prepared->images;

	for (size_t i = 0; i < images->n; i++) {
		struct docker_base *base = find(&job->bases, &images->v[i]);

		if (!base) {
			if (!resolve(job, &images->v[i], err))
				return task_fail(job->task, "PullBuilderImageFailed");
			base = &job->bases.v[job->bases.n - 1];
			task_say("Image %s: %s@%s", base->name,
				 ref_name(&base->image.ref, job->task->arena),
				 base->image.desc.digest);
		}
		base->needs_name |= !images->v[i].place.value;
	}
	for (size_t i = 0; i < images->unknown.n; i++)
		task_notice(job->task,
			    "the Dockerfile takes files from '%s', whose variables are not known "
			    "before the build: it must be a stage, no image is pulled for it",
			    images->unknown.v[i]);
	return true;
}

bool prepare_write(struct docker_job *job, const struct prepared *prepared, struct err *err)
{
	struct task *task = job->task;
	AUTO_BUF text = BUF_INIT(DOCKERFILE_OUT_MAX_BYTES);
	struct strings names = { 0 };
	const char *dir;

	for (size_t i = 0; i < prepared->images.n; i++)
		vec_push(task->arena, &names, find(&job->bases, &prepared->images.v[i])->id);
	docker_images_replace(&prepared->file, &prepared->images, &names, &text);
	if (!task_dir(task, "dockerfile", 0700, &dir, err))
		return false;
	job->dockerfile = path_join(task->arena, dir, "Dockerfile");
	return fs_write_atomic(AT_FDCWD, job->dockerfile, buf_text(&text), text.len, 0600, false,
			       err);
}
