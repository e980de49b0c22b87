/* SPDX-License-Identifier: Apache-2.0 */
/* source_image.c — see source_image.h. */
#include "buildexec/source/source_image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "buildexec/source/archive.h"
#include "buildexec/source/blob_cache.h"
#include "buildexec/source/tree_walk.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"

static bool open_layer(const struct source_image *spec, const struct remote_image *image,
		       const struct descriptor *layer, struct arena *arena, int *fd,
		       struct err *err)
{
	const char *path;

	if (!digest_is_valid(layer->digest))
		return err_set(err, ERR_INVALID, "layer '%s' has no sha256 digest", layer->digest);
	if (layer->size_bytes > LIMIT_BLOB_BYTES)
		return err_set(err, ERR_INVALID, "layer '%s' is larger than %lld bytes",
			       layer->digest, LIMIT_BLOB_BYTES);
	if (!blob_cache_open(spec->cache_dir, layer->digest, fd, err))
		return false;
	if (*fd >= 0)
		return true;
	if (!blob_cache_path(spec->cache_dir, layer->digest, arena, &path, err) ||
	    !registry_fetch_blob(spec->registry, &image->ref, layer, path, err) ||
	    !blob_cache_open(spec->cache_dir, layer->digest, fd, err))
		return false;
	return *fd >= 0 || err_set(err, ERR_CONFLICT, "layer '%s' is gone", layer->digest);
}

static bool apply_layers(const struct source_image *spec, const struct remote_image *image,
			 const char *dest, struct arena *arena, struct err *err)
{
	for (size_t i = 0; i < image->manifest.n_layers; i++) {
		AUTO_FD fd = -1;
		struct archive_spec layer = { .dest = dest, .is_layer = true };

		if (!open_layer(spec, image, &image->manifest.layers[i], arena, &fd, err))
			return false;
		layer.fd = fd;
		if (!archive_unpack(&layer, err))
			return err_prefix(err, "layer %zu", i + 1);
	}
	return true;
}

/* The one file of the one layer. */
static bool unpack_file(const struct source_image *spec, const struct remote_image *image,
			struct arena *arena, struct err *err)
{
	AUTO_TMPDIR temp = { 0 };
	AUTO_FD dir = -1;
	AUTO_FD fd = -1;
	struct archive_spec archive = { .dest = spec->dest };
	struct strings names = { 0 };

	if (image->manifest.n_layers != 1)
		return err_set(err, ERR_INVALID, "expected image to have exactly one layer");
	if (!tmpdir_make(NULL, "reconcile-source", &temp, err) ||
	    !apply_layers(spec, image, temp.path, arena, err))
		return false;
	dir = open(temp.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, errno, "cannot open folder '%s'", temp.path);
	if (!fs_names(dir, arena, &names, err))
		return false;
	if (names.n != 1)
		return err_set(err, ERR_INVALID, "expected layer to have exactly one file");
	fd = openat(dir, names.v[0], O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", names.v[0]);
	archive.fd = fd;
	return archive_unpack(&archive, err);
}

static bool is_archive_type(const char *type)
{
	static const char *const types[] = { "zip", "jar", "war", "tar", "tar.gz" };

	for (size_t i = 0; type && i < COUNTOF(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

bool source_image_unpack(const struct source_image *spec, struct arena *arena, struct err *err)
{
	const struct platform host = platform_host();
	struct remote_image image;
	struct ref ref;
	bool is_done;

	if (!ref_parse(spec->image, arena, &ref, err) ||
	    !registry_read_image(spec->registry, &ref, &host, arena, &image, err))
		return false;
	if (image.manifest.n_layers > LIMIT_LAYERS)
		return err_set(err, ERR_INVALID, "image '%s' has more than %u layers", spec->image,
			       LIMIT_LAYERS);
	if (is_archive_type(pairs_get(&image.config.labels, SOURCE_CONTENT_TYPE_LABEL)))
		is_done = unpack_file(spec, &image, arena, err);
	else
		is_done = apply_layers(spec, &image, spec->dest, arena, err);
	return is_done || err_prefix(err, "source image '%s'", spec->image);
}
