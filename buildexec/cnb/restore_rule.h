/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore_rule.h — which layers of the last build come back before this one: their metadata, their data, or nothing.
 * Pure: records of the previous image and of the cache in, a list of what to do out.
 * Spec: buildpacks/spec platform.md "Layer Restoration", buildpack.md "Layer Types"; cnb.md §1.3.
 */
#ifndef BUILDEXEC_CNB_RESTORE_RULE_H
#define BUILDEXEC_CNB_RESTORE_RULE_H

#include "buildexec/cnb/app_metadata.h"

enum restore_data {
	RESTORE_NO_DATA, /* metadata alone: the layer stays in the previous image */
	RESTORE_FROM_CACHE,
	RESTORE_DATA_KINDS
};

struct restored_layer {
	const struct layer_record *record; /* whose metadata is written; lent  */
	enum restore_data data;
	const char *sha; /* of the cached layer to unpack    */
};
struct restored_layers {
	struct restored_layer *v;
	size_t n, cap;
};

/*
 * What to restore for one buildpack; `app` and `cache` are its records there, NULL when there is none. A layer whose
 * cached data is not the one that the metadata speaks of is left out altogether.
 */
void restore_decide(const struct buildpack_record *app, const struct buildpack_record *cache,
		    const char *platform_api, struct arena *arena, struct restored_layers *out);

#endif
