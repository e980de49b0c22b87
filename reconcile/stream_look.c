/* SPDX-License-Identifier: Apache-2.0 */
/* stream_look.c — recorded streams and images, and what the manifest adds to them. */
#include "reconcile/stream_look.h"

#include <string.h>

#include "model/base/time.h"
#include "model/kind/image_record.h"
#include "model/kind/settings.h"
#include "reconcile/look.h"
#include "reconcile/plan/stream.h"
#include "reconcile/report/stream_report.h"

const struct stream_status *stream_recorded(const struct context *context, const char *ns,
					    const char *name)
{
	return state_status(&context->state.state,
			    object_id(KIND_IMAGE_STREAM, ns, name, context->arena));
}

static const struct object *declared(struct context *context, const struct state_entry *entry)
{
	const struct model *model = look_manifests(context);

	return model ? model_find(model, KIND_IMAGE_STREAM, entry->ns, entry->name) : NULL;
}

struct due {
	struct context *context;
	struct object stream;
	const struct stream_status *status;
};

static int64_t due_s(void *ctx, const char *tag)
{
	const struct due *due = ctx;
	const struct tag_at at = { &due->stream, due->status, tag };

	return stream_due_s(&at, &due->context->settings->streams, NULL, due->context->arena);
}

/* What stands in the manifest may be newer than what was acted on: schedules are looked at as they are recorded. */
static struct object as_recorded(const struct state_entry *entry)
{
	const struct stream_status *status = entry->status;

	return (struct object){ .kind = KIND_IMAGE_STREAM,
				.id = entry->id,
				.meta = { .name = entry->name, .ns = entry->ns },
				.spec = &status->spec };
}

int stream_show(struct context *context, const struct state_entry *entry)
{
	const struct object *object = declared(context, entry);
	struct due due = { context, as_recorded(entry), entry->status };
	const struct described_stream view = {
		.ns = entry->ns,
		.name = entry->name,
		.meta = object ? &object->meta : NULL,
		.status = entry->status,
		.now_s = context->now_s,
		.due_s = context->options.is_verbose ? due_s : NULL,
		.ctx = &due,
	};
	const struct node *document;

	if (!context->options.output || context_is_output(context, "text")) {
		stream_describe(&view, context->arena, &context->out);
		return EXIT_DONE;
	}
	document = look_document(context, entry);
	if (document)
		look_print(context, document);
	return document ? EXIT_DONE : EXIT_STATE;
}

/* What is asked for: a tag's event, or an image of the history. */
struct wanted {
	const struct state_entry *entry;
	const struct tag_event *event;
	const struct tag_ref *tag; /* NULL: not of a tag, or it is not in the spec */
	const char *name;          /* "python:latest" or "python@sha256:…" */
	bool is_tag;
};

static struct node *wanted_node(struct context *context, const struct wanted *wanted,
				const struct image_record *record)
{
	struct arena *arena = context->arena;
	const struct stream_status *status = wanted->entry->status;
	struct node *root = node_new(arena, NODE_MAP), *meta = node_new(arena, NODE_MAP);
	struct node *lookup = node_new(arena, NODE_MAP);
	char time[TIME_TEXT];

	time_format(wanted->event->created_s, time);
	node_set_text(arena, root, "apiVersion", "image.openshift.io/v1");
	node_set_text(arena, root, "kind", wanted->is_tag ? "ImageStreamTag" : "ImageStreamImage");
	node_set_text(arena, meta, "name", wanted->name);
	node_set_text(arena, meta, "namespace", wanted->entry->ns);
	node_set_text(arena, meta, "creationTimestamp", time);
	node_set(arena, root, "metadata", meta);
	if (wanted->is_tag) {
		if (wanted->tag)
			node_set(arena, root, "tag",
				 fields_encode(&tag_ref_table, wanted->tag, arena));
		node_set(arena, root, "generation", node_int(arena, wanted->event->generation));
		node_set(arena, lookup, "local", node_bool(arena, status->spec.is_local_lookup));
		node_set(arena, root, "lookupPolicy", lookup);
	}
	node_set(arena, root, "image", image_record_encode(record, arena));
	return root;
}

static int show(struct context *context, const struct wanted *wanted)
{
	struct described_image view = {
		.name = wanted->event->image,
		.event = wanted->event,
		.annotations = wanted->tag ? &wanted->tag->annotations : NULL,
		.now_s = context->now_s,
		.is_verbose = context->options.is_verbose,
	};
	struct image_record record;
	struct err err = { 0 };

	if (!state_read_image(context->store, wanted->event->image, context->arena, &record, &err))
		return context_fail(&err, err.kind == ERR_ABSENT ? EXIT_ERROR : EXIT_STATE);
	view.record = &record;
	if (!context->options.output || context_is_output(context, "text"))
		image_describe(&view, context->arena, &context->out);
	else
		look_print(context, wanted_node(context, wanted, &record));
	return EXIT_DONE;
}

int stream_show_tag(struct context *context, const struct state_entry *entry, const char *tag)
{
	const struct stream_status *status = entry->status;
	const struct tag_event *event = stream_current(status, tag);
	const struct wanted wanted = { .entry = entry,
				       .event = event,
				       .tag = stream_tag(&status->spec, tag),
				       .name = arena_printf(context->arena, "%s:%s", entry->name,
							    tag),
				       .is_tag = true };
	struct err err = { 0 };

	if (!event)
		err_set(&err, ERR_ABSENT, "imagestreamtag \"%s\" not found in namespace %s",
			wanted.name, entry->ns);
	else if (!*event->image)
		err_set(&err, ERR_ABSENT,
			"imagestreamtag \"%s\" is a reference to %s; no image is known of it",
			wanted.name, event->reference);
	else
		return show(context, &wanted);
	return context_fail(&err, EXIT_ERROR);
}

int stream_show_image(struct context *context, const struct state_entry *entry, const char *id)
{
	struct wanted wanted = { .entry = entry };
	struct err err = { 0 };

	if (!stream_find_image(entry->status, id, &wanted.event, &err)) {
		err_prefix(&err, "imagestreamimage \"%s@%s\"", entry->name, id);
		return context_fail(&err, EXIT_ERROR);
	}
	wanted.name = arena_printf(context->arena, "%s@%s", entry->name, wanted.event->image);
	return show(context, &wanted);
}
