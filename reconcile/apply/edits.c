/* SPDX-License-Identifier: Apache-2.0 */
/* edits.c — see edits.h. */
#include "reconcile/apply/edits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/log.h"
#include "model/base/limits.h"
#include "model/doc/edit_scalars.h"
#include "model/doc/text_diff.h"

enum { BACKOFF_BASE_MS = 100, BACKOFF_CAP_MS = 10000, MESSAGE_BYTES = 64 << 10, LINES_MAX = 200 };

static const char own_message[] = "Update images: {{summary}}\n\n{{changes}}\n";

/* ---- collecting ---- */

static int compare_edits(const void *a, const void *b)
{
	const struct image_edit *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (order)
		return order;
	if (x->pos.line != y->pos.line)
		return x->pos.line < y->pos.line ? -1 : 1;
	return x->pos.column < y->pos.column ? -1 : x->pos.column > y->pos.column;
}

static const struct scalar_edit *scalars_of(const struct list *edits, bool is_as_loaded,
					    struct arena *arena)
{
	struct scalar_edit *scalars = arena_array(arena, edits->n, sizeof(*scalars));

	for (size_t i = 0; i < edits->n; i++) {
		const struct image_edit *edit = LIST_AT(*edits, struct image_edit, i);

		scalars[i] = (struct scalar_edit){ edit->pos, is_as_loaded ? edit->old_text : NULL,
						   edit->new_text };
	}
	return scalars;
}

static bool edit_file(struct file_edit *file, struct arena *arena, struct err *err)
{
	struct source_file source = { .path = file->path };
	char *text = NULL;

	if (file->path[0] == '<')
		return err_set(err, ERR_INVALID,
			       "manifests that came from standard input cannot be edited");
	if (!fs_read(AT_FDCWD, file->path, LIMIT_FILE_BYTES, arena, &text, &source.len, err))
		return false;
	if (!text)
		return err_set(err, ERR_ABSENT, "'%s' is gone", file->path);
	source.text = file->before = text;
	file->n_before = source.len;
	return edit_scalars(&source, scalars_of(&file->edits, true, arena), file->edits.n, arena,
			    &file->after, &file->n_after, err);
}

static void add_file(struct edit_set *set, struct image_edit *edits, size_t n, struct arena *arena)
{
	struct file_edit file = { .path = edits[0].file, .edits = { edits, n } };
	struct err err = { 0 };

	if (edit_file(&file, arena, &err)) {
		vec_push(arena, &set->files, file);
		set->n_edits += n;
	} else {
		vec_push(arena, &set->problems, arena_strdup(arena, err.text));
	}
}

void edits_collect(const struct plan *plan, const struct step *only, struct arena *arena,
		   struct edit_set *out)
{
	VEC(struct image_edit) all = { 0 };
	size_t first = 0;

	*out = (struct edit_set){ 0 };
	for (size_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan->steps.v[i];

		if (step->blocked || (only && step != only))
			continue;
		for (size_t k = 0; k < step->edits.n; k++)
			vec_push(arena, &all, *LIST_AT(step->edits, struct image_edit, k));
	}
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), compare_edits);
	for (size_t i = 1; i <= all.n; i++) {
		if (i < all.n && strcmp(all.v[i].file, all.v[first].file) == 0)
			continue;
		add_file(out, all.v + first, i - first, arena);
		first = i;
	}
}

void edits_diff(const struct edit_set *set, size_t context, struct buf *out)
{
	struct arena *arena = arena_new();

	for (size_t i = 0; i < set->files.n; i++) {
		const struct file_edit *file = &set->files.v[i];
		const struct diff_side before = { arena_printf(arena, "a/%s", file->path),
						  file->before, file->n_before };
		const struct diff_side after = { arena_printf(arena, "b/%s", file->path),
						 file->after, strlen(file->after) };

		text_diff(&before, &after, context, out);
	}
	arena_free(arena);
}

/* ---- in place ---- */

static bool write_file(const struct file_edit *file, struct err *err)
{
	char real[PATH_MAX];
	struct stat st;

	if (!realpath(file->path, real) || stat(real, &st) < 0)
		return err_sys(err, errno, "cannot find '%s'", file->path);
	if (access(real, W_OK) < 0)
		return err_sys(err, errno, "cannot write '%s'", file->path);
	return fs_write_atomic(AT_FDCWD, real, file->after, file->n_after, st.st_mode & 07777, true,
			       err);
}

void edits_write(struct edit_set *set, struct arena *arena)
{
	for (size_t i = 0; i < set->files.n; i++) {
		struct err err = { 0 };

		if (!write_file(&set->files.v[i], &err))
			vec_push(arena, &set->problems, arena_strdup(arena, err.text));
	}
}

/* ---- the commit ---- */

static void put_clean(const char *text, struct buf *out)
{
	sanitize(text, strlen(text), false, out);
}

/* One line for each edit; none can be taken for a trailer, because each begins with a dash. */
static void put_changes(const struct edit_set *set, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < set->files.n; i++) {
		const struct list *edits = &set->files.v[i].edits;

		for (size_t k = 0; k < edits->n; k++, n++) {
			const struct image_edit *edit = LIST_AT(*edits, struct image_edit, k);

			if (n >= LINES_MAX)
				continue;
			buf_puts(out, n ? "\n- " : "- ");
			put_clean(edit->file, out);
			buf_printf(out, ":%u: ", edit->pos.line);
			put_clean(edit->old_text && *edit->old_text ? edit->old_text : "(none)",
				  out);
			buf_puts(out, " -> ");
			put_clean(edit->new_text, out);
		}
	}
	if (n > LINES_MAX)
		buf_printf(out, "\n- and %zu more", n - LINES_MAX);
}

