/* links: exec_sys */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_git_receive.c — the answer to a fetch, up to the pack's index; the first byte chooses the protocol version. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_receive.h"

static struct tmpdir dir;
static struct git_repo *repo;

static void leave(void)
{
	git_repo_close(&repo);
	tmpdir_release(&dir);
}

static void prepare(void)
{
	struct err err = { 0 };
	char path[4096];

	if (repo)
		return;
	if (!tmpdir_make(NULL, "fuzz-receive", &dir, &err))
		abort();
	snprintf(path, sizeof(path), "%s/r.git", dir.path);
	if (!git_repo_init(path, &repo, &err))
		abort();
	atexit(leave);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct git_pkt_reader *reader = mem_realloc(NULL, sizeof(*reader));
	struct git_receive receive = { .reader = reader,
				       .arena = arena_new(),
				       .max_bytes = 1 << 20,
				       .progress = BUF_INIT(4096) };
	struct err err = { 0 };

	if (size) {
		prepare();
		receive.into = repo;
		receive.is_v2 = data[0] & 1;
		receive.has_shallow_part = data[0] & 2;
		git_pkt_reader_init(reader, git_receive_pkt, &receive);
		(void)!git_pkt_feed(reader, (const char *)data + 1, size - 1, &err);
	}
	git_receive_release(&receive);
	arena_free(receive.arena);
	free(reader);
	return 0;
}
