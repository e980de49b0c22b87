/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.h — "is this key in the mapping already?" for parsers. Small mappings are walked; from
 * KEYS_WALKED children on an index is kept, so that a file of a hundred thousand keys costs no
 * square of that.
 */
#ifndef MODEL_DOC_KEYS_H
#define MODEL_DOC_KEYS_H

#include "model/base/map.h"
#include "model/doc/node.h"

enum { KEYS_WALKED = 16 };

/* Zeroed: ready, for one mapping. */
struct keys {
	struct map index;
	struct node *newest; /* the last child that is in the index */
};

/* The child with that key, or NULL. `scratch` holds the index; children may only be appended
 * between calls. */
struct node *keys_find(struct keys *keys, const struct node *map, const char *key,
		       struct arena *scratch);

#endif
