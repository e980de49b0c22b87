/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_key.h — the digest over everything that can change a built image (design §4 "Build key").
 * Content stands in for its name where it is known: the tree of a sub path for the commit, a digest for a reference.
 */
#ifndef RECONCILE_PLAN_BUILD_KEY_H
#define RECONCILE_PLAN_BUILD_KEY_H

#include "model/kind/status.h"

/* Goes up when the same inputs would make another image. */
#define BUILD_FORMAT 1

/*
 * Of the inputs of an attempt, recorded or new. A build that was asked for (TRIGGER) has a key of its own, by `trigger`.
 * NULL while builder image, run image or source are not known.
 */
char *build_key(const struct attempt *inputs, struct arena *arena);
/* Whether a list as recorded ("COMMIT,STACK") names a reason. */
bool reasons_name(const char *reasons, const char *name);

#endif
