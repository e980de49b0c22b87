/* links: model_kind */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_workload.c — any bytes as a file with workloads and markers, as a trigger's annotation, as a field path, a range and
 * a pattern. What can be marked can be edited, or is refused, and then only its own bytes change.
 */
#include <stdint.h>
#include <string.h>

#include "model/doc/edit_scalars.h"
#include "model/doc/yaml.h"
#include "model/kind/policy.h"
#include "model/kind/workload.h"
#include "model/oci/semver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_file(const struct source_file *file, struct arena *arena)
{
	struct documents documents = { 0 };
	struct markers markers = { 0 };
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(file, arena, &documents, &diags);
	if (diags.n_errors)
		return;
	for (size_t i = 0; i < documents.n; i++)
		(void)object_decode(documents.v[i], file, arena, &diags);
	markers_find(file, arena, &markers, &diags);
	for (size_t i = 0; i < markers.n; i++) {
		const struct scalar_edit edit = { markers.v[i].pos, markers.v[i].value, "a/b:1" };
		struct err err = { 0 };
		const char *text;
		size_t len;

		if (edit_scalars(file, &edit, 1, arena, &text, &len, &err) &&
		    !memmem(text, len, "a/b:1", 5))
			BUG("%s has not what was put in", text);
	}
}

/* The same bytes as the annotation of a Deployment. */
static void check_annotation(const char *text, struct arena *arena)
{
	static const struct source_file file = { "m.yaml", NULL, 0 };
	struct node *document = node_new(arena, NODE_MAP), *metadata = node_new(arena, NODE_MAP);
	struct node *annotations = node_new(arena, NODE_MAP);
	struct diags diags;

	diags_init(&diags, arena);
	node_set_text(arena, document, "apiVersion", "apps/v1");
	node_set_text(arena, document, "kind", "Deployment");
	node_set_text(arena, metadata, "name", "x");
	node_set_text(arena, annotations, TRIGGERS_ANNOTATION, text);
	node_set(arena, metadata, "annotations", annotations);
	node_set(arena, document, "metadata", metadata);
	(void)object_decode(document, &file, arena, &diags);
}

static void check_rules(const char *text, struct arena *arena)
{
	const struct workload_container one = { .name = "a" };
	const struct list list = { (void *)(uintptr_t)&one, 1 };
	struct tag_rule rule = { .order = TAG_ALPHABETICAL, .pattern = text, .extract = text };
	struct strings tags = { 0 };
	struct semver_range range;
	struct semver version = { .part = { 1, 2, 3 } };
	struct err err = { 0 };
	const char *found;
	size_t at;
	bool is_ours;

	if (field_path_find(text, KIND_POD, &list, &at, &is_ours, &err) && is_ours && at != 0)
		BUG("'%s' is another container", text);
	err = (struct err){ 0 };
	if (semver_range_parse(text, &range, &err))
		(void)semver_is_in(&version, &range);
	vec_push(arena, &tags, "v1.2.3-abc");
	err = (struct err){ 0 };
	if (tag_choose(&rule, &tags, arena, &found, &err) && found && found != tags.v[0])
		BUG("'%s' is none of the tags", found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	const char *text = arena_copy(arena, data, size);
	const struct source_file file = { "m.yaml", text, size };

	check_file(&file, arena);
	check_annotation(text, arena);
	check_rules(text, arena);
	arena_free(arena);
	return 0;
}
