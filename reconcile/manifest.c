/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c — finds by reading files, not through the model: a manifest with mistakes can be mended by these commands too. */
#include "reconcile/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/fs.h"
#include "model/base/limits.h"

enum { FILE_MODE = 0644, CONTEXT_LINES = 3 };

static bool load(struct context *context, const struct load_overlay *overlay, struct loaded *out,
		 struct err *err)
{
	const struct load_spec spec = { .path = context_dir(context),
					.settings = context->options.settings,
					.overlay = overlay,
					.is_strict = context->options.is_strict };

	if (strcmp(spec.path, "-") == 0)
		return err_set(err, ERR_INVALID, "manifests on standard input cannot be edited");
	return load_manifests(&spec, context->arena, out, err);
}

/* A file that cannot hold the object is not worth parsing. */
static bool may_hold(const char *text, size_t len, const char *name, enum kind kind)
{
	const char *word = kind_name(kind);

	return memmem(text, len, name, strlen(name)) && memmem(text, len, word, strlen(word));
}

static bool look_into(struct manifest *out, const char *file, const struct edit_object *object,
		      enum kind kind, bool *is_found, struct err *err)
{
	struct context *context = out->context;
	struct source_file source = { .path = file };
	struct manifest here = *out;
	bool is_here = false;
	char *text = NULL;

	if (!fs_read(AT_FDCWD, file, LIMIT_FILE_BYTES, context->arena, &text, &source.len, err))
		return false;
	source.text = text;
	if (!text || !may_hold(text, source.len, object->name, kind))
		return true;
	here.file = file;
	here.before = text;
	here.n_before = source.len;
	if (!edit_open(&here.edit, &source, context->arena, err) ||
	    !edit_find(&here.edit, object, &here.at, &is_here, err))
		return false;
	if (is_here && *is_found)
		return err_set(err, ERR_INVALID, "%s '%s' is declared twice: at %s and at %s",
			       object->kind, object->name, edit_where(&out->edit, &out->at),
			       edit_where(&here.edit, &here.at));
	if (is_here)
		*out = here;
	*is_found |= is_here;
	return true;
}

bool manifest_find(struct context *context, enum kind kind, const char *name, struct manifest *out,
		   bool *is_found, struct err *err)
{
	const struct kind_info *info = kind_info(kind);
	const struct edit_object object = { .group = info->group,
					    .kind = info->name,
					    .name = name,
					    .ns = info->is_cluster ? NULL : context_ns(context),
					    .default_ns = "default" };
	struct loaded loaded;
	bool is_done;

	*is_found = false;
	*out = (struct manifest){ .context = context };
	if (!load(context, NULL, &loaded, err))
		return false;
	out->n_errors = loaded.diags.n_errors;
	is_done = true;
	for (size_t i = 0; is_done && i < loaded.files.n; i++)
		is_done = look_into(out, loaded.files.v[i], &object, kind, is_found, err);
	loaded_release(&loaded);
	return is_done;
}

/* A name that is free: cart.yaml, shop-cart.yaml, image-shop-cart.yaml. */
static const char *free_name(struct context *context, const char *dir, const char *name,
			     struct err *err)
{
	const char *ns = context_ns(context);
	struct arena *arena = context->arena;
	const char *const names[] = { arena_printf(arena, "%s.yaml", name),
				      arena_printf(arena, "%s-%s.yaml", ns, name),
				      arena_printf(arena, "image-%s-%s.yaml", ns, name) };
	bool is_default = strcmp(ns, "default") == 0;

	for (size_t i = is_default ? 0 : 1; i < COUNTOF(names); i++) {
		char *path = path_join(arena, dir, names[i]);

		if (strchr(names[i], '/') || names[i][0] == '.' || !path_is_inside(names[i])) {
			err_set(err, ERR_INVALID, "'%s' cannot be the name of a file", names[i]);
			return NULL;
		}
		if (!fs_exists(path))
			return strncmp(path, "./", 2) == 0 ? path + 2 : path;
	}
	err_set(err, ERR_INVALID, "'%s/%s' is there already and holds something else", dir,
		names[is_default ? 0 : 1]);
	return NULL;
}

