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

/* The columns of the requirement document; kp's further ones with -o wide, the namespace where there are several. */
enum image_column { IMAGE_NAME, IMAGE_READY, IMAGE_REASON, IMAGE_LATEST, IMAGE_NAMESPACE };
static const char *const column_names[] = {
	[IMAGE_NAME] = "NAME",
	[IMAGE_READY] = "READY",
	[IMAGE_REASON] = "LATEST REASON",
	[IMAGE_LATEST] = "LATEST IMAGE",
	[IMAGE_NAMESPACE] = "NAMESPACE",
};

static size_t choose_columns(const struct context *context, enum image_column *out)
{
	bool is_wide = context_is_output(context, "wide");
	size_t n = 0;

	out[n++] = IMAGE_NAME;
	out[n++] = IMAGE_READY;
	if (is_wide)
		out[n++] = IMAGE_REASON;
	out[n++] = IMAGE_LATEST;
	if (is_wide || context->options.all_namespaces)
		out[n++] = IMAGE_NAMESPACE;
	return n;
}

static const char *column_value(const struct state_entry *entry, enum image_column column,
				struct arena *arena)
{
	const struct image_status *status = entry->status;

	switch (column) {
	case IMAGE_NAME:
		return entry->name;
	case IMAGE_READY:
		return ready_of(status);
	case IMAGE_REASON:
		return status->latest_reason ? reason_primary(status->latest_reason, arena) : "";
	case IMAGE_LATEST:
		return status->latest_image;
	case IMAGE_NAMESPACE:
		return entry->ns;
	}
	return NULL;
}

static void put_images(struct context *context, const struct entries *list)
{
	enum image_column columns[COUNTOF(column_names)];
	const char *cells[COUNTOF(column_names)];
	size_t n = choose_columns(context, columns);
	struct text_table table;

	for (size_t k = 0; k < n; k++)
		cells[k] = column_names[columns[k]];
	text_table_init(&table, context->arena, cells, n);
	for (size_t i = 0; i < list->n; i++) {
		for (size_t k = 0; k < n; k++)
			cells[k] = column_value(list->v[i], columns[k], context->arena);
		text_table_add(&table, cells);
	}
	text_table_print(&table, &context->out);
}

int cmd_image_list(struct context *context)
{
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
	if (list.n)
		put_images(context, &list);
	else
		buf_puts(&context->out, "no images found\n");
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
		{ "Reason", entry && entry->reason ? entry->reason : "" },
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
	if (look_print_one(context, entry))
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
		look_used_buildpacks(context, &success->buildpacks);
	put_build(context, "Last Failed Build", last_with(status, false));
	return EXIT_DONE;
}
