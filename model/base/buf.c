/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c — growth by doubling, up to the maximum given. */
#include "model/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 256 };

void buf_release(struct buf *buf)
{
	free(buf->data);
	*buf = BUF_INIT(buf->max);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->is_over = false;
	if (buf->data)
		buf->data[0] = '\0';
}

static bool reserve(struct buf *buf, size_t n)
{
	size_t cap = buf->cap ? buf->cap : FIRST_CAP;

	if (buf->is_over || n > buf->max || buf->len > buf->max - n) {
		buf->is_over = true;
		return false;
	}
	if (buf->len + n + 1 <= buf->cap)
		return true;
	while (cap < buf->len + n + 1)
		cap *= 2;
	buf->data = mem_realloc(buf->data, cap);
	buf->cap = cap;
	return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t n)
{
	if (!reserve(buf, n))
		return;
	if (n)
		memcpy(buf->data + buf->len, bytes, n);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void buf_byte(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_vprintf(struct buf *buf, const char *fmt, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	if (n < 0)
		BUG("buf_printf cannot format '%s'", fmt);
	if (reserve(buf, (size_t)n)) {
		vsnprintf(buf->data + buf->len, (size_t)n + 1, fmt, again);
		buf->len += (size_t)n;
	}
	va_end(again);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_vprintf(buf, fmt, args);
	va_end(args);
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
	char *data = buf->data;

	if (!data) {
		data = mem_realloc(NULL, 1);
		data[0] = '\0';
	}
	*buf = BUF_INIT(buf->max);
	return data;
}

char *buf_copy(const struct buf *buf, struct arena *arena)
{
	return arena_copy(arena, buf->data, buf->len);
}
