/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deflate_small.c — two chains of earlier places, of those that begin with the same four bytes and
 * of those that begin with the same ten. Long matches are found in the second, which has few
 * places, so that the first need only be followed a little for what is short and near; one chain
 * alone would have to be followed four times as far. Where both know nothing, the last place of the
 * same three bytes may be near enough. A match waits while the next position has a better one.
 */
#include "buildexec/image/deflate_parse.h"

/* Every number here changes bytes, and with them digests. */
enum {
	HASH_BITS = 15,
	CHAIN = PARSE_WINDOW,
	SHORT_BYTES = 4,
	LONG_BYTES = 10,
	LONG_STEPS = 8,
	SHORT_STEPS = 4,
	SHORT_STEPS_MORE = 2, /* when the long chain knew a match already */
	NICE = 96,            /* long enough to look no further */
	LEAST_BITS = 12,
	LEAST_BYTES = 3,
	LEAST_FAR = 4096,
	IS_BETTER_FROM = 2,
	SKIP_SHIFT = 8, /* after 2^8 literals without a match two go by at a time, … */
	SKIP_MAX = 16,
};

struct chain {
	uint16_t last[1 << HASH_BITS], before[CHAIN];
};

struct small_parse {
	struct chain chains[2];
	uint16_t least[1 << LEAST_BITS];
};

const size_t small_parse_size = sizeof(struct small_parse);

static inline uint32_t hash_long(const unsigned char *at, uint64_t word)
{
	uint64_t more = load_64(at + 8) << (128 - 8 * LONG_BYTES);

	return (uint32_t)((word * 0x9E3779B97F4A7C15U + more) * 0xD6E8FEB86659FD93U >>
			  (64 - HASH_BITS));
}

/* Puts a place in front of its chain; the one that was there, its low bits. */
static inline uint32_t link_place(struct chain *chain, uint32_t hash, size_t at)
{
	uint16_t first = chain->last[hash];

	chain->before[at % CHAIN] = first;
	chain->last[hash] = (uint16_t)at;
	return first;
}

/* The places before this one: in both chains, and of the same three bytes. */
struct places {
	uint32_t small, large, least;
};

static inline struct places remember(struct small_parse *parse, const unsigned char *in, size_t at)
{
	uint64_t word = load_64(in + at);
	uint16_t *least = &parse->least[hash_bytes(word, LEAST_BYTES, LEAST_BITS)];
	struct places places = {
		.small =
			link_place(&parse->chains[0], hash_bytes(word, SHORT_BYTES, HASH_BITS), at),
		.large = link_place(&parse->chains[1], hash_long(in + at, word), at),
		.least = *least,
	};

	*least = (uint16_t)at;
	return places;
}

/* Lengthens the match along a chain. */
static inline void follow(const struct chain *chain, const struct piece *piece, uint32_t place,
			  unsigned steps, struct match *best)
{
	const unsigned char *here = piece->in + best->at;
	uint32_t last = 0;

	if (best->at + best->length >= piece->n)
		return;
	while (steps--) {
		uint32_t distance = (uint16_t)(best->at - place);

		if (distance <= last || distance >= PARSE_WINDOW)
			return;
		last = distance;
		/* Its last four bytes and one more, then the first. */
		if (load_32(here + best->length - 3) ==
			    load_32(here - distance + best->length - 3) &&
		    load_32(here) == load_32(here - distance)) {
			uint32_t n = match_length(piece, best->at, distance, SHORT_BYTES);

			if (n > best->length) {
				best->length = n;
				best->distance = distance;
				if (n >= NICE || best->at + n >= piece->n)
					return;
			}
		}
		place = chain->before[place % CHAIN];
	}
}

/* Remembers a position, and finds the longest match there of more than `least` bytes; length 0 if there is none. */
static inline struct match look(struct small_parse *parse, const struct piece *piece, size_t at,
				uint32_t least)
{
	const unsigned char *here = piece->in + at;
	struct places places = remember(parse, piece->in, at);
	uint32_t near = (uint16_t)(at - places.least);
	struct match best = { .at = at, .length = least < LEAST_BYTES ? LEAST_BYTES : least };

	follow(&parse->chains[1], piece, places.large, LONG_STEPS, &best);
	if (best.length < NICE)
		follow(&parse->chains[0], piece, places.small,
		       best.distance ? SHORT_STEPS_MORE : SHORT_STEPS, &best);
	if (!best.distance && least < LEAST_BYTES && near - 1 < LEAST_FAR &&
	    (load_32(here) ^ load_32(here - near)) << 8 == 0)
		best.distance = near;
	if (!best.distance)
		best.length = 0;
	return best;
}

static inline int magnitude(uint32_t n)
{
	return 31 - __builtin_clz(n);
}

/* A byte of length is worth four bits of distance. */
static inline bool is_better(const struct match *next, const struct match *match)
{
	return next->length &&
	       4 * ((int)next->length - (int)match->length) +
			       (magnitude(match->distance) - magnitude(next->distance)) >
		       IS_BETTER_FROM;
}

static inline void add_literal(struct piece *piece, bool *is_single, size_t at)
{
	const unsigned char *in = piece->in;

	if (*is_single) {
		piece->token[-1] = token_literals(in[at - 1], in[at]);
		piece->counts.second[TOKEN_LITERAL + in[at]]++;
	} else {
		piece->token = token_put(piece->token, &piece->counts, token_literal(in[at]));
	}
	*is_single = !*is_single;
}

/* What matches at `at` or, better, soon behind; what it passes are literals. `looked` is the first place not remembered. */
static inline struct match choose(struct small_parse *parse, struct piece *piece,
				  struct match match, bool *is_single, size_t *looked)
{
	size_t end = piece->n - PARSE_TAIL;

	*looked = match.at + 1;
	while (match.length < NICE && *looked < end) {
		struct match next = look(parse, piece, (*looked)++, match.length - 1);

		if (!is_better(&next, &match))
			break;
		add_literal(piece, is_single, match.at);
		match = next;
	}
	return match;
}

void parse_small(void *memory, struct piece *piece)
{
	struct small_parse *parse = memory;
	size_t end = piece->n < PARSE_TAIL ? 0 : piece->n - PARSE_TAIL, at = 0, looked;
	size_t misses = 0;
	bool is_single = false; /* the last token is a literal that another may join */

	while (at < end) {
		struct match match = look(parse, piece, at, 0);

		if (piece->token >= piece->full) {
			piece_end_block(piece, at, false);
			is_single = false;
		}
		if (!match.length) {
			size_t n = 1 + (++misses >> SKIP_SHIFT);

			for (n = n < SKIP_MAX ? n : SKIP_MAX; n && at < end; n--)
				add_literal(piece, &is_single, at++);
			continue;
		}
		misses = 0;
		match = choose(parse, piece, match, &is_single, &looked);
		piece->token = token_put(piece->token, &piece->counts,
					 token_match(match.length, match.distance));
		is_single = false;
		at = match.at + match.length;
		for (; looked < at && looked < end; looked++)
			(void)remember(parse, piece->in, looked);
	}
	piece_finish(piece, at);
}
