/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c — a walk for small mappings, a hash index that follows the list for large ones. */
#include "model/doc/keys.h"

#include <string.h>

struct node *keys_find(struct keys *keys, const struct node *map, const char *key,
		       struct arena *scratch)
{
	if (map->n <= KEYS_WALKED) {
		for (struct node *c = map->first; c; c = c->next)
			if (c->key[0] == key[0] && strcmp(c->key, key) == 0)
				return c;
		return NULL;
	}
	for (struct node *c = keys->newest ? keys->newest->next : map->first; c; c = c->next) {
		map_set(scratch, &keys->index, c->key, c);
		keys->newest = c;
	}
	return map_get(&keys->index, key);
}
