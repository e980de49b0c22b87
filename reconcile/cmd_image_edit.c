/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_image_edit.c — `image trigger`: a new value of an annotation, for which the next run builds once; --wait is that run. */
#include <string.h>

#include "model/base/time.h"
#include "reconcile/commands.h"
#include "reconcile/edit_command.h"
#include "reconcile/look.h"

#define TRIGGER "reconcile.dev/trigger"

/* A value that the annotation has not now: the time, and a count when that is not new. */
static const char *fresh_value(const struct context *context, const struct node *now)
{
	char time[TIME_TEXT];
	const char *value = time;

	time_format(context->now_s, time);
	for (unsigned i = 2; now && now->text && strcmp(now->text, value) == 0; i++)
		value = arena_printf(context->arena, "%s-%u", time, i);
	return arena_strdup(context->arena, value);
}

/* The number that the build will have, from the recorded counter; 0: no state. */
static int64_t next_number(struct context *context)
{
	struct entries list;

	if (context_load(context) != EXIT_DONE || context_read_state(context) != EXIT_DONE)
		return 0;
	look_list(context, KIND_IMAGE, &list);
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.v[i]->name, context->options.args.v[0]) == 0)
			return ((const struct image_status *)list.v[i]->status)->build_counter + 1;
	return 1;
}

int cmd_image_trigger(struct context *context)
{
	const struct manifest_id id = { KIND_IMAGE, context_ns(context),
					context->options.args.v[0] };
	struct declared manifest;
	const struct declared *const shown[] = { &manifest };
	struct manifests all;
	struct edit_result result = { .all = &all, .shown = shown, .n_shown = 1, .waited = &id };
	struct edit_path at;
	struct edit *edit;
	struct err err = { 0 };
	int64_t number;
	bool is_found;

	if (!manifests_open(context, &all, &err) ||
	    !manifest_find(&all, &id, &manifest, &is_found, &err))
		return context_fail(&err, EXIT_ERROR);
	if (!is_found)
		return edit_absent(context, &id);
	number = next_number(context);
	edit = &manifest.file->edit;
	at = edit_key(&manifest.at, "metadata");
	at = edit_key(&at, "annotations");
	at = edit_key(&at, TRIGGER);
	if (!edit_set(edit, &at,
		      node_string(context->arena, fresh_value(context, edit_node(edit, &at))),
		      &err))
		return context_fail(&err, EXIT_ERROR);
	result.what =
		arena_printf(context->arena, "Triggered build for Image Resource \"%s\"", id.name);
	if (number)
		result.what = arena_printf(context->arena, "%s with Build Number %lld", result.what,
					   (long long)number);
	return edit_finish(&result);
}
