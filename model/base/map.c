/* SPDX-License-Identifier: Apache-2.0 */
/* map.c — insertion-ordered items with an open-addressed index of their positions. */
#include "model/base/map.h"

#include <string.h>

static uint64_t hash_of(const char *key)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a, with a final mix */

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	h ^= h >> 32;
	h *= 0x9E3779B97F4A7C15u;
	return h ^ (h >> 29);
}

/* The slot of the key, or the free slot where it belongs. */
static size_t slot_of(const struct map *map, const char *key)
{
	size_t mask = map->n_slots - 1, at = (size_t)hash_of(key) & mask;

	while (map->slots[at] && strcmp(map->items[map->slots[at] - 1].key, key) != 0)
		at = (at + 1) & mask;
	return at;
}

static void grow(struct arena *arena, struct map *map)
{
	size_t cap = map->cap ? map->cap * 2 : 8;
	struct map_item *items = arena_array(arena, cap, sizeof(*items));

	if (map->n)
		memcpy(items, map->items, map->n * sizeof(*items));
	map->items = items;
	map->cap = cap;
	map->n_slots = cap * 2;
	map->slots = arena_array(arena, map->n_slots, sizeof(*map->slots));
	for (size_t i = 0; i < map->n; i++)
		map->slots[slot_of(map, items[i].key)] = (uint32_t)i + 1;
}

static struct map_item *find(const struct map *map, const char *key)
{
	size_t at;

	if (!map->n)
		return NULL;
	at = slot_of(map, key);
	return map->slots[at] ? &map->items[map->slots[at] - 1] : NULL;
}

void map_set(struct arena *arena, struct map *map, const char *key, void *value)
{
	struct map_item *item = find(map, key);

	if (item) {
		item->value = value;
		return;
	}
	if (map->n == map->cap)
		grow(arena, map);
	map->items[map->n] = (struct map_item){ key, value };
	map->slots[slot_of(map, key)] = (uint32_t)map->n + 1;
	map->n++;
}

void *map_get(const struct map *map, const char *key)
{
	const struct map_item *item = find(map, key);

	return item ? item->value : NULL;
}

bool map_has(const struct map *map, const char *key)
{
	return find(map, key) != NULL;
}
