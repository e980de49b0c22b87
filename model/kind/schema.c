/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.c — JSON Schema (draft-07) of whole documents: the envelope around the field tables. Rules
 * that a table cannot say but an editor should know (enums whose mistakes have kpack's texts,
 * fields that only the checks require) are rows here.
 */
#include <string.h>

#include "model/kind/metadata.h"

#define DRAFT_07 "http://json-schema.org/draft-07/schema#"

#define VALUES(...)                                                                                \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define STRATEGIES                                                                                 \
	VALUES("dockerStrategy", "sourceStrategy", "customStrategy", "jenkinsPipelineStrategy")
#define OPTIMIZATIONS VALUES("", "None", "SkipLayers", "SkipLayersAndWarn")
#define TO_KINDS      VALUES("ImageStreamTag", "DockerImage", "ImageStream")
#define FROM_KINDS    VALUES("DockerImage", "ImageStreamTag", "ImageStreamImage")
#define IMPORT_MODES  VALUES("", "Legacy", "PreserveOriginal")
#define POLICIES      VALUES("", "Source", "Local")

/* `path` leads through properties, and through items at "[]". */
static const struct {
	enum kind kind;
	const char *path;
	const char *const *values;   /* enum of the property   */
	const char *const *required; /* of the object          */
	const char *const *one_of;   /* exactly one is present */
	bool is_quantities;          /* texts or numbers       */
	bool is_texts;
} patches[] = {
	{ KIND_IMAGE, "spec", .required = VALUES("builder", "source") },
	{ KIND_IMAGE, "spec.builder", .required = VALUES("name", "kind") },
	{ KIND_IMAGE, "spec.builder.kind",
	  .values = VALUES("Builder", "ClusterBuilder", "CustomBuilder", "CustomClusterBuilder",
			   "ClusterClusterBuilder") },
	{ KIND_IMAGE, "spec.source", .one_of = VALUES("git", "blob", "registry", "local") },
	{ KIND_IMAGE, "spec.source.blob.auth", .values = VALUES("", "helper", "secret") },
	{ KIND_IMAGE, "spec.build.services.[]", .required = VALUES("name", "kind") },
	{ KIND_IMAGE, "spec.build.resources.limits", .is_quantities = true },
	{ KIND_IMAGE, "spec.build.resources.requests", .is_quantities = true },
	{ KIND_BUILDER, "spec", .one_of = VALUES("tag", "image") },
	{ KIND_BUILDER, "spec.order.[].group.[].kind",
	  .values = VALUES("Buildpack", "ClusterBuildpack") },
	{ KIND_CLUSTER_BUILDER, "spec", .one_of = VALUES("tag", "image") },
	{ KIND_CLUSTER_BUILDER, "spec.order.[].group.[].kind",
	  .values = VALUES("Buildpack", "ClusterBuildpack") },
	{ KIND_CLUSTER_BUILDER, "spec.serviceAccountRef", .required = VALUES("name", "namespace") },
	{ KIND_CLUSTER_STACK, "spec", .required = VALUES("buildImage", "runImage") },
	{ KIND_CLUSTER_STACK, "spec.buildImage", .required = VALUES("image") },
	{ KIND_CLUSTER_STACK, "spec.runImage", .required = VALUES("image") },
	{ KIND_BUILD_CONFIG, "spec.resources.limits", .is_quantities = true },
	{ KIND_BUILD_CONFIG, "spec.resources.requests", .is_quantities = true },
	{ KIND_BUILD_CONFIG, "spec.runPolicy",
	  .values = VALUES("", "Serial", "SerialLatestOnly", "Parallel") },
	{ KIND_BUILD_CONFIG, "spec.strategy", .one_of = STRATEGIES },
	{ KIND_BUILD_CONFIG, "spec.strategy.dockerStrategy.imageOptimizationPolicy",
	  .values = OPTIMIZATIONS },
	{ KIND_BUILD_CONFIG, "spec.output.to", .required = VALUES("name") },
	{ KIND_BUILD_CONFIG, "spec.output.to.kind", .values = TO_KINDS },
	{ KIND_BUILD_CONFIG, "spec.triggers.[].type",
	  .values = VALUES("GitHub", "GitLab", "Bitbucket", "Generic", "ImageChange",
			   "ConfigChange", "github", "generic", "imageChange") },
	{ KIND_BUILD, "spec.resources.limits", .is_quantities = true },
	{ KIND_BUILD, "spec.resources.requests", .is_quantities = true },
	{ KIND_BUILD, "spec.strategy", .one_of = STRATEGIES },
	{ KIND_BUILD, "spec.strategy.dockerStrategy.imageOptimizationPolicy",
	  .values = OPTIMIZATIONS },
	{ KIND_BUILD, "spec.output.to", .required = VALUES("name") },
	{ KIND_BUILD, "spec.output.to.kind", .values = TO_KINDS },
	{ KIND_IMAGE_STREAM, "spec.tags.[]", .required = VALUES("name") },
	{ KIND_IMAGE_STREAM, "spec.tags.[].from", .required = VALUES("kind", "name") },
	{ KIND_IMAGE_STREAM, "spec.tags.[].from.kind", .values = FROM_KINDS },
	{ KIND_IMAGE_STREAM, "spec.tags.[].importPolicy.importMode", .values = IMPORT_MODES },
	{ KIND_IMAGE_STREAM, "spec.tags.[].referencePolicy.type", .values = POLICIES },
	{ KIND_IMAGE_STREAM_TAG, "tag.from", .required = VALUES("kind", "name") },
	{ KIND_IMAGE_STREAM_TAG, "tag.from.kind", .values = FROM_KINDS },
	{ KIND_IMAGE_STREAM_TAG, "tag.importPolicy.importMode", .values = IMPORT_MODES },
	{ KIND_IMAGE_STREAM_TAG, "tag.referencePolicy.type", .values = POLICIES },
	{ KIND_IMAGE_STREAM_MAPPING, "image", .required = VALUES("dockerImageReference") },
	{ KIND_IMAGE_STREAM_IMPORT, "spec.images.[]", .required = VALUES("from") },
	{ KIND_IMAGE_STREAM_IMPORT, "spec.images.[].from", .required = VALUES("kind", "name") },
	{ KIND_IMAGE_STREAM_IMPORT, "spec.images.[].from.kind", .values = VALUES("DockerImage") },
	{ KIND_IMAGE_STREAM_IMPORT, "spec.images.[].importPolicy.importMode",
	  .values = IMPORT_MODES },
	{ KIND_IMAGE_STREAM_IMPORT, "spec.images.[].referencePolicy.type", .values = POLICIES },
	{ KIND_IMAGE_STREAM_IMPORT, "spec.repository", .required = VALUES("from") },
	{ KIND_IMAGE_STREAM_IMPORT, "spec.repository.from", .required = VALUES("kind", "name") },
	{ KIND_IMAGE_STREAM_IMPORT, "spec.repository.from.kind", .values = VALUES("DockerImage") },
	{ KIND_SECRET, "data", .is_texts = true },
	{ KIND_SECRET, "stringData", .is_texts = true },
};

