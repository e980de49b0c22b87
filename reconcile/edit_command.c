/* SPDX-License-Identifier: Apache-2.0 */
/* edit_command.c — progress, results and refusals of the editing commands. */
#include "reconcile/edit_command.h"

#include "reconcile/look.h"
#include "reconcile/relocate.h"

static bool prints_document(const struct context *context)
{
	return context_is_output(context, "json") || context_is_output(context, "yaml");
}

static void put_line(struct context *context, const char *text, const char *suffix)
{
	if (prints_document(context))
		log_line(LOG_INFO, "%s%s", text, suffix);
	else
		buf_printf(&context->out, "%s%s\n", text, suffix);
}

void edit_say(struct context *context, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(context, arena_vprintf(context->arena, fmt, args),
		 context->options.dry_run ? " (dry run)" : "");
	va_end(args);
}

void edit_note(struct context *context, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(context, arena_vprintf(context->arena, fmt, args), "");
	va_end(args);
}

/* One document as it is, several as a List. */
static void print_documents(struct context *context, const struct edit_result *result)
{
	struct node *list, *items;

	if (!prints_document(context) || !result->n_shown)
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

int edit_finish(const struct edit_result *result)
{
	struct context *context = result->all->context;
	struct err err = { 0 };
	int code = manifests_check(result->all);

	if (code != EXIT_DONE)
		return code;
	if (result->relocator && !context->options.dry_run &&
	    !relocator_upload(result->relocator, &err))
		return context_fail(&err, EXIT_ERROR);
	code = manifests_write(result->all);
	if (code != EXIT_DONE)
		return code;
	print_documents(context, result);
	if (result->what)
		edit_say(context, "%s", result->what);
	return EXIT_DONE;
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
