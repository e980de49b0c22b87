/* SPDX-License-Identifier: Apache-2.0 */
/* actions.h — what a worker can do with buildpacks: build an app, swap its run image, compose a builder. */
#ifndef BUILDEXEC_CNB_ACTIONS_H
#define BUILDEXEC_CNB_ACTIONS_H

#include "buildexec/task/task.h"

MUST_CHECK bool task_build(struct task *task, struct err *err);
MUST_CHECK bool task_rebase(struct task *task, struct err *err);
MUST_CHECK bool task_compose(struct task *task, struct err *err);

#endif
