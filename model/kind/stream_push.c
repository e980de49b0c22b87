/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_push.c — rules of the documents that bring images into a stream: ImageStreamMapping (pushed) and ImageStreamImport.
 * Texts: openshift-apiserver image validation (openshift.md §2.3).
 */
#include <string.h>

#include "model/base/digest.h"
#include "model/doc/json.h"
#include "model/kind/image_record.h"
#include "model/kind/rules.h"
#include "model/kind/stream_check.h"
#include "model/oci/docker_ref.h"

enum { SUFFIX_HEX = 12, SEARCH_DEPTH = 8 };

void mapping_name(const struct node *document, struct arena *arena, struct meta *meta)
{
	const char *repository = node_text(document, "dockerImageRepository");
	struct docker_ref ref;
	struct err err = { 0 };

	if ((meta->name && *meta->name) || !repository ||
	    !docker_ref_parse(repository, arena, &ref, &err) || !*ref.name)
		return;
	meta->name = ref.name;
	meta->name_pos = node_get(document, "dockerImageRepository")->pos;
	if ((!meta->ns || !*meta->ns) && *ref.ns)
		meta->ns = ref.ns;
}

const char *document_suffix(const struct object *object, struct arena *arena)
{
	const struct stream_mapping_spec *mapping = object->spec;
	const struct stream_import_spec *import = object->spec;

	if (object->kind == KIND_IMAGE_STREAM_MAPPING && mapping->tag)
		return arena_printf(arena, ":%s", mapping->tag);
	if (object->kind == KIND_IMAGE_STREAM_IMPORT && import->key)
		return arena_printf(arena, "@%.*s", SUFFIX_HEX, digest_hex(import->key));
	return "";
}

/* ---- ImageStreamMapping ---- */

/* The text of the key in the mapping or below it. */
static const char *find_text(const struct node *map, const char *key, unsigned depth)
{
	const char *text = node_text(map, key);

	for (const struct node *child = map->first; child && !text && depth; child = child->next)
		if (child->kind == NODE_MAP)
			text = find_text(child, key, depth - 1);
	return text;
}

/* A reference written among the metadata, where it is easily put by mistake, is taken from there. */
static void take_misplaced(struct image_record *image, const struct checker *c)
{
	static const char key[] = "dockerImageReference";

	if ((image->reference && *image->reference) || !image->metadata ||
	    image->metadata->kind != NODE_MAP)
		return;
	image->reference = find_text(image->metadata, key, SEARCH_DEPTH);
	if (image->reference)
		check_warn(c, "image.dockerImageMetadata",
			   "%s is written below image.dockerImageMetadata, and belongs beside it: "
			   "image.%s",
			   key, key);
}

void stream_mapping_adapt(void *spec, const struct object *object, struct arena *arena,
			  struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	struct stream_mapping_spec *mapping = spec;
	struct image_record *image;
	struct docker_ref ref;
	struct err err = { 0 };

	if (!mapping->image)
		return;
	image = ARENA_NEW(arena, struct image_record);
	*image = *mapping->image;
	mapping->image = image;
	take_misplaced(image, &c);
	if ((!image->name || !*image->name) && image->reference &&
	    docker_ref_parse(image->reference, arena, &ref, &err) && *ref.id)
		image->name = ref.id;
}

static void check_image_name(const struct checker *c, const char *name)
{
	static const char path[] = "image.metadata.name";

	if (!name || !*name)
		check_fail(c, path,
			   "missing field(s): %s\nthe image's digest, there or in "
			   "image.dockerImageReference",
			   path);
	else if (strpbrk(name, "/%") || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		check_invalid(c, path, name,
			      "may not contain '/' or '%', and may not be '.' or '..'");
	else if (strncmp(name, "sha256:", strlen("sha256:")) == 0 && !digest_is_valid(name))
		check_invalid(c, path, name, "is no sha256 digest");
}

static void check_manifests(const struct checker *c, const struct image_record *image)
{
	if (image->manifests.n && image->layers.n)
		check_fail(c, "image.dockerImageLayers",
			   "forbidden: image.dockerImageLayers\nmay not be set together with "
			   "image.dockerImageManifests");
	for (size_t i = 0; i < image->manifests.n; i++) {
		const struct image_submanifest *part =
			LIST_AT(image->manifests, struct image_submanifest, i);
		const char *path = arena_printf(c->arena, "image.dockerImageManifests[%zu]", i);
		const char *digest_at = arena_printf(c->arena, "%s.digest", path);

		if (check_filled(c, digest_at, part->digest) && !digest_is_valid(part->digest))
			check_invalid(c, digest_at, part->digest, "is no sha256 digest");
		check_filled(c, arena_printf(c->arena, "%s.mediaType", path), part->media_type);
		check_present(c, arena_printf(c->arena, "%s.architecture", path), part->arch);
		check_present(c, arena_printf(c->arena, "%s.os", path), part->os);
	}
}

void stream_mapping_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct stream_mapping_spec *mapping = object->spec;
	const struct image_record *image = mapping->image;

	if (mapping->repository)
		check_docker_image(&c, "dockerImageRepository", mapping->repository);
	if (check_filled(&c, "tag", mapping->tag))
		check_tag_name(&c, "tag", mapping->tag);
	if (!image)
		return;
	if (check_present(&c, "image.dockerImageReference", image->reference))
		check_docker_image(&c, "image.dockerImageReference", image->reference);
	if (image->reference)
		check_image_name(&c, image->name);
	check_manifests(&c, image);
}

