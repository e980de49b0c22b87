/* links: model_doc */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_yaml_fast.c — whatever the fast reader accepts, the general one reads as the same tree. */
#include <stdint.h>
#include <stdlib.h>

#include "model/doc/yaml_fast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_pos(struct pos a, struct pos b)
{
	return a.line == b.line && a.column == b.column;
}

static bool same_places(const struct node *a, const struct node *b)
{
	const struct node *x = a->first, *y = b->first;

	if (a->is_plain != b->is_plain || a->is_block != b->is_block || !same_pos(a->pos, b->pos) ||
	    (!a->is_block && !same_pos(a->end, b->end)))
		return false;
	for (; x && y; x = x->next, y = y->next)
		if (!same_places(x, y) || !same_pos(x->key_pos, y->key_pos))
			return false;
	return true;
}

static void compare(const struct source_file *file, const struct documents *fast,
		    struct arena *arena)
{
	struct documents general;
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse_general(file, arena, arena, &general, &diags);
	if (diags.n_errors || general.n != fast->n)
		abort();
	for (size_t i = 0; i < fast->n; i++)
		if (!node_equal(fast->v[i], general.v[i]) || !same_places(fast->v[i], general.v[i]))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct source_file file = { "input", (const char *)data, size };
	struct arena *arena = arena_new();
	struct documents documents = { 0 };

	if (yaml_fast_parse(&file, arena, arena, &documents))
		compare(&file, &documents, arena);
	arena_free(arena);
	return 0;
}
