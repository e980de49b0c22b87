/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_hash.h — the keyed hash of every Secret's values, by which a later run sees that a bound value changed (design §4).
 * The key is never in state: there it would let anybody who can read state try values until one fits. A hash names its key,
 * so that hashes of another machine are no change; a value that changes between two machines without a common
 * RECONCILE_HASH_KEY is therefore not noticed.
 */
#ifndef RECONCILE_SECRET_HASH_H
#define RECONCILE_SECRET_HASH_H

#include "model/kind/kind.h"

struct secret_hash_spec {
	const char *cache_dir; /* of the machine's key */
	bool is_read_only;     /* a dry run: no key is made */
};
/* Sets secret_spec.hash of the model's Secrets whose values are all there. After secrets_read. */
void secrets_hash(struct model *model, const struct secret_hash_spec *spec, struct arena *arena);

#endif
