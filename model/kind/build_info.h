/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_info.h — what an image says about the build that made it: variables OPENSHIFT_BUILD_… and labels io.openshift.build.….
 * Pure. Spec: openshift.md §3.7.
 */
#ifndef MODEL_KIND_BUILD_INFO_H
#define MODEL_KIND_BUILD_INFO_H

#include "model/kind/build_config.h"

/* Of the commit that was fetched; NULL: not known. */
struct source_info {
	const char *commit, *message, *date, *ref, *location;
	const char *author_name, *author_email;
};

struct build_id {
	const char *name, *ns;
};

/* struct env_var: name, namespace, and of a git source its URI, ref and commit, as far as they are known. */
struct list build_info_env(const struct build_id *id, const struct build_common *spec,
			   const struct source_info *info, struct arena *arena);
/*
 * By name; then output.imageLabels in their order, which win: struct image_label. The commit's ref is the one that was asked
 * for.
 */
struct list build_info_labels(const struct build_id *id, const struct build_common *spec,
			      const struct source_info *info, struct arena *arena);

#endif
