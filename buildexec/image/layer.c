/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer.c — a ring of slots: the caller fills piece k into slot k mod n; a thread compresses it;
 * pieces are written in order by whichever thread finds the next one ready. A slot is free again
 * once its piece is written, so the ring bounds the memory. When the ring is full the caller
 * compresses too, so that there are as many threads as cores and none of them waits for long; with
 * one thread it does all three jobs in turn, with the same bytes as a result.
 */
#include "buildexec/image/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/image/deflate.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"

enum {
	PIECE = DEFLATE_PIECE_MAX, /* changing this changes every digest */
	THREADS_MAX = 8,
	SLOTS_SPARE =
		8, /* beyond one per thread, so that workers have enough while the caller compresses */
	SLOTS_MAX = THREADS_MAX + SLOTS_SPARE,
};

static const enum deflate_effort efforts[] = {
	[LAYER_FAST] = DEFLATE_FAST, [LAYER_SMALL] = DEFLATE_SMALL
};
_Static_assert(COUNTOF(efforts) == LAYER_PROFILES, "every profile has an effort");

enum slot_state { SLOT_FREE, SLOT_FULL, SLOT_TAKEN, SLOT_PACKED, SLOT_STATES };

struct slot {
	enum slot_state state;
	unsigned char *raw, *packed;
	size_t raw_len, packed_len;
};

struct layer {
	struct tar tar;
	struct sha256 diff_id,
		digest; /* of the archive: the caller's thread; of the blob: the writer */
	struct slot slots[SLOTS_MAX];
	size_t n_slots;
	enum deflate_effort effort;

	int fd;
	char dir[PATH_MAX], temp[PATH_MAX + 32];
	uint64_t size_bytes;

	pthread_mutex_t lock;
	pthread_cond_t filled, freed;
	pthread_t workers[THREADS_MAX];
	size_t n_workers;
	uint64_t n_filled, n_taken, n_written; /* pieces so far */
	bool is_writing, is_ended, is_failed;
	struct err err;       /* of the first failure */
	struct deflater *own; /* of the caller's thread */
};

static void fail(struct layer *layer, const struct err *err)
{
	if (!layer->is_failed)
		layer->err = *err;
	layer->is_failed = true;
	pthread_cond_broadcast(&layer->filled);
	pthread_cond_broadcast(&layer->freed);
}

/* Called and left with the lock held; it is let go around the write itself. */
static void write_ready(struct layer *layer)
{
	if (layer->is_writing)
		return;
	layer->is_writing = true;
	while (!layer->is_failed) {
		struct slot *slot = &layer->slots[layer->n_written % layer->n_slots];
		struct err err = { 0 };
		bool is_ok;

		if (slot->state != SLOT_PACKED)
			break;
		pthread_mutex_unlock(&layer->lock);
		sha256_update(&layer->digest, slot->packed, slot->packed_len);
		is_ok = fd_write_all(layer->fd, slot->packed, slot->packed_len, &err);
		pthread_mutex_lock(&layer->lock);
		if (!is_ok) {
			err_prefix(&err, "layer blob in '%s'", layer->dir);
			fail(layer, &err);
			break;
		}
		layer->size_bytes += slot->packed_len;
		slot->state = SLOT_FREE;
		slot->raw_len = 0;
		layer->n_written++;
		pthread_cond_signal(&layer->freed);
	}
	layer->is_writing = false;
}

/* Compresses the next piece that waits. Called and left with the lock held. */
static void pack_next(struct layer *layer, struct deflater *deflater)
{
	struct slot *slot = &layer->slots[layer->n_taken++ % layer->n_slots];

	slot->state = SLOT_TAKEN;
	pthread_mutex_unlock(&layer->lock);
	slot->packed_len = deflater_gzip(deflater, slot->raw, slot->raw_len, slot->packed);
	pthread_mutex_lock(&layer->lock);
	slot->state = SLOT_PACKED;
	write_ready(layer);
}

