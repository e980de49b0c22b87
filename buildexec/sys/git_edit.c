/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_edit.c — the tree that comes of a base and a list of changes, folder by folder.
 * Changes are sorted so that those of one folder stand together ('/' below every other byte); each
 * folder is read once, its entries are replaced, removed or joined, and it is written only if its
 * name changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_pack.h"
#include "model/base/limits.h"
#include "model/base/vec.h"

struct edit {
	struct git_pack *pack;
	struct git_objects *objects;
	struct arena *arena;
	const struct git_change **changes; /* sorted */
	VEC(struct git_blob) blobs;        /* new files; their trees need only their names */
};

/* The changes [from, to) of one folder, whose own path is the first `prefix` bytes of theirs. */
struct range {
	size_t from, to, prefix;
};

struct item {
	const char *name;
	size_t n;
	unsigned mode; /* 0: removed */
	const unsigned char *raw;
};

struct items {
	struct item *v;
	size_t n, cap;
};

static int compare_paths(const void *a, const void *b)
{
	const char *x = (*(const struct git_change *const *)a)->path;
	const char *y = (*(const struct git_change *const *)b)->path;

	while (*x && *x == *y)
		x++, y++;
	if (*x == *y)
		return 0;
	if (*x == '/' || !*x)
		return !*x || *y ? -1 : 1;
	if (*y == '/' || !*y)
		return 1;
	return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
}

/* Git sorts folders as if their names ended in '/'. Spec: git fsck "treeNotSorted". */
static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = memcmp(x->name, y->name, n);
	int end_x, end_y;

	if (order)
		return order;
	end_x = x->n > n ? (unsigned char)x->name[n] : x->mode == GIT_MODE_DIR ? '/' : 0;
	end_y = y->n > n ? (unsigned char)y->name[n] : y->mode == GIT_MODE_DIR ? '/' : 0;
	return end_x - end_y;
}

static bool read_items(struct edit *edit, const unsigned char *raw, struct items *items,
		       struct err *err)
{
	struct git_data tree;
	struct git_entry entry;
	size_t pos = 0;

	if (!raw)
		return true;
	if (!git_objects_need(edit->objects, raw, GIT_TYPE_TREE, edit->arena, &tree, err))
		return false;
	while (git_entry_next(tree.bytes, tree.n, &pos, &entry))
		vec_push(edit->arena, items,
			 (struct item){ entry.name, entry.n_name, entry.mode, entry.raw });
	return pos == tree.n ||
	       err_set(err, ERR_INVALID, "git tree %s is damaged", git_id_from_raw(raw).hex);
}

static bool write_items(struct edit *edit, struct items *items, const unsigned char *base,
			unsigned char *out, struct err *err)
{
	AUTO_BUF bytes = BUF_INIT(LIMIT_GIT_TREE);

	for (size_t i = 1; i < items->n; i++) {
		if (compare_items(&items->v[i - 1], &items->v[i]) < 0)
			continue;
		qsort(items->v, items->n, sizeof(*items->v), compare_items);
		break;
	}
	for (size_t i = 0; i < items->n; i++) {
		char mode[16];

		snprintf(mode, sizeof(mode), "%o ", items->v[i].mode);
		buf_puts(&bytes, mode);
		buf_add(&bytes, items->v[i].name, items->v[i].n);
		buf_byte(&bytes, '\0');
		buf_add(&bytes, items->v[i].raw, GIT_ID_RAW);
	}
	if (bytes.is_over)
		return err_set(err, ERR_INVALID, "a folder in git would be larger than %u bytes",
			       LIMIT_GIT_TREE);
	git_id_hash(GIT_TYPE_TREE, bytes.data, bytes.len, out);
	if (base && !memcmp(base, out, GIT_ID_RAW))
		return true;
	return git_pack_add_named(edit->pack, GIT_TYPE_TREE, buf_text(&bytes), bytes.len, out, err);
}

static bool edit_folder(struct edit *edit, const unsigned char *base, struct range range,
			unsigned char *out, bool *is_empty, struct err *err);

static void put_blob(struct edit *edit, const struct git_change *change, struct item *item)
{
	unsigned char *raw = arena_alloc(edit->arena, GIT_ID_RAW);
	bool is_same;

	git_id_hash(GIT_TYPE_BLOB, change->bytes, change->n, raw);
	is_same = item->mode && item->mode != GIT_MODE_DIR && !memcmp(item->raw, raw, GIT_ID_RAW);
	if ((item->mode & 0170000) != 0100000) /* an executable file stays one */
		item->mode = GIT_MODE_FILE;
	item->raw = raw;
	if (!is_same)
		vec_push(edit->arena, &edit->blobs,
			 (struct git_blob){ change->bytes, change->n, raw });
}

