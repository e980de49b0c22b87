/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project.h — project.toml, the application's own word about its build: which files count and which variables it wants.
 * Schemas 0.1 ([project], [build]) and 0.2 ([_], [io.buildpacks]); it is the platform that reads it, not the lifecycle.
 * Builder and buildpacks named there are not followed: the builder of an Image object decides (kpack does the same). Inline
 * buildpacks are: see project_order.h.
 * Pure. Spec: buildpacks/spec extensions/project-descriptor.md; kpack.md §4.3.
 */
#ifndef BUILDEXEC_CNB_PROJECT_H
#define BUILDEXEC_CNB_PROJECT_H

#include "model/doc/field.h"

struct project_buildpack {
	const char *id, *version, *uri; /* NULL where not given; an inline one has id and version */
	const char *script;             /* NULL: not inline */
	const char *api, *shell;        /* of an inline one */
};
struct project_buildpacks {
	struct project_buildpack *v;
	size_t n, cap;
};

struct project {
	struct strings include, exclude; /* gitignore patterns; at most one of the two is given */
	bool has_include, has_exclude;
	struct pairs env;
	struct project_buildpacks group, pre, post;
	struct strings warnings; /* what is in there and ignored */
};

/* Texts are lent from the tree. ERR_INVALID says which key is wrong. */
MUST_CHECK bool project_read(const struct node *toml, struct arena *arena, struct project *out,
			     struct err *err);
/* An inline buildpack is in the list: it is followed. */
bool project_has_inline(const struct project_buildpacks *list);
/* Does the file stay? Folders always do. */
bool project_keeps(const struct project *project, const char *path);

#endif
