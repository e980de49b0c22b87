/* links: reconcile_apply */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_output.c — what a build prints, on its way to the log: cut anywhere, with secrets anywhere, as they are and encoded.
 * None gets through, and what does get through moves no cursor, hides nothing and is no command to a CI system.
 * Bytes 1 to 8 stand for a secret in one of its forms; byte 14 ends a piece.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "model/doc/utf8.h"
#include "reconcile/apply/log_file.h"

enum { CUT = 14, TEXT_MAX = 16 << 10, OUT_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const secrets[] = {
	"hunter2 pass/word", "AKIA0123456789ABCDEF",
	"-----BEGIN KEY-----\nbase64base64base64line1\n-----END--KEY-----\n"
};
/* What stands for it in the input: raw, URL-encoded, JSON-escaped, base64 in a longer text. */
static const char *const forms[] = {
	NULL,
	"hunter2 pass/word",
	"AKIA0123456789ABCDEF",
	"-----BEGIN KEY-----\nbase64base64base64line1\n-----END--KEY-----\n",
	"hunter2%20pass%2Fword",
	"-----BEGIN KEY-----\\nbase64base64base64line1\\n-----END--KEY-----\\n",
	"bWU6aHVudGVyMiBwYXNzL3dvcmQ=",
	"base64base64base64line1",
	"hunter2%20pass%2fword"
};
/* May be nowhere: forms that one line can hold; of the base64 one what does not depend on its neighbours. */
static const char *const words[] = { "hunter2 pass/word",       "AKIA0123456789ABCDEF",
				     "base64base64base64line1", "hunter2%20pass%2Fword",
				     "hunter2%20pass%2fword",   "aHVudGVyMiBwYXNzL3dvcm" };

static void add_secrets(void)
{
	static bool is_done;

	for (size_t i = 0; i < COUNTOF(secrets) && !is_done; i++)
		secret_add(secrets[i], strlen(secrets[i]));
	is_done = true;
}

static bool has(const char *text, size_t n, const char *word)
{
	return memmem(text, n, word, strlen(word));
}

static void check_no_secret(const char *text, size_t n)
{
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (has(text, n, words[i]))
			BUG("'%s' comes through", words[i]);
}

static void check_printable(const char *text, size_t n)
{
	uint32_t c;

	for (size_t at = 0, len; at < n; at += len) {
		len = utf8_get(text + at, n - at, &c);
		if (!len || (c != '\n' && c != '\t' && utf8_is_control(c)))
			BUG("byte %zu of the output is not printable", at);
	}
}

static void check_line(const char *line, size_t n)
{
	const char *at = line, *end = line + n;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (end - at > 2 && at[0] == ':' && at[1] == ':' && at[2] >= 'a' && at[2] <= 'z' &&
	    has(at + 2, (size_t)(end - at - 2), "::"))
		BUG("a line is a command: %.*s", (int)n, line);
	if (has(line, n, "##[") || has(line, n, "##vso[") || has(line, n, "##teamcity["))
		BUG("a line has a command: %.*s", (int)n, line);
}

static void check_commands(const char *text, size_t n)
{
	while (n) {
		const char *stop = memchr(text, '\n', n);
		size_t len = stop ? (size_t)(stop - text) : n;

		check_line(text, len);
		text += len + (stop != NULL);
		n -= len + (stop != NULL);
	}
}

static void collect(void *ctx, const char *text, size_t n)
{
	buf_add(ctx, text, n);
}

static void feed(const uint8_t *data, size_t size, struct log_file *log)
{
	AUTO_BUF piece = BUF_INIT(OUT_MAX);

	for (size_t i = 0; i < size; i++) {
		if (data[i] == CUT) {
			log_file_add(log, buf_text(&piece), piece.len);
			buf_clear(&piece);
		} else if (data[i] && data[i] < COUNTOF(forms)) {
			buf_puts(&piece, forms[data[i]]);
		} else {
			buf_byte(&piece, (char)data[i]);
		}
	}
	log_file_add(log, buf_text(&piece), piece.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF lines = BUF_INIT(OUT_MAX), kept = BUF_INIT(OUT_MAX), one = BUF_INIT(OUT_MAX);
	struct arena *arena = arena_new();
	struct strings tail = { 0 };
	AUTO_TMPDIR dir = { 0 };
	struct log_file log;
	struct err err = { 0 };

	size = size < TEXT_MAX ? size : TEXT_MAX;
	add_secrets();
	if (!tmpdir_make(NULL, "fuzz-output", &dir, &err) ||
	    !log_file_open(dir.path, "log", &log, &err))
		abort();
	log.on_line = collect;
	log.ctx = &lines;
	feed(data, size, &log);
	if (!log_file_finish(&log, arena, &kept, &tail, &err))
		abort();
	log_file_release(&log);
	if (lines.len != kept.len || memcmp(buf_text(&lines), buf_text(&kept), kept.len) != 0)
		BUG("%zu bytes were said, %zu are kept", lines.len, kept.len);
	check_no_secret(buf_text(&kept), kept.len);
	check_printable(buf_text(&kept), kept.len);
	check_commands(buf_text(&kept), kept.len);
	sanitize((const char *)data, size, false, &one);
	check_printable(buf_text(&one), one.len);
	check_commands(buf_text(&one), one.len);
	if (memchr(buf_text(&one), '\n', one.len) || memchr(buf_text(&one), '\t', one.len))
		BUG("one line is several");
	arena_free(arena);
	return 0;
}
