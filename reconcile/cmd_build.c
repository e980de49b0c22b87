/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_build.c — `build status` and `build describe`: of an Image's build as kp shows it (requirement document "Builds",
 * kpack.md §5.4), of a build config's as oc does (openshift.md §5.5).
 */
#include <string.h>

#include "buildexec/sys/clock.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "reconcile/bom_report.h"
#include "reconcile/build_command.h"
#include "reconcile/command_registry.h"
#include "reconcile/commands.h"
#include "reconcile/report/build_report.h"
#include "reconcile/report/table.h"

const char *build_result_word(const char *result)
{
	static const struct {
		const char *result, *word;
	} words[] = {
		{ "Succeeded", "SUCCESS" },
		{ "Failed", "FAILURE" },
		{ "Building", "BUILDING" },
		{ "Interrupted", "INTERRUPTED" },
	};

	for (size_t i = 0; result && i < COUNTOF(words); i++)
		if (strcmp(words[i].result, result) == 0)
			return words[i].word;
	return "UNKNOWN";
}

int build_choose(struct context *context, const char *word, struct build_ref *out)
{
	struct build_word parsed;
	struct err err = { 0 };
	int code;

	if (!build_word_parse(word, context->arena, &parsed, &err))
		return context_fail(&err, EXIT_USAGE);
	code = context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	return build_find(context, &parsed, out) ? EXIT_DONE : EXIT_ERROR;
}

static const char *change_value(const struct node *value, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(LIMIT_STATE_BLOB);

	if (!value || value->kind == NODE_NULL)
		return "(none)";
	if (value->kind == NODE_STRING)
		return value->text;
	json_print(value, JSON_COMPACT, &text);
	return buf_copy(&text, arena);
}

static void put_changes(struct context *context, const struct build_record *record)
{
	for (size_t i = 0; i < record->changes.n; i++) {
		const struct build_change *change =
			LIST_AT(record->changes, struct build_change, i);

		buf_printf(&context->out, "%s:\n", change->reason);
		if (change->old_value && change->old_value->kind != NODE_NULL)
			buf_printf(&context->out, "\t- %s\n",
				   change_value(change->old_value, context->arena));
		if (change->new_value && change->new_value->kind != NODE_NULL)
			buf_printf(&context->out, "\t+ %s\n",
				   change_value(change->new_value, context->arena));
	}
	if (record->changes.n)
		buf_byte(&context->out, '\n');
}

static void put_source(struct context *context, const struct source *source)
{
	struct block_line lines[3] = { { "Source", "Local Source" } };
	size_t n = 1;

	if (source->git) {
		lines[0].value = "Git";
		lines[n++] = (struct block_line){ "Url", source->git->url };
		lines[n++] =
			(struct block_line){ "Revision",
					     source->git->revision ? source->git->revision : "" };
	} else if (source->blob) {
		lines[0].value = "Blob";
		lines[n++] = (struct block_line){ "Url", source->blob->url };
	} else if (source->registry) {
		lines[n++] = (struct block_line){ "Image", source->registry->image };
	}
	block_print(lines, n, &context->out);
}

static void put_record(struct context *context, const struct build_record *record)
{
	const struct condition *done = condition_find(&record->conditions, "Succeeded");
	bool has_failed = done && strcmp(done->status, "False") == 0;

	block_print(
		(const struct block_line[]){
			{ "Image", record->latest_image ? record->latest_image : "" },
			{ "Status", build_result_word(record->inputs.result) },
			{ "Reasons", record->reason ? record->reason : "" } },
		3, &context->out);
	if (has_failed)
		block_print(
			(const struct block_line[]){
				{ "Status Reason", done->reason ? done->reason : "" },
				{ "Status Message", done->message ? done->message : "" } },
			2, &context->out);
	put_changes(context, record);
	block_print(
		(const struct block_line[]){
			{ "Started", look_time(context, record->started_s) },
			{ "Finished", look_time(context, record->finished_s) } },
		2, &context->out);
	block_print(
		(const struct block_line[]){
			{ "Builder",
			  record->inputs.builder_image ? record->inputs.builder_image : "" },
			{ "Run Image", record->inputs.run_image ? record->inputs.run_image : "" } },
		2, &context->out);
	put_source(context, &record->inputs.source);
	look_used_buildpacks(context, &record->inputs.buildpacks);
}

