/* SPDX-License-Identifier: Apache-2.0 */
/* volumes.h — files of secrets and config maps that are mounted while a Dockerfile is built, and are in no layer. */
#ifndef BUILDEXEC_DOCKER_VOLUMES_H
#define BUILDEXEC_DOCKER_VOLUMES_H

#include "buildexec/task/task.h"

struct docker_volume {
	const char *dir; /* on this machine, below the task's work folder */
	const char *to;  /* absolute, in the build */
};
/* FILES_VOLUME of the request, written. *out: struct docker_volume. ERR_INVALID for paths that lead elsewhere. */
MUST_CHECK bool volumes_write(struct task *task, struct list *out, struct err *err);
bool volumes_are_asked(const struct task *task);

#endif
