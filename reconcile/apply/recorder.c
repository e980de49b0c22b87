/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.c — pending changes by object, put on the tip again and again until one commit lands. */
#include "reconcile/apply/recorder_parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/log.h"
#include "model/base/limits.h"
#include "model/doc/yaml.h"
#include "model/kind/image_record.h"
#include "reconcile/plan/build_config_merge.h"

enum { BACKOFF_BASE_MS = 100, BACKOFF_CAP_MS = 10000, BODY_LINES = 500 };

struct recorder *recorder_new(const struct recorder_spec *spec)
{
	struct recorder *recorder = mem_realloc(NULL, sizeof(*recorder));

	*recorder = (struct recorder){ .spec = *spec,
				       .arena = spec->arena,
				       .n_failed = spec->n_failed };
	return recorder;
}

void recorder_free(struct recorder **recorder)
{
	free(*recorder);
	*recorder = NULL;
}

static const char *base_bytes(const struct state_files *files, const char *path)
{
	return map_get(&files->bytes_by_path, path);
}

static const void *status_at_tip(const struct recorder *recorder, const char *id)
{
	const struct state_entry *entry = map_get(&recorder->spec.base->state.by_id, id);

	return entry ? entry->status : NULL;
}

/* What others did since the plan was made is unknown to whatever is put. */
static void take_known(const struct recorder *recorder, struct pending *pending)
{
	const struct known *known = map_get(&recorder->known, pending->id);

	if (!recorder->has_moved) {
		pending->base = base_bytes(recorder->spec.base, pending->path);
		pending->own_base = status_at_tip(recorder, pending->id);
	} else if (known) {
		pending->base = known->bytes;
		pending->own_base = known->status;
	}
}

static void set_known(struct recorder *recorder, const char *id, const char *bytes,
		      const void *status)
{
	struct known *known = ARENA_NEW(recorder->arena, struct known);

	*known = (struct known){ bytes, status };
	map_set(recorder->arena, &recorder->known, id, known);
}

/* Before the first time that `base` is read again. */
static void keep_known(struct recorder *recorder)
{
	const struct map *by_id = &recorder->spec.base->state.by_id;

	for (size_t i = 0; i < by_id->n && !recorder->has_moved; i++) {
		const struct state_entry *entry = by_id->items[i].value;

		set_known(recorder, by_id->items[i].key,
			  base_bytes(recorder->spec.base, entry->path), entry->status);
	}
	recorder->has_moved = true;
}

static struct pending *pending_of(struct recorder *recorder, const char *id, const char *path)
{
	struct pending *pending = map_get(&recorder->by_id, id);

	if (pending)
		return pending;
	pending = ARENA_NEW(recorder->arena, struct pending);
	pending->id = arena_strdup(recorder->arena, id);
	pending->path = path;
	take_known(recorder, pending);
	map_set(recorder->arena, &recorder->by_id, pending->id, pending);
	return pending;
}

/* Values and keys: at least as many as whoever reads it counts. */
static size_t n_values(const struct node *node)
{
	size_t n = 1;

	for (const struct node *at = node->first; at; at = at->next)
		n += n_values(at) + (at->key != NULL);
	return n;
}

static void set_file(struct recorder *recorder, struct pending *pending, const char *path,
		     const struct node *document)
{
	struct file_change change = { .path = arena_strdup(recorder->arena, path) };
	AUTO_BUF out = BUF_INIT(LIMIT_STATE_BLOB);

	if (document) {
		yaml_print(document, &out);
		if (out.is_over || n_values(document) > LIMIT_DOC_NODES) {
			pending->too_large = change.path;
			return;
		}
		change.bytes = buf_copy(&out, recorder->arena);
		change.n = out.len;
	}
	for (size_t i = 0; i < pending->files.n; i++) {
		if (strcmp(pending->files.v[i].path, path) == 0) {
			pending->files.v[i] = change;
			return;
		}
	}
	vec_push(recorder->arena, &pending->files, change);
}

void recorder_put(struct recorder *recorder, const struct object *object,
		  const struct origin *origin, const void *status, const char *line)
{
	struct arena *arena = recorder->arena;
	char *path = status_path(object->kind, object->meta.ns, object->meta.name, arena);
	struct pending *pending = pending_of(recorder, object->id, path);
	struct state_entry *entry = ARENA_NEW(arena, struct state_entry);

	*entry = (struct state_entry){ .kind = object->kind,
				       .ns = object->meta.ns,
				       .name = object->meta.name,
				       .id = object->id,
				       .path = path,
				       .status = status,
				       .origin = *origin };
	pending->entry = entry;
	pending->object = object;
	pending->origin = &entry->origin;
	pending->own = status;
	pending->line = arena_strdup(arena, line);
	set_file(recorder, pending, path, status_encode(object, origin, status, arena));
}

