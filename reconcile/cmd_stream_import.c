/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_stream_import.c — `import NAME[:TAG]`: marks tags of a stream in the manifests, and with --wait runs what imports them
 * and shows the stream. Messages: openshift.md §5.4.
 */
#include <string.h>

#include "reconcile/commands.h"
#include "reconcile/edit_command.h"
#include "reconcile/import_edit.h"
#include "reconcile/look.h"
#include "reconcile/report/stream_report.h"
#include "reconcile/stream_look.h"

struct importing {
	struct context *context;
	struct import_request request;
	struct strings tags; /* NULL of them: all that a repository has */
	const char *id;
};

/* The main job, on this stream alone. Its report is not the result here. */
static int run_stream(struct importing *i)
{
	struct context *context = i->context;
	struct options options = context->options;
	struct context run;
	int code;

	options.args = (struct strings){ 0 };
	options.only = (struct strings){ 0 };
	options.output = NULL;
	vec_push(context->arena, &options.args, context_dir(context));
	vec_push(context->arena, &options.only, i->id);
	options.manifests = NULL;
	context_init(&run, &commands[0], &options, context->arena);
	code = cmd_run(&run);
	context_release(&run);
	return code;
}

static const struct tag_condition *failure_of(const struct tag_history *history)
{
	for (size_t k = 0; history && k < history->conditions.n; k++) {
		const struct tag_condition *condition =
			LIST_AT(history->conditions, struct tag_condition, k);

		if (strcmp(condition->status, "False") == 0)
			return condition;
	}
	return NULL;
}

static size_t say_failures(const struct importing *i, const struct stream_status *status)
{
	size_t n = 0;

	for (size_t k = 0; k < i->tags.n; k++) {
		const struct tag_condition *failure =
			failure_of(stream_history(status, i->tags.v[k]));

		if (!failure)
			continue;
		n++;
		log_line(LOG_ERROR, "tag %s failed: %s", i->tags.v[k],
			 failure->message ? failure->message : failure->reason);
	}
	return n;
}

/* The image of one tag, after the stream; nothing for a tag without one. */
static void show_image(const struct importing *i, const struct stream_status *status,
		       const char *tag)
{
	struct context *context = i->context;
	const struct tag_event *event = stream_current(status, tag);
	struct described_image view = { .event = event, .now_s = context->now_s };
	struct image_record record;
	struct err err = { 0 };

	if (!event || !*event->image)
		return;
	if (!state_read_image(context->store, event->image, context->arena, &record, &err)) {
		log_line(LOG_WARN, "%s", err.text);
		return;
	}
	view.record = &record;
	view.name = arena_printf(context->arena, "%s:%s", i->request.name, tag);
	buf_byte(&context->out, '\n');
	image_describe(&view, context->arena, &context->out);
}

static int show(struct importing *i, int run_code)
{
	struct context *context = i->context;
	const struct state_entry *entry;
	const struct stream_status *status;
	size_t n_failed;
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	entry = map_get(&context->state.state.by_id, i->id);
	if (!entry) {
		log_line(LOG_ERROR, "nothing is recorded of %s", i->id);
		return run_code ? run_code : EXIT_ERROR;
	}
	status = entry->status;
	n_failed = say_failures(i, status);
	buf_printf(&context->out, "imagestream.image.openshift.io/%s imported%s\n\n",
		   i->request.name, n_failed ? " with errors" : "");
	code = stream_show(context, entry);
	for (size_t k = 0; code == EXIT_DONE && k < i->tags.n; k++)
		show_image(i, status, i->tags.v[k]);
	if (code == EXIT_DONE && n_failed) {
		log_line(LOG_ERROR, "imported completed with errors");
		return EXIT_PARTIAL;
	}
	return code ? code : run_code;
}

static const char *what_is_asked(const struct importing *i)
{
	AUTO_BUF out = BUF_INIT(1 << 20);

	for (size_t k = 0; k < i->tags.n; k++)
		buf_printf(&out, "%s%s", k ? ", " : i->tags.n > 1 ? "tags " : "tag ", i->tags.v[k]);
	return i->tags.n ? buf_copy(&out, i->context->arena) : "all tags";
}

int cmd_stream_import(struct context *context)
{
	struct importing i = { .context = context };
	struct manifests all;
	struct edit_result result = { .all = &all };
	struct err err = { 0 };
	int code;

	if (!import_request_parse(context->options.args.v[0], &context->options,
				  context_ns(context), context->arena, &i.request, &err))
		return context_fail(&err, EXIT_USAGE);
	i.id = object_id(KIND_IMAGE_STREAM, i.request.ns, i.request.name, context->arena);
	if (!manifests_open(context, &all, &err) || !import_edit(&i.request, &all, &i.tags, &err))
		return context_fail(&err, EXIT_ERROR);
	if (!context->options.is_waiting)
		result.what =
			arena_printf(context->arena,
				     "imagestream.image.openshift.io/%s: the next run imports "
				     "%s",
				     i.request.name, what_is_asked(&i));
	code = edit_finish(&result);
	if (code != EXIT_DONE || !context->options.is_waiting || context->options.dry_run)
		return code;
	code = run_stream(&i);
	return code == EXIT_DONE || code == EXIT_PARTIAL ? show(&i, code) : code;
}

/* One word, two meanings: a descriptor's file or the name of a stream. */
int cmd_import_any(struct context *context)
{
	struct err err = { 0 };

	if (!context->options.args.n)
		return cmd_import(context);
	if (!context->options.import.file)
		return cmd_stream_import(context);
	err_set(&err, ERR_INVALID, "'import' takes either NAME[:TAG] or -f FILE");
	return context_fail(&err, EXIT_USAGE);
}
