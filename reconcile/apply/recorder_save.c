/* SPDX-License-Identifier: Apache-2.0 */
/* recorder_save.c — what is pending as a document, and back: for a state branch that did not take it. */
#include <stdint.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "reconcile/apply/recorder_parts.h"

#define RECORDS "cluster/images/"

/* A claim is worth nothing without the run that made it. */
static bool is_claim(const struct recorder *recorder, const struct pending *pending)
{
	struct claim claim;

	for (size_t i = 0; pending->entry && status_claim_at(pending->entry, i, &claim); i++)
		if (claim.run_id && strcmp(claim.run_id, recorder->spec.run_id) == 0 &&
		    *claim.lease_s)
			return true;
	return false;
}

static void save_file(struct node *list, const struct file_change *file, struct arena *arena)
{
	struct node *node = node_new(arena, NODE_MAP);

	node_set_text(arena, node, "path", file->path);
	node_set_text(arena, node, "text", file->bytes);
	node_push(list, node);
}

static struct node *save_files(const struct file_change *files, size_t n, struct arena *arena)
{
	struct node *list = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < n; i++)
		save_file(list, &files[i], arena);
	return list;
}

static struct node *save_pending(const struct pending *pending, struct arena *arena)
{
	struct node *node = node_new(arena, NODE_MAP);

	node_set_text(arena, node, "id", pending->id);
	node_set_text(arena, node, "path", pending->path);
	node_set_text(arena, node, "line", pending->line);
	node_set_text(arena, node, "base", pending->base);
	node_set(arena, node, "files", save_files(pending->files.v, pending->files.n, arena));
	if (pending->records.n)
		node_set(arena, node, "records",
			 save_files(pending->records.v, pending->records.n, arena));
	return node;
}

struct node *recorder_save(const struct recorder *recorder, struct arena *arena)
{
	struct node *root = node_new(arena, NODE_MAP), *objects = node_new(arena, NODE_SEQ);
	struct node *logs = save_files(recorder->unkept.v, recorder->unkept.n, arena);

	for (size_t i = 0; i < recorder->by_id.n; i++) {
		const struct pending *pending = recorder->by_id.items[i].value;

		if (!pending->too_large && !is_claim(recorder, pending))
			node_push(objects, save_pending(pending, arena));
	}
	if (!objects->first)
		return NULL;
	for (size_t i = 0; i < recorder->logs.n; i++)
		save_file(logs, &recorder->logs.v[i], arena);
	node_set_text(arena, root, "run", recorder->spec.run_id);
	node_set_text(arena, root, "sourceCommit", recorder->spec.source_commit);
	node_set(arena, root, "objects", objects);
	if (logs->first)
		node_set(arena, root, "logs", logs);
	return root;
}

static bool damaged(struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, "%s is not as a run writes it", what);
}

/* The status file itself, what lies in its folder, or the folder. */
static bool is_of(const struct pending *pending, const char *path)
{
	size_t n = strlen(pending->path) - strlen(".yaml");

	return strcmp(path, pending->path) == 0 ||
	       (strncmp(path, pending->path, n) == 0 && (path[n] == '/' || !path[n]));
}

static bool load_file(const struct node *node, struct arena *arena, struct file_change *out,
		      struct err *err)
{
	const char *path = node_text(node, "path"), *text = node_text(node, "text");

	*out = (struct file_change){ 0 };
	if (!path || !path_is_inside(path) || (text && strlen(text) > LIMIT_STATE_BLOB))
		return damaged(err, "a file in it");
	out->path = arena_strdup(arena, path);
	out->bytes = text ? arena_strdup(arena, text) : NULL;
	out->n = text ? strlen(text) : 0;
	return true;
}

static bool load_files(struct recorder *recorder, const struct node *node, struct pending *pending,
		       struct err *err)
{
	const struct node *files = node_get(node, "files"), *records = node_get(node, "records");
	struct file_change file;

	for (const struct node *at = files ? files->first : NULL; at; at = at->next) {
		if (!load_file(at, recorder->arena, &file, err))
			return false;
		if (!is_of(pending, file.path))
			return damaged(err, file.path);
		vec_push(recorder->arena, &pending->files, file);
	}
	for (const struct node *at = records ? records->first : NULL; at; at = at->next) {
		if (!load_file(at, recorder->arena, &file, err))
			return false;
		if (!file.bytes || strncmp(file.path, RECORDS, strlen(RECORDS)) != 0)
			return damaged(err, file.path);
		vec_push(recorder->arena, &pending->records, file);
	}
	if (!pending->files.n || strcmp(pending->files.v[0].path, pending->path) != 0)
		return damaged(err, pending->path);
	return true;
}

