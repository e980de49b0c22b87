/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_build_list.c — `build list`: of an Image in kp's columns (requirement document "Builds"), of a build config in oc's
 * (openshift.md §5.5), and of all of both in columns that both can fill. The last one opens no record.
 */
#include <string.h>

#include "reconcile/build_command.h"
#include "reconcile/commands.h"
#include "reconcile/plan/plan.h"
#include "reconcile/report/build_cells.h"
#include "reconcile/report/human.h"
#include "reconcile/report/table.h"
#include "reconcile/report/tabwriter.h"

enum { ROWS_BYTES = 64 << 20 };

/* A build whose record is gone meanwhile is left out of -o json and yaml. */
static int print_records(struct context *context, const build_ref_vec *builds)
{
	struct node *items = node_new(context->arena, NODE_SEQ);

	for (size_t i = 0; i < builds->n; i++) {
		const struct build_ref *ref = &builds->v[i];
		const struct node *document = NULL;
		struct build_record record = { 0 };
		struct bc_build build;
		struct err err = { 0 };
		bool is_done;

		if (kind_has_builds(ref->owner->kind))
			is_done = build_read_config(context, ref, &build, &document, &err);
		else
			is_done = state_read_build(context->store, ref->owner->ns, ref->owner->name,
						   ref->number, context->arena, &record, &err);
		if (!is_done && err.kind != ERR_ABSENT)
			return context_fail(&err, EXIT_ERROR);
		if (document)
			node_push(items, node_clone(context->arena, document));
		else if (is_done && ref->owner->kind == KIND_IMAGE)
			node_push(items, build_encode(&record, context->arena));
	}
	look_print(context, look_items(context, items));
	return EXIT_DONE;
}

static const struct history_entry *image_entry(const struct build_ref *ref)
{
	const struct image_status *status = ref->owner->status;

	for (size_t i = 0; i < status->history.n; i++)
		if (LIST_AT(status->history, struct history_entry, i)->number == ref->number)
			return LIST_AT(status->history, struct history_entry, i);
	BUG("no build %lld of %s", (long long)ref->number, ref->owner->id);
}

static const struct bc_history_entry *config_entry(const struct build_ref *ref)
{
	const struct build_config_status *status = ref->owner->status;

	for (size_t i = 0; i < status->history.n; i++)
		if (LIST_AT(status->history, struct bc_history_entry, i)->number == ref->number)
			return LIST_AT(status->history, struct bc_history_entry, i);
	BUG("no build %lld of %s", (long long)ref->number, ref->owner->id);
}

