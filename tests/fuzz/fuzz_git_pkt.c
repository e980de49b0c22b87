/* links: exec_sys */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_git_pkt.c — what a git server says first, and its answer to ls-refs; the first byte chooses, the second cuts. */
#include <stdint.h>
#include <stdlib.h>

#include "buildexec/sys/git_advert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct git_pkt_reader *reader = mem_realloc(NULL, sizeof(*reader));
	struct git_advert advert = { .reader = reader, .arena = arena_new() };
	const char *bytes = (const char *)data + 2;
	struct err err = { 0 };
	size_t cut;

	if (size >= 2) {
		cut = data[1] < size - 2 ? data[1] : size - 2;
		git_pkt_reader_init(reader, data[0] & 1 ? git_advert_ls_refs_pkt : git_advert_pkt,
				    &advert);
		if (git_pkt_feed(reader, bytes, cut, &err) &&
		    git_pkt_feed(reader, bytes + cut, size - 2 - cut, &err))
			(void)git_advert_has(&advert, "agent");
	}
	arena_free(advert.arena);
	free(reader);
	return 0;
}
