/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prepare.h — the Dockerfile that an engine gets: found in the source, changed as OpenShift changes it, its images resolved by
 * our registry client and named by what they are, so that no engine can get others. Spec: openshift.md §3.7.
 */
#ifndef BUILDEXEC_DOCKER_PREPARE_H
#define BUILDEXEC_DOCKER_PREPARE_H

#include "buildexec/engine/dockerfile.h"
#include "buildexec/engine/engine.h"
#include "buildexec/engine/images.h"
#include "buildexec/task/inputs.h"

struct prepared {
	struct dockerfile file;      /* with OpenShift's changes */
	struct dockerfile original;  /* as the source has it: lines of messages are of this one */
	struct docker_images images; /* of `file` */
};

const struct docker_strategy *prepare_strategy(const struct task *task);
/* Arguments, variables and the timestamp of the job. */
void prepare_args(struct engine_job *job);
/* Sets job->ignore. Reason: ManageDockerfileFailed. */
MUST_CHECK bool prepare_read(struct engine_job *job, const struct inputs *inputs,
			     struct prepared *out, struct err *err);
/* Fills job->bases and result.bases. Reason: PullBuilderImageFailed. */
MUST_CHECK bool prepare_bases(struct engine_job *job, const struct prepared *prepared,
			      struct err *err);

#endif
