/* SPDX-License-Identifier: Apache-2.0 */
/* state_read.c — files are parsed in batches, one arena each, by all cores. */
#include "reconcile/apply/state_read.h"

#include <stdint.h>
#include <string.h>

#include "buildexec/sys/pool.h"
#include "model/doc/yaml.h"
#include "model/kind/build_config_status.h"
#include "model/kind/image_record.h"

enum { BATCHES_PER_CORE = 4 };

struct batch {
	const struct store_files *files;
	size_t first, last;
	struct arena *arena;
	VEC(struct state_entry *) entries;
	struct err err;
};

static bool ends_with(const char *text, const char *tail)
{
	size_t n = strlen(text), m = strlen(tail);

	return n >= m && strcmp(text + n - m, tail) == 0;
}

/* "<ns>/images/cart/builds" and its images' own folders hold records, not statuses. */
static bool want_status(void *ctx, const char *path, bool is_dir)
{
	size_t depth = 0;

	(void)ctx;
	/* Records of images are many, and nobody plans by them. */
	if (strcmp(path, "cluster/images") == 0)
		return false;
	for (const char *at = path; *at; at++)
		depth += *at == '/';
	return is_dir ? depth < 2 : depth == 2 && ends_with(path, ".yaml");
}

static enum kind kind_of_path(const char *path, bool *is_cluster)
{
	const char *folder = strchr(path, '/') + 1;
	size_t n = strcspn(folder, "/");

	*is_cluster = strncmp(path, "cluster/", 8) == 0;
	for (enum kind kind = KIND_NONE + 1; kind < KINDS; kind++) {
		const struct kind_info *info = kind_info(kind);

		if (info->state_folder && info->is_cluster == *is_cluster &&
		    strlen(info->state_folder) == n && strncmp(info->state_folder, folder, n) == 0)
			return kind;
	}
	return KIND_NONE;
}

/* The tree goes into `trees`, its texts into `arena`: decoded statuses need the texts alone. */
static bool parse_file(const struct store_file *file, struct arena *trees, struct arena *arena,
		       struct node **out, struct err *err)
{
	struct source_file source = { .path = file->path, .text = file->bytes, .len = file->n };
	struct documents documents = { 0 };
	struct diags diags;

	diags_init(&diags, trees);
	yaml_parse_split(&source, trees, arena, &documents, &diags);
	if (diags.n_errors || documents.n != 1) {
		const struct diag *first = diags.list.n ? &diags.list.v[0] : NULL;

		if (!first)
			return err_set(err, ERR_INVALID,
				       "state file '%s' is damaged: it is not one document",
				       file->path);
		return err_set(err, ERR_INVALID, "state file '%s' is damaged: line %u: %s",
			       file->path, first->pos.line, first->text);
	}
	*out = documents.v[0];
	return true;
}

static bool name_entry(struct state_entry *entry, const char *said, struct arena *arena)
{
	entry->name = path_name(entry->path, said, arena);
	if (!entry->name)
		return false;
	entry->id = object_id(entry->kind, entry->ns, entry->name, arena);
	return true;
}

static bool read_status(struct batch *batch, const struct store_file *file,
			struct state_entry *entry)
{
	struct arena *trees = arena_new();
	struct node *document;
	void *status = NULL;
	bool done = parse_file(file, trees, batch->arena, &document, &batch->err);

	if (done &&
	    !name_entry(entry, node_text(node_get(document, "metadata"), "name"), batch->arena))
		done = err_set(&batch->err, ERR_INVALID,
			       "state file '%s': 'metadata.name' is not of this file", file->path);
	if (done && !status_read(entry->kind, document, batch->arena, &status, &batch->err))
		done = err_prefix(&batch->err, "state file '%s'", file->path);
	entry->status = status;
	if (done)
		entry->origin = origin_read(document);
	arena_free(trees);
	return done;
}

/* The kind and the namespace by the path of a status; NULL: it is none. */
static struct state_entry *entry_at(const char *path, struct arena *arena)
{
	struct state_entry *entry;
	bool is_cluster;
	enum kind kind = kind_of_path(path, &is_cluster);

	if (kind == KIND_NONE)
		return NULL;
	entry = ARENA_NEW(arena, struct state_entry);
	entry->kind = kind;
	entry->ns = is_cluster ? "" : path_namespace(path, arena);
	entry->path = path;
	return entry;
}

static bool read_entry(struct batch *batch, const struct store_file *file)
{
	struct state_entry *entry = entry_at(file->path, batch->arena);

	if (!entry)
		return true;
	if (!read_status(batch, file, entry))
		return false;
	vec_push(batch->arena, &batch->entries, entry);
	return true;
}

bool state_is_of(const char *path, const char *id, struct arena *arena)
{
	struct state_entry *entry = want_status(NULL, path, false) ? entry_at(path, arena) : NULL;
	const char *slash = strrchr(id, '/');

	return entry && name_entry(entry, slash ? slash + 1 : id, arena) &&
	       strcmp(entry->id, id) == 0;
}

bool state_parse(const char *path, const char *text, struct arena *arena, struct state_entry **out,
		 struct err *err)
{
	struct batch batch = { .arena = arena };
	const struct store_file file = { path, text, strlen(text) };

	*out = NULL;
	if (want_status(NULL, path, false) && !read_entry(&batch, &file)) {
		*err = batch.err;
		return false;
	}
	if (!batch.entries.n)
		return err_set(err, ERR_INVALID, "'%s' is no file of a status", path);
	*out = batch.entries.v[0];
	return true;
}

static void read_batch(void *items, size_t i)
{
	struct batch *batch = &((struct batch *)items)[i];

	for (size_t at = batch->first; at < batch->last; at++)
		if (!read_entry(batch, &batch->files->v[at]))
			return;
}