static struct node *texts(const char *const *list, struct arena *arena)
{
	struct node *seq = node_new(arena, NODE_SEQ);

	for (; *list; list++)
		node_push(seq, node_string(arena, *list));
	return seq;
}

static struct node *child(struct node *map, const char *key)
{
	for (struct node *c = map->kind == NODE_MAP ? map->first : NULL; c; c = c->next)
		if (strcmp(c->key, key) == 0)
			return c;
	return NULL;
}

static struct node *property(struct node *schema, const char *path)
{
	while (schema && *path) {
		size_t n = strcspn(path, ".");
		struct node *properties = child(schema, "properties"), *next = NULL;

		if (n == 2 && strncmp(path, "[]", 2) == 0)
			next = child(schema, "items");
		for (struct node *c = properties ? properties->first : NULL; c && !next;
		     c = c->next)
			if (strlen(c->key) == n && strncmp(c->key, path, n) == 0)
				next = c;
		schema = next;
		path += n + (path[n] == '.');
	}
	return schema;
}

static void set_one_of(struct node *schema, const char *const *names, struct arena *arena)
{
	struct node *one = node_new(arena, NODE_SEQ);

	for (; *names; names++) {
		const char *const single[] = { *names, NULL };
		struct node *option = node_new(arena, NODE_MAP);

		node_set(arena, option, "required", texts(single, arena));
		node_push(one, option);
	}
	node_set(arena, schema, "oneOf", one);
}

static void set_values_of(struct node *schema, bool has_numbers, struct arena *arena)
{
	struct node *any = node_new(arena, NODE_MAP);
	const char *const types[] = { "string", has_numbers ? "number" : "null", NULL };

	node_set(arena, any, "type", texts(types, arena));
	node_set_text(arena, schema, "type", "object");
	node_set(arena, schema, "additionalProperties", any);
}

static void patch(enum kind kind, struct node *schema, struct arena *arena)
{
	for (size_t i = 0; i < COUNTOF(patches); i++) {
		struct node *at;

		if (patches[i].kind != kind)
			continue;
		at = property(schema, patches[i].path);
		if (!at)
			BUG("no field '%s' in %s", patches[i].path, kind_name(kind));
		if (patches[i].values)
			node_set(arena, at, "enum", texts(patches[i].values, arena));
		if (patches[i].required) {
			struct node *required = child(at, "required");

			if (!required)
				node_set(arena, at, "required", texts(patches[i].required, arena));
			for (const char *const *name = patches[i].required; required && *name;
			     name++)
				node_push(required, node_string(arena, *name));
		}
		if (patches[i].one_of)
			set_one_of(at, patches[i].one_of, arena);
		if (patches[i].is_quantities || patches[i].is_texts)
			set_values_of(at, patches[i].is_quantities, arena);
	}
}

static struct node *api_versions(const struct kind_info *info, struct arena *arena)
{
	struct node *schema = node_new(arena, NODE_MAP), *values = node_new(arena, NODE_SEQ);