void recorder_put_file(struct recorder *recorder, const char *id, const char *path,
		       const struct node *document)
{
	struct pending *pending = map_get(&recorder->by_id, id);

	if (!pending)
		BUG("recorder_put_file of '%s' before its status", id);
	set_file(recorder, pending, path, document);
}

void recorder_put_record(struct recorder *recorder, const char *id,
			 const struct image_record *record)
{
	struct pending *pending = map_get(&recorder->by_id, id);
	struct arena *scratch = arena_new();
	AUTO_BUF out = BUF_INIT(LIMIT_STATE_BLOB);
	struct file_change change;

	if (!pending)
		BUG("recorder_put_record of '%s' before its status", id);
	yaml_print(image_record_encode(record, scratch), &out);
	change.path = image_record_path(record->name, recorder->arena);
	arena_free(scratch);
	if (out.is_over) {
		log_line(LOG_WARN, "%s: what describes the image %s is too large to be kept", id,
			 record->name);
		return;
	}
	change.bytes = buf_copy(&out, recorder->arena);
	change.n = out.len;
	vec_push(recorder->arena, &pending->records, change);
}

void recorder_delete(struct recorder *recorder, const struct state_entry *entry, const char *line)
{
	struct pending *pending = pending_of(recorder, entry->id, entry->path);
	size_t n = strlen(entry->path) - strlen(".yaml");

	pending->entry = NULL;
	pending->object = NULL;
	pending->line = arena_strdup(recorder->arena, line);
	set_file(recorder, pending, entry->path, NULL);
	set_file(recorder, pending, arena_copy(recorder->arena, entry->path, n), NULL);
}

void recorder_put_log(struct recorder *recorder, const char *path, const char *bytes, size_t n)
{
	struct file_change change = { .path = arena_strdup(recorder->arena, path), .n = n };

	if (bytes)
		change.bytes = arena_copy(recorder->arena, bytes, n);
	for (size_t i = 0; i < recorder->logs.n; i++) {
		if (strcmp(recorder->logs.v[i].path, path) == 0) {
			recorder->logs.v[i] = change;
			return;
		}
	}
	vec_push(recorder->arena, &recorder->logs, change);
}

bool recorder_has_pending(const struct recorder *recorder)
{
	return recorder->by_id.n || recorder->logs.n;
}

void recorder_set_patient(struct recorder *recorder, bool is_patient)
{
	recorder->is_patient = is_patient;
}

unsigned recorder_n_failed(const struct recorder *recorder)
{
	return recorder->n_failed;
}

size_t recorder_n_commits(const struct recorder *recorder)
{
	return recorder->n_commits;
}

/* One try on the logs branch after another; every log has a path of its own, so there is nothing to merge. */
static bool commit_logs(struct recorder *recorder, const struct store_commit *logs, struct err *err)
{
	struct store_commit commit = *logs;
	bool made;

	for (unsigned try = 0;; try++) {
		commit.time_s = recorder->spec.now_s ? recorder->spec.now_s : clock_now_s();
		if (store_commit(recorder->spec.logs, &commit, &made, err))
			return true;
		if (err->kind != ERR_CONFLICT || try >= recorder->spec.retries)
			return false;
		clock_sleep_ms(backoff_ms(try, BACKOFF_BASE_MS, BACKOFF_CAP_MS));
		if (!store_refresh(recorder->spec.logs, err))
			return false;
	}
}

/* A server may forbid what a branch without history needs: results are recorded all the same. */
static void flush_logs(struct recorder *recorder)
{
	struct store_change *changes;
	struct store_commit commit = { .author_name = recorder->spec.author_name,
				       .author_email = recorder->spec.author_email,
				       .message = "reconcile: logs\n" };
	struct err err = { 0 };

	if (!recorder->spec.logs || !recorder->logs.n)
		return;
	changes = arena_array(recorder->arena, recorder->logs.n, sizeof(*changes));
	for (size_t i = 0; i < recorder->logs.n; i++)
		changes[i] =
			(struct store_change){ recorder->logs.v[i].path, recorder->logs.v[i].bytes,
					       recorder->logs.v[i].n };
	commit.changes = changes;
	commit.n_changes = recorder->logs.n;
	if (!commit_logs(recorder, &commit, &err)) {
		log_line(LOG_WARN, "cannot keep logs: %s", err.text);
		for (size_t i = 0; i < recorder->logs.n; i++)
			vec_push(recorder->arena, &recorder->unkept, recorder->logs.v[i]);
	}
	recorder->logs.n = 0;
}

