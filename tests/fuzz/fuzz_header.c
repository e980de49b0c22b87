/* links: exec_sys */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_header.c — any bytes as the value of every header that is read, and as a URL and a
 * redirect's target. */
#include <stdint.h>

#include "buildexec/sys/header.h"
#include "buildexec/sys/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *text = arena_copy(arena, data, size);
	struct challenge challenges[4];
	struct content_range range;
	struct url url, base;
	struct err err = { 0 };
	int64_t number;

	if (header_retry_after(text, 784111777) < -1)
		BUG("a wait below zero");
	if (header_challenges(text, arena, challenges, 4) > 4)
		BUG("more challenges than room");
	(void)header_link_next(text, arena);
	if (header_content_range(text, &range) && range.first > range.last)
		BUG("a range that ends before it begins");
	(void)header_media_type(text, arena);
	(void)header_number(text, &number);
	if (!url_parse("https://host.example:8443/a/b", arena, &base, &err))
		BUG("a good base is refused: %s", err.text);
	if (url_resolve(&base, text, arena, &url, &err)) {
		struct url again;

		if (!url_parse(url.text, arena, &again, &err))
			BUG("'%s' does not parse again: %s", url.text, err.text);
		if (!url_same_origin(&url, &again))
			BUG("'%s' has two origins", url.text);
	}
	arena_free(arena);
	return 0;
}
