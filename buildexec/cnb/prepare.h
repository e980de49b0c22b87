/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prepare.h — before the lifecycle begins: may the image be written, and the folders that a build works in: source,
 * platform variables, bindings, programs. For build.c.
 */
#ifndef BUILDEXEC_CNB_PREPARE_H
#define BUILDEXEC_CNB_PREPARE_H

#include "buildexec/cnb/builder.h"
#include "buildexec/cnb/lifecycle.h"
#include "buildexec/task/task.h"

struct build {
	struct task *task;
	struct builder builder;
	const char *app, *layers, *platform, *guest, *launcher, *project_metadata;
};

/* Before anything is spent: may the image be pushed, and can its base be read? */
MUST_CHECK bool prepare_access(struct task *task, struct err *err);
/* Opens the builder and makes the folders; build->task is set. */
MUST_CHECK bool prepare_build(struct build *build, struct err *err);

#endif