/* The state as it will be when what is pending has landed. */
static struct state merged_state(struct recorder *recorder)
{
	const struct state *base = &recorder->spec.base->state;
	struct state merged = { .arena = recorder->arena, .commit = base->commit };

	for (size_t i = 0; i < base->by_id.n; i++) {
		const struct pending *pending = map_get(&recorder->by_id, base->by_id.items[i].key);

		if (!pending)
			map_set(recorder->arena, &merged.by_id, base->by_id.items[i].key,
				base->by_id.items[i].value);
	}
	for (size_t i = 0; i < recorder->by_id.n; i++) {
		const struct pending *pending = recorder->by_id.items[i].value;

		if (pending->entry)
			map_set(recorder->arena, &merged.by_id, pending->entry->id, pending->entry);
	}
	return merged;
}

static void put_message(const struct recorder *recorder, const char *subject, struct buf *out)
{
	buf_printf(out, "reconcile: %s", subject);
	if (recorder->spec.source_commit)
		buf_printf(out, " (%.7s)", recorder->spec.source_commit);
	buf_puts(out, "\n\n");
	for (size_t i = 0; i < recorder->by_id.n && i < BODY_LINES; i++) {
		const struct pending *pending = recorder->by_id.items[i].value;

		sanitize(pending->line, strlen(pending->line), false, out);
		buf_byte(out, '\n');
	}
	if (recorder->by_id.n > BODY_LINES)
		buf_printf(out, "and %zu more\n", recorder->by_id.n - BODY_LINES);
	buf_byte(out, '\n');
	if (recorder->spec.source_commit)
		buf_printf(out, "Reconcile-Source-Commit: %s\n", recorder->spec.source_commit);
	buf_printf(out, "Reconcile-Run: %s\n", recorder->spec.run_id);
}

/* Each path once: several streams may drop, or bring, the record of the same image. */
struct file_changes {
	struct arena *arena;
	VEC(struct store_change) list;
	struct map by_path; /* path → place in the list, from 1 */
};

static void add_change(struct file_changes *changes, const struct file_change *file)
{
	const struct store_change change = { file->path, file->bytes, file->n };
	size_t at = (size_t)(uintptr_t)map_get(&changes->by_path, file->path);

	if (at) {
		changes->list.v[at - 1] = change;
		return;
	}
	vec_push(changes->arena, &changes->list, change);
	map_set(changes->arena, &changes->by_path, file->path, (void *)(uintptr_t)changes->list.n);
}

/* Walks to the folders of records and looks at names alone. */
struct present {
	struct arena *arena;
	struct map wanted, there;
};

static bool note_present(void *ctx, const char *path, bool is_dir)
{
	struct present *present = ctx;

	if (is_dir)
		return strcmp(path, "cluster") == 0 || strcmp(path, "cluster/images") == 0 ||
		       strncmp(path, "cluster/images/", 15) == 0;
	if (map_has(&present->wanted, path))
		map_set(present->arena, &present->there, arena_strdup(present->arena, path),
			present);
	return false;
}

/* What is at the tip stays as it is, also when another object drops it in the same commit. */
static bool add_records(struct recorder *recorder, struct file_changes *changes, struct err *err)
{
	struct present present = { .arena = recorder->arena };
	struct store_files none;

	for (size_t i = 0; i < recorder->by_id.n; i++) {
		struct pending *pending = recorder->by_id.items[i].value;

		for (size_t k = 0; k < pending->records.n; k++)
			map_set(recorder->arena, &present.wanted, pending->records.v[k].path,
				&pending->records.v[k]);
	}
	if (present.wanted.n && !store_read_all(recorder->spec.store, note_present, &present,
						recorder->arena, &none, err))
		return false;
	for (size_t i = 0; i < present.wanted.n; i++) {
		const struct file_change *record = present.wanted.items[i].value;

		if (!map_has(&present.there, record->path) ||
		    map_has(&changes->by_path, record->path))
			add_change(changes, record);
	}
	return true;
}

static bool all_changes(struct recorder *recorder, struct store_change **out, size_t *n,
			struct err *err)
{
	struct file_changes changes = { .arena = recorder->arena };
	struct state merged;
	AUTO_BUF readme = BUF_INIT(LIMIT_STATE_BLOB);

