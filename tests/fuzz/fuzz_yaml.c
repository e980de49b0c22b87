/* links: model_doc */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_yaml.c — no crash, diagnostics that can be rendered, and print → parse gives an equal tree.
 */
#include <stdint.h>
#include <stdlib.h>

#include "model/base/limits.h"
#include "model/doc/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render_all(const struct diags *diags)
{
	const struct diag_style style = { .with_excerpt = true };

	for (size_t i = 0; i < diags->list.n; i++) {
		AUTO_BUF text = BUF_INIT(1 << 20);

		diag_render(&diags->list.v[i], &style, &text);
		if (!text.len)
			abort();
	}
}

static void check_printed(const struct node *tree, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(64u << 20);
	struct source_file file = { .path = "printed" };
	struct documents again;
	struct diags diags;

	yaml_print(tree, &text);
	if (text.len > LIMIT_FILE_BYTES)
		return;
	file.text = text.data;
	file.len = text.len;
	diags_init(&diags, arena);
	yaml_parse(&file, arena, &again, &diags);
	if (diags.n_errors || again.n != 1 || !node_equal(tree, again.v[0]))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source_file file = { "input", (const char *)data, size };
	struct arena *arena = arena_new();
	struct documents documents;
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	diags_sort(&diags);
	render_all(&diags);
	for (size_t i = 0; i < documents.n; i++)
		check_printed(documents.v[i], arena);
	arena_free(arena);
	return 0;
}
