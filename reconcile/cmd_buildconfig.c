/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_buildconfig.c — `buildconfig list` and `describe`: what the manifests declare, where they are at hand, and what is
 * recorded; of one without a manifest what its newest build was made of. Layouts: openshift.md §5.5.
 */
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/log.h"
#include "reconcile/build_command.h"
#include "reconcile/commands.h"
#include "reconcile/report/build_cells.h"
#include "reconcile/report/build_report.h"
#include "reconcile/report/tabwriter.h"

enum { ROWS_BYTES = 64 << 20 };

/* At least one of the two is there. */
struct config {
	const char *ns, *name;
	const struct object *object;     /* NULL: not declared, or not at hand */
	const struct state_entry *entry; /* NULL: not recorded */
};
typedef VEC(struct config) config_vec;

static int by_place(const void *a, const void *b)
{
	const struct config *left = a, *right = b;
	int order = strcmp(left->ns, right->ns);

	return order ? order : strcmp(left->name, right->name);
}

/* Of the namespace that is asked for, by namespace and name. */
static void find_configs(struct context *context, config_vec *out)
{
	const struct model *model = look_manifests(context);
	const char *ns = context_ns(context);
	struct entries recorded;

	look_list(context, KIND_BUILD_CONFIG, &recorded);
	for (size_t i = 0; i < recorded.n; i++) {
		const struct state_entry *entry = recorded.v[i];
		struct config config = { .ns = entry->ns, .name = entry->name, .entry = entry };

		if (model)
			config.object =
				model_find(model, KIND_BUILD_CONFIG, entry->ns, entry->name);
		vec_push(context->arena, out, config);
	}
	for (size_t i = 0; model && i < model->objects.n; i++) {
		const struct object *object = model->objects.v[i];

		if (object->kind == KIND_BUILD_CONFIG &&
		    (!ns || strcmp(object->meta.ns, ns) == 0) &&
		    !map_get(&context->state.state.by_id, object->id))
			vec_push(context->arena, out,
				 (struct config){ .ns = object->meta.ns,
						  .name = object->meta.name,
						  .object = object });
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_place);
}

static const struct build_config_status *status_of(const struct config *config)
{
	return config->entry ? config->entry->status : NULL;
}

/* *out NULL: neither manifest nor build is there. */
static bool common_of(struct context *context, const struct config *config,
		      const struct build_common **out, struct err *err)
{
	const struct node *document;
	struct build_common *common;
	struct build_ref newest;
	struct bc_build build;

	*out = config->object ? &((const struct build_config_spec *)config->object->spec)->common
			      : NULL;
	if (*out || !config->entry)
		return true;
	newest = build_newest(config->entry);
	if (!newest.number)
		return true;
	if (!build_read_config(context, &newest, &build, &document, err))
		return false;
	if (!document)
		return true;
	common = ARENA_NEW(context->arena, struct build_common);
	*common = build.spec.common;
	common->revision = NULL; /* the build's, not the build config's */
	*out = common;
	return true;
}

/* As recorded; of one that is declared alone what would be. */
static const struct node *document_of(struct context *context, const struct config *config)
{
	const struct build_config_status none = { 0 };

	if (config->entry)
		return look_document(context, config->entry);
	return status_encode(config->object, &(const struct origin){ 0 }, &none, context->arena);
}

static const char *id_of(struct context *context, const struct config *config)
{
	return object_id(KIND_BUILD_CONFIG, config->ns, config->name, context->arena);
}

static bool put_row(struct context *context, const struct config *config, struct buf *rows,
		    struct err *err)
{
	const struct build_config_status *status = status_of(config);
	struct arena *arena = context->arena;
	const struct build_common *common;

	if (!common_of(context, config, &common, err))
		return false;
	look_row(
		(const char *const[]){
			context->options.all_namespaces ? config->ns : NULL, config->name,
			common ? strategy_type(&common->strategy) : "",
			common ? build_config_from(common, arena) : "",
			arena_printf(arena, "%lld", status ? (long long)status->last_version : 0) },
		5, rows);
	return true;
}

