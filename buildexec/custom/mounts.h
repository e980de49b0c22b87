/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts.h — what a Custom build's builder sees of the outside: files of secrets and config maps, read-only and for its user
 * alone, and the docker socket where the settings give it. Links of the image are followed before anything is mounted, so
 * that no image leads a mount to where none may be.
 * Spec: openshift.md §3.7; OpenShift pkg/build/controller/strategy/util.go (mount paths).
 */
#ifndef BUILDEXEC_CUSTOM_MOUNTS_H
#define BUILDEXEC_CUSTOM_MOUNTS_H

#include "buildexec/custom/environment.h"
#include "buildexec/image/rootfs.h"
#include "buildexec/task/task.h"
#include "buildexec/task/user.h"

#define CUSTOM_PUSH_DIR   "/var/run/secrets/openshift.io/push"
#define CUSTOM_PULL_DIR   "/var/run/secrets/openshift.io/pull"
#define CUSTOM_SOURCE_DIR "/var/run/secrets/openshift.io/source"

struct custom_mounts {
	VEC(struct sandbox_bind) binds;
	struct custom_secrets secrets;
};

/* Absolute, without "..", and not a folder of the system. *out: clean, without '/' at its end. ERR_INVALID. Pure. */
MUST_CHECK bool custom_mount_path(const char *text, struct arena *arena, const char **out,
				  struct err *err);
/* Is one the other, or in it? Clean paths. Pure. */
bool custom_paths_overlap(const char *a, const char *b);

/* Writes the files of the request below the task's folder. ERR_INVALID for paths that may not be, or that meet. */
MUST_CHECK bool custom_mounts_make(struct task *task, const struct rootfs *root,
				   const struct user *user, struct custom_mounts *out,
				   struct err *err);

#endif