static bool merge(struct batch *batches, size_t n, struct arena *arena, struct state_files *out,
		  struct err *err)
{
	out->arenas = arena_array(arena, n, sizeof(struct arena *));
	for (size_t i = 0; i < n; i++)
		out->arenas[out->n_arenas++] = batches[i].arena;
	for (size_t i = 0; i < n; i++) {
		if (batches[i].err.kind) {
			*err = batches[i].err;
			return false;
		}
		for (size_t k = 0; k < batches[i].entries.n; k++)
			map_set(arena, &out->state.by_id, batches[i].entries.v[k]->id,
				batches[i].entries.v[k]);
	}
	return true;
}

bool state_read(struct store *store, struct arena *arena, struct state_files *out, struct err *err)
{
	const struct git_id *commit = store_commit_id(store);
	size_t n = pool_cores() * BATCHES_PER_CORE;
	struct batch *batches;

	*out = (struct state_files){ .state.arena = arena };
	if (!store_read_all(store, want_status, NULL, arena, &out->files, err))
		return false;
	if (commit->hex[0])
		out->state.commit = arena_strdup(arena, commit->hex);
	for (size_t i = 0; i < out->files.n; i++)
		map_set(arena, &out->bytes_by_path, out->files.v[i].path,
			(void *)(uintptr_t)out->files.v[i].bytes);
	if (n > out->files.n)
		n = out->files.n;
	batches = arena_array(arena, n, sizeof(*batches));
	for (size_t i = 0; i < n; i++)
		batches[i] = (struct batch){ .files = &out->files,
					     .first = out->files.n * i / n,
					     .last = out->files.n * (i + 1) / n,
					     .arena = arena_new() };
	pool_each(0, n, read_batch, batches);
	if (merge(batches, n, arena, out, err))
		return true;
	state_files_release(out);
	return false;
}

void state_files_release(struct state_files *files)
{
	for (size_t i = 0; i < files->n_arenas; i++)
		arena_free(files->arenas[i]);
	files->n_arenas = 0;
}

void state_files_replace(struct state_files *files, const struct state_files *fresh,
			 struct arena *arena)
{
	const struct map numbers = files->state.numbers;
	struct arena **all =
		arena_array(arena, files->n_arenas + fresh->n_arenas, sizeof(struct arena *));

	if (fresh->n_arenas)
		memcpy(all, fresh->arenas, fresh->n_arenas * sizeof(*all));
	if (files->n_arenas)
		memcpy(all + fresh->n_arenas, files->arenas, files->n_arenas * sizeof(*all));
	all = files->n_arenas + fresh->n_arenas ? all : NULL;
	*files = (struct state_files){ .state = fresh->state,
				       .files = fresh->files,
				       .bytes_by_path = fresh->bytes_by_path,
				       .arenas = all,
				       .n_arenas = files->n_arenas + fresh->n_arenas };
	files->state.numbers = numbers;
}

static int64_t *lease_in_history(const struct build_config_status *status)
{
	for (size_t i = status->history.n; i; i--) {
		struct bc_history_entry *entry =
			LIST_AT(status->history, struct bc_history_entry, i - 1);

		if (entry->number == status->last->number)
			return entry->lease_s ? &entry->lease_s : NULL;
	}
	return NULL;
}

bool status_claim(const struct state_entry *entry, struct claim *out)
{
	const struct build_config_status *config = entry->status;
	const struct image_status *image = entry->status;

	*out = (struct claim){ 0 };
	if (entry->kind == KIND_IMAGE && image->last)
		*out = (struct claim){ image->last->run_id, &image->last->lease_s, NULL };
	else if (kind_has_builds(entry->kind) && config->last)
		*out = (struct claim){ config->last->run_id, &config->last->lease_s,
				       lease_in_history(config) };
	return out->lease_s != NULL;
}

bool status_claim_at(const struct state_entry *entry, size_t i, struct claim *out)
{
	const struct build_config_status *config = entry->status;
	struct bc_history_entry *build;

	if (i == 0 && status_claim(entry, out))
		return true;
	*out = (struct claim){ 0 };
	if (!kind_has_builds(entry->kind) || i > config->history.n)
		return false;
	if (i == 0)
		return true;
	build = LIST_AT(config->history, struct bc_history_entry, i - 1);
	*out = (struct claim){ build->run_id, &build->lease_s, NULL };
	return true;
}

bool state_read_record(struct store *store, const char *path, struct arena *arena,
		       struct node **out, struct err *err)
{
	struct store_file file;

	*out = NULL;
	if (!store_read(store, path, arena, &file, err))
		return false;
	return !file.bytes || parse_file(&file, arena, arena, out, err);
}

bool state_read_build(struct store *store, const char *ns, const char *image, int64_t number,
		      struct arena *arena, struct build_record *out, struct err *err)
{
	struct node *document;

	if (!state_read_record(store, build_path(ns, image, number, arena), arena, &document, err))
		return false;
	if (!document)
		return err_set(err, ERR_ABSENT, "build \"%lld\" not found", (long long)number);
	return build_read(document, arena, out, err);
}

bool state_read_image(struct store *store, const char *digest, struct arena *arena,
		      struct image_record *out, struct err *err)
{
	struct store_file file;
	struct node *document;

	if (!store_read(store, image_record_path(digest, arena), arena, &file, err))
		return false;
	if (!file.bytes)
		return err_set(err, ERR_ABSENT, "image \"%s\" not found", digest);
	return parse_file(&file, arena, arena, &document, err) &&
	       image_record_read(document, arena, out, err);
}
