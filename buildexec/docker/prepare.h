/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prepare.h — the Dockerfile that an engine gets: found in the source, changed as OpenShift changes it, its images resolved by
 * our registry client and named by what they are, so that no engine can get others. Spec: openshift.md §3.7.
 */
#ifndef BUILDEXEC_DOCKER_PREPARE_H
#define BUILDEXEC_DOCKER_PREPARE_H

#include "buildexec/docker/dockerfile.h"
#include "buildexec/docker/engine.h"
#include "buildexec/docker/images.h"
#include "buildexec/task/inputs.h"

struct prepared {
	struct dockerfile file;      /* with OpenShift's changes */
	struct dockerfile original;  /* as the source has it: lines of messages are of this one */
	struct docker_images images; /* of `file` */
};

/* Arguments, variables and the timestamp of the job. */
void prepare_args(struct docker_job *job);
/* Sets job->ignore. Reason: ManageDockerfileFailed. */
MUST_CHECK bool prepare_read(struct docker_job *job, const struct inputs *inputs,
			     struct prepared *out, struct err *err);
/* Fills job->bases and result.bases. Reason: PullBuilderImageFailed. */
MUST_CHECK bool prepare_bases(struct docker_job *job, const struct prepared *prepared,
			      struct err *err);
/* Sets job->dockerfile: bases by their ids. */
MUST_CHECK bool prepare_write(struct docker_job *job, const struct prepared *prepared,
			      struct err *err);

#endif
