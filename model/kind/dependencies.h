/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dependencies.h — kp's DependencyDescriptor: the stacks, stores, buildpacks, lifecycles and builders of a release, to be
 * imported (kpack.md §5.8). kp.kpack.io v1alpha1, v1alpha3 and v1 are read into one struct. Comes from elsewhere: untrusted.
 */
#ifndef MODEL_KIND_DEPENDENCIES_H
#define MODEL_KIND_DEPENDENCIES_H

#include "model/kind/builder.h"

struct dependency_store {
	const char *name;
	struct list sources; /* struct image_source */
	struct pos pos;
};
struct dependency_stack {
	const char *name, *build_image, *run_image;
	struct pos pos;
};
struct dependency_image { /* a ClusterLifecycle or ClusterBuildpack */
	const char *name, *image;
	struct pos pos;
};
struct dependency_builder {
	const char *name, *stack, *store;
	struct list order; /* struct order_group */
	struct pos pos;
};
struct dependencies {
	const char *api_version, *kind;
	const char *default_lifecycle, *default_stack, *default_builder;
	struct list lifecycles, buildpacks; /* struct dependency_image */
	struct list stores;                 /* struct dependency_store */
	struct list stacks;                 /* struct dependency_stack */
	struct list builders;               /* struct dependency_builder */
	struct dependency_image lifecycle;  /* before v1: one without a name */
};

/*
 * Every mistake is a diagnostic. The lists come out complete: what is the default is there once more, under the name
 * "default" ("default-lifecycle").
 */
void dependencies_decode(const struct node *document, const struct source_file *file,
			 struct arena *arena, struct dependencies *out, struct diags *diags);
/* The order as a tree, for a manifest. NULL: none. */
const struct node *dependencies_order(const struct dependency_builder *builder,
				      struct arena *arena);

#endif
