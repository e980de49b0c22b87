/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tag_priority.h — which tags of a repository matter most: latest, then x.y versions, then x.y.z versions, newest first, then
 * the others by name. Decides which tags the import of a repository takes in, and the order in which tags are shown.
 * Source: OpenShift PrioritizeTags (openshift.md §2.7, §5.1).
 */
#ifndef RECONCILE_PLAN_TAG_PRIORITY_H
#define RECONCILE_PLAN_TAG_PRIORITY_H

#include "model/base/vec.h"

/* Sorts in place. Of equal versions the one without "v" comes first; a version with a suffix is lower than without. */
void tags_prioritize(struct strings *tags, struct arena *arena);

#endif
