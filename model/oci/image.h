/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h — manifests, indexes and configs as values: read from JSON that registries send, written as OCI.
 * What we do not know stays: unknown config keys are kept in `config_tree` and written back.
 * Spec: opencontainers/image-spec manifest.md, config.md, image-index.md; Docker manifest v2 schema 2.
 */
#ifndef MODEL_OCI_IMAGE_H
#define MODEL_OCI_IMAGE_H

#include "model/base/vec.h"
#include "model/doc/field.h"

#define MEDIA_OCI_INDEX       "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG      "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER       "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_OCI_LAYER_GZIP  "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_OCI_LAYER_ZSTD  "application/vnd.oci.image.layer.v1.tar+zstd"
#define MEDIA_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER    "application/vnd.docker.image.rootfs.diff.tar.gzip"

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD, COMPRESSION_UNKNOWN };
enum compression media_compression(const char *media_type); /* of a layer */
bool media_is_index(const char *media_type);
bool media_is_manifest(const char *media_type);
/* The OCI name of a Docker layer or config type; others unchanged. */
const char *media_to_oci(const char *media_type);

struct platform {
	const char *os, *arch, *variant, *os_version;
};
/* Of this build of the program: linux and the CPU it was compiled for ("amd64", "arm64", …). */
struct platform platform_host(void);

struct descriptor {
	const char *media_type;
	const char *digest; /* valid sha256 */
	int64_t size_bytes;
	struct pairs annotations;
	struct platform platform; /* index entries */
};

struct manifest {
	const char *media_type; /* never NULL after parse */
	struct descriptor config;
	struct descriptor *layers;
	size_t n_layers;
	struct pairs annotations;
};

struct image_index {
	const char *media_type;
	struct descriptor *manifests;
	size_t n_manifests;
};

struct history {
	const char *created, *created_by, *author, *comment;
	bool is_empty_layer;
};

struct image_config {
	struct platform platform;
	const char *created, *author;
	struct strings env, entrypoint, cmd;
	const char *user, *working_dir, *stop_signal;
	struct pairs labels;
	struct strings exposed_ports, volumes;
	struct strings diff_ids;
	struct history *history;
	size_t n_history;
	/* The whole JSON as read, for the keys we do not model (Healthcheck, OnBuild, …). */
	const struct node *tree;
};

/* `media_type` is what the server said; NULL: by the content. ERR_INVALID on anything that is not a well-formed one. */
MUST_CHECK bool manifest_parse(const char *json, size_t len, const char *media_type,
			       struct arena *arena, struct manifest *out, struct err *err);
MUST_CHECK bool index_parse(const char *json, size_t len, const char *media_type,
			    struct arena *arena, struct image_index *out, struct err *err);
MUST_CHECK bool image_config_parse(const char *json, size_t len, struct arena *arena,
				   struct image_config *out, struct err *err);
/* Deterministic JSON (fixed key order, labels sorted). The manifest's media type decides the family. */
char *manifest_print(const struct manifest *manifest, struct arena *arena, size_t *len);
char *index_print(const struct image_index *index, struct arena *arena, size_t *len);
char *image_config_print(const struct image_config *config, struct arena *arena, size_t *len);
/* "config": what we model of it, in no particular order. */
struct node *image_run_config(const struct image_config *config, struct arena *arena);

/* The index entry for a platform: exact os and architecture, variant preferred (arm64 v8 and none are the same). NULL: none. */
const struct descriptor *index_select(const struct image_index *index, const struct platform *want);

/* The value of NAME in a list of NAME=value, split at the first '='; NULL when absent. */
const char *env_get(const struct strings *env, const char *name);
/* Replaces in place, else appends. */
void env_set(struct arena *arena, struct strings *env, const char *name, const char *value);

#endif
