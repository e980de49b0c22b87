/* links: model_kind */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_event.c — a line of a worker's stdout: read, printed and read again, it is the same event.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/kind/build_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct build_event event, back;
	struct err err = { 0 };

	if (event_read((const char *)data, size, arena, &event, &err)) {
		const char *line = event_print(&event, arena);

		if (!event_read(line, strlen(line), arena, &back, &err) ||
		    strcmp(event_print(&back, arena), line) != 0)
			abort();
	}
	arena_free(arena);
	return 0;
}
