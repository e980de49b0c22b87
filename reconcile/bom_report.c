/* SPDX-License-Identifier: Apache-2.0 */
/* bom_report.c — see bom_report.h. */
#include "reconcile/bom_report.h"

#include "reconcile/report/table.h"

enum { FORMAT_VERSION = 1 };

void bom_text(const struct bom *bom, struct arena *arena, struct buf *out)
{
	static const char *const header[] = { "COMPONENT", "VERSION", "LICENSE", "BUILDPACK" };
	struct text_table table;

	if (!bom->components.n) {
		buf_puts(out, "no components found: the buildpacks of this build wrote no bill of "
			      "materials\n");
		return;
	}
	text_table_init(&table, arena, header, COUNTOF(header));
	for (size_t i = 0; i < bom->components.n; i++) {
		const struct bom_component *component = &bom->components.v[i];
		const char *const cells[] = { component->name, component->version,
					      component->license, component->buildpack };

		text_table_add(&table, cells);
	}
	text_table_print(&table, out);
}

static struct node *component_node(const struct bom_component *component, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP);

	node_set_text(arena, map, "name", component->name);
	node_set_text(arena, map, "version", component->version);
	node_set_text(arena, map, "license", component->license);
	node_set_text(arena, map, "purl", component->purl);
	node_set_text(arena, map, "buildpack", component->buildpack);
	node_set_text(arena, map, "layer", component->layer);
	return map;
}

static struct node *file_node(const struct bom_file *file, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP);

	if (*file->path)
		node_set(arena, map, "path",
			 node_string(arena,
				     arena_printf(arena, "/layers/sbom/launch/%s", file->path)));
	else
		node_set_text(arena, map, "label", "io.buildpacks.build.metadata");
	node_set_text(arena, map, "mediaType", file->media_type);
	node_set(arena, map, "document", node_share(arena, file->document));
	return map;
}

struct node *bom_node(const struct bom *bom, const char *image, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP), *files = node_new(arena, NODE_SEQ);
	struct node *components = node_new(arena, NODE_SEQ);

	for (size_t i = 0; i < bom->components.n; i++)
		node_push(components, component_node(&bom->components.v[i], arena));
	for (size_t i = 0; i < bom->files.n; i++)
		node_push(files, file_node(&bom->files.v[i], arena));
	node_set(arena, map, "formatVersion", node_int(arena, FORMAT_VERSION));
	node_set_text(arena, map, "image", image);
	node_set(arena, map, "components", components);
	node_set(arena, map, "files", files);
	return map;
}
