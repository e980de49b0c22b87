/* links: exec_source */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_gitmodules.c — any bytes as .gitmodules; every URL that comes out as seen from three kinds of parents. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/source/gitmodules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const parents[] = { "https://host/a/b.git", "git@host:a/b", "/a/b" };
	struct arena *arena = arena_new();
	char *text = malloc(size ? size : 1); /* exactly as long, so that overruns are seen */
	struct gitmodules modules;
	struct err err = { 0 };

	if (!text)
		abort();
	memcpy(text, data, size);
	if (gitmodules_parse(text, size, arena, &modules, &err)) {
		for (size_t i = 0; i < modules.list.n * COUNTOF(parents); i++) {
			const struct gitmodule *module = &modules.list.v[i / COUNTOF(parents)];
			const char *url;
			struct err ignored = { 0 };

			if (module->url &&
			    gitmodules_url(parents[i % COUNTOF(parents)], module->url, arena, &url,
					   &ignored) &&
			    strlen(url) > strlen(module->url) + 64)
				abort();
		}
	} else if (err.kind != ERR_INVALID) {
		abort();
	}
	free(text);
	arena_free(arena);
	return 0;
}
