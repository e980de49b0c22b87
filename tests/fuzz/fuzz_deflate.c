/* links: exec_image */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_deflate.c — any bytes, compressed with either effort, come back the same from libdeflate and
 * from zlib, in no more than the bound. The first byte says how often the rest is repeated, so that
 * small inputs make long pieces.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>
#include <zlib.h>

#include "buildexec/image/deflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_same(const unsigned char *packed, size_t n_packed, const unsigned char *raw, size_t n)
{
	struct libdeflate_decompressor *reader = libdeflate_alloc_decompressor();
	unsigned char *back = malloc(n + 1);
	z_stream z = { .avail_in = (uInt)n_packed, .avail_out = (uInt)n + 1, .next_out = back };
	size_t got = 0;
	int ok = libdeflate_gzip_decompress(reader, packed, n_packed, back, n + 1, &got) ==
			 LIBDEFLATE_SUCCESS &&
		 got == n && memcmp(back, raw, n) == 0;

	memset(back, 0, n + 1);
	z.next_in = (z_const Bytef *)(uintptr_t)packed;
	ok = ok && inflateInit2(&z, 16 + MAX_WBITS) == Z_OK &&
	     inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == n && z.avail_in == 0 &&
	     memcmp(back, raw, n) == 0;
	inflateEnd(&z);
	libdeflate_free_decompressor(reader);
	free(back);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t times = size ? 1 + data[0] % 64U : 1, n_part = size ? size - 1 : 0,
	       n = times * n_part;
	unsigned char *raw, *packed;

	if (n > DEFLATE_PIECE_MAX)
		return 0;
	raw = malloc(n ? n : 1);
	packed = malloc(deflater_bound(n));
	for (size_t i = 0; i < times && n_part; i++)
		memcpy(raw + i * n_part, data + 1, n_part);
	for (unsigned effort = 0; effort < DEFLATE_EFFORTS; effort++) {
		struct deflater *deflater = deflater_new(effort);
		size_t n_packed = deflater_gzip(deflater, raw, n, packed);

		if (n_packed > deflater_bound(n) || !is_same(packed, n_packed, raw, n))
			abort();
		deflater_free(deflater);
	}
	free(raw);
	free(packed);
	return 0;
}
