/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_build.c — `build list`, `build status`, `build logs` of an image. Layouts: requirement document "Builds", kpack.md §5.4.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/doc/json.h"
#include "reconcile/apply/log_file.h"
#include "reconcile/bom_report.h"
#include "reconcile/command_registry.h"
#include "reconcile/commands.h"
#include "reconcile/look.h"
#include "reconcile/plan/plan.h"
#include "reconcile/report/table.h"

enum { FOLLOW_MS = 200 };

static const char *status_word(const char *result)
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

/* As `why` and --only name other objects. */
static const char *build_id(const char *ns, const char *image, int64_t number, struct arena *arena)
{
	return arena_printf(arena, "Build/%s/%s-build-%lld", ns, image, (long long)number);
}

/* A build of an image's history. One whose record is gone meanwhile is left out of -o json and yaml. */
struct listed {
	const struct state_entry *image;
	const struct history_entry *build;
};
typedef VEC(struct listed) listed_vec;

static int print_records(struct context *context, const listed_vec *builds)
{
	struct node *items = node_new(context->arena, NODE_SEQ);

	for (size_t i = 0; i < builds->n; i++) {
		const struct state_entry *image = builds->v[i].image;
		struct build_record record = { 0 };
		struct err err = { 0 };

		if (state_read_build(context->store, image->ns, image->name,
				     builds->v[i].build->number, context->arena, &record, &err))
			node_push(items, build_encode(&record, context->arena));
		else if (err.kind != ERR_ABSENT)
			return context_fail(&err, EXIT_ERROR);
	}
	look_print(context, look_items(context, items));
	return EXIT_DONE;
}

static void print_builds(struct context *context, const listed_vec *builds)
{
	static const char *const header[] = { "BUILD",    "STATUS", "IMAGE",          "STARTED",
					      "FINISHED", "REASON", "IMAGE RESOURCE", "NAMESPACE" };
	const struct options *options = &context->options;
	const bool is_wide = context_is_output(context, "wide");
	const size_t n_columns = COUNTOF(header) - !(is_wide || options->all_namespaces) -
				 !(is_wide || !options->args.n || options->all_namespaces);
	struct text_table table;

	text_table_init(&table, context->arena, header, n_columns);
	for (size_t i = 0; i < builds->n; i++) {
		const struct state_entry *image = builds->v[i].image;
		const struct history_entry *build = builds->v[i].build;
		const char *const cells[] = {
			arena_printf(context->arena, "%lld", (long long)build->number),
			status_word(build->result),
			build->image,
			look_time(context, build->started_s),
			look_time(context, build->finished_s),
			reason_primary(build->reason ? build->reason : "", context->arena),
			image->name,
			image->ns,
		};

		text_table_add(&table, cells);
	}
	text_table_print(&table, &context->out);
}

static void add_history(struct context *context, const struct state_entry *image, listed_vec *out)
{
	const struct image_status *status = image->status;

	for (size_t i = 0; i < status->history.n; i++)
		vec_push(context->arena, out,
			 (struct listed){ image,
					  LIST_AT(status->history, struct history_entry, i) });
}

/* Of one image, or of all. */
static bool find_builds(struct context *context, listed_vec *out)
{
	const struct state_entry *one;
	struct entries images;

	if (context->options.args.n) {
		one = look_one(context, KIND_IMAGE, context->options.args.v[0]);
		if (one)
			add_history(context, one, out);
		return one;
	}
	look_list(context, KIND_IMAGE, &images);
	for (size_t i = 0; i < images.n; i++)
		add_history(context, images.v[i], out);
	return true;
}

int cmd_build_list(struct context *context)
{
	listed_vec builds = { 0 };
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	if (!find_builds(context, &builds))
		return EXIT_ERROR;
	if (look_is_document(context))
		return print_records(context, &builds);
	if (context_is_output(context, "name"))
		for (size_t i = 0; i < builds.n; i++)
			buf_printf(&context->out, "%s\n",
				   build_id(builds.v[i].image->ns, builds.v[i].image->name,
					    builds.v[i].build->number, context->arena));
	else if (builds.n)
		print_builds(context, &builds);
	else
		buf_puts(&context->out, "no builds found\n");
	return EXIT_DONE;
}

