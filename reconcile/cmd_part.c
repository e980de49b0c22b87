/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_part.c — `list` and `status` of builders and what they are composed of, from recorded state. Layouts: kpack.md §5.4;
 * columns that kp has not come with -o wide.
 */
#include <string.h>

#include "reconcile/commands.h"
#include "reconcile/look.h"
#include "reconcile/report/table.h"

/* Every status of these kinds begins with them. */
static const struct list *conditions_of(const struct state_entry *entry)
{
	return entry->status;
}

enum readiness { UNKNOWN, READY, NOT_READY };
static enum readiness readiness_of(const struct state_entry *entry)
{
	const struct condition *ready = condition_find(conditions_of(entry), "Ready");

	if (!ready)
		return UNKNOWN;
	return strcmp(ready->status, "True") == 0    ? READY
	       : strcmp(ready->status, "False") == 0 ? NOT_READY
						     : UNKNOWN;
}

typedef const char *cell_fn(const struct state_entry *entry, struct arena *arena);

static const char *name_cell(const struct state_entry *entry, struct arena *arena)
{
	(void)arena;
	return entry->name;
}

static const char *namespace_cell(const struct state_entry *entry, struct arena *arena)
{
	(void)arena;
	return entry->ns;
}

static const char *ready_cell(const struct state_entry *entry, struct arena *arena)
{
	static const char *const words[] = {
		[UNKNOWN] = "unknown", [READY] = "true", [NOT_READY] = "false"
	};

	(void)arena;
	return words[readiness_of(entry)];
}

/* A cell that is a member of a status. */
#define CELL(name, type, member)                                                                   \
	static const char *name(const struct state_entry *entry, struct arena *arena)              \
	{                                                                                          \
		(void)arena;                                                                       \
		return ((const struct type *)entry->status)->member;                               \
	}
CELL(builder_stack, builder_status, stack_id)
CELL(builder_image, builder_status, latest_image)
CELL(builder_run_image, builder_status, stack_run_image)
CELL(builder_lifecycle, builder_status, lifecycle_version)
CELL(stack_id, stack_status, id)
CELL(stack_run_image, stack_status, run.latest)
CELL(stack_build_image, stack_status, build.latest)
CELL(lifecycle_version, lifecycle_status, version)
CELL(lifecycle_image, lifecycle_status, image.latest)

static const char *store_size(const struct state_entry *entry, struct arena *arena)
{
	const struct store_status *status = entry->status;

	return arena_printf(arena, "%zu", status->buildpacks.n);
}

static const char *buildpack_image(const struct state_entry *entry, struct arena *arena)
{
	const struct store_status *status = entry->status;

	(void)arena;
	return status->sources.n ? LIST_AT(status->sources, struct image_pin, 0)->latest : NULL;
}

/* What the store names: the package where it is one, else the buildpack itself. */
static const struct buildpack_id *package_of(const struct store_buildpack *buildpack,
					     struct buildpack_id *own)
{
	*own = (struct buildpack_id){ buildpack->id, buildpack->version, buildpack->homepage,
				      NULL };
	return buildpack->package.id ? &buildpack->package : own;
}

static const char *id_text(const struct buildpack_id *id, struct arena *arena)
{
	return arena_printf(arena, "%s%s%s", id->id ? id->id : "", id->version ? "@" : "",
			    id->version ? id->version : "");
}

static const char *buildpack_package(const struct state_entry *entry, struct arena *arena)
{
	const struct store_status *status = entry->status;
	struct buildpack_id own;

	if (!status->buildpacks.n)
		return NULL;
	return id_text(package_of(LIST_AT(status->buildpacks, struct store_buildpack, 0), &own),
		       arena);
}

struct column {
	const char *title;
	cell_fn *cell;
	enum { ALWAYS, IF_WIDE, IF_NAMESPACES } when;
};
static const struct column builder_columns[] = {
	{ "NAME", name_cell, ALWAYS },
	{ "READY", ready_cell, ALWAYS },
	{ "STACK", builder_stack, ALWAYS },
	{ "IMAGE", builder_image, ALWAYS },
	{ "RUN IMAGE", builder_run_image, IF_WIDE },
	{ "LIFECYCLE", builder_lifecycle, IF_WIDE },
	{ "NAMESPACE", namespace_cell, IF_NAMESPACES },
	{ 0 },
};
static const struct column stack_columns[] = {
	{ "NAME", name_cell, ALWAYS },
	{ "READY", ready_cell, ALWAYS },
	{ "ID", stack_id, ALWAYS },
	{ "RUN IMAGE", stack_run_image, IF_WIDE },
	{ "BUILD IMAGE", stack_build_image, IF_WIDE },
	{ 0 },
};
static const struct column store_columns[] = {
	{ "NAME", name_cell, ALWAYS },
	{ "READY", ready_cell, ALWAYS },
	{ "BUILDPACKS", store_size, IF_WIDE },
	{ 0 },
};
static const struct column lifecycle_columns[] = {
	{ "NAME", name_cell, ALWAYS },
	{ "READY", ready_cell, ALWAYS },
	{ "VERSION", lifecycle_version, ALWAYS },
	{ "IMAGE", lifecycle_image, ALWAYS },
	{ 0 },
};
static const struct column buildpack_columns[] = {
	{ "NAME", name_cell, ALWAYS },
	{ "READY", ready_cell, ALWAYS },
	{ "IMAGE", buildpack_image, ALWAYS },
	{ "BUILDPACK", buildpack_package, IF_WIDE },
	{ "NAMESPACE", namespace_cell, IF_NAMESPACES },
	{ 0 },
};

