/* SPDX-License-Identifier: Apache-2.0 */
/* md5.c — the 64 steps of RFC 1321 over blocks of 64 bytes. */
#include "model/base/md5.h"

#include <stdint.h>
#include <string.h>

#include "model/base/digest.h"

enum { BLOCK = 64, LENGTH_AT = 56 };

/* RFC 1321 §3.4: floor(2^32 * |sin(i + 1)|). */
/* clang-format off */
static const uint32_t sines[64] = {
	0xd76aa478u, 0xe8c7b756u, 0x242070dbu, 0xc1bdceeeu, 0xf57c0fafu, 0x4787c62au,
	0xa8304613u, 0xfd469501u, 0x698098d8u, 0x8b44f7afu, 0xffff5bb1u, 0x895cd7beu,
	0x6b901122u, 0xfd987193u, 0xa679438eu, 0x49b40821u, 0xf61e2562u, 0xc040b340u,
	0x265e5a51u, 0xe9b6c7aau, 0xd62f105du, 0x02441453u, 0xd8a1e681u, 0xe7d3fbc8u,
	0x21e1cde6u, 0xc33707d6u, 0xf4d50d87u, 0x455a14edu, 0xa9e3e905u, 0xfcefa3f8u,
	0x676f02d9u, 0x8d2a4c8au, 0xfffa3942u, 0x8771f681u, 0x6d9d6122u, 0xfde5380cu,
	0xa4beea44u, 0x4bdecfa9u, 0xf6bb4b60u, 0xbebfbc70u, 0x289b7ec6u, 0xeaa127fau,
	0xd4ef3085u, 0x04881d05u, 0xd9d4d039u, 0xe6db99e5u, 0x1fa27cf8u, 0xc4ac5665u,
	0xf4292244u, 0x432aff97u, 0xab9423a7u, 0xfc93a039u, 0x655b59c3u, 0x8f0ccc92u,
	0xffeff47du, 0x85845dd1u, 0x6fa87e4fu, 0xfe2ce6e0u, 0xa3014314u, 0x4e0811a1u,
	0xf7537e82u, 0xbd3af235u, 0x2ad7d2bbu, 0xeb86d391u,
};
/* clang-format on */

static const unsigned char shifts[4][4] = {
	{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
};

static uint32_t word_at(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void mix(uint32_t h[4], const unsigned char *block)
{
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3];

	for (unsigned i = 0; i < 64; i++) {
		unsigned round = i / 16, shift = shifts[round][i % 4];
		const unsigned at[4] = { i, 5 * i + 1, 3 * i + 5, 7 * i };
		const uint32_t f[4] = { (b & c) | (~b & d), (b & d) | (c & ~d), b ^ c ^ d,
					c ^ (b | ~d) };
		uint32_t sum = a + f[round] + sines[i] + word_at(block + 4 * (at[round] % 16));

		a = d;
		d = c;
		c = b;
		b += sum << shift | sum >> (32 - shift);
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
}

void md5_hex(const void *bytes, size_t n, char out[MD5_HEX + 1])
{
	uint32_t h[4] = { 0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u };
	const unsigned char *p = bytes;
	unsigned char tail[2 * BLOCK] = { 0 }, sum[16];
	size_t rest = n % BLOCK, n_tail = rest < LENGTH_AT ? BLOCK : 2 * BLOCK;

	for (size_t i = 0; i + BLOCK <= n; i += BLOCK)
		mix(h, p + i);
	if (rest)
		memcpy(tail, p + (n - rest), rest);
	tail[rest] = 0x80;
	for (unsigned i = 0; i < 8; i++)
		tail[n_tail - 8 + i] = (unsigned char)((uint64_t)n * 8 >> (8 * i));
	for (size_t i = 0; i < n_tail; i += BLOCK)
		mix(h, tail + i);
	for (unsigned i = 0; i < sizeof(sum); i++)
		sum[i] = (unsigned char)(h[i / 4] >> (8 * (i % 4)));
	hex_encode(sum, sizeof(sum), out);
}
