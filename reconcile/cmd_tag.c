/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_tag.c — `tag`: oc's command on the files of the manifests. All its destinations are written as one, or none. */
#include <string.h>

#include "reconcile/commands.h"
#include "reconcile/edit_command.h"
#include "reconcile/stream_edit.h"
#include "reconcile/stream_look.h"

struct tag_job {
	struct context *context;
	struct tag_request request;
	struct tag_source source;
	struct tag_target *targets;
	struct manifests all;
	struct strings said;
};

static bool read_words(struct tag_job *t, struct err *err)
{
	struct context *context = t->context;
	const struct options *options = &context->options;
	size_t first = options->tag.is_delete ? 0 : 1;

	if (options->args.n <= first)
		return err_set(err, ERR_INVALID,
			       "you must specify a source and at least one destination or one or "
			       "more tags to delete");
	t->request = (struct tag_request){ .options = &options->tag,
					   .n_targets = options->args.n - first,
					   .ns = context_ns(context) };
	if (first) {
		if (!tag_source_parse(options->args.v[0], options->tag.source, context->arena,
				      &t->source, err))
			return false;
		t->request.source = &t->source;
	}
	t->targets = arena_array(context->arena, t->request.n_targets, sizeof(*t->targets));
	for (size_t i = 0; i < t->request.n_targets; i++)
		if (!tag_target_parse(options->args.v[first + i], t->request.ns, context->arena,
				      &t->targets[i], err))
			return false;
	t->request.targets = t->targets;
	return tag_request_check(&t->request, err);
}

static bool is_import(const struct tag_job *t)
{
	return strcmp(t->source.kind, "DockerImage") == 0;
}

/* The state is only needed to know what a tag points at. */
static int pin(struct tag_job *t)
{
	struct context *context = t->context;
	const char *ns = *t->source.ref.ns ? t->source.ref.ns : t->request.ns;
	struct err err = { 0 };
	int code;

	if (is_import(t) || context->options.tag.is_alias)
		return EXIT_DONE;
	code = context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	if (!tag_source_pin(&t->source, stream_recorded(context, ns, t->source.ref.name),
			    context->arena, &err))
		return context_fail(&err, EXIT_ERROR);
	return EXIT_DONE;
}

static bool set_one(struct tag_job *t, const struct tag_target *target, struct err *err)
{
	struct stream_place place;

	if (!stream_place_find(&t->all, target, &place, err) ||
	    !stream_put_tag(&place, tag_request_ref(&t->request, target, t->context->arena), err))
		return err_prefix(err, "%s", target->text);
	vec_push(t->context->arena, &t->said,
		 tag_request_message(&t->request, target, t->context->arena));
	return true;
}

static bool is_recorded(struct tag_job *t, const struct tag_target *target)
{
	const struct stream_status *status =
		stream_recorded(t->context, target->ns, target->stream);

	return status && stream_history(status, target->tag);
}

static bool delete_one(struct tag_job *t, const struct tag_target *target, struct err *err)
{
	struct stream_place place;

	if (!stream_place_find(&t->all, target, &place, err))
		return err_prefix(err, "%s", target->text);
	if (!place.has_tag && !(place.has_stream && is_recorded(t, target)))
		return err_set(err, ERR_ABSENT, "destination tag %s/%s does not exist.", target->ns,
			       target->text);
	if (!stream_drop_tag(&place, err))
		return err_prefix(err, "%s", target->text);
	vec_push(t->context->arena, &t->said,
		 arena_printf(t->context->arena, "Deleted tag %s/%s.", target->ns, target->text));
	return true;
}

int cmd_tag(struct context *context)
{
	struct tag_job t = { .context = context };
	struct edit_result result = { .all = &t.all };
	struct err err = { 0 };
	int code = EXIT_DONE;
	bool is_done = true;

	if (!read_words(&t, &err))
		return context_fail(&err, EXIT_USAGE);
	code = t.request.source ? pin(&t) : context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	if (!manifests_open(context, &t.all, &err))
		return context_fail(&err, EXIT_ERROR);
	for (size_t i = 0; is_done && i < t.request.n_targets; i++)
		is_done = t.request.source ? set_one(&t, &t.targets[i], &err)
					   : delete_one(&t, &t.targets[i], &err);
	if (!is_done)
		return context_fail(&err, EXIT_ERROR);
	code = edit_finish(&result);
	for (size_t i = 0; code == EXIT_DONE && i < t.said.n; i++)
		edit_say(context, "%s", t.said.v[i]);
	return code;
}