typedef void show_fn(struct context *context, const struct state_entry *entry);

/* Begins a block of lines; why it is not ready stands in a block of its own. */
static const char *put_readiness(struct context *context, const struct state_entry *entry)
{
	static const char *const words[] = {
		[UNKNOWN] = "Unknown", [READY] = "Ready", [NOT_READY] = "Not Ready"
	};
	const struct condition *ready = condition_find(conditions_of(entry), "Ready");
	const char *word = words[readiness_of(entry)];

	if (readiness_of(entry) != READY)
		block_print(
			(const struct block_line[]){
				{ "Status", word },
				{ "Reason", ready && ready->message ? ready->message : "" } },
			2, &context->out);
	return word;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
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

			buf_printf(&context->out, "  %s%s%s%s\n", or_empty(entry->id),
				   entry->version ? "@" : "", or_empty(entry->version),
				   entry->is_optional ? "    (Optional)" : "");
		}
	}
	buf_byte(&context->out, '\n');
}

static void show_builder(struct context *context, const struct state_entry *entry)
{
	const struct builder_status *status = entry->status;
	const char *word = put_readiness(context, entry);

	if (!status->latest_image)
		return;
	block_print(
		(const struct block_line[]){ { "Status", word },
					     { "Image", status->latest_image },
					     { "Stack ID", or_empty(status->stack_id) },
					     { "Run Image", or_empty(status->stack_run_image) } },
		4, &context->out);
	look_buildpacks(context, &status->buildpacks);
	put_order(context, &status->order);
}

