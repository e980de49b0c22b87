/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c — finds by reading files, not through the model: a manifest with mistakes can be mended by these commands too. */
#include "reconcile/manifest.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/text_diff.h"
#include "reconcile/look.h"

enum { FILE_MODE = 0644, CONTEXT_LINES = 3 };

static bool load(const struct manifests *all, const struct load_overlay *overlays,
		 struct loaded *out, struct err *err)
{
	const struct context *context = all->context;
	const struct load_spec spec = { .path = context_dir(context),
					.settings = context->options.settings,
					.overlays = overlays,
					.n_overlays = overlays ? all->files.n : 0,
					.is_strict = context->options.is_strict };

	if (strcmp(spec.path, "-") == 0)
		return err_set(err, ERR_INVALID, "manifests on standard input cannot be edited");
	return load_manifests(&spec, context->arena, out, err);
}

bool manifests_open(struct context *context, struct manifests *out, struct err *err)
{
	struct loaded loaded;

	*out = (struct manifests){ .context = context };
	if (!load(out, NULL, &loaded, err))
		return false;
	out->n_errors = loaded.diags.n_errors;
	out->paths = loaded.files;
	out->dir = loaded.dir;
	loaded_release(&loaded);
	return true;
}

/* What is looked for: one of the kind's names at a time. */
struct search {
	struct manifests *all;
	struct edit_object object;
	struct declared *out;
	bool is_found;
};

static struct manifest_file *find_file(const struct manifests *all, const char *path)
{
	for (size_t i = 0; i < all->files.n; i++)
		if (strcmp(all->files.v[i]->path, path) == 0)
			return all->files.v[i];
	return NULL;
}

static bool open_file(const struct manifests *all, const char *path, const char *text, size_t len,
		      struct manifest_file **out, struct err *err)
{
	const struct source_file source = { .path = path, .text = text, .len = len };

	*out = ARENA_NEW(all->context->arena, struct manifest_file);
	**out = (struct manifest_file){ .path = path, .before = text, .n_before = len };
	return edit_open(&(*out)->edit, &source, all->context->arena, err);
}

/* A file that cannot hold the object is not worth parsing. */
static bool may_hold(const struct search *search, const char *text, size_t len)
{
	return memmem(text, len, search->object.name, strlen(search->object.name)) &&
	       memmem(text, len, search->object.kind, strlen(search->object.kind));
}

static bool look_into(struct search *search, const char *path, struct err *err)
{
	struct manifests *all = search->all;
	struct manifest_file *file = find_file(all, path);
	struct declared here = { .file = file };
	bool is_here = false, is_known = file != NULL;
	char *text = NULL;
	size_t len = 0;

	if (!is_known) {
		if (!fs_read(AT_FDCWD, path, LIMIT_FILE_BYTES, all->context->arena, &text, &len,
			     err))
			return false;
		if (!text || !may_hold(search, text, len))
			return true;
		if (!open_file(all, path, text, len, &here.file, err))
			return false;
	}
	if (!edit_find(&here.file->edit, &search->object, &here.at, &is_here, err))
		return false;
	if (!is_here)
		return true;
	if (search->is_found)
		return err_set(err, ERR_INVALID, "%s '%s' is declared twice: at %s and at %s",
			       search->object.kind, search->object.name,
			       manifest_where(search->out), manifest_where(&here));
	if (!is_known)
		vec_push(all->context->arena, &all->files, here.file);
	here.before = manifest_node(&here);
	*search->out = here;
	search->is_found = true;
	return true;
}

static bool look_for(struct search *search, const char *kind, struct err *err)
{
	const struct manifests *all = search->all;

	search->object.kind = kind;
	for (size_t i = 0; i < all->paths.n; i++)
		if (!look_into(search, all->paths.v[i], err))
			return false;
	return true;
}

bool manifest_find(struct manifests *all, const struct manifest_id *id, struct declared *out,
		   bool *is_found, struct err *err)
{
	const struct kind_info *info = kind_info(id->kind);
	struct search search = { .all = all,
				 .object = { .group = info->group,
					     .name = id->name,
					     .ns = info->is_cluster ? NULL : id->ns,
					     .default_ns = "default" },
				 .out = out };

	*is_found = false;
	*out = (struct declared){ 0 };
	if (!look_for(&search, info->name, err))
		return false;
	for (size_t i = 0; info->old_names && info->old_names[i]; i++)
		if (!look_for(&search, info->old_names[i], err))
			return false;
	search.object.group = "";
	if (info->is_core_too && !look_for(&search, info->name, err))
		return false;
	*is_found = search.is_found;
	return true;
}

const struct node *manifest_node(const struct declared *manifest)
{
	return manifest->is_gone ? NULL : edit_node(&manifest->file->edit, &manifest->at);
}

