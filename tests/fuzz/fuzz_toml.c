/* links: model_doc */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_toml.c — any bytes are read or refused; what was read prints, and what was printed reads as
 * the same tree. */
#include <stddef.h>
#include <stdint.h>

#include "model/base/limits.h"
#include "model/doc/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct node *tree, *again;
	struct err err = { 0 };
	AUTO_BUF text = BUF_INIT(64u << 20);

	if (toml_parse((const char *)data, size, arena, &tree, &err)) {
		toml_print(tree, &text);
		/* Indentation may carry a text near the limit beyond it. */
		if (!text.is_over && text.len <= LIMIT_TOML_BYTES) {
			if (!toml_parse(buf_text(&text), text.len, arena, &again, &err))
				BUG("printed text does not read: %s", err.text);
		}
	}
	arena_free(arena);
	return 0;
}
