/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h — text → pointer, in an arena; iteration in order of insertion.
 * Keys are borrowed and must live as long as the map. A key set twice keeps its place and takes the new value.
 */
#ifndef MODEL_BASE_MAP_H
#define MODEL_BASE_MAP_H

#include <stdint.h>

#include "model/base/arena.h"

struct map_item {
	const char *key;
	void *value;
};

struct map {
	struct map_item *items; /* n of them, in order of insertion */
	size_t n, cap;
	uint32_t *slots; /* open addressing: index into items + 1, 0 is free */
	size_t n_slots;  /* a power of two */
};

/* A zeroed struct map is empty and ready. */
void map_set(struct arena *arena, struct map *map, const char *key, void *value);
/* The value, or NULL when the key is absent. */
void *map_get(const struct map *map, const char *key);
bool map_has(const struct map *map, const char *key);

#endif