/* The record of -b N, or of the latest build. */
static int find_build(struct context *context, struct build_record *record)
{
	const struct image_status *status;
	const struct state_entry *entry;
	struct err err = { 0 };
	int64_t number;
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	entry = look_one(context, KIND_IMAGE, context->options.args.v[0]);
	if (!entry)
		return EXIT_ERROR;
	status = entry->status;
	number = context->options.build ? context->options.build
		 : status->last         ? status->last->number
					: 0;
	if (!number) {
		buf_puts(&context->out, "no builds found\n");
		return EXIT_ERROR;
	}
	if (!state_read_build(context->store, entry->ns, entry->name, number, context->arena,
			      record, &err))
		return context_fail(&err, EXIT_ERROR);
	return EXIT_DONE;
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
			{ "Status", status_word(record->inputs.result) },
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

int cmd_build_status(struct context *context)
{
	struct build_record record = { 0 };
	int code = context->options.is_bom ? context_load(context) : EXIT_DONE;

	if (code == EXIT_DONE)
		code = find_build(context, &record);
	if (code != EXIT_DONE)
		return code;
	if (context->options.is_bom)
		return print_bom(context, &record);
	if (context_is_output(context, "name"))
		buf_printf(&context->out, "%s\n",
			   build_id(record.ns, record.image_name, record.number, context->arena));
	else if (!look_print(context, build_encode(&record, context->arena)))
		put_record(context, &record);
	return EXIT_DONE;
}

/* A build of another process on this machine is followed through its log file, which goes away at its end. */
static bool follow(struct context *context, const struct build_record *record)
{
	struct arena *arena = context->arena;
	const char *id = object_id(KIND_IMAGE, record->ns, record->image_name, arena);
	const char *path = arena_printf(arena, "%s/logs/%s", context->cache_dir,
					log_file_name(id, record->number, arena));
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct err err = { 0 };
	char chunk[65536];
	ssize_t n;

	if (fd < 0)
		return false;
	for (;;) {
		while ((n = read(fd, chunk, sizeof(chunk))) > 0)
			if (!fd_write_all(STDOUT_FILENO, chunk, (size_t)n, &err))
				return true;
		if (!fs_exists(path))
			return true;
		clock_sleep_ms(FOLLOW_MS);
	}
}

int cmd_build_logs(struct context *context)
{
	struct build_record record = { 0 };
	struct store_file file = { 0 };
	struct err err = { 0 };
	const char *folder;
	size_t len = 0;
	char *text = NULL;
	int code = find_build(context, &record);

	if (code != EXIT_DONE)
		return code;
	if (strcmp(status_word(record.inputs.result), "BUILDING") == 0 && follow(context, &record))
		return EXIT_DONE;
	if (!record.log) {
		log_line(LOG_ERROR, "no log is kept of build %lld of \"%s\"",
			 (long long)record.number, record.image_name);
		return EXIT_ERROR;
	}
	folder = context_log_folder(context);
	if (!path_is_inside(record.log)) {
		log_line(LOG_ERROR, "the record of build %lld of \"%s\" names no log: '%s'",
			 (long long)record.number, record.image_name, record.log);
		return EXIT_ERROR;
	}
	if (folder) {
		if (!fs_read(AT_FDCWD, path_join(context->arena, folder, record.log),
			     2 * LIMIT_LOG_BYTES, context->arena, &text, &len, &err))
			return context_fail(&err, EXIT_ERROR);
	} else {
		if (!context_open_logs(context, &err) ||
		    !store_read(context->logs, record.log, context->arena, &file, &err))
			return context_fail(&err, EXIT_STATE);
		text = (char *)(uintptr_t)file.bytes;
		len = file.n;
	}
	if (!text) {
		log_line(LOG_ERROR, "the log of build %lld of \"%s\" is gone",
			 (long long)record.number, record.image_name);
		return EXIT_ERROR;
	}
	buf_add(&context->out, text, len);
	return EXIT_DONE;
}