static void *work(void *arg)
{
	struct layer *layer = arg;
	struct deflater *deflater = deflater_new(layer->effort);

	pthread_mutex_lock(&layer->lock);
	for (;;) {
		while (layer->n_taken == layer->n_filled && !layer->is_ended && !layer->is_failed)
			pthread_cond_wait(&layer->filled, &layer->lock);
		if (layer->is_failed || layer->n_taken == layer->n_filled)
			break;
		pack_next(layer, deflater);
	}
	pthread_mutex_unlock(&layer->lock);
	deflater_free(deflater);
	return NULL;
}

/* Gives the piece being filled to the workers; while no slot is free, compresses as they do. */
static bool hand_over(struct layer *layer, struct err *err)
{
	struct slot *slot = &layer->slots[layer->n_filled % layer->n_slots], *next;
	bool is_ok;

	sha256_update(&layer->diff_id, slot->raw, slot->raw_len);
	pthread_mutex_lock(&layer->lock);
	slot->state = SLOT_FULL;
	layer->n_filled++;
	pthread_cond_signal(&layer->filled);
	next = &layer->slots[layer->n_filled % layer->n_slots];
	while (next->state != SLOT_FREE && !layer->is_failed) {
		if (layer->n_taken < layer->n_filled)
			pack_next(layer, layer->own);
		else
			pthread_cond_wait(&layer->freed, &layer->lock);
	}
	is_ok = !layer->is_failed;
	if (!is_ok)
		*err = layer->err;
	pthread_mutex_unlock(&layer->lock);
	return is_ok;
}

static bool take_bytes(void *ctx, const void *bytes, size_t n, struct err *err)
{
	struct layer *layer = ctx;
	const unsigned char *at = bytes;

	while (n) {
		/* Only this thread fills; the slot is free and stays so until it is handed over. */
		struct slot *slot = &layer->slots[layer->n_filled % layer->n_slots];
		size_t part = PIECE - slot->raw_len < n ? PIECE - slot->raw_len : n;

		if (at != slot->raw + slot->raw_len)
			memcpy(slot->raw + slot->raw_len, at, part);
		slot->raw_len += part;
		at += part;
		n -= part;
		if (slot->raw_len == PIECE && !hand_over(layer, err))
			return false;
	}
	return true;
}

/* Files are read to where their bytes are hashed and compressed; never nothing. */
static void *room_for_bytes(void *ctx, size_t *n)
{
	struct layer *layer = ctx;
	struct slot *slot = &layer->slots[layer->n_filled % layer->n_slots];

	*n = PIECE - slot->raw_len;
	return slot->raw + slot->raw_len;
}

