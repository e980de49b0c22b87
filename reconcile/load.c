/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c — finds the files, decodes them in batches (one arena and one list of diagnostics each, so that threads share
 * nothing), then adds the objects to the model in order of path.
 */
#include "reconcile/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"
#include "model/base/limits.h"
#include "model/doc/yaml.h"
#include "model/kind/policy.h"
#include "model/kind/settings.h"

enum { BATCHES_PER_CORE = 4, FOLDER_DEPTH = 64, SETTINGS_FILES = 2 };

struct batch {
	const struct strings *paths;
	size_t first, last; /* paths[first … last) */
	const struct load_spec *spec;
	bool is_strict;
	struct arena *arena;
	struct diags diags;
	VEC(struct object *) objects;
	struct map later;
	struct markers markers;
	size_t n_documents, n_ignored;
};

static bool is_manifest_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (strcmp(name, "Kustomization") == 0)
		return true;
	return dot && dot != name &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

/* True when the link at `path` leads to a place below `root`. */
static bool is_inside(const char *root, const char *path)
{
	char real_root[PATH_MAX], real_path[PATH_MAX];
	size_t n;

	if (!realpath(root, real_root) || !realpath(path, real_path))
		return false;
	n = strlen(real_root);
	return strncmp(real_root, real_path, n) == 0 &&
	       (real_path[n] == '/' || real_path[n] == '\0');
}

struct walk {
	const char *root;
	struct arena *arena;
	struct strings *out;
	struct diags *diags;
	bool is_partial;
};

/* A problem of a file as a whole. */
static void note_problem(struct diags *diags, const char *path, enum severity severity,
			 const char *text)
{
	struct source_file *file = ARENA_NEW(diags->arena, struct source_file);

	file->path = path;
	diag_add(diags, severity, "file", file, (struct pos){ 0 }, 1, "%s", text);
}

static bool walk_folder(struct walk *walk, const char *folder, unsigned depth, struct err *err);

static bool add_file(struct walk *walk, const char *path, struct err *err)
{
	if (walk->out->n >= LIMIT_MANIFEST_FILES)
		return err_set(err, ERR_INVALID, "more than %u manifest files below '%s'",
			       LIMIT_MANIFEST_FILES, walk->root);
	vec_push(walk->arena, walk->out, path);
	return true;
}

static bool walk_entry(struct walk *walk, const char *path, const char *name, unsigned depth,
		       struct err *err)
{
	struct stat st;
	bool is_link;

