/* SPDX-License-Identifier: Apache-2.0 */
/* bom_read.c — fetches the labels and the SBOM layer of an image: foreign bytes, so the layer is unpacked with small limits. */
#include <fcntl.h>
#include <string.h>

#include "buildexec/cnb/app_metadata.h"
#include "buildexec/cnb/bom.h"
#include "buildexec/source/archive.h"
#include "buildexec/source/blob_cache.h"
#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

#define TEMP_PREFIX "reconcile-sbom"
#define SBOM_FOLDER "layers/sbom/launch/"

struct reading {
	struct registry *registry;
	const char *cache_dir;
	struct arena *arena;
	struct remote_image image;
	struct bom *bom;
};

/* NULL: no such label. */
static bool read_label(const struct reading *reading, const char *name, struct node **out,
		       struct err *err)
{
	const char *text = pairs_get(&reading->image.config.labels, name);

	*out = NULL;
	return !text || json_parse(text, strlen(text), reading->arena, out, err) ||
	       err_prefix(err, "label '%s'", name);
}

static bool read_build_label(struct reading *reading, struct err *err)
{
	const struct node *list;
	struct node *json;

	if (!read_label(reading, LABEL_BUILD_METADATA, &json, err))
		return false;
	list = node_get(json, "buildpacks");
	for (const struct node *c = list && list->kind == NODE_SEQ ? list->first : NULL; c;
	     c = c->next)
		if (node_text(c, "id"))
			vec_push(reading->arena, &reading->bom->buildpacks, node_text(c, "id"));
	bom_add(reading->bom, "", node_get(json, "bom"), reading->arena);
	return true;
}

/* The layer with this diff id; NULL: the image has none. */
static const struct descriptor *find_layer(const struct remote_image *image, const char *diff_id)
{
	for (size_t i = 0; i < image->config.diff_ids.n && i < image->manifest.n_layers; i++)
		if (strcmp(image->config.diff_ids.v[i], diff_id) == 0)
			return &image->manifest.layers[i];
	return NULL;
}

static bool open_layer(struct reading *reading, const struct descriptor *layer, int *fd,
		       struct err *err)
{
	const char *path;

	if (!digest_is_valid(layer->digest) || layer->size_bytes > (int64_t)LIMIT_SBOM_BYTES)
		return err_set(err, ERR_INVALID,
			       "its SBOM layer has no sha256 digest, or more than %u bytes",
			       LIMIT_SBOM_BYTES);
	if (!blob_cache_open(reading->cache_dir, layer->digest, fd, err))
		return false;
	return *fd >= 0 ||
	       (blob_cache_path(reading->cache_dir, layer->digest, reading->arena, &path, err) &&
		registry_fetch_blob(reading->registry, &reading->image.ref, layer, path, err) &&
		blob_cache_open(reading->cache_dir, layer->digest, fd, err) &&
		(*fd >= 0 || err_set(err, ERR_CONFLICT, "the SBOM layer is gone")));
}

static bool read_file(void *ctx, struct tree_entry *entry, struct err *err)
{
	struct reading *reading = ctx;
	size_t n = strlen(SBOM_FOLDER), len = 0;
	struct node *json = NULL;
	char *text = NULL;

	if (!S_ISREG(entry->stat.st_mode) || strncmp(entry->path, SBOM_FOLDER, n) != 0 ||
	    strncmp(entry->name, "sbom.", 5) != 0)
		return true;
	if (!fs_read(entry->dir_fd, entry->name, LIMIT_SBOM_BYTES, reading->arena, &text, &len,
		     err))
		return false;
	if (text && !json_parse(text, len, reading->arena, &json, err))
		return err_prefix(err, "'/%s'", entry->path);
	bom_add(reading->bom, entry->path + n, json, reading->arena);
	return true;
}

static bool read_layer(struct reading *reading, const struct descriptor *layer, struct err *err)
{
	static const struct archive_limits limits = { .bytes = 4ull * LIMIT_SBOM_BYTES,
						      .entries = 10000,
						      .ratio = LIMIT_SOURCE_RATIO,
						      .free_bytes = LIMIT_SOURCE_FREE_BYTES };
	AUTO_TMPDIR temp = { 0 };
	AUTO_FD fd = -1;
	struct archive_spec archive = { .is_layer = true, .limits = &limits };

	fs_sweep_temp(NULL, TEMP_PREFIX);
	if (!tmpdir_make(NULL, TEMP_PREFIX, &temp, err) || !open_layer(reading, layer, &fd, err))
		return false;
	archive.fd = fd;
	archive.dest = temp.path;
	return archive_unpack(&archive, err) && tree_walk(temp.path, read_file, reading, err);
}

static bool read_all(struct reading *reading, struct err *err)
{
	const struct descriptor *layer;
	const char *diff_id;
	struct node *json;

	if (!read_build_label(reading, err) ||
	    !read_label(reading, LABEL_LIFECYCLE_METADATA, &json, err))
		return false;
	diff_id = node_text(node_get(json, "sbom"), "sha");
	if (!diff_id || !*diff_id)
		return true;
	layer = find_layer(&reading->image, diff_id);
	if (!layer)
		return err_set(err, ERR_INVALID, "it has no layer '%s', which its label names",
			       diff_id);
	return read_layer(reading, layer, err);
}

bool bom_read(struct registry *registry, const char *image, const char *cache_dir,
	      struct arena *arena, struct bom *out, struct err *err)
{
	const struct platform host = platform_host();
	struct reading reading = {
		.registry = registry, .cache_dir = cache_dir, .arena = arena, .bom = out
	};
	struct ref ref;

	*out = (struct bom){ 0 };
	if (!ref_parse(image, arena, &ref, err) ||
	    !registry_read_image(registry, &ref, &host, arena, &reading.image, err))
		return false;
	if (!read_all(&reading, err))
		return err_prefix(err, "cannot read the bill of materials of '%s'", image);
	bom_list(out, arena);
	return true;
}
