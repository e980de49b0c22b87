/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_record.h — Image (image.openshift.io/v1): what is known of one image, by digest. Recorded once per digest below
 * cluster/images/, and read only where somebody wants to see it. Made of manifest and config alone, never of layers.
 * Source of the fields: OpenShift image API (openshift.md §2.1, §2.7 "Image size").
 */
#ifndef MODEL_KIND_IMAGE_RECORD_H
#define MODEL_KIND_IMAGE_RECORD_H

#include "model/kind/kind.h"
#include "model/oci/image.h"

struct image_layer {
	const char *name; /* digest */
	int64_t size_bytes;
	const char *media_type;
};
struct image_submanifest { /* of an index that was kept whole (PreserveOriginal) */
	const char *digest, *media_type;
	int64_t size_bytes;
	const char *arch, *os, *variant;
};
struct image_record {
	const char *name;      /* digest of the manifest or index */
	const char *reference; /* dockerImageReference */
	const struct node *
		metadata; /* dockerImageMetadata: Docker's own shape and key names; NULL for an index */
	const char *metadata_version; /* "1.0" */
	struct list layers;           /* struct image_layer, base first */
	struct list manifests;        /* struct image_submanifest */
	const char *media_type;       /* dockerImageManifestMediaType */
	struct pairs annotations;     /* of metadata */
};
extern const struct table image_record_table;

/* What describing an image shows, taken out of `metadata` (any of Docker's and OCI's spellings). */
struct image_facts {
	const char *id, *created, *author, *arch, *os, *user, *working_dir, *docker_version;
	struct strings entrypoint, cmd, env, exposed_ports, volumes;
	struct pairs labels;
	int64_t size_bytes;
};
void image_facts_read(const struct image_record *record, struct arena *arena,
		      struct image_facts *out);

/* `reference` names the image with its digest. Size is the config's plus that of every distinct layer. */
struct image_record *image_record_make(const char *reference, const char *digest,
				       const struct manifest *manifest,
				       const struct image_config *config, struct arena *arena);
struct image_record *image_record_index(const char *reference, const char *digest,
					const struct image_index *index, struct arena *arena);

/* "cluster/images/sha256/<hex>.yaml"; other ids go below cluster/images/other/ with unsafe bytes escaped. */
char *image_record_path(const char *name, struct arena *arena);
struct node *image_record_encode(const struct image_record *record, struct arena *arena);
MUST_CHECK bool image_record_read(const struct node *document, struct arena *arena,
				  struct image_record *out, struct err *err);

#endif
