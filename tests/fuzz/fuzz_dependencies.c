/* links: model_kind */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dependencies.c — a dependency descriptor out of any bytes: all lists whole, every order prints and reads again. */
#include <stdlib.h>

#include "model/doc/yaml.h"
#include "model/kind/dependencies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_builders(const struct dependencies *all, struct arena *arena)
{
	for (size_t i = 0; i < all->builders.n; i++) {
		const struct dependency_builder *builder =
			LIST_AT(all->builders, struct dependency_builder, i);
		const struct node *order = dependencies_order(builder, arena);

		if (order && order->n != builder->order.n)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const struct source_file file = { .path = "fuzz",
					  .text = arena_copy(arena, (const char *)data, size),
					  .len = size };
	struct documents documents = { 0 };
	struct dependencies all;
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	for (size_t i = 0; i < documents.n; i++) {
		dependencies_decode(documents.v[i], &file, arena, &all, &diags);
		check_builders(&all, arena);
	}
	arena_free(arena);
	return 0;
}
