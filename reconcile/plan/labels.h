/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels.h — what the labels of stack, buildpack, lifecycle and builder images say. The labels are JSON written by others:
 * everything is checked, the first mistake is an ERR_INVALID that names the label.
 * Spec: buildpacks/spec platform.md "Labels", buildpack distribution; kpack.md §3.3–3.5.
 */
#ifndef RECONCILE_PLAN_LABELS_H
#define RECONCILE_PLAN_LABELS_H

#include "model/kind/status.h"
#include "model/oci/image.h"

#define LABEL_STACK_ID          "io.buildpacks.stack.id"
#define LABEL_MIXINS            "io.buildpacks.stack.mixins"
#define LABEL_BUILDPACK_LAYERS  "io.buildpacks.buildpack.layers"
#define LABEL_BUILDPACKAGE      "io.buildpacks.buildpackage.metadata"
#define LABEL_ORDER             "io.buildpacks.buildpack.order"
#define LABEL_LIFECYCLE_VERSION "io.buildpacks.lifecycle.version"
#define LABEL_LIFECYCLE_APIS    "io.buildpacks.lifecycle.apis"
#define LABEL_BUILDER_METADATA  "io.buildpacks.builder.metadata"
#define LABEL_BASE_PREFIX       "io.buildpacks.base."

/* A JSON list of texts; an absent label is an empty list. */
MUST_CHECK bool labels_mixins(const struct pairs *labels, struct arena *arena, struct strings *out,
			      struct err *err);
/* The buildpacks in an image: list of struct store_buildpack, by id@version. `pinned` is where they lie. */
MUST_CHECK bool labels_buildpacks(const struct manifest *manifest,
				  const struct image_config *config, const char *pinned,
				  struct arena *arena, struct list *out, struct err *err);
/* Version and APIs of a lifecycle image, and its last layer. */
MUST_CHECK bool labels_lifecycle(const struct image_config *config, struct arena *arena,
				 struct lifecycle_status *out, struct err *err);

struct builder_labels {
	const char *stack_id;
	const char *run_image; /* as named, usually a tag */
	const char *lifecycle_version;
	struct list buildpacks; /* struct buildpack_id */
	struct list order;      /* struct order_group */
};
MUST_CHECK bool labels_builder(const struct pairs *labels, struct arena *arena,
			       struct builder_labels *out, struct err *err);

#endif
