/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose.h — the inputs of a builder image as one value, and its key: equal keys, equal images.
 * Internal to reconcile/plan. Rules: kpack.md §3.1–3.3.
 */
#ifndef RECONCILE_PLAN_COMPOSE_H
#define RECONCILE_PLAN_COMPOSE_H

#include "reconcile/plan/resolve.h"
#include "reconcile/plan/rules.h"

/* Of the inputs and the layout below; a new layout is a new key, and every builder is composed again. */
#define COMPOSE_FORMAT 1

/* Where the image goes: kpack.md §3.1. False for a tag that is no reference, or too long. */
MUST_CHECK bool compose_tag(const struct object *object, struct arena *arena, const char **out,
			    struct err *err);
/* The digest over everything else in it. */
char *compose_key(const struct compose *compose, struct arena *arena);
struct node *order_node_of(const struct list *order, struct arena *arena);

#endif