	for (const char *const *version = info->versions; *version; version++)
		node_push(values,
			  node_string(arena, arena_printf(arena, "%s%s%s", info->group,
							  *info->group ? "/" : "", *version)));
	if (info->is_core_too)
		node_push(values, node_string(arena, "v1"));
	node_set(arena, schema, "enum", values);
	return schema;
}

static struct node *kind_names(const struct kind_info *info, struct arena *arena)
{
	struct node *schema = node_new(arena, NODE_MAP), *values = node_new(arena, NODE_SEQ);

	node_push(values, node_string(arena, info->name));
	for (const char *const *name = info->old_names; name && *name; name++)
		node_push(values, node_string(arena, *name));
	node_set(arena, schema, "enum", values);
	return schema;
}

/* A part of a document: as fields_schema gives it, without what only a root has. */
static struct node *part(const struct table *table, struct arena *arena)
{
	struct node *schema = fields_schema(table, arena), *copy = node_new(arena, NODE_MAP);

	for (const struct node *c = schema->first; c; c = c->next)
		if (c->key[0] != '$' && strcmp(c->key, "title") != 0)
			node_set(arena, copy, c->key, node_clone(arena, c));
	return copy;
}

static struct node *document(enum kind kind, struct arena *arena)
{
	const struct kind_info *info = kind_info(kind);
	struct node *schema =
		info->is_whole ? part(info->spec_table, arena) : node_new(arena, NODE_MAP);
	struct node *properties = child(schema, "properties");
	static const char *const with_spec[] = { "apiVersion", "kind", "metadata", "spec", NULL };
	static const char *const whole[] = { "apiVersion", "kind", "metadata", NULL };
	static const char *const settings[] = { "apiVersion", "kind", NULL };
	bool may_lack_spec = info->is_whole || kind == KIND_IMAGE_STREAM;

	if (!properties) {
		node_set_text(arena, schema, "type", "object");
		properties = node_new(arena, NODE_MAP);
		node_set(arena, schema, "properties", properties);
	}
	node_set(arena, properties, "apiVersion", api_versions(info, arena));
	node_set(arena, properties, "kind", kind_names(info, arena));
	node_set(arena, properties, "metadata", part(&metadata_table, arena));
	if (!info->is_whole) {
		node_set(arena, properties, "spec", part(info->spec_table, arena));
		node_set(arena, properties, "status", node_new(arena, NODE_MAP));
	}
	node_set(arena, schema, "required",
		 texts(kind == KIND_SETTINGS ? settings
		       : may_lack_spec       ? whole
					     : with_spec,
		       arena));
	node_set(arena, schema, "additionalProperties", node_bool(arena, false));
	patch(kind, schema, arena);
	return schema;
}

static struct node *root(const char *title, const char *description, struct arena *arena)
{
	struct node *schema = node_new(arena, NODE_MAP);

	node_set_text(arena, schema, "$schema", DRAFT_07);
	node_set_text(arena, schema, "title", title);
	node_set_text(arena, schema, "description", description);
	return schema;
}

struct node *kind_schema(enum kind kind, struct arena *arena)
{
	const struct kind_info *info = kind_info(kind);
	struct node *schema = root(info->name, info->doc, arena), *body = document(kind, arena);

	for (const struct node *c = body->first; c; c = c->next)
		node_set(arena, schema, c->key, node_clone(arena, c));
	return schema;
}

/* {"if": {the kind and apiVersion are these}, "then": {$ref}}: documents of other kinds pass. */
static struct node *branch(enum kind kind, struct arena *arena)
{
	const struct kind_info *info = kind_info(kind);
	struct node *one = node_new(arena, NODE_MAP), *when = node_new(arena, NODE_MAP);
	struct node *properties = node_new(arena, NODE_MAP), *then = node_new(arena, NODE_MAP);
	static const char *const both[] = { "apiVersion", "kind", NULL };

	node_set(arena, properties, "apiVersion", api_versions(info, arena));
	node_set(arena, properties, "kind", kind_names(info, arena));
	node_set(arena, when, "properties", properties);
	node_set(arena, when, "required", texts(both, arena));
	node_set_text(arena, then, "$ref", arena_printf(arena, "#/definitions/%s", info->name));
	node_set(arena, one, "if", when);
	node_set(arena, one, "then", then);
	return one;
}

struct node *kinds_schema(struct arena *arena)
{
	struct node *schema = root("reconcile manifests", "A document of any kind.", arena);
	struct node *definitions = node_new(arena, NODE_MAP), *all = node_new(arena, NODE_SEQ);

	node_set_text(arena, schema, "type", "object");
	for (enum kind kind = KIND_NONE + 1; kind < KINDS; kind++) {
		if (kind_info(kind)->is_workload) /* Kubernetes' own */
			continue;
		node_set(arena, definitions, kind_name(kind), document(kind, arena));
		node_push(all, branch(kind, arena));
	}
	node_set(arena, schema, "allOf", all);
	node_set(arena, schema, "definitions", definitions);
	return schema;
}
