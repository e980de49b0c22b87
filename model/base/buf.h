/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h — a byte buffer that grows up to a maximum, which every buffer has.
 * Invariants: `data` is NUL-terminated once anything was added; `len` does not count the NUL. An append that would pass
 * `max` adds nothing and sets `is_over`, which stays: check once, after a chain of appends.
 */
#ifndef MODEL_BASE_BUF_H
#define MODEL_BASE_BUF_H

#include <stdarg.h>

#include "model/base/arena.h"

struct buf {
	char *data;
	size_t len, cap, max;
	bool is_over;
};

#define BUF_INIT(max_bytes) ((struct buf){ .max = (max_bytes) })

void buf_release(struct buf *buf);
/* Empties it and keeps the memory. */
void buf_clear(struct buf *buf);
void buf_add(struct buf *buf, const void *bytes, size_t n);
void buf_byte(struct buf *buf, char c);
void buf_puts(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF(2, 3);
void buf_vprintf(struct buf *buf, const char *fmt, va_list args) PRINTF(2, 0);
/* The text so far, never NULL. Lent until the next change. */
const char *buf_text(const struct buf *buf);
/* Gives the memory away (free() it); the buffer is empty afterwards. Never NULL. */
char *buf_take(struct buf *buf);
/* A copy in the arena. */
char *buf_copy(const struct buf *buf, struct arena *arena);

#define AUTO_BUF __attribute__((cleanup(buf_release))) struct buf

#endif
