/* SPDX-License-Identifier: Apache-2.0 */
/* image.c — see image.h. */
#include "buildexec/engine/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "buildexec/engine/base.h"
#include "buildexec/image/inflate.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/log.h"
#include "model/base/digest.h"
#include "model/doc/json.h"

enum { TAIL_BYTES = 1024, HISTORY_MAX_BYTES = 4 << 20 };

/* An archive piece by piece, but for the zeros at its end, which the layer writes itself. */
struct pack {
	struct tar *tar;
	char tail[TAIL_BYTES];
	size_t n_tail;
};

static bool pack_bytes(struct pack *pack, const char *bytes, size_t n, struct err *err)
{
	size_t n_over = pack->n_tail + n > TAIL_BYTES ? pack->n_tail + n - TAIL_BYTES : 0;
	size_t from_tail = n_over < pack->n_tail ? n_over : pack->n_tail;
	size_t from_new = n_over - from_tail;

	if ((from_tail && !pack->tar->sink(pack->tar->ctx, pack->tail, from_tail, err)) ||
	    (from_new && !pack->tar->sink(pack->tar->ctx, bytes, from_new, err)))
		return false;
	memmove(pack->tail, pack->tail + from_tail, pack->n_tail - from_tail);
	pack->n_tail -= from_tail;
	memcpy(pack->tail + pack->n_tail, bytes + from_new, n - from_new);
	pack->n_tail += n - from_new;
	return true;
}

static bool pack_end(struct pack *pack, struct err *err)
{
	static const char zeros[TAIL_BYTES];

	return (pack->n_tail == TAIL_BYTES && memcmp(pack->tail, zeros, TAIL_BYTES) == 0) ||
	       pack->tar->sink(pack->tar->ctx, pack->tail, pack->n_tail, err);
}

/* The file's archive, compressed as we do it. */
static bool pack_layer(struct task *task, const char *path, struct layer_result *out,
		       struct err *err)
{
	const struct layer_options options = {
		.blob_dir = path_join(task->arena, task->work.path, "blobs"),
		.profile = task_profile(task),
	};
	AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_INFLATE *inflate = NULL;
	AUTO_LAYER *layer = NULL;
	struct pack pack = { 0 };
	const void *bytes;
	size_t n = 1;

	if (fd < 0)
		return err_sys(err, errno, "cannot open the layer '%s'", path);
	if (!inflate_open(fd, &inflate, err) || !layer_open(&options, &layer, err))
		return false;
	pack.tar = layer_tar(layer);
	while (n > 0)
		if (!inflate_next(inflate, &bytes, &n, err) ||
		    (n > 0 && !pack_bytes(&pack, bytes, n, err)))
			return false;
	return pack_end(&pack, err) && layer_commit(&layer, out, err);
}

/* A layer that the engine compressed is taken as it is. */
static bool take_layer(struct task *task, const struct engine_layer *layer, struct image_layer *out,
		       struct err *err)
{
	struct layer_result packed;
	struct stat st;

	if (layer->digest && task_profile(task) == LAYER_FAST) {
		if (stat(layer->path, &st) != 0)
			return err_sys(err, errno, "cannot read the layer '%s'", layer->path);
		out->desc = (struct descriptor){ .media_type = MEDIA_OCI_LAYER_GZIP,
						 .digest = layer->digest,
						 .size_bytes = st.st_size };
		out->path = layer->path;
		return true;
	}
	if (!pack_layer(task, layer->path, &packed, err))
		return false;
	out->desc = (struct descriptor){ .media_type = MEDIA_OCI_LAYER_GZIP,
					 .digest = arena_strdup(task->arena, packed.digest.text),
					 .size_bytes = (int64_t)packed.size_bytes };
	out->diff_id = arena_strdup(task->arena, packed.diff_id.text);
	out->path = arena_strdup(task->arena, packed.path);
	return true;
}

/*
 * Values of build arguments that come from secrets are in what an engine says of a step, and local names of buildah ("FROM
 * localhost/…") mean nothing to anybody.
 */
static void clean_history(struct image_draft *draft, struct arena *arena)
{
	for (size_t i = 0; i < draft->history.n; i++) {
		struct history *one = &draft->history.v[i];
		AUTO_BUF clean = BUF_INIT(HISTORY_MAX_BYTES);

		if (one->comment && strncmp(one->comment, "FROM ", 5) == 0)
			one->comment = NULL;
		if (!one->created_by)
			continue;
		redact(one->created_by, strlen(one->created_by), &clean);
		one->created_by = buf_copy(&clean, arena);
	}
}

