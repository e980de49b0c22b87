/* SPDX-License-Identifier: Apache-2.0 */
/* daemon_answer.c — see daemon_answer.h. */
#include "buildexec/engine/daemon_answer.h"

#include <stdio.h>
#include <string.h>

#include "model/doc/json.h"

enum { LINE_MAX_BYTES = 4 << 20 };

/* "Step 2/4 : RUN false" */
static void note_step(struct daemon_answer *answer, const char *text)
{
	const char *colon = strncmp(text, "Step ", 5) == 0 ? strstr(text, " : ") : NULL;

	if (colon)
		snprintf(answer->instruction, sizeof(answer->instruction), "%.*s",
			 (int)strcspn(colon + 3, "\r\n"), colon + 3);
}

static void take_value(struct daemon_answer *answer, const struct node *root)
{
	const char *text = node_text(root, "stream");

	if (text) {
		note_step(answer, text);
		answer->on_text(answer->ctx, text);
	}
	text = node_text(node_get(root, "aux"), "ID");
	if (text)
		snprintf(answer->id, sizeof(answer->id), "%s", text);
	text = node_text(root, "error");
	if (text) {
		const struct node *code = node_at(root, "errorDetail", "code", NULL);

		snprintf(answer->error, sizeof(answer->error), "%s", text);
		answer->has_failed = true;
		answer->exit_code = code && code->kind == NODE_INT && code->i > 0 && code->i < 256
					    ? (int)code->i
					    : 1;
	}
}

static void take_line(struct daemon_answer *answer)
{
	struct arena *arena = arena_new();
	struct err ignored = { 0 };
	struct node *root;

	if (json_parse(buf_text(&answer->line), answer->line.len, arena, &root, &ignored))
		take_value(answer, root);
	arena_free(arena);
	buf_clear(&answer->line);
}

bool daemon_answer_take(void *ctx, const char *bytes, size_t n)
{
	struct daemon_answer *answer = ctx;

	answer->line.max = LINE_MAX_BYTES;
	while (n > 0) {
		const char *end = memchr(bytes, '\n', n);
		size_t len = end ? (size_t)(end - bytes) + 1 : n;

		buf_add(&answer->line, bytes, len);
		if (answer->line.is_over)
			return false;
		if (end)
			take_line(answer);
		bytes += len;
		n -= len;
	}
	return true;
}

void daemon_answer_end(struct daemon_answer *answer)
{
	buf_release(&answer->line);
}
