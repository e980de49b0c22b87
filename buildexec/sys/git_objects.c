/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_objects.c — finds an object in the packs, then among the loose files, and puts it together.
 * A whole object of a pack is inflated straight into the arena. A delta is followed to its base
 * with a list of places; what was put together on the way is kept in a small cache by place, since
 * neighbours share their bases.
 */
#include "buildexec/sys/git_objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <libdeflate.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_delta.h"
#include "buildexec/sys/git_packfile.h"
#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/base/vec.h"

enum {
	CACHE_SLOTS = 1024,
	CACHE_ENTRY_BYTES = 1 << 20,
	CACHE_BYTES = 32 << 20,
	ALTERNATES_MAX = 16, /* folders, as deep as git follows them is 5 */
	N_ID_PATH = 2 + 1 + 38 + 1,
};

struct cached {
	struct git_packfile *file; /* NULL: free */
	uint64_t offset;
	enum git_type type;
	char *bytes; /* owned */
	size_t n;
};

struct git_objects {
	char *dirs[ALTERNATES_MAX];
	size_t n_dirs;
	struct git_packfile **packs; /* each owned, so that its address stays */
	size_t n_packs, cap_packs;
	size_t last_hit;
	struct libdeflate_decompressor *inflater;
	struct cached cache[CACHE_SLOTS];
	size_t cache_bytes;
};

static void cache_drop(struct git_objects *objects, struct cached *slot)
{
	objects->cache_bytes -= slot->n;
	free(slot->bytes);
	*slot = (struct cached){ 0 };
}

static struct cached *cache_slot(struct git_objects *objects, const struct git_packfile *file,
				 uint64_t offset)
{
	uint64_t key = (offset ^ (uint64_t)(uintptr_t)file >> 4) * 0x9e3779b97f4a7c15u;

	return &objects->cache[key >> 54];
}

/* Takes the bytes over. */
static void cache_put(struct git_objects *objects, struct cached item)
{
	struct cached *slot = cache_slot(objects, item.file, item.offset);

	if (item.n > CACHE_ENTRY_BYTES) {
		free(item.bytes);
		return;
	}
	if (slot->file)
		cache_drop(objects, slot);
	for (size_t i = 0; i < CACHE_SLOTS && objects->cache_bytes + item.n > CACHE_BYTES; i++)
		if (objects->cache[i].file)
			cache_drop(objects, &objects->cache[i]);
	*slot = item;
	objects->cache_bytes += item.n;
}

static bool has_pack(const struct git_objects *objects, const char *idx_path)
{
	size_t n = strlen(idx_path) - 3; /* up to "idx" */

	for (size_t i = 0; i < objects->n_packs; i++)
		if (!objects->packs[i]->is_gone && !strncmp(objects->packs[i]->path, idx_path, n))
			return true;
	return false;
}

static void add_pack(struct git_objects *objects, const char *idx_path)
{
	struct git_packfile file;
	struct err ignored = { 0 };

	/* One that cannot be read is as good as none: its objects may be elsewhere. */
	if (has_pack(objects, idx_path) || !git_packfile_open(idx_path, &file, &ignored))
		return;
	if (objects->n_packs == objects->cap_packs) {
		objects->cap_packs = objects->cap_packs ? 2 * objects->cap_packs : 16;
		objects->packs =
			mem_realloc(objects->packs, objects->cap_packs * sizeof(*objects->packs));
	}
	objects->packs[objects->n_packs] = mem_realloc(NULL, sizeof(file));
	*objects->packs[objects->n_packs++] = file;
}

static void scan_packs(struct git_objects *objects, const char *dir)
{
	char path[LIMIT_PATH_BYTES];
	struct dirent *entry;
	DIR *handle;

	if (snprintf(path, sizeof(path), "%s/pack", dir) >= (int)sizeof(path))
		return;
	handle = opendir(path);
	if (!handle)
		return;
	while ((entry = readdir(handle)) != NULL) {
		size_t n = strlen(entry->d_name);

		if (n < 5 || strcmp(entry->d_name + n - 4, ".idx") != 0)
			continue;
		if (snprintf(path, sizeof(path), "%s/pack/%s", dir, entry->d_name) <
		    (int)sizeof(path))
			add_pack(objects, path);
	}
	closedir(handle);
}

void git_objects_rescan(struct git_objects *objects)
{
	for (size_t i = 0; i < objects->n_dirs; i++)
		scan_packs(objects, objects->dirs[i]);
}

static void add_dir(struct git_objects *objects, const char *path, size_t n)
{
	for (size_t i = 0; i < objects->n_dirs; i++)
		if (strlen(objects->dirs[i]) == n && !memcmp(objects->dirs[i], path, n))
			return;
	if (objects->n_dirs == ALTERNATES_MAX)
		return;
	objects->dirs[objects->n_dirs] = mem_realloc(NULL, n + 1);
	memcpy(objects->dirs[objects->n_dirs], path, n);
	objects->dirs[objects->n_dirs++][n] = '\0';
}

