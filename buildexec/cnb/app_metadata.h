/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_metadata.h — what an exported image and a build cache say about their layers: the label
 * io.buildpacks.lifecycle.metadata, and the cache's metadata file, which has the same records of buildpacks.
 * Pure. Labels come from registries: decoding takes nothing for granted.
 * Spec: buildpacks/spec platform.md "io.buildpacks.lifecycle.metadata (JSON)"; shapes and key order: cnb.md §1.7, §1.8.
 */
#ifndef BUILDEXEC_CNB_APP_METADATA_H
#define BUILDEXEC_CNB_APP_METADATA_H

#include "model/base/vec.h"
#include "model/doc/node.h"

#define LABEL_LIFECYCLE_METADATA "io.buildpacks.lifecycle.metadata"
#define LABEL_BUILD_METADATA     "io.buildpacks.build.metadata"
#define LABEL_PROJECT_METADATA   "io.buildpacks.project.metadata"
#define LABEL_EXEC_ENV           "io.buildpacks.exec-env"
#define LABEL_REBASABLE          "io.buildpacks.rebasable"
#define LABEL_STACK_ID           "io.buildpacks.stack.id"
#define LABEL_STACK_MIXINS       "io.buildpacks.stack.mixins"

/* One layer that a buildpack made. */
struct layer_record {
	const char *name;
	const char *sha;         /* diffID; "" when unknown                         */
	const struct node *data; /* [metadata] of <layer>.toml; NULL: there is none */
	bool is_build, is_launch, is_cache;
};

struct layer_records {
	struct layer_record *v;
	size_t n, cap;
};

struct buildpack_record {
	const char *id, *version;
	struct layer_records layers; /* names are unique */
	const struct node *store;    /* the whole store.toml as a mapping; NULL: none */
};

struct buildpack_records {
	struct buildpack_record *v;
	size_t n, cap;
};

/* A run image as run.toml names it: a name and other places of the same image. */
struct run_image_names {
	const char *image; /* NULL: unknown */
	struct strings mirrors;
};

struct app_metadata {
	struct strings app; /* diffIDs of the application's layers, in order */
	const char *sbom;   /* NULL: no SBOM layer */
	struct buildpack_records buildpacks;
	const char *config, *launcher, *process_types; /* "" when there is none */
	const char *top_layer, *run_reference;
	struct run_image_names run_image; /* Platform API ≥ 0.12 */
	bool has_stack;
	struct run_image_names stack;
};

struct cache_metadata {
	const char *sbom; /* "" when there is none */
	struct buildpack_records buildpacks;
};

/* Texts are lent from the tree, which must outlive the result. ERR_INVALID when the shape is wrong. */
MUST_CHECK bool app_metadata_decode(const struct node *json, struct arena *arena,
				    struct app_metadata *out, struct err *err);
struct node *app_metadata_encode(const struct app_metadata *metadata, struct arena *arena);
MUST_CHECK bool cache_metadata_decode(const struct node *json, struct arena *arena,
				      struct cache_metadata *out, struct err *err);
struct node *cache_metadata_encode(const struct cache_metadata *metadata, struct arena *arena);

/* NULL when there is no such buildpack or layer. */
const struct buildpack_record *buildpack_record_find(const struct buildpack_records *records,
						     const char *id);
const struct layer_record *layer_record_find(const struct buildpack_record *record,
					     const char *name);

/* {"image":…,"mirrors":[…]}, empty members left out. */
void run_image_names_encode(const struct run_image_names *names, struct arena *arena,
			    struct node *out);
void run_image_names_decode(const struct node *map, struct arena *arena,
			    struct run_image_names *out);

/*
 * Metadata that goes back to a buildpack as TOML: a number with a '.' or an exponent is a float, another one an integer,
 * which the reference makes a float; null members vanish, keys are sorted.
 */
struct node *metadata_to_toml(const struct node *value, struct arena *arena);
/* The other way: datetimes become texts. Keys are sorted. */
struct node *metadata_to_json(const struct node *value, struct arena *arena);

#endif
