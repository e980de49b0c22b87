/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.c — the thread and its ring. ISA-L inflates gzip: it is the fastest here, and what is
 * inflated does not depend on who does it. libarchive's raw format inflates zstd.
 */
#include "buildexec/image/inflate.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/limits.h"

enum { CHUNK = 256 * 1024, N_CHUNKS = 8, INPUT = 128 * 1024 };

struct chunk {
	unsigned char bytes[CHUNK];
	size_t n;
};

struct inflate {
	int fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct chunk *chunks; /* N_CHUNKS */
	uint64_t n_made, n_taken;
	bool is_lent, is_ended, is_failed, is_stopped;
	struct err err;
	struct sha256 sha; /* the thread's until it has ended */
	uint64_t n_bytes;

	unsigned char input[INPUT];
	size_t n_input;
};

/* Reads more input; 0 at the end, -1 with inflate->err set. */
static ssize_t read_input(struct inflate *inflate)
{
	ssize_t n;

	do
		n = read(inflate->fd, inflate->input, INPUT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		err_sys(&inflate->err, errno, "cannot read the blob");
	inflate->n_input = n > 0 ? (size_t)n : 0;
	return n;
}

/* Waits for a free chunk; NULL when the consumer has gone. */
static struct chunk *free_chunk(struct inflate *inflate)
{
	struct chunk *chunk = NULL;

	pthread_mutex_lock(&inflate->lock);
	while (inflate->n_made - inflate->n_taken == N_CHUNKS && !inflate->is_stopped)
		pthread_cond_wait(&inflate->changed, &inflate->lock);
	if (!inflate->is_stopped)
		chunk = &inflate->chunks[inflate->n_made % N_CHUNKS];
	pthread_mutex_unlock(&inflate->lock);
	return chunk;
}

static bool give_chunk(struct inflate *inflate, struct chunk *chunk)
{
	if (chunk->n == 0)
		return true;
	sha256_update(&inflate->sha, chunk->bytes, chunk->n);
	inflate->n_bytes += chunk->n;
	if (inflate->n_bytes > LIMIT_UNPACK_BYTES)
		return err_set(&inflate->err, ERR_INVALID, "layer is larger than %llu bytes",
			       LIMIT_UNPACK_BYTES);
	pthread_mutex_lock(&inflate->lock);
	inflate->n_made++;
	pthread_cond_signal(&inflate->changed);
	pthread_mutex_unlock(&inflate->lock);
	return true;
}

static bool run_plain(struct inflate *inflate)
{
	struct chunk *chunk;

	do {
		chunk = free_chunk(inflate);
		if (!chunk)
			return false;
		memcpy(chunk->bytes, inflate->input, inflate->n_input);
		chunk->n = inflate->n_input;
		if (!give_chunk(inflate, chunk))
			return false;
	} while (inflate->n_input && read_input(inflate) > 0);
	return !inflate->err.kind;
}

/* One chunk of output. *is_end: the last member is complete and no input is left. */
static bool fill_from_gzip(struct inflate *inflate, struct inflate_state *gzip, struct chunk *chunk,
			   bool *is_end)
{
	gzip->next_out = chunk->bytes;
	gzip->avail_out = CHUNK;
	*is_end = false;
	while (gzip->avail_out) {
		if (gzip->avail_in == 0) {
			if (read_input(inflate) < 0)
				return false;
			gzip->next_in = inflate->input;
			gzip->avail_in = (uint32_t)inflate->n_input;
		}
		if (gzip->avail_in == 0) {
			if (gzip->block_state == ISAL_BLOCK_FINISH) {
				*is_end = true;
				break;
			}
			/* What was read may still hold output; without any, the blob is cut. */
			if (gzip->avail_out < CHUNK)
				break;
		}
		if (gzip->block_state == ISAL_BLOCK_FINISH) {
			isal_inflate_reset(gzip);
			gzip->crc_flag = ISAL_GZIP;
		}
		if (isal_inflate(gzip) != ISAL_DECOMP_OK)
			return err_set(&inflate->err, ERR_INVALID,
				       "layer is not a valid gzip file");
		if (gzip->avail_in == 0 && gzip->avail_out == CHUNK && !inflate->n_input &&
		    gzip->block_state != ISAL_BLOCK_FINISH)
			return err_set(&inflate->err, ERR_INVALID, "layer ends in the middle");
	}
	chunk->n = CHUNK - gzip->avail_out;
	return true;
}

static bool run_gzip(struct inflate *inflate)
{
	struct inflate_state *gzip = mem_realloc(NULL, sizeof(*gzip));
	bool is_end = false, is_ok = true;

	isal_inflate_init(gzip);
	gzip->crc_flag = ISAL_GZIP;
	gzip->next_in = inflate->input;
	gzip->avail_in = (uint32_t)inflate->n_input;
	while (is_ok && !is_end) {
		struct chunk *chunk = free_chunk(inflate);

		is_ok = chunk && fill_from_gzip(inflate, gzip, chunk, &is_end) &&
			give_chunk(inflate, chunk);
	}
	free(gzip);
	return is_ok;
}

/* The input that was read to look at its first bytes goes to libarchive first. */
static la_ssize_t give_input(struct archive *archive, void *ctx, const void **bytes)
{
	struct inflate *inflate = ctx;
	size_t n = inflate->n_input;

	(void)archive;
	if (n == 0 && read_input(inflate) < 0)
		return -1;
	n = inflate->n_input;
	inflate->n_input = 0;
	*bytes = inflate->input;
	return (la_ssize_t)n;
}

static bool copy_raw(struct inflate *inflate, struct archive *archive)
{
	for (;;) {
		struct chunk *chunk = free_chunk(inflate);
		la_ssize_t n;

		if (!chunk)
			return false;
		n = archive_read_data(archive, chunk->bytes, CHUNK);
		if (n < 0)
			return err_set(&inflate->err, ERR_INVALID,
				       "layer is not a valid zstd file");
		chunk->n = (size_t)n;
		if (n == 0)
			return true;
		if (!give_chunk(inflate, chunk))
			return false;
	}
}

static bool run_zstd(struct inflate *inflate)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	bool is_ok;

	if (!archive)
		BUG("out of memory");
	archive_read_support_filter_zstd(archive);
	archive_read_support_format_raw(archive);
	if (archive_read_open(archive, inflate, NULL, give_input, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		is_ok = err_set(&inflate->err, ERR_INVALID, "layer is not a valid zstd file");
	else
		is_ok = copy_raw(inflate, archive);
	archive_read_free(archive);
	return is_ok;
}

static bool run(struct inflate *inflate)
{
	static const unsigned char zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (read_input(inflate) < 0)
		return false;
	if (inflate->n_input >= 2 && inflate->input[0] == 0x1f && inflate->input[1] == 0x8b)
		return run_gzip(inflate);
	if (inflate->n_input >= sizeof(zstd) && memcmp(inflate->input, zstd, sizeof(zstd)) == 0)
		return run_zstd(inflate);
	return run_plain(inflate);
}

static void *thread_main(void *arg)
{
	struct inflate *inflate = arg;
	bool is_ok = run(inflate);

	pthread_mutex_lock(&inflate->lock);
	inflate->is_ended = true;
	inflate->is_failed = !is_ok;
	pthread_cond_signal(&inflate->changed);
	pthread_mutex_unlock(&inflate->lock);
	return NULL;
}

bool inflate_open(int fd, struct inflate **out, struct err *err)
{
	struct inflate *inflate = mem_realloc(NULL, sizeof(*inflate));
	int sys;

	*out = NULL;
	*inflate = (struct inflate){ .fd = fd };
	inflate->chunks = mem_realloc(NULL, N_CHUNKS * sizeof(*inflate->chunks));
	sha256_init(&inflate->sha);
	pthread_mutex_init(&inflate->lock, NULL);
	pthread_cond_init(&inflate->changed, NULL);
	sys = pthread_create(&inflate->thread, NULL, thread_main, inflate);
	if (sys) {
		pthread_mutex_destroy(&inflate->lock);
		pthread_cond_destroy(&inflate->changed);
		free(inflate->chunks);
		free(inflate);
		return err_sys(err, sys, "cannot start a thread");
	}
	*out = inflate;
	return true;
}

bool inflate_next(struct inflate *inflate, const void **bytes, size_t *n, struct err *err)
{
	bool is_ok = true;

	*n = 0;
	*bytes = NULL;
	pthread_mutex_lock(&inflate->lock);
	if (inflate->is_lent) {
		inflate->n_taken++;
		inflate->is_lent = false;
		pthread_cond_signal(&inflate->changed);
	}
	while (inflate->n_made == inflate->n_taken && !inflate->is_ended)
		pthread_cond_wait(&inflate->changed, &inflate->lock);
	if (inflate->n_made != inflate->n_taken) {
		const struct chunk *chunk = &inflate->chunks[inflate->n_taken % N_CHUNKS];

		*bytes = chunk->bytes;
		*n = chunk->n;
		inflate->is_lent = true;
	} else if (inflate->is_failed) {
		*err = inflate->err;
		is_ok = false;
	}
	pthread_mutex_unlock(&inflate->lock);
	return is_ok;
}

struct digest inflate_digest(struct inflate *inflate)
{
	return sha256_final(&inflate->sha);
}

uint64_t inflate_bytes(const struct inflate *inflate)
{
	return inflate->n_bytes;
}

void inflate_close(struct inflate **handle)
{
	struct inflate *inflate = *handle;

	if (!inflate)
		return;
	pthread_mutex_lock(&inflate->lock);
	inflate->is_stopped = true;
	pthread_cond_signal(&inflate->changed);
	pthread_mutex_unlock(&inflate->lock);
	pthread_join(inflate->thread, NULL);
	pthread_mutex_destroy(&inflate->lock);
	pthread_cond_destroy(&inflate->changed);
	free(inflate->chunks);
	free(inflate);
	*handle = NULL;
}
