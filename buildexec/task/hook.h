/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook.h — spec.postCommit: a command in a container of the new image before it is pushed. What it changes is thrown away.
 * Spec: openshift.md §3.7 "postCommit".
 */
#ifndef BUILDEXEC_TASK_HOOK_H
#define BUILDEXEC_TASK_HOOK_H

#include "buildexec/task/task.h"

struct hook_image {
	struct strings lowers;             /* unpacked layers, bottom first */
	const struct image_config *config; /* env, entrypoint, user, working dir */
};
/* Has the build a hook? */
bool hook_is_set(const struct post_commit *hook);
/* What runs, as the hook and the image's entrypoint say. */
struct strings hook_argv(const struct post_commit *hook, const struct image_config *config,
			 struct arena *arena);
/* With the task's limits, network and deadline. Reason: PostCommitHookFailed. Nothing to do is success. */
MUST_CHECK bool hook_run(struct task *task, const struct hook_image *image, struct err *err);

#endif
