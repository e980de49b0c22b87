/* links: model_doc */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_yaml_printed.c — whatever the fast reader accepts, the general one reads as the same tree. */
#include <stdint.h>
#include <stdlib.h>

#include "model/doc/yaml.h"
#include "model/doc/yaml_printed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct source_file file = { "input", (const char *)data, size };
	struct arena *arena = arena_new();
	const struct node *tree = yaml_parse_printed(file.text, size, arena, arena);
	struct documents documents = { 0 };
	struct diags diags;

	if (tree) {
		diags_init(&diags, arena);
		yaml_parse(&file, arena, &documents, &diags);
		if (diags.n_errors || documents.n != 1 || !node_equal(tree, documents.v[0]))
			abort();
	}
	arena_free(arena);
	return 0;
}
