/* SPDX-License-Identifier: Apache-2.0 */
/* fallback.c — see fallback.h. */
#include "reconcile/fallback.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/base/digest.h"
#include "model/doc/json.h"
#include "model/kind/settings.h"

#define API  "reconcile.dev/v1"
#define KIND "UnrecordedState"

enum { HEAD_BYTES = 4096 };

static const char *branch_of(const struct context *context)
{
	return context->options.state_branch ? context->options.state_branch
					     : context->settings->state_branch;
}

/* ---- the tree as lines ---- */

static void put_line(const char *key, const struct node *value, struct arena *arena,
		     struct buf *out)
{
	struct node *line = node_new(arena, NODE_MAP);

	node_append(arena, line, key, node_share(arena, value));
	json_print(line, JSON_COMPACT, out);
	buf_byte(out, '\n');
}

static void put_lines(const char *key, const struct node *list, struct arena *arena,
		      struct buf *out)
{
	for (const struct node *at = list ? list->first : NULL; at; at = at->next)
		put_line(key, at, arena, out);
}

/* `map` without what is in lists. */
static const struct node *scalars_of(const struct node *map, struct arena *arena)
{
	struct node *scalars = node_new(arena, NODE_MAP);

	for (const struct node *at = map->first; at; at = at->next)
		if (at->kind != NODE_SEQ)
			node_append(arena, scalars, at->key, node_share(arena, at));
	return scalars;
}

/* Logs as far as there is room: without them results are worth the same. */
static void put_logs(const struct node *logs, struct arena *arena, struct buf *out)
{
	size_t n_left_out = 0;

	for (const struct node *at = logs ? logs->first : NULL; at; at = at->next) {
		AUTO_BUF line = BUF_INIT(FALLBACK_BYTES);

		put_line("log", at, arena, &line);
		if (line.is_over || line.len > out->max - out->len)
			n_left_out++;
		else
			buf_add(out, line.data, line.len);
	}
	if (n_left_out)
		log_line(LOG_WARN,
			 "%zu log%s of builds too large for the file of what was not recorded",
			 n_left_out, n_left_out == 1 ? " is" : "s are");
}

static void put_state(const struct node *state, struct arena *arena, struct buf *out)
{
	const struct node *objects = node_get(state, "objects");

	put_line("of", scalars_of(state, arena), arena, out);
	for (const struct node *at = objects ? objects->first : NULL; at; at = at->next) {
		put_line("object", scalars_of(at, arena), arena, out);
		put_lines("file", node_get(at, "files"), arena, out);
		put_lines("record", node_get(at, "records"), arena, out);
	}
}

static bool write_file(const struct buf *text, const char *path, struct err *err)
{
	if (text->is_over)
		return err_set(err, ERR_INVALID, "it would be larger than %d MiB",
			       FALLBACK_BYTES >> 20);
	if (!fs_write_atomic(AT_FDCWD, path, text->data, text->len, 0600, true, err))
		return false;
	log_line(LOG_ERROR,
		 "what was not recorded is in '%s'; this records it: reconcile state push "
		 "%s",
		 path, path);
	return true;
}

void fallback_print(const struct context *context, const struct node *state, struct buf *out)
{
	struct arena *arena = context->arena;
	struct node *head = node_new(arena, NODE_MAP);
	AUTO_BUF body = BUF_INIT(out->max - HEAD_BYTES);

	put_state(state, arena, &body);
	put_logs(node_get(state, "logs"), arena, &body);
	node_set_text(arena, head, "apiVersion", API);
	node_set_text(arena, head, "kind", KIND);
	node_set_text(arena, head, "branch", branch_of(context));
	node_set_text(arena, head, "sha256", digest_of(buf_text(&body), body.len).text);
	json_print(head, JSON_COMPACT, out);
	buf_byte(out, '\n');
	buf_add(out, buf_text(&body), body.len);
	out->is_over = out->is_over || body.is_over;
}

void fallback_write(struct context *context, const struct recorder *recorder, const char *run_id)
{
	struct arena *arena = context->arena;
	const struct node *state = recorder_save(recorder, arena);
	const char *name = arena_printf(arena, "reconcile-%s.state", run_id);
	const char *said = context->options.state_fallback;
	AUTO_BUF text = BUF_INIT(FALLBACK_BYTES);
	struct err err = { 0 };

	if (!state)
		return;
	fallback_print(context, state, &text);
	if (write_file(&text, said ? said : name, &err))
		return;
	log_line(LOG_WARN, "%s", err.text);
	err = (struct err){ 0 };
	if (!write_file(&text, path_join(arena, context->cache_dir, name), &err))
		log_line(LOG_ERROR, "what was not recorded is lost: %s", err.text);
}

