/* SPDX-License-Identifier: Apache-2.0 */
/* tag.c — the worker's action `tag`: an image that is there gets further names. Nothing is built. */
#include "buildexec/cnb/task.h"
#include "buildexec/sys/log.h"

bool task_tag(struct task *task, struct err *err)
{
	const struct build_request *request = task->request;
	struct ref from, to;

	task_begin(task, PHASE_EXPORT);
	if (!request->previous_image ||
	    !ref_parse(request->previous_image, task->arena, &from, err))
		return err_prefix(err, "build request: previousImage");
	if (!from.digest)
		return err_set(err, ERR_INVALID, "build request: previousImage has no digest");
	for (size_t i = 0; i < request->tags.n; i++) {
		if (!ref_parse(request->tags.v[i], task->arena, &to, err) ||
		    !registry_copy(task->registry, &from, &to, err))
			return err_prefix(err, "cannot tag '%s'", request->tags.v[i]);
		lifecycle_say("Tagged '%s'", request->tags.v[i]);
	}
	task->result.image = request->previous_image;
	return true;
}
