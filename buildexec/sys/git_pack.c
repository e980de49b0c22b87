/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_pack.c — a pack grown in memory: every object whole (no deltas), since state is read far more
 * often than stored and ten thousand small deltas read several times slower. Names go through a
 * hash table, so doubles cost nothing.
 * Small files are deflated with the fixed Huffman code (zlib, since libdeflate cannot be told to): a
 * sixth larger, but a reader need not build a code table for each, which is most of the time that
 * reading ten thousand of them takes.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "buildexec/sys/git_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libdeflate.h>
#include <openssl/sha.h>
#include <zlib.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"
#include "model/base/digest.h"
#include "model/base/limits.h"

enum {
	PACK_HEAD = 12,
	LEVEL = 1,
	FIRST_CAP = 64 << 10,
	SMALL = 4096, /* bytes of a file for the fixed code; its window */
	SMALL_LEVEL = 2,
	SMALL_WINDOW_BITS = 12,
	SMALL_MEMORY_LEVEL = 4,
	PARTS_MAX = 16,
	BLOBS_PER_PART = 64,
};

struct packed {
	unsigned char raw[GIT_ID_RAW];
	uint32_t offset, crc;
};

struct git_pack {
	unsigned char *bytes;
	size_t n, cap;
	struct packed *objects;
	size_t n_objects, cap_objects;
	uint32_t *slots; /* index into objects + 1; a power of two of them */
	size_t n_slots;
	struct libdeflate_compressor *deflater;
	z_stream fixed; /* for small files */
	bool is_finished;
};

static void put_be32(unsigned char *out, size_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(value >> (24 - 8 * i));
}

struct git_pack *git_pack_new(void)
{
	struct git_pack *pack = mem_realloc(NULL, sizeof(*pack));

	*pack = (struct git_pack){ .n = PACK_HEAD, .cap = FIRST_CAP };
	pack->bytes = mem_realloc(NULL, pack->cap);
	pack->deflater = libdeflate_alloc_compressor(LEVEL);
	if (!pack->deflater || deflateInit2(&pack->fixed, SMALL_LEVEL, Z_DEFLATED,
					    SMALL_WINDOW_BITS, SMALL_MEMORY_LEVEL, Z_FIXED) != Z_OK)
		BUG("no memory for a compressor");
	return pack;
}

void git_pack_free(struct git_pack **handle)
{
	struct git_pack *pack = *handle;

	if (!pack)
		return;
	libdeflate_free_compressor(pack->deflater);
	deflateEnd(&pack->fixed);
	free(pack->bytes);
	free(pack->objects);
	free(pack->slots);
	free(pack);
	*handle = NULL;
}

size_t git_pack_n(const struct git_pack *pack)
{
	return pack->n_objects;
}

static size_t slot_of(const struct git_pack *pack, const unsigned char *raw)
{
	size_t key;

	memcpy(&key, raw, sizeof(key)); /* a hash already */
	return key & (pack->n_slots - 1);
}

static void grow_slots(struct git_pack *pack)
{
	pack->n_slots = pack->n_slots ? 2 * pack->n_slots : 256;
	pack->slots = mem_realloc(pack->slots, pack->n_slots * sizeof(*pack->slots));
	memset(pack->slots, 0, pack->n_slots * sizeof(*pack->slots));
	for (size_t i = 0; i < pack->n_objects; i++) {
		size_t at = slot_of(pack, pack->objects[i].raw);

		while (pack->slots[at])
			at = (at + 1) & (pack->n_slots - 1);
		pack->slots[at] = (uint32_t)i + 1;
	}
}

/* False when the object is there already; else a new record for it. */
static bool claim(struct git_pack *pack, const unsigned char *raw, struct packed **out)
{
	size_t at;

	if (2 * pack->n_objects >= pack->n_slots)
		grow_slots(pack);
	for (at = slot_of(pack, raw); pack->slots[at]; at = (at + 1) & (pack->n_slots - 1))
		if (!memcmp(pack->objects[pack->slots[at] - 1].raw, raw, GIT_ID_RAW))
			return false;
	if (pack->n_objects == pack->cap_objects) {
		pack->cap_objects = pack->cap_objects ? 2 * pack->cap_objects : 256;
		pack->objects =
			mem_realloc(pack->objects, pack->cap_objects * sizeof(*pack->objects));
	}
	*out = &pack->objects[pack->n_objects++];
	memcpy((*out)->raw, raw, GIT_ID_RAW);
	pack->slots[at] = (uint32_t)pack->n_objects;
	return true;
}

