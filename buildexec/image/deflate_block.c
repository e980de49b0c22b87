/* SPDX-License-Identifier: Apache-2.0 */
/* deflate_block.c — see deflate_block.h. */
#include "buildexec/image/deflate_block.h"

#include <endian.h>
#include <string.h>

#include "buildexec/image/huffman.h"

enum {
	LITERALS = 256,
	LENGTH_CODES = 29,
	FIRST_CODES = LITERALS + 1 + LENGTH_CODES,
	DISTANCE_CODES = 30,
	SIZE_CODES = 19, /* of the code that code lengths are written with */
	FIRST_BITS_MAX = 15,
	SIZE_BITS_MAX = 7,
	STORED_MAX = 65535,
	FORM_BITS = 3, /* last or not, and the form */
};

enum form { FORM_STORED, FORM_FIXED, FORM_DYNAMIC };

/* clang-format off */
static const uint16_t length_base[LENGTH_CODES + 1] = {
	3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
	131, 163, 195, 227, 258, 259
};
static const uint8_t length_extra[LENGTH_CODES] = {
	0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0
};
static const uint8_t size_order[SIZE_CODES] = {
	16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15
};
/* clang-format on */

/* A repeated length, as the code for lengths has it. */
enum { REPEAT_LAST = 16, REPEAT_ZERO = 17, REPEAT_ZERO_LONG = 18 };
static const uint8_t size_extra[SIZE_CODES] = {
	[REPEAT_LAST] = 2, [REPEAT_ZERO] = 3, [REPEAT_ZERO_LONG] = 7
};

struct codes {
	uint8_t first_bits[HUFFMAN_SYMBOLS_MAX], second_bits[DISTANCE_CODES + 2];
	uint16_t first[HUFFMAN_SYMBOLS_MAX], second[DISTANCE_CODES + 2];
};

struct counts {
	uint32_t first[FIRST_CODES], second[DISTANCE_CODES];
};

/* The lengths of both codes, run by run. */
struct header {
	uint16_t items[FIRST_CODES + DISTANCE_CODES]; /* symbol, and its extra bits above 8 */
	size_t n_items, n_first, n_second, n_sizes;
	uint8_t size_bits[SIZE_CODES];
	uint16_t sizes[SIZE_CODES];
	uint64_t bits;
};

static unsigned second_extra(size_t code)
{
	return code < 4 ? 0 : (unsigned)code / 2 - 1;
}

static inline void put(struct bit_writer *out, uint64_t bits, unsigned n)
{
	uint64_t word;

	out->bits |= bits << out->n;
	out->n += n;
	word = htole64(out->bits);
	memcpy(out->at, &word, sizeof(word));
	out->at += out->n >> 3;
	out->bits >>= out->n & ~7U;
	out->n &= 7;
}

void bit_writer_finish(struct bit_writer *out)
{
	if (out->n)
		*out->at++ = (unsigned char)out->bits;
	out->bits = 0;
	out->n = 0;
}

/* Of symbols, from those of tokens: a literal may be either part, lengths share codes. */
static void count_symbols(const struct token_counts *tokens, struct counts *counts)
{
	*counts = (struct counts){ 0 };
	for (size_t i = 0; i < LITERALS; i++)
		counts->first[i] = tokens->first[i] + tokens->second[TOKEN_LITERAL + i];
	counts->first[TOKEN_END] = 1;
	for (size_t code = 0; code < LENGTH_CODES; code++)
		for (size_t length = length_base[code]; length < length_base[code + 1]; length++)
			counts->first[TOKEN_LENGTH + code] +=
				tokens->first[TOKEN_LENGTH + length - DEFLATE_LENGTH_MIN];
	memcpy(counts->second, tokens->second, sizeof(counts->second));
}

static void codes_fixed(struct codes *codes)
{
	memset(codes->first_bits, 8, 144);
	memset(codes->first_bits + 144, 9, 112);
	memset(codes->first_bits + 256, 7, 24);
	memset(codes->first_bits + 280, 8, 8);
	memset(codes->second_bits, 5, sizeof(codes->second_bits));
}

static uint64_t body_bits(const struct counts *counts, const struct codes *codes)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < FIRST_CODES; i++)
		bits += (uint64_t)counts->first[i] * codes->first_bits[i];
	for (size_t i = 0; i < LENGTH_CODES; i++)
		bits += (uint64_t)counts->first[TOKEN_LENGTH + i] * length_extra[i];
	for (size_t i = 0; i < DISTANCE_CODES; i++)
		bits += (uint64_t)counts->second[i] * (codes->second_bits[i] + second_extra(i));
	return bits;
}

