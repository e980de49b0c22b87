/* links: exec_cnb */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_patterns.c — the first line as pattern, the second as path: globs of slices, cleaned names, gitignore lines. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/cnb/slices.h"
#include "buildexec/source/ignore.h"
#include "buildexec/source/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *pattern = arena_copy(arena, data, size), *path = strchr(pattern, '\n');
	struct strings patterns = { 0 };
	struct err err = { 0 };
	const char *sub_path;
	char *clean;

	if (path)
		*path++ = '\0';
	else
		path = pattern + strlen(pattern);
	slice_glob(pattern, path);
	clean = slice_clean(pattern, arena);
	if (strcmp(slice_clean(clean, arena), clean) != 0)
		abort(); /* clean is clean */
	vec_push(arena, &patterns, pattern);
	ignore_matches(&patterns, path, false);
	ignore_matches(&patterns, path, true);
	if (source_sub_path(path, arena, &sub_path, &err) && sub_path[0] &&
	    !path_is_inside(sub_path))
		abort();
	arena_free(arena);
	return 0;
}
