/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_image.c — `image list` and `image status`: what is recorded of images. Layouts: requirement document "Images". */
#include <string.h>

#include "reconcile/commands.h"
#include "reconcile/image_filter.h"
#include "reconcile/look.h"
#include "reconcile/plan/plan.h"
#include "reconcile/report/table.h"

static const char *ready_of(const struct image_status *status)
{
	const struct condition *ready = condition_find(&status->conditions, "Ready");

	return ready ? ready->status : "Unknown";
}

static void keep_matching(const struct strings *filters, struct entries *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (image_filters_match(filters, list->v[i]->status))
			list->v[n++] = list->v[i];
	list->n = n;
}

int cmd_image_list(struct context *context)
{
	static const char *const header[] = { "NAME", "READY", "LATEST REASON", "LATEST IMAGE",
					      "NAMESPACE" };
	struct text_table table;
	struct entries list;
	struct err err = { 0 };
	int code;

	if (!image_filters_check(&context->options.filters, &err))
		return context_fail(&err, EXIT_USAGE);
	code = context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	look_list(context, KIND_IMAGE, &list);
	keep_matching(&context->options.filters, &list);
	if (look_print_list(context, &list))
		return EXIT_DONE;
	if (!list.n) {
		buf_puts(&context->out, "no images found\n");
		return EXIT_DONE;
	}
	text_table_init(&table, context->arena, header, COUNTOF(header));
	for (size_t i = 0; i < list.n; i++) {
		const struct image_status *status = list.v[i]->status;
		const char *reason = status->latest_reason
					     ? reason_primary(status->latest_reason, context->arena)
					     : "";
		const char *const cells[] = { list.v[i]->name, ready_of(status), reason,
					      status->latest_image, list.v[i]->ns };

		text_table_add(&table, cells);
	}
	text_table_print(&table, &context->out);
	return EXIT_DONE;
}

/* "Ready", "Not Ready", "Building", "Unknown" */
static const char *status_word(const struct image_status *status)
{
	const struct condition *ready = condition_find(&status->conditions, "Ready");

	if (!ready)
		return "Unknown";
	if (strcmp(ready->status, "True") == 0)
		return "Ready";
	if (strcmp(ready->status, "False") == 0)
		return "Not Ready";
	return ready->reason && strcmp(ready->reason, "BuildRunning") == 0 ? "Building" : "Unknown";
}

static const struct history_entry *last_with(const struct image_status *status, bool is_success)
{
	for (size_t i = status->history.n; i > 0; i--) {
		const struct history_entry *entry =
			LIST_AT(status->history, struct history_entry, i - 1);
		bool has_succeeded = entry->result && strcmp(entry->result, "Succeeded") == 0;
		bool is_running = entry->result && strcmp(entry->result, "Building") == 0;

		if (!is_running && has_succeeded == is_success)
			return entry;
	}
	return NULL;
}

static void put_build(struct context *context, const char *title, const struct history_entry *entry)
{
	const struct block_line lines[] = {
		{ title, NULL },
		{ "Id",
		  entry ? arena_printf(context->arena, "%lld", (long long)entry->number) : "" },
		{ "Build Reason", entry && entry->reason ? entry->reason : "" },
	};

	block_print(lines, COUNTOF(lines), &context->out);
}

int cmd_image_status(struct context *context)
{
	const struct image_status *status;
	const struct state_entry *entry;
	const struct attempt *success;
	const struct condition *ready;
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	entry = look_one(context, KIND_IMAGE, context->options.args.v[0]);
	if (!entry)
		return EXIT_ERROR;
	if (look_print(context, look_document(context, entry)))
		return EXIT_DONE;
	status = entry->status;
	ready = condition_find(&status->conditions, "Ready");
	block_print(
		(const struct block_line[]){
			{ "Status", status_word(status) },
			{ "Message", ready && ready->message ? ready->message : "" },
			{ "LatestImage", status->latest_image ? status->latest_image : "" } },
		3, &context->out);
	success = status->last_success ? status->last_success : status->last;
	if (success && success->builder)
		block_print(
			(const struct block_line[]){
				{ "Builder Ref", NULL },
				{ "  Name", success->builder },
				{ "  Kind", success->builder_kind ? success->builder_kind : "" } },
			3, &context->out);
	put_build(context, "Last Successful Build", last_with(status, true));
	if (success)
		look_buildpacks(context, &success->buildpacks);
	put_build(context, "Last Failed Build", last_with(status, false));
	return EXIT_DONE;
}