	if (lstat(path, &st) < 0)
		return errno == ENOENT || err_sys(err, errno, "cannot look at '%s'", path);
	is_link = S_ISLNK(st.st_mode);
	if (is_link && stat(path, &st) < 0) {
		if (is_manifest_name(name)) {
			note_problem(walk->diags, path, SEVERITY_WARNING,
				     "link leads nowhere, not loaded");
			walk->is_partial = true;
		}
		return true;
	}
	if (S_ISDIR(st.st_mode))
		return is_link || walk_folder(walk, path, depth + 1, err);
	if (!S_ISREG(st.st_mode) || !is_manifest_name(name))
		return true;
	if (is_link && !is_inside(walk->root, path)) {
		note_problem(walk->diags, path, SEVERITY_ERROR,
			     "link leads out of the folder of the manifests");
		return true;
	}
	return add_file(walk, path, err);
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static bool walk_folder(struct walk *walk, const char *folder, unsigned depth, struct err *err)
{
	__attribute__((cleanup(close_dir))) DIR *dir = NULL;
	struct dirent *entry;

	if (depth > FOLDER_DEPTH)
		return err_set(err, ERR_INVALID, "folders below '%s' are nested more than %d deep",
			       walk->root, FOLDER_DEPTH);
	dir = opendir(folder);
	if (!dir)
		return err_sys(err, errno, "cannot read folder '%s'", folder);
	while ((entry = readdir(dir)) != NULL) {
		bool is_file = entry->d_type == DT_REG;
		const char *path;

		if (entry->d_name[0] == '.' || (is_file && !is_manifest_name(entry->d_name)))
			continue;
		path = path_join(walk->arena, folder, entry->d_name);
		if (!(is_file ? add_file(walk, path, err)
			      : walk_entry(walk, path, entry->d_name, depth, err)))
			return false;
	}
	return true;
}

static void count_later(struct arena *arena, struct map *later, const char *kind, uintptr_t n)
{
	uintptr_t before = (uintptr_t)map_get(later, kind);

	map_set(arena, later, before ? kind : arena_strdup(arena, kind), (void *)(before + n));
}

static void take_document(struct batch *batch, const struct source_file *file,
			  const struct node *document)
{
	const char *kind_text = node_text(document, "kind");
	const struct node *items = node_get(document, "items");
	struct object *object;
	enum kind kind;

	if (kind_text && strcmp(kind_text, "List") == 0 && items && items->kind == NODE_SEQ) {
		for (const struct node *item = items->first; item; item = item->next) {
			const char *inner = node_text(item, "kind");

			if (inner && strcmp(inner, "List") == 0)
				diag_add(&batch->diags, SEVERITY_ERROR, "list", file, item->pos, 1,
					 "a List in a List");
			else
				take_document(batch, file, item);
		}
		return;
	}
	batch->n_documents++;
	switch (document_class(document, &kind)) {
	case DOCUMENT_LATER:
		count_later(batch->arena, &batch->later, kind_text, 1);
		return;
	case DOCUMENT_FOREIGN:
		batch->n_ignored++;
		return;
	case DOCUMENT_OURS:
	case DOCUMENT_BROKEN:
		break;
	}
	object = object_decode(document, file, batch->arena, &batch->diags);
	if (!object) {
		batch->n_ignored += kind_info(kind)->is_workload;
		return;
	}
	object->tree = NULL; /* it goes with the file */
	vec_push(batch->arena, &batch->objects, object);
}

/* NULL: none. */
static const struct load_overlay *overlay_of(const struct load_spec *spec, const char *path)
{
	for (size_t i = 0; spec && i < spec->n_overlays; i++)
		if (strcmp(spec->overlays[i].path, path) == 0)
			return &spec->overlays[i];
	return NULL;
}

/* Texts of files are kept only with something to show; a dropped one has a length still. */
static void decode_text(struct batch *batch, const char *path, const char *text, size_t len)
{
	/* The trees go when the file is decoded; the texts stay with the objects. */
	struct arena *trees = arena_new();
	struct source_file *file = ARENA_NEW(batch->arena, struct source_file);
	struct documents documents = { 0 };
	size_t n_before = batch->diags.list.n, n_errors = batch->diags.n_errors;
	bool is_readable;

	*file = (struct source_file){ .path = path, .text = text, .len = len };
	yaml_parse_split(file, trees, batch->arena, &documents, &batch->diags);
	is_readable = batch->diags.n_errors == n_errors;
	for (size_t i = 0; i < documents.n; i++)
		take_document(batch, file, documents.v[i]);
	if (is_readable)
		markers_find(file, batch->arena, &batch->markers, &batch->diags);
	if (batch->paths && !overlay_of(batch->spec, path))
		file->text =
			batch->diags.list.n > n_before ? arena_copy(batch->arena, text, len) : NULL;
	arena_free(trees);
}

/* The folder of the file before is kept open: paths are in order, and looking one up costs as much as reading it. */
struct folder {
	int fd; /* -1: none */
	const char *path;
	size_t n; /* bytes of path with the last '/' */
};

/* What to open, relative to folder->fd or, when that fails, to where we are. */
static const char *enter_folder(struct folder *folder, const char *path, struct arena *scratch)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) + 1 : 0;

	if (folder->fd < 0 || n != folder->n || memcmp(path, folder->path, n) != 0) {
		fd_close(&folder->fd);
		folder->path = path;
		folder->n = n;
		folder->fd =
			n ? open(arena_copy(scratch, path, n), O_PATH | O_DIRECTORY | O_CLOEXEC)
			  : -1;
	}
	return folder->fd < 0 ? path : path + n;
}

