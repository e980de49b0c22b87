/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_images.h — the run images that a builder offers (run.toml, stack.toml): reading them, and the names under which the
 * label of an application remembers the one it stands on.
 * Pure. Spec: buildpacks/spec platform.md "run.toml", "stack.toml"; cnb.md §1.2, §1.7.
 */
#ifndef BUILDEXEC_CNB_RUN_IMAGES_H
#define BUILDEXEC_CNB_RUN_IMAGES_H

#include "buildexec/cnb/app_metadata.h"

struct run_images {
	struct run_image_names *v;
	size_t n, cap;
};

/* [[images]] of run.toml; [run-image] of stack.toml is the same as one of them. Texts are lent from the tree. */
void run_toml_read(const struct node *toml, struct arena *arena, struct run_images *out);
void stack_toml_read(const struct node *toml, struct arena *arena, struct run_images *out);

/* Is `image` one of these names? Tags are compared, digests are not. */
bool run_image_names_have(const struct run_image_names *names, const char *image,
			  struct arena *arena);
/* The entry that names `image`, else the first, else NULL. */
const struct run_image_names *run_images_for_label(const struct run_images *images,
						   const char *image, struct arena *arena);
/*
 * The names in the order in which they should be tried for an image that goes to `registry`: those on the same registry
 * first, then all.
 */
struct strings run_image_candidates(const struct run_image_names *names, const char *registry,
				    struct arena *arena);

#endif
