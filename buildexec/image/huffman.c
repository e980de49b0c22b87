/* SPDX-License-Identifier: Apache-2.0 */
/* huffman.c — see huffman.h. */
#include "buildexec/image/huffman.h"

#include <string.h>

enum { SYMBOL_BITS = 9, SYMBOL_MASK = (1 << SYMBOL_BITS) - 1, DIGIT_BITS = 8, DIGITS = 256 };

/* One stable pass over the items by eight bits of theirs. */
static void sort_by_digit(const uint32_t *from, uint32_t *to, size_t n, unsigned shift)
{
	uint32_t starts[DIGITS] = { 0 };
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		starts[from[i] >> shift & (DIGITS - 1)]++;
	for (size_t i = 0; i < DIGITS; i++) {
		uint32_t count = starts[i];

		starts[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[starts[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

/* "count, symbol" of all that occur, the rarest first; their number. */
static size_t sort_symbols(const uint32_t *counts, size_t n, uint32_t *items)
{
	uint32_t other[HUFFMAN_SYMBOLS_MAX];
	size_t n_items = 0;
	uint32_t all = 0;

	for (size_t i = 0; i < n; i++) {
		all |= counts[i];
		if (counts[i])
			items[n_items++] = counts[i] << SYMBOL_BITS | (uint32_t)i;
	}
	for (unsigned shift = SYMBOL_BITS; all; shift += DIGIT_BITS, all >>= DIGIT_BITS) {
		sort_by_digit(items, other, n_items, shift);
		memcpy(items, other, n_items * sizeof(*items));
	}
	return n_items;
}

/*
 * How many leaves lie at each depth of the tree. `nodes` holds the counts, rarest first. First they
 * become parents: nodes[i] is the weight of an inner node until it has a parent, then the parent's
 * index. Then, from the root down, depths of inner nodes, and from these the numbers of leaves.
 */
static void count_depths(uint32_t *nodes, size_t n, uint32_t *at_depth)
{
	size_t leaf = 0, inner = 0;
	size_t available = 1, used = 0, next;
	unsigned depth = 0;

	for (next = 0; next < n - 1; next++) {
		uint32_t weight = 0;

		for (int child = 0; child < 2; child++) {
			if (leaf >= n || (inner < next && nodes[inner] < nodes[leaf])) {
				weight += nodes[inner];
				nodes[inner++] = (uint32_t)next;
			} else {
				weight += nodes[leaf++];
			}
		}
		nodes[next] = weight;
	}
	nodes[n - 2] = 0;
	for (next = n - 2; next-- > 0;)
		nodes[next] = nodes[nodes[next]] + 1;
	next = n - 1;
	while (available) {
		while (next > 0 && nodes[next - 1] == depth) {
			used++;
			next--;
		}
		at_depth[depth < 31 ? depth : 31] += (uint32_t)(available - used);
		available = 2 * used;
		used = 0;
		depth++;
	}
}

/* Moves leaves that lie too deep up, each at the cost of the deepest one that may still go down. */
static void limit_depths(uint32_t *at_depth, unsigned bits_max)
{
	uint32_t too_deep = 0;
	int64_t excess; /* over a complete code, in units of the deepest codes */

	for (unsigned depth = bits_max + 1; depth < 32; depth++) {
		too_deep += at_depth[depth];
		at_depth[depth] = 0;
	}
	if (!too_deep)
		return;
	at_depth[bits_max] += too_deep;
	excess = -((int64_t)1 << bits_max);
	for (unsigned depth = 1; depth <= bits_max; depth++)
		excess += (int64_t)at_depth[depth] << (bits_max - depth);
	while (excess > 0) {
		unsigned depth = bits_max - 1;

		while (!at_depth[depth])
			depth--;
		/* A leaf goes one down and takes one of the deepest as its sibling. */
		at_depth[depth]--;
		at_depth[depth + 1] += 2;
		at_depth[bits_max]--;
		excess--;
	}
}

void huffman_lengths(const uint32_t *counts, size_t n, unsigned bits_max, uint8_t *lengths)
{
	uint32_t items[HUFFMAN_SYMBOLS_MAX], nodes[HUFFMAN_SYMBOLS_MAX], at_depth[32] = { 0 };
	size_t n_items = sort_symbols(counts, n, items), item;

	memset(lengths, 0, n);
	if (n_items < 2) {
		size_t only = n_items ? items[0] & SYMBOL_MASK : 0;

		lengths[only] = lengths[only ? 0 : 1] = 1;
		return;
	}
	for (size_t i = 0; i < n_items; i++)
		nodes[i] = items[i] >> SYMBOL_BITS;
	count_depths(nodes, n_items, at_depth);
	limit_depths(at_depth, bits_max);
	item = n_items;
	for (unsigned depth = 1; depth <= bits_max; depth++)
		for (uint32_t i = 0; i < at_depth[depth]; i++)
			lengths[items[--item] & SYMBOL_MASK] = (uint8_t)depth;
}

static uint16_t reversed(uint16_t code, unsigned length)
{
	uint16_t out = 0;

	for (unsigned i = 0; i < length; i++)
		out = (uint16_t)(out << 1 | (code >> i & 1));
	return out;
}

void huffman_codes(const uint8_t *lengths, size_t n, uint16_t *codes)
{
	uint16_t n_of[HUFFMAN_BITS_MAX + 1] = { 0 }, next[HUFFMAN_BITS_MAX + 2] = { 0 };

	for (size_t i = 0; i < n; i++)
		n_of[lengths[i]]++;
	n_of[0] = 0;
	for (unsigned bits = 0; bits < HUFFMAN_BITS_MAX; bits++)
		next[bits + 1] = (uint16_t)((next[bits] + n_of[bits]) << 1);
	for (size_t i = 0; i < n; i++)
		codes[i] = lengths[i] ? reversed(next[lengths[i]]++, lengths[i]) : 0;
}
