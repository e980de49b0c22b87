/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project_order.h — the buildpacks that project.toml brings along: inline ones, whose bin/build is a text in the file. A list
 * that has one is followed as a whole, since its place in the list counts: `group` ([[build.buildpacks]] in schema 0.1) takes
 * the place of the builder's order, `pre` and `post` go around each of its groups. Other lists are not followed: the builder
 * decides, as with kpack. Pure. Spec: buildpacks/spec extensions/project-descriptor.md "[[io.buildpacks.group]]".
 */
#ifndef BUILDEXEC_CNB_PROJECT_ORDER_H
#define BUILDEXEC_CNB_PROJECT_ORDER_H

#include "buildexec/cnb/project.h"

/* "a/b" → its version on the builder: NULL with err when there is none, or several. */
typedef const char *builder_version_fn(void *ctx, const char *id, struct err *err);

/*
 * The order to use instead of the builder's order.toml (NULL: it has none), and what else is in that file. *out NULL: the
 * builder's own stays. ERR_INVALID for a buildpack that is neither inline nor on the builder.
 */
MUST_CHECK bool project_order(const struct project *project, const struct node *order_toml,
			      builder_version_fn *version_of, void *ctx, struct arena *arena,
			      struct node **out, struct err *err);
/* buildpack.toml of an inline buildpack. */
struct node *project_buildpack_toml(const struct project_buildpack *buildpack, struct arena *arena);
/* Its bin/build. */
const char *project_buildpack_script(const struct project_buildpack *buildpack,
				     struct arena *arena);

#endif
