/* SPDX-License-Identifier: Apache-2.0 */
/* volumes.h — files of secrets and config maps that are mounted while a Dockerfile is built, and are in no layer. */
#ifndef BUILDEXEC_DOCKER_VOLUMES_H
#define BUILDEXEC_DOCKER_VOLUMES_H

#include "buildexec/engine/engine.h"

/* FILES_VOLUME of the request, written below the task's work folder. *out: struct engine_volume. ERR_INVALID for paths that lead elsewhere. */
MUST_CHECK bool volumes_write(struct task *task, struct list *out, struct err *err);

#endif
