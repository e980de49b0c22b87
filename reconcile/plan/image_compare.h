/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_compare.h — what differs between an attempt to build an image and what would be built now, as changes with their
 * reasons. Rules: kpack.md §1.3, §1.5 with design §5's differences.
 */
#ifndef RECONCILE_PLAN_IMAGE_COMPARE_H
#define RECONCILE_PLAN_IMAGE_COMPARE_H

#include "reconcile/plan/rules.h"

struct comparison {
	const struct attempt *old; /* NULL: never built */
	/* resolved inputs; unknown ones are NULL and differ from nothing */
	const struct attempt *now;
	const struct image_spec *spec;
	const struct builder_status *builder; /* NULL: nothing is known of it (offline) */
	/* keys of now->watched whose streams are worked on first: what they give will differ */
	const struct strings *watch_pending;
	bool is_builder_pending; /* a new image of it is to be composed: its digest will differ */
};
/* ERR_INVALID when a recorded run image cannot be read (kpack.md §1.3, last note). */
MUST_CHECK bool image_compare(const struct comparison *c, struct arena *arena, struct changes *out,
			      struct err *err);
bool attempt_is_success(const struct attempt *attempt);
/* The last attempt that succeeded; NULL: none. */
const struct attempt *image_success(const struct image_status *status);
/* The run image that an extension chose in it, as it is now, or was when it was last seen; nothing when none did. */
struct image_pin image_chosen_run(const struct planner *p, const struct object *object,
				  const struct image_status *status);

#endif