static void reserve(struct git_pack *pack, size_t n)
{
	while (pack->cap - pack->n < n)
		pack->cap *= 2;
	pack->bytes = mem_realloc(pack->bytes, pack->cap);
}

/* Type and size: four bits of it, then seven per byte, lowest first. */
static void put_entry_head(struct git_pack *pack, enum git_type type, size_t n)
{
	unsigned byte = (unsigned)type << 4 | (unsigned)(n & 15);

	for (n >>= 4; n; n >>= 7) {
		pack->bytes[pack->n++] = (unsigned char)(byte | 0x80);
		byte = (unsigned)(n & 0x7f);
	}
	pack->bytes[pack->n++] = (unsigned char)byte;
}

static size_t deflate_bound(struct git_pack *pack, size_t n)
{
	size_t bound = libdeflate_zlib_compress_bound(pack->deflater, n);
	size_t fixed = n <= SMALL ? deflateBound(&pack->fixed, n) : 0;

	return fixed > bound ? fixed : bound;
}

/* Appends; the room is reserved. */
static void deflate_to(struct git_pack *pack, enum git_type type, const void *bytes, size_t n,
		       size_t bound)
{
	size_t done;

	if (type == GIT_TYPE_BLOB && n <= SMALL) {
		deflateReset(&pack->fixed);
		pack->fixed.next_in = (Bytef *)(uintptr_t)bytes;
		pack->fixed.avail_in = (uInt)n;
		pack->fixed.next_out = pack->bytes + pack->n;
		pack->fixed.avail_out = (uInt)bound;
		if (deflate(&pack->fixed, Z_FINISH) != Z_STREAM_END)
			BUG("%zu bytes did not fit their own bound", n);
		pack->n += bound - pack->fixed.avail_out;
		return;
	}
	done = libdeflate_zlib_compress(pack->deflater, bytes, n, pack->bytes + pack->n, bound);
	if (!done)
		BUG("%zu bytes did not fit their own bound", n);
	pack->n += done;
}

bool git_pack_add_named(struct git_pack *pack, enum git_type type, const void *bytes, size_t n,
			const unsigned char *raw, struct err *err)
{
	size_t bound = deflate_bound(pack, n), start = pack->n;
	struct packed *object;

	if (pack->is_finished)
		BUG("an object was added to a finished pack");
	if (n > LIMIT_GIT_PACK_MEMORY || bound > LIMIT_GIT_PACK_MEMORY - pack->n - 64)
		return err_set(err, ERR_INVALID,
			       "what is to be written to git is larger than %u bytes",
			       LIMIT_GIT_PACK_MEMORY);
	if (!claim(pack, raw, &object))
		return true;
	reserve(pack, bound + 64); /* entry head, and the trailer behind the last */
	put_entry_head(pack, type, n);
	deflate_to(pack, type, bytes, n, bound);
	object->offset = (uint32_t)start;
	object->crc = libdeflate_crc32(0, pack->bytes + start, pack->n - start);
	return true;
}

bool git_pack_add_entry(struct git_pack *pack, const unsigned char *raw, const void *entry,
			size_t n, struct err *err)
{
	size_t start = pack->n;
	struct packed *object;

	if (n > LIMIT_GIT_PACK_MEMORY - pack->n - 64)
		return err_set(err, ERR_INVALID, "a pack would be larger than %u bytes",
			       LIMIT_GIT_PACK_MEMORY);
	if (!claim(pack, raw, &object))
		return true;
	reserve(pack, n + 64);
	memcpy(pack->bytes + start, entry, n);
	pack->n += n;
	object->offset = (uint32_t)start;
	object->crc = libdeflate_crc32(0, pack->bytes + start, n);
	return true;
}

/* A stretch of the files, in a pack of its own, whose entries are copied behind each other. */
struct part {
	const struct git_blob *blobs;
	size_t n;
	struct git_pack *pack;
	struct err err;
};

static void pack_part(void *items, size_t index)
{
	struct part *part = &((struct part *)items)[index];

	for (size_t i = 0; i < part->n && !part->err.kind; i++)
		if (!git_pack_add_named(part->pack, GIT_TYPE_BLOB, part->blobs[i].bytes,
					part->blobs[i].n, part->blobs[i].raw, &part->err))
			return;
}

