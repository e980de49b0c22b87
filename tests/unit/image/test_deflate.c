/* SPDX-License-Identifier: Apache-2.0 */
/* test_deflate.c — two other implementations read what we write: libdeflate and zlib. And the bytes stay what they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libdeflate.h>
#include <zlib.h>

#include "buildexec/image/deflate.h"
#include "buildexec/image/deflate_block.h"
#include "buildexec/image/huffman.h"
#include "model/base/digest.h"

enum { GUARD = 64, GUARD_BYTE = 0xa5 };

static uint32_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*state >> 33);
}

static void inflate_with_zlib(unsigned char *in, size_t n_in, unsigned char *out, size_t n)
{
	z_stream z = { .next_in = in, .avail_in = (uInt)n_in };

	assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)n + 1;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, n);
	assert_int_equal(z.avail_in, 0);
	inflateEnd(&z);
}

/* The member's size, after both readers gave the bytes back and nothing was written behind the bound. */
static size_t round_trip(enum deflate_effort effort, const unsigned char *bytes, size_t n)
{
	size_t bound = deflater_bound(n), got = 0, size;
	unsigned char *raw = malloc(n + 1), *out = malloc(bound + GUARD), *back = malloc(n + 1);
	struct libdeflate_decompressor *reader = libdeflate_alloc_decompressor();
	struct deflater *deflater = deflater_new(effort);

	/* Of exactly this size, so that sanitizers see a look beyond the end. */
	raw = realloc(raw, n ? n : 1);
	if (n)
		memcpy(raw, bytes, n);
	memset(out, GUARD_BYTE, bound + GUARD);
	size = deflater_gzip(deflater, raw, n, out);
	assert_true(size <= bound);
	for (size_t i = 0; i < GUARD; i++)
		assert_int_equal(out[bound + i], GUARD_BYTE);
	assert_int_equal(libdeflate_gzip_decompress(reader, out, size, back, n + 1, &got),
			 LIBDEFLATE_SUCCESS);
	assert_int_equal(got, n);
	assert_memory_equal(back, bytes, n);
	memset(back, 0, n + 1);
	inflate_with_zlib(out, size, back, n);
	assert_memory_equal(back, bytes, n);
	deflater_free(deflater);
	libdeflate_free_decompressor(reader);
	free(raw);
	free(out);
	free(back);
	return size;
}

static void round_trips(const unsigned char *bytes, size_t n)
{
	for (unsigned effort = 0; effort < DEFLATE_EFFORTS; effort++)
		(void)round_trip(effort, bytes, n);
}

static void test_deflate__pieces_of_every_small_size(void **state)
{
	unsigned char equal[700], text[700];

	(void)state;
	memset(equal, 'a', sizeof(equal));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (unsigned char)"static const value = 7;\n"[i * i % 29 % 24];
	for (size_t n = 0; n <= sizeof(equal); n++) {
		round_trips(equal, n);
		round_trips(text, n);
	}
}

static void test_deflate__whole_pieces_of_one_byte_and_of_noise(void **state)
{
	unsigned char *bytes = calloc(1, DEFLATE_PIECE_MAX);
	uint64_t seed = 1;

	(void)state;
	for (unsigned effort = 0; effort < DEFLATE_EFFORTS; effort++)
		assert_true(round_trip(effort, bytes, DEFLATE_PIECE_MAX) < 1200);
	for (size_t i = 0; i < DEFLATE_PIECE_MAX; i++)
		bytes[i] = (unsigned char)next(&seed);
	for (unsigned effort = 0; effort < DEFLATE_EFFORTS; effort++)
		assert_true(round_trip(effort, bytes, DEFLATE_PIECE_MAX) <
			    DEFLATE_PIECE_MAX + DEFLATE_PIECE_MAX / 2000);
	for (size_t n = 65533; n <= 65538; n++)
		round_trips(bytes, n);
	for (size_t n = 131069; n <= 131072; n++)
		round_trips(bytes, n);
	free(bytes);
}

