/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c — chunks in a list; the newest serves small requests, large ones get a chunk of their own. */
#include "model/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_FIRST = 4096, CHUNK_MAX = 256 * 1024, ALIGN = 16 };

struct chunk {
	struct chunk *next;
	size_t size, used;
	_Alignas(16) unsigned char data[];
};

struct arena {
	struct chunk *chunks;
	size_t used, next_size;
};

void *mem_realloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p) {
		fputs("reconcile: out of memory\n", stderr);
		abort();
	}
	return p;
}

struct arena *arena_new(void)
{
	struct arena *arena = mem_realloc(NULL, sizeof(*arena));

	*arena = (struct arena){ .next_size = CHUNK_FIRST };
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *c = arena->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(arena);
}

/* Behind the newest chunk of `to`, which may still have room. */
void arena_adopt(struct arena *to, struct arena *from)
{
	struct chunk *last = from->chunks, **link = to->chunks ? &to->chunks->next : &to->chunks;

	while (last && last->next)
		last = last->next;
	if (last) {
		last->next = *link;
		*link = from->chunks;
	}
	to->used += from->used;
	free(from);
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}

static struct chunk *add_chunk(struct arena *arena, size_t need)
{
	size_t size = need;
	struct chunk *c;

#ifndef RECONCILE_SANITIZED
	if (size < arena->next_size)
		size = arena->next_size;
	if (arena->next_size < CHUNK_MAX)
		arena->next_size *= 2;
#endif
	c = mem_realloc(NULL, sizeof(*c) + size);
	c->size = size;
	c->used = 0;
	/* A large object of its own goes behind the newest chunk, which may still have room. */
	if (arena->chunks && need > CHUNK_MAX / 4) {
		c->next = arena->chunks->next;
		arena->chunks->next = c;
	} else {
		c->next = arena->chunks;
		arena->chunks = c;
	}
	return c;
}

void *arena_raw(struct arena *arena, size_t size)
{
	struct chunk *c = arena->chunks;
	size_t rounded;
	void *p;

	if (size > SIZE_MAX / 2)
		BUG("arena_alloc of %zu bytes", size);
	rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!c || c->size - c->used < rounded)
		c = add_chunk(arena, rounded ? rounded : ALIGN);
	p = c->data + c->used;
	c->used += rounded;
	arena->used += rounded;
	return p;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return memset(arena_raw(arena, size), 0, size);
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / 2 / size)
		BUG("arena_array of %zu × %zu bytes", n, size);
	return arena_alloc(arena, n * size);
}

char *arena_copy(struct arena *arena, const void *bytes, size_t n)
{
	char *p = arena_raw(arena, n + 1);

	if (n)
		memcpy(p, bytes, n);
	p[n] = '\0';
	return p;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_copy(arena, text, strlen(text)) : NULL;
}

char *arena_concat(struct arena *arena, const char *const *parts, size_t n)
{
	size_t len = 0;
	char *text, *at;

	for (size_t i = 0; i < n; i++)
		len += parts[i] ? strlen(parts[i]) : 0;
	at = text = arena_alloc(arena, len + 1);
	for (size_t i = 0; i < n; i++)
		if (parts[i])
			at = stpcpy(at, parts[i]);
	return text;
}

/* Most texts are short: they are formatted once and copied, not formatted twice. */
char *arena_vprintf(struct arena *arena, const char *fmt, va_list args)
{
	char text[512], *p;
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(text, sizeof(text), fmt, args);
	if (n < 0)
		BUG("arena_printf cannot format '%s'", fmt);
	if ((size_t)n < sizeof(text)) {
		p = arena_copy(arena, text, (size_t)n);
	} else {
		p = arena_alloc(arena, (size_t)n + 1);
		vsnprintf(p, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	return p;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char *p;

	va_start(args, fmt);
	p = arena_vprintf(arena, fmt, args);
	va_end(args);
	return p;
}
