/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_convert.c — an Image that a cluster gave out as v1alpha1 keeps in annotations what that
 * version has no fields for (kpack.md §2.13); they are put where v1alpha2 has them.
 */
#include <string.h>

#include "model/doc/json.h"
#include "model/kind/check.h"
#include "model/kind/rules.h"
#include "model/kind/settings.h"

#define PREFIX "kpack.io/"

/* Texts that go over as they are. */
static const struct {
	const char *annotation;
	size_t offset;
} texts[] = {
	{ PREFIX "projectDescriptorPath", AT(struct image_spec, project_descriptor) },
	{ PREFIX "defaultProcess", AT(struct image_spec, default_process) },
	{ PREFIX "cache.registry.tag", AT(struct image_spec, cache.registry_tag) },
	{ PREFIX "cache.volume.storageClassName", AT(struct image_spec, cache.volume_class) },
	{ PREFIX "runtimeClassName", AT(struct image_spec, build.runtime_class) },
	{ PREFIX "schedulerName", AT(struct image_spec, build.scheduler) },
};

/* JSON that is kept as a tree. */
static const struct {
	const char *annotation;
	size_t offset;
} trees[] = {
	{ PREFIX "tolerations", AT(struct image_spec, build.tolerations) },
	{ PREFIX "nodeSelector", AT(struct image_spec, build.node_selector) },
	{ PREFIX "affinity", AT(struct image_spec, build.affinity) },
};

static struct node *read_json(const struct checker *c, const char *annotation)
{
	const char *text = pairs_get(&c->object->meta.annotations, annotation);
	const char *path = arena_printf(c->arena, "metadata.annotations[%s]", annotation);
	struct err err = { 0 };
	struct node *tree;

	if (!text)
		return NULL;
	if (json_parse(text, strlen(text), c->arena, &tree, &err))
		return tree;
	check_invalid(c, path, "no JSON", err.text);
	return NULL;
}

/* The list under a key of its own, so that a table can read it. */
static struct node *under(const char *key, struct node *list, struct arena *arena)
{
	struct node *map = node_new(arena, NODE_MAP);

	node_set(arena, map, key, list);
	return map;
}

static void convert_services(const struct checker *c, struct image_spec *spec)
{
	static const char *const annotation = PREFIX "services";
	static const struct field fields[] = {
		{ "services", FIELD_STRUCTS, AT(struct image_build, services),
		  .table = &object_ref_table },
		{ 0 },
	};
	static const struct table table = { "services", sizeof(struct image_build), fields };
	struct node *list = read_json(c, annotation);
	struct image_build read = { 0 };
	struct err err = { 0 };

	if (!list)
		return;
	if (fields_read(&table, under("services", list, c->arena), &read, c->arena, &err))
		spec->build.services = read.services;
	else
		check_invalid(c, "metadata.annotations[kpack.io/services]", "no list of services",
			      err.text);
}

static void convert_timeout(const struct checker *c, struct image_spec *spec)
{
	const char *text = pairs_get(&c->object->meta.annotations, PREFIX "buildTimeout");

	if (text && !duration_parse(text, &spec->build.timeout_s))
		check_invalid(c, "metadata.annotations[kpack.io/buildTimeout]", text,
			      "must be a number of seconds");
}

void image_convert(const struct checker *c, struct image_spec *spec)
{
	struct node *cosign = read_json(c, PREFIX "cosignAnnotation");

	for (size_t i = 0; i < COUNTOF(texts); i++) {
		const char **to = (const char **)(void *)((char *)spec + texts[i].offset);
		const char *text = pairs_get(&c->object->meta.annotations, texts[i].annotation);

		if (text && !*to)
			*to = text;
	}
	for (size_t i = 0; i < COUNTOF(trees); i++) {
		const struct node **to = (void *)((char *)spec + trees[i].offset);
		const struct node *tree = read_json(c, trees[i].annotation);

		if (tree && !*to)
			*to = tree;
	}
	if (cosign && !spec->cosign)
		spec->cosign = under("annotations", cosign, c->arena);
	if (!spec->build.services.n)
		convert_services(c, spec);
	if (!spec->build.timeout_s)
		convert_timeout(c, spec);
	if (spec->cache.registry_tag && !spec->cache.has_volume && !spec->cache_size) {
		spec->cache.has_registry = true;
		spec->has_cache = true;
	}
}
