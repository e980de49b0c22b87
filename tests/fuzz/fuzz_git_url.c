/* links: exec_sys */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_git_url.c — every text is a url or none; what is shown of it never holds control characters or the password. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/git_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *text = arena_copy(arena, data, size);
	struct err err = { 0 };
	struct git_url url;

	if (git_url_parse(text, arena, &url, &err)) {
		if (url.path[0] == '-' || strchr(url.canonical, '\n') ||
		    (url.host && url.host[0] == '-'))
			abort();
		if (!git_url_is_same_server(&url, &url) && url.scheme != GIT_SCHEME_LOCAL)
			abort();
	}
	(void)git_ref_is_valid(text);
	arena_free(arena);
	return 0;
}
