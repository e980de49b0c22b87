/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer.c — a ring of slots: the caller fills piece k into slot k mod n; a worker compresses it;
 * pieces are written in order by whichever thread finds the next one ready. A slot is free again
 * once its piece is written, so the ring bounds the memory. With one thread the caller does all
 * three jobs in turn, with the same bytes as a result.
 */
#include "buildexec/image/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"

enum {
	PIECE = 1 << 20, /* changing this changes every digest */
	WORKERS_MAX = 8,
	SLOTS_SPARE = 4, /* beyond one per worker: being filled, waiting, being written */
	SLOTS_MAX = WORKERS_MAX + SLOTS_SPARE,
};

static const int levels[] = { [LAYER_FAST] = 1, [LAYER_SMALL] = 6 };
_Static_assert(COUNTOF(levels) == LAYER_PROFILES, "every profile has a level");

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
	size_t n_slots, packed_cap;
	int level;

	int fd;
	char dir[PATH_MAX], temp[PATH_MAX + 32];
	uint64_t size_bytes;

	pthread_mutex_t lock;
	pthread_cond_t filled, freed;
	pthread_t workers[WORKERS_MAX];
	size_t n_workers;
	uint64_t n_filled, n_taken, n_written; /* pieces so far */
	bool is_writing, is_ended, is_failed;
	struct err err;                    /* of the first failure */
	struct libdeflate_compressor *own; /* without workers */
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

static void pack(const struct layer *layer, struct slot *slot, struct libdeflate_compressor *packer)
{
	slot->packed_len = libdeflate_gzip_compress(packer, slot->raw, slot->raw_len, slot->packed,
						    layer->packed_cap);
	if (!slot->packed_len)
		BUG("a compressed piece is larger than its bound");
}

static struct libdeflate_compressor *packer_new(int level)
{
	struct libdeflate_compressor *packer = libdeflate_alloc_compressor(level);

	if (!packer)
		BUG("out of memory");
	return packer;
}

static void *work(void *arg)
{
	struct layer *layer = arg;
	struct libdeflate_compressor *packer = packer_new(layer->level);

	pthread_mutex_lock(&layer->lock);
	for (;;) {
		struct slot *slot;

		while (layer->n_taken == layer->n_filled && !layer->is_ended && !layer->is_failed)
			pthread_cond_wait(&layer->filled, &layer->lock);
		if (layer->is_failed || layer->n_taken == layer->n_filled)
			break;
		slot = &layer->slots[layer->n_taken++ % layer->n_slots];
		slot->state = SLOT_TAKEN;
		pthread_mutex_unlock(&layer->lock);
		pack(layer, slot, packer);
		pthread_mutex_lock(&layer->lock);
		slot->state = SLOT_PACKED;
		write_ready(layer);
	}
	pthread_mutex_unlock(&layer->lock);
	libdeflate_free_compressor(packer);
	return NULL;
}

/* Gives the piece being filled to the workers and waits until the next slot is free. */
static bool hand_over(struct layer *layer, struct err *err)
{
	struct slot *slot = &layer->slots[layer->n_filled % layer->n_slots];
	bool is_ok;

	sha256_update(&layer->diff_id, slot->raw, slot->raw_len);
	pthread_mutex_lock(&layer->lock);
	slot->state = SLOT_FULL;
	layer->n_filled++;
	if (layer->n_workers) {
		pthread_cond_signal(&layer->filled);
	} else {
		layer->n_taken++;
		pack(layer, slot, layer->own);
		slot->state = SLOT_PACKED;
		write_ready(layer);
	}
	while (layer->slots[layer->n_filled % layer->n_slots].state != SLOT_FREE &&
	       !layer->is_failed)
		pthread_cond_wait(&layer->freed, &layer->lock);
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

		memcpy(slot->raw + slot->raw_len, at, part);
		slot->raw_len += part;
		at += part;
		n -= part;
		if (slot->raw_len == PIECE && !hand_over(layer, err))
			return false;
	}
	return true;
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
	if (wanted > WORKERS_MAX)
		wanted = WORKERS_MAX;
	return wanted <= 1 ? 0 : wanted;
}

static void start_workers(struct layer *layer, size_t wanted)
{
	while (layer->n_workers < wanted &&
	       pthread_create(&layer->workers[layer->n_workers], NULL, work, layer) == 0)
		layer->n_workers++;
	if (!layer->n_workers)
		layer->own = packer_new(layer->level);
}

bool layer_open(const struct layer_options *options, struct layer **out, struct err *err)
{
	struct layer *layer = mem_realloc(NULL, sizeof(*layer));
	size_t n_threads = threads_for(options->n_threads);

	*out = NULL;
	*layer = (struct layer){
		.tar = { .sink = take_bytes, .ctx = layer },
		.level = levels[options->profile],
		.n_slots = n_threads ? n_threads + SLOTS_SPARE : 1,
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
	layer->packed_cap = libdeflate_gzip_compress_bound(NULL, PIECE);
	for (size_t i = 0; i < layer->n_slots; i++) {
		layer->slots[i].raw = mem_realloc(NULL, PIECE);
		layer->slots[i].packed = mem_realloc(NULL, layer->packed_cap);
	}
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
	if (layer->own)
		libdeflate_free_compressor(layer->own);
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
