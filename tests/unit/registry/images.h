/* SPDX-License-Identifier: Apache-2.0 */
/* images.h — small real images for tests of registries: one layer of a tar with one file, a config, a manifest. */
#ifndef TESTS_UNIT_REGISTRY_IMAGES_H
#define TESTS_UNIT_REGISTRY_IMAGES_H

#include <stdio.h>
#include <string.h>

#include "buildexec/registry/registry.h"
#include "model/base/buf.h"
#include "model/base/digest.h"

struct test_image {
	struct descriptor layer, config, manifest;
	char *layer_bytes, *config_bytes, *manifest_bytes;
};

static inline struct descriptor test_descriptor(struct arena *arena, const char *media_type,
						const void *bytes, size_t n)
{
	return (struct descriptor){ .media_type = media_type,
				    .digest = arena_strdup(arena, digest_of(bytes, n).text),
				    .size_bytes = (int64_t)n };
}

/* A tar with the file "content" of this text, without compression so that its digest is the diff id. */
static inline char *test_tar(struct arena *arena, const char *text, size_t *n)
{
	const size_t len = strlen(text);
	unsigned sum = 0;
	char *tar;

	*n = 512 + (len + 511) / 512 * 512 + 1024;
	tar = arena_alloc(arena, *n);
	snprintf(tar, 100, "content");
	snprintf(tar + 100, 8, "%07o", 0644);
	snprintf(tar + 108, 8, "%07o", 0);
	snprintf(tar + 116, 8, "%07o", 0);
	snprintf(tar + 124, 12, "%011o", (unsigned)len);
	snprintf(tar + 136, 12, "%011o", 1);
	memset(tar + 148, ' ', 8);
	tar[156] = '0';
	memcpy(tar + 257,
	       "ustar\0"
	       "00",
	       8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)tar[i];
	snprintf(tar + 148, 8, "%06o", sum);
	memcpy(tar + 512, text, len);
	return tar;
}

static inline struct test_image test_image_make(struct arena *arena, const char *text)
{
	struct image_config config = { .platform = platform_host(),
				       .created = "1980-01-01T00:00:01Z" };
	struct manifest manifest = { .media_type = MEDIA_OCI_MANIFEST };
	struct test_image image;
	size_t n;

	image.layer_bytes = test_tar(arena, text, &n);
	image.layer = test_descriptor(arena, MEDIA_OCI_LAYER, image.layer_bytes, n);
	vec_push(arena, &config.diff_ids, image.layer.digest);
	vec_push(arena, &config.cmd, "/content");
	image.config_bytes = image_config_print(&config, arena, &n);
	image.config = test_descriptor(arena, MEDIA_OCI_CONFIG, image.config_bytes, n);
	manifest.config = image.config;
	manifest.layers = arena_array(arena, 1, sizeof(*manifest.layers));
	manifest.layers[0] = image.layer;
	manifest.n_layers = 1;
	image.manifest_bytes = manifest_print(&manifest, arena, &n);
	image.manifest = test_descriptor(arena, MEDIA_OCI_MANIFEST, image.manifest_bytes, n);
	return image;
}

static inline bool test_image_push(struct registry *registry, const struct ref *to,
				   const struct test_image *image, struct err *err)
{
	return registry_put_blob(registry, to, &image->layer, image->layer_bytes, NULL, err) &&
	       registry_put_blob(registry, to, &image->config, image->config_bytes, NULL, err) &&
	       registry_put_manifest(registry, to, MEDIA_OCI_MANIFEST, image->manifest_bytes,
				     (size_t)image->manifest.size_bytes, err);
}

#endif
