/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assemble.h — images as values: a base, layers put on top, config and manifest made, all pushed.
 * One family of media types per manifest: the base's Docker names become OCI names, its bytes stay.
 * Base layers are never downloaded to push them to their own registry: they are mounted; only
 * another registry makes a copy needed. Spec: opencontainers/image-spec manifest.md, config.md.
 */
#ifndef BUILDEXEC_IMAGE_ASSEMBLE_H
#define BUILDEXEC_IMAGE_ASSEMBLE_H

#include "buildexec/image/layer.h"
#include "buildexec/image/unpack.h"
#include "buildexec/registry/registry.h"

/* Where a layer's bytes are. */
struct image_layer {
	struct descriptor desc; /* OCI media type, digest, size */
	const char *diff_id;
	const char *path;       /* of the blob here; NULL: only `from` has it              */
	const struct ref *from; /* a repository that has it: mounted from there; NULL: none */
};

/*
 * An image in the making. `layers` and config.diff_ids belong together; config.history is the
 * caller's to change as long as it has one entry with content per layer.
 */
struct image_draft {
	struct image_config config;
	VEC(struct image_layer) layers;
	VEC(struct history) history;
	struct pairs annotations; /* of the manifest */
};

/* `base` NULL: from nothing. Texts are shared with the base, which must live as long. Its history
 * comes along; one that does not fit its layers is replaced by an entry without text per layer. */
void image_draft_init(struct image_draft *draft, const struct remote_image *base,
		      struct arena *arena);
/* Layers that the image `there` has too are taken from it: in its own repository nothing is asked for them. */
void image_draft_find(struct image_draft *draft, const struct remote_image *there);
/* Puts a written layer on top. */
void image_draft_add(struct image_draft *draft, const struct layer_result *layer,
		     const struct history *history, struct arena *arena);

/*
 * Can its layers become part of another image? ERR_INVALID for layers that are no archives or must not be handed on (foreign,
 * nondistributable).
 */
MUST_CHECK bool image_check_layers(const struct remote_image *image, struct err *err);

/* Config and manifest as bytes and descriptors; deterministic. */
struct image_bytes {
	char *config, *manifest;
	size_t config_len, manifest_len;
	struct descriptor config_desc, manifest_desc;
};
void image_draft_print(const struct image_draft *draft, struct arena *arena,
		       struct image_bytes *out);

/* What transfers may use: rules and keychain for one registry handle per thread. */
struct image_access {
	const struct registry_rules *rules;
	const struct keychain *keychain;
	struct registry_shared
		*shared;         /* what the handles find out once for all; NULL: each for itself */
	const char *scratch_dir; /* for layers copied between registries; NULL: the temp folder */
	size_t n_threads;        /* 0: 4, transfers wait for the network more than for a CPU */
};

/* Blobs in parallel, then the config, then the manifest under each of `tags` (refs of one or
 * several repositories). */
struct image_push {
	const struct image_draft *draft;
	const struct image_access *access;
	const struct ref *const *tags;
	size_t n_tags;
};
MUST_CHECK bool image_push(const struct image_push *push, struct arena *arena,
			   struct image_bytes *out, struct err *err);

/*
 * Makes all layers of an image ready to be mounted: fetches the blobs that are not here, unpacks
 * what is not unpacked, several at once; concurrent processes share the work. `dirs`: one folder
 * per layer, bottom first. A blob is removed once it is unpacked.
 */
MUST_CHECK bool image_unpack(const struct remote_image *image, const struct image_access *access,
			     struct layer_store *store, struct arena *arena, struct strings *dirs,
			     struct err *err);

#endif
