/* SPDX-License-Identifier: Apache-2.0 */
/* layers_dir.c — see layers_dir.h. */
#include "buildexec/cnb/layers_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "buildexec/cnb/foreign.h"
#include "buildexec/cnb/layer_file.h"
#include "buildexec/cnb/value.h"
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

	if (n <= 5 || strcmp(file + n - 5, ".toml") != 0)
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

/* Nothing of that name, or a link to nothing, in this folder; where a link leads outside of it is not looked at. */
static bool leads_nowhere(const char *dir, const char *name)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH };
	AUTO_FD root = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_FD fd = (int)syscall(SYS_openat2, root, name, &how, sizeof(how));

	return fd < 0 && errno == ENOENT;
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

/*
 * A link is taken as it is and not followed: it counts unless it leads to nothing within this folder. The reference asks
 * whether the path leads anywhere (buildpack/layers.go, HasLocalContents), and archives files and links as they are.
 */
static bool has_contents(const char *dir, const char *name, const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return false;
	return S_ISLNK(st.st_mode) ? !leads_nowhere(dir, name)
				   : S_ISDIR(st.st_mode) || S_ISREG(st.st_mode);
}

static void read_layer(const char *dir, const char *name, struct api api, struct arena *arena,
		       struct fs_layer *out)
{
	const char *toml = arena_printf(arena, "%s.toml", name);
	struct err problem = { 0 };

	*out = (struct fs_layer){ .record = { .name = name, .sha = "" },
				  .path = path_join(arena, dir, name) };
	out->has_contents = has_contents(dir, name, out->path);
	if (!leads_nowhere(dir, toml) &&
	    !read_toml(path_join(arena, dir, toml), api, arena, &out->record, &problem)) {
		out->problem = arena_strdup(arena, problem.text);
		out->record = (struct layer_record){ .name = name, .sha = "" };
	}
}

/* Of store.toml only [metadata] is kept. */
static struct node *store_metadata(const struct node *toml, struct arena *arena)
{
	const struct node *metadata = value_free_table(toml, "metadata");
	struct node *out = node_new(arena, NODE_MAP);

	node_set(arena, out, "metadata",
		 metadata ? node_clone(arena, metadata) : node_new(arena, NODE_NULL));
	return out;
}

bool layers_dir_read(const char *path, struct api api, struct arena *arena, struct layers_dir *out,
		     struct err *err)
{
	const char *store_path = path_join(arena, path, "store.toml");
	struct strings names = { 0 };
	struct node *store = NULL;

	*out = (struct layers_dir){ 0 };
	if (!fs_exists(path))
		return true;
	if (!foreign_is_dir(path))
		return err_set(err, ERR_INVALID, "'%s' is no folder", path);
	if (!list_layers(path, arena, &names, err) ||
	    (!foreign_is_dir(store_path) && !foreign_toml(store_path, arena, &store, err)))
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
