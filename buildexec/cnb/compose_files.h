/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose_files.h — the texts of a composed builder image: order.toml, stack.toml, run.toml and its labels. Pure.
 * Spec: buildpacks/spec distribution.md "Builder"; kpack.md §3.2, §3.3; cnb.md §2.
 */
#ifndef BUILDEXEC_CNB_COMPOSE_FILES_H
#define BUILDEXEC_CNB_COMPOSE_FILES_H

#include "model/kind/build_request.h"

#define LABEL_BUILDER_METADATA  "io.buildpacks.builder.metadata"
#define LABEL_BUILDPACK_ORDER   "io.buildpacks.buildpack.order"
#define LABEL_BUILDPACK_LAYERS  "io.buildpacks.buildpack.layers"
#define LABEL_LIFECYCLE_VERSION "io.buildpacks.lifecycle.version"
#define LABEL_LIFECYCLE_APIS    "io.buildpacks.lifecycle.apis"

/* Buildpacks in the order of their layers: larger first, then by id@version, downwards. */
struct compose_order {
	const struct compose_buildpack **v;
	size_t n;
};
struct compose_order compose_sorted(const struct compose *compose, struct arena *arena);

struct node *compose_order_toml(const struct compose *compose, struct arena *arena);
struct node *compose_stack_toml(const char *run_image, struct arena *arena);
struct node *compose_run_toml(const char *run_image, struct arena *arena);
/* All labels that composing sets or changes; `run_image` as the builder names it. */
struct pairs compose_labels(const struct compose *compose, const char *run_image,
			    struct arena *arena);

#endif
