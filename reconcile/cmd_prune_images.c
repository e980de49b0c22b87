/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_prune_images.c — `prune images`: old items of tags' histories and records of images that nothing uses. Rules:
 * reconcile/plan/stream_prune.h; texts: openshift.md §5.7.
 *
 * What is in use is read off the texts: every digest that stands in a file of the manifests, whatever kind of document it
 * is, or in what is recorded of anything but streams, and every "stream:tag". That keeps too much rather than too little.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/sys/fs.h"
#include "model/base/digest.h"
#include "model/base/limits.h"
#include "model/kind/image_record.h"
#include "reconcile/commands.h"
#include "reconcile/look.h"
#include "reconcile/plan/stream_prune.h"
#include "reconcile/prune.h"
#include "reconcile/tag_source.h"

#define RECORDS "cluster/images/sha256"

struct prune_images {
	struct context *context;
	struct prune_input in;
	struct map used_tags, used_images, records;
	struct strings
		tags; /* "stream:tag" of everything that is recorded, and where it is: "ns/stream:tag" */
	struct prune_result result;
};

static int64_t long_ago;

/* Every digest in a text. */
static void note_digests(struct prune_images *p, const char *text)
{
	static const char mark[] = "sha256:";
	size_t n = strlen(mark) + DIGEST_HEX;

	while ((text = strstr(text, mark)) != NULL) {
		const char *digest = arena_copy(p->context->arena, text, strnlen(text, n));

		if (digest_is_valid(digest))
			map_set(p->context->arena, &p->used_images, digest, p);
		text += strlen(mark);
	}
}

static void note_tags(struct prune_images *p, const char *text)
{
	for (size_t i = 0; i < p->tags.n; i++)
		if (!map_has(&p->used_tags, p->tags.v[i]) &&
		    strstr(text, strchr(p->tags.v[i], '/') + 1))
			map_set(p->context->arena, &p->used_tags, p->tags.v[i], p);
}

static void list_tags(struct prune_images *p)
{
	const struct map *all = &p->context->state.state.by_id;

	for (size_t i = 0; i < all->n; i++) {
		const struct state_entry *entry = all->items[i].value;
		const struct stream_status *status = entry->status;

		for (size_t k = 0; entry->kind == KIND_IMAGE_STREAM && k < status->tags.n; k++)
			vec_push(p->context->arena, &p->tags,
				 arena_printf(p->context->arena, "%s/%s:%s", entry->ns, entry->name,
					      LIST_AT(status->tags, struct tag_history, k)->tag));
	}
}

static bool read_manifests(struct prune_images *p, struct err *err)
{
	const struct strings *files = &p->context->loaded.files;

	for (size_t i = 0; i < files->n; i++) {
		char *text = NULL;
		size_t len;

		if (!fs_read(AT_FDCWD, files->v[i], LIMIT_FILE_BYTES, p->context->arena, &text,
			     &len, err))
			return err_prefix(err, "failed to build graph - no changes made");
		if (!text)
			continue;
		note_digests(p, text);
		note_tags(p, text);
	}
	return true;
}

static void read_statuses(struct prune_images *p)
{
	const struct map *files = &p->context->state.bytes_by_path;

	for (size_t i = 0; i < files->n; i++)
		if (!strstr(files->items[i].key, "/imagestreams/"))
			note_digests(p, files->items[i].value);
}

/* Names alone: what the records hold is not needed. */
static bool note_record(void *ctx, const char *path, bool is_dir)
{
	struct prune_images *p = ctx;
	size_t n = strlen(RECORDS);
	const char *digest;

	if (is_dir)
		return strncmp(RECORDS, path, strlen(path)) == 0;
	if (strncmp(path, RECORDS "/", n + 1) != 0)
		return false;
	digest = arena_printf(p->context->arena, "sha256:%.*s", DIGEST_HEX, path + n + 1);
	if (digest_is_valid(digest))
		map_set(p->context->arena, &p->records, digest, &long_ago);
	return false;
}

static bool gather(struct prune_images *p, struct err *err)
{
	struct context *context = p->context;
	struct store_files none;

	list_tags(p);
	read_statuses(p);
	if (!read_manifests(p, err) ||
	    !store_read_all(context->store, note_record, p, context->arena, &none, err))
		return false;
	p->in.state = &context->state.state;
	p->in.used_tags = &p->used_tags;
	p->in.used_images = &p->used_images;
	p->in.records = &p->records;
	p->in.now_s = context->now_s;
	p->in.all = !context->options.stream.all || option_is_on(context->options.stream.all);
	return true;
}

static void put_entry(struct context *context, struct recorder *recorder,
		      const struct state_entry *entry, const void *status, const char *line)
{
	struct object *object = ARENA_NEW(context->arena, struct object);

	*object = (struct object){ .kind = entry->kind,
				   .id = entry->id,
				   .meta = { .name = entry->name, .ns = entry->ns } };
	recorder_put(recorder, object, &entry->origin, status, line);
}

