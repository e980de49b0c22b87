/* links: exec_engine */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dockerignore.c — any bytes as patterns and, behind the first NUL, as a path and as a word with variables. */
#include <stdint.h>
#include <string.h>

#include "buildexec/engine/dockerignore.h"
#include "buildexec/engine/expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t n = nul ? (size_t)(nul - data) : size;
	struct pair pair = { .key = "A", .value = "value" };
	const struct pairs values = { &pair, 1, 1 };
	struct arena *arena = arena_new();
	struct dockerignore ignore;
	const char *path;

	if (size <= 4096) {
		path = nul ? arena_copy(arena, nul + 1, size - n - 1) : "a/b.c";
		dockerignore_parse((const char *)data, n, arena, &ignore);
		if (*path)
			(void)dockerignore_matches(&ignore, path, arena);
		(void)docker_expand(path, '\\', &values, arena);
	}
	arena_free(arena);
	return 0;
}