/* info/alternates of one folder: one path per line, relative ones to that folder. */
static bool add_alternates(struct git_objects *objects, const char *dir, struct arena *arena,
			   struct err *err)
{
	const char *path = path_join(arena, dir, "info/alternates"), *line;
	char *text;
	size_t n;

	if (!fs_read(AT_FDCWD, path, LIMIT_GIT_MESSAGE, arena, &text, &n, err))
		return false;
	for (line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t length = strcspn(line, "\n");
		const char *other = arena_copy(arena, line, length);

		if (!length || *line == '#')
			continue;
		other = *other == '/' ? other : path_join(arena, dir, other);
		add_dir(objects, other, strlen(other));
	}
	return true;
}

bool git_objects_add_folder(struct git_objects *objects, const char *path, struct err *err)
{
	struct arena *arena = arena_new();
	size_t first = objects->n_dirs;
	bool done = true;

	add_dir(objects, path, strlen(path));
	for (size_t i = first; done && i < objects->n_dirs; i++)
		done = add_alternates(objects, objects->dirs[i], arena, err);
	arena_free(arena);
	git_objects_rescan(objects);
	return done;
}

bool git_objects_open(const char *path, struct git_objects **out, struct err *err)
{
	struct git_objects *objects = mem_realloc(NULL, sizeof(*objects));

	*out = NULL;
	memset(objects, 0, sizeof(*objects));
	objects->inflater = libdeflate_alloc_decompressor();
	if (!objects->inflater)
		BUG("no memory for a decompressor");
	if (!git_objects_add_folder(objects, path, err)) {
		git_objects_close(&objects);
		return false;
	}
	*out = objects;
	return true;
}

void git_objects_close(struct git_objects **handle)
{
	struct git_objects *objects = *handle;

	if (!objects)
		return;
	for (size_t i = 0; i < CACHE_SLOTS; i++)
		free(objects->cache[i].bytes);
	for (size_t i = 0; i < objects->n_packs; i++) {
		git_packfile_close(objects->packs[i]);
		free(objects->packs[i]);
	}
	free(objects->packs);
	for (size_t i = 0; i < objects->n_dirs; i++)
		free(objects->dirs[i]);
	libdeflate_free_decompressor(objects->inflater);
	free(objects);
	*handle = NULL;
}

size_t git_objects_n_packs(const struct git_objects *objects)
{
	return objects->n_packs;
}

static struct git_packfile *find_packed(struct git_objects *objects, const unsigned char *raw,
					uint64_t *offset, size_t *index)
{
	for (size_t k = 0; k < objects->n_packs; k++) {
		size_t i = (objects->last_hit + k) % objects->n_packs;
		struct git_packfile *file = objects->packs[i];

		if (!git_packfile_find(file, raw, offset) || !git_packfile_map(file))
			continue;
		objects->last_hit = i;
		*index = i;
		return file;
	}
	return NULL;
}

static bool inflate(struct git_objects *objects, const struct git_packfile *file,
		    const struct git_packfile_entry *entry, char *out, struct err *err)
{
	size_t n;

	if (libdeflate_zlib_decompress_ex(objects->inflater, file->pack + entry->data,
					  file->n_pack - entry->data, out, entry->size, NULL, &n) ||
	    n != entry->size)
		return err_set(err, ERR_INVALID, "pack '%s' is damaged behind byte %llu",
			       file->path, (unsigned long long)entry->data);
	return true;
}

/* Heap memory for an object, one byte more for the NUL. */
static char *inflate_new(struct git_objects *objects, const struct git_packfile *file,
			 const struct git_packfile_entry *entry, struct err *err)
{
	char *bytes;

	if (entry->size > LIMIT_GIT_OBJECT) {
		err_set(err, ERR_INVALID, "an object in pack '%s' is larger than %u bytes",
			file->path, LIMIT_GIT_OBJECT);
		return NULL;
	}
	bytes = mem_realloc(NULL, entry->size + 1);
	if (inflate(objects, file, entry, bytes, err))
		return bytes;
	free(bytes);
	return NULL;
}

/* Makes *item the object that the delta makes of it. The old bytes go to the cache, or stay there
 * (is_lent). */
