/* SPDX-License-Identifier: Apache-2.0 */
/* build_log.c — see build_log.h. */
#include "buildexec/sys/build_log.h"

#include <string.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"

/* A longer line is written in pieces. */
enum { LINE_MAX_BYTES = 64 << 10 };

/* Nobody is left to tell when the log cannot be written: the build goes on. */
static void write_clean(const struct buf *clean)
{
	struct err ignored = { 0 };

	if (!fd_write_all(STDERR_FILENO, buf_text(clean), clean->len, &ignored))
		return;
}

static void PRINTF(2, 0) say(const char *prefix, const char *fmt, va_list args)
{
	AUTO_BUF line = BUF_INIT(LINE_MAX_BYTES), out = BUF_INIT(2 * LINE_MAX_BYTES);

	buf_puts(&line, prefix);
	buf_vprintf(&line, fmt, args);
	buf_byte(&line, '\n');
	redact(buf_text(&line), line.len, &out);
	write_clean(&out);
}

void build_log_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("", fmt, args);
	va_end(args);
}

void build_log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("Warning: ", fmt, args);
	va_end(args);
}

static void flush_line(struct build_log *log)
{
	AUTO_BUF clean = BUF_INIT(4 * LINE_MAX_BYTES);

	log->is_open = buf_text(&log->line)[log->line.len - 1] != '\n';
	redact(buf_text(&log->line), log->line.len, &clean);
	if (log->on_line)
		log->on_line(log->ctx, buf_text(&clean), clean.len);
	buf_clear(&log->line);
	write_clean(&clean);
}

void build_log_take(struct build_log *log, const char *bytes, size_t n)
{
	log->line.max = LINE_MAX_BYTES;
	while (n > 0) {
		const char *end = memchr(bytes, '\n', n);
		size_t len = end ? (size_t)(end - bytes) + 1 : n;
		size_t room = LINE_MAX_BYTES - log->line.len;

		len = len < room ? len : room;
		buf_add(&log->line, bytes, len);
		if (bytes[len - 1] == '\n' || log->line.len == LINE_MAX_BYTES)
			flush_line(log);
		bytes += len;
		n -= len;
	}
}

void build_log_end(struct build_log *log)
{
	/* What comes next has a line of its own. */
	if (log->line.len > 0 || log->is_open) {
		buf_byte(&log->line, '\n');
		flush_line(log);
	}
	buf_release(&log->line);
}
