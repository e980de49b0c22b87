/* SPDX-License-Identifier: Apache-2.0 */
/* root.h — the builder image's file system, made ready: its layers, its user, and the folders that programs count on. */
#ifndef BUILDEXEC_CUSTOM_ROOT_H
#define BUILDEXEC_CUSTOM_ROOT_H

#include "buildexec/image/rootfs.h"
#include "buildexec/task/task.h"
#include "buildexec/task/user.h"

struct custom_root {
	struct remote_image image;
	struct rootfs tree;
	struct user user;
	const char *cwd;
	const char *upper_dir; /* for the sandbox: with the folders that the image lacks */
};

/* ERR_INVALID for a user that the image does not know. */
MUST_CHECK bool custom_root_open(struct task *task, const char *reference, struct custom_root *out,
				 struct err *err);

#endif
