/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.h — puts things that need each other in an order: what is needed first, equals by name.
 * Pure. Knows names and edges only, not what they are. The rank of a node is the length of the longest chain below it, so
 * that the order does not depend on the order of the input.
 */
#ifndef RECONCILE_PLAN_ORDER_H
#define RECONCILE_PLAN_ORDER_H

#include "model/base/vec.h"

struct order_node {
	const char *name;
	const size_t *needs; /* indexes of nodes that come first */
	size_t n_needs;
	/* out */
	size_t rank;
	const char *cycle; /* NULL, or "a → b → a": it needs itself, or something that does */
};

/* Fills rank and cycle; `order` gets n indexes: needed first, equal ranks by name, members of cycles last. */
void order_sort(struct order_node *nodes, size_t n, struct arena *arena, size_t *order);

#endif
