/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inputs.h — the source of a build config's build as a folder: a git commit or what came with the request, an inline
 * Dockerfile, parts of images, files of secrets and config maps. For the strategies of build configs; the log reads as
 * OpenShift's ("Cloning …", Commit, Author, Date).
 * Spec: openshift.md §3.7 "What the builder does to sources and images".
 */
#ifndef BUILDEXEC_TASK_INPUTS_H
#define BUILDEXEC_TASK_INPUTS_H

#include "buildexec/task/task.h"
#include "model/kind/build_info.h"

struct inputs {
	const char *source;      /* folder: all of it, on the file system of task->work */
	const char *context;     /* folder: source, or source.contextDir in it */
	struct source_info info; /* for labels and variables; without passwords */
	int64_t commit_s;        /* when the commit was made; 0: there is none */
};

/*
 * Git, binary and inline Dockerfile; the context folder is looked for behind no link that leads out, and made where nothing
 * is fetched. Sets result.revision. Reasons: FetchSourceFailed, InvalidContextDirectory. A build without any source gets an
 * empty folder.
 */
MUST_CHECK bool inputs_fetch(struct task *task, struct inputs *out, struct err *err);
/*
 * source.images[].paths: destinationDir is below the whole source, as OpenShift has it, whatever the context folder is. Links
 * inside what is copied stay as they are. Reason: FetchImageContentFailed.
 */
MUST_CHECK bool inputs_add_images(struct task *task, const struct inputs *inputs, struct err *err);
/* FILES_INPUT: below the context folder. Reason: FetchSourceFailed. */
MUST_CHECK bool inputs_add_files(struct task *task, const struct inputs *inputs, struct err *err);

#endif
