/* SPDX-License-Identifier: Apache-2.0 */
/* fallback.c — see fallback.h. */
#include "reconcile/fallback.h"

#include <fcntl.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/base/digest.h"
#include "model/doc/json.h"
#include "model/kind/settings.h"

#define API  "reconcile.dev/v1"
#define KIND "UnrecordedState"

enum { FALLBACK_BYTES = 256 << 20 };

static const char *branch_of(const struct context *context)
{
	return context->options.state_branch ? context->options.state_branch
					     : context->settings->state_branch;
}

static const char *sum_of(const struct node *state, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(FALLBACK_BYTES);

	json_print(state, JSON_COMPACT, &text);
	return arena_strdup(arena, digest_of(buf_text(&text), text.len).text);
}

static bool write_file(const struct node *root, const char *path, struct err *err)
{
	AUTO_BUF text = BUF_INIT(FALLBACK_BYTES);

	json_print(root, JSON_PRETTY, &text);
	buf_byte(&text, '\n');
	if (text.is_over)
		return err_set(err, ERR_INVALID, "it would be larger than %d MiB",
			       FALLBACK_BYTES >> 20);
	if (!fs_write_atomic(AT_FDCWD, path, buf_text(&text), text.len, 0600, true, err))
		return false;
	log_line(LOG_ERROR,
		 "what was not recorded is in '%s'; this records it: reconcile state push "
		 "%s",
		 path, path);
	return true;
}

void fallback_write(struct context *context, const struct recorder *recorder, const char *run_id)
{
	struct arena *arena = context->arena;
	struct node *state = recorder_save(recorder, arena), *root = node_new(arena, NODE_MAP);
	const char *name = arena_printf(arena, "reconcile-%s.state", run_id);
	const char *said = context->options.state_fallback;
	struct err err = { 0 };

	if (!state)
		return;
	node_set_text(arena, root, "apiVersion", API);
	node_set_text(arena, root, "kind", KIND);
	node_set_text(arena, root, "branch", branch_of(context));
	node_set_text(arena, root, "sha256", sum_of(state, arena));
	node_set(arena, root, "state", state);
	if (write_file(root, said ? said : name, &err))
		return;
	log_line(LOG_WARN, "%s", err.text);
	err = (struct err){ 0 };
	if (!write_file(root, path_join(arena, context->cache_dir, name), &err))
		log_line(LOG_ERROR, "what was not recorded is lost: %s", err.text);
}

static bool check(struct context *context, const struct node *root, struct err *err)
{
	const char *api = node_text(root, "apiVersion"), *kind = node_text(root, "kind");
	const char *branch = node_text(root, "branch"), *sum = node_text(root, "sha256");
	const struct node *state = node_get(root, "state");

	if (!api || !kind || strcmp(api, API) != 0 || strcmp(kind, KIND) != 0)
		return err_set(err, ERR_INVALID, "it is no " KIND " of " API);
	if (!state || !sum || strcmp(sum, sum_of(state, context->arena)) != 0)
		return err_set(err, ERR_INVALID, "it is damaged: its checksum is another");
	if (!branch || strcmp(branch, branch_of(context)) != 0)
		return err_set(err, ERR_INVALID,
			       "it is for the branch '%s', not for '%s': use --state-branch",
			       branch ? branch : "", branch_of(context));
	return true;
}

bool fallback_read(struct context *context, const char *path, const struct node **out,
		   struct err *err)
{
	struct node *root;
	char *text;
	size_t n;

	*out = NULL;
	if (!fs_read(AT_FDCWD, path, FALLBACK_BYTES, context->arena, &text, &n, err))
		return err_prefix(err, "cannot read '%s'", path);
	if (!text)
		return err_set(err, ERR_ABSENT, "there is no file '%s'", path);
	if (!json_parse(text, n, context->arena, &root, err) || !check(context, root, err))
		return err_prefix(err, "'%s'", path);
	*out = node_get(root, "state");
	return true;
}