static void decode_file(struct batch *batch, const char *path, struct folder *folder,
			struct arena *scratch)
{
	const struct load_overlay *overlay = overlay_of(batch->spec, path);
	const char *name = enter_folder(folder, path, scratch);
	struct err err = { 0 };
	char *text = NULL;
	size_t len = 0;

	if (overlay) {
		if (overlay->text)
			decode_text(batch, path, overlay->text, overlay->len);
		return;
	}
	/* Again by the whole path when it fails, for the error's sake. */
	if ((fs_read(folder->fd < 0 ? AT_FDCWD : folder->fd, name, LIMIT_FILE_BYTES, scratch, &text,
		     &len, &err) ||
	     fs_read(AT_FDCWD, path, LIMIT_FILE_BYTES, scratch, &text, &len, &err)) &&
	    text) {
		decode_text(batch, path, text, len);
		return;
	}
	note_problem(&batch->diags, path, SEVERITY_ERROR,
		     err.kind ? err.text : "cannot be read: there is no such file");
}

static void decode_batch(void *items, size_t i)
{
	struct batch *batch = &((struct batch *)items)[i];
	struct folder folder = { .fd = -1 };

	for (size_t at = batch->first; at < batch->last; at++) {
		struct arena *scratch = arena_new();

		decode_file(batch, batch->paths->v[at], &folder, scratch);
		arena_free(scratch);
	}
	fd_close(&folder.fd);
}

static void init_batch(struct batch *batch, bool is_strict)
{
	*batch = (struct batch){ .is_strict = is_strict, .arena = arena_new() };
	diags_init(&batch->diags, batch->arena);
	batch->diags.is_strict = is_strict;
}

static void keep_arena(struct loaded *out, struct arena *arena)
{
	out->arenas[out->n_arenas++] = arena;
}

/* With --settings, Settings of the folder are checked and then not used. */
static void merge_batch(struct loaded *out, struct batch *batch, bool without_settings)
{
	struct model *model = &out->model;

	diags_append(&out->diags, &batch->diags);
	for (size_t i = 0; i < batch->objects.n; i++) {
		struct object *object = batch->objects.v[i];
		bool is_settings = object->kind == KIND_SETTINGS;

		if (is_settings && without_settings)
			continue;
		if (is_settings && model->settings->file)
			diag_add(&out->diags, SEVERITY_ERROR, "second-settings", object->file,
				 object->pos, 1, "a second Settings document: the first is in %s",
				 model->settings->file->path);
		else
			model_add(model, object, &out->diags);
	}
	for (size_t i = 0; i < batch->later.n; i++)
		count_later(model->arena, &model->later, batch->later.items[i].key,
			    (uintptr_t)batch->later.items[i].value);
	for (size_t i = 0; i < batch->markers.n; i++)
		vec_push(model->arena, &out->markers, batch->markers.v[i]);
	model->markers = (struct list){ out->markers.v, out->markers.n };
	model->n_documents += batch->n_documents;
	model->n_ignored += batch->n_ignored;
	keep_arena(out, batch->arena);
}

static void decode_all(const struct load_spec *spec, const struct strings *paths,
		       struct arena *arena, struct loaded *out)
{
	size_t cores = spec->threads ? spec->threads : pool_cores();
	size_t n = cores * BATCHES_PER_CORE < paths->n ? cores * BATCHES_PER_CORE : paths->n;
	struct batch *batches = arena_array(arena, n, sizeof(*batches));

