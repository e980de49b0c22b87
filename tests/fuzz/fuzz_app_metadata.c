/* links: exec_cnb */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_app_metadata.c — labels and cache metadata that registries and caches give: what is read is written and read again. */
#include <stdint.h>
#include <stdlib.h>

#include "buildexec/cnb/app_metadata.h"
#include "buildexec/cnb/restore_rule.h"
#include "model/doc/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void restore_all(const struct buildpack_records *records, struct arena *arena)
{
	for (size_t i = 0; i < records->n; i++) {
		struct restored_layers out;

		restore_decide(&records->v[i], &records->v[i], "0.14", arena, &out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct app_metadata metadata, again;
	struct cache_metadata cache;
	struct err err = { 0 };
	struct node *json;

	if (json_parse((const char *)data, size, arena, &json, &err)) {
		if (app_metadata_decode(json, arena, &metadata, &err)) {
			if (!app_metadata_decode(app_metadata_encode(&metadata, arena), arena,
						 &again, &err))
				abort();
			restore_all(&metadata.buildpacks, arena);
		}
		if (cache_metadata_decode(json, arena, &cache, &err))
			restore_all(&cache.buildpacks, arena);
		metadata_to_toml(json, arena);
	}
	arena_free(arena);
	return 0;
}