/* All changes at and below one name. */
static bool edit_item(struct edit *edit, struct range group, struct item *item, struct err *err)
{
	const struct git_change *first = edit->changes[group.from];
	bool is_direct = !first->path[group.prefix + item->n], is_empty;
	const unsigned char *below = item->mode == GIT_MODE_DIR ? item->raw : NULL;
	unsigned char *raw;

	if (is_direct) {
		if (!first->is_deleted && group.to - group.from > 1)
			return err_set(err, ERR_INVALID, "'%s' is to become a file and a folder",
				       first->path);
		if (!first->is_deleted) {
			put_blob(edit, first, item);
			return true;
		}
		item->mode = 0;
		if (++group.from == group.to)
			return true;
		below = NULL;
	}
	raw = arena_alloc(edit->arena, GIT_ID_RAW);
	group.prefix += item->n + 1;
	if (!edit_folder(edit, below, group, raw, &is_empty, err))
		return false;
	if (!is_empty) {
		item->mode = GIT_MODE_DIR;
		item->raw = raw;
	} else if (item->mode == GIT_MODE_DIR) {
		item->mode = 0; /* a file stays: what was deleted below it was never there */
	}
	return true;
}

struct groups {
	struct group {
		const char *name;
		size_t n;
		struct range range;
		bool is_done;
	} * v;
	size_t n, cap;
};

static void split_range(struct edit *edit, struct range range, struct groups *groups)
{
	for (size_t i = range.from; i < range.to; i++) {
		const char *name = edit->changes[i]->path + range.prefix;
		size_t n = strcspn(name, "/");
		struct group *last = groups->n ? &groups->v[groups->n - 1] : NULL;

		if (last && last->n == n && !memcmp(last->name, name, n)) {
			last->range.to = i + 1;
			continue;
		}
		vec_push(edit->arena, groups,
			 (struct group){ name, n, { i, i + 1, range.prefix }, false });
	}
}

/* Plain bytes, a shorter name first: the order in which compare_paths leaves the names of one
 * folder. */
static int compare_group(const void *key, const void *element)
{
	const struct item *item = key;
	const struct group *group = element;
	int order = memcmp(item->name, group->name, item->n < group->n ? item->n : group->n);

	return order ? order : item->n < group->n ? -1 : item->n > group->n;
}

static bool edit_folder(struct edit *edit, const unsigned char *base, struct range range,
			unsigned char *out, bool *is_empty, struct err *err)
{
	struct items old = { 0 }, items = { 0 };
	struct groups groups = { 0 };

	if (!read_items(edit, base, &old, err))
		return false;
	split_range(edit, range, &groups);
	for (size_t i = 0; i < old.n; i++) {
		struct group *group =
			bsearch(&old.v[i], groups.v, groups.n, sizeof(*groups.v), compare_group);

		if (group) {
			group->is_done = true;
			if (!edit_item(edit, group->range, &old.v[i], err))
				return false;
		}
		if (old.v[i].mode)
			vec_push(edit->arena, &items, old.v[i]);
	}
	for (size_t i = 0; i < groups.n; i++) {
		struct item item = { groups.v[i].name, groups.v[i].n, 0, NULL };

		if (groups.v[i].is_done)
			continue;
		if (!edit_item(edit, groups.v[i].range, &item, err))
			return false;
		if (item.mode)
			vec_push(edit->arena, &items, item);
	}
	*is_empty = !items.n;
	if (*is_empty && range.prefix)
		return true;
	return write_items(edit, &items, base, out, err);
}

static bool check_path(const char *path, struct err *err)
{
	size_t depth = 0;

	if (!path_is_inside(path))
		return err_set(err, ERR_INVALID, "'%s' is no path inside a repository", path);
	for (const char *part = path;; part++) {
		size_t n = strcspn(part, "/");

		if (!git_entry_name_is_safe(part, n) || ++depth > LIMIT_GIT_DEPTH)
			return err_set(err, ERR_INVALID, "'%s' is no path for a file in git", path);
		part += n;
		if (!*part)
			return true;
	}
}

bool git_pack_edit(struct git_pack *pack, struct git_objects *objects, const struct git_id *base,
		   const struct git_changes *changes, struct git_id *out, struct err *err)
{
	struct edit edit = { .pack = pack, .objects = objects, .arena = arena_new() };
	unsigned char base_raw[GIT_ID_RAW], raw[GIT_ID_RAW];
	bool has_base = !git_id_is_none(base), is_empty, done = true;

	*out = *base;
	if (has_base && !changes->n) {
		arena_free(edit.arena);
		return true;
	}
	*out = (struct git_id){ 0 };
	edit.changes = arena_array(edit.arena, changes->n, sizeof(*edit.changes));
	for (size_t i = 0; done && i < changes->n; i++) {
		edit.changes[i] = &changes->v[i];
		done = check_path(changes->v[i].path, err);
	}
	if (done)
		qsort(edit.changes, changes->n, sizeof(*edit.changes), compare_paths);
	for (size_t i = 1; done && i < changes->n; i++)
		if (!strcmp(edit.changes[i - 1]->path, edit.changes[i]->path))
			done = err_set(err, ERR_INVALID, "'%s' is changed twice",
				       edit.changes[i]->path);
	git_id_to_raw(base, base_raw);
	if (done)
		done = edit_folder(&edit, has_base ? base_raw : NULL,
				   (struct range){ 0, changes->n, 0 }, raw, &is_empty, err);
	if (done)
		done = git_pack_add_blobs(pack, edit.blobs.v, edit.blobs.n, err);
	if (done)
		*out = git_id_from_raw(raw);
	arena_free(edit.arena);
	return done;
}