static bool apply_delta(struct git_objects *objects, struct cached *item, bool is_lent,
			uint64_t offset, struct err *err)
{
	struct git_packfile_entry entry;
	struct cached base = *item;
	char *delta, *bytes = NULL;
	size_t n = 0;
	bool done;

	if (!git_packfile_entry(base.file, offset, &entry, err))
		return false;
	delta = inflate_new(objects, base.file, &entry, err);
	if (!delta)
		return false;
	done = git_delta_size((unsigned char *)delta, entry.size, base.n, &n) &&
	       n <= LIMIT_GIT_OBJECT;
	if (done) {
		bytes = mem_realloc(NULL, n + 1);
		done = git_delta_apply((unsigned char *)delta, entry.size, base.bytes, base.n,
				       bytes, n);
	}
	free(delta);
	if (!done) {
		free(bytes);
		return err_set(err, ERR_INVALID, "pack '%s' has a damaged delta at byte %llu",
			       base.file->path, (unsigned long long)offset);
	}
	*item = (struct cached){ base.file, offset, base.type, bytes, n };
	if (!is_lent)
		cache_put(objects, base);
	return true;
}

struct chain {
	uint64_t *at; /* deltas still to apply, the first wanted first */
	size_t n, cap;
};

/* Goes down to a whole object or a cached one, noting the deltas passed. */
static bool find_base(struct git_objects *objects, struct git_packfile *file, uint64_t offset,
		      struct chain *chain, struct cached *item, bool *is_lent, struct err *err)
{
	struct git_packfile_entry entry;

	for (;;) {
		struct cached *slot = cache_slot(objects, file, offset);

		*is_lent = slot->file == file && slot->offset == offset;
		if (*is_lent) {
			*item = *slot;
			return true;
		}
		if (!git_packfile_entry(file, offset, &entry, err))
			return false;
		if (entry.type <= GIT_TYPE_TAG)
			break;
		if (chain->n == LIMIT_GIT_DELTAS)
			return err_set(err, ERR_INVALID,
				       "pack '%s' has more than %u deltas in a row", file->path,
				       LIMIT_GIT_DELTAS);
		if (chain->n == chain->cap) {
			chain->cap = chain->cap ? 2 * chain->cap : 64;
			chain->at = mem_realloc(chain->at, chain->cap * sizeof(*chain->at));
		}
		chain->at[chain->n++] = offset;
		offset = entry.base_offset;
		if (entry.type == GIT_ENTRY_REF_DELTA &&
		    !git_packfile_find(file, entry.base_name, &offset))
			return err_set(err, ERR_INVALID, "pack '%s' lacks the base of a delta",
				       file->path);
	}
	item->bytes = inflate_new(objects, file, &entry, err);
	*item = (struct cached){ file, offset, (enum git_type)entry.type, item->bytes, entry.size };
	return item->bytes;
}

static bool read_deltas(struct git_objects *objects, struct git_packfile *file, uint64_t offset,
			struct arena *arena, struct git_data *out, struct err *err)
{
	struct chain chain = { 0 };
	struct cached item = { 0 };
	bool is_lent = false, done = find_base(objects, file, offset, &chain, &item, &is_lent, err);

	while (done && chain.n) {
		done = apply_delta(objects, &item, is_lent, chain.at[--chain.n], err);
		is_lent = is_lent && !done;
	}
	free(chain.at);
	if (done)
		*out = (struct git_data){ item.type, arena_copy(arena, item.bytes, item.n),
					  item.n };
	if (!is_lent && item.bytes) {
		if (done)
			cache_put(objects, item);
		else
			free(item.bytes);
	}
	return done;
}

static bool read_packed(struct git_objects *objects, struct git_packfile *file, uint64_t offset,
			struct arena *arena, struct git_data *out, struct err *err)
{
	struct git_packfile_entry entry;
	char *bytes;

	if (!git_packfile_entry(file, offset, &entry, err))
		return false;
	if (entry.type > GIT_TYPE_TAG)
		return read_deltas(objects, file, offset, arena, out, err);
	if (entry.size > LIMIT_GIT_OBJECT)
		return err_set(err, ERR_INVALID, "an object in pack '%s' is larger than %u bytes",
			       file->path, LIMIT_GIT_OBJECT);
	bytes = arena_raw(arena, entry.size + 1);
	if (!inflate(objects, file, &entry, bytes, err))
		return false;
	bytes[entry.size] = '\0';
	*out = (struct git_data){ (enum git_type)entry.type, bytes, entry.size };
	return true;
}

/* "<type> <size>\0<bytes>" */
static bool split_loose(char *bytes, size_t n, struct arena *arena, struct git_data *out)
{
	char *space = memchr(bytes, ' ', n < 16 ? n : 16),
	     *nul = memchr(bytes, '\0', n < 32 ? n : 32);
	size_t n_head;
	enum git_type type;

	if (!space || !nul || nul < space)
		return false;
	n_head = (size_t)(nul - bytes) + 1;
	type = git_type_parse(bytes, (size_t)(space - bytes));
	if (type == GIT_TYPE_NONE || strtoull(space + 1, NULL, 10) != n - n_head)
		return false;
	*out = (struct git_data){ type, arena_copy(arena, nul + 1, n - n_head), n - n_head };
	return true;
}

