/* SPDX-License-Identifier: Apache-2.0 */
/* bases.c — see bases.h. */
#include "buildexec/engine/bases.h"

#include <fcntl.h>
#include <string.h>

#include "buildexec/engine/base.h"
#include "buildexec/sys/build_log.h"

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static struct engine_base *find(struct engine_bases *bases, const struct docker_image *image)
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

static bool resolve(struct engine_job *job, const struct docker_image *image, struct err *err)
{
	struct task *task = job->task;
	struct engine_base base = { .name = image->name, .platform = image->platform };
	struct platform want;
	struct ref ref;

	if (!read_platform(image->platform, task->arena, &want, err) ||
	    !ref_parse(image->name, task->arena, &ref, err) ||
	    !registry_read_image(task->registry, &ref, &want, task->arena, &base.image, err) ||
	    !base_settle(task, &base, err))
		return err_prefix(err, "cannot get the image '%s' of the Dockerfile", image->name);
	vec_push(task->arena, &job->bases, base);
	return true;
}

const char *base_pinned(const struct engine_base *base, struct arena *arena)
{
	const struct remote_image *image = &base->image;

	return ref_pinned(&image->ref, image->top_digest ? image->top_digest : image->desc.digest,
			  arena);
}

bool bases_resolve(struct engine_job *job, const struct docker_images *images, struct err *err)
{
	for (size_t i = 0; i < images->n; i++) {
		struct engine_base *base = find(&job->bases, &images->v[i]);

		if (!base) {
			if (!resolve(job, &images->v[i], err))
				return false;
			base = &job->bases.v[job->bases.n - 1];
			build_log_say("Image %s: %s@%s", base->name,
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

bool bases_write(struct engine_job *job, const struct dockerfile *file,
		 const struct docker_images *images, struct err *err)
{
	struct task *task = job->task;
	AUTO_BUF text = BUF_INIT(DOCKERFILE_OUT_MAX_BYTES);
	struct strings names = { 0 };
	const char *dir;

	for (size_t i = 0; i < images->n; i++)
		vec_push(task->arena, &names, find(&job->bases, &images->v[i])->id);
	docker_images_replace(file, images, &names, &text);
	if (!task_dir(task, "dockerfile", 0700, &dir, err))
		return false;
	job->dockerfile = path_join(task->arena, dir, "Dockerfile");
	return fs_write_atomic(AT_FDCWD, job->dockerfile, buf_text(&text), text.len, 0600, false,
			       err);
}

bool engine_reads(const struct engine_job *job, const struct dockerfile *file, struct err *err)
{
	for (size_t i = 0; job->here_needs && i < file->n; i++)
		if (file->v[i].has_here)
			return err_set(err, ERR_INVALID,
				       "line %u of the Dockerfile: here-documents need %s, and "
				       "this is %s (put the lines in a file of the source)",
				       file->v[i].line, job->here_needs, job->engine_version);
	return true;
}