static bool take_part(struct git_pack *pack, struct part *part, struct err *err)
{
	struct git_pack *from = part->pack;
	bool done = !part->err.kind;

	if (!done)
		*err = part->err;
	for (size_t i = 0; done && i < from->n_objects; i++) {
		size_t start = from->objects[i].offset,
		       end = i + 1 < from->n_objects ? from->objects[i + 1].offset : from->n;

		done = git_pack_add_entry(pack, from->objects[i].raw, from->bytes + start,
					  end - start, err);
	}
	git_pack_free(&part->pack);
	return done;
}

bool git_pack_add_blobs(struct git_pack *pack, const struct git_blob *blobs, size_t n,
			struct err *err)
{
	struct part parts[PARTS_MAX];
	size_t n_parts = pool_cores();
	bool done = true;

	if (n == 0)
		return true;
	n_parts = n_parts > PARTS_MAX ? PARTS_MAX : n_parts;
	n_parts = n < n_parts * BLOBS_PER_PART ? n / BLOBS_PER_PART + 1 : n_parts;
	for (size_t i = 0; i < n_parts; i++) {
		size_t first = n * i / n_parts, last = n * (i + 1) / n_parts;

		parts[i] = (struct part){ .blobs = blobs + first,
					  .n = last - first,
					  .pack = n_parts > 1 ? git_pack_new() : pack };
	}
	pool_each(n_parts, n_parts, pack_part, parts);
	if (n_parts == 1) {
		*err = parts[0].err.kind ? parts[0].err : *err;
		return !parts[0].err.kind;
	}
	for (size_t i = 0; i < n_parts; i++)
		done = take_part(pack, &parts[i], done ? err : &(struct err){ 0 }) && done;
	return done;
}

bool git_pack_add(struct git_pack *pack, enum git_type type, const void *bytes, size_t n,
		  unsigned char *raw, struct err *err)
{
	git_id_hash(type, bytes, n, raw);
	return git_pack_add_named(pack, type, bytes, n, raw, err);
}

const char *git_pack_bytes(struct git_pack *pack, size_t *n)
{
	if (!pack->is_finished) {
		memcpy(pack->bytes, "PACK\0\0\0\2", 8);
		put_be32(pack->bytes + 8, pack->n_objects);
		SHA1(pack->bytes, pack->n, pack->bytes + pack->n);
		pack->n += GIT_ID_RAW;
		pack->is_finished = true;
	}
	*n = pack->n;
	return (const char *)pack->bytes;
}

static int compare_packed(const void *a, const void *b)
{
	return memcmp(((const struct packed *)a)->raw, ((const struct packed *)b)->raw, GIT_ID_RAW);
}

/* Version 2: magic, fan-out, names, checksums, offsets, and the two trailers. Sorts the records.
 * free() it. */
static unsigned char *make_index(struct git_pack *pack, size_t *n)
{
	size_t count = pack->n_objects, at = 8 + 1024;
	unsigned char *out;

	*n = at + count * 28 + 40;
	out = mem_realloc(NULL, *n);
	memcpy(out, "\377tOc\0\0\0\2", 8);
	qsort(pack->objects, count, sizeof(*pack->objects), compare_packed);
	for (size_t byte = 0, i = 0; byte < 256; byte++) {
		while (i < count && pack->objects[i].raw[0] <= byte)
			i++;
		put_be32(out + 8 + 4 * byte, i);
	}
	for (size_t i = 0; i < count; i++) {
		memcpy(out + at + i * GIT_ID_RAW, pack->objects[i].raw, GIT_ID_RAW);
		put_be32(out + at + count * 20 + i * 4, pack->objects[i].crc);
		put_be32(out + at + count * 24 + i * 4, pack->objects[i].offset);
	}
	memcpy(out + *n - 40, pack->bytes + pack->n - GIT_ID_RAW, GIT_ID_RAW);
	SHA1(out, *n - 20, out + *n - 20);
	return out;
}

/* A temporary name that `git gc` sweeps if the next writer does not, synced, then the real one. */
static bool write_file(const char *dir, const char *name, const void *bytes, size_t n,
		       struct err *err)
{
	char base[LIMIT_PATH_BYTES], temp[PATH_MAX], path[LIMIT_PATH_BYTES];
	AUTO_FD fd = -1;

