/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_why.c — `why KIND/NAME`: what the last result was made of, what differs now, and through which objects that came; from
 * manifests and state alone, nobody is asked.
 */
#include <string.h>

#include "model/doc/json.h"
#include "model/kind/build_config_status.h"
#include "reconcile/commands.h"
#include "reconcile/look.h"
#include "reconcile/parts.h"
#include "reconcile/report/plan_report.h"
#include "reconcile/report/table.h"
#include "reconcile/select.h"

enum { DEPTH = 16 };

struct why {
	struct context *context;
	const struct plan *plan;
};

static void put_attempt(struct context *context, const struct attempt *attempt)
{
	struct arena *arena = context->arena;
	const struct source *source = &attempt->source;
	const char *commit = source->git ? source->git->revision : NULL;
	const char *number = arena_printf(arena, "#%lld", (long long)attempt->number);

	block_print(
		(const struct block_line[]){
			{ "Build", number },
			{ "Result", attempt->result ? attempt->result : "" },
			{ "Reason", attempt->reason ? attempt->reason : "" },
			{ "Source", source->git        ? source->git->url
				    : source->local    ? source->local->path
				    : source->blob     ? source->blob->url
				    : source->registry ? source->registry->image
						       : "" },
			{ "Revision",
			  commit             ? arena_printf(arena, "%s%s%s", commit,
                                                attempt->git_revision ? " of " : "",
                                                attempt->git_revision ? attempt->git_revision : "")
			  : attempt->content ? attempt->content
					     : "" },
			{ "Builder", attempt->builder_image ? attempt->builder_image : "" },
			{ "Run Image", attempt->run_image ? attempt->run_image : "" },
			{ "Image", attempt->image ? attempt->image : "" },
			{ "Build Key", attempt->build_key ? attempt->build_key : "" } },
		9, &context->out);
}

static const char *cause_of(const struct bc_attempt *attempt)
{
	const struct build_cause *cause =
		attempt->causes.n ? LIST_AT(attempt->causes, struct build_cause, 0) : NULL;

	return cause && cause->message ? cause->message : "";
}

/* "Failed (DockerBuildFailed)" */
static const char *phase_of(const struct bc_history_entry *build, struct arena *arena)
{
	if (!build || !build->phase)
		return "";
	return build->reason ? arena_printf(arena, "%s (%s)", build->phase, build->reason)
			     : build->phase;
}

static void put_build(struct context *context, const struct build_config_status *status)
{
	struct arena *arena = context->arena;
	const struct bc_attempt *last = status->last;
	const struct bc_history_entry *build = NULL;

	for (size_t i = 0; i < status->history.n; i++)
		if (LIST_AT(status->history, struct bc_history_entry, i)->number == last->number)
			build = LIST_AT(status->history, struct bc_history_entry, i);
	block_print(
		(const struct block_line[]){
			{ "Build", arena_printf(arena, "#%lld", (long long)last->number) },
			{ "Status", phase_of(build, arena) },
			{ "Reason", last->reasons ? last->reasons : "" },
			{ "Cause", cause_of(last) },
			{ "Source", last->git_url ? last->git_url : "" },
			{ "Revision", build && build->commit
					      ? arena_printf(arena, "%s%s%s", build->commit,
							     last->git_ref ? " of " : "",
							     last->git_ref ? last->git_ref : "")
					      : "" },
			{ "Image", build && build->image ? build->image : "" },
			{ "Build Key", last->build_key ? last->build_key : "" } },
		8, &context->out);
}

static void put_last(struct context *context, const struct object *object)
{
	const struct image_status *image = state_status(&context->state.state, object->id);
	const struct build_config_status *config = state_status(&context->state.state, object->id);

	if (object->kind != KIND_IMAGE && !kind_has_builds(object->kind))
		return;
	buf_puts(&context->out, "Last attempt\n");
	if (object->kind == KIND_IMAGE && image && image->last)
		put_attempt(context, image->last);
	else if (kind_has_builds(object->kind) && config && config->last)
		put_build(context, config);
	else
		buf_puts(&context->out, "none is recorded\n\n");
}

/* Tags of a stream that move, or do not. */
static void put_moves(const struct why *why, const struct step *step, unsigned depth)
{
	for (size_t i = 0; i < step->moves.n; i++) {
		const struct tag_move *move = LIST_AT(step->moves, struct tag_move, i);
		struct buf *out = &why->context->out;

		buf_printf(out, "%*s%s: %s", (int)depth * 2 + 2, "", move->tag, move->verb);
		if (move->source)
			buf_printf(out, " from %s", move->source);
		if (move->failure)
			buf_printf(out, " failed: %s\n", move->failure);
		else
			buf_printf(out, ": %s → %s\n", move->old_image ? move->old_image : "(none)",
				   move->new_image ? move->new_image : "(none)");
	}
}