static size_t used(const uint8_t *bits, size_t n, size_t least)
{
	while (n > least && !bits[n - 1])
		n--;
	return n;
}

static void add_item(struct header *header, uint32_t *counts, unsigned symbol, size_t extra)
{
	header->items[header->n_items++] = (uint16_t)(symbol | extra << 8);
	counts[symbol]++;
}

static void add_run(struct header *header, uint32_t *counts, uint8_t bits, size_t n)
{
	if (bits) { /* what is to be repeated comes first */
		add_item(header, counts, bits, 0);
		n--;
	}
	while (n >= 3) {
		bool is_long = !bits && n > 10;
		size_t most = bits ? 6 : is_long ? 138 : 10, least = is_long ? 11 : 3;
		size_t part = n < most ? n : most;

		add_item(header, counts,
			 bits      ? REPEAT_LAST
			 : is_long ? REPEAT_ZERO_LONG
				   : REPEAT_ZERO,
			 part - least);
		n -= part;
	}
	while (n--)
		add_item(header, counts, bits, 0);
}

static void header_make(struct header *header, const struct codes *codes)
{
	uint8_t all[FIRST_CODES + DISTANCE_CODES];
	uint32_t counts[SIZE_CODES] = { 0 };
	size_t n, end;

	header->n_items = 0;
	header->n_first = used(codes->first_bits, FIRST_CODES, TOKEN_LENGTH);
	header->n_second = used(codes->second_bits, DISTANCE_CODES, 1);
	memcpy(all, codes->first_bits, header->n_first);
	memcpy(all + header->n_first, codes->second_bits, header->n_second);
	n = header->n_first + header->n_second;
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && all[end] == all[i]; end++)
			;
		add_run(header, counts, all[i], end - i);
	}
	huffman_lengths(counts, SIZE_CODES, SIZE_BITS_MAX, header->size_bits);
	huffman_codes(header->size_bits, SIZE_CODES, header->sizes);
	header->n_sizes = SIZE_CODES;
	while (header->n_sizes > 4 && !header->size_bits[size_order[header->n_sizes - 1]])
		header->n_sizes--;
	header->bits = 5 + 5 + 4 + 3 * header->n_sizes;
	for (size_t i = 0; i < SIZE_CODES; i++)
		header->bits += (uint64_t)counts[i] * (header->size_bits[i] + size_extra[i]);
}

static void header_write(struct bit_writer *out, const struct header *header)
{
	put(out, header->n_first - TOKEN_LENGTH, 5);
	put(out, header->n_second - 1, 5);
	put(out, header->n_sizes - 4, 4);
	for (size_t i = 0; i < header->n_sizes; i++)
		put(out, header->size_bits[size_order[i]], 3);
	for (size_t i = 0; i < header->n_items; i++) {
		unsigned symbol = header->items[i] & 255;
		unsigned bits = header->size_bits[symbol];

		put(out, header->sizes[symbol] | (uint64_t)(header->items[i] >> 8) << bits,
		    bits + size_extra[symbol]);
	}
}

/* The bits of every first part, length and extra included, below 24; their number above. */
static void first_table(const struct codes *codes, uint32_t *table)
{
	for (size_t i = 0; i <= TOKEN_END; i++)
		table[i] = codes->first[i] | (uint32_t)codes->first_bits[i] << 24;
	for (size_t code = 0; code < LENGTH_CODES; code++) {
		uint32_t bits = codes->first_bits[TOKEN_LENGTH + code];

		for (uint32_t length = length_base[code]; length < length_base[code + 1]; length++)
			table[TOKEN_LENGTH + length - DEFLATE_LENGTH_MIN] =
				codes->first[TOKEN_LENGTH + code] |
				(length - length_base[code]) << bits |
				(bits + length_extra[code]) << 24;
	}
}

/* The same of second parts; above 16 the bits of the code alone, as the extra ones are in the token. */
static void second_table(const struct codes *codes, uint32_t *table)
{
	for (size_t i = 0; i < DISTANCE_CODES; i++) {
		uint32_t bits = codes->second_bits[i];

		table[i] = codes->second[i] | bits << 16 | (bits + second_extra(i)) << 24;
	}
	table[TOKEN_NONE] = 0;
	for (size_t i = 0; i < LITERALS; i++) {
		uint32_t bits = codes->first_bits[i];

		table[TOKEN_LITERAL + i] = codes->first[i] | bits << 16 | bits << 24;
	}
}

