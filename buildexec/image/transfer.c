/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer.c — blobs up and layers down, several at once. Registry handles are for one thread at a time: the jobs of a
 * pool borrow them from a small stock and put them back, so that connections are kept.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/image/assemble.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"

enum { THREADS_USUAL = 4, HANDLES_MAX = 64 };

struct stock {
	const struct image_access *access;
	pthread_mutex_t lock;
	struct registry *idle[HANDLES_MAX];
	size_t n;
};

static bool borrow(struct stock *stock, struct registry **out, struct err *err)
{
	*out = NULL;
	pthread_mutex_lock(&stock->lock);
	if (stock->n)
		*out = stock->idle[--stock->n];
	pthread_mutex_unlock(&stock->lock);
	if (*out)
		return true;
	if (!registry_open(stock->access->rules, stock->access->keychain, out, err))
		return false;
	registry_share(*out, stock->access->shared);
	return true;
}

static void put_back(struct stock *stock, struct registry *registry)
{
	pthread_mutex_lock(&stock->lock);
	if (stock->n < HANDLES_MAX)
		stock->idle[stock->n++] = registry;
	else
		registry_close(&registry);
	pthread_mutex_unlock(&stock->lock);
}

static void stock_close(struct stock *stock)
{
	while (stock->n)
		registry_close(&stock->idle[--stock->n]);
	pthread_mutex_destroy(&stock->lock);
}

static size_t threads_of(const struct image_access *access)
{
	return access->n_threads ? access->n_threads : THREADS_USUAL;
}

static bool is_same_repo(const struct ref *a, const struct ref *b)
{
	return strcmp(a->registry, b->registry) == 0 && strcmp(a->repo, b->repo) == 0;
}

/* One layer for one repository. */
struct upload {
	struct stock *stock;
	const struct image_layer *layer;
	const struct ref *from; /* a repository that has it, or NULL */
	const struct ref *to;
	struct err err;
	bool is_ok;
};

/* The layer's bytes through this machine, for a registry that cannot take them from where they are. */
static bool copy_layer(struct registry *registry, const struct upload *upload, struct err *err)
{
	const struct image_layer *layer = upload->layer;
	AUTO_TMPDIR dir = { 0 };
	struct arena *arena;
	const char *path;
	bool is_there, is_ok;

	if (!registry_has_blob(registry, upload->to, layer->desc.digest, &is_there, err))
		return false;
	if (is_there)
		return true;
	if (!tmpdir_make(upload->stock->access->scratch_dir, "reconcile-copy", &dir, err))
		return false;
	arena = arena_new();
	path = path_join(arena, dir.path, "blob");
	is_ok = registry_fetch_blob(registry, layer->from, &layer->desc, path, err) &&
		registry_put_blob(registry, upload->to, &layer->desc, NULL, path, err);
	arena_free(arena);
	return is_ok;
}

static bool upload_layer(struct registry *registry, const struct upload *upload, struct err *err)
{
	const struct image_layer *layer = upload->layer;
	bool is_mounted = false;

	if (upload->from && is_same_repo(upload->from, upload->to))
		return true;
	if (upload->from && !registry_mount_blob(registry, upload->from, upload->to, &layer->desc,
						 &is_mounted, err))
		return false;
	if (is_mounted)
		return true;
	return layer->path ? registry_put_blob(registry, upload->to, &layer->desc, NULL,
					       layer->path, err)
			   : copy_layer(registry, upload, err);
}

static void run_upload(void *items, size_t i)
{
	struct upload *upload = (struct upload *)items + i;
	struct registry *registry;

	if (!borrow(upload->stock, &registry, &upload->err))
		return;
	upload->is_ok = upload_layer(registry, upload, &upload->err);
	if (!upload->is_ok)
		err_prefix(&upload->err, "layer '%s'", upload->layer->desc.digest);
	put_back(upload->stock, registry);
}

static bool is_repeated(const struct image_draft *draft, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(draft->layers.v[k].desc.digest, draft->layers.v[i].desc.digest) == 0)
			return true;
	return false;
}

static bool is_first_of_repo(const struct image_push *push, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_same_repo(push->tags[k], push->tags[i]))
			return false;
	return true;
}

/* The first of the tags that is in the same registry as tag `i`, but in another repository; NULL: there is none before. */
static const struct ref *first_of_registry(const struct image_push *push, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(push->tags[k]->registry, push->tags[i]->registry) == 0)
			return push->tags[k];
	return NULL;
}

/* What is sent from here is sent to each registry once (first), and mounted in its other repositories. */
static bool upload_wave(const struct image_push *push, struct stock *stock, bool is_first,
			struct arena *arena, struct err *err)
{
	const struct image_draft *draft = push->draft;
	VEC(struct upload) uploads = { 0 };

	for (size_t t = 0; t < push->n_tags; t++) {
		const struct ref *there = first_of_registry(push, t);

		for (size_t i = 0; is_first_of_repo(push, t) && i < draft->layers.n; i++) {
			const struct image_layer *layer = &draft->layers.v[i];

			if (!is_repeated(draft, i) && is_first == (!there || !layer->path))
				vec_push(arena, &uploads,
					 (struct upload){ .stock = stock,
							  .layer = layer,
							  .from = is_first ? layer->from : there,
							  .to = push->tags[t] });
		}
	}
	pool_each(threads_of(push->access), uploads.n, run_upload, uploads.v);
	for (size_t i = 0; i < uploads.n; i++) {
		if (!uploads.v[i].is_ok) {
			*err = uploads.v[i].err;
			return false;
		}
	}
	return true;
}

static bool upload_layers(const struct image_push *push, struct stock *stock, struct arena *arena,
			  struct err *err)
{
	return upload_wave(push, stock, true, arena, err) &&
	       upload_wave(push, stock, false, arena, err);
}

