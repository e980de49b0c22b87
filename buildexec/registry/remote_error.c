/* SPDX-License-Identifier: Apache-2.0 */
/* remote_error.c — error bodies. Spec: distribution-spec "Error Codes". */
#include "buildexec/registry/remote_error.h"

#include <stdio.h>
#include <string.h>

#include "buildexec/sys/log.h"
#include "model/doc/json.h"

enum { WORDS_BYTES = 200 };

static char *harmless(const char *text, size_t n, struct arena *arena)
{
	AUTO_BUF out = BUF_INIT(16 * WORDS_BYTES);
	AUTO_BUF safe = BUF_INIT(64 * WORDS_BYTES);

	if (n > WORDS_BYTES) {
		n = WORDS_BYTES;
		/* Not through a character. */
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	sanitize(text, n, false, &out);
	redact(buf_text(&out), out.len, &safe);
	return buf_copy(&safe, arena);
}

/* {"errors":[{"code":…,"message":…}]}, or the {"details":…} and {"error":…} of token servers. */
static const char *json_words(const struct node *root, struct arena *arena)
{
	static const char *const keys[] = { "details", "error_description", "error", "message" };
	const struct node *errors = node_get(root, "errors");
	const struct node *first = errors && errors->kind == NODE_SEQ ? errors->first : NULL;
	const char *code = node_text(first, "code");
	const char *message = node_text(first, "message");

	if (code && message && message[0])
		return arena_printf(arena, "%s: %s", code, message);
	if (code || message)
		return code ? code : message;
	for (size_t i = 0; i < COUNTOF(keys); i++)
		if (node_text(root, keys[i]))
			return node_text(root, keys[i]);
	return NULL;
}

char *remote_words(const char *body, size_t n, struct arena *arena)
{
	const char *words = NULL;
	struct err ignored = { 0 };
	struct node *root;

	if (n > 0 && json_parse(body, n, arena, &root, &ignored))
		words = json_words(root, arena);
	if (words)
		return harmless(words, strlen(words), arena);
	body += strspn(body, " \t\r\n");
	/* A page for browsers says nothing in its first line. */
	if (body[0] == '<' || body[0] == '{')
		return arena_strdup(arena, "");
	return harmless(body, strcspn(body, "\r\n"), arena);
}

static enum err_kind kind_of(int status)
{
	static const struct {
		int status;
		enum err_kind kind;
	} rows[] = {
		{ 401, ERR_DENIED },    { 403, ERR_DENIED },    { 404, ERR_ABSENT },
		{ 408, ERR_TRANSIENT }, { 429, ERR_TRANSIENT },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (rows[i].status == status)
			return rows[i].kind;
	return status >= 500 ? ERR_TRANSIENT : ERR_INVALID;
}

void remote_note(const struct http_response *response, struct arena *arena,
		 struct registry_refusal *out)
{
	const char *words = remote_words(response->body, response->body_len, arena);

	*out = (struct registry_refusal){ .status = response->status };
	snprintf(out->words, sizeof(out->words), "%s", words);
}

bool remote_fail(const struct http_response *response, const char *what, struct arena *arena,
		 struct err *err)
{
	const char *words = remote_words(response->body, response->body_len, arena);

	err_set(err, kind_of(response->status), "%s: the server answered %d%s%s%s", what,
		response->status, words[0] ? " (" : "", words, words[0] ? ")" : "");
	return err_foreign(err);
}
