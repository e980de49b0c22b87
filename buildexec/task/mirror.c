/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mirror.c — the worker's action `mirror`: images of streams are copied to the integrated registry, whole and by digest.
 * What is there already is not looked at again, so a run that died goes on where it was.
 */
#include <string.h>

#include "buildexec/task/task.h"

#include "buildexec/sys/build_log.h"

static bool copy_one(struct task *task, const struct request_mirror *mirror, bool *is_sent,
		     struct err *err)
{
	struct registry_manner manner = { 0 };
	bool is_there = false, is_done;
	struct ref from, to;

	*is_sent = false;
	if (!ref_parse(mirror->from, task->arena, &from, err) ||
	    !ref_parse(mirror->to, task->arena, &to, err))
		return false;
	if (!from.digest || !to.digest || strcmp(from.digest, to.digest) != 0)
		return err_set(err, ERR_INVALID,
			       "cannot copy '%s' to '%s': both must name the same digest",
			       mirror->from, mirror->to);
	if (!registry_has_manifest(task->registry, &to, &is_there, err))
		return err_prefix(err, "cannot look for '%s'", mirror->to);
	if (is_there)
		return true;
	*is_sent = true;
	manner.insecure = mirror->is_insecure ? from.registry : NULL;
	registry_set_manner(task->registry, &manner);
	is_done = registry_copy(task->registry, &from, &to, err);
	registry_set_manner(task->registry, &(struct registry_manner){ 0 });
	return is_done;
}

/* All that can be copied is, so that the next try has less to do; the first failure is what is said. */
bool task_mirror(struct task *task, struct err *err)
{
	const struct list *mirrors = &task->request->mirrors;
	struct err first = { 0 };

	if (!mirrors->n)
		return err_set(err, ERR_INVALID, "build request: nothing to copy");
	task_begin(task, TASK_EXPORT);
	for (size_t i = 0; i < mirrors->n; i++) {
		const struct request_mirror *mirror = LIST_AT(*mirrors, struct request_mirror, i);
		struct err failed = { 0 };
		bool is_sent;

		if (copy_one(task, mirror, &is_sent, &failed)) {
			build_log_say(is_sent ? "Copied '%s' to '%s'" : "'%s' is in '%s' already",
				      mirror->from, mirror->to);
			task->result.image = mirror->to;
			continue;
		}
		build_log_warn("%s", failed.text);
		if (first.kind == ERR_NONE)
			first = failed;
	}
	if (first.kind == ERR_NONE)
		return true;
	*err = first;
	return false;
}
