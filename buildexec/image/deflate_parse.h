/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deflate_parse.h — what both parses of deflate.c share: a piece on its way, its tokens, and how far
 * two places are the same. A parse turns a piece into tokens and ends blocks. Internal to deflate*.c.
 */
#ifndef BUILDEXEC_IMAGE_DEFLATE_PARSE_H
#define BUILDEXEC_IMAGE_DEFLATE_PARSE_H

#include <endian.h>
#include <string.h>

#include "buildexec/image/deflate_block.h"

enum {
	PARSE_TAIL = 32, /* bytes at the end that are literals, so that reads stay inside */
	PARSE_WINDOW = DEFLATE_DISTANCE_MAX,
	/* Tokens between two looks at whether the block is full, and some. */
	PARSE_TOKENS_OVER = 512,
};

struct piece {
	const unsigned char *in;
	size_t n, start; /* `start`: of the block that is open */
	uint32_t *tokens, *full, *token;
	struct token_counts counts; /* of the block that is open */
	struct bit_writer out;
};

struct match {
	size_t at;
	uint32_t length, distance;
};

/* `memory` is what a parse remembers of a piece; wiped before each, so that nothing of an earlier one shows. */
extern const size_t fast_parse_size, small_parse_size;
void parse_fast(void *memory, struct piece *piece);
void parse_small(void *memory, struct piece *piece);

/* Writes the block that ends in front of `at`, and begins the next. */
void piece_end_block(struct piece *piece, size_t at, bool is_last);
/* The bytes from `at` to the end, as literals, and the last block. */
void piece_finish(struct piece *piece, size_t at);

static inline uint64_t load_64(const unsigned char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return le64toh(word);
}

static inline uint32_t load_32(const unsigned char *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return le32toh(word);
}

/* A hash of the first n_bytes of a word. */
static inline uint32_t hash_bytes(uint64_t word, unsigned n_bytes, unsigned bits)
{
	return (uint32_t)((word << (64 - 8 * n_bytes)) * 0x9E3779B97F4A7C15U >> (64 - bits));
}

/* How many bytes are the same here and `distance` before, `n` being known to be. */
static inline uint32_t match_length(const struct piece *piece, size_t at, uint32_t distance,
				    size_t n)
{
	const unsigned char *here = piece->in + at, *there = here - distance;
	size_t left = piece->n - at;
	size_t most = left < DEFLATE_LENGTH_MAX ? left : DEFLATE_LENGTH_MAX;

	while (n + 8 <= most) {
		uint64_t unlike = load_64(here + n) ^ load_64(there + n);

		if (unlike)
			return (uint32_t)(n + (unsigned)__builtin_ctzll(unlike) / 8);
		n += 8;
	}
	while (n < most && here[n] == there[n])
		n++;
	return (uint32_t)n;
}

#endif
