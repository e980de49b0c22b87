/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h — what an object is made of, as its manifest says: an image of its builder and the streams it watches; a builder of
 * its stack, store, lifecycle and the buildpacks its order may find; a stream of the images that push to it and the streams
 * it copies from. Only objects that are declared. Images and streams may go in circles.
 */
#ifndef RECONCILE_PARTS_H
#define RECONCILE_PARTS_H

#include "model/kind/kind.h"

struct object_list {
	const struct object **v;
	size_t n, cap;
};
void object_parts(const struct model *model, const struct object *object, struct arena *arena,
		  struct object_list *out);

#endif
