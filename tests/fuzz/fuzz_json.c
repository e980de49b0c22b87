/* links: model_doc */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json.c — no crash, errors with a place, and every style parses back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/doc/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printed(const struct node *tree, enum json_style style, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(64u << 20);
	struct node *again;
	struct err err;

	json_print(tree, style, &text);
	if (!json_parse(text.data, text.len, arena, &again, &err))
		abort();
	/* Go prints whole floats without a point, and infinities are null in JSON. */
	if (style != JSON_GO && !strstr(text.data, "null") && !node_equal(tree, again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct node *tree;
	struct err err = { 0 };

	if (json_parse((const char *)data, size, arena, &tree, &err)) {
		check_printed(tree, JSON_COMPACT, arena);
		check_printed(tree, JSON_PRETTY, arena);
		check_printed(tree, JSON_GO, arena);
		node_sort_keys(tree);
	} else if (tree || err.kind != ERR_INVALID || strncmp(err.text, "line ", 5) != 0) {
		abort();
	}
	arena_free(arena);
	return 0;
}