static bool put_names(const struct image_push *push, struct registry *registry,
		      const struct image_bytes *bytes, struct err *err)
{
	for (size_t i = 0; i < push->n_tags; i++)
		if (is_first_of_repo(push, i) &&
		    !registry_put_blob(registry, push->tags[i], &bytes->config_desc, bytes->config,
				       NULL, err))
			return false;
	for (size_t i = 0; i < push->n_tags; i++) {
		struct ref to = *push->tags[i];

		/* A tag that was not written is "latest", and it is meant. */
		to.digest = NULL;
		to.has_tag = to.tag != NULL;
		if (!registry_put_manifest(registry, &to, MEDIA_OCI_MANIFEST, bytes->manifest,
					   bytes->manifest_len, err))
			return false;
	}
	return true;
}

static bool check_draft(const struct image_draft *draft, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < draft->layers.n; i++) {
		const struct image_layer *layer = &draft->layers.v[i];

		if (!layer->diff_id || !digest_is_valid(layer->diff_id))
			return err_set(err, ERR_INVALID, "layer '%s' of the image has no diff id",
				       layer->desc.digest);
		if (!layer->path && !layer->from)
			BUG("layer '%s' is nowhere", layer->desc.digest);
	}
	for (size_t i = 0; i < draft->history.n; i++)
		n += !draft->history.v[i].is_empty_layer;
	if (n != draft->layers.n)
		BUG("%zu entries of history for %zu layers", n, draft->layers.n);
	return true;
}

bool image_push(const struct image_push *push, struct arena *arena, struct image_bytes *out,
		struct err *err)
{
	struct stock stock = { .access = push->access, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct registry *registry = NULL;
	bool is_ok;

	*out = (struct image_bytes){ 0 };
	if (!check_draft(push->draft, err))
		return false;
	image_draft_print(push->draft, arena, out);
	is_ok = upload_layers(push, &stock, arena, err) && borrow(&stock, &registry, err);
	if (is_ok)
		is_ok = put_names(push, registry, out, err);
	if (registry)
		put_back(&stock, registry);
	stock_close(&stock);
	if (!is_ok)
		*out = (struct image_bytes){ 0 };
	return is_ok;
}

/* One layer of an image on its way to being a folder. */
struct download {
	struct stock *stock;
	struct layer_store *store;
	const struct ref *from;
	const struct descriptor *desc;
	const char *diff_id;
	struct arena *arena; /* of this job alone */
	char *dir;
	struct err err;
};

/* Whoever holds the blob's lock fetches and unpacks it; those who waited find the folder. */
static bool fetch_and_unpack(struct download *download, struct registry *registry, struct err *err)
{
	const char *path = blob_path(download->arena, layer_store_blobs(download->store),
				     download->desc->digest);
	AUTO_FD lock = -1;
	bool was_here, is_ok;

	if (!layer_store_lock_blob(download->store, download->desc->digest, &lock, err))
		return false;
	download->dir = layer_store_find(download->store, download->diff_id, download->arena);
	if (download->dir)
		return true;
	was_here = fs_exists(path);
	if (!was_here && !registry_fetch_blob(registry, download->from, download->desc, path, err))
		return false;
	is_ok = layer_store_add(download->store, download->diff_id, path, download->arena,
				&download->dir, err);
	/* A blob that unpacks to something else is of no use to the next run either. */
	if (!was_here || !is_ok)
		unlink(path);
	return is_ok;
}

static void run_download(void *items, size_t i)
{
	struct download *download = (struct download *)items + i;
	struct registry *registry;

	download->dir = layer_store_find(download->store, download->diff_id, download->arena);
	if (download->dir || !borrow(download->stock, &registry, &download->err))
		return;
	if (!fetch_and_unpack(download, registry, &download->err))
		err_prefix(&download->err, "layer '%s'", download->desc->digest);
	put_back(download->stock, registry);
}

bool image_unpack(const struct remote_image *image, const struct image_access *access,
		  struct layer_store *store, struct arena *arena, struct strings *dirs,
		  struct err *err)
{
	struct stock stock = { .access = access, .lock = PTHREAD_MUTEX_INITIALIZER };
	size_t n = image->manifest.n_layers;
	struct download *downloads = arena_array(arena, n, sizeof(*downloads));
	bool is_ok = true;

	*dirs = (struct strings){ 0 };
	if (image->config.diff_ids.n != n)
		return err_set(err, ERR_INVALID, "image '%s' has %zu layers but %zu diff ids",
			       ref_format(&image->ref, arena), n, image->config.diff_ids.n);
	for (size_t i = 0; i < n; i++) {
		if (!digest_is_valid(image->config.diff_ids.v[i]))
			return err_set(err, ERR_INVALID, "'%s' is no diff id",
				       image->config.diff_ids.v[i]);
		downloads[i] = (struct download){ .stock = &stock,
						  .store = store,
						  .from = &image->ref,
						  .desc = &image->manifest.layers[i],
						  .diff_id = image->config.diff_ids.v[i] };
	}
	for (size_t i = 0; i < n; i++)
		downloads[i].arena = arena_new();
	pool_each(threads_of(access), n, run_download, downloads);
	for (size_t i = 0; i < n; i++) {
		if (is_ok && !downloads[i].dir) {
			*err = downloads[i].err;
			is_ok = false;
		}
		if (is_ok)
			vec_push(arena, dirs, arena_strdup(arena, downloads[i].dir));
		arena_free(downloads[i].arena);
	}
	stock_close(&stock);
	if (!is_ok)
		*dirs = (struct strings){ 0 };
	return is_ok;
}