/* Noise once more at distances about the limit: found at 32,768, never beyond. */
static void test_deflate__distances_about_the_longest(void **state)
{
	unsigned char *bytes = malloc(2 * DEFLATE_DISTANCE_MAX + 64);
	uint64_t seed = 2;

	(void)state;
	for (size_t distance = DEFLATE_DISTANCE_MAX - 2; distance <= DEFLATE_DISTANCE_MAX + 2;
	     distance++) {
		size_t n = distance + 600;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)next(&seed);
		memcpy(bytes + distance, bytes, 600);
		round_trips(bytes, n);
		/* Places wrap at 2^16. */
		n = 2 * distance;
		for (size_t i = 600; i < n; i++)
			bytes[i] = (unsigned char)next(&seed);
		memcpy(bytes + n - 600, bytes, 600);
		round_trips(bytes, n);
	}
	free(bytes);
}

static void test_deflate__lengths_about_the_longest(void **state)
{
	unsigned char bytes[2048];
	uint64_t seed = 3;

	(void)state;
	for (size_t length = 1; length < 600; length++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)next(&seed);
		memcpy(bytes + 1000, bytes + 17, length);
		round_trips(bytes, sizeof(bytes));
		round_trips(bytes, 1000 + length); /* the match is the end */
	}
}

/* Few values, most of them rare, so that codes are long; and repeats at all distances. */
static void test_deflate__random_mixtures(void **state)
{
	enum { N = 150000 };
	unsigned char *bytes = malloc(N);
	uint64_t seed = 4;

	(void)state;
	for (int round = 0; round < 40; round++) {
		size_t n = next(&seed) % N, n_values = 1 + next(&seed) % 256;

		for (size_t i = 0; i < n;) {
			size_t part = 1 + next(&seed) % 300, from = next(&seed) % 40000;

			for (size_t end = i + part < n ? i + part : n; i < end; i++) {
				/* Each value half as often as the one before. */
				size_t rank = (size_t)__builtin_ctz(next(&seed) | 1U << 30);

				if (round % 2 && from && from <= i && part % 3)
					bytes[i] = bytes[i - from];
				else
					bytes[i] = (unsigned char)(rank * 37 % n_values);
			}
		}
		round_trips(bytes, n);
	}
	free(bytes);
}

/* A deflater that has seen other pieces writes the same as a new one. */
static void test_deflate__forgets_the_piece_before(void **state)
{
	enum { N = 40000 };
	unsigned char first[N], second[N], *fresh, *used;
	uint64_t seed = 5;

	(void)state;
	fresh = malloc(deflater_bound(N));
	used = malloc(deflater_bound(N));
	for (size_t i = 0; i < N; i++) {
		first[i] = (unsigned char)(next(&seed) % 7);
		second[i] = (unsigned char)(next(&seed) % 5);
	}
	for (unsigned effort = 0; effort < DEFLATE_EFFORTS; effort++) {
		struct deflater *a = deflater_new(effort), *b = deflater_new(effort);
		size_t n = deflater_gzip(a, second, N, fresh);

		(void)deflater_gzip(b, first, N, used);
		assert_int_equal(deflater_gzip(b, second, N, used), n);
		assert_memory_equal(used, fresh, n);
		deflater_free(a);
		deflater_free(b);
	}
	free(fresh);
	free(used);
}

/* Digests of published layers hang on these bytes: a change of them is a decision, not an accident. */
static void test_deflate__bytes_are_what_they_were(void **state)
{
	static const char *const expected[] = {
		[DEFLATE_FAST] =
			"sha256:4b81cb0f14c882bab0fbeb5a021b39c65b4b2de9b8fb88323297f022246fa31b",
		[DEFLATE_SMALL] =
			"sha256:f59a45819243184e990a500e8a69d19944311fe132744fff08259d25af3b84fb",
	};
	static const char *const words[] = { "return ", "static ",  "(value)",  "0x00ff",
					     "\n\t",    "/usr/lib", "version ", "buffer" };
	enum { N = 400000 };
	unsigned char *bytes = malloc(N), *out = malloc(deflater_bound(N));
	uint64_t seed = 6;

	(void)state;
	/* Copies that are often broken, then words between noise. */
	for (size_t i = 0; i < N / 2; i++)
		bytes[i] = i > 5000 && next(&seed) % 50 ? bytes[i - 1 - i / 700 % 5000]
							: (unsigned char)next(&seed);
	for (size_t i = N / 2; i < N;) {
		const char *word = words[next(&seed) % COUNTOF(words)];
		size_t len = strlen(word);

		for (size_t k = 0; k < len && i < N; k++)
			bytes[i++] = next(&seed) % 40 ? (unsigned char)word[k]
						      : (unsigned char)next(&seed);
	}
	for (unsigned effort = 0; effort < DEFLATE_EFFORTS; effort++) {
		struct deflater *deflater = deflater_new(effort);
		struct digest digest = digest_of(out, deflater_gzip(deflater, bytes, N, out));

		assert_string_equal(digest.text, expected[effort]);
		deflater_free(deflater);
	}
	free(bytes);
	free(out);
}

