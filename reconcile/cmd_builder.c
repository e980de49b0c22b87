/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_builder.c — `list` and `status` of builders, cluster builders, stacks and stores, from recorded state. Layouts:
 * kpack.md §5.4.
 */
#include <string.h>

#include "reconcile/commands.h"
#include "reconcile/look.h"
#include "reconcile/report/table.h"

static const char *ready_of(const struct list *conditions)
{
	const struct condition *ready = condition_find(conditions, "Ready");

	if (!ready)
		return "unknown";
	return strcmp(ready->status, "True") == 0    ? "true"
	       : strcmp(ready->status, "False") == 0 ? "false"
						     : "unknown";
}

static const char *word_of(const struct list *conditions)
{
	const char *ready = ready_of(conditions);

	return strcmp(ready, "true") == 0    ? "Ready"
	       : strcmp(ready, "false") == 0 ? "Not Ready"
					     : "Unknown";
}

/* The cells of one entry, after its name. */
typedef void cells_fn(const struct state_entry *entry, const char **cells);

struct listing {
	enum kind kind;
	const char *const *header;
	size_t n_columns;
	cells_fn *cells;
	const char *empty;
};

static int list(struct context *context, const struct listing *listing)
{
	struct text_table table;
	struct entries entries;
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	look_list(context, listing->kind, &entries);
	if (look_print_list(context, &entries))
		return EXIT_DONE;
	if (!entries.n) {
		buf_printf(&context->out, "no %s found\n", listing->empty);
		return EXIT_DONE;
	}
	text_table_init(&table, context->arena, listing->header, listing->n_columns);
	for (size_t i = 0; i < entries.n; i++) {
		const char *cells[TABLE_COLUMNS] = { entries.v[i]->name };

		listing->cells(entries.v[i], cells);
		text_table_add(&table, cells);
	}
	text_table_print(&table, &context->out);
	return EXIT_DONE;
}

static void builder_cells(const struct state_entry *entry, const char **cells)
{
	const struct builder_status *status = entry->status;

	cells[1] = ready_of(&status->conditions);
	cells[2] = status->stack_id;
	cells[3] = status->latest_image;
}

static const char *const builder_header[] = { "NAME", "READY", "STACK", "IMAGE" };

int cmd_builder_list(struct context *context)
{
	const struct listing listing = { KIND_BUILDER, builder_header, 4, builder_cells,
					 "builders" };

	return list(context, &listing);
}

int cmd_cluster_builder_list(struct context *context)
{
	const struct listing listing = { KIND_CLUSTER_BUILDER, builder_header, 4, builder_cells,
					 "clusterbuilders" };

	return list(context, &listing);
}

static void put_order(struct context *context, const struct list *order)
{
	if (!order->n)
		return;
	buf_puts(&context->out, "DETECTION ORDER\n");
	for (size_t i = 0; i < order->n; i++) {
		const struct order_group *group = LIST_AT(*order, struct order_group, i);

		buf_printf(&context->out, "Group #%zu\n", i + 1);
		for (size_t k = 0; k < group->group.n; k++) {
			const struct order_entry *entry =
				LIST_AT(group->group, struct order_entry, k);

			buf_printf(&context->out, "  %s%s%s%s\n", entry->id ? entry->id : "",
				   entry->version ? "@" : "", entry->version ? entry->version : "",
				   entry->is_optional ? "    (Optional)" : "");
		}
	}
	buf_byte(&context->out, '\n');
}

static void put_problem(struct context *context, const struct list *conditions)
{
	const struct condition *ready = condition_find(conditions, "Ready");
	const char *message = ready && ready->message ? ready->message : "";

	block_print((const struct block_line[]){ { "Status", word_of(conditions) },
						 { "Reason", message } },
		    2, &context->out);
}

