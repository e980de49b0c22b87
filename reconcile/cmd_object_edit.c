/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_object_edit.c — `create`, `patch`, `save` and `delete` of images, builders and their parts: kp's commands on files.
 * They change manifests, upload what the manifests are to name (a local source, images of parts to the default repository),
 * and nothing else; the next run acts on them. With --wait that run comes at once, for this object. Messages: kpack.md §5.3, the requirement document's for `image delete`.
 */
#include <string.h>

#include "reconcile/commands.h"
#include "reconcile/edit_command.h"
#include "reconcile/object_edit.h"

struct editable {
	const char *title;    /* NULL: the kind's name */
	const char *creating; /* said first; NULL: nothing */
	const char *patching;
	const char *patched; /* how a change is called */
	object_check_fn *check;
	object_edit_fn *edit;
	bool has_builds;
};

/* clang-format off */
static const struct editable editables[KINDS] = {
	[KIND_IMAGE] = { "Image Resource", "Creating Image Resource...", "Patching Image Resource...", "patched",
		image_options_check, image_edit,
		true },
	[KIND_BUILDER] = { .patched = "patched", .check = builder_options_check, .edit = builder_edit },
	[KIND_CLUSTER_BUILDER] = { .patched = "patched", .check = builder_options_check, .edit = builder_edit },
	[KIND_CLUSTER_STACK] = { NULL, "Creating ClusterStack...", "Updating ClusterStack...", "updated",
		stack_options_check, stack_edit },
	[KIND_CLUSTER_STORE] = { NULL, "Creating ClusterStore...", "Adding to ClusterStore...", "updated",
		store_options_check, store_edit },
	[KIND_CLUSTER_LIFECYCLE] = { NULL, "Creating ClusterLifecycle...", "Updating ClusterLifecycle...", "updated",
		part_options_check, part_edit },
	[KIND_BUILDPACK] = { .patched = "patched", .check = part_options_check, .edit = part_edit },
	[KIND_CLUSTER_BUILDPACK] = { .patched = "patched", .check = part_options_check, .edit = part_edit },
};
/* clang-format on */

/* What one command works on. */
struct job {
	const struct editable *row;
	const char *title;
	struct manifests all;
	struct declared manifest;
	struct kp_config config;
	struct relocator relocator;
	struct source_upload source;
	struct object_edit edit;
	bool is_found;
};

static bool begin(struct context *context, struct job *job, struct err *err)
{
	const enum kind kind = command_kind(context);
	const struct strings *args = &context->options.args;
	const struct manifest_id id = { kind,
					kind_info(kind)->is_cluster ? NULL : context_ns(context),
					args->n ? args->v[0] : DEFAULT_LIFECYCLE };

	*job = (struct job){ .row = &editables[kind] };
	job->title = job->row->title ? job->row->title : kind_name(kind);
	if (!manifests_open(context, &job->all, err) ||
	    !manifest_find(&job->all, &id, &job->manifest, &job->is_found, err) ||
	    (kind != KIND_IMAGE && !kp_config_read(&job->all, &job->config, err)))
		return false;
	relocator_init(&job->relocator, context, job->config.repository);
	job->edit = (struct object_edit){ .context = context,
					  .all = &job->all,
					  .id = id,
					  .relocator = &job->relocator,
					  .source = &job->source,
					  .config = &job->config };
	return true;
}

static int finish(struct job *job, const char *what)
{
	const struct declared *const shown[] = { &job->manifest };
	const struct edit_result result = { .all = &job->all,
					    .relocator = &job->relocator,
					    .source = &job->source,
					    .waited = &job->edit.id,
					    .shown = shown,
					    .n_shown = !job->manifest.is_gone,
					    .what = what };

	return edit_finish(&result);
}

static int create(struct job *job)
{
	struct context *context = job->all.context;
	const struct editable *row = job->row;
	struct err err = { 0 };

	if (!row->check(context, true, &err))
		return context_fail(&err, EXIT_USAGE);
	if (row->creating)
		edit_say(context, "%s", row->creating);
	if (!manifest_new(&job->all, &job->edit.id, context->options.ns != NULL, &job->manifest,
			  &err))
		return context_fail(&err, EXIT_ERROR);
	object_edit_begin(&job->edit, &job->manifest, true);
	job->edit.err = &err;
	if (!row->edit(&job->edit))
		return context_fail(&err, EXIT_ERROR);
	return finish(job, arena_printf(context->arena, "%s \"%s\" created", job->title,
					job->edit.id.name));
}

static int change(struct job *job, const char *saying, object_edit_fn *edit)
{
	struct context *context = job->all.context;
	struct err err = { 0 };

	if (!job->row->check(context, false, &err))
		return context_fail(&err, EXIT_USAGE);
	if (saying)
		edit_say(context, "%s", saying);
	object_edit_begin(&job->edit, &job->manifest, false);
	job->edit.err = &err;
	if (!edit(&job->edit))
		return context_fail(&err, EXIT_ERROR);
	return finish(job, arena_printf(context->arena, "%s \"%s\" %s%s", job->title,
					job->edit.id.name, job->row->patched,
					manifests_are_changed(&job->all) ? "" : " (no change)"));
}

enum { MAY_CREATE = 1, MAY_PATCH = 2 };

static int put(struct context *context, unsigned may)
{
	struct err err = { 0 };
	struct job job;
	int code;

	if (!begin(context, &job, &err))
		return context_fail(&err, EXIT_ERROR);
	if (job.is_found && may & MAY_PATCH)
		code = change(&job, job.row->patching, job.row->edit);
	else if (!job.is_found && may & MAY_CREATE)
		code = create(&job);
	else if (job.is_found)
		code = edit_exists(&job.edit.id, &job.manifest);
	else
		code = edit_absent(context, &job.edit.id);
	source_upload_release(&job.source);
	relocator_release(&job.relocator);
	return code;
}

int cmd_object_create(struct context *context)
{
	return put(context, MAY_CREATE);
}

int cmd_object_patch(struct context *context)
{
	return put(context, MAY_PATCH);
}

int cmd_object_save(struct context *context)
{
	return put(context, MAY_CREATE | MAY_PATCH);
}

int cmd_store_remove(struct context *context)
{
	struct err err = { 0 };
	struct job job;

	if (!begin(context, &job, &err))
		return context_fail(&err, EXIT_ERROR);
	if (!job.is_found)
		return edit_absent(context, &job.edit.id);
	return change(&job, "Removing Buildpackages...", store_remove);
}

int cmd_object_delete(struct context *context)
{
	struct err err = { 0 };
	struct job job;
	int code;

	if (!begin(context, &job, &err))
		return context_fail(&err, EXIT_ERROR);
	if (!job.is_found)
		return edit_absent(context, &job.edit.id);
	if (!manifest_remove(&job.manifest, &err))
		return context_fail(&err, EXIT_ERROR);
	code = finish(&job,
		      job.edit.id.kind == KIND_IMAGE
			      ? arena_printf(context->arena, "\"%s\" deleted", job.edit.id.name)
			      : arena_printf(context->arena, "%s \"%s\" deleted", job.title,
					     job.edit.id.name));
	if (code == EXIT_DONE && !context->options.dry_run && job.row->has_builds)
		log_line(LOG_INFO,
			 "the records of its builds go with the next run of '%s'; the images that "
			 "were built stay",
			 context_dir(context));
	return code;
}
