/* SPDX-License-Identifier: Apache-2.0 */
/* deflate.c — see deflate.h; the parses are deflate_fast.c and deflate_small.c. */
#include "buildexec/image/deflate.h"

#include <libdeflate.h>
#include <stdlib.h>

#include "buildexec/image/deflate_parse.h"
#include "model/base/arena.h"

enum {
	BLOCK_TOKENS_LEAST = 8192,
	BLOCK_TOKENS_MOST = 16384,
	HEADER = 10,
	TRAILER = 8,
	STORED_EXTRA = 6, /* of a block that does not compress, for every 65,535 bytes begun */
	WRITTEN_AHEAD = 8,
};
_Static_assert((int)BLOCK_TOKENS_MOST + (int)PARSE_TOKENS_OVER <= (int)DEFLATE_TOKENS_MAX,
	       "counts fit");

static const struct {
	void (*parse)(void *memory, struct piece *piece);
	const size_t *memory_size;
	size_t block_tokens; /* a block ends where it has that many */
} efforts[] = {
	[DEFLATE_FAST] = { parse_fast, &fast_parse_size, BLOCK_TOKENS_MOST },
	[DEFLATE_SMALL] = { parse_small, &small_parse_size, BLOCK_TOKENS_LEAST },
};
_Static_assert(COUNTOF(efforts) == DEFLATE_EFFORTS, "every effort has a parse");

struct deflater {
	enum deflate_effort effort;
	void *memory; /* of the parse */
	uint32_t tokens[BLOCK_TOKENS_MOST + PARSE_TOKENS_OVER];
};

struct deflater *deflater_new(enum deflate_effort effort)
{
	struct deflater *deflater = mem_realloc(NULL, sizeof(*deflater));

	deflater->effort = effort;
	deflater->memory = mem_realloc(NULL, *efforts[effort].memory_size);
	return deflater;
}

void deflater_free(struct deflater *deflater)
{
	if (deflater)
		free(deflater->memory);
	free(deflater);
}

size_t deflater_bound(size_t n)
{
	/* A block that does not compress has two bytes for every token, but for those at its end. */
	size_t n_stored = n / BLOCK_TOKENS_LEAST + n / 65535 + 2;

	return n + STORED_EXTRA * n_stored + HEADER + TRAILER + WRITTEN_AHEAD;
}

void piece_end_block(struct piece *piece, size_t at, bool is_last)
{
	struct deflate_block block = {
		.tokens = piece->tokens,
		.n_tokens = (size_t)(piece->token - piece->tokens),
		.counts = &piece->counts,
		.raw = piece->in + piece->start,
		.n_raw = at - piece->start,
		.is_last = is_last,
	};

	deflate_block_write(&piece->out, &block);
	piece->start = at;
	piece->token = piece->tokens;
	piece->counts = (struct token_counts){ 0 };
}

void piece_finish(struct piece *piece, size_t at)
{
	for (; at < piece->n; at++) {
		if (piece->token >= piece->full)
			piece_end_block(piece, at, false);
		piece->token =
			token_put(piece->token, &piece->counts, token_literal(piece->in[at]));
	}
	piece_end_block(piece, at, true);
	bit_writer_finish(&piece->out);
}

size_t deflater_gzip(struct deflater *deflater, const void *bytes, size_t n, unsigned char *out)
{
	/* deflate, no flags, no time, nothing about the parse, no system. */
	static const unsigned char header[HEADER] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
	uint32_t trailer[2] = { htole32(libdeflate_crc32(0, bytes, n)), htole32((uint32_t)n) };
	struct piece piece = {
		.in = bytes,
		.n = n,
		.tokens = deflater->tokens,
		.token = deflater->tokens,
		.full = deflater->tokens + efforts[deflater->effort].block_tokens,
		.out = { .at = out + HEADER },
	};

	_Static_assert(sizeof(trailer) == TRAILER, "checksum and size");
	memcpy(out, header, HEADER);
	memset(deflater->memory, 0, *efforts[deflater->effort].memory_size);
	efforts[deflater->effort].parse(deflater->memory, &piece);
	memcpy(piece.out.at, trailer, TRAILER);
	return (size_t)(piece.out.at - out) + TRAILER;
}
