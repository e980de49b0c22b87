/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h — Image: a source and a builder, and the tag that is kept built from them. Source of
 * the fields, defaults and rules: kpack.io/v1alpha2 Image (kpack.md §2.1–2.4); v1alpha1 names are
 * aliases.
 */
#ifndef MODEL_KIND_IMAGE_H
#define MODEL_KIND_IMAGE_H

#include "model/kind/kind.h"

struct named { /* a reference by name alone: {name: x} */
	const char *name;
	struct pos pos;
};
struct git_source {
	/* revision NULL: "master", then "main" (requirement document) */
	const char *url, *revision;
	bool has_submodules; /* initializeSubmodules */
};
struct blob_source {
	const char *url, *auth; /* "", "helper", "secret" */
	int64_t strip_components;
};
struct registry_source {
	const char *image;
	struct list pull_secrets; /* struct named */
};
struct local_source {
	const char *path; /* relative to the manifest; a folder or an archive. Ours */
};
struct source {
	struct git_source *git; /* exactly one of the four is not NULL */
	struct blob_source *blob;
	struct registry_source *registry;
	struct local_source *local;
	const char *sub_path;
	struct pos pos;
};

struct object_ref {
	const char *kind, *name, *ns, *api_version;
	struct pos pos;
};

struct env_var {
	const char *name, *value;
	const struct node *value_from; /* kept for the messages; not supported for builds */
	struct pos pos;
};
/* The last value of a list of struct env_var, "" where it has none; NULL when there is no such variable. */
const char *env_var_find(const struct list *env, const char *name);

struct binding { /* cnbBindings */
	const char *name, *metadata_name, *secret_name;
	const struct node *metadata_ref, *secret_ref; /* as read; NULL: absent */
	struct pos pos;
};

struct resources {
	struct pairs limits, requests; /* quantities as written: "500m", "1Gi" */
};

struct image_build {
	struct list env;      /* struct env_var */
	struct list services; /* struct object_ref; kind defaults to Secret */
	struct list bindings; /* struct binding */
	struct resources resources;
	const struct node *limits, *requests; /* of resources, as written */
	const struct node *tolerations, *node_selector, *affinity;
	const char *runtime_class, *scheduler;
	int64_t timeout_s;         /* buildTimeout; 0: none */
	const char *creation_time; /* "", "now" or Unix seconds */
};

struct image_cache {
	const char *volume_size, *volume_class; /* quantities as written; NULL: absent */
	const char *registry_tag;
	bool has_volume, has_registry; /* at most one; neither: no cache */
	struct pos pos;
};

enum tagging { TAGGING_BUILD_NUMBER, TAGGING_NONE };

struct image_spec {
	const char *tag;
	struct strings additional_tags;
	struct object_ref builder;   /* kind Builder or ClusterBuilder */
	const char *service_account; /* "default" */
	struct source source;
	/* absent in the manifest: a volume of 2G, as with a default StorageClass */
	struct image_cache cache;
	bool has_cache;         /* `cache` was written; an empty one turns caching off */
	const char *cache_size; /* v1alpha1; already moved to cache.volume_size */
	int64_t failed_limit, success_limit; /* history, 10 each */
	const char *tagging;                 /* "BuildNumber" or "None" */
	/* path of project.toml; NULL: project.toml when it is there */
	const char *project_descriptor;
	const char *default_process;
	const struct node *notary, *cosign; /* accepted, reported as not acted on */
	struct image_build build;
	struct pos tag_pos;
};

extern const struct table image_spec_table;
extern const struct table source_table; /* also of build records */
extern const struct table object_ref_table;
extern const struct table env_var_table;
extern const struct table resources_table;
extern const struct table binding_table;
extern const struct table named_table;

/* A quantity ("500m", "1.5Gi", "2G") in thousandths; false when it is none. */
bool quantity_parse(const char *text, int64_t *milli);
/* Numeric comparison of quantities, texts otherwise: 500m equals 0.5. */
bool resources_equal(const struct resources *a, const struct resources *b);

#endif
