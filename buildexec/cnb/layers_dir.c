/* SPDX-License-Identifier: Apache-2.0 */
/* layers_dir.c — see layers_dir.h. */
#include "buildexec/cnb/layers_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/cnb/foreign.h"
#include "buildexec/cnb/layer_file.h"
#include "buildexec/sys/fs.h"

const char *cnb_escape_id(const char *id, struct arena *arena)
{
	char *out = arena_strdup(arena, id);

	for (char *c = out; *c; c++)
		if (*c == '/')
			*c = '_';
	return out;
}

/* "x.toml" → "x" for the files that describe layers. */
static const char *layer_of_toml(const char *file, struct arena *arena)
{
	static const char *const not_layers[] = { "store", "launch", "build" };
	size_t n = strlen(file);
	const char *name;

	if (n < 5 || strcmp(file + n - 5, ".toml") != 0)
		return NULL;
	name = arena_copy(arena, file, n - 5);
	for (size_t i = 0; i < COUNTOF(not_layers); i++)
		if (strcmp(name, not_layers[i]) == 0)
			return NULL;
	return name;
}

static bool list_layers(const char *path, struct arena *arena, struct strings *out, struct err *err)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return err_sys(err, errno, "cannot list '%s'", path);
	while ((entry = readdir(dir))) {
		const char *name = arena_strdup(arena, entry->d_name);

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (!foreign_is_dir(path_join(arena, path, name)))
			name = layer_of_toml(name, arena);
		if (name && !strings_has(out, name))
			vec_push(arena, out, name);
	}
	closedir(dir);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), strings_compare);
	return true;
}

static bool read_toml(const char *path, struct api api, struct arena *arena,
		      struct layer_record *record, struct err *err)
{
	struct layer_file file;
	struct node *toml;

	if (!foreign_toml(path, arena, &toml, err))
		return false;
	if (!toml)
		return true;
	if (!layer_file_decode(toml, api, &file, err))
		return false;
	record->data = file.metadata;
	record->is_build = file.is_build;
	record->is_launch = file.is_launch;
	record->is_cache = file.is_cache;
	return true;
}

static void read_layer(const char *dir, const char *name, struct api api, struct arena *arena,
		       struct fs_layer *out)
{
	struct err problem = { 0 };

	*out = (struct fs_layer){ .record = { .name = name, .sha = "" },
				  .path = path_join(arena, dir, name) };
	out->has_contents = foreign_is_dir(out->path);
	if (!read_toml(arena_printf(arena, "%s.toml", out->path), api, arena, &out->record,
		       &problem)) {
		out->problem = arena_strdup(arena, problem.text);
		out->record = (struct layer_record){ .name = name, .sha = "" };
	}
}

/* Of store.toml only [metadata] is kept. */
static struct node *store_metadata(const struct node *toml, struct arena *arena)
{
	const struct node *metadata = node_get(toml, "metadata");
	struct node *out = node_new(arena, NODE_MAP);

	node_set(arena, out, "metadata",
		 metadata ? node_clone(arena, metadata) : node_new(arena, NODE_NULL));
	return out;
}

bool layers_dir_read(const char *path, struct api api, struct arena *arena, struct layers_dir *out,
		     struct err *err)
{
	struct strings names = { 0 };
	struct node *store;

	*out = (struct layers_dir){ 0 };
	if (!fs_exists(path))
		return true;
	if (!foreign_is_dir(path))
		return err_set(err, ERR_INVALID, "'%s' is no folder", path);
	if (!list_layers(path, arena, &names, err) ||
	    !foreign_toml(path_join(arena, path, "store.toml"), arena, &store, err))
		return false;
	if (store)
		out->store = store_metadata(store, arena);
	for (size_t i = 0; i < names.n; i++) {
		struct fs_layer layer;

		read_layer(path, names.v[i], api, arena, &layer);
		vec_push(arena, out, layer);
	}
	return true;
}
