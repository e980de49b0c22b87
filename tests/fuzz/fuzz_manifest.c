/* links: model_kind */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_manifest.c — manifests as anybody may write them: decoded, checked, linked, and every
 * message rendered.
 */
#include <stdint.h>

#include "model/doc/yaml.h"
#include "model/kind/kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct source_file file = { "m.yaml", (const char *)data, size };
	const struct diag_style style = { .with_excerpt = true };
	struct arena *arena = arena_new();
	struct documents documents = { 0 };
	struct buf shown = BUF_INIT(1 << 20);
	struct model model;
	struct diags diags;

	diags_init(&diags, arena);
	model_init(&model, arena);
	yaml_parse(&file, arena, &documents, &diags);
	for (size_t i = 0; i < documents.n; i++) {
		struct object *object = object_decode(documents.v[i], &file, arena, &diags);

		if (object)
			model_add(&model, object, &diags);
	}
	model_link(&model, &diags);
	diags_sort(&diags);
	for (size_t i = 0; i < diags.list.n; i++)
		diag_render(&diags.list.v[i], &style, &shown);
	buf_release(&shown);
	arena_free(arena);
	return 0;
}
