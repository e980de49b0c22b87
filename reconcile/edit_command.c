/* SPDX-License-Identifier: Apache-2.0 */
/* edit_command.c — progress, results and refusals of the editing commands. */
#include "reconcile/edit_command.h"

#include <string.h>

#include "reconcile/commands.h"
#include "reconcile/look.h"
#include "reconcile/relocate.h"
#include "reconcile/source_upload.h"

static void put_line(struct context *context, const char *text, const char *suffix)
{
	if (look_is_document(context))
		log_line(LOG_INFO, "%s%s", text + strspn(text, "\t"), suffix);
	else
		buf_printf(&context->out, "%s%s\n", text, suffix);
}

void edit_say(struct context *context, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(context, arena_vprintf(context->arena, fmt, args),
		 !context->options.dry_run            ? ""
		 : context->options.is_upload_dry_run ? " (dry run with image upload)"
						      : " (dry run)");
	va_end(args);
}

void edit_note(struct context *context, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(context, arena_vprintf(context->arena, fmt, args), "");
	va_end(args);
}

void edit_flush(struct context *context)
{
	if (!look_is_document(context))
		(void)context_flush(context, EXIT_DONE);
}

bool edit_uploads(const struct context *context)
{
	return !context->options.dry_run ||
	       (context->options.is_upload_dry_run && !context_is_offline(context));
}

/* One document as it is, several as a List. */
static void print_documents(struct context *context, const struct edit_result *result)
{
	struct node *list, *items;

	if (!look_is_document(context) || !result->n_shown)
		return;
	if (result->n_shown == 1) {
		look_print(context, manifest_node(result->shown[0]));
		return;
	}
	list = node_new(context->arena, NODE_MAP);
	items = node_new(context->arena, NODE_SEQ);
	node_set_text(context->arena, list, "apiVersion", "v1");
	node_set_text(context->arena, list, "kind", "List");
	for (size_t i = 0; i < result->n_shown; i++)
		node_push(items, node_clone(context->arena, manifest_node(result->shown[i])));
	node_set(context->arena, list, "items", items);
	look_print(context, list);
}

static int upload(const struct edit_result *result)
{
	struct context *context = result->all->context;
	bool copies = result->relocator && result->relocator->uploads.n && edit_uploads(context);
	bool sends = result->source && result->source->image;
	struct err err = { 0 };
	int code = copies || sends ? context_load(context) : EXIT_DONE;

	if (code != EXIT_DONE)
		return code;
	if (copies) {
		edit_flush(context);
		if (!relocator_upload(result->relocator, &err))
			return context_fail(&err, EXIT_ERROR);
	}
	return !sends || source_upload_send(result->source, context, &err)
		       ? EXIT_DONE
		       : context_fail(&err, EXIT_ERROR);
}

/* --wait: the main job for this object and what it is made of. */
static int build_now(struct context *context, const struct manifest_id *id)
{
	const struct options *mine = &context->options;
	struct options options = { .settings = mine->settings,
				   .state = mine->state,
				   .state_branch = mine->state_branch,
				   .cache_dir = mine->cache_dir,
				   .now = mine->now,
				   .author = mine->author,
				   .jobs = mine->jobs,
				   .color = mine->color,
				   .trust_repos = mine->trust_repos,
				   .is_strict = mine->is_strict,
				   .follows_on_stderr = look_is_document(context) };
	struct context run;
	int code = context_flush(context, EXIT_DONE);

	if (code != EXIT_DONE)
		return code;
	options.follow = object_id(id->kind, id->ns, id->name, context->arena);
	vec_push(context->arena, &options.only, options.follow);
	vec_push(context->arena, &options.args, context_dir(context));
	context_init(&run, &commands[0], &options, context->arena);
	code = context_flush(&run, cmd_run(&run));
	context_release(&run);
	return code;
}

int edit_finish(const struct edit_result *result)
{
	struct context *context = result->all->context;
	int code = manifests_check(result->all);

	if (code == EXIT_DONE)
		code = upload(result);
	if (code == EXIT_DONE)
		code = manifests_write(result->all);
	if (code != EXIT_DONE)
		return code;
	print_documents(context, result);
	if (result->what)
		edit_say(context, "%s", result->what);
	return context->options.is_waiting && result->waited && !context->options.dry_run
		       ? build_now(context, result->waited)
		       : EXIT_DONE;
}

int edit_absent(const struct context *context, const struct manifest_id *id)
{
	const struct kind_info *info = kind_info(id->kind);

	if (info->is_cluster)
		log_line(LOG_ERROR, "%s \"%s\" not found in the manifests in '%s'", info->words[0],
			 id->name, context_dir(context));
	else
		log_line(LOG_ERROR, "%s \"%s\" not found in namespace %s of the manifests in '%s'",
			 info->words[0], id->name, id->ns, context_dir(context));
	return EXIT_ERROR;
}

int edit_exists(const struct manifest_id *id, const struct declared *manifest)
{
	log_line(LOG_ERROR, "%s \"%s\" already exists: %s", kind_info(id->kind)->words[0], id->name,
		 manifest_where(manifest));
	return EXIT_ERROR;
}