/* What the texts say, as it was when they were put. */
static bool understand(struct recorder *recorder, struct pending *pending, struct err *err)
{
	struct arena *arena = recorder->arena;
	const char *ours = pending->files.v[0].bytes;
	struct state_entry *base = NULL;
	struct object *object;

	/* Also of what is only removed. */
	if (!state_is_of(pending->path, pending->id, arena))
		return damaged(err, pending->id);
	if (pending->base && !state_parse(pending->path, pending->base, arena, &base, err))
		return false;
	pending->own_base = base ? base->status : NULL;
	if (!ours)
		return true;
	if (!state_parse(pending->path, ours, arena, &pending->entry, err))
		return false;
	object = ARENA_NEW(arena, struct object);
	*object = (struct object){ .kind = pending->entry->kind,
				   .id = pending->entry->id,
				   .meta = { .name = pending->entry->name,
					     .ns = pending->entry->ns } };
	pending->object = object;
	pending->origin = &pending->entry->origin;
	pending->own = pending->entry->status;
	return true;
}

static bool load_pending(struct recorder *recorder, const struct node *node, struct err *err)
{
	struct arena *arena = recorder->arena;
	struct pending *pending = ARENA_NEW(arena, struct pending);
	const char *id = node_text(node, "id"), *path = node_text(node, "path");
	const char *line = node_text(node, "line"), *base = node_text(node, "base");
	size_t n = path ? strlen(path) : 0;

	if (!id || !line || n <= strlen(".yaml") ||
	    strcmp(path + n - strlen(".yaml"), ".yaml") != 0)
		return damaged(err, "an object in it");
	*pending = (struct pending){ .id = arena_strdup(arena, id),
				     .path = arena_strdup(arena, path),
				     .line = arena_strdup(arena, line),
				     .base = base ? arena_strdup(arena, base) : NULL };
	if (!load_files(recorder, node, pending, err) || !understand(recorder, pending, err))
		return false;
	map_set(arena, &recorder->by_id, pending->id, pending);
	return true;
}

bool recorder_load(struct recorder *recorder, const struct node *saved, struct err *err)
{
	const struct node *objects = node_get(saved, "objects"), *logs = node_get(saved, "logs");
	struct file_change log;

	for (const struct node *at = objects ? objects->first : NULL; at; at = at->next)
		if (!load_pending(recorder, at, err))
			return false;
	if (!recorder->by_id.n)
		return damaged(err, "the list of objects");
	for (const struct node *at = logs ? logs->first : NULL; at; at = at->next) {
		if (!load_file(at, recorder->arena, &log, err))
			return false;
		vec_push(recorder->arena, &recorder->logs, log);
	}
	/* Whatever is at the tip came after it. */
	recorder->has_moved = true;
	return true;
}

/* Its builds are recorded word for word: it landed, and others went on from there. */
static bool has_landed(const struct recorder *recorder, const struct pending *pending, bool *out,
		       struct err *err)
{
	struct arena *arena = arena_new();
	struct store_file there;
	bool is_done = true;

	*out = false;
	for (size_t i = 1; is_done && i < pending->files.n; i++) {
		const struct file_change *file = &pending->files.v[i];

		if (!file->bytes)
			continue;
		is_done = store_read(recorder->spec.store, file->path, arena, &there, err);
		*out = is_done && there.bytes && strcmp(there.bytes, file->bytes) == 0;
		if (!*out)
			break;
	}
	arena_free(arena);
	return is_done;
}

bool recorder_drop_landed(struct recorder *recorder, size_t *n, struct err *err)
{
	struct map kept = { 0 };
	bool is_landed;

	*n = 0;
	for (size_t i = 0; i < recorder->by_id.n; i++) {
		struct pending *pending = recorder->by_id.items[i].value;

		if (!has_landed(recorder, pending, &is_landed, err))
			return false;
		*n += is_landed;
		if (!is_landed)
			map_set(recorder->arena, &kept, pending->id, pending);
	}
	recorder->by_id = kept;
	return true;
}
