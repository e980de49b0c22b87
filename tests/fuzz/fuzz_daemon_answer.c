/* links: exec_engine */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_daemon_answer.c — what a Docker daemon answers, the first byte says how it is cut: the same comes out as of the whole. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/engine/daemon_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 1 << 20 };

static void keep(void *ctx, const char *text)
{
	buf_puts(ctx, text);
}

static void feed(struct daemon_answer *answer, const char *bytes, size_t n, size_t piece)
{
	for (size_t at = 0; at < n; at += piece)
		if (!daemon_answer_take(answer, bytes + at, n - at < piece ? n - at : piece))
			break;
	daemon_answer_end(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF text = BUF_INIT(TEXT_MAX), again = BUF_INIT(TEXT_MAX);
	struct daemon_answer whole = { .on_text = keep, .ctx = &text };
	struct daemon_answer cut = { .on_text = keep, .ctx = &again };
	const char *bytes = (const char *)data + 1;

	if (!size)
		return 0;
	feed(&whole, bytes, size - 1, size);
	feed(&cut, bytes, size - 1, data[0] ? data[0] : 1);
	if (text.len != again.len || memcmp(buf_text(&text), buf_text(&again), text.len) != 0 ||
	    strcmp(whole.id, cut.id) != 0 || strcmp(whole.error, cut.error) != 0 ||
	    strcmp(whole.instruction, cut.instruction) != 0 || whole.exit_code != cut.exit_code)
		BUG("pieces of %u bytes say something else", data[0]);
	if (whole.has_failed != (whole.exit_code > 0) || whole.exit_code > 255)
		BUG("exit code %d", whole.exit_code);
	return 0;
}
