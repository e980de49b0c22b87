/* SPDX-License-Identifier: Apache-2.0 */
/* git_delta.c — every length is checked against what is left before it is used. */
#include "buildexec/sys/git_delta.h"

#include <string.h>

struct cursor {
	const unsigned char *at, *end;
};

/* Seven bits per byte, lowest first. */
static bool take_size(struct cursor *c, size_t *out)
{
	unsigned shift = 0;
	unsigned char byte;

	*out = 0;
	do {
		if (c->at == c->end || shift > 56)
			return false;
		byte = *c->at++;
		*out |= (size_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return true;
}

static bool take_header(struct cursor *c, size_t n_base, size_t *n_out)
{
	size_t expected;

	return take_size(c, &expected) && expected == n_base && take_size(c, n_out);
}

bool git_delta_size(const unsigned char *delta, size_t n, size_t n_base, size_t *n_out)
{
	struct cursor c = { delta, delta + n };

	return take_header(&c, n_base, n_out);
}

/* The bytes that the bits of `mask` say are present, lowest first. */
static bool take_number(struct cursor *c, unsigned mask, size_t *out)
{
	*out = 0;
	for (unsigned shift = 0; mask; mask >>= 1, shift += 8) {
		if (!(mask & 1))
			continue;
		if (c->at == c->end)
			return false;
		*out |= (size_t)*c->at++ << shift;
	}
	return true;
}

bool git_delta_apply(const unsigned char *delta, size_t n, const char *base, size_t n_base,
		     char *out, size_t n_out)
{
	struct cursor c = { delta, delta + n };
	size_t n_told, done = 0;

	if (!take_header(&c, n_base, &n_told) || n_told != n_out)
		return false;
	while (c.at < c.end) {
		unsigned char op = *c.at++;
		size_t from, length = op;
		const char *source = (const char *)c.at;

		if (op & 0x80) {
			if (!take_number(&c, op & 0x0f, &from) ||
			    !take_number(&c, (op >> 4) & 7, &length))
				return false;
			length = length ? length : 0x10000;
			if (from > n_base || length > n_base - from)
				return false;
			source = base + from;
		} else if (!op || length > (size_t)(c.end - c.at)) {
			return false; /* 0 is reserved */
		} else {
			c.at += length;
		}
		if (length > n_out - done)
			return false;
		memcpy(out + done, source, length);
		done += length;
	}
	return done == n_out;
}
