/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c — decoding by the table of RFC 3629 §4; widths from the East Asian Width ranges that
 * matter in practice. */
#include "model/doc/utf8.h"

static bool is_tail(const char *text)
{
	return ((unsigned char)*text & 0xC0) == 0x80;
}

size_t utf8_get(const char *text, size_t n, uint32_t *c)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead;
	size_t len;
	uint32_t value;

	if (!n)
		return 0;
	lead = (unsigned char)text[0];
	if (lead < 0x80) {
		*c = lead;
		return 1;
	}
	len = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	if (lead < 0xC2 || lead > 0xF4 || len > n)
		return 0;
	value = lead & (0x7Fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (!is_tail(text + i))
			return 0;
		value = value << 6 | ((unsigned char)text[i] & 0x3Fu);
	}
	if (value < smallest[len] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
		return 0;
	*c = value;
	return len;
}

size_t utf8_put(uint32_t c, char *out)
{
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (len == 1) {
		out[0] = (char)c;
		return 1;
	}
	for (size_t i = len - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3F));
	out[0] = (char)((0xF00u >> len & 0xF0) | c);
	return len;
}

size_t utf8_count(const char *text, size_t n)
{
	size_t count = 0, at = 0;

	while (at < n) {
		uint32_t c;
		size_t len = utf8_get(text + at, n - at, &c);

		at += len ? len : 1;
		count++;
	}
	return count;
}

struct range {
	uint32_t from, to;
};

static bool is_in(uint32_t c, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n && ranges[i].from <= c; i++)
		if (c <= ranges[i].to)
			return true;
	return false;
}
#define IS_IN(c, ranges) is_in((c), (ranges), sizeof(ranges) / sizeof((ranges)[0]))

unsigned utf8_width(uint32_t c)
{
	static const struct range zero[] = {
		{ 0x300, 0x36F },   { 0x483, 0x489 },   { 0x591, 0x5BD },   { 0x610, 0x61A },
		{ 0x64B, 0x65F },   { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF }, { 0x200B, 0x200D },
		{ 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F },
	};
	static const struct range wide[] = {
		{ 0x1100, 0x115F },   { 0x2E80, 0x303E },   { 0x3041, 0xA4CF },
		{ 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },   { 0xFE30, 0xFE6F },
		{ 0xFF00, 0xFF60 },   { 0xFFE0, 0xFFE6 },   { 0x1F300, 0x1F64F },
		{ 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
	};

	if (c < 0x300)
		return 1;
	return IS_IN(c, zero) ? 0 : IS_IN(c, wide) ? 2 : 1;
}

bool utf8_is_control(uint32_t c)
{
	static const struct range controls[] = {
		{ 0, 0x1F },        { 0x7F, 0x9F },     { 0x200E, 0x200F }, { 0x2028, 0x202E },
		{ 0x2066, 0x2069 }, { 0xFEFF, 0xFEFF }, { 0xFFFE, 0xFFFF },
	};

	return IS_IN(c, controls);
}