	for (size_t i = 0; i < n; i++) {
		init_batch(&batches[i], spec->is_strict);
		batches[i].paths = paths;
		batches[i].spec = spec;
		batches[i].first = paths->n * i / n;
		batches[i].last = paths->n * (i + 1) / n;
	}
	pool_each(cores, n, decode_batch, batches);
	out->arenas = arena_array(arena, n + SETTINGS_FILES, sizeof(struct arena *));
	for (size_t i = 0; i < n; i++)
		merge_batch(out, &batches[i], spec->settings != NULL);
	out->model.n_files = paths->n;
}

static bool read_stdin(struct arena *arena, char **text, size_t *len, struct err *err)
{
	AUTO_BUF all = BUF_INIT(LIMIT_FILE_BYTES);
	char chunk[65536];
	ssize_t n;

	while ((n = fd_read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (n < 0)
			return err_sys(err, errno, "cannot read standard input");
		buf_add(&all, chunk, (size_t)n);
		if (all.is_over)
			return err_set(err, ERR_INVALID, "standard input is longer than %u bytes",
				       LIMIT_FILE_BYTES);
	}
	*text = buf_copy(&all, arena);
	*len = all.len;
	return true;
}

bool load_text(const char *path, struct arena *arena, struct source_file *out, struct err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	char *text = NULL;

	*out = (struct source_file){ .path = is_stdin ? "<stdin>" : path };
	if (is_stdin ? !read_stdin(arena, &text, &out->len, err)
		     : !fs_read(AT_FDCWD, path, LIMIT_FILE_BYTES, arena, &text, &out->len, err))
		return false;
	out->text = text;
	return text || err_set(err, ERR_ABSENT, "there is no file '%s'", path);
}

static bool load_stdin(const struct load_spec *spec, struct arena *arena, struct loaded *out,
		       struct err *err)
{
	struct batch batch;
	char *text;
	size_t len;

	if (!read_stdin(arena, &text, &len, err))
		return false;
	init_batch(&batch, spec->is_strict);
	decode_text(&batch, "<stdin>", text, len);
	out->arenas = arena_array(arena, 1 + SETTINGS_FILES, sizeof(struct arena *));
	merge_batch(out, &batch, spec->settings != NULL);
	out->model.n_files = 1;
	return true;
}

/* "./x" and "x//y" are shown as the user wrote them, without a trailing slash. */
static char *shown_path(struct arena *arena, const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return arena_copy(arena, path, n);
}

static bool find_files(const struct load_spec *spec, struct arena *arena, struct loaded *out,
		       struct strings *paths, struct err *err)
{
	char *root = shown_path(arena, spec->path);
	struct walk walk = { .root = root, .arena = arena, .out = paths, .diags = &out->diags };
	char real[PATH_MAX];
	struct stat st;

	if (stat(root, &st) < 0)
		return err_sys(err, errno, "cannot read manifests from '%s'", root);
	if (!realpath(root, real))
		return err_sys(err, errno, "cannot find the place of '%s'", root);
	out->dir = out->place = arena_strdup(arena, real);
	out->shown = root;
	if (!S_ISDIR(st.st_mode)) {
		*strrchr(real, '/') = '\0';
		out->dir = arena_strdup(arena, real[0] ? real : "/");
		vec_push(arena, paths, root);
		return true;
	}
	if (!walk_folder(&walk, root, 0, err))
		return false;
	out->is_partial = walk.is_partial;
	if (paths->n)
		qsort(paths->v, paths->n, sizeof(*paths->v), strings_compare);
	return true;
}

static void drop_dot(struct strings *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		if (strncmp(paths->v[i], "./", 2) == 0)
			paths->v[i] += 2;
}

/* Mistakes between objects are found when the texts are gone: those to be shown are read again. */
static void read_excerpts(struct diags *diags, struct arena *arena)
{
	for (size_t i = 0; i < diags->list.n; i++) {
		struct source_file *file = (void *)(uintptr_t)diags->list.v[i].file; /* ours */
		struct err err = { 0 };
		char *text = NULL;
		size_t len;

		if (!file || file->text || !file->len)
			continue;
		if (fs_read(AT_FDCWD, file->path, LIMIT_FILE_BYTES, arena, &text, &len, &err) &&
		    text && len == file->len)
			file->text = text;
		else
			file->len = 0; /* gone or changed: shown without */
	}
}

/* A file that holds one Settings document and nothing else. */
static const struct settings *read_settings(const char *path, struct loaded *out)
{
	const struct settings *found = NULL;
	struct folder folder = { .fd = -1 };
	struct batch batch;

	init_batch(&batch, out->diags.is_strict);
	/* The text stays, for the excerpts of its mistakes. */
	decode_file(&batch, arena_strdup(batch.arena, path), &folder, batch.arena);
	fd_close(&folder.fd);
	for (size_t i = 0; i < batch.objects.n; i++) {
		const struct object *object = batch.objects.v[i];

		if (object->kind == KIND_SETTINGS && !found)
			found = object->spec;
		else
			diag_add(&batch.diags, SEVERITY_ERROR, "settings-file", object->file,
				 object->pos, 1, "%s: a settings file holds one Settings document",
				 object->id);
	}
	if (!found && !batch.diags.n_errors)
		note_problem(&batch.diags, arena_strdup(batch.arena, path), SEVERITY_ERROR,
			     "holds no Settings document");
	diags_append(&out->diags, &batch.diags);
	keep_arena(out, batch.arena);
	return found;
}

/*
 * --settings counts alone. Else the folder's count, but for what only a trusted place may say: that comes from the user's
 * own file, or is the default.
 */
static void choose_settings(const struct load_spec *spec, struct arena *arena, struct loaded *out)
{
	struct model *model = &out->model;
	const struct settings *found, *user = NULL;

	if (spec->settings) {
		found = read_settings(spec->settings, out);
		if (found)
			model->settings = found;
		out->has_trusted_settings = true;
		return;
	}
	if (spec->user && fs_exists(spec->user))
		user = read_settings(spec->user, out);
	if (user && !model->settings->file) {
		model->settings = user;
		out->has_trusted_settings = true;
		return;
	}
	out->has_trusted_settings = !model->settings->file;
	model->settings = settings_distrust(model->settings, arena, &out->dropped);
	if (user)
		model->settings = settings_trust(model->settings, user, arena);
}

/* Files that are only in the overlays. */
static void add_overlays(const struct load_spec *spec, struct arena *arena, struct strings *paths)
{
	size_t n_before = paths->n;

	for (size_t i = 0; i < spec->n_overlays; i++)
		if (!strings_has(paths, spec->overlays[i].path))
			vec_push(arena, paths, spec->overlays[i].path);
	if (paths->n > n_before)
		qsort(paths->v, paths->n, sizeof(*paths->v), strings_compare);
}

bool load_manifests(const struct load_spec *spec, struct arena *arena, struct loaded *out,
		    struct err *err)
{
	struct strings paths = { 0 };

	*out = (struct loaded){ 0 };
	model_init(&out->model, arena);
	diags_init(&out->diags, arena);
	out->diags.is_strict = spec->is_strict;
	if (strcmp(spec->path, "-") == 0) {
		char *here = realpath(".", NULL);

		out->dir = arena_strdup(arena, here ? here : "/");
		free(here);
		if (!load_stdin(spec, arena, out, err))
			return false;
	} else {
		if (!find_files(spec, arena, out, &paths, err))
			return false;
		if (strcmp(spec->path, ".") == 0) {
			drop_dot(&paths);
			out->shown = "";
		}
		add_overlays(spec, arena, &paths);
		out->files = paths;
		decode_all(spec, &paths, arena, out);
	}
	choose_settings(spec, arena, out);
	model_link(&out->model, &out->diags);
	read_excerpts(&out->diags, arena);
	diags_sort(&out->diags);
	return true;
}

void loaded_release(struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->n_arenas; i++)
		arena_free(loaded->arenas[i]);
	loaded->n_arenas = 0;
}