static void fill(void *ctx, struct recorder *recorder)
{
	const struct prune_images *p = ctx;
	struct context *context = p->context;
	const struct map *all = &context->state.state.by_id;
	const struct prune_result *result = &p->result;
	const struct state_entry *holder = NULL; /* files go with an object */

	for (size_t i = 0; i < result->streams.n; i++) {
		const struct prune_stream *stream =
			LIST_AT(result->streams, struct prune_stream, i);

		holder = stream->entry;
		put_entry(context, recorder, holder, stream->status,
			  arena_printf(context->arena, "%s: %zu item%s pruned", holder->id,
				       stream->items.n, stream->items.n == 1 ? "" : "s"));
	}
	if (!holder && all->n && result->images.n) {
		holder = all->items[0].value;
		put_entry(context, recorder, holder, holder->status,
			  arena_printf(context->arena, "%zu image record%s pruned",
				       result->images.n, result->images.n == 1 ? "" : "s"));
	}
	for (size_t i = 0; holder && i < result->images.n; i++)
		recorder_put_file(recorder, holder->id,
				  image_record_path(result->images.v[i], context->arena), NULL);
}

static void put_text(const struct prune_images *p)
{
	const struct prune_result *result = &p->result;
	struct buf *out = &p->context->out;

	for (size_t i = 0; i < result->streams.n; i++) {
		const struct prune_stream *stream =
			LIST_AT(result->streams, struct prune_stream, i);

		buf_printf(out, "Deleting %zu items from image stream %s/%s\n", stream->items.n,
			   stream->entry->ns, stream->entry->name);
	}
	for (size_t i = 0; i < result->images.n; i++)
		buf_printf(out, "Deleting image %s\n", result->images.v[i]);
	if (!result->images.n && !result->n_items)
		buf_puts(out, "Summary: deleted 0 objects\n");
	else
		buf_printf(out,
			   "Summary: deleted %zu image object(s), deleted %zu image stream tag "
			   "item(s)\n",
			   result->images.n, result->n_items);
}

static struct node *items_node(const struct prune_stream *stream, struct arena *arena)
{
	struct node *items = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < stream->items.n; i++) {
		const struct prune_item *item = LIST_AT(stream->items, struct prune_item, i);
		struct node *node = node_new(arena, NODE_MAP);

		node_set_text(arena, node, "tag", item->tag);
		node_set_text(arena, node, "image", item->event->image);
		node_set_text(arena, node, "dockerImageReference", item->event->reference);
		node_push(items, node);
	}
	return items;
}

/* {formatVersion, confirmed, streams: [{namespace, name, items}], images} */
static struct node *result_node(const struct prune_images *p)
{
	struct arena *arena = p->context->arena;
	struct node *root = node_new(arena, NODE_MAP), *streams = node_new(arena, NODE_SEQ);
	struct node *images = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < p->result.streams.n; i++) {
		const struct prune_stream *stream =
			LIST_AT(p->result.streams, struct prune_stream, i);
		struct node *node = node_new(arena, NODE_MAP);

		node_set_text(arena, node, "namespace", stream->entry->ns);
		node_set_text(arena, node, "name", stream->entry->name);
		node_set(arena, node, "items", items_node(stream, arena));
		node_push(streams, node);
	}
	for (size_t i = 0; i < p->result.images.n; i++)
		node_push(images, node_string(arena, p->result.images.v[i]));
	node_set(arena, root, "formatVersion", node_int(arena, 1));
	node_set(arena, root, "confirmed",
		 node_bool(arena, p->context->options.stream.is_confirmed));
	node_set(arena, root, "streams", streams);
	node_set(arena, root, "images", images);
	return root;
}

static int prune(struct prune_images *p)
{
	struct context *context = p->context;
	struct err err = { 0 };
	int code = EXIT_DONE;

	if (!gather(p, &err))
		return context_fail(&err, EXIT_ERROR);
	stream_prune(&p->in, context->arena, &p->result);
	prune_say_dry(context, "images");
	if (context->options.stream.is_confirmed && (p->result.n_items || p->result.images.n))
		code = prune_flush(context, fill, p,
				   arena_printf(context->arena,
						"%zu items of tags and %zu image records pruned",
						p->result.n_items, p->result.images.n));
	if (code == EXIT_DONE && !look_print(context, result_node(p)))
		put_text(p);
	return code;
}

int cmd_prune_images(struct context *context)
{
	struct prune_images p = { .context = context };
	const struct options *options = &context->options;
	struct err err = { 0 };
	int code;

	if (!prune_number("keep-tag-revisions", options->pruning.keep_revisions,
			  PRUNE_KEEP_REVISIONS, &p.in.keep_revisions, &err) ||
	    !prune_younger(options, &p.in.keep_younger_s, &err))
		return context_fail(&err, EXIT_USAGE);
	code = context_load(context);
	if (code == EXIT_DONE)
		code = context_read_state(context);
	return code == EXIT_DONE ? prune(&p) : code;
}
