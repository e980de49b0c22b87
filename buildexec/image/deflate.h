/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deflate.h — compresses a piece of a layer into a gzip member of its own. The bytes depend on the
 * piece and the effort alone: integers in a fixed order, no instruction set is asked for, and what
 * a piece before left behind is wiped.
 * Spec: RFC 1951, RFC 1952.
 */
#ifndef BUILDEXEC_IMAGE_DEFLATE_H
#define BUILDEXEC_IMAGE_DEFLATE_H

#include <stddef.h>

enum deflate_effort {
	DEFLATE_FAST,  /* one look at one earlier place per position */
	DEFLATE_SMALL, /* two chains of places and a lazy parse: no larger than `gzip -6` */
	DEFLATE_EFFORTS
};

enum { DEFLATE_PIECE_MAX = 1 << 20 };

struct deflater;

/* Up to 400 KiB; for one thread at a time. */
struct deflater *deflater_new(enum deflate_effort effort);
void deflater_free(struct deflater *deflater); /* NULL is allowed */

/* What the member of a piece of n bytes needs at most, in bytes. */
size_t deflater_bound(size_t n);
/*
 * The member's size. Its header has neither a time nor a name.
 *   bytes  n of them, at most DEFLATE_PIECE_MAX
 *   out    deflater_bound(n) bytes, all of which may be overwritten
 */
size_t deflater_gzip(struct deflater *deflater, const void *bytes, size_t n, unsigned char *out);

#endif