/* kp's. */
static int put_image_builds(struct context *context, const build_ref_vec *builds)
{
	static const char *const header[] = { "BUILD",    "STATUS", "IMAGE",          "STARTED",
					      "FINISHED", "REASON", "IMAGE RESOURCE", "NAMESPACE" };
	const bool is_wide = context_is_output(context, "wide");
	const size_t n_hidden = is_wide || context->options.all_namespaces ? 0 : 2;
	struct text_table table;

	text_table_init(&table, context->arena, header, COUNTOF(header) - n_hidden);
	for (size_t i = 0; i < builds->n; i++) {
		const struct state_entry *image = builds->v[i].owner;
		const struct history_entry *build = image_entry(&builds->v[i]);
		const char *const cells[] = {
			arena_printf(context->arena, "%lld", (long long)build->number),
			build_result_word(build->result),
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
	return EXIT_DONE;
}

static const char *ago(struct context *context, int64_t then_s)
{
	return then_s ? human_ago(then_s, context->now_s, context->arena) : "";
}

/* oc's. What a record that is gone would tell stays empty. */
static int put_config_builds(struct context *context, const build_ref_vec *builds)
{
	const bool with_ns = context->options.all_namespaces;
	struct arena *arena = context->arena;
	AUTO_BUF rows = BUF_INIT(ROWS_BYTES);

	buf_printf(&rows, "%sNAME\tTYPE\tFROM\tSTATUS\tSTARTED\tDURATION\n",
		   with_ns ? "NAMESPACE\t" : "");
	for (size_t i = 0; i < builds->n; i++) {
		const struct build_ref *ref = &builds->v[i];
		const struct bc_history_entry *entry = config_entry(ref);
		const struct build_times times = { phase_find(entry->phase), entry->created_s,
						   entry->started_s, entry->finished_s };
		const struct node *document;
		struct bc_build build;
		struct err err = { 0 };

		if (!build_read_config(context, ref, &build, &document, &err))
			return context_fail(&err, EXIT_ERROR);
		look_row(
			(const char *const[]){
				with_ns ? ref->owner->ns : NULL, build_ref_name(ref, arena),
				document          ? strategy_type(&build.spec.common.strategy)
				: entry->strategy ? entry->strategy
						  : "",
				document ? build_from(&build.spec.common, arena) : "",
				build_status(entry->phase,
					     document && build.reason ? build.reason
								      : entry->reason,
					     arena),
				ago(context, entry->started_s), build_took(&times, arena) },
			7, &rows);
	}
	tab_align(buf_text(&rows), &tab_get, &context->out);
	return EXIT_DONE;
}

/* A build of either kind, as its history has it. */
struct row {
	const char *type, *status, *reason, *image;
	int64_t started_s, finished_s;
};

static struct row row_of(const struct build_ref *ref, struct arena *arena)
{
	const struct bc_history_entry *config;
	const struct history_entry *image;

	if (ref->owner->kind == KIND_IMAGE) {
		image = image_entry(ref);
		return (struct row){ "Buildpacks",
				     build_result_word(image->result),
				     reason_primary(image->reason ? image->reason : "", arena),
				     image->image,
				     image->started_s,
				     image->finished_s };
	}
	config = config_entry(ref);
	return (struct row){ config->strategy ? config->strategy : "",
			     build_status(config->phase, config->reason, arena),
			     config->cause ? config->cause : "",
			     config->image,
			     config->started_s,
			     config->finished_s };
}

static int put_builds(struct context *context, const build_ref_vec *builds)
{
	const bool is_wide = context_is_output(context, "wide");
	const bool with_ns = context->options.all_namespaces;
	struct arena *arena = context->arena;
	AUTO_BUF rows = BUF_INIT(ROWS_BYTES);

	buf_printf(&rows, "%sNAME\tTYPE\tSTATUS\tSTARTED\tDURATION\tREASON%s\n",
		   with_ns ? "NAMESPACE\t" : "", is_wide ? "\tOF\tIMAGE" : "");
	for (size_t i = 0; i < builds->n; i++) {
		const struct build_ref *ref = &builds->v[i];
		const struct row row = row_of(ref, arena);
		const struct build_times times = { .started_s = row.started_s,
						   .finished_s = row.finished_s };

		look_row((const char *const[]){ with_ns ? ref->owner->ns : NULL,
						build_ref_name(ref, arena), row.type, row.status,
						ago(context, row.started_s),
						build_took(&times, arena), row.reason,
						is_wide ? arena_printf(arena, "%s/%s",
								       kind_name(ref->owner->kind),
								       ref->owner->name)
							: NULL,
						!is_wide    ? NULL
						: row.image ? row.image
							    : "" },
			 9, &rows);
	}
	tab_align(buf_text(&rows), &tab_get, &context->out);
	return EXIT_DONE;
}

typedef int put_fn(struct context *context, const build_ref_vec *builds);

static int print_builds(struct context *context, const build_ref_vec *builds, put_fn *put)
{
	if (look_is_document(context))
		return print_records(context, builds);
	if (!context_is_output(context, "name") && builds->n)
		return put(context, builds);
	for (size_t i = 0; i < builds->n; i++)
		buf_printf(&context->out, "%s\n", build_ref_id(&builds->v[i], context->arena));
	if (!builds->n && !context_is_output(context, "name"))
		buf_puts(&context->out, "no builds found\n");
	return EXIT_DONE;
}

static int list_owner(struct context *context, const struct build_word *word)
{
	const struct state_entry *owner;
	build_ref_vec builds = { 0 };
	struct build_ref one;

	if (word->kind == KIND_BUILD) {
		if (!build_find(context, word, &one))
			return EXIT_ERROR;
		owner = one.owner;
		vec_push(context->arena, &builds, one);
	} else {
		if (!build_owner_find(context, word, &owner))
			return EXIT_ERROR;
		build_refs_of(context, owner, &builds);
	}
	return print_builds(context, &builds,
			    owner->kind == KIND_IMAGE ? put_image_builds : put_config_builds);
}

static void add_all(struct context *context, enum kind kind, build_ref_vec *builds)
{
	struct entries owners;

	look_list(context, kind, &owners);
	for (size_t i = 0; i < owners.n; i++)
		build_refs_of(context, owners.v[i], builds);
}

int build_list_configs(struct context *context, const char *word)
{
	struct build_word parsed = { 0 };
	build_ref_vec builds = { 0 };
	struct err err = { 0 };
	int code;

	if (word && !build_word_parse(word, context->arena, &parsed, &err))
		return context_fail(&err, EXIT_USAGE);
	code = context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	if (word)
		return list_owner(context, &parsed);
	add_all(context, KIND_BUILD_CONFIG, &builds);
	add_all(context, KIND_BUILD, &builds);
	return print_builds(context, &builds, put_config_builds);
}

int cmd_build_list(struct context *context)
{
	const struct strings *args = &context->options.args;
	const char *config = context->options.bc.config;
	struct build_word word = { .kind = KIND_BUILD_CONFIG, .name = config };
	build_ref_vec builds = { 0 };
	struct err err = { 0 };
	int code;

	if (config && args->n)
		err_set(&err, ERR_INVALID, "--build-config and '%s' are given: one is enough",
			args->v[0]);
	else if (args->n)
		(void)!build_word_parse(args->v[0], context->arena, &word, &err);
	if (err.kind)
		return context_fail(&err, EXIT_USAGE);
	code = context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	if (word.name)
		return list_owner(context, &word);
	add_all(context, KIND_IMAGE, &builds);
	add_all(context, KIND_BUILD_CONFIG, &builds);
	add_all(context, KIND_BUILD, &builds);
	return print_builds(context, &builds, put_builds);
}