static void write_tokens(struct bit_writer *to, const struct deflate_block *block,
			 const struct codes *codes)
{
	uint32_t firsts[TOKEN_FIRSTS], seconds[TOKEN_SECONDS];
	const uint32_t first_mask = (1U << TOKEN_FIRST_BITS) - 1;
	const uint32_t second_mask = (1U << TOKEN_SECOND_BITS) - 1;
	struct bit_writer out = *to; /* in registers */

	first_table(codes, firsts);
	second_table(codes, seconds);
	for (size_t i = 0; i < block->n_tokens; i++) {
		uint32_t token = block->tokens[i];
		uint32_t a = firsts[token & first_mask];
		uint32_t b = seconds[token >> TOKEN_FIRST_BITS & second_mask];
		unsigned n_a = a >> 24;
		uint64_t tail = (b & 0xffff) | (uint64_t)(token >> TOKEN_EXTRA_SHIFT)
						       << (b >> 16 & 0xff);

		/* 20 bits, 15 and 13 at most, and 7 that wait. */
		put(&out, (a & 0xffffff) | tail << n_a, n_a + (b >> 24));
	}
	put(&out, firsts[TOKEN_END] & 0xffffff, firsts[TOKEN_END] >> 24);
	*to = out;
}

static void write_stored(struct bit_writer *out, const struct deflate_block *block)
{
	size_t at = 0;

	do {
		size_t part = block->n_raw - at < STORED_MAX ? block->n_raw - at : STORED_MAX;

		put(out, block->is_last && at + part == block->n_raw, FORM_BITS);
		bit_writer_finish(out);
		put(out, part | (part ^ STORED_MAX) << 16, 32);
		memcpy(out->at, block->raw + at, part);
		out->at += part;
		at += part;
	} while (at < block->n_raw);
}

static uint64_t stored_bits(const struct bit_writer *out, size_t n_raw)
{
	size_t n_parts = n_raw ? (n_raw + STORED_MAX - 1) / STORED_MAX : 1;
	/* Up to the next byte; for each further part the form's bits take a byte of their own. */
	unsigned first = FORM_BITS + (16 - FORM_BITS - out->n) % 8;

	return first + 32 + 40 * (n_parts - 1) + 8 * (uint64_t)n_raw;
}

void deflate_block_write(struct bit_writer *out, const struct deflate_block *block)
{
	struct codes fixed, dynamic;
	struct header header;
	struct counts counts;
	uint64_t bits[3];
	enum form form = FORM_STORED;

	count_symbols(block->counts, &counts);
	codes_fixed(&fixed);
	huffman_lengths(counts.first, FIRST_CODES, FIRST_BITS_MAX, dynamic.first_bits);
	huffman_lengths(counts.second, DISTANCE_CODES, FIRST_BITS_MAX, dynamic.second_bits);
	header_make(&header, &dynamic);
	bits[FORM_STORED] = stored_bits(out, block->n_raw);
	bits[FORM_FIXED] = FORM_BITS + body_bits(&counts, &fixed);
	bits[FORM_DYNAMIC] = FORM_BITS + header.bits + body_bits(&counts, &dynamic);
	if (bits[FORM_FIXED] < bits[form])
		form = FORM_FIXED;
	if (bits[FORM_DYNAMIC] < bits[form])
		form = FORM_DYNAMIC;
	if (form == FORM_STORED) {
		write_stored(out, block);
		return;
	}
	put(out, (uint64_t)block->is_last | (uint64_t)form << 1, FORM_BITS);
	if (form == FORM_DYNAMIC) {
		header_write(out, &header);
		huffman_codes(dynamic.first_bits, FIRST_CODES, dynamic.first);
		huffman_codes(dynamic.second_bits, DISTANCE_CODES, dynamic.second);
		write_tokens(out, block, &dynamic);
	} else {
		huffman_codes(fixed.first_bits, HUFFMAN_SYMBOLS_MAX, fixed.first);
		huffman_codes(fixed.second_bits, DISTANCE_CODES + 2, fixed.second);
		write_tokens(out, block, &fixed);
	}
}
