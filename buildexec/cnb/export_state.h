/* SPDX-License-Identifier: Apache-2.0 */
/* export_state.h — an export in the making: what the image's layers and the cache's have in common. For export*.c. */
#ifndef BUILDEXEC_CNB_EXPORT_STATE_H
#define BUILDEXEC_CNB_EXPORT_STATE_H

#include "buildexec/cnb/export_layer.h"
#include "buildexec/cnb/kept_layer.h"
#include "buildexec/cnb/layers_dir.h"
#include "model/base/map.h"

/* A layer of the new image. */
struct placed_layer {
	const char *diff_id, *created_by;
	struct image_layer layer;
};

struct export
{
	struct lifecycle *life;
	struct arena *arena;
	struct app_metadata metadata; /* in the making */
	VEC(struct placed_layer) layers;
	/* folder → struct layer_result: for the cache, which has the same layers */
	struct map written;
	VEC(struct layers_dir) dirs;   /* of each buildpack of the group */
	VEC(struct kept_layer) cached; /* what the cache has archives of now */
};

/* Writes a layer and remembers it by its folder; NULL with err. */
const struct layer_result *export_write_layer(struct export *export,
					      const struct layer_source *source, struct err *err);
/* Makes and commits the build cache after the image was saved. */
MUST_CHECK bool export_cache(struct export *export, struct err *err);

#endif