static void assert_complete(const uint8_t *lengths, size_t n, unsigned bits_max)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		assert_true(lengths[i] <= bits_max);
		sum += lengths[i] ? 1U << (bits_max - lengths[i]) : 0;
	}
	assert_int_equal(sum, 1U << bits_max);
}

/* Counts like Fibonacci's numbers make the deepest tree there is. */
static void test_huffman__limits_lengths_and_stays_complete(void **state)
{
	uint32_t counts[HUFFMAN_SYMBOLS_MAX];
	uint8_t lengths[HUFFMAN_SYMBOLS_MAX];

	(void)state;
	for (size_t n = 2; n <= 28; n++) {
		for (size_t i = 0; i < n; i++)
			counts[i] = i < 2 ? 1 : counts[i - 1] + counts[i - 2];
		huffman_lengths(counts, n, HUFFMAN_BITS_MAX, lengths);
		assert_complete(lengths, n, HUFFMAN_BITS_MAX);
		if (n <= 19) {
			huffman_lengths(counts, n, 7, lengths);
			assert_complete(lengths, n, 7);
		}
	}
}

static void test_huffman__one_symbol_or_none_is_a_complete_code(void **state)
{
	uint32_t counts[30] = { 0 };
	uint8_t lengths[30];

	(void)state;
	huffman_lengths(counts, 30, HUFFMAN_BITS_MAX, lengths);
	assert_complete(lengths, 30, HUFFMAN_BITS_MAX);
	for (size_t only = 0; only < 30; only++) {
		memset(counts, 0, sizeof(counts));
		counts[only] = 9;
		huffman_lengths(counts, 30, HUFFMAN_BITS_MAX, lengths);
		assert_int_equal(lengths[only], 1);
		assert_complete(lengths, 30, HUFFMAN_BITS_MAX);
	}
}

/* The weight of random trees is no more than the entropy and one bit for each symbol. */
static void test_huffman__lengths_follow_counts(void **state)
{
	uint32_t counts[286];
	uint8_t lengths[286];
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < 286; i++)
			counts[i] = next(&seed) % 3 ? next(&seed) % 1000 : 0;
		huffman_lengths(counts, 286, HUFFMAN_BITS_MAX, lengths);
		assert_complete(lengths, 286, HUFFMAN_BITS_MAX);
		for (size_t i = 0; i < 286; i++) {
			assert_int_equal(!lengths[i], !counts[i]);
			for (size_t k = 0; k < 286; k++)
				if (counts[i] > counts[k] && counts[k])
					assert_true(lengths[i] <= lengths[k]);
		}
	}
}

/* All 256 lengths and 32,768 distances, as both readers understand them. */
static void test_token__every_distance_has_its_code(void **state)
{
	(void)state;
	for (uint32_t distance = 1; distance <= DEFLATE_DISTANCE_MAX; distance++) {
		uint32_t token = token_match(3, distance);
		uint32_t code = token >> TOKEN_FIRST_BITS & ((1U << TOKEN_SECOND_BITS) - 1);
		uint32_t extra = token >> TOKEN_EXTRA_SHIFT;
		/* RFC 1951 §3.2.5: base distances double every two codes. */
		uint32_t base = code < 2 ? code + 1 : ((2 + (code & 1)) << (code / 2 - 1)) + 1;

		assert_true(code < TOKEN_NONE);
		assert_int_equal(base + extra, distance);
	}
}

#define ROW(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_deflate__pieces_of_every_small_size),
		ROW(test_deflate__whole_pieces_of_one_byte_and_of_noise),
		ROW(test_deflate__distances_about_the_longest),
		ROW(test_deflate__lengths_about_the_longest),
		ROW(test_deflate__random_mixtures),
		ROW(test_deflate__forgets_the_piece_before),
		ROW(test_deflate__bytes_are_what_they_were),
		ROW(test_huffman__limits_lengths_and_stays_complete),
		ROW(test_huffman__one_symbol_or_none_is_a_complete_code),
		ROW(test_huffman__lengths_follow_counts),
		ROW(test_token__every_distance_has_its_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
