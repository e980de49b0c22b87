/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h — a text with manifests becomes a model and one text with all that was said about it.
 */
#ifndef TESTS_KIND_MANIFEST_H
#define TESTS_KIND_MANIFEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/yaml.h"
#include "model/kind/builder.h"
#include "model/kind/secret.h"
#include "model/kind/settings.h"

struct loaded {
	struct arena *arena;
	struct model model;
	struct diags diags;
	struct source_file file;
};

static inline void manifest_load(struct loaded *out, const char *text, bool with_links)
{
	struct documents documents = { 0 };

	out->arena = arena_new();
	out->file = (struct source_file){ "m.yaml", text, strlen(text) };
	diags_init(&out->diags, out->arena);
	model_init(&out->model, out->arena);
	yaml_parse(&out->file, out->arena, &documents, &out->diags);
	for (size_t i = 0; i < documents.n; i++) {
		struct object *object =
			object_decode(documents.v[i], &out->file, out->arena, &out->diags);

		if (object && with_links)
			object->tree = NULL; /* as the loader does */
		if (object)
			model_add(&out->model, object, &out->diags);
	}
	if (with_links)
		model_link(&out->model, &out->diags);
	diags_sort(&out->diags);
}

/* "12:5 error: text", one line each (line breaks inside a text stay). */
static inline char *manifest_said(struct loaded *loaded)
{
	static const char *const words[] = { "note", "warning", "error" };
	struct buf all = BUF_INIT(1 << 20);
	char *text;

	for (size_t i = 0; i < loaded->diags.list.n; i++) {
		const struct diag *diag = &loaded->diags.list.v[i];

		buf_printf(&all, "%u:%u %s: %s\n", diag->pos.line, diag->pos.column,
			   words[diag->severity], diag->text);
	}
	text = buf_copy(&all, loaded->arena);
	buf_release(&all);
	return text;
}

#endif
