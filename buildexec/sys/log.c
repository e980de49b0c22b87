/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c — one line per event on one descriptor, written with one write so that lines of several
 * processes do not mix. Every text passes the redactor (redact.c) and is made printable first.
 * Timestamps are UTC.
 */
#include "buildexec/sys/log.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "model/base/time.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

static struct log_options options = { .level = LOG_INFO, .fd = STDERR_FILENO };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const struct {
	const char *name, *color;
} levels[] = {
	[LOG_ERROR] = { "error", "\033[1;31m" },
	[LOG_WARN] = { "warning", "\033[1;33m" },
	[LOG_INFO] = { "info", "" },
	[LOG_DEBUG] = { "debug", "\033[2m" },
};
_Static_assert(COUNTOF(levels) == LOG_LEVELS, "name every level");

void log_init(const struct log_options *wanted)
{
	pthread_mutex_lock(&lock);
	options = *wanted;
	pthread_mutex_unlock(&lock);
}

bool log_is_on(enum log_level level)
{
	return level <= options.level;
}

/* Body of a JSON or logfmt string; the text has no control characters left. */
static void add_quoted(struct buf *out, const char *text)
{
	buf_byte(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_byte(out, '\\');
		buf_byte(out, *text);
	}
	buf_byte(out, '"');
}

static void as_text(struct buf *out, enum log_level level, const char *now, const char *text)
{
	const char *color = options.with_color ? levels[level].color : "";

	if (options.with_time)
		buf_printf(out, "%s ", now);
	buf_puts(out, "reconcile: ");
	if (level != LOG_INFO)
		buf_printf(out, "%s%s:%s ", color, levels[level].name, *color ? "\033[0m" : "");
	buf_puts(out, text);
}

static void as_json(struct buf *out, enum log_level level, const char *now, const char *text)
{
	buf_printf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", now, levels[level].name);
	add_quoted(out, text);
	buf_byte(out, '}');
}

static void as_logfmt(struct buf *out, enum log_level level, const char *now, const char *text)
{
	buf_printf(out, "time=%s level=%s msg=", now, levels[level].name);
	add_quoted(out, text);
}

static void (*const writers[])(struct buf *, enum log_level, const char *, const char *) = {
	[LOG_TEXT] = as_text,
	[LOG_JSON] = as_json,
	[LOG_LOGFMT] = as_logfmt,
};
_Static_assert(COUNTOF(writers) == LOG_FORMATS, "write every format");

void log_line(enum log_level level, const char *fmt, ...)
{
	AUTO_BUF raw = BUF_INIT(LINE_MAX_BYTES);
	AUTO_BUF clear = BUF_INIT(2 * LINE_MAX_BYTES);
	AUTO_BUF text = BUF_INIT(8 * LINE_MAX_BYTES);
	AUTO_BUF line = BUF_INIT(20 * LINE_MAX_BYTES);
	struct err ignored = { 0 };
	char now[TIME_TEXT];
	va_list args;

	if (!log_is_on(level))
		return;
	va_start(args, fmt);
	buf_vprintf(&raw, fmt, args);
	va_end(args);
	if (raw.is_over)
		buf_puts(&clear, "(a message too long to show)");
	else
		redact(buf_text(&raw), raw.len, &clear);
	sanitize(buf_text(&clear), clear.len, false, &text);
	time_format(clock_now_s(), now);
	pthread_mutex_lock(&lock);
	writers[options.format](&line, level, now, buf_text(&text));
	buf_byte(&line, '\n');
	/* A sink that cannot be written has nowhere to complain. */
	(void)!fd_write_all(options.fd, buf_text(&line), line.len, &ignored);
	pthread_mutex_unlock(&lock);
}

/* Bytes of the UTF-8 sequence at `text` and its code point; 0 bytes when it is not one. */
static size_t decode(const unsigned char *text, size_t n, unsigned *point)
{
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = text[0] < 0x80 ? 1 : text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
	unsigned value = text[0];

	*point = value;
	if (len == 1)
		return 1;
	if (text[0] < 0xC2 || text[0] > 0xF4 || len > n)
		return 0;
	value &= 0x7Fu >> len;
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xC0) != 0x80)
			return 0;
		value = value << 6 | (text[i] & 0x3F);
	}
	*point = value;
	return value < least[len] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000) ? 0
											     : len;
}

/* Characters that reorder or hide text, beside control characters: bidi marks, separators, the byte
 * order mark. */
static bool is_deceiving(unsigned point)
{
	return point == 0x061C || point == 0x200E || point == 0x200F ||
	       (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
	       point == 0xFEFF;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Readers skip blanks, those outside of ASCII too. */
static bool is_at_line_start(const char *begin, const char *at)
{
	while (at > begin && at[-1] != '\n') {
		if (at[-1] > ' ' && at[-1] <= '~')
			return false;
		at--;
	}
	return true;
}

/* The first ':' of a line "::name …::", or the second '#' of "##name[". Not has_lines: all will be one line. */
static bool begins_command(const char *begin, const char *at, const char *end, bool has_lines)
{
	const char *next = at + 1, *stop;

	if (*at == '#' && at > begin && at[-1] == '#') {
		while (next < end && is_letter(*next))
			next++;
		return next < end && *next == '[';
	}
	if (*at != ':' || end - at < 3 || *next != ':' || !is_letter(at[2]) ||
	    !is_at_line_start(begin, at))
		return false;
	stop = has_lines ? memchr(at, '\n', (size_t)(end - at)) : NULL;
	return memmem(at + 2, (size_t)((stop ? stop : end) - at - 2), "::", 2);
}

void hide_commands(const char *text, size_t n, struct buf *out)
{
	for (const char *at = text; at < text + n; at++) {
		if (begins_command(text, at, text + n, true))
			buf_printf(out, "\\x%02x", *at);
		else
			buf_byte(out, *at);
	}
}

void sanitize(const char *text, size_t n, bool keep_newlines, struct buf *out)
{
	const unsigned char *at = (const unsigned char *)text, *end = at + n;

	while (at < end) {
		unsigned point;
		size_t len = decode(at, (size_t)(end - at), &point);

		if (!len)
			buf_printf(out, "\\x%02x", at[0]);
		else if (keep_newlines && (point == '\n' || point == '\t'))
			buf_byte(out, (char)point);
		else if (point < 0x20 || point == 0x7F ||
			 begins_command(text, (const char *)at, text + n, keep_newlines))
			buf_printf(out, "\\x%02x", point);
		else if ((point >= 0x80 && point < 0xA0) || is_deceiving(point))
			buf_printf(out, "\\u%04x", point);
		else
			buf_add(out, at, len);
		at += len ? len : 1;
	}
}
