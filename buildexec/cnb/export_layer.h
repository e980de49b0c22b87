/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_layer.h — the layers that an application image gets, written byte for byte as the reference writes them. A layer
 * that the previous image has already is only hashed: its blob stays where it is.
 * Spec: cnb.md §1.6, §1.9.
 */
#ifndef BUILDEXEC_CNB_EXPORT_LAYER_H
#define BUILDEXEC_CNB_EXPORT_LAYER_H

#include "buildexec/cnb/lifecycle.h"

enum layer_kind {
	LAYER_DIR,   /* a folder and all below it       */
	LAYER_PATHS, /* chosen paths of the application */
	LAYER_LAUNCHER,
	LAYER_PROCESSES,
	LAYER_KINDS
};

struct layer_source {
	enum layer_kind kind;
	const char *id;              /* for messages: "a/b:layer" */
	const char *dir;             /* here: of LAYER_DIR, the launcher's file of LAYER_LAUNCHER */
	const char *name;            /* absolute, in the image: of LAYER_DIR */
	const struct strings *paths; /* LAYER_PATHS; types of processes for LAYER_PROCESSES */
};

/* What became of it. */
struct exported_layer {
	struct layer_result result; /* diff_id always; the rest only where has_blob */
	bool has_blob;
};

/* Only the diffID; nothing is read of a layer that came back as it was and has not changed. */
MUST_CHECK bool layer_source_hash(const struct lifecycle *life, const struct layer_source *source,
				  struct digest *out, struct err *err);
/* The blob below <work_dir>/blobs. */
MUST_CHECK bool layer_source_write(const struct lifecycle *life, const struct layer_source *source,
				   struct layer_result *out, struct err *err);

/* Of restore.c: the descriptor of a layer of the previous image; NULL when it has none of that diffID. */
const struct descriptor *lifecycle_previous_layer(const struct lifecycle *life,
						  const char *diff_id);

#endif
