/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h — memory that is freed as a whole, one arena per phase or per action.
 * A `struct arena *` parameter means "results live there". Memory comes zeroed, aligned for any object.
 * No memory is an abort, in one place (arena.c). Under a sanitizer every object is an allocation of its own, so that
 * overruns are seen. Not for use by two threads at once.
 */
#ifndef MODEL_BASE_ARENA_H
#define MODEL_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "model/base/err.h"

struct arena;

struct arena *arena_new(void);
/* NULL is allowed. */
void arena_free(struct arena *arena);
/* What lives in `from` lives in `to` from now on; `from` is freed. For threads, each with an arena of its own. */
void arena_adopt(struct arena *to, struct arena *from);
/* Bytes handed out so far. */
size_t arena_used(const struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size);
/* Not zeroed, for large results that are written whole at once. */
void *arena_raw(struct arena *arena, size_t size);
/* n * size bytes; a product that overflows is an abort. */
void *arena_array(struct arena *arena, size_t n, size_t size);
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

/* A copy of `n` bytes with a NUL behind them. */
char *arena_copy(struct arena *arena, const void *bytes, size_t n);
/* NULL stays NULL. */
char *arena_strdup(struct arena *arena, const char *text);
/* The parts in a row; NULL parts are passed over. */
char *arena_concat(struct arena *arena, const char *const *parts, size_t n);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF(2, 3);
char *arena_vprintf(struct arena *arena, const char *fmt, va_list args) PRINTF(2, 0);

/* Heap memory outside arenas, for buffers that grow: never NULL, aborts instead. */
void *mem_realloc(void *old, size_t size);

#endif