	if (snprintf(base, sizeof(base), "%s/tmp_pack_reconcile", dir) >= (int)sizeof(base) ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return err_set(err, ERR_INVALID, "cannot write to '%s': the path is too long", dir);
	fd = fs_open_temp(AT_FDCWD, base, O_WRONLY, 0600, temp);
	if (fd < 0)
		return err_sys(err, errno, "cannot write a pack to '%s'", dir);
	if (!fd_write_all(fd, bytes, n, err)) {
		unlink(temp);
		return err_prefix(err, "cannot write a pack to '%s'", dir);
	}
	if (fdatasync(fd) < 0 || fchmod(fd, 0444) < 0 || rename(temp, path) < 0) {
		int sys = errno;

		unlink(temp);
		return err_sys(err, sys, "cannot write a pack to '%s'", dir);
	}
	return true;
}

bool git_pack_list_add(const char *objects_path, const char *hex, struct err *err)
{
	char path[LIMIT_PATH_BYTES], line[GIT_ID_HEX + 2];
	int n = snprintf(line, sizeof(line), "%s\n", hex);
	AUTO_FD fd = -1;

	if (snprintf(path, sizeof(path), "%s/info", objects_path) >= (int)sizeof(path) - 32)
		return err_set(err, ERR_INVALID, "cannot write to '%s': the path is too long",
			       objects_path);
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make folder '%s'", path);
	snprintf(path, sizeof(path), "%.4000s/" GIT_PACK_LIST, objects_path);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	return fd_write_all(fd, line, (size_t)n, err);
}

bool git_pack_store(struct git_pack *pack, const char *objects_path, struct err *err)
{
	char dir[LIMIT_PATH_BYTES], name[64], hex[GIT_ID_HEX + 1];
	unsigned char *index;
	size_t n, n_index;
	const char *bytes = git_pack_bytes(pack, &n);
	bool done;

	hex_encode(pack->bytes + pack->n - GIT_ID_RAW, GIT_ID_RAW, hex);
	if (snprintf(dir, sizeof(dir), "%s/pack", objects_path) >= (int)sizeof(dir))
		return err_set(err, ERR_INVALID, "cannot write to '%s': the path is too long",
			       objects_path);
	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make folder '%s'", dir);
	snprintf(name, sizeof(name), "pack-%s.pack", hex);
	if (!write_file(dir, name, bytes, n, err))
		return false;
	index = make_index(pack, &n_index);
	snprintf(name, sizeof(name), "pack-%s.idx", hex);
	done = write_file(dir, name, index, n_index, err);
	free(index);
	return done && git_pack_list_add(objects_path, hex, err);
}

/* A name or address may not end the field it stands in. */
static void put_person(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_byte(out, strchr("<>\n\r", *text) || (unsigned char)*text < 0x20 ? '-' : *text);
}

/* A header of several lines: each after the first begins with a blank. */
static void put_signature(struct buf *out, const char *signature)
{
	size_t n = strlen(signature);

	while (n && signature[n - 1] == '\n')
		n--;
	buf_puts(out, "gpgsig ");
	for (size_t i = 0; i < n; i++) {
		buf_byte(out, signature[i]);
		if (signature[i] == '\n')
			buf_byte(out, ' ');
	}
	buf_byte(out, '\n');
}

bool git_commit_text(const struct git_commit_spec *spec, struct buf *out, struct err *err)
{
	static const char *const roles[] = { "author", "committer" };
	size_t n = strlen(spec->message);

	buf_printf(out, "tree %s\n", spec->tree.hex);
	if (!git_id_is_none(&spec->parent))
		buf_printf(out, "parent %s\n", spec->parent.hex);
	for (size_t i = 0; i < COUNTOF(roles); i++) {
		buf_printf(out, "%s ", roles[i]);
		put_person(out, spec->name);
		buf_puts(out, " <");
		put_person(out, spec->email);
		buf_printf(out, "> %lld +0000\n", (long long)spec->time_s);
	}
	if (spec->signature)
		put_signature(out, spec->signature);
	buf_printf(out, "\n%s%s", spec->message, n && spec->message[n - 1] == '\n' ? "" : "\n");
	return !out->is_over || err_set(err, ERR_INVALID, "the commit message is too long");
}

bool git_pack_add_commit(struct git_pack *pack, const struct git_commit_spec *spec,
			 struct git_id *out, struct err *err)
{
	AUTO_BUF text = BUF_INIT(LIMIT_GIT_TREE);
	unsigned char raw[GIT_ID_RAW];

	*out = (struct git_id){ 0 };
	if (!git_commit_text(spec, &text, err))
		return false;
	if (!git_pack_add(pack, GIT_TYPE_COMMIT, text.data, text.len, raw, err))
		return false;
	*out = git_id_from_raw(raw);
	return true;
}