static const char *account_of(const struct context *context, const struct build_record *record)
{
	const struct object *object =
		model_find(&context->loaded.model, KIND_IMAGE, record->ns, record->image_name);

	return object ? ((const struct image_spec *)object->spec)->service_account : NULL;
}

static bool read_bom(struct context *context, const struct build_record *record, struct bom *bom,
		     struct err *err)
{
	struct command_registry registry;
	bool is_done = command_registry_open(context, record->ns, account_of(context, record),
					     &registry, err) &&
		       bom_read(registry.registry, record->latest_image, context->cache_dir,
				context->arena, bom, err);

	command_registry_release(&registry);
	if (!is_done && err->kind == ERR_ABSENT)
		return err_set(err, ERR_ABSENT,
			       "the image '%s' of build %lld of \"%s\" is gone from its registry, "
			       "and its bill of materials with it",
			       record->latest_image, (long long)record->number, record->image_name);
	return is_done;
}

static int print_bom(struct context *context, const struct build_record *record)
{
	struct err err = { 0 };
	struct bom bom;

	if (!record->latest_image) {
		log_line(LOG_ERROR,
			 "build %lld of \"%s\" made no image: there is no bill of materials",
			 (long long)record->number, record->image_name);
		return EXIT_ERROR;
	}
	if (!read_bom(context, record, &bom, &err))
		return context_fail(&err, EXIT_ERROR);
	if (!look_print(context, bom_node(&bom, record->latest_image, context->arena)))
		bom_text(&bom, context->arena, &context->out);
	return EXIT_DONE;
}

/* Of an Image. */
static int show_image(struct context *context, const struct build_ref *ref)
{
	struct build_record record = { 0 };
	struct err err = { 0 };

	if (!state_read_build(context->store, ref->owner->ns, ref->owner->name, ref->number,
			      context->arena, &record, &err))
		return context_fail(&err, EXIT_ERROR);
	if (context->options.is_bom)
		return print_bom(context, &record);
	if (!look_print(context, build_encode(&record, context->arena)))
		put_record(context, &record);
	return EXIT_DONE;
}

static int show_config(struct context *context, const struct build_ref *ref)
{
	struct described_build view = { .now_s = context->now_s,
					.is_bold = context->with_color,
					.is_verbose = context->options.is_verbose };
	const struct node *document;
	struct bc_build build;
	struct err err = { 0 };

	if (context->options.is_bom)
		err_set(&err, ERR_INVALID,
			"'%s' is a build of a build config: only images of buildpacks have a bill "
			"of materials",
			build_ref_name(ref, context->arena));
	else if (build_read_config(context, ref, &build, &document, &err) && !document)
		err_set(&err, ERR_ABSENT, "build \"%s\" not found",
			build_ref_name(ref, context->arena));
	if (err.kind)
		return context_fail(&err, EXIT_ERROR);
	view.build = &build;
	if (!look_print(context, document))
		build_describe(&view, context->arena, &context->out);
	return EXIT_DONE;
}

int build_show(struct context *context, const char *word)
{
	struct build_ref ref;
	int code = context->options.is_bom ? context_load(context) : EXIT_DONE;

	if (code == EXIT_DONE)
		code = build_choose(context, word, &ref);
	if (code != EXIT_DONE)
		return code;
	if (context_is_output(context, "name") && !context->options.is_bom) {
		buf_printf(&context->out, "%s\n", build_ref_id(&ref, context->arena));
		return EXIT_DONE;
	}
	return ref.owner->kind == KIND_IMAGE ? show_image(context, &ref)
					     : show_config(context, &ref);
}

int cmd_build_status(struct context *context)
{
	return build_show(context, context->options.args.v[0]);
}
