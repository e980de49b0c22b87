/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deflate_block.h — a block of deflate from tokens: which of the three forms is the smallest, and
 * its bits. A token is one 32-bit number that is written without asking what it is: a symbol of the
 * first alphabet, one of the second, extra bits. Two literals share one, the second as a symbol of
 * the second alphabet beyond the distances. Integers only; pure.
 * Spec: RFC 1951 §3.2.3 to §3.2.7.
 */
#ifndef BUILDEXEC_IMAGE_DEFLATE_BLOCK_H
#define BUILDEXEC_IMAGE_DEFLATE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DEFLATE_TOKENS_MAX = 1 << 15, /* of a block; counts of symbols fit into 17 bits */
	DEFLATE_LENGTH_MIN = 3,
	DEFLATE_LENGTH_MAX = 258,
	DEFLATE_DISTANCE_MAX = 32768,
	/* First part of a token: a literal, the end, a length from 3. */
	TOKEN_END = 256,
	TOKEN_LENGTH = 257,
	TOKEN_FIRSTS = TOKEN_LENGTH + DEFLATE_LENGTH_MAX - DEFLATE_LENGTH_MIN + 1,
	TOKEN_FIRST_BITS = 10,
	/* Second part: a distance code, nothing, a literal. */
	TOKEN_NONE = 30,
	TOKEN_LITERAL = 31,
	TOKEN_SECONDS = TOKEN_LITERAL + 256,
	TOKEN_SECOND_BITS = 9,
	TOKEN_EXTRA_SHIFT = TOKEN_FIRST_BITS + TOKEN_SECOND_BITS,
};

static inline uint32_t token_literal(unsigned char byte)
{
	return byte | (uint32_t)TOKEN_NONE << TOKEN_FIRST_BITS;
}

static inline uint32_t token_literals(unsigned char first, unsigned char second)
{
	return first | (uint32_t)(TOKEN_LITERAL + second) << TOKEN_FIRST_BITS;
}

/* A length of 3 to 258, a distance of 1 to 32768. */
static inline uint32_t token_match(uint32_t length, uint32_t distance)
{
	uint32_t from_0 = distance - 1;
	/* Two codes for every power of two, told apart by the bit below the highest. */
	unsigned n_extra = 30 - (unsigned)__builtin_clz(from_0 | 2);
	uint32_t code = (from_0 >> n_extra) + 2 * n_extra;
	uint32_t extra = from_0 & ((1U << n_extra) - 1);

	return (TOKEN_LENGTH - DEFLATE_LENGTH_MIN + length) | code << TOKEN_FIRST_BITS |
	       extra << TOKEN_EXTRA_SHIFT;
}

/* How often each part occurs in a block. Whoever makes the tokens counts, while it waits for memory anyway. */
struct token_counts {
	uint32_t first[TOKEN_FIRSTS], second[TOKEN_SECONDS];
};

/* Puts a token where `at` is and counts it; the place behind it. */
static inline uint32_t *token_put(uint32_t *at, struct token_counts *counts, uint32_t token)
{
	counts->first[token & ((1U << TOKEN_FIRST_BITS) - 1)]++;
	counts->second[token >> TOKEN_FIRST_BITS & ((1U << TOKEN_SECOND_BITS) - 1)]++;
	*at = token;
	return at + 1;
}

/* Where bits go: whole bytes to `at`, up to 7 wait. Eight bytes behind `at` may be overwritten. */
struct bit_writer {
	unsigned char *at;
	uint64_t bits;
	unsigned n;
};

/* What a block stands for. */
struct deflate_block {
	const uint32_t *tokens; /* borrowed; at most DEFLATE_TOKENS_MAX */
	size_t n_tokens;
	const struct token_counts *counts; /* of these tokens */
	const unsigned char *raw; /* the same as bytes, for the case that they do not compress */
	size_t n_raw;
	bool is_last;
};

/* Writes at most n_raw bytes and 5 for every 65,535 begun, and one more. */
void deflate_block_write(struct bit_writer *out, const struct deflate_block *block);
/* The bits that wait, filled with zeros. */
void bit_writer_finish(struct bit_writer *out);

#endif
