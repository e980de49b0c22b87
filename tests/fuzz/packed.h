/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packed.h — archives past their own checksums. A changed byte of an archive breaks a checksum, and all that is learned is that
 * it was seen. So the last byte of an input says what is made right or put around it; 0, as archives mostly end, nothing.
 */
#ifndef TESTS_FUZZ_PACKED_H
#define TESTS_FUZZ_PACKED_H

#include <stddef.h>
#include <stdint.h>

enum packed {
	PACKED_SUMS = 1, /* of tar's headers and of what a zip file stores */
	PACKED_GZIP = 2,
	PACKED_ZSTD = 4,
	PACKED_TIMES = 8 /* with 2 or 4: in two pieces */
};

/* A file in memory, at its beginning, of what the input stands for. */
int fuzz_packed_file(const uint8_t *data, size_t size);

#endif
