/* links: model_kind */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * * fuzz_state.c — a file of the state branch: whatever it holds, it is read as every kind and as
 * a build record of both kinds; what is accepted is printed and accepted again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/doc/yaml.h"
#include "model/kind/build_config_status.h"

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

/* Printed once, it prints the same again. */
static void read_as_bc_build(const struct node *document, struct arena *arena)
{
	struct buf text = BUF_INIT(64 << 20), text_again = BUF_INIT(64 << 20);
	struct bc_build build, again;
	struct node *printed;
	struct err err = { 0 };

	if (!bc_build_read(document, arena, &build, &err))
		return;
	printed = bc_build_encode(&build, arena);
	if (!bc_build_read(printed, arena, &again, &err))
		abort();
	yaml_print(printed, &text);
	yaml_print(bc_build_encode(&again, arena), &text_again);
	if (!text.is_over && strcmp(buf_text(&text), buf_text(&text_again)) != 0)
		abort();
	buf_release(&text);
	buf_release(&text_again);
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
	}
	arena_free(arena);
	return 0;
}