/* ---- ImageStreamImport ---- */

/* What the document asks for, in one spelling: names, annotations and spec. */
static const char *import_key(const struct object *object, struct arena *arena)
{
	struct node *all = node_new(arena, NODE_MAP), *annotations = node_new(arena, NODE_MAP);
	const struct node *spec = node_get(object->tree, "spec");
	AUTO_BUF text = BUF_INIT(SIZE_MAX);

	for (size_t i = 0; i < object->meta.annotations.n; i++)
		node_append(arena, annotations, object->meta.annotations.v[i].key,
			    node_string(arena, object->meta.annotations.v[i].value));
	node_set_text(arena, all, "name", object->meta.name);
	node_set_text(arena, all, "namespace", object->meta.ns);
	node_set(arena, all, "annotations", annotations);
	if (spec)
		node_set(arena, all, "spec", node_clone(arena, spec));
	node_sort_keys(all);
	json_print(all, JSON_COMPACT, &text);
	return arena_strdup(arena, digest_of(buf_text(&text), text.len).text);
}

static void adapt_item(struct import_item *item)
{
	if (item->import_mode && !*item->import_mode)
		item->import_mode = NULL;
	if (!item->reference_policy || !*item->reference_policy)
		item->reference_policy = POLICY_SOURCE;
}

void stream_import_adapt(void *spec, const struct object *object, struct arena *arena,
			 struct diags *diags)
{
	struct stream_import_spec *import = spec;

	(void)diags;
	for (size_t i = 0; i < import->images.n; i++)
		adapt_item(LIST_AT(import->images, struct import_item, i));
	if (import->repository)
		adapt_item(import->repository);
	import->key = import_key(object, arena);
}

/* True when its name can be read further. */
static bool check_item(const struct checker *c, const char *path, const struct import_item *item)
{
	const char *kind_at = arena_printf(c->arena, "%s.from.kind", path);
	const char *name_at = arena_printf(c->arena, "%s.from.name", path);
	size_t errors = c->diags->n_errors;

	if (!item->from.kind || strcmp(item->from.kind, "DockerImage") != 0)
		check_invalid(c, kind_at, item->from.kind ? item->from.kind : "",
			      "only DockerImage is supported");
	check_policies(c, path, item->import_mode, item->reference_policy);
	if (check_present(c, name_at, item->from.name))
		check_docker_image(c, name_at, item->from.name);
	return c->diags->n_errors == errors;
}

static void check_repository_item(const struct checker *c, const struct import_item *item)
{
	struct docker_ref ref;
	struct err err = { 0 };

	if (!check_item(c, "spec.repository", item) ||
	    !docker_ref_parse(item->from.name, c->arena, &ref, &err))
		return;
	if (*ref.tag || *ref.id)
		check_invalid(c, "spec.repository.from.name", item->from.name,
			      "you must specify an image repository, not a tag or ID");
}

/* The tag that the image becomes; NULL: it could not be said. */
static const char *item_tag(const struct checker *c, const char *path,
			    const struct import_item *item)
{
	const char *to_at = arena_printf(c->arena, "%s.to.name", path);
	struct docker_ref ref;
	struct err err = { 0 };
	bool is_good = check_item(c, path, item);

	if (item->to) {
		if (check_present(c, to_at, item->to))
			check_tag_name(c, to_at, item->to);
		return item->to;
	}
	if (!is_good || !docker_ref_parse(item->from.name, c->arena, &ref, &err))
		return NULL;
	if (*ref.tag || !*ref.id)
		return *ref.tag ? ref.tag : "latest";
	check_fail(c, to_at,
		   "missing field(s): %s\nan image that is named by its digest needs a tag", to_at);
	return NULL;
}

void stream_import_check(const struct object *object, struct arena *arena, struct diags *diags)
{
	const struct checker c = { object, arena, diags };
	const struct stream_import_spec *import = object->spec;
	struct map seen = { 0 };

	if (!import->images.n && !import->repository)
		check_fail(&c, "spec",
			   "you must specify at least one image or a repository import: spec");
	if (import->repository)
		check_repository_item(&c, import->repository);
	for (size_t i = 0; i < import->images.n; i++) {
		const char *path = arena_printf(arena, "spec.images[%zu]", i);
		const char *tag =
			item_tag(&c, path, LIST_AT(import->images, struct import_item, i));
		const char *before = tag ? map_get(&seen, tag) : NULL;

		if (before)
			check_fail(&c, path, "duplicate tag \"%s\": %s, %s", tag, before, path);
		else if (tag)
			map_set(arena, &seen, tag, arena_strdup(arena, path));
	}
}
