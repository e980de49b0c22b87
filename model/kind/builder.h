/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder.h — Builder and ClusterBuilder, and the parts they are composed of: ClusterStack,
 * ClusterStore, Buildpack, ClusterBuildpack, ClusterLifecycle. Source of fields and rules:
 * kpack.md §2.6–2.10. Ours: `spec.image` of a builder names a ready-made builder image; nothing is
 * composed then and tag, stack, store and order must be absent.
 */
#ifndef MODEL_KIND_BUILDER_H
#define MODEL_KIND_BUILDER_H

#include "model/kind/image.h"

struct order_entry {
	const char *id, *version;
	bool is_optional;
	const char *name, *kind; /* Buildpack or ClusterBuildpack resource */
	const char *image;       /* not supported; refused with kpack's text */
	struct pos pos;
};
struct order_group {
	struct list group; /* struct order_entry */
};

struct builder_spec { /* both kinds */
	const char *tag;
	struct object_ref stack;     /* kind ClusterStack */
	struct object_ref store;     /* kind ClusterStore; name NULL: none */
	struct object_ref lifecycle; /* name NULL: our own lifecycle */
	struct list order;           /* struct order_group */
	struct pairs additional_labels;
	const char *service_account;   /* Builder */
	struct object_ref account_ref; /* ClusterBuilder: serviceAccountRef{name,namespace} */
	const char *image;             /* ready-made builder */
	struct pos tag_pos, order_pos;
};

struct stack_spec {
	const char *id;
	const char *build_image, *run_image;
	struct object_ref account_ref;
};

struct store_spec {
	struct list sources; /* struct image_source */
	struct object_ref account_ref;
};
struct image_source {
	const char *image;
	struct pos pos;
};

struct buildpack_spec { /* Buildpack, ClusterBuildpack, ClusterLifecycle */
	const char *image;
	const char *service_account;
	struct object_ref account_ref;
};

extern const struct table builder_spec_table;
extern const struct table cluster_builder_spec_table;
extern const struct table stack_spec_table;
extern const struct table store_spec_table;
extern const struct table buildpack_spec_table;
extern const struct table cluster_buildpack_spec_table;
extern const struct table lifecycle_spec_table;
extern const struct table order_group_table;

#endif