static const char *join(const struct strings *words, struct arena *arena)
{
	AUTO_BUF text = BUF_INIT(1 << 16);

	for (size_t i = 0; i < words->n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", words->v[i]);
	return buf_copy(&text, arena);
}

static bool is_long(const struct context *context)
{
	return context->options.is_verbose || context_is_output(context, "wide");
}

static void show_stack(struct context *context, const struct state_entry *entry)
{
	const struct stack_status *status = entry->status;
	const char *word = put_readiness(context, entry);

	block_print(
		(const struct block_line[]){ { "Status", word },
					     { "Id", or_empty(status->id) },
					     { "Run Image", or_empty(status->run.latest) },
					     { "Build Image", or_empty(status->build.latest) },
					     { "Mixins", join(&status->mixins, context->arena) } },
		is_long(context) ? 5 : 4, &context->out);
}

static bool is_same_package(const struct store_buildpack *a, const struct store_buildpack *b)
{
	struct buildpack_id own_a, own_b;
	const struct buildpack_id *left = package_of(a, &own_a), *right = package_of(b, &own_b);

	return strcmp(or_empty(left->id), or_empty(right->id)) == 0 &&
	       strcmp(or_empty(left->version), or_empty(right->version)) == 0;
}

static bool is_first_of_package(const struct list *buildpacks, size_t index)
{
	const struct store_buildpack *one = LIST_AT(*buildpacks, struct store_buildpack, index);

	for (size_t i = 0; i < index; i++)
		if (is_same_package(LIST_AT(*buildpacks, struct store_buildpack, i), one))
			return false;
	return true;
}

/* A package, with what it holds and in which order; `word`: of an object that is this package, NULL for one of a store. */
static void put_package(struct context *context, const struct list *buildpacks,
			const struct store_buildpack *first, const char *word)
{
	struct buildpack_id own, *held = arena_array(context->arena, buildpacks->n, sizeof(*held));
	const struct buildpack_id *package = package_of(first, &own);
	const struct list *order = NULL;
	struct list others = { held, 0 };
	const struct block_line lines[] = { { "Status", word },
					    { "Buildpackage", id_text(package, context->arena) },
					    { "Image", or_empty(first->store_image) },
					    { "Homepage", or_empty(package->homepage) } };

	for (size_t i = 0; i < buildpacks->n; i++) {
		const struct store_buildpack *one = LIST_AT(*buildpacks, struct store_buildpack, i);

		if (!is_same_package(first, one))
			continue;
		if (strcmp(or_empty(one->id), or_empty(package->id)) == 0)
			order = &one->order;
		else
			held[others.n++] =
				(struct buildpack_id){ one->id, one->version, one->homepage, NULL };
	}
	block_print(word ? lines : lines + 1, COUNTOF(lines) - !word, &context->out);
	look_buildpacks(context, &others);
	if (order)
		put_order(context, order);
}

static void put_packages(struct context *context, const struct list *buildpacks)
{
	static const char *const header[] = { "BUILDPACKAGE ID", "VERSION", "HOMEPAGE" };
	struct text_table table;

	text_table_init(&table, context->arena, header, COUNTOF(header));
	for (size_t i = 0; i < buildpacks->n; i++) {
		const struct store_buildpack *one = LIST_AT(*buildpacks, struct store_buildpack, i);
		struct buildpack_id own;
		const struct buildpack_id *package = package_of(one, &own);
		const char *const cells[] = { package->id, package->version, package->homepage };

		if (!is_first_of_package(buildpacks, i))
			continue;
		if (is_long(context))
			put_package(context, buildpacks, one, NULL);
		else
			text_table_add(&table, cells);
	}
	if (!is_long(context))
		text_table_print(&table, &context->out);
}

static void show_store(struct context *context, const struct state_entry *entry)
{
	const struct store_status *status = entry->status;
	const char *word = put_readiness(context, entry);

	if (readiness_of(entry) == READY)
		block_print((const struct block_line[]){ { "Status", word } }, 1, &context->out);
	put_packages(context, &status->buildpacks);
}

static void show_lifecycle(struct context *context, const struct state_entry *entry)
{
	const struct lifecycle_status *status = entry->status;
	const char *word = put_readiness(context, entry);
	const struct lifecycle_apis *apis = &status->apis;
	struct arena *arena = context->arena;

	if (!status->image.latest)
		return;
	block_print(
		(const struct block_line[]){
			{ "Status", word },
			{ "Image", status->image.latest },
			{ "Version", or_empty(status->version) },
			{ "Buildpack APIs", join(&apis->buildpack_supported, arena) },
			{ "Platform APIs", join(&apis->platform_supported, arena) },
			{ "Deprecated Buildpack APIs", join(&apis->buildpack_deprecated, arena) },
			{ "Deprecated Platform APIs", join(&apis->platform_deprecated, arena) } },
		is_long(context) ? 7 : 5, &context->out);
}

static void show_buildpack(struct context *context, const struct state_entry *entry)
{
	const struct store_status *status = entry->status;
	const char *word = put_readiness(context, entry);

	if (status->buildpacks.n)
		put_package(context, &status->buildpacks,
			    LIST_AT(status->buildpacks, struct store_buildpack, 0), word);
}

struct part {
	const struct column *columns;
	show_fn *show;
};
static const struct part parts[KINDS] = {
	[KIND_BUILDER] = { builder_columns, show_builder },
	[KIND_CLUSTER_BUILDER] = { builder_columns, show_builder },
	[KIND_CLUSTER_STACK] = { stack_columns, show_stack },
	[KIND_CLUSTER_STORE] = { store_columns, show_store },
	[KIND_CLUSTER_LIFECYCLE] = { lifecycle_columns, show_lifecycle },
	[KIND_BUILDPACK] = { buildpack_columns, show_buildpack },
	[KIND_CLUSTER_BUILDPACK] = { buildpack_columns, show_buildpack },
};

static size_t choose_columns(const struct context *context, const struct column *all,
			     const struct column **out)
{
	bool is_wide = context_is_output(context, "wide");
	bool has_namespaces = kind_info(command_kind(context))->is_cluster
				      ? false
				      : is_wide || context->options.all_namespaces;
	size_t n = 0;

	for (const struct column *c = all; c->title; c++)
		if (c->when == ALWAYS || (c->when == IF_WIDE && is_wide) ||
		    (c->when == IF_NAMESPACES && has_namespaces))
			out[n++] = c;
	return n;
}

static void put_table(struct context *context, const struct column *all,
		      const struct entries *entries)
{
	const struct column *columns[TABLE_COLUMNS];
	const char *cells[TABLE_COLUMNS];
	size_t n = choose_columns(context, all, columns);
	struct text_table table;

	for (size_t k = 0; k < n; k++)
		cells[k] = columns[k]->title;
	text_table_init(&table, context->arena, cells, n);
	for (size_t i = 0; i < entries->n; i++) {
		for (size_t k = 0; k < n; k++)
			cells[k] = columns[k]->cell(entries->v[i], context->arena);
		text_table_add(&table, cells);
	}
	text_table_print(&table, &context->out);
}

int cmd_part_list(struct context *context)
{
	const enum kind kind = command_kind(context);
	struct entries entries;
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	look_list(context, kind, &entries);
	if (look_print_list(context, &entries))
		return EXIT_DONE;
	if (entries.n)
		put_table(context, parts[kind].columns, &entries);
	else
		buf_printf(&context->out, "no %ss found\n", kind_info(kind)->words[0]);
	return EXIT_DONE;
}

int cmd_part_status(struct context *context)
{
	const enum kind kind = command_kind(context);
	const struct state_entry *entry;
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	entry = look_one(context, kind, context->options.args.v[0]);
	if (!entry)
		return EXIT_ERROR;
	if (!look_print_one(context, entry))
		parts[kind].show(context, entry);
	return EXIT_DONE;
}
