/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.c — ranks by removing what needs nothing any more (Kahn), then one sort by rank and name.
 * What is left after that needs a cycle; its text is found by walking needs until a node comes twice.
 */
#include "reconcile/plan/order.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/buf.h"

/* Who waits for whom, as one array per direction: the users of node i are users[first[i]] … users[first[i + 1] - 1]. */
struct uses {
	size_t *first, *users;
};

static struct uses uses_of(const struct order_node *nodes, size_t n, struct arena *arena)
{
	struct uses uses = { .first = arena_array(arena, n + 2, sizeof(size_t)) };
	size_t *at, n_edges = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < nodes[i].n_needs; k++)
			uses.first[nodes[i].needs[k] + 1]++;
		n_edges += nodes[i].n_needs;
	}
	for (size_t i = 0; i < n; i++)
		uses.first[i + 1] += uses.first[i];
	uses.users = arena_array(arena, n_edges + 1, sizeof(size_t));
	at = arena_array(arena, n + 1, sizeof(size_t));
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < nodes[i].n_needs; k++) {
			size_t needed = nodes[i].needs[k];

			uses.users[uses.first[needed] + at[needed]++] = i;
		}
	}
	return uses;
}

/* From a node that cannot be ranked one always gets to another such: until one is met again. */
static const char *cycle_text(const struct order_node *nodes, const bool *is_ranked, size_t start,
			      size_t n, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(4096);
	size_t *seen_at = arena_array(arena, n, sizeof(size_t));
	size_t *path = arena_array(arena, n + 1, sizeof(size_t));
	size_t len = 0, at = start;

	while (seen_at[at] == 0) {
		path[len++] = at;
		seen_at[at] = len;
		for (size_t k = 0; k < nodes[at].n_needs; k++) {
			if (!is_ranked[nodes[at].needs[k]]) {
				at = nodes[at].needs[k];
				break;
			}
		}
	}
	for (size_t i = seen_at[at] - 1; i < len; i++)
		buf_printf(&text, "%s → ", nodes[path[i]].name);
	buf_puts(&text, nodes[at].name);
	return text.is_over ? "a long chain that ends where it begins" : buf_copy(&text, arena);
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct order_node *nodes = ctx;
	const struct order_node *x = &nodes[*(const size_t *)a], *y = &nodes[*(const size_t *)b];

	if (!x->cycle != !y->cycle)
		return x->cycle ? 1 : -1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->name, y->name);
}

void order_sort(struct order_node *nodes, size_t n, struct arena *arena, size_t *order)
{
	struct uses uses = uses_of(nodes, n, arena);
	size_t *waits = arena_array(arena, n + 1, sizeof(size_t));
	size_t *queue = arena_array(arena, n + 1, sizeof(size_t));
	bool *is_ranked = arena_array(arena, n + 1, sizeof(bool));
	size_t head = 0, tail = 0;

	for (size_t i = 0; i < n; i++) {
		nodes[i].rank = 0;
		nodes[i].cycle = NULL;
		order[i] = i;
		waits[i] = nodes[i].n_needs;
		if (waits[i] == 0)
			queue[tail++] = i;
	}
	while (head < tail) {
		size_t i = queue[head++];

		is_ranked[i] = true;
		for (size_t k = uses.first[i]; k < uses.first[i + 1]; k++) {
			struct order_node *user = &nodes[uses.users[k]];

			if (user->rank < nodes[i].rank + 1)
				user->rank = nodes[i].rank + 1;
			if (--waits[uses.users[k]] == 0)
				queue[tail++] = uses.users[k];
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_ranked[i])
			nodes[i].cycle = cycle_text(nodes, is_ranked, i, n, arena);
	}
	qsort_r(order, n, sizeof(*order), compare, nodes);
}
