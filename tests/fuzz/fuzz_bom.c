/* links: exec_cnb */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_bom.c — documents of foreign images as a bill of materials. The text is "PATH JSON" lines, separated by NUL bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "buildexec/cnb/bom.h"
#include "model/doc/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *text = arena_copy(arena, (const char *)data, size);
	struct bom bom = { 0 };
	struct err err = { 0 };

	vec_push(arena, &bom.buildpacks, "acme/node");
	for (size_t at = 0; at < size && bom.files.n < 100;) {
		size_t n = strlen(text + at);
		char *blank = memchr(text + at, ' ', n);
		struct node *json;

		if (blank) {
			*blank = '\0';
			if (json_parse(blank + 1, n - (size_t)(blank + 1 - (text + at)), arena,
				       &json, &err))
				bom_add(&bom, text + at, json, arena);
		}
		at += n + 1;
	}
	bom_list(&bom, arena);
	arena_free(arena);
	return 0;
}
