/* SPDX-License-Identifier: Apache-2.0 */
/* blob.c — counting and hashing while writing. */
#include "buildexec/registry/blob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"

enum { COPY_BYTES = 1 << 20 };

void blob_sink_init(struct blob_sink *sink, const struct descriptor *want)
{
	*sink = (struct blob_sink){ .want = want, .fd = -1 };
	sha256_init(&sink->sha);
}

bool blob_sink_reset(struct blob_sink *sink)
{
	sha256_init(&sink->sha);
	sink->got_bytes = 0;
	sink->n_buffered = 0;
	sink->err = (struct err){ 0 };
	if (sink->fd >= 0 && (ftruncate(sink->fd, 0) < 0 || lseek(sink->fd, 0, SEEK_SET) < 0))
		return err_sys(&sink->err, errno, "cannot begin the blob '%s' again",
			       sink->want->digest);
	return true;
}

static bool store(struct blob_sink *sink, const void *bytes, size_t n)
{
	return fd_write_all(sink->fd, bytes, n, &sink->err) ||
	       err_prefix(&sink->err, "cannot store the blob '%s'", sink->want->digest);
}

static bool flush(struct blob_sink *sink)
{
	size_t n = sink->n_buffered;

	sink->n_buffered = 0;
	return n == 0 || store(sink, sink->buffer, n);
}

static bool store_buffered(struct blob_sink *sink, const char *bytes, size_t n)
{
	while (n > 0) {
		size_t room = BLOB_BUFFER - sink->n_buffered, part = n < room ? n : room;

		memcpy(sink->buffer + sink->n_buffered, bytes, part);
		sink->n_buffered += part;
		bytes += part;
		n -= part;
		if (sink->n_buffered == BLOB_BUFFER && !flush(sink))
			return false;
	}
	return true;
}

bool blob_sink_write(struct blob_sink *sink, const void *bytes, size_t n)
{
	if ((int64_t)n > sink->want->size_bytes - sink->got_bytes)
		return err_set(&sink->err, ERR_INVALID,
			       "the blob '%s' is longer than the %lld bytes announced",
			       sink->want->digest, (long long)sink->want->size_bytes);
	sha256_update(&sink->sha, bytes, n);
	if (sink->memory)
		memcpy(sink->memory + sink->got_bytes, bytes, n);
	if (sink->fd >= 0 &&
	    !(sink->buffer ? store_buffered(sink, bytes, n) : store(sink, bytes, n)))
		return false;
	sink->got_bytes += (int64_t)n;
	return true;
}

bool blob_sink_finish(struct blob_sink *sink, struct err *err)
{
	struct sha256 sha = sink->sha;
	struct digest digest = sha256_final(&sha);

	if (!flush(sink)) {
		*err = sink->err;
		return false;
	}
	if (sink->got_bytes != sink->want->size_bytes)
		return err_set(err, ERR_TRANSIENT,
			       "the blob '%s' was cut off after %lld of %lld bytes",
			       sink->want->digest, (long long)sink->got_bytes,
			       (long long)sink->want->size_bytes);
	if (strcmp(digest.text, sink->want->digest) != 0)
		return err_set(err, ERR_INVALID,
			       "the blob '%s' has other bytes: their digest is '%s'",
			       sink->want->digest, digest.text);
	return true;
}

bool blob_sink_copy(struct blob_sink *sink, int fd, struct err *err)
{
	char *bytes = mem_realloc(NULL, COPY_BYTES);
	ssize_t n;

	do {
		n = read(fd, bytes, COPY_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && !blob_sink_write(sink, bytes, (size_t)n)) {
			free(bytes);
			*err = sink->err;
			return false;
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	free(bytes);
	if (n < 0)
		return err_sys(err, errno, "cannot read the blob '%s'", sink->want->digest);
	return blob_sink_finish(sink, err);
}
