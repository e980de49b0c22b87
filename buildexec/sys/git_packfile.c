/* SPDX-License-Identifier: Apache-2.0 */
/* git_packfile.c — mappings of *.idx (version 2) and *.pack (version 2). Spec: gitformat-pack(5).
 */
#include "buildexec/sys/git_packfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"

enum { HEAD = 8, FANOUT = 256 * 4, TRAILER = 40, PACK_HEAD = 12, PACK_TRAILER = 20 };

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const unsigned char *map_file(const char *path, size_t *n)
{
	AUTO_FD fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size <= 0 || !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return NULL;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return NULL;
	*n = (size_t)st.st_size;
	return map;
}

static void unmap(const unsigned char *map, size_t n)
{
	if (map)
		munmap((void *)(uintptr_t)map, n);
}

void git_packfile_close(struct git_packfile *file)
{
	unmap(file->idx, file->n_idx);
	unmap(file->pack, file->n_pack);
	free(file->path);
	*file = (struct git_packfile){ 0 };
}

/* Counts that grow, and room for every table they promise. */
static bool is_index_whole(const struct git_packfile *file)
{
	const unsigned char *fanout = file->idx + HEAD;
	uint32_t last = 0;

	if (file->n_idx < HEAD + FANOUT + TRAILER ||
	    memcmp(file->idx, "\377tOc\0\0\0\2", HEAD) != 0)
		return false;
	for (size_t i = 0; i < 256; i++) {
		uint32_t count = be32(fanout + 4 * i);

		if (count < last)
			return false;
		last = count;
	}
	return (file->n_idx - HEAD - FANOUT - TRAILER) / 28 >= last;
}

bool git_packfile_open(const char *idx_path, struct git_packfile *out, struct err *err)
{
	struct git_packfile file = { 0 };
	size_t n = strlen(idx_path);

	*out = file;
	file.idx = map_file(idx_path, &file.n_idx);
	if (!file.idx)
		return err_sys(err, errno, "cannot read pack index '%s'", idx_path);
	if (!is_index_whole(&file)) {
		unmap(file.idx, file.n_idx);
		return err_set(err, ERR_INVALID, "pack index '%s' is damaged or of another version",
			       idx_path);
	}
	file.n_objects = be32(file.idx + HEAD + FANOUT - 4);
	file.path = mem_realloc(NULL, n + 2);
	snprintf(file.path, n + 2, "%.*s.pack", (int)(n - 4), idx_path);
	*out = file;
	return true;
}

bool git_packfile_map(struct git_packfile *file)
{
	if (file->pack || file->is_gone)
		return file->pack;
	file->pack = map_file(file->path, &file->n_pack);
	if (file->pack &&
	    (file->n_pack < PACK_HEAD + PACK_TRAILER || memcmp(file->pack, "PACK", 4) != 0)) {
		unmap(file->pack, file->n_pack);
		file->pack = NULL;
	}
	file->is_gone = !file->pack;
	return file->pack;
}

const unsigned char *git_packfile_name(const struct git_packfile *file, uint32_t i)
{
	return file->idx + HEAD + FANOUT + (size_t)i * GIT_ID_RAW;
}

uint64_t git_packfile_offset(const struct git_packfile *file, uint32_t i)
{
	const unsigned char *offsets = file->idx + HEAD + FANOUT + (size_t)file->n_objects * 24;
	const unsigned char *large = offsets + (size_t)file->n_objects * 4;
	uint32_t value = be32(offsets + (size_t)i * 4);
	size_t at;

	if (!(value & 0x80000000u))
		return value;
	at = (size_t)(value & 0x7fffffffu) * 8;
	if (at + 8 > file->n_idx - TRAILER - (size_t)(large - file->idx))
		return UINT64_MAX;
	return (uint64_t)be32(large + at) << 32 | be32(large + at + 4);
}

bool git_packfile_find(const struct git_packfile *file, const unsigned char *raw, uint64_t *offset)
{
	const unsigned char *fanout = file->idx + HEAD;
	uint32_t low = raw[0] ? be32(fanout + 4 * (raw[0] - 1u)) : 0;
	uint32_t high = be32(fanout + 4u * raw[0]);

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = memcmp(raw, git_packfile_name(file, middle), GIT_ID_RAW);

		if (!order) {
			*offset = git_packfile_offset(file, middle);
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool entry_fail(const struct git_packfile *file, uint64_t offset, struct err *err)
{
	return err_set(err, ERR_INVALID, "pack '%s' is damaged at byte %llu", file->path,
		       (unsigned long long)offset);
}

/* The distance back to the base: seven bits per byte, highest first, each further byte counts one
 * more. */
static bool take_distance(const unsigned char **at, const unsigned char *end, uint64_t *out)
{
	uint64_t distance;

	if (*at == end)
		return false;
	distance = **at & 0x7f;
	while (*(*at)++ & 0x80) {
		if (*at == end || distance >> 56)
			return false;
		distance = ((distance + 1) << 7) | (**at & 0x7f);
	}
	*out = distance;
	return true;
}

bool git_packfile_entry(struct git_packfile *file, uint64_t offset, struct git_packfile_entry *out,
			struct err *err)
{
	const unsigned char *at, *end;
	unsigned shift = 4;
	uint64_t distance;

	*out = (struct git_packfile_entry){ 0 };
	if (!git_packfile_map(file))
		return err_set(err, ERR_ABSENT, "pack '%s' is gone", file->path);
	if (offset < PACK_HEAD || offset >= file->n_pack - PACK_TRAILER)
		return entry_fail(file, offset, err);
	at = file->pack + offset;
	end = file->pack + file->n_pack - PACK_TRAILER;
	out->type = (*at >> 4) & 7;
	out->size = *at & 15;
	while (*at++ & 0x80) {
		if (at == end || shift > 56)
			return entry_fail(file, offset, err);
		out->size |= (size_t)(*at & 0x7f) << shift;
		shift += 7;
	}
	if (out->type == GIT_ENTRY_OFS_DELTA) {
		if (!take_distance(&at, end, &distance) || !distance || distance > offset)
			return entry_fail(file, offset, err);
		out->base_offset = offset - distance;
	} else if (out->type == GIT_ENTRY_REF_DELTA) {
		if (end - at < GIT_ID_RAW)
			return entry_fail(file, offset, err);
		out->base_name = at;
		at += GIT_ID_RAW;
	} else if (out->type < GIT_TYPE_COMMIT || out->type > GIT_TYPE_TAG) {
		return entry_fail(file, offset, err);
	}
	out->data = (uint64_t)(at - file->pack);
	return true;
}
