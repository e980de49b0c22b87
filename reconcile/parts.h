/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h — what an object is made of, as its manifest says: an image of its builder and the streams it watches; a builder of
 * its stack, store, lifecycle and the buildpacks its order may find; a build config of the streams it reads; a stream of the
 * images and build configs that push to it and the streams it copies from; a workload or a policy of the streams it follows. Only objects that are declared. Images and streams may go
 * in circles.
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