static int builder_status(struct context *context, enum kind kind)
{
	const struct builder_status *status;
	const struct state_entry *entry;
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	entry = look_one(context, kind, context->options.args.v[0]);
	if (!entry)
		return EXIT_ERROR;
	if (look_print(context, look_document(context, entry)))
		return EXIT_DONE;
	status = entry->status;
	if (strcmp(word_of(&status->conditions), "Ready") != 0)
		put_problem(context, &status->conditions);
	if (!status->latest_image)
		return EXIT_DONE;
	block_print(
		(const struct block_line[]){
			{ "Status", word_of(&status->conditions) },
			{ "Image", status->latest_image },
			{ "Stack ID", status->stack_id ? status->stack_id : "" },
			{ "Run Image", status->stack_run_image ? status->stack_run_image : "" } },
		4, &context->out);
	look_buildpacks(context, &status->buildpacks);
	put_order(context, &status->order);
	return EXIT_DONE;
}

int cmd_builder_status(struct context *context)
{
	return builder_status(context, KIND_BUILDER);
}

int cmd_cluster_builder_status(struct context *context)
{
	return builder_status(context, KIND_CLUSTER_BUILDER);
}

static void stack_cells(const struct state_entry *entry, const char **cells)
{
	const struct stack_status *status = entry->status;

	cells[1] = ready_of(&status->conditions);
	cells[2] = status->id;
}

int cmd_stack_list(struct context *context)
{
	static const char *const header[] = { "NAME", "READY", "ID" };
	const struct listing listing = { KIND_CLUSTER_STACK, header, 3, stack_cells,
					 "clusterstacks" };

	return list(context, &listing);
}

int cmd_stack_status(struct context *context)
{
	const struct stack_status *status;
	const struct state_entry *entry;
	AUTO_BUF mixins = BUF_INIT(1 << 16);
	size_t n_lines = 4;
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	entry = look_one(context, KIND_CLUSTER_STACK, context->options.args.v[0]);
	if (!entry)
		return EXIT_ERROR;
	if (look_print(context, look_document(context, entry)))
		return EXIT_DONE;
	status = entry->status;
	if (strcmp(word_of(&status->conditions), "Ready") != 0)
		put_problem(context, &status->conditions);
	for (size_t i = 0; i < status->mixins.n; i++)
		buf_printf(&mixins, "%s%s", i ? ", " : "", status->mixins.v[i]);
	if (context->options.is_verbose)
		n_lines++;
	block_print(
		(const struct block_line[]){
			{ "Status", word_of(&status->conditions) },
			{ "Id", status->id ? status->id : "" },
			{ "Run Image", status->run.latest ? status->run.latest : "" },
			{ "Build Image", status->build.latest ? status->build.latest : "" },
			{ "Mixins", buf_text(&mixins) } },
		n_lines, &context->out);
	return EXIT_DONE;
}

static void store_cells(const struct state_entry *entry, const char **cells)
{
	cells[1] = ready_of(&((const struct store_status *)entry->status)->conditions);
}

int cmd_store_list(struct context *context)
{
	static const char *const header[] = { "NAME", "READY" };
	const struct listing listing = { KIND_CLUSTER_STORE, header, 2, store_cells,
					 "clusterstores" };

	return list(context, &listing);
}

int cmd_store_status(struct context *context)
{
	static const char *const header[] = { "BUILDPACKAGE ID", "VERSION", "HOMEPAGE" };
	const struct store_status *status;
	const struct state_entry *entry;
	struct text_table table;
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	entry = look_one(context, KIND_CLUSTER_STORE, context->options.args.v[0]);
	if (!entry)
		return EXIT_ERROR;
	if (look_print(context, look_document(context, entry)))
		return EXIT_DONE;
	status = entry->status;
	if (strcmp(word_of(&status->conditions), "Ready") != 0)
		put_problem(context, &status->conditions);
	else
		block_print((const struct block_line[]){ { "Status", "Ready" } }, 1, &context->out);
	text_table_init(&table, context->arena, header, COUNTOF(header));
	for (size_t i = 0; i < status->buildpacks.n; i++) {
		const struct store_buildpack *buildpack =
			LIST_AT(status->buildpacks, struct store_buildpack, i);
		const char *const cells[] = { buildpack->id, buildpack->version,
					      buildpack->homepage };

		text_table_add(&table, cells);
	}
	text_table_print(&table, &context->out);
	return EXIT_DONE;
}
