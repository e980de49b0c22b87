/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deflate_fast.c — two positions at once, each with the last place where the same five bytes hashed
 * to. A match that is short gives way to a longer one at the next position; inside matches only the
 * first positions and the last are remembered. The longer nothing matches, the more bytes go by
 * without a look. What this costs is mispredicted branches and the way from a hash to the bytes it
 * names, so the table is small enough for the nearest cache.
 */
#include "buildexec/image/deflate_parse.h"

/* Every number here changes bytes, and with them digests. */
enum {
	HASH_BITS = 13,
	HASHED_BYTES = 5,
	MATCH_MIN = 4,
	LAZY_BELOW = 12, /* matches as long as that are taken as they come */
	SKIP_SHIFT = 6,  /* after 2^6 pairs without a match two pairs go by at a time, … */
};

struct fast_parse {
	uint16_t last[1 << HASH_BITS]; /* the low bits of the position that had this hash */
};

const size_t fast_parse_size = sizeof(struct fast_parse);

/*
 * Remembers a position by its first bytes and returns how far behind it the last such place lies,
 * modulo 2^16. Never more than `at`: places are of this piece, and 0 where there was none.
 */
static inline uint32_t remember(uint16_t *last, uint64_t word, size_t at)
{
	uint16_t *place = &last[hash_bytes(word, HASHED_BYTES, HASH_BITS)];
	uint32_t distance = (uint16_t)(at - *place);

	*place = (uint16_t)at;
	return distance;
}

static inline bool matches(const unsigned char *at, uint32_t distance)
{
	return load_32(at) == load_32(at - distance) && distance - 1 < PARSE_WINDOW;
}

static inline struct match extend(const struct piece *piece, size_t at, uint32_t distance)
{
	return (struct match){ at, match_length(piece, at, distance, MATCH_MIN), distance };
}

/* What lies inside and behind a match: its first positions, where the next one often begins, and its last. */
static inline size_t pass(uint16_t *last, const struct piece *piece, const struct match *match)
{
	size_t at = match->at + match->length;

	for (size_t i = 1; i <= 3; i++)
		remember(last, load_64(piece->in + match->at + i), match->at + i);
	if (at + PARSE_TAIL < piece->n)
		remember(last, load_64(piece->in + at - 1), at - 1);
	return at;
}

void parse_fast(void *memory, struct piece *piece)
{
	uint16_t *last = ((struct fast_parse *)memory)->last;
	const unsigned char *in = piece->in;
	size_t end = piece->n < PARSE_TAIL ? 0 : piece->n - PARSE_TAIL, at = 0;
	uint32_t *token = piece->token;
	unsigned misses = 0;

	while (at < end) {
		uint64_t word = load_64(in + at);
		uint32_t distance = remember(last, word, at);
		uint32_t next = remember(last, word >> 8, at + 1);
		struct match match, other;

		if (token >= piece->full) {
			piece->token = token;
			piece_end_block(piece, at, false);
			token = piece->token;
		}
		if (matches(in + at, distance)) {
			match = extend(piece, at, distance);
			if (match.length < LAZY_BELOW && matches(in + at + 1, next)) {
				other = extend(piece, at + 1, next);
				if (other.length > match.length)
					match = other;
			}
		} else if (matches(in + at + 1, next)) {
			match = extend(piece, at + 1, next);
		} else {
			unsigned n = 1 + (++misses >> SKIP_SHIFT);

			for (; n && at < end && token < piece->full; n--, at += 2)
				token = token_put(token, &piece->counts,
						  token_literals(in[at], in[at + 1]));
			continue;
		}
		misses = 0;
		if (match.at > at)
			token = token_put(token, &piece->counts, token_literal(in[at]));
		token = token_put(token, &piece->counts, token_match(match.length, match.distance));
		at = pass(last, piece, &match);
	}
	piece->token = token;
	piece_finish(piece, at);
}
