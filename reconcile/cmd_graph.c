/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_graph.c — `graph`: what is made of what, from manifests alone, as text, DOT, Mermaid or JSON. Edges are those of the
 * plan's order: an image waits for its builder, a builder for its stack, store, buildpacks and lifecycle.
 */
#include <string.h>

#include "model/doc/json.h"
#include "reconcile/commands.h"
#include "reconcile/parts.h"
#include "reconcile/report/plan_report.h"

struct graph {
	struct context *context;
	const struct model *model;
};

static void put_text(const struct graph *graph, struct buf *out)
{
	struct arena *arena = graph->context->arena;

	for (size_t i = 0; i < graph->model->objects.n; i++) {
		const struct object *object = graph->model->objects.v[i];
		struct object_list parts = { 0 };

		if (!kind_info(object->kind)->state_folder)
			continue;
		object_parts(graph->model, object, arena, &parts);
		buf_printf(out, "%s\n", object_label(object->id, arena));
		for (size_t k = 0; k < parts.n; k++)
			buf_printf(out, "  %s %s\n", k + 1 < parts.n ? "├─" : "└─",
				   object_label(parts.v[k]->id, arena));
	}
}

static void put_dot(const struct graph *graph, struct buf *out)
{
	buf_puts(out, "digraph reconcile {\n  rankdir=LR;\n");
	for (size_t i = 0; i < graph->model->objects.n; i++) {
		const struct object *object = graph->model->objects.v[i];
		struct object_list parts = { 0 };

		if (!kind_info(object->kind)->state_folder)
			continue;
		buf_printf(out, "  \"%s\";\n", object->id);
		object_parts(graph->model, object, graph->context->arena, &parts);
		for (size_t k = 0; k < parts.n; k++)
			buf_printf(out, "  \"%s\" -> \"%s\";\n", parts.v[k]->id, object->id);
	}
	buf_puts(out, "}\n");
}

static void put_mermaid(const struct graph *graph, struct buf *out)
{
	struct map numbers = { 0 };
	struct arena *arena = graph->context->arena;

	buf_puts(out, "graph LR\n");
	for (size_t i = 0; i < graph->model->objects.n; i++) {
		const struct object *object = graph->model->objects.v[i];

		if (!kind_info(object->kind)->state_folder)
			continue;
		map_set(arena, &numbers, object->id, arena_printf(arena, "n%zu", numbers.n));
		buf_printf(out, "  %s[\"%s\"]\n", (const char *)map_get(&numbers, object->id),
			   object_label(object->id, arena));
	}
	for (size_t i = 0; i < graph->model->objects.n; i++) {
		const struct object *object = graph->model->objects.v[i];
		struct object_list parts = { 0 };

		if (!map_has(&numbers, object->id))
			continue;
		object_parts(graph->model, object, arena, &parts);
		for (size_t k = 0; k < parts.n; k++)
			buf_printf(out, "  %s --> %s\n",
				   (const char *)map_get(&numbers, parts.v[k]->id),
				   (const char *)map_get(&numbers, object->id));
	}
}

static void put_json(const struct graph *graph, struct buf *out)
{
	struct arena *arena = graph->context->arena;
	struct node *root = node_new(arena, NODE_MAP), *nodes = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < graph->model->objects.n; i++) {
		const struct object *object = graph->model->objects.v[i];
		struct node *item = node_new(arena, NODE_MAP), *edges = node_new(arena, NODE_SEQ);
		struct object_list parts = { 0 };

		if (!kind_info(object->kind)->state_folder)
			continue;
		object_parts(graph->model, object, arena, &parts);
		for (size_t k = 0; k < parts.n; k++)
			node_push(edges, node_string(arena, parts.v[k]->id));
		node_set_text(arena, item, "object", object->id);
		node_set(arena, item, "dependsOn", edges);
		node_push(nodes, item);
	}
	node_set(arena, root, "formatVersion", node_int(arena, 1));
	node_set(arena, root, "objects", nodes);
	json_print(root, JSON_PRETTY, out);
	buf_byte(out, '\n');
}

int cmd_graph(struct context *context)
{
	static const struct {
		const char *format;
		void (*put)(const struct graph *graph, struct buf *out);
	} formats[] = { { "dot", put_dot }, { "mermaid", put_mermaid }, { "json", put_json } };
	const struct graph graph = { context, &context->loaded.model };
	int code = context_load(context);

	if (code != EXIT_DONE)
		return code;
	for (size_t i = 0; i < COUNTOF(formats); i++) {
		if (context_is_output(context, formats[i].format)) {
			formats[i].put(&graph, &context->out);
			return EXIT_DONE;
		}
	}
	put_text(&graph, &context->out);
	return EXIT_DONE;
}