bool manifest_new(struct context *context, const char *name, const struct node *document,
		  struct manifest *out, struct err *err)
{
	struct source_file source = { .text = "" };
	const char *place = context_dir(context);
	char *text = NULL;

	out->is_new_file = fs_is_dir(place);
	out->file = out->is_new_file ? free_name(context, place, name, err) : place;
	if (!out->file)
		return false;
	if (!out->is_new_file) {
		if (!fs_read(AT_FDCWD, place, LIMIT_FILE_BYTES, context->arena, &text, &source.len,
			     err))
			return false;
		source.text = text ? text : "";
	}
	source.path = out->file;
	out->before = source.text;
	out->n_before = source.len;
	if (!edit_open(&out->edit, &source, context->arena, err) ||
	    !edit_add_document(&out->edit, document, err))
		return false;
	out->at = (struct edit_path){ .document = out->edit.documents.n - 1 };
	return true;
}

bool manifest_remove(struct manifest *manifest, struct err *err)
{
	const struct edit_path *at = &manifest->at;
	struct edit_path list = *at;

	manifest->is_gone = true;
	if (!at->n)
		return edit_remove_document(&manifest->edit, at->document, err);
	list.n--;
	if (edit_node(&manifest->edit, &list)->n == 1) /* a List of nothing else */
		return edit_remove_document(&manifest->edit, at->document, err);
	return edit_remove(&manifest->edit, at, err);
}

static size_t line_after(const char *text, size_t len, size_t at)
{
	const char *end = memchr(text + at, '\n', len - at);

	return end ? (size_t)(end - text) + 1 : len;
}

static size_t line_before(const char *text, size_t at)
{
	if (at)
		at--;
	while (at && text[at - 1] != '\n')
		at--;
	return at;
}

static void put_lines(const char *text, size_t from, size_t to, char mark, struct buf *out)
{
	while (from < to) {
		size_t next = line_after(text, to, from);

		buf_byte(out, mark);
		buf_add(out, text + from, next - from);
		if (text[next - 1] != '\n')
			buf_puts(out, "\n\\ No newline at end of file\n");
		from = next;
	}
}

static unsigned lines_in(const char *text, size_t from, size_t to)
{
	unsigned n = 0;

	while (from < to) {
		from = line_after(text, to, from);
		n++;
	}
	return n;
}

/* "-3,7"; a side without lines counts from the line before it. */
static void put_range(char mark, unsigned first, unsigned n, struct buf *out)
{
	buf_printf(out, "%c%u", mark, n ? first : first - 1);
	if (n != 1)
		buf_printf(out, ",%u", n);
}

/* What changes as one hunk of a unified diff, from the first difference to the last. */
static void put_diff(const struct manifest *manifest, struct buf *out)
{
	const char *old = manifest->before, *new = manifest->edit.text;
	size_t n_old = manifest->n_before,
	       n_new = edit_is_empty(&manifest->edit) ? 0 : manifest->edit.len;
	size_t start = 0, end_old = n_old, end_new = n_new, from, tail;

	while (start < n_old && start < n_new) {
		size_t a = line_after(old, n_old, start), b = line_after(new, n_new, start);

		if (a != b || memcmp(old + start, new + start, a - start) != 0)
			break;
		start = a;
	}
	while (end_old > start && end_new > start) {
		size_t a = line_before(old, end_old), b = line_before(new, end_new);

		if (end_old - a != end_new - b || memcmp(old + a, new + b, end_old - a) != 0 ||
		    a < start || b < start)
			break;
		end_old = a;
		end_new = b;
	}
	from = start;
	for (unsigned i = 0; i < CONTEXT_LINES && from; i++)
		from = line_before(old, from);
	tail = end_old;
	for (unsigned i = 0; i < CONTEXT_LINES && tail < n_old; i++)
		tail = line_after(old, n_old, tail);
	buf_printf(out, "--- %s\n+++ %s\n@@ ", manifest->is_new_file ? "/dev/null" : manifest->file,
		   n_new ? manifest->file : "/dev/null");
	put_range('-', lines_in(old, 0, from) + 1, lines_in(old, from, tail), out);
	buf_byte(out, ' ');
	put_range('+', lines_in(old, 0, from) + 1,
		  lines_in(old, from, start) + lines_in(new, start, end_new) +
			  lines_in(old, end_old, tail),
		  out);
	buf_puts(out, " @@\n");
	put_lines(old, from, start, ' ', out);
	put_lines(old, start, end_old, '-', out);
	put_lines(new, start, end_new, '+', out);
	put_lines(old, end_old, tail, ' ', out);
}