/* Of the container that a step ran in, not of the image: other ones every time. */
static const char *const of_container[] = {
	"container", "container_config", "parent",      "docker_version", "id",
	"Hostname",  "Domainname",       "AttachStdin", "AttachStdout",   "AttachStderr",
	"Tty",       "OpenStdin",        "StdinOnce",   "Image",
};

static struct node *without_container(const struct node *map, struct arena *arena)
{
	struct node *out = node_new(arena, NODE_MAP);

	for (const struct node *one = map->first; one; one = one->next) {
		bool is_dropped = false;

		for (size_t i = 0; i < COUNTOF(of_container); i++)
			is_dropped |= strcmp(one->key, of_container[i]) == 0;
		if (!is_dropped)
			node_append(arena, out, one->key,
				    strcmp(one->key, "config") == 0 && one->kind == NODE_MAP
					    ? without_container(one, arena)
					    : node_clone(arena, one));
	}
	return out;
}

static bool read_config(const struct engine_output *output, struct arena *arena,
			struct image_config *out, struct err *err)
{
	AUTO_BUF text = BUF_INIT(LIMIT_REQUEST_BYTES);
	struct node *root;

	if (!json_parse(output->config, output->config_len, arena, &root, err))
		return false;
	if (root->kind != NODE_MAP)
		return err_set(err, ERR_INVALID, "its config is no mapping");
	json_print(without_container(root, arena), JSON_COMPACT, &text);
	return image_config_parse(buf_text(&text), text.len, arena, out, err);
}

bool built_image(struct engine_job *job, const struct engine_output *output,
		 struct image_draft *out, struct err *err)
{
	struct task *task = job->task;
	struct remote_image built = { 0 };

	if (!read_config(output, task->arena, &built.config, err))
		return err_prefix(err, "the engine gave no image");
	if (built.config.diff_ids.n != output->n_layers)
		return err_set(err, ERR_SYSTEM, "the engine gave %zu layers for %zu diff ids",
			       output->n_layers, built.config.diff_ids.n);
	built.manifest.n_layers = output->n_layers;
	built.manifest.layers =
		arena_array(task->arena, output->n_layers, sizeof(*built.manifest.layers));
	for (size_t i = 0; i < output->n_layers; i++)
		built.manifest.layers[i].media_type = MEDIA_OCI_LAYER_GZIP;
	image_draft_init(out, &built, task->arena);
	out->annotations = task_annotations(task);
	clean_history(out, task->arena);
	for (size_t i = 0; i < output->n_layers; i++) {
		struct image_layer *layer = &out->layers.v[i];
		size_t k;
		const struct engine_base *base = engine_base_of(&job->bases, layer->diff_id, &k);

		layer->from = NULL;
		if (base) {
			layer->desc = base->image.manifest.layers[k];
			layer->desc.media_type = media_to_oci(layer->desc.media_type);
			layer->from = &base->image.ref;
		} else if (!take_layer(task, &output->layers[i], layer, err)) {
			return false;
		}
	}
	return true;
}

bool built_unpack(struct engine_job *job, const struct image_draft *draft, struct strings *dirs,
		  struct err *err)
{
	struct task *task = job->task;

	for (size_t i = 0; i < draft->layers.n; i++) {
		const struct image_layer *layer = &draft->layers.v[i];
		struct strings of_base = { 0 };
		size_t k;
		const struct engine_base *base = engine_base_of(&job->bases, layer->diff_id, &k);
		char *dir;

		/* What is unpacked already is only looked up. */
		if (base && !image_unpack(&base->image, &task->image_access, task->store,
					  task->arena, &of_base, err))
			return false;
		if (!base && !layer_store_add(task->store, layer->diff_id, layer->path, task->arena,
					      &dir, err))
			return false;
		vec_push(task->arena, dirs, base ? of_base.v[k] : dir);
	}
	return true;
}

bool built_push(struct task *task, const struct image_draft *draft, struct err *err)
{
	const struct strings *tags = &task->request->tags;
	const struct ref **refs = arena_array(task->arena, tags->n, sizeof(*refs));
	const struct image_push push = {
		.draft = draft, .access = &task->image_access, .tags = refs, .n_tags = tags->n
	};
	struct image_bytes bytes;

	if (!tags->n)
		return true;
	for (size_t i = 0; i < tags->n; i++) {
		struct ref *ref = ARENA_NEW(task->arena, struct ref);

		if (!ref_parse(tags->v[i], task->arena, ref, err))
			return false;
		refs[i] = ref;
	}
	build_log_say("Pushing image %s ...", tags->v[0]);
	if (!image_push(&push, task->arena, &bytes, err))
		return err_prefix(err, "cannot save '%s'", tags->v[0]);
	task->result.image = ref_pinned(refs[0], bytes.manifest_desc.digest, task->arena);
	build_log_say("Push successful: %s", task->result.image);
	return true;
}