static bool open_blob(struct layer *layer, const char *blob_dir, struct err *err)
{
	unsigned char raw[8];
	char hex[17];
	int n = snprintf(layer->dir, sizeof(layer->dir), "%s/sha256", blob_dir);

	if (n < 0 || n + 100 >= (int)sizeof(layer->dir))
		return err_sys(err, ENAMETOOLONG, "cannot make blob folder '%s'", blob_dir);
	if (!fs_make_dirs(layer->dir, 0755, err))
		return false;
	random_bytes(raw, sizeof(raw));
	hex_encode(raw, sizeof(raw), hex);
	snprintf(layer->temp, sizeof(layer->temp), "%s/.tmp-%s", layer->dir, hex);
	layer->fd = open(layer->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (layer->fd < 0)
		return err_sys(err, errno, "cannot write a blob in '%s'", layer->dir);
	return true;
}

static size_t threads_for(size_t wanted)
{
	if (!wanted)
		wanted = pool_cores();
	if (wanted > THREADS_MAX)
		wanted = THREADS_MAX;
	return wanted;
}

static void start_workers(struct layer *layer, size_t wanted)
{
	while (layer->n_workers + 1 < wanted &&
	       pthread_create(&layer->workers[layer->n_workers], NULL, work, layer) == 0)
		layer->n_workers++;
}

bool layer_open(const struct layer_options *options, struct layer **out, struct err *err)
{
	struct layer *layer = mem_realloc(NULL, sizeof(*layer));
	size_t n_threads = threads_for(options->n_threads);

	*out = NULL;
	*layer = (struct layer){
		.tar = { .sink = take_bytes, .room = room_for_bytes, .ctx = layer },
		.effort = efforts[options->profile],
		.n_slots = n_threads > 1 ? n_threads + SLOTS_SPARE : 1,
		.fd = -1,
	};
	if (!open_blob(layer, options->blob_dir, err)) {
		free(layer);
		return false;
	}
	sha256_init(&layer->diff_id);
	sha256_init(&layer->digest);
	pthread_mutex_init(&layer->lock, NULL);
	pthread_cond_init(&layer->filled, NULL);
	pthread_cond_init(&layer->freed, NULL);
	for (size_t i = 0; i < layer->n_slots; i++) {
		layer->slots[i].raw = mem_realloc(NULL, PIECE);
		layer->slots[i].packed = mem_realloc(NULL, deflater_bound(PIECE));
	}
	layer->own = deflater_new(layer->effort);
	start_workers(layer, n_threads);
	*out = layer;
	return true;
}

struct tar *layer_tar(struct layer *layer)
{
	return &layer->tar;
}

static void join_workers(struct layer *layer)
{
	pthread_mutex_lock(&layer->lock);
	layer->is_ended = true;
	pthread_cond_broadcast(&layer->filled);
	while (layer->n_taken < layer->n_filled && !layer->is_failed)
		pack_next(layer, layer->own);
	pthread_mutex_unlock(&layer->lock);
	for (size_t i = 0; i < layer->n_workers; i++)
		pthread_join(layer->workers[i], NULL);
	layer->n_workers = 0;
}

void layer_abort(struct layer **handle)
{
	struct layer *layer = *handle;
	struct err stop = { .kind = ERR_CANCELLED };

	if (!layer)
		return;
	pthread_mutex_lock(&layer->lock);
	fail(layer, &stop);
	pthread_mutex_unlock(&layer->lock);
	join_workers(layer);
	fd_close(&layer->fd);
	if (layer->temp[0])
		unlink(layer->temp);
	for (size_t i = 0; i < layer->n_slots; i++) {
		free(layer->slots[i].raw);
		free(layer->slots[i].packed);
	}
	deflater_free(layer->own);
	pthread_mutex_destroy(&layer->lock);
	pthread_cond_destroy(&layer->filled);
	pthread_cond_destroy(&layer->freed);
	free(layer);
	*handle = NULL;
}

/* close() reports what a full disk kept to itself; then the name makes the blob exist. */
static bool name_blob(struct layer *layer, struct layer_result *out, struct err *err)
{
	int fd = layer->fd, n;

	layer->fd = -1;
	if (close(fd) < 0)
		return err_sys(err, errno, "cannot finish a blob in '%s'", layer->dir);
	n = snprintf(out->path, sizeof(out->path), "%s/%s", layer->dir,
		     digest_hex(out->digest.text));
	if (n < 0 || n >= (int)sizeof(out->path) || rename(layer->temp, out->path) < 0)
		return err_sys(err, errno, "cannot name blob '%s'", out->path);
	layer->temp[0] = '\0';
	return true;
}

static bool finish(struct layer *layer, struct layer_result *out, struct err *err)
{
	if (!tar_finish(&layer->tar, err))
		return false;
	if (layer->slots[layer->n_filled % layer->n_slots].raw_len && !hand_over(layer, err))
		return false;
	join_workers(layer);
	if (layer->is_failed) {
		*err = layer->err;
		return false;
	}
	out->diff_id = sha256_final(&layer->diff_id);
	out->digest = sha256_final(&layer->digest);
	out->size_bytes = layer->size_bytes;
	out->tar_bytes = layer->tar.total_bytes;
	return name_blob(layer, out, err);
}

bool layer_commit(struct layer **handle, struct layer_result *out, struct err *err)
{
	bool is_ok;

	*out = (struct layer_result){ 0 };
	is_ok = finish(*handle, out, err);
	if (!is_ok)
		*out = (struct layer_result){ 0 };
	layer_abort(handle);
	return is_ok;
}

char *blob_path(struct arena *arena, const char *blob_dir, const char *digest)
{
	return arena_printf(arena, "%s/sha256/%s", blob_dir, digest_hex(digest));
}
