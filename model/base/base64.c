/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c — four characters are three bytes; the last group may be short by one or two, and says so with '='. */
#include "model/base/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(const char *text, size_t n, struct arena *arena, struct base64 *out)
{
	size_t n_digits = 0, n_pad = 0;
	uint32_t bits = 0;

	*out = (struct base64){ .bytes = arena_alloc(arena, n / 4 * 3 + 4) };
	for (size_t at = 0; at < n; at++) {
		int digit = digit_of(text[at]);

		out->bad_at = at;
		if (text[at] == '\n' || text[at] == '\r')
			continue;
		if (text[at] == '=' && n_digits % 4 >= 2 && n_pad < 2)
			n_pad++;
		else if (digit < 0 || n_pad)
			return false;
		bits = bits << 6 | (uint32_t)(digit < 0 ? 0 : digit);
		if (++n_digits % 4)
			continue;
		for (size_t i = 0; i < 3 - n_pad; i++)
			out->bytes[out->n++] = (char)(bits >> (16 - 8 * i));
		bits = 0;
	}
	out->bad_at = n;
	out->bytes[out->n] = '\0';
	return n_digits % 4 == 0;
}

char *base64_encode(const void *bytes, size_t n, struct arena *arena)
{
	const unsigned char *from = bytes;
	char *out = arena_alloc(arena, (n + 2) / 3 * 4 + 1), *at = out;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t word = (uint32_t)from[i] << 16;

		if (i + 1 < n)
			word |= (uint32_t)from[i + 1] << 8;
		if (i + 2 < n)
			word |= from[i + 2];
		*at++ = digits[word >> 18];
		*at++ = digits[word >> 12 & 63];
		*at++ = i + 1 < n ? digits[word >> 6 & 63] : '=';
		*at++ = i + 2 < n ? digits[word & 63] : '=';
	}
	*at = '\0';
	return out;
}