/* Mistakes that were there before are nobody's fault here. */
static int check(const struct manifest *manifest)
{
	struct context *context = manifest->context;
	const struct load_overlay overlay = {
		.path = manifest->file,
		.text = edit_is_empty(&manifest->edit) ? NULL : manifest->edit.text,
		.len = manifest->edit.len,
	};
	struct err err = { 0 };
	struct loaded after;
	int code = EXIT_DONE;

	if (!load(context, &overlay, &after, &err))
		return context_fail(&err, EXIT_ERROR);
	if (after.diags.n_errors > manifest->n_errors) {
		context_print_problems(context, &after.diags);
		log_line(LOG_ERROR,
			 "the manifests would not be valid any more: nothing is written");
		code = EXIT_INVALID;
	}
	loaded_release(&after);
	return code;
}

/* A link is written through, as the loader reads it; where it leads was checked to be in the folder. */
static bool write_file(const struct manifest *manifest, struct err *err)
{
	char real[PATH_MAX];
	struct stat st;

	if (manifest->is_new_file)
		return fs_write_atomic(AT_FDCWD, manifest->file, manifest->edit.text,
				       manifest->edit.len, FILE_MODE, true, err);
	if (!realpath(manifest->file, real) || stat(real, &st) < 0)
		return err_sys(err, errno, "cannot find '%s'", manifest->file);
	if (edit_is_empty(&manifest->edit))
		return unlink(manifest->file) == 0 ||
		       err_sys(err, errno, "cannot remove '%s'", manifest->file);
	return fs_write_atomic(AT_FDCWD, real, manifest->edit.text, manifest->edit.len,
			       st.st_mode & 07777, true, err);
}

/* What somebody else wrote meanwhile is not written over. */
static bool is_unmoved(const struct manifest *manifest, struct err *err)
{
	char *text = NULL;
	size_t len = 0;

	if (!fs_read(AT_FDCWD, manifest->file, LIMIT_FILE_BYTES, manifest->context->arena, &text,
		     &len, err))
		return false;
	if (manifest->is_new_file
		    ? text == NULL
		    : text && len == manifest->n_before && memcmp(text, manifest->before, len) == 0)
		return true;
	return err_set(err, ERR_CONFLICT, "'%s' was changed by somebody else: nothing is written",
		       manifest->file);
}

int manifest_finish(struct manifest *manifest)
{
	struct context *context = manifest->context;
	struct err err = { 0 };
	int code;

	if (!manifest->edit.is_changed)
		return EXIT_DONE;
	code = check(manifest);
	if (code != EXIT_DONE)
		return code;
	if (context->options.dry_run) {
		if (!context_is_output(context, "json") && !context_is_output(context, "yaml"))
			put_diff(manifest, &context->out);
		return EXIT_DONE;
	}
	if (!is_unmoved(manifest, &err) || !write_file(manifest, &err))
		return context_fail(&err, EXIT_ERROR);
	return EXIT_DONE;
}

const char *manifest_relative(const struct manifest *manifest, const char *path)
{
	struct arena *arena = manifest->context->arena;
	const char *slash = strrchr(manifest->file, '/');
	const char *folder =
		slash ? arena_copy(arena, manifest->file, (size_t)(slash - manifest->file) + 1)
		      : ".";
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
