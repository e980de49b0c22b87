/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets.h — the values that Secrets name instead of holding (annotations reconcile.dev/from-env and reconcile.dev/from-file),
 * and the keyed hash by which a later run sees that a bound value changed. Every value is made known to the redactor.
 */
#ifndef RECONCILE_SECRETS_H
#define RECONCILE_SECRETS_H

#include "model/kind/kind.h"

struct secrets_spec {
	const char *cache_dir; /* of the key, where RECONCILE_SECRET_KEY gives none */
	/*
	 * A dry run: nothing is written, and values are fetched only with RECONCILE_DRY_RUN_SECRETS=1. What is planned may be the
	 * content of a pull request, whose author could have any file or variable sent to a registry of his.
	 */
	bool is_dry;
};
/* Changes the specs of the model's Secrets. A value that cannot be had is said once, and by secret_spec.problem. */
void secrets_resolve(struct model *model, const struct secrets_spec *spec, struct arena *arena);

#endif