static void put_variable(const struct edit_set *set, const struct edits_commit *spec,
			 const char *name, size_t n, struct buf *out)
{
	if (strncmp(name, "summary", n) == 0)
		buf_printf(out, "%zu edit%s in %zu file%s", set->n_edits,
			   set->n_edits == 1 ? "" : "s", set->files.n,
			   set->files.n == 1 ? "" : "s");
	else if (strncmp(name, "changes", n) == 0)
		put_changes(set, out);
	else if (strncmp(name, "run", n) == 0)
		put_clean(spec->run_id, out);
	else if (strncmp(name, "source", n) == 0)
		put_clean(spec->source_commit ? spec->source_commit : "", out);
}

/* Settings were checked: every {{ has its }} and a known name between them. */
static void put_message(const struct edit_set *set, const struct edits_commit *spec,
			struct buf *out)
{
	const char *at = spec->message && *spec->message ? spec->message : own_message;

	while (*at) {
		const char *end = strncmp(at, "{{", 2) == 0 ? strstr(at, "}}") : NULL, *name;
		size_t n;

		if (!end) {
			buf_byte(out, *at++);
			continue;
		}
		name = at + 2 + strspn(at + 2, " .");
		n = strcspn(name, " }");
		put_variable(set, spec, name, n, out);
		at = end + 2;
	}
	while (out->len && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
	buf_puts(out, "\n\n");
	if (spec->source_commit)
		buf_printf(out, "Reconcile-Source-Commit: %s\n", spec->source_commit);
	buf_printf(out, "Reconcile-Run: %s\n", spec->run_id);
}

static bool path_in_repo(const struct file_edit *file, const char *workdir, struct arena *arena,
			 const char **out, struct err *err)
{
	char real[PATH_MAX], root[PATH_MAX];
	size_t n;

	if (!realpath(file->path, real))
		return err_sys(err, errno, "cannot find '%s'", file->path);
	if (!realpath(workdir, root))
		return err_sys(err, errno, "cannot find '%s'", workdir);
	n = strlen(root);
	if (strncmp(real, root, n) != 0 || real[n] != '/')
		return err_set(err, ERR_INVALID, "'%s' is not in the repository '%s'", file->path,
			       workdir);
	*out = arena_strdup(arena, real + n + 1);
	return true;
}

static bool is_text(const struct store_file *there, const char *text, size_t n)
{
	return there->n == n && memcmp(there->bytes, text, n) == 0;
}

/* The same values in the branch's file give the file that is meant: it differs in nothing else. */
static bool differs_in_values_alone(const struct file_edit *file, const struct store_file *there,
				    struct arena *arena)
{
	struct source_file source = { file->path, there->bytes, there->n };
	struct err why = { 0 };
	const char *text;
	size_t n;

	return edit_scalars(&source, scalars_of(&file->edits, false, arena), file->edits.n, arena,
			    &text, &n, &why) &&
	       n == file->n_after && memcmp(text, file->after, n) == 0;
}

struct branch_changes {
	VEC(struct store_change) list;
};

static bool add_change(const struct file_edit *file, const struct edits_commit *spec,
		       struct arena *arena, struct branch_changes *out, struct err *err)
{
	struct store_file there;
	const char *path;

	if (!path_in_repo(file, spec->workdir, arena, &path, err) ||
	    !store_read(spec->store, path, arena, &there, err))
		return false;
	if (!there.bytes)
		return err_set(err, ERR_CONFLICT, "'%s' is not on the branch '%s'", path,
			       spec->branch);
	if (is_text(&there, file->after, file->n_after))
		return true;
	if (!is_text(&there, file->before, file->n_before) &&
	    !differs_in_values_alone(file, &there, arena))
		return err_set(
			err, ERR_CONFLICT,
			"'%s' on the branch '%s' is not the file that was loaded: bring both "
			"together and run again",
			path, spec->branch);
	vec_push(arena, &out->list, (struct store_change){ path, file->after, file->n_after });
	return true;
}

/* *is_stale: the branch moved between reading and committing. */
static bool try_commit(const struct edit_set *set, const struct edits_commit *spec,
		       struct arena *arena, bool *made, bool *is_stale, struct err *err)
{
	AUTO_BUF message = BUF_INIT(MESSAGE_BYTES);
	struct store_commit commit = { .author_name = spec->author_name,
				       .author_email = spec->author_email,
				       .time_s = spec->now_s ? spec->now_s : clock_now_s(),
				       .sign = spec->signer ? commit_sign : NULL,
				       .sign_ctx = spec->signer };
	struct branch_changes changes = { 0 };

	*is_stale = *made = false;
	for (size_t i = 0; i < set->files.n; i++)
		if (!add_change(&set->files.v[i], spec, arena, &changes, err))
			return false;
	if (!changes.list.n)
		return true;
	put_message(set, spec, &message);
	commit.message = buf_text(&message);
	commit.changes = changes.list.v;
	commit.n_changes = changes.list.n;
	if (store_commit(spec->store, &commit, made, err))
		return true;
	*is_stale = err->kind == ERR_CONFLICT;
	return false;
}

bool edits_commit(const struct edit_set *set, const struct edits_commit *spec, struct arena *arena,
		  bool *made, struct err *err)
{
	bool is_stale;

	for (unsigned try = 0;; try++) {
		*err = (struct err){ 0 };
		if (try_commit(set, spec, arena, made, &is_stale, err))
			return true;
		if (!is_stale || try >= spec->retries)
			return false;
		clock_sleep_ms(backoff_ms(try, BACKOFF_BASE_MS, BACKOFF_CAP_MS));
		if (!store_refresh(spec->store, err))
			return false;
	}
}