/* The size is inside the deflated bytes: guess, and double until it fits. */
static bool inflate_loose(struct git_objects *objects, const char *in, size_t n_in,
			  struct arena *arena, struct git_data *out)
{
	size_t cap = n_in < 1024 ? 8192 : 4 * n_in, n = 0;
	char *bytes = mem_realloc(NULL, cap + 1);
	enum libdeflate_result result;
	bool done;

	for (;;) {
		result = libdeflate_zlib_decompress(objects->inflater, in, n_in, bytes, cap, &n);
		if (result != LIBDEFLATE_INSUFFICIENT_SPACE || cap > LIMIT_GIT_OBJECT)
			break;
		cap *= 4;
		bytes = mem_realloc(bytes, cap + 1);
	}
	done = !result && split_loose(bytes, n, arena, out);
	free(bytes);
	return done;
}

static bool read_loose(struct git_objects *objects, const unsigned char *raw, struct arena *arena,
		       struct git_data *out, struct err *err)
{
	char hex[GIT_ID_HEX + 1], path[LIMIT_PATH_BYTES];
	struct arena *scratch;
	char *bytes = NULL;
	size_t n = 0;
	bool done = true;

	hex_encode(raw, GIT_ID_RAW, hex);
	scratch = arena_new();
	for (size_t i = 0; done && !bytes && i < objects->n_dirs; i++) {
		if (snprintf(path, sizeof(path), "%s/%.2s/%s", objects->dirs[i], hex, hex + 2) <
		    (int)sizeof(path))
			done = fs_read(AT_FDCWD, path, LIMIT_GIT_OBJECT, scratch, &bytes, &n, err);
	}
	if (done && bytes && !inflate_loose(objects, bytes, n, arena, out))
		done = err_set(err, ERR_INVALID, "git object '%s' is damaged", path);
	arena_free(scratch);
	return done;
}

bool git_objects_read(struct git_objects *objects, const unsigned char *raw, size_t max,
		      struct arena *arena, struct git_data *out, struct err *err)
{
	struct git_packfile *file = NULL;
	uint64_t offset;
	size_t index;

	*out = (struct git_data){ 0 };
	for (int pass = 0; pass < 2 && out->type == GIT_TYPE_NONE; pass++) {
		if (pass)
			git_objects_rescan(objects);
		file = find_packed(objects, raw, &offset, &index);
		if (file ? !read_packed(objects, file, offset, arena, out, err)
			 : !read_loose(objects, raw, arena, out, err))
			return false;
	}
	if (out->n > max) {
		struct git_id id = git_id_from_raw(raw);

		*out = (struct git_data){ 0 };
		return err_set(err, ERR_INVALID, "git object %s is larger than %zu bytes", id.hex,
			       max);
	}
	return true;
}

bool git_objects_need(struct git_objects *objects, const unsigned char *raw, enum git_type type,
		      struct arena *arena, struct git_data *out, struct err *err)
{
	size_t max = type == GIT_TYPE_BLOB ? LIMIT_GIT_OBJECT : LIMIT_GIT_TREE;
	struct git_id id = git_id_from_raw(raw);

	if (!git_objects_read(objects, raw, max, arena, out, err))
		return false;
	if (out->type == type)
		return true;
	if (out->type == GIT_TYPE_NONE)
		return err_set(err, ERR_ABSENT, "git %s %s is not in the repository",
			       git_type_name(type), id.hex);
	return err_set(err, ERR_INVALID, "git object %s is a %s, not a %s", id.hex,
		       git_type_name(out->type), git_type_name(type));
}

static bool has_loose(struct git_objects *objects, const unsigned char *raw)
{
	char hex[GIT_ID_HEX + 1], path[LIMIT_PATH_BYTES];

	hex_encode(raw, GIT_ID_RAW, hex);
	for (size_t i = 0; i < objects->n_dirs; i++)
		if (snprintf(path, sizeof(path), "%s/%.2s/%s", objects->dirs[i], hex, hex + 2) <
			    (int)sizeof(path) &&
		    fs_exists(path))
			return true;
	return false;
}

bool git_objects_has(struct git_objects *objects, const unsigned char *raw)
{
	uint64_t offset;
	size_t index;

	if (find_packed(objects, raw, &offset, &index) || has_loose(objects, raw))
		return true;
	git_objects_rescan(objects);
	return find_packed(objects, raw, &offset, &index);
}

uint64_t git_objects_place(struct git_objects *objects, const unsigned char *raw)
{
	uint64_t offset;
	size_t index;

	if (!find_packed(objects, raw, &offset, &index))
		return UINT64_MAX;
	return (uint64_t)index << 48 | offset;
}
