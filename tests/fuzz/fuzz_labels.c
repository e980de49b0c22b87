/* links: reconcile_plan */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_labels.c — the labels of foreign images. The first byte says which label the rest is; the image has two layers.
 */
#include <stddef.h>
#include <stdint.h>

#include "reconcile/plan/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { LABEL_BUILDPACK_LAYERS, LABEL_BUILDPACKAGE,
					     LABEL_MIXINS,           LABEL_LIFECYCLE_APIS,
					     LABEL_BUILDER_METADATA, LABEL_ORDER };
	static const char diff_id[] = "sha256:"
				      "0123456789abcdef0123456789abcdef"
				      "0123456789abcdef0123456789abcdef";
	struct arena *arena = arena_new();
	struct descriptor layers[2] = { { .digest = diff_id }, { .digest = diff_id } };
	struct manifest manifest = { .layers = layers, .n_layers = COUNTOF(layers) };
	struct image_config config = { 0 };
	struct lifecycle_status lifecycle = { 0 };
	struct builder_labels builder;
	struct strings mixins;
	struct list buildpacks;
	struct err err = { 0 };
	size_t n_good = 0;

	if (size == 0) {
		arena_free(arena);
		return 0;
	}
	vec_push(arena, &config.diff_ids, diff_id);
	vec_push(arena, &config.diff_ids, diff_id);
	vec_push(arena, &config.labels, (struct pair){ LABEL_LIFECYCLE_VERSION, "1.0.0", { 0 } });
	vec_push(arena, &config.labels,
		 (struct pair){ names[data[0] % COUNTOF(names)],
				arena_copy(arena, data + 1, size - 1),
				{ 0 } });
	n_good += labels_buildpacks(&manifest, &config, "r.io/x", arena, &buildpacks, &err);
	n_good += labels_mixins(&config.labels, arena, &mixins, &err);
	n_good += labels_lifecycle(&config, arena, &lifecycle, &err);
	n_good += labels_builder(&config.labels, arena, &builder, &err);
	arena_free(arena);
	(void)n_good; /* any answer is fine, as long as it is one */
	return 0;
}
