/* SPDX-License-Identifier: Apache-2.0 */
/* extend_engine.c — see extend_engine.h. */
#include "buildexec/cnb/extend_engine.h"

#include <string.h>

#include "buildexec/engine/base.h"
#include "buildexec/engine/bases.h"
#include "buildexec/engine/image.h"
#include "buildexec/sys/build_log.h"

/* What buildah says of itself in an image. */
#define LABEL_OF_ENGINE "io.buildah.version"

static bool open_engine(void *ctx, struct err *err)
{
	struct extend_engine *e = ctx;

	if (!engine_open(&e->job, &e->engine, err))
		return false;
	e->task->result.engine = e->job.engine_version;
	build_log_say("Engine: %s", e->job.engine_version);
	return e->engine->check(&e->job, err);
}

static bool begin(void *ctx, const struct remote_image *base, int64_t created_s, struct err *err)
{
	struct extend_engine *e = ctx;
	struct engine_base first = {
		.name = ref_pinned(&base->ref, base->desc.digest, e->task->arena), .image = *base
	};

	e->base = base;
	e->job.timestamp_s = created_s;
	e->job.bases = (struct engine_bases){ 0 };
	if (!base_settle(e->task, &first, err))
		return false;
	vec_push(e->task->arena, &e->job.bases, first);
	return true;
}

/* The image of FROM is what we have, whatever it is called; others are as anywhere. */
static struct docker_images images_of(const struct extend_engine *e, const struct dockerfile *file)
{
	struct arena *arena = e->task->arena;
	const struct platform host = platform_host();
	struct docker_images found, out = { 0 };
	const struct docker_instruction *from = file->v;

	while (strcmp(from->name, "FROM") != 0)
		from++;
	docker_images_find(file, &e->job.build_args, &host, arena, &found);
	vec_push(arena, &out,
		 (struct docker_image){ .name = e->job.bases.v[0].name,
					.place = from->image,
					.line = from->line });
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].line != from->line)
			vec_push(arena, &out, found.v[i]);
	for (size_t i = 0; i < found.unknown.n; i++)
		if (strcmp(found.unknown.v[i], from->image.value) != 0)
			vec_push(arena, &out.unknown, found.unknown.v[i]);
	return out;
}

/* Only what it asks for: engines complain about the rest. The image of FROM is known by that name, too. */
static void set_args(struct extend_engine *e, const struct dockerfile *file,
		     const struct pairs *args)
{
	const struct pair base = { .key = "base_image", .value = e->job.bases.v[0].name };

	e->job.build_args = (struct pairs){ 0 };
	if (extend_declares(file, base.key))
		vec_push(e->task->arena, &e->job.build_args, base);
	for (size_t i = 0; i < args->n; i++)
		if (strcmp(args->v[i].key, base.key) != 0 && extend_declares(file, args->v[i].key))
			vec_push(e->task->arena, &e->job.build_args, args->v[i]);
}

static bool build_failed(struct extend_engine *e, const struct dockerfile *file, struct err *err)
{
	uint32_t line = e->job.instruction ? dockerfile_line_of(file, e->job.instruction) : 0;

	if (err->kind != ERR_INVALID)
		return false;
	if (e->task->is_oom)
		return err_set(err, ERR_INVALID,
			       "OOMKilled: it needed more memory than its limit of %lld MiB allows",
			       (long long)(e->job.limits.memory_bytes >> 20));
	return line ? err_prefix(err, "line %u", line) : false;
}

/* What was built is the base of the next one; its layers below are those of the first. */
static bool build(struct extend_engine *e, const struct dockerfile *file, struct err *err)
{
	struct engine_base *base = &e->job.bases.v[0];

	if (!e->engine->place(&e->job, err))
		return false;
	e->job.error = e->job.instruction = NULL;
	if (!engine_build(e->engine, &e->job, &e->id, err))
		return build_failed(e, file, err);
	base->name = base->id = e->id;
	return true;
}

static bool apply(void *ctx, const struct extend_file *file, const char *context,
		  const struct pairs *args, struct image_config *out, struct err *err)
{
	struct extend_engine *e = ctx;
	struct docker_images images;
	const char *config;
	size_t len;

	e->job.context = context;
	set_args(e, &file->text, args);
	images = images_of(e, &file->text);
	return engine_reads(&e->job, &file->text, err) && bases_resolve(&e->job, &images, err) &&
	       bases_write(&e->job, &file->text, &images, err) && build(e, &file->text, err) &&
	       e->engine->read_config(&e->job, e->id, &config, &len, err) &&
	       image_config_parse(config, len, e->task->arena, out, err);
}

static void drop_label(struct image_draft *draft, const char *label)
{
	struct pairs *labels = &draft->config.labels;
	size_t n = 0;

	for (size_t i = 0; i < labels->n; i++)
		if (strcmp(labels->v[i].key, label) != 0)
			labels->v[n++] = labels->v[i];
	labels->n = n;
}

static bool finish(void *ctx, struct image_draft *out, struct err *err)
{
	struct extend_engine *e = ctx;
	struct arena *arena = e->task->arena;
	struct engine_output output;
	const char *dir = arena_printf(arena, "%s/extended-%u", e->task->work.path, e->n_images++);

	if (!e->engine->export(&e->job, e->id, dir, &output, err) ||
	    !built_image(&e->job, &output, out, err))
		return err_prefix(err, "cannot take the image from %s", e->engine->name);
	if (!pairs_get(&e->base->config.labels, LABEL_OF_ENGINE))
		drop_label(out, LABEL_OF_ENGINE);
	return true;
}

static bool unpack(void *ctx, const struct image_draft *draft, struct strings *dirs,
		   struct err *err)
{
	struct extend_engine *e = ctx;

	return built_unpack(&e->job, draft, dirs, err);
}

void extend_engine_init(struct extend_engine *e, struct task *task,
			const struct sandbox_limits *limits, struct lifecycle_extender *out)
{
	const struct build_request *request = task->request;
	const char *name = request->cache_key;

	if (!name || !name[0])
		name = arena_copy(task->arena, request->id, strcspn(request->id, "#"));
	*e = (struct extend_engine){
		.task = task,
		.job = { .task = task,
			 .store_name = arena_printf(task->arena, "image %s", name),
			 .limits = *limits,
			 .has_foreign_args = true,
			 .timestamp_s = -1 },
	};
	engine_add_proxies(&e->job, &request->env);
	*out = (struct lifecycle_extender){
		.ctx = e,
		.open = open_engine,
		.begin = begin,
		.apply = apply,
		.finish = finish,
		.unpack = unpack,
	};
}

void extend_engine_close(struct extend_engine *e)
{
	if (e->engine)
		e->engine->close(&e->job);
	e->engine = NULL;
}