	for (size_t i = 0; i < recorder->by_id.n; i++) {
		const struct pending *pending = recorder->by_id.items[i].value;

		for (size_t k = 0; k < pending->files.n; k++)
			add_change(&changes, &pending->files.v[k]);
	}
	if (!add_records(recorder, &changes, err))
		return false;
	if (recorder->spec.readme) {
		merged = merged_state(recorder);
		recorder->spec.readme(recorder->spec.readme_ctx, &merged, &readme);
		add_change(&changes,
			   &(struct file_change){ "README.md", buf_copy(&readme, recorder->arena),
						  readme.len });
	}
	*out = changes.list.v;
	*n = changes.list.n;
	return true;
}

static bool try_commit(struct recorder *recorder, const char *subject, struct err *err)
{
	AUTO_BUF message = BUF_INIT(LIMIT_STATE_BLOB);
	struct store_commit commit = { .author_name = recorder->spec.author_name,
				       .author_email = recorder->spec.author_email };
	struct store_change *changes;
	bool made = false;

	put_message(recorder, subject, &message);
	if (!all_changes(recorder, &changes, &commit.n_changes, err))
		return false;
	commit.changes = changes;
	commit.message = buf_text(&message);
	commit.time_s = recorder->spec.now_s ? recorder->spec.now_s : clock_now_s();
	if (!store_commit(recorder->spec.store, &commit, &made, err))
		return false;
	recorder->n_commits += made;
	return true;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Then others changed nothing that matters to a build of ours. */
bool recorder_has_claim(const struct recorder *recorder, const struct state_entry *entry)
{
	struct claim claim;

	return entry && status_claim(entry, &claim) && claim.run_id &&
	       strcmp(claim.run_id, recorder->spec.run_id) == 0;
}

/* Ours on top of theirs where each has a build of its own in it. */
static bool merge_pending(struct recorder *recorder, struct pending *pending)
{
	const void *theirs = status_at_tip(recorder, pending->id), *merged;
	const struct state_entry *tip;
	struct state_entry *entry;

	if (!pending->object || !kind_has_builds(pending->object->kind) || !theirs ||
	    theirs == pending->own_base)
		return false;
	merged = config_merge(pending->own_base, pending->own, theirs, recorder->spec.run_id,
			      recorder->arena);
	if (!merged)
		return false;
	entry = ARENA_NEW(recorder->arena, struct state_entry);
	*entry = *pending->entry;
	entry->status = merged;
	tip = map_get(&recorder->spec.base->state.by_id, pending->id);
	/* What is theirs in it is of newer manifests. */
	if (tip->origin.source_s > entry->origin.source_s)
		entry->origin = tip->origin;
	pending->entry = entry;
	pending->origin = &entry->origin;
	set_file(recorder, pending, pending->path,
		 status_encode(pending->object, pending->origin, merged, recorder->arena));
	return true;
}

/* One object that nobody would read back must not keep all others from being recorded. */
static size_t drop_too_large(struct recorder *recorder, struct strings *lost)
{
	struct map kept = { 0 };
	size_t n;

	for (size_t i = 0; i < recorder->by_id.n; i++) {
		struct pending *pending = recorder->by_id.items[i].value;

		if (!pending->too_large) {
			map_set(recorder->arena, &kept, pending->id, pending);
			continue;
		}
		map_set(recorder->arena, &recorder->refused, pending->id,
			(void *)(uintptr_t)pending->too_large);
		if (lost)
			vec_push(recorder->arena, lost, pending->id);
	}
	n = recorder->by_id.n - kept.n;
	if (n)
		recorder->by_id = kept;
	return n;
}

bool recorder_has_refused(const struct recorder *recorder, const char *id)
{
	return map_has(&recorder->refused, id);
}

bool recorder_has_all(const struct recorder *recorder, struct err *err)
{
	return !recorder->refused.n ||
	       err_set(err, ERR_INVALID,
		       "cannot record '%s': it would be larger than %u MiB, or have more than %u "
		       "keys and values; of an image stream, 'streams.historyLimit' in the "
		       "settings keeps less",
		       (const char *)recorder->refused.items[0].value, LIMIT_STATE_BLOB >> 20,
		       LIMIT_DOC_NODES);
}

/* After a refresh: keeps what may go on top of the new tip, drops the rest to *lost. */
static void rebase_pending(struct recorder *recorder, struct strings *lost)
{
	struct map kept = { 0 };

	for (size_t i = 0; i < recorder->by_id.n; i++) {
		struct pending *pending = recorder->by_id.items[i].value;
		const char *theirs = base_bytes(recorder->spec.base, pending->path);

		/* Ours may be there already: a push whose answer was lost. */
		if (merge_pending(recorder, pending) || is_same(theirs, pending->base) ||
		    is_same(theirs, pending->files.v[0].bytes) ||
		    recorder_has_claim(recorder,
				       map_get(&recorder->spec.base->state.by_id, pending->id))) {
			pending->base = theirs;
			map_set(recorder->arena, &kept, pending->id, pending);
		} else if (lost) {
			vec_push(recorder->arena, lost, pending->id);
		}
	}
	recorder->by_id = kept;
}

/* What is pending goes on top of what is there now, once it could be read. */
static bool take_tip(struct recorder *recorder, struct strings *lost, struct err *err)
{
	struct state_files fresh;

	recorder->is_behind = true;
	if (!state_read(recorder->spec.store, recorder->arena, &fresh, err))
		return false;
	recorder->is_behind = false;
	keep_known(recorder);
	state_files_replace(recorder->spec.base, &fresh, recorder->arena);
	if (recorder->on_moved)
		recorder->on_moved(recorder->moved_ctx);
	rebase_pending(recorder, lost);
	return true;
}

static bool read_again(struct recorder *recorder, struct strings *lost, struct err *err)
{
	return store_refresh(recorder->spec.store, err) && take_tip(recorder, lost, err);
}

void recorder_watch(struct recorder *recorder, recorder_moved_fn *on_moved, void *ctx)
{
	recorder->on_moved = on_moved;
	recorder->moved_ctx = ctx;
}

bool recorder_look(struct recorder *recorder, struct strings *lost, struct err *err)
{
	const struct git_id before = *store_commit_id(recorder->spec.store);

	drop_too_large(recorder, lost);
	if (!store_refresh(recorder->spec.store, err))
		return false;
	if (!recorder->is_behind &&
	    strcmp(before.hex, store_commit_id(recorder->spec.store)->hex) == 0)
		return true;
	return take_tip(recorder, lost, err);
}

/* What has landed is the base of the next commit. */
static void adopt_pending(struct recorder *recorder)
{
	struct state_files *base = recorder->spec.base;

	for (size_t i = 0; i < recorder->by_id.n; i++) {
		const struct pending *pending = recorder->by_id.items[i].value;

		map_set(recorder->arena, &base->bytes_by_path, pending->path,
			(void *)(uintptr_t)pending->files.v[0].bytes);
		if (recorder->has_moved)
			set_known(recorder, pending->id, pending->files.v[0].bytes, pending->own);
	}
	base->state.by_id = merged_state(recorder).by_id;
	recorder->by_id = (struct map){ 0 };
}

/* A server that refuses, or is away, may do better in a moment; one that denies does not. */
static bool may_try_again(const struct recorder *recorder, const struct err *err)
{
	bool is_passing = err->kind == ERR_TRANSIENT || err->kind == ERR_INVALID;

	return recorder->n_failed < recorder->spec.retries &&
	       (err->kind == ERR_CONFLICT || (recorder->is_patient && is_passing));
}

bool recorder_flush(struct recorder *recorder, const char *subject, bool is_strict,
		    struct strings *lost, struct err *err)
{
	size_t n_before;
	bool has_conflict;

	drop_too_large(recorder, lost);
	n_before = recorder->by_id.n;

	flush_logs(recorder);
	if (recorder->is_behind && !read_again(recorder, lost, err))
		return err_prefix(err, "cannot read the state branch again");
	if (recorder->has_moved)
		rebase_pending(recorder, lost);
	for (;;) {
		/* Also what became so by being merged. */
		n_before -= drop_too_large(recorder, lost);
		if (is_strict && recorder->by_id.n < n_before) {
			recorder->by_id = (struct map){ 0 };
			return err_set(err, ERR_CONFLICT,
				       "another run changed what is planned here");
		}
		if (!recorder->by_id.n)
			break;
		if (try_commit(recorder, subject, err)) {
			recorder->n_failed = 0;
			adopt_pending(recorder);
			return true;
		}
		if (!may_try_again(recorder, err))
			return err_prefix(err, "cannot record in the state branch");
		has_conflict = err->kind == ERR_CONFLICT;
		log_line(LOG_DEBUG, "%s (%u): %s",
			 has_conflict ? "the branch has moved" : "not recorded yet",
			 recorder->n_failed + 1, err->text);
		clock_sleep_ms(backoff_ms(recorder->n_failed++, BACKOFF_BASE_MS, BACKOFF_CAP_MS));
		if (has_conflict && !read_again(recorder, lost, err))
			return err_prefix(err, "cannot read the state branch again");
	}
	return true;
}