/* ---- lines as the tree ---- */

static bool check(struct context *context, const struct node *head, const char *body, size_t n,
		  struct err *err)
{
	const char *api = node_text(head, "apiVersion"), *kind = node_text(head, "kind");
	const char *branch = node_text(head, "branch"), *sum = node_text(head, "sha256");

	if (!api || !kind || strcmp(api, API) != 0 || strcmp(kind, KIND) != 0)
		return err_set(err, ERR_INVALID, "it is no " KIND " of " API);
	if (!sum || strcmp(sum, digest_of(body, n).text) != 0)
		return err_set(err, ERR_INVALID, "it is damaged: its checksum is another");
	if (!branch || strcmp(branch, branch_of(context)) != 0)
		return err_set(err, ERR_INVALID,
			       "it is for the branch '%s', not for '%s': use --state-branch",
			       branch ? branch : "", branch_of(context));
	return true;
}

struct reading {
	struct arena *arena;
	struct node *state, *object;
};

/* Adds to the list `name` of `map`, made where it is not yet. False: something else has that name. */
static bool push(struct reading *r, struct node *map, const char *name, struct node *value)
{
	struct node *list = (struct node *)(uintptr_t)node_get(map, name);

	if (!list) {
		list = node_new(r->arena, NODE_SEQ);
		node_set(r->arena, map, name, list);
	}
	if (list->kind != NODE_SEQ)
		return false;
	node_push(list, value);
	return true;
}

static bool push_object(struct reading *r, struct node *object)
{
	r->object = object;
	return push(r, r->state, "objects", object);
}

/* What it must hold is recorder_load's to judge. */
static bool take_line(struct reading *r, struct node *line, struct err *err)
{
	struct node *value = line->kind == NODE_MAP && line->n == 1 ? line->first : NULL;
	const char *key = value && value->kind == NODE_MAP ? value->key : "";
	bool is_taken = false;

	if (strcmp(key, "of") == 0 && !r->state)
		is_taken = (r->state = value) != NULL;
	else if (strcmp(key, "object") == 0 && r->state)
		is_taken = push_object(r, value);
	else if (strcmp(key, "file") == 0 && r->object)
		is_taken = push(r, r->object, "files", value);
	else if (strcmp(key, "record") == 0 && r->object)
		is_taken = push(r, r->object, "records", value);
	else if (strcmp(key, "log") == 0 && r->state)
		is_taken = push(r, r->state, "logs", value);
	return is_taken || err_set(err, ERR_INVALID, "it is not as a run writes it");
}

/* One line, and where the next begins. */
static bool read_line(const char **at, const char *end, struct arena *arena, struct node **out,
		      struct err *err)
{
	const char *begin = *at, *stop = memchr(begin, '\n', (size_t)(end - begin));

	if (!stop)
		stop = end;
	*at = stop < end ? stop + 1 : end;
	return json_parse(begin, (size_t)(stop - begin), arena, out, err);
}

static bool read_state(const char *at, const char *end, struct arena *arena,
		       const struct node **out, struct err *err)
{
	struct reading r = { .arena = arena };
	struct node *line;

	for (unsigned number = 2; at < end; number++)
		if (!read_line(&at, end, arena, &line, err) || !take_line(&r, line, err))
			return err_prefix(err, "line %u of the file", number);
	*out = r.state;
	return r.state || err_set(err, ERR_INVALID, "it does not say what it is of");
}

bool fallback_read(struct context *context, const char *path, const struct node **out,
		   struct err *err)
{
	const char *at, *end;
	struct node *head;
	char *text;
	size_t n;

	*out = NULL;
	if (!fs_read(AT_FDCWD, path, FALLBACK_BYTES, context->arena, &text, &n, err))
		return err_prefix(err, "cannot read '%s'", path);
	if (!text)
		return err_set(err, ERR_ABSENT, "there is no file '%s'", path);
	at = text;
	end = text + n;
	return (read_line(&at, end, context->arena, &head, err) &&
		check(context, head, at, (size_t)(end - at), err) &&
		read_state(at, end, context->arena, out, err)) ||
	       err_prefix(err, "'%s'", path);
}
