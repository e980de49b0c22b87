/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_floor.c — what an export of a folder cannot undercut on this machine: its files as an archive with blank headers,
 * hashed, compressed in pieces, hashed again and written, by as many threads as there are cores. No guards, no limits,
 * errors end it. A thread takes the next piece of the archive under one lock and writes it under another, in order.
 */
#include "tests/bench/layer_floor.h"

#include <fcntl.h>
#include <fts.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/pool.h"
#include "model/base/digest.h"
#include "tests/bench/contest.h"

enum { PIECE = 1 << 20, BLOCK = 512 };

struct floor {
	FTS *tree;
	int in, out;
	enum deflate_effort effort;
	size_t n_blank; /* zero bytes to come before the next file: its header, the padding of the last */
	size_t n_file;
	struct sha256 raw, packed;
	pthread_mutex_t reading, writing;
	pthread_cond_t written;
	size_t n_read, n_written;
	bool is_end;
};

static bool next_file(struct floor *floor)
{
	const FTSENT *entry;

	if (floor->in >= 0)
		close(floor->in);
	floor->in = -1;
	floor->n_blank = (BLOCK - floor->n_file % BLOCK) % BLOCK;
	floor->n_file = 0;
	while ((entry = fts_read(floor->tree))) {
		floor->n_blank += entry->fts_info == FTS_DP ? 0 : BLOCK;
		if (entry->fts_info != FTS_F)
			continue;
		floor->in = open(entry->fts_accpath, O_RDONLY | O_CLOEXEC);
		return floor->in >= 0;
	}
	return false;
}

/* One piece of the archive; fewer bytes at its end. */
static size_t fill(struct floor *floor, char *out)
{
	size_t n = 0;

	while (n < PIECE && !floor->is_end) {
		size_t blank = floor->n_blank < PIECE - n ? floor->n_blank : PIECE - n;
		ssize_t got;

		memset(out + n, 0, blank);
		floor->n_blank -= blank;
		n += blank;
		if (n == PIECE)
			break;
		got = floor->in < 0 ? 0 : read(floor->in, out + n, PIECE - n);
		if (got > 0) {
			n += (size_t)got;
			floor->n_file += (size_t)got;
		} else {
			floor->is_end = !next_file(floor);
		}
	}
	return n;
}

static size_t take(struct floor *floor, char *raw, size_t *ticket)
{
	size_t n;

	pthread_mutex_lock(&floor->reading);
	n = fill(floor, raw);
	*ticket = floor->n_read++;
	sha256_update(&floor->raw, raw, n);
	pthread_mutex_unlock(&floor->reading);
	return n;
}

static void give(struct floor *floor, const char *packed, size_t n, size_t ticket)
{
	pthread_mutex_lock(&floor->writing);
	while (floor->n_written != ticket)
		pthread_cond_wait(&floor->written, &floor->writing);
	sha256_update(&floor->packed, packed, n);
	if (write(floor->out, packed, n) != (ssize_t)n)
		abort();
	floor->n_written++;
	pthread_cond_broadcast(&floor->written);
	pthread_mutex_unlock(&floor->writing);
}

static void *run(void *ctx)
{
	struct floor *floor = ctx;
	struct deflater *deflater = deflater_new(floor->effort);
	char *raw = malloc(PIECE), *packed = malloc(deflater_bound(PIECE));
	size_t n, ticket;

	if (!raw || !packed)
		abort();
	while ((n = take(floor, raw, &ticket)) > 0)
		give(floor, packed, deflater_gzip(deflater, raw, n, (unsigned char *)packed),
		     ticket);
	free(raw);
	free(packed);
	deflater_free(deflater);
	return NULL;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

void floor_export(const char *tree, const char *blob, enum deflate_effort effort)
{
	char *paths[] = { strdup(tree), NULL };
	struct floor floor = { .in = -1, .effort = effort };
	pthread_t threads[64];
	size_t n = pool_cores() < 64 ? pool_cores() : 64;

	floor.tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	floor.out = open(blob, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (!floor.tree || floor.out < 0)
		abort();
	pthread_mutex_init(&floor.reading, NULL);
	pthread_mutex_init(&floor.writing, NULL);
	pthread_cond_init(&floor.written, NULL);
	sha256_init(&floor.raw);
	sha256_init(&floor.packed);
	for (size_t i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, run, &floor) != 0)
			abort();
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	(void)sha256_final(&floor.raw);
	(void)sha256_final(&floor.packed);
	fts_close(floor.tree);
	close(floor.out);
	free(paths[0]);
}