static void put_step(const struct why *why, const struct step *step, unsigned depth)
{
	struct buf *out = &why->context->out;
	struct arena *arena = why->context->arena;
	const char *reasons = changes_reasons(&step->changes, arena);
	struct object_list parts = { 0 };

	buf_printf(out, "%*s%s: ", (int)depth * 2, "", object_label(step->id, arena));
	if (step->blocked)
		buf_printf(out, "blocked: %s\n", step->blocked);
	else if (step->action == ACTION_NONE)
		buf_puts(out, "as recorded\n");
	else
		buf_printf(out, "%s%s%s\n",
			   step->action == ACTION_RESOLVE && step->summary
				   ? step->summary
				   : action_name(step->action),
			   *reasons ? " because of " : "", reasons);
	for (size_t i = 0; i < step->changes.list.n; i++)
		buf_printf(out, "%*s%-10s%s\n", (int)depth * 2 + 2, "",
			   reason_name(step->changes.list.v[i].reason),
			   step->changes.list.v[i].text ? step->changes.list.v[i].text : "");
	if ((step->old_value || step->new_value) && !step->moves.n)
		buf_printf(out, "%*s%s → %s\n", (int)depth * 2 + 2, "",
			   step->old_value ? step->old_value : "(none)",
			   step->new_value ? step->new_value : "(none)");
	put_moves(why, step, depth);
	if (!step->object || depth >= DEPTH)
		return;
	object_parts(&why->context->loaded.model, step->object, arena, &parts);
	for (size_t i = 0; i < parts.n; i++) {
		const struct step *part = map_get(&why->plan->by_id, parts.v[i]->id);

		if (part)
			put_step(why, part, depth + 1);
	}
}

static void put_why(const struct why *why, const struct object *object)
{
	struct context *context = why->context;

	buf_printf(&context->out, "%s\n\n", object_label(object->id, context->arena));
	put_last(context, object);
	buf_puts(&context->out, "Now, from manifests and state\n");
	put_step(why, map_get(&why->plan->by_id, object->id), 0);
}

static void add_steps(const struct why *why, const struct step *step, struct node *list,
		      struct map *seen)
{
	struct arena *arena = why->context->arena;
	struct object_list parts = { 0 };

	if (map_has(seen, step->id))
		return;
	map_set(arena, seen, step->id, list);
	node_push(list, plan_step_node(step, arena));
	object_parts(&why->context->loaded.model, step->object, arena, &parts);
	for (size_t i = 0; i < parts.n; i++) {
		const struct step *part = map_get(&why->plan->by_id, parts.v[i]->id);

		if (part && part->object)
			add_steps(why, part, list, seen);
	}
}

static struct node *last_node(const struct why *why, const struct object *object)
{
	const void *status = state_status(&why->context->state.state, object->id);
	const struct image_status *image = object->kind == KIND_IMAGE ? status : NULL;
	const struct build_config_status *config = kind_has_builds(object->kind) ? status : NULL;

	if (image && image->last)
		return fields_encode(&attempt_table, image->last, why->context->arena);
	if (config && config->last)
		return fields_encode(&bc_attempt_table, config->last, why->context->arena);
	return node_new(why->context->arena, NODE_NULL);
}

/* {formatVersion, object, last, steps}: the object's own step first, then those of what it is made of. */
static struct node *why_node(const struct why *why, const struct object *object)
{
	struct arena *arena = why->context->arena;
	struct node *root = node_new(arena, NODE_MAP), *steps = node_new(arena, NODE_SEQ);
	struct map seen = { 0 };

	node_set(arena, root, "formatVersion", node_int(arena, 1));
	node_set_text(arena, root, "object", object->id);
	node_set(arena, root, "last", last_node(why, object));
	add_steps(why, map_get(&why->plan->by_id, object->id), steps, &seen);
	node_set(arena, root, "steps", steps);
	return root;
}

int cmd_why(struct context *context)
{
	const char *word = context->options.args.v[0];
	const struct plan_options options = { .now_s = context->now_s, .run_id = "" };
	const struct facts offline = { .is_offline = true };
	const struct object *object;
	struct plan plan = { 0 };
	struct why why = { context, &plan };
	struct err err = { 0 };
	int code = context_load(context);

	if (code == EXIT_DONE)
		code = context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	if (!select_object(&context->loaded.model, word, KIND_IMAGE, context->arena, &object, &err))
		return context_fail(&err, EXIT_USAGE);
	plan_make(&context->loaded.model, &context->state.state, &offline, &options, context->arena,
		  &plan);
	if (!map_has(&plan.by_id, object->id)) {
		err_set(&err, ERR_INVALID, "'%s' is nothing that is made", object->id);
		return context_fail(&err, EXIT_USAGE);
	}
	if (!context->options.output || context_is_output(context, "text"))
		put_why(&why, object);
	else
		look_print(context, why_node(&why, object));
	return EXIT_DONE;
}
