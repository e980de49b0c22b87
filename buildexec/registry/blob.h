/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob.h — a receiver of blob bytes that believes nothing: never more than the size, and at the end the sha256. It can be
 * filled in several pieces from several places, as long as they follow each other.
 */
#ifndef BUILDEXEC_REGISTRY_BLOB_H
#define BUILDEXEC_REGISTRY_BLOB_H

#include "model/base/digest.h"
#include "model/oci/image.h"

enum { BLOB_BUFFER = 256 << 10 };

struct blob_sink {
	const struct descriptor *want; /* borrowed */
	int fd;                        /* where to, or -1 */
	char *memory;                  /* where to, want->size_bytes and a NUL; or NULL */
	char *buffer; /* BLOB_BUFFER, to write more at once than is received; or NULL */
	size_t n_buffered;
	struct sha256 sha;
	int64_t got_bytes;
	struct err err; /* why a write was refused */
};

void blob_sink_init(struct blob_sink *sink, const struct descriptor *want);
/* Forgets what came. */
bool blob_sink_reset(struct blob_sink *sink);
/* False sets sink->err. */
bool blob_sink_write(struct blob_sink *sink, const void *bytes, size_t n);
/* ERR_TRANSIENT when bytes are missing, ERR_INVALID when they are others. */
MUST_CHECK bool blob_sink_finish(struct blob_sink *sink, struct err *err);
/* All bytes of an open file. */
MUST_CHECK bool blob_sink_copy(struct blob_sink *sink, int fd, struct err *err);

/* Bytes to send: from memory, or from a file. */
struct blob_source {
	const void *bytes; /* or NULL: the file at `path` */
	const char *path;
};

#endif
