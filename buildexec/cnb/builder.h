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

/* CNB_USER_ID and CNB_GROUP_ID of an image's environment; never 0. */
MUST_CHECK bool builder_user(const struct image_config *config, uint32_t *uid, uint32_t *gid,
			     struct err *err);
/* The home of a user in the text of a passwd file; NULL: not in there. */
const char *passwd_home(const char *text, uint32_t uid, struct arena *arena);

#endif
