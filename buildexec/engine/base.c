/* SPDX-License-Identifier: Apache-2.0 */
/* base.c — see base.h. */
#include "buildexec/engine/base.h"

#include <string.h>

#include "buildexec/sys/pool.h"
#include "model/base/digest.h"

enum { FETCH_THREADS = 4 };

const struct engine_base *engine_base_of(const struct engine_bases *bases, const char *diff_id,
					 size_t *layer)
{
	for (size_t i = 0; i < bases->n; i++) {
		const struct strings *ids = &bases->v[i].image.config.diff_ids;

		for (*layer = 0; *layer < ids->n; (*layer)++)
			if (strcmp(ids->v[*layer], diff_id) == 0 &&
			    *layer < bases->v[i].image.manifest.n_layers)
				return &bases->v[i];
	}
	return NULL;
}

static bool has_history(const struct remote_image *image)
{
	size_t n = 0;

	for (size_t i = 0; i < image->config.n_history; i++)
		n += !image->config.history[i].is_empty_layer;
	return n == image->manifest.n_layers;
}

bool base_settle(struct task *task, struct engine_base *base, struct err *err)
{
	const struct descriptor *desc = &base->image.manifest.config;
	struct image_bytes bytes;
	struct image_draft draft;
	char *config;

	if (has_history(&base->image)) {
		if (!registry_get_blob(task->registry, &base->image.ref, desc, task->arena, &config,
				       err))
			return false;
		base->config = config;
		base->config_len = (size_t)desc->size_bytes;
		base->id = digest_hex(desc->digest);
		return true;
	}
	image_draft_init(&draft, &base->image, task->arena);
	/* Without a time buildah would never take a layer from its cache. */
	for (size_t i = 0; i < draft.history.n; i++)
		draft.history.v[i].created =
			draft.config.created ? draft.config.created : "1970-01-01T00:00:00Z";
	image_draft_print(&draft, task->arena, &bytes);
	base->config = bytes.config;
	base->config_len = bytes.config_len;
	base->id = digest_hex(bytes.config_desc.digest);
	return true;
}

struct fetch {
	const struct task *task;
	const struct ref *ref;
	const struct descriptor *desc;
	const char *path;
	struct err err;
};

/* A handle for each, for they are of one thread. */
static void run_fetch(void *items, size_t i)
{
	struct fetch *fetch = (struct fetch *)items + i;
	struct registry *registry = NULL;

	if (fs_exists(fetch->path))
		return;
	if (!registry_open(&fetch->task->registries.rules, fetch->task->registries.keychain,
			   &registry, &fetch->err))
		return;
	if (registry_fetch_blob(registry, fetch->ref, fetch->desc, fetch->path, &fetch->err))
		fetch->err = (struct err){ 0 };
	registry_close(&registry);
}

bool base_fetch(struct task *task, const struct engine_base *base, const char *dir, struct err *err)
{
	const struct manifest *manifest = &base->image.manifest;
	struct fetch *fetches = arena_array(task->arena, manifest->n_layers, sizeof(*fetches));
	size_t n = 0;

	if (!fs_make_dirs(dir, 0700, err))
		return false;
	for (size_t i = 0; i < manifest->n_layers; i++) {
		const struct descriptor *desc = &manifest->layers[i];
		bool is_again = false;

		for (size_t k = 0; k < i; k++)
			is_again |= strcmp(manifest->layers[k].digest, desc->digest) == 0;
		if (!is_again)
			fetches[n++] = (struct fetch){
				.task = task,
				.ref = &base->image.ref,
				.desc = desc,
				.path = path_join(task->arena, dir, digest_hex(desc->digest)),
			};
	}
	pool_each(FETCH_THREADS, n, run_fetch, fetches);
	for (size_t i = 0; i < n; i++)
		if (fetches[i].err.kind != ERR_NONE) {
			*err = fetches[i].err;
			return false;
		}
	return true;
}
