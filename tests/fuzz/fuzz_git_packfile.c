/* links: exec_sys */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_git_packfile.c — an index and a pack that nobody vouches for: two bytes of length (big endian), the index, the pack. A length
 * that is too large: entries instead, of which a well-formed pack is made, so that whole objects and deltas are read past zlib's
 * checksums. An entry is its type, two bytes of length, its bytes; the first of a delta's says which entry it changes.
 * Every name in the index is read; one pack in eight, by the size of the input, is folded with others, which costs as much as fifty
 * times the reading.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/sha.h>
#include <zlib.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_objects.h"
#include "buildexec/sys/git_pack.h"
#include "buildexec/sys/git_packfile.h"
#include "tests/fuzz/folder.h"

#define HEX  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define STEM "pack/pack-" HEX

enum { ENTRIES_MAX = 40, PACK_HEAD = 12, IDX_HEAD = 8, FANOUT = 256, DELTA = 6, FOLD_EVERY = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const char *dir)
{
	struct git_objects *objects = NULL;
	struct arena *arena = arena_new();
	struct git_packfile file;
	struct git_data data;
	struct err err = { 0 };

	if (git_packfile_open(path_join(arena, dir, STEM ".idx"), &file, &err)) {
		if (git_objects_open(dir, &objects, &err))
			for (uint32_t i = 0; i < file.n_objects; i++) {
				err = (struct err){ 0 };
				if (!git_objects_read(objects, git_packfile_name(&file, i), 1 << 20,
						      arena, &data, &err) &&
				    err.kind == ERR_NONE)
					BUG("a failure without an error");
			}
		git_objects_close(&objects);
		git_packfile_close(&file);
	}
	arena_free(arena);
}

/* The one pack stands for as many as are folded. */
static void fold(const char *dir)
{
	char list[(GIT_PACKS_MAX + 1) * sizeof(HEX)];
	struct arena *arena = arena_new();
	struct err err = { 0 };

	for (size_t i = 0; i <= GIT_PACKS_MAX; i++)
		memcpy(list + i * sizeof(HEX), HEX "\n", sizeof(HEX));
	if (mkdir(path_join(arena, dir, "info"), 0700) < 0)
		abort();
	fuzz_folder_file(GIT_PACK_LIST, (const uint8_t *)list, sizeof(list));
	if (!git_pack_fold(dir, &err) && err.kind == ERR_NONE)
		BUG("a failure without an error");
	arena_free(arena);
}

/* ---- a well-formed pack ---- */

static void put_be32(uint8_t *at, size_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * (3 - i));
}

static void add_sum(struct buf *out)
{
	uint8_t sum[GIT_ID_RAW];

	SHA1((const uint8_t *)out->data, out->len, sum);
	buf_add(out, sum, sizeof(sum));
}

/* The i-th entry's name. */
static void name_of(size_t i, uint8_t *raw)
{
	memset(raw, 0, GIT_ID_RAW);
	raw[0] = (uint8_t)i;
}

static void add_header(struct buf *pack, unsigned type, size_t n)
{
	buf_byte(pack, (char)((n > 15 ? 0x80 : 0) | type << 4 | (n & 15)));
	for (n >>= 4; n; n >>= 7)
		buf_byte(pack, (char)((n > 127 ? 0x80 : 0) | (n & 127)));
}

/* How far back the base is, as gitformat-pack(5) says it. */
static void add_distance(struct buf *pack, size_t distance)
{
	uint8_t bytes[8];
	size_t n = sizeof(bytes);

	bytes[--n] = distance & 127;
	while (distance >>= 7)
		bytes[--n] = (uint8_t)(0x80 | (--distance & 127));
	buf_add(pack, bytes + n, sizeof(bytes) - n);
}

/* One stored block: RFC 1950, RFC 1951 §3.2.4. */
static void add_deflated(struct buf *pack, const uint8_t *data, size_t n)
{
	const uint8_t head[] = {
		0x78, 1, 1, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)~n, (uint8_t)(~n >> 8)
	};
	uint8_t sum[4];

	buf_add(pack, head, sizeof(head));
	buf_add(pack, data, n);
	put_be32(sum, adler32(1, data, (uInt)n));
	buf_add(pack, sum, sizeof(sum));
}

static void add_entry(struct buf *pack, const size_t *offsets, size_t i, unsigned type,
		      const uint8_t *data, size_t n)
{
	size_t base = n && i ? data[0] % (i + 1) : i;
	uint8_t raw[GIT_ID_RAW];

	if (type < DELTA) {
		add_header(pack, type, n);
		add_deflated(pack, data, n);
		return;
	}
	n -= n > 0;
	add_header(pack, type, n);
	name_of(base, raw);
	if (type == GIT_ENTRY_OFS_DELTA)
		add_distance(pack, offsets[i] - offsets[base]);
	else
		buf_add(pack, raw, sizeof(raw));
	add_deflated(pack, data + 1, n);
}

static void add_index(struct buf *idx, const struct buf *pack, const size_t *offsets, size_t n)
{
	uint8_t word[4], raw[GIT_ID_RAW];

	buf_add(idx, "\377tOc\0\0\0\2", IDX_HEAD);
	for (size_t i = 0; i < FANOUT; i++) {
		put_be32(word, i < n ? i + 1 : n);
		buf_add(idx, word, sizeof(word));
	}
	for (size_t i = 0; i < n; i++) {
		name_of(i, raw);
		buf_add(idx, raw, sizeof(raw));
	}
	for (size_t i = 0; i < 2 * n; i++) {
		put_be32(word, i < n ? 0 : offsets[i - n]);
		buf_add(idx, word, sizeof(word));
	}
	buf_add(idx, pack->data + pack->len - GIT_ID_RAW, GIT_ID_RAW);
	add_sum(idx);
}

static void build(const uint8_t *data, size_t size, struct buf *idx, struct buf *pack)
{
	size_t offsets[ENTRIES_MAX], n = 0;
	uint8_t count[4];

	buf_add(pack, "PACK\0\0\0\2\0\0\0\0", PACK_HEAD);
	while (n < ENTRIES_MAX && size >= 3) {
		size_t len = (size_t)data[1] << 8 | data[2];

		if (len > size - 3)
			len = size - 3;
		offsets[n] = pack->len;
		add_entry(pack, offsets, n, data[0] & 7, data + 3, len);
		data += 3 + len;
		size -= 3 + len;
		n++;
	}
	put_be32(count, n);
	memcpy(pack->data + 8, count, sizeof(count));
	add_sum(pack);
	add_index(idx, pack, offsets, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf idx = BUF_INIT(1 << 20), pack = BUF_INIT(1 << 20);
	size_t n = size >= 2 ? (size_t)data[0] << 8 | data[1] : 0;
	const char *dir = fuzz_folder();
	struct arena *arena = arena_new();

	if (size < 2) {
		arena_free(arena);
		return 0;
	}
	if (mkdir(path_join(arena, dir, "pack"), 0700) < 0)
		abort();
	if (n > size - 2) {
		build(data + 2, size - 2, &idx, &pack);
	} else {
		buf_add(&idx, data + 2, n);
		buf_add(&pack, data + 2 + n, size - 2 - n);
	}
	fuzz_folder_file(STEM ".idx", (const uint8_t *)idx.data, idx.len);
	fuzz_folder_file(STEM ".pack", (const uint8_t *)pack.data, pack.len);
	read_all(dir);
	if (size % FOLD_EVERY == 0)
		fold(dir);
	buf_release(&idx);
	buf_release(&pack);
	arena_free(arena);
	return 0;
}