static int put_table(struct context *context, const config_vec *configs)
{
	AUTO_BUF rows = BUF_INIT(ROWS_BYTES);
	struct err err = { 0 };

	buf_printf(&rows, "%sNAME\tTYPE\tFROM\tLATEST\n",
		   context->options.all_namespaces ? "NAMESPACE\t" : "");
	for (size_t i = 0; i < configs->n; i++)
		if (!put_row(context, &configs->v[i], &rows, &err))
			return context_fail(&err, EXIT_ERROR);
	tab_align(buf_text(&rows), &tab_get, &context->out);
	return EXIT_DONE;
}

static int put_list(struct context *context, const config_vec *configs)
{
	struct node *items;

	if (context_is_output(context, "name")) {
		for (size_t i = 0; i < configs->n; i++)
			buf_printf(&context->out, "%s\n", id_of(context, &configs->v[i]));
		return EXIT_DONE;
	}
	if (!look_is_document(context)) {
		if (configs->n)
			return put_table(context, configs);
		buf_puts(&context->out, "no build configs found\n");
		return EXIT_DONE;
	}
	items = node_new(context->arena, NODE_SEQ);
	for (size_t i = 0; i < configs->n; i++) {
		const struct node *document = document_of(context, &configs->v[i]);

		if (document)
			node_push(items, node_clone(context->arena, document));
	}
	look_print(context, look_items(context, items));
	return EXIT_DONE;
}

/* Keeps the one of that name; says that it is not there. */
static bool keep_one(struct context *context, config_vec *configs, const char *name)
{
	const char *near, *ns = context_ns(context);
	struct strings names = { 0 };

	for (size_t i = 0; i < configs->n; i++) {
		vec_push(context->arena, &names, configs->v[i].name);
		if (strcmp(configs->v[i].name, name) == 0) {
			configs->v[0] = configs->v[i];
			configs->n = 1;
			return true;
		}
	}
	near = suggest(name, names.v, names.n);
	if (near)
		log_line(LOG_ERROR,
			 "no BuildConfig \"%s\" is declared or recorded; did you mean \"%s\"?",
			 name, near);
	else
		log_line(LOG_ERROR, "no BuildConfig \"%s\" is declared or recorded%s%s", name,
			 ns ? " in namespace " : "", ns ? ns : "");
	return false;
}

int build_config_list(struct context *context, const char *name)
{
	config_vec configs = { 0 };
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	find_configs(context, &configs);
	if (name && !keep_one(context, &configs, name))
		return EXIT_ERROR;
	return put_list(context, &configs);
}

int cmd_buildconfig_list(struct context *context)
{
	return build_config_list(context, NULL);
}

static int show(struct context *context, const struct config *config)
{
	const struct object *object = config->object;
	struct described_config view = { .ns = config->ns,
					 .name = config->name,
					 .meta = object ? &object->meta : NULL,
					 .spec = object ? object->spec : NULL,
					 .status = status_of(config),
					 .now_s = context->now_s };
	const struct node *document;
	struct err err = { 0 };

	if (context_is_output(context, "name")) {
		buf_printf(&context->out, "%s\n", id_of(context, config));
		return EXIT_DONE;
	}
	if (look_is_document(context)) {
		document = document_of(context, config);
		return document && look_print(context, document) ? EXIT_DONE : EXIT_STATE;
	}
	if (!common_of(context, config, &view.common, &err))
		return context_fail(&err, EXIT_ERROR);
	build_config_describe(&view, context->arena, &context->out);
	return EXIT_DONE;
}

int build_config_show(struct context *context, const char *name)
{
	config_vec configs = { 0 };
	int code = context_read_state(context);

	if (code != EXIT_DONE)
		return code;
	find_configs(context, &configs);
	return keep_one(context, &configs, name) ? show(context, &configs.v[0]) : EXIT_ERROR;
}

int cmd_buildconfig_describe(struct context *context)
{
	return build_config_show(context, context->options.args.v[0]);
}
