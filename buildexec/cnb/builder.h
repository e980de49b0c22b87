/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder.h — a builder image made ready to build with: its layers unpacked, its user, its run images.
 * Spec: buildpacks/spec platform.md "Build Image"; cnb.md §2.
 */
#ifndef BUILDEXEC_CNB_BUILDER_H
#define BUILDEXEC_CNB_BUILDER_H

#include "buildexec/cnb/compose_files.h"
#include "buildexec/cnb/lifecycle.h"
#include "buildexec/task/task.h"

struct builder {
	struct remote_image image;
	struct strings lowers;         /* unpacked layers, bottom first */
	struct strings env;            /* of the image, HOME added       */
	uint32_t uid, gid;             /* CNB_USER_ID, CNB_GROUP_ID      */
	const char *lifecycle_version; /* as the builder says it; ours when it says nothing */
	struct run_images run_images;
};

MUST_CHECK bool builder_open(struct task *task, struct builder *out, struct err *err);

/* A small TOML file of the builder's root ("cnb/order.toml"); *out NULL when there is none. */
MUST_CHECK bool builder_read_toml(const struct builder *builder, const char *path,
				  struct arena *arena, struct node **out, struct err *err);
/* The one version of a buildpack that is in the builder's folders; NULL with err when there are none or several. */
const char *builder_buildpack_version(const struct builder *builder, const char *id,
				      struct arena *arena, struct err *err);

/* CNB_USER_ID and CNB_GROUP_ID of an image's environment; never 0. */
MUST_CHECK bool builder_user(const struct image_config *config, uint32_t *uid, uint32_t *gid,
			     struct err *err);
/* The home of a user of the root that these layers make; the usual one when it names none. */
MUST_CHECK bool builder_home(const struct strings *lowers, uint32_t uid, struct arena *arena,
			     const char **out, struct err *err);
/* The home of a user in the text of a passwd file; NULL: not in there. */
const char *passwd_home(const char *text, uint32_t uid, struct arena *arena);

#endif
