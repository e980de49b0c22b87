/* links: reconcile_plan */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_triggers.c — the annotation image.openshift.io/triggers: JSON that somebody wrote into a text. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "reconcile/plan/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted has names. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct list watches;
	struct err err = { 0 };

	if (watches_parse(arena_copy(arena, data, size), "shop", arena, &watches, &err)) {
		for (size_t i = 0; i < watches.n; i++) {
			const struct image_watch *watch = LIST_AT(watches, struct image_watch, i);

			if (!watch->ns[0] || !watch->stream[0] || !watch->tag[0])
				abort();
		}
	} else if (!err.text[0] || watches.n > 0) {
		abort();
	}
	arena_free(arena);
	return 0;
}
