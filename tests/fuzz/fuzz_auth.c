/* links: exec_registry */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_auth.c — what a registry answers when it says no: status, headers, body. The first byte is the status, the first line the header
 * WWW-Authenticate (a second one behind the byte 1), the rest the body. Challenges are learned, the answer of a token server is read, its
 * words go into errors without control characters.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/registry/auth.h"
#include "buildexec/registry/backend.h"
#include "buildexec/registry/remote_error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const char *words)
{
	for (const unsigned char *c = (const unsigned char *)words; *c; c++)
		if (*c < ' ' || *c == 0x7f)
			BUG("the byte %u in '%s'", *c, words);
}

static void add_header(struct http_response *response, const char *value, struct arena *arena)
{
	vec_push(arena, &response->headers, arena_printf(arena, "WWW-Authenticate: %s", value));
}

static void learn(const struct http_response *response, struct arena *arena)
{
	struct registry_refusal refusal = { 0 };
	struct auth auth = { .arena = arena, .host = "registry.example", .refusal = &refusal };
	const struct auth_need need = { "a/b", "pull", "c" };
	struct http_request request = { 0 };
	struct err err = { 0 };

	if (!auth_learn(&auth, &need, arena, response))
		return;
	if (!auth.asked.scheme ||
	    (strcmp(auth.asked.scheme, "bearer") == 0 ? !auth.asked.realm
						      : strcmp(auth.asked.scheme, "basic") != 0))
		BUG("a challenge of no kind");
	/* Nobody is asked: there are no credentials for the one, and the other makes a connection. */
	if (strcmp(auth.asked.scheme, "basic") == 0 &&
	    (!auth_apply(&auth, &need, arena, &request, &err) || request.user || request.bearer))
		BUG("credentials out of nothing");
	auth_release(&auth);
}

static void read_body(const struct http_response *response, struct arena *arena)
{
	struct registry_refusal refusal = { 0 };
	struct err err = { 0 };
	const char *text;
	int64_t life_s;

	if (token_answer_parse(response->body, response->body_len, arena, &text, &life_s, &err)) {
		if (life_s < 60 || life_s > 24 * 3600)
			BUG("a life of %lld s", (long long)life_s);
		if (!*text || strpbrk(text, " \r\n\t"))
			BUG("'%s' is no token", text);
	} else if (err.kind == ERR_NONE) {
		BUG("a failure without an error");
	}
	remote_note(response, arena, &refusal);
	check_words(refusal.words);
	err = (struct err){ 0 };
	if (remote_fail(response, "cannot ask", arena, &err) || err.kind == ERR_NONE)
		BUG("a refusal without an error");
	check_words(err.text);
	check_words(remote_words(response->body, response->body_len, arena));
	(void)manifest_media_type(response->body, response->body_len, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 400, 401, 403, 404, 405, 408, 416, 429, 500, 503 };
	struct arena *arena = arena_new();
	struct http_response response = { .status = 401, .body = "" };
	char *line, *second;

	if (size) {
		response.status = statuses[data[0] % COUNTOF(statuses)];
		data++;
		size--;
		const uint8_t *end = memchr(data, '\n', size);

		if (end) {
			response.body = arena_copy(arena, end + 1, size - (size_t)(end - data) - 1);
			response.body_len = size - (size_t)(end - data) - 1;
			size = (size_t)(end - data);
		}
		line = arena_copy(arena, data, size);
		second = strchr(line, 1);
		if (second)
			*second++ = '\0';
		add_header(&response, line, arena);
		if (second)
			add_header(&response, second, arena);
	}
	learn(&response, arena);
	read_body(&response, arena);
	arena_free(arena);
	return 0;
}
