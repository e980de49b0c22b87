/* links: model_oci */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_image.c — any bytes as manifest, index and config; what is taken prints, reads back, and prints the same again. */
#include <stdint.h>
#include <string.h>

#include "model/oci/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_manifest(const char *json, size_t n, struct arena *arena)
{
	struct manifest manifest;
	struct err err = { 0 };
	char *first, *second;
	size_t len;

	if (!manifest_parse(json, n, NULL, arena, &manifest, &err))
		return;
	first = manifest_print(&manifest, arena, &len);
	if (!manifest_parse(first, len, NULL, arena, &manifest, &err))
		BUG("%s does not read back: %s", first, err.text);
	second = manifest_print(&manifest, arena, &len);
	if (strcmp(first, second) != 0)
		BUG("%s and %s", first, second);
}

static void check_config(const char *json, size_t n, struct arena *arena)
{
	struct image_config config;
	struct err err = { 0 };
	char *first, *second;
	size_t len;

	if (!image_config_parse(json, n, arena, &config, &err))
		return;
	first = image_config_print(&config, arena, &len);
	if (!image_config_parse(first, len, arena, &config, &err))
		BUG("%s does not read back: %s", first, err.text);
	second = image_config_print(&config, arena, &len);
	if (strcmp(first, second) != 0)
		BUG("%s and %s", first, second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *json = arena_copy(arena, data, size);
	const struct platform want = platform_host();
	struct image_index index;
	struct err err = { 0 };

	check_manifest(json, size, arena);
	check_config(json, size, arena);
	if (index_parse(json, size, NULL, arena, &index, &err))
		(void)index_select(&index, &want);
	arena_free(arena);
	return 0;
}
