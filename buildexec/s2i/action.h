/* SPDX-License-Identifier: Apache-2.0 */
/* action.h — what a worker can do for build configs of this strategy: the action "s2i" (task.h task_fn). */
#ifndef BUILDEXEC_S2I_ACTION_H
#define BUILDEXEC_S2I_ACTION_H

#include "buildexec/task/task.h"

/* request->config is set. Fills task->result; on failure task->reason. */
MUST_CHECK bool task_s2i(struct task *task, struct err *err);

#endif
