/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h — an image from outside in the form in which engines take it. An image without history for its layers, which the
 * specification allows, gets entries without text, for buildah cannot build on it otherwise; it then has another id.
 */
#ifndef BUILDEXEC_ENGINE_BASE_H
#define BUILDEXEC_ENGINE_BASE_H

#include "buildexec/engine/engine.h"

/* Fills config and id, from the image. */
MUST_CHECK bool base_settle(struct task *task, struct engine_base *base, struct err *err);
/* Its layers as they are in the registry, to files <dir>/<hex digits>, several at once. */
MUST_CHECK bool base_fetch(struct task *task, const struct engine_base *base, const char *dir,
			   struct err *err);
/* The base whose layers have this diff id; NULL: none, it was made here. */
const struct engine_base *engine_base_of(const struct engine_bases *bases, const char *diff_id,
					 size_t *layer);

#endif
