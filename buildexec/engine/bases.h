/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bases.h — the images that a Dockerfile takes from outside, resolved by our registry client, and the Dockerfile with them named by what
 * they are, so that no engine can get others.
 */
#ifndef BUILDEXEC_ENGINE_BASES_H
#define BUILDEXEC_ENGINE_BASES_H

#include "buildexec/engine/engine.h"
#include "buildexec/engine/images.h"

/* Adds to job->bases what is not there under its name and platform. Names that nobody knows before the build are noticed. */
MUST_CHECK bool bases_resolve(struct engine_job *job, const struct docker_images *images,
			      struct err *err);
/* Sets job->dockerfile: a new file with the text of `file`, whose images are `images`, all of them in job->bases. */
MUST_CHECK bool bases_write(struct engine_job *job, const struct dockerfile *file,
			    const struct docker_images *images, struct err *err);
/* ERR_INVALID for what the engine would take for something else: here-documents, which not all know. */
MUST_CHECK bool engine_reads(const struct engine_job *job, const struct dockerfile *file,
			     struct err *err);
/* "registry/repo@sha256:…" of one that a registry gave. */
const char *base_pinned(const struct engine_base *base, struct arena *arena);

#endif
