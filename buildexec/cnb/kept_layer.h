/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept_layer.h — folders of cached layers, kept as the last build left them, beside the archives of the same content:
 *     <cache>/kept/<hex of diffID>/tree, print
 * Giving one back is a rename, and as long as its print is the same nobody needs to read it: the print is a hash of what
 * lstat says of every object, with times of change that only the kernel sets, and of what else the diffID depends on. It
 * counts for this boot alone, since nothing is synced. Where a print differs, or there is none, the archive counts.
 */
#ifndef BUILDEXEC_CNB_KEPT_LAYER_H
#define BUILDEXEC_CNB_KEPT_LAYER_H

#include "buildexec/cnb/lifecycle.h"

/* A layer's folder and its name in the image. */
struct kept_layer {
	const char *dir, *name, *diff_id;
};

/* Moves the folder of that diffID to layer->dir. False: there is none that is as it was left. */
bool kept_layer_take(struct lifecycle *life, const struct kept_layer *layer);
/*
 * The diffID of a folder that was taken and has not changed since; NULL: it must be read. Looked at once, when the build is
 * over.
 */
const char *kept_layer_diff_id(const struct lifecycle *life, const char *dir, const char *name);
/*
 * Moves the folder away from layer->dir, for the next build, when it has no more than *room_bytes, which become fewer. It may
 * as well stay where it is.
 */
void kept_layer_put(struct lifecycle *life, const struct kept_layer *layer, uint64_t *room_bytes);
/* Removes those of other diffIDs. */
void kept_layer_sweep(const struct lifecycle *life, const struct strings *diff_ids);

#endif
