/* SPDX-License-Identifier: Apache-2.0 */
/*
 * huffman.h — prefix codes of limited length from how often each symbol occurs. Integers only, no
 * choice left open (equal counts: the lower symbol first): the same counts give the same code on
 * every machine. Pure.
 * Spec: RFC 1951 §3.2.2; the tree is built in place as in Moffat and Katajainen, "In-Place
 * Calculation of Minimum-Redundancy Codes" (1995).
 */
#ifndef BUILDEXEC_IMAGE_HUFFMAN_H
#define BUILDEXEC_IMAGE_HUFFMAN_H

#include <stddef.h>
#include <stdint.h>

enum { HUFFMAN_SYMBOLS_MAX = 288, HUFFMAN_BITS_MAX = 15 };

/*
 * The length in bits of each symbol's code, 0 for those that do not occur, none above `bits_max`.
 * A symbol that occurs alone gets one bit, and so does another one beside it (0, else 1): readers
 * then see a complete code.
 *   counts  n of them, each below 2^20, all together below 2^32
 *   n       2 to HUFFMAN_SYMBOLS_MAX; symbols that occur must be at most 2^bits_max
 */
void huffman_lengths(const uint32_t *counts, size_t n, unsigned bits_max, uint8_t *lengths);

/* The canonical code of each symbol, its first bit lowest, as deflate writes them. */
void huffman_codes(const uint8_t *lengths, size_t n, uint16_t *codes);

#endif
