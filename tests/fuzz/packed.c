/* SPDX-License-Identifier: Apache-2.0 */
/* packed.c — see packed.h. Specs: POSIX.1-2017 pax; PKWARE appnote 4.3; RFC 1952; RFC 8878 §3.1.1. */
#include "packed.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "folder.h"
#include "model/base/buf.h"

enum { BLOCK = 512, SUM_AT = 148, SUM_BYTES = 8, SIZE_AT = 124, SIZE_BYTES = 12, PIECE = 65535 };

/* ---- tar ---- */

static size_t data_of(const uint8_t *header, size_t left)
{
	size_t size = 0;

	for (size_t i = 0; i < SIZE_BYTES && size <= left; i++) {
		uint8_t c = header[SIZE_AT + i];

		if (c >= '0' && c <= '7')
			size = size * 8 + (c - '0');
		else if (c != ' ' || size > 0)
			break;
	}
	return size <= left ? (size + BLOCK - 1) / BLOCK * BLOCK : 0;
}

static bool is_zero(const uint8_t *block)
{
	for (size_t i = 0; i < BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

static void mend_tar(uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at + BLOCK <= n; at += BLOCK) {
		uint8_t *header = bytes + at;
		unsigned sum = 0;
		char text[SUM_BYTES];

		if (is_zero(header))
			continue;
		memset(header + SUM_AT, ' ', SUM_BYTES);
		for (size_t i = 0; i < BLOCK; i++)
			sum += header[i];
		snprintf(text, sizeof(text), "%06o", sum & 0777777U);
		memcpy(header + SUM_AT, text, SUM_BYTES - 1);
		at += data_of(header, n - at - BLOCK);
	}
}

/* ---- zip ---- */

static uint32_t le(const uint8_t *at, size_t n)
{
	uint32_t value = 0;

	while (n-- > 0)
		value = value << 8 | at[n];
	return value;
}

static void put_le32(uint8_t *at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* Of files that are stored as they are; in the file's own header and, by its place, in the directory. */
static void mend_zip(uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at + 30 <= n; at++) {
		const uint8_t *header = bytes + at;
		size_t data = at + 30, size;
		uint32_t sum;

		if (memcmp(header, "PK\3\4", 4) != 0 || le(header + 8, 2) != 0)
			continue;
		data += le(header + 26, 2) + le(header + 28, 2);
		size = le(header + 18, 4);
		if (data > n || size > n - data)
			continue;
		sum = (uint32_t)crc32(0, bytes + data, (uInt)size);
		put_le32(bytes + at + 14, sum);
		for (size_t i = data; i + 46 <= n; i++)
			if (memcmp(bytes + i, "PK\1\2", 4) == 0 && le(bytes + i + 42, 4) == at)
				put_le32(bytes + i + 16, sum);
	}
}

/* ---- around it ---- */

static void put_gzip(struct buf *out, const uint8_t *data, size_t n)
{
	uint8_t tail[8];

	buf_add(out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
	for (size_t at = 0, len; at < n || at == 0; at += len) {
		len = n - at < PIECE ? n - at : PIECE;
		const uint8_t head[5] = { at + len == n, (uint8_t)len, (uint8_t)(len >> 8),
					  (uint8_t)~len, (uint8_t)(~len >> 8) };

		buf_add(out, head, sizeof(head));
		buf_add(out, data + at, len);
		if (n == 0)
			break;
	}
	put_le32(tail, (uint32_t)crc32(0, data, (uInt)n));
	put_le32(tail + 4, (uint32_t)n);
	buf_add(out, tail, sizeof(tail));
}

static void put_zstd(struct buf *out, const uint8_t *data, size_t n)
{
	uint8_t size[4];

	/* One segment, four bytes of size, no checksum. */
	buf_add(out, "\x28\xb5\x2f\xfd\xa0", 5);
	put_le32(size, (uint32_t)n);
	buf_add(out, size, sizeof(size));
	for (size_t at = 0, len; at < n || at == 0; at += len) {
		len = n - at < PIECE ? n - at : PIECE;
		put_le32(size, (uint32_t)(len << 3 | (at + len == n)));
		buf_add(out, size, 3);
		buf_add(out, data + at, len);
		if (n == 0)
			break;
	}
}

int fuzz_packed_file(const uint8_t *data, size_t size)
{
	const unsigned how = size ? data[size - 1] : 0;
	struct buf bytes = BUF_INIT(64u << 20), around = BUF_INIT(64u << 20);
	size_t half = how & PACKED_TIMES ? size / 2 : size;
	void (*put)(struct buf *, const uint8_t *, size_t) = how & PACKED_GZIP   ? put_gzip
							     : how & PACKED_ZSTD ? put_zstd
										 : NULL;
	struct buf *out = put ? &around : &bytes;
	int fd;

	buf_add(&bytes, data, size);
	if (size)
		bytes.data[size - 1] = 0; /* else the end of an archive would be one more header */
	if (how & PACKED_SUMS && size > 4) {
		if (memcmp(data, "PK", 2) == 0)
			mend_zip((uint8_t *)bytes.data, size);
		else
			mend_tar((uint8_t *)bytes.data, size);
	}
	if (put)
		put(&around, (const uint8_t *)bytes.data, half);
	if (put && half < size)
		put(&around, (const uint8_t *)bytes.data + half, size - half);
	fd = fuzz_memory_file((const uint8_t *)out->data, out->len);
	buf_release(&bytes);
	buf_release(&around);
	return fd;
}
