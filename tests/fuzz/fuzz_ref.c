/* links: model_oci */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ref.c — any bytes as a reference; what is taken prints and reads back as the same. */
#include <stdint.h>
#include <string.h>

#include "model/oci/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct ref ref, again;
	struct err err = { 0 };

	if (ref_parse(arena_copy(arena, data, size), arena, &ref, &err)) {
		const char *text = ref_format(&ref, arena);

		if (!ref_parse(text, arena, &again, &err))
			BUG("'%s' does not read back: %s", text, err.text);
		if (strcmp(ref_format(&again, arena), text) != 0)
			BUG("'%s' reads back differently", text);
	}
	arena_free(arena);
	return 0;
}
