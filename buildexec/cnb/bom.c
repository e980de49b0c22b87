/* SPDX-License-Identifier: Apache-2.0 */
/* bom.c — the pure half of bom.h: what files of the formats say, as one list. */
#include "buildexec/cnb/bom.h"

#include <string.h>

#define LEGACY_FILE "sbom.legacy.json"

/* Where a format keeps name, version and package URL of its entries. */
struct bom_format {
	const char *file, *media_type; /* media_type NULL: the legacy list itself */
	const char *list, *version, *purl;
};
static const struct bom_format formats[] = {
	/* the first one that describes a layer counts */
	{ "sbom.cdx.json", "application/vnd.cyclonedx+json", "components", "version", "purl" },
	{ "sbom.syft.json", "application/vnd.syft+json", "artifacts", "version", "purl" },
	{ "sbom.spdx.json", "application/spdx+json", "packages", "versionInfo", NULL },
	{ LEGACY_FILE, NULL, NULL, "version", NULL },
};

static const char *file_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const struct bom_format *format_of(const char *path)
{
	const char *file = *path ? file_of(path) : LEGACY_FILE; /* "": the label */

	for (size_t i = 0; i < COUNTOF(formats); i++)
		if (strcmp(formats[i].file, file) == 0)
			return &formats[i];
	return NULL;
}

void bom_add(struct bom *bom, const char *path, const struct node *document, struct arena *arena)
{
	const struct bom_format *format = format_of(path);

	if (format && document && document->kind != NODE_NULL)
		vec_push(arena, &bom->files,
			 (struct bom_file){ arena_strdup(arena, path), format->media_type,
					    document });
}

static bool is_same_folder(const char *a, const char *b)
{
	size_t n = (size_t)(file_of(a) - a);

	return n == (size_t)(file_of(b) - b) && memcmp(a, b, n) == 0;
}

/* The legacy list of the label is the one of the file. */
static bool is_told_better(const struct bom *bom, size_t file)
{
	const struct bom_format *mine = format_of(bom->files.v[file].path);

	for (size_t i = 0; i < bom->files.n; i++) {
		const char *path = bom->files.v[i].path;
		const struct bom_format *other = format_of(path);

		if (i != file && is_same_folder(path, bom->files.v[file].path) &&
		    (other < mine || (other == mine && i < file)))
			return true;
	}
	return false;
}

static const char *some(const char *text)
{
	return text && *text && strcmp(text, "NOASSERTION") != 0 ? text : NULL;
}

/* The id with this folder's name: '/' became '_', so only the image's own list tells them apart. */
static const char *buildpack_of(const struct bom *bom, const char *path, struct arena *arena)
{
	size_t n = strcspn(path, "/");

	if (!path[n])
		return NULL;
	for (size_t i = 0; i < bom->buildpacks.n; i++) {
		const char *id = bom->buildpacks.v[i];
		size_t k = 0;

		while (k < n && id[k] && (id[k] == path[k] || (id[k] == '/' && path[k] == '_')))
			k++;
		if (k == n && !id[k])
			return id;
	}
	return arena_copy(arena, path, n);
}

/* "<buildpack>/<layer>/<file>"; what is for the whole image has no layer. */
static const char *layer_of(const char *path, struct arena *arena)
{
	const char *layer = strchr(path, '/');
	const char *file = file_of(path);

	return layer && layer + 1 < file ? arena_copy(arena, layer + 1, (size_t)(file - layer) - 2)
					 : NULL;
}

/* A license is a text, or has its name in a field. */
static const char *license_name(const struct node *item)
{
	const struct node *license = node_get(item, "license");

	if (item->kind == NODE_STRING)
		return some(item->text);
	if (some(node_text(item, "expression")))
		return node_text(item, "expression");
	if (some(node_text(item, "spdxExpression")))
		return node_text(item, "spdxExpression");
	if (some(node_text(item, "value")))
		return node_text(item, "value");
	return some(node_text(license, "id")) ? node_text(license, "id")
					      : some(node_text(license, "name"));
}

static const char *licenses_of(const struct node *entry, struct arena *arena)
{
	const struct node *list = node_get(entry, "licenses");
	const char *out = some(node_text(entry, "licenseConcluded"));

	if (!out)
		out = some(node_text(entry, "licenseDeclared"));
	for (const struct node *c = list && list->kind == NODE_SEQ ? list->first : NULL; c;
	     c = c->next) {
		const char *name = license_name(c);

		if (name)
			out = out ? arena_printf(arena, "%s, %s", out, name) : name;
	}
	return out;
}

/* The legacy list: {name, metadata: {version, licenses, purl}, buildpack: {id}}. */
static void add_legacy(struct bom *bom, const struct node *entry, struct bom_component *component,
		       struct arena *arena)
{
	const struct node *metadata = node_get(entry, "metadata");

	component->buildpack = some(node_text(node_get(entry, "buildpack"), "id"));
	if (!component->version)
		component->version = some(node_text(metadata, "version"));
	component->license = licenses_of(metadata, arena);
	component->purl = some(node_text(metadata, "purl"));
	vec_push(arena, &bom->components, *component);
}

static void list_file(struct bom *bom, const struct bom_file *file, struct arena *arena)
{
	const struct bom_format *format = format_of(file->path);
	const struct node *list =
		format->list ? node_get(file->document, format->list) : file->document;

	for (const struct node *c = list && list->kind == NODE_SEQ ? list->first : NULL; c;
	     c = c->next) {
		struct bom_component component = { .name = some(node_text(c, "name")),
						   .version = some(node_text(c, format->version)) };

		if (!component.name)
			continue;
		if (!format->media_type) {
			add_legacy(bom, c, &component, arena);
			continue;
		}
		component.license = licenses_of(c, arena);
		component.purl = format->purl ? some(node_text(c, format->purl)) : NULL;
		component.buildpack = buildpack_of(bom, file->path, arena);
		component.layer = layer_of(file->path, arena);
		vec_push(arena, &bom->components, component);
	}
}

void bom_list(struct bom *bom, struct arena *arena)
{
	bom->components.n = 0;
	for (size_t i = 0; i < bom->files.n; i++)
		if (!is_told_better(bom, i))
			list_file(bom, &bom->files.v[i], arena);
}