const char *manifest_where(const struct declared *manifest)
{
	return edit_where(&manifest->file->edit, &manifest->at);
}

bool manifest_is_changed(const struct declared *manifest)
{
	const struct node *now = manifest_node(manifest);

	return !now || !manifest->before || !node_equal(manifest->before, now);
}

static const char *kind_word(enum kind kind, struct arena *arena)
{
	char *word = arena_strdup(arena, kind_name(kind));

	for (char *c = word; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return word;
}

static const char *path_in(const char *dir, const char *name, struct arena *arena)
{
	char *path = path_join(arena, dir, name);

	return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

/* cart.yaml, shop-cart.yaml, image-shop-cart.yaml; other kinds say what they are. */
static const char *free_path(const struct manifests *all, const char *dir,
			     const struct manifest_id *id, struct err *err)
{
	struct arena *arena = all->context->arena;
	const char *kind = kind_word(id->kind, arena);
	const char *ns = id->ns ? id->ns : "default";
	bool is_default = strcmp(ns, "default") == 0, is_image = id->kind == KIND_IMAGE;
	const char *const names[] = { arena_printf(arena, "%s.yaml", id->name),
				      arena_printf(arena, "%s-%s.yaml", ns, id->name),
				      arena_printf(arena, "%s-%s.yaml", kind, id->name),
				      arena_printf(arena, "%s-%s-%s.yaml", kind, ns, id->name) };
	const size_t first = (size_t)(is_image ? 0 : 2) + (size_t)!is_default;

	for (size_t i = first; i < COUNTOF(names); i++) {
		const char *path = path_in(dir, names[i], arena);

		if (strchr(names[i], '/') || names[i][0] == '.' || !path_is_inside(names[i])) {
			err_set(err, ERR_INVALID, "'%s' cannot be the name of a file", names[i]);
			return NULL;
		}
		if (!fs_exists(path) && !find_file(all, path))
			return path;
	}
	err_set(err, ERR_INVALID, "'%s/%s' is there already and holds something else", dir,
		names[first]);
	return NULL;
}

/* The file of its own, or the one that --manifests names. */
static bool place_new(struct manifests *all, const struct manifest_id *id,
		      struct manifest_file **out, struct err *err)
{
	const char *place = context_dir(all->context), *path;
	bool is_new = fs_is_dir(place);
	char *text = NULL;
	size_t len = 0;

	path = is_new ? free_path(all, place, id, err) : place;
	if (!path)
		return false;
	*out = find_file(all, path);
	if (*out)
		return true;
	if (!is_new &&
	    !fs_read(AT_FDCWD, path, LIMIT_FILE_BYTES, all->context->arena, &text, &len, err))
		return false;
	if (!open_file(all, path, text ? text : "", len, out, err))
		return false;
	(*out)->is_new = is_new;
	vec_push(all->context->arena, &all->files, *out);
	if (is_new)
		vec_push(all->context->arena, &all->paths, path);
	return true;
}

static struct node *new_document(const struct manifest_id *id, bool with_ns, struct arena *arena)
{
	const struct kind_info *info = kind_info(id->kind);
	struct node *document = node_new(arena, NODE_MAP), *meta = node_new(arena, NODE_MAP);

	node_set_text(arena, document, "apiVersion",
		      *info->group ? arena_printf(arena, "%s/%s", info->group, info->versions[0])
				   : info->versions[0]);
	node_set_text(arena, document, "kind", info->name);
	node_set_text(arena, meta, "name", id->name);
	node_set_text(arena, meta, "namespace", with_ns && !info->is_cluster ? id->ns : NULL);
	node_set(arena, document, "metadata", meta);
	return document;
}

bool manifest_new(struct manifests *all, const struct manifest_id *id, bool with_ns,
		  struct declared *out, struct err *err)
{
	*out = (struct declared){ 0 };
	if (!place_new(all, id, &out->file, err) ||
	    !edit_add_document(&out->file->edit, new_document(id, with_ns, all->context->arena),
			       err))
		return false;
	out->at = (struct edit_path){ .document = out->file->edit.documents.n - 1 };
	return true;
}

bool manifest_remove(struct declared *manifest, struct err *err)
{
	const struct edit_path *at = &manifest->at;
	struct edit *edit = &manifest->file->edit;
	struct edit_path list = *at;

	manifest->is_gone = true;
	if (!at->n)
		return edit_remove_document(edit, at->document, err);
	list.n--;
	if (edit_node(edit, &list)->n == 1) /* a List of nothing else */
		return edit_remove_document(edit, at->document, err);
	return edit_remove(edit, at, err);
}

bool manifests_are_changed(const struct manifests *all)
{
	for (size_t i = 0; i < all->files.n; i++)
		if (all->files.v[i]->edit.is_changed)
			return true;
	return false;
}

/* Mistakes that were there before are nobody's fault here. */
int manifests_check(const struct manifests *all)
{
	struct context *context = all->context;
	struct load_overlay *overlays;
	struct err err = { 0 };
	struct loaded after;
	int code = EXIT_DONE;

	if (!manifests_are_changed(all))
		return EXIT_DONE;
	overlays = arena_array(context->arena, all->files.n, sizeof(*overlays));
	for (size_t i = 0; i < all->files.n; i++) {
		const struct manifest_file *file = all->files.v[i];

		overlays[i] = (struct load_overlay){
			.path = file->path,
			.text = edit_is_empty(&file->edit) ? NULL : file->edit.text,
			.len = file->edit.len,
		};
	}
	if (!load(all, overlays, &after, &err))
		return context_fail(&err, EXIT_ERROR);
	if (after.diags.n_errors > all->n_errors) {
		context_print_problems(context, &after.diags);
		log_line(LOG_ERROR,
			 "the manifests would not be valid any more: nothing is written");
		code = EXIT_INVALID;
	}
	loaded_release(&after);
	return code;
}

/* A link is written through, as the loader reads it; where it leads was checked to be in the folder. */
static bool write_file(const struct manifest_file *file, struct err *err)
{
	char real[PATH_MAX];
	struct stat st;

	if (file->is_new)
		return fs_write_atomic(AT_FDCWD, file->path, file->edit.text, file->edit.len,
				       FILE_MODE, true, err);
	if (!realpath(file->path, real) || stat(real, &st) < 0)
		return err_sys(err, errno, "cannot find '%s'", file->path);
	if (edit_is_empty(&file->edit))
		return unlink(file->path) == 0 ||
		       err_sys(err, errno, "cannot remove '%s'", file->path);
	return fs_write_atomic(AT_FDCWD, real, file->edit.text, file->edit.len, st.st_mode & 07777,
			       true, err);
}

/* What somebody else wrote meanwhile is not written over. */
static bool is_unmoved(const struct manifests *all, const struct manifest_file *file,
		       struct err *err)
{
	char *text = NULL;
	size_t len = 0;

	if (!fs_read(AT_FDCWD, file->path, LIMIT_FILE_BYTES, all->context->arena, &text, &len, err))
		return false;
	if (file->is_new ? text == NULL
			 : text && len == file->n_before && memcmp(text, file->before, len) == 0)
		return true;
	return err_set(err, ERR_CONFLICT, "'%s' was changed by somebody else: nothing is written",
		       file->path);
}

static void show(const struct manifest_file *file, struct buf *out)
{
	bool is_empty = edit_is_empty(&file->edit);
	const struct diff_side before = { file->is_new ? "/dev/null" : file->path, file->before,
					  file->n_before };
	const struct diff_side after = { is_empty ? "/dev/null" : file->path, file->edit.text,
					 is_empty ? 0 : file->edit.len };

	text_diff(&before, &after, CONTEXT_LINES, out);
}

int manifests_write(struct manifests *all)
{
	struct context *context = all->context;
	struct err err = { 0 };
	bool is_shown = !look_is_document(context);

	for (size_t i = 0; i < all->files.n; i++) {
		const struct manifest_file *file = all->files.v[i];

		if (!file->edit.is_changed)
			continue;
		if (context->options.dry_run && is_shown)
			show(file, &context->out);
		else if (!context->options.dry_run && !is_unmoved(all, file, &err))
			return context_fail(&err, EXIT_ERROR);
	}
	for (size_t i = 0; !context->options.dry_run && i < all->files.n; i++)
		if (all->files.v[i]->edit.is_changed && !write_file(all->files.v[i], &err))
			return context_fail(&err, EXIT_ERROR);
	return EXIT_DONE;
}

const char *manifest_relative(const struct declared *manifest, const char *path,
			      struct arena *arena)
{
	const char *file = manifest->file->path;
	const char *slash = strrchr(file, '/');
	const char *folder = slash ? arena_copy(arena, file, (size_t)(slash - file) + 1) : ".";
	char from[PATH_MAX], to[PATH_MAX];
	AUTO_BUF out = BUF_INIT(3 * PATH_MAX);
	size_t same = 0;

	if (!realpath(folder, from) || !realpath(path, to))
		return NULL;
	if (path[0] == '/')
		return arena_strdup(arena, path);
	for (size_t i = 0;; i++) {
		bool ends = (!from[i] || from[i] == '/') && (!to[i] || to[i] == '/');

		if (ends)
			same = i;
		if (from[i] != to[i] || !from[i])
			break;
	}
	for (const char *at = from + same; *at; at++)
		if (*at == '/' && at[1])
			buf_puts(&out, out.len ? "/.." : "..");
	if (to[same])
		buf_printf(&out, "%s%s", out.len ? "/" : "", to + same + (to[same] == '/'));
	return out.len ? buf_copy(&out, arena) : ".";
}
