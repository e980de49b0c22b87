/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_fold.c — many small packs become one. Only packs that we wrote (GIT_PACK_LIST) are touched,
 * and only entry by entry as they are: nothing is inflated, nothing is judged unreachable. The
 * smallest are taken as long as the next is no larger than twice their sum, so that a byte is
 * copied a logarithmic number of times.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_pack.h"
#include "buildexec/sys/git_packfile.h"
#include "model/base/limits.h"
#include "model/base/vec.h"

enum { LIST_MAX = 4 << 20 };

struct listed {
	const char *hex;
	size_t n; /* bytes of the pack */
	bool is_folded;
};

struct fold {
	struct arena *arena;
	const char *objects_path;
	VEC(struct listed) packs;
};

static const char *pack_path(const struct fold *fold, const char *hex, const char *suffix)
{
	return arena_printf(fold->arena, "%s/pack/pack-%s.%s", fold->objects_path, hex, suffix);
}

/* Listed packs that are still here, and that nobody marked to be kept. */
static bool read_list(struct fold *fold, struct err *err)
{
	const char *path = path_join(fold->arena, fold->objects_path, GIT_PACK_LIST);
	char *text;
	size_t n;

	if (!fs_read(AT_FDCWD, path, LIST_MAX, fold->arena, &text, &n, err))
		return false;
	for (const char *line = text; line && *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		struct git_id id;
		struct stat st;

		if (!git_id_parse(line, strcspn(line, "\n"), &id) ||
		    fs_exists(pack_path(fold, id.hex, "keep")) ||
		    stat(pack_path(fold, id.hex, "pack"), &st) < 0)
			continue;
		vec_push(fold->arena, &fold->packs,
			 (struct listed){ arena_strdup(fold->arena, id.hex), (size_t)st.st_size,
					  false });
	}
	return true;
}

static bool write_list(struct fold *fold, const char *hex, struct err *err)
{
	const char *path = path_join(fold->arena, fold->objects_path, GIT_PACK_LIST);
	AUTO_BUF out = BUF_INIT(LIST_MAX);

	for (size_t i = 0; i < fold->packs.n; i++)
		if (!fold->packs.v[i].is_folded && strcmp(fold->packs.v[i].hex, hex) != 0)
			buf_printf(&out, "%s\n", fold->packs.v[i].hex);
	buf_printf(&out, "%s\n", hex);
	return fs_write_atomic(AT_FDCWD, path, out.data, out.len, 0666, false, err);
}

