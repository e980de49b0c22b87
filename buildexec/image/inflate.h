/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.h — a compressed blob as a stream of plain bytes: a thread reads, inflates and hashes
 * ahead of the consumer, at most 2 MiB. gzip (any number of members), zstd and plain archives are
 * told apart by their first bytes.
 */
#ifndef BUILDEXEC_IMAGE_INFLATE_H
#define BUILDEXEC_IMAGE_INFLATE_H

#include <stdint.h>

#include "model/base/digest.h"

struct inflate;
/* Reads `fd` (borrowed) from its position to its end. */
MUST_CHECK bool inflate_open(int fd, struct inflate **out, struct err *err);
/* The next bytes, lent until the next call; *n is 0 at the end. */
MUST_CHECK bool inflate_next(struct inflate *inflate, const void **bytes, size_t *n,
			     struct err *err);
/* Of all bytes; only after inflate_next gave the end. */
struct digest inflate_digest(struct inflate *inflate);
uint64_t inflate_bytes(const struct inflate *inflate);
void inflate_close(struct inflate **inflate);
#define AUTO_INFLATE __attribute__((cleanup(inflate_close))) struct inflate

#endif
