/* links: model_kind */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_state.c — a file of the state branch: whatever it holds, it is read as every kind, as a build record of both kinds and as
 * an image's record; what is accepted is printed and accepted again, and can be asked for anything.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/doc/yaml.h"
#include "model/kind/build_config_status.h"
#include "model/kind/image_record.h"
#include "model/kind/status.h"
#include "model/kind/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as(enum kind kind, const struct node *document, struct arena *arena)
{
	const struct object object = { .kind = kind, .meta = { .name = "x", .ns = "y" } };
	struct err err = { 0 };
	const struct origin origin = origin_read(document);
	void *status, *again;

	if (status_read(kind, document, arena, &status, &err) &&
	    !status_read(kind, status_encode(&object, &origin, status, arena), arena, &again, &err))
		abort();
}

static void read_as_record(const struct node *document, struct arena *arena)
{
	struct build_record record, again;
	struct err err = { 0 };

	if (build_read(document, arena, &record, &err) &&
	    !build_read(build_encode(&record, arena), arena, &again, &err))
		abort();
}

static const char *printed(struct node *node, struct arena *arena)
{
	struct buf text = BUF_INIT(16 << 20);
	const char *copy;

	yaml_print(node, &text);
	copy = buf_copy(&text, arena);
	buf_release(&text);
	return copy;
}

/* Printed once, it prints the same again. */
static void read_as_bc_build(const struct node *document, struct arena *arena)
{
	struct bc_build build, again;
	struct err err = { 0 };

	if (!bc_build_read(document, arena, &build, &err))
		return;
	if (!bc_build_read(bc_build_encode(&build, arena), arena, &again, &err) ||
	    strcmp(printed(bc_build_encode(&build, arena), arena),
		   printed(bc_build_encode(&again, arena), arena)) != 0)
		abort();
}

static void read_as_image(const struct node *document, struct arena *arena)
{
	struct image_record record, again;
	struct image_facts facts;
	struct err err = { 0 };

	if (!image_record_read(document, arena, &record, &err))
		return;
	image_facts_read(&record, arena, &facts);
	if (!image_record_read(image_record_encode(&record, arena), arena, &again, &err) ||
	    strcmp(printed(image_record_encode(&record, arena), arena),
		   printed(image_record_encode(&again, arena), arena)) != 0)
		abort();
	if (record.name && strstr(image_record_path(record.name, arena), "/../"))
		abort();
}

static void ask_stream(const struct node *document, struct arena *arena)
{
	const struct stream_status *status;
	struct err err = { 0 };
	void *read;

	if (!status_read(KIND_IMAGE_STREAM, document, arena, &read, &err))
		return;
	status = read;
	for (size_t i = 0; i < status->tags.n; i++) {
		const struct tag_history *history = LIST_AT(status->tags, struct tag_history, i);
		const struct tag_event *event = stream_current(status, history->tag), *found;

		if (event && !stream_pull_spec(status, history->tag, arena))
			abort();
		if (event && *event->image &&
		    (!stream_find_image(status, event->image, &found, &err) ||
		     strcmp(found->image, event->image) != 0))
			abort();
	}
	for (size_t i = 0; i < status->spec.tags.n; i++) {
		const struct tag_ref *tag;

		if (tag_follow(&status->spec, "x",
			       LIST_AT(status->spec.tags, struct tag_ref, i)->name, arena, &tag,
			       &err) != (tag != NULL))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct source_file file = { "state.yaml", (const char *)data, size };
	struct arena *arena = arena_new();
	struct documents documents = { 0 };
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	for (size_t i = 0; i < documents.n; i++) {
		for (enum kind kind = KIND_NONE + 1; kind < KINDS; kind++)
			read_as(kind, documents.v[i], arena);
		read_as_record(documents.v[i], arena);
		read_as_bc_build(documents.v[i], arena);
		read_as_image(documents.v[i], arena);
		ask_stream(documents.v[i], arena);
	}
	arena_free(arena);
	return 0;
}