static int compare_offsets(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool has_sum(const unsigned char *bytes, size_t n)
{
	unsigned char sum[GIT_ID_RAW];

	SHA1(bytes, n - GIT_ID_RAW, sum);
	return !memcmp(sum, bytes + n - GIT_ID_RAW, GIT_ID_RAW);
}

/* Damage stays where it is seen: a pack whose sum, or whose index's, is wrong is left alone. */
static bool is_sound(const struct git_packfile *file)
{
	return has_sum(file->pack, file->n_pack) && has_sum(file->idx, file->n_idx);
}

/* The places of all entries. False unless each has bytes of its own in the pack: one ends where the next begins. */
static bool sort_offsets(const struct git_packfile *file, uint64_t *sorted)
{
	for (uint32_t i = 0; i < file->n_objects; i++)
		sorted[i] = git_packfile_offset(file, i);
	qsort(sorted, file->n_objects, sizeof(*sorted), compare_offsets);
	sorted[file->n_objects] = file->n_pack - GIT_ID_RAW;
	for (uint32_t i = 0; i < file->n_objects; i++)
		if (sorted[i] >= sorted[i + 1])
			return false;
	return true;
}

static bool copy_entry(struct git_packfile *file, uint32_t i, const uint64_t *sorted,
		       struct git_pack *pack, struct err *err)
{
	uint64_t offset = git_packfile_offset(file, i);
	const uint64_t *at =
		bsearch(&offset, sorted, file->n_objects, sizeof(*sorted), compare_offsets);
	struct git_packfile_entry entry;

	if (!git_packfile_entry(file, offset, &entry, err))
		return false;
	if (entry.type > GIT_TYPE_TAG)
		return err_set(err, ERR_INVALID, "pack '%s' has deltas", file->path);
	return git_pack_add_entry(pack, git_packfile_name(file, i), file->pack + offset,
				  at[1] - offset, err);
}

static bool forget(struct err *err)
{
	*err = (struct err){ 0 };
	return true;
}

static bool copy_pack(struct fold *fold, struct listed *listed, struct git_pack *pack,
		      struct err *err)
{
	struct git_packfile file;
	uint64_t *sorted;
	bool done = true;

	if (!git_packfile_open(pack_path(fold, listed->hex, "idx"), &file, err))
		/* Absent: half removed before, copied already. Damaged: as below. */
		return (err->kind == ERR_ABSENT || err->kind == ERR_INVALID) && forget(err);
	sorted = arena_array(fold->arena, file.n_objects + (size_t)1, sizeof(*sorted));
	if (git_packfile_map(&file) && is_sound(&file) && sort_offsets(&file, sorted)) {
		for (uint32_t i = 0; done && i < file.n_objects; i++)
			done = copy_entry(&file, i, sorted, pack, err);
		listed->is_folded = done;
	}
	git_packfile_close(&file);
	return done;
}

static int compare_sizes(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return x->n < y->n ? -1 : x->n > y->n;
}

/* How many of the packs, sorted by size, are worth folding. */
static size_t choose(const struct fold *fold)
{
	size_t sum = 0, n = 0;

	while (n < fold->packs.n) {
		size_t next = fold->packs.v[n].n;

		if ((n > 1 && next / 2 > sum) || sum + next > LIMIT_GIT_PACK_MEMORY / 2)
			break;
		sum += next;
		n++;
	}
	return n;
}

/* The index first: without it nobody looks for the pack. */
static void remove_folded(struct fold *fold)
{
	for (size_t i = 0; i < fold->packs.n; i++) {
		if (!fold->packs.v[i].is_folded)
			continue;
		unlink(pack_path(fold, fold->packs.v[i].hex, "idx"));
		unlink(pack_path(fold, fold->packs.v[i].hex, "rev"));
		unlink(pack_path(fold, fold->packs.v[i].hex, "pack"));
	}
}

static bool fold_chosen(struct fold *fold, size_t n, struct git_pack *pack, struct err *err)
{
	size_t n_bytes;
	const char *bytes;
	struct git_id name;

	for (size_t i = 0; i < n; i++)
		if (!copy_pack(fold, &fold->packs.v[i], pack, err))
			return false;
	if (!git_pack_n(pack))
		return true;
	if (!git_pack_store(pack, fold->objects_path, err))
		return false;
	bytes = git_pack_bytes(pack, &n_bytes);
	name = git_id_from_raw((const unsigned char *)bytes + n_bytes - GIT_ID_RAW);
	for (size_t i = 0; i < n; i++) /* the very same pack again */
		if (!strcmp(fold->packs.v[i].hex, name.hex))
			fold->packs.v[i].is_folded = false;
	remove_folded(fold);
	return write_list(fold, name.hex, err);
}

bool git_pack_fold(const char *objects_path, struct err *err)
{
	struct fold fold = { .arena = arena_new(), .objects_path = objects_path };
	struct git_pack *pack;
	size_t n;
	bool done = read_list(&fold, err);

	if (done && fold.packs.n > GIT_PACKS_MAX) {
		qsort(fold.packs.v, fold.packs.n, sizeof(*fold.packs.v), compare_sizes);
		n = choose(&fold);
		pack = git_pack_new();
		done = n < 2 || fold_chosen(&fold, n, pack, err);
		git_pack_free(&pack);
	}
	arena_free(fold.arena);
	return done;
}
