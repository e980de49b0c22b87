/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive.h — the files that a Docker daemon takes and gives: an image to load, a build context, a saved image. Files, because
 * their length must be known and a try may have to be repeated. Spec: moby image spec v1.2 "Combined Image JSON + Filesystem
 * Changeset Format"; Docker Engine API "Build an image".
 */
#ifndef BUILDEXEC_ENGINE_ARCHIVE_H
#define BUILDEXEC_ENGINE_ARCHIVE_H

#include "buildexec/engine/engine.h"

/* The name of the Dockerfile in a context. */
#define CONTEXT_DOCKERFILE ".reconcile.dockerfile"

/* `path` gets the base; its layers are fetched into the folder `dir`, which is removed. */
MUST_CHECK bool archive_write_image(struct task *task, const struct engine_base *base,
				    const char *dir, const char *path, struct err *err);
/*
 * job->context without what .dockerignore says, and job->dockerfile. The list of ignored files in it also names the
 * Dockerfile, so that the daemon takes it out before it copies anything.
 */
MUST_CHECK bool archive_write_context(const struct engine_job *job, const char *path,
				      struct err *err);
/* The one image saved in the archive `path`: layers that are of no base go to files in `dir`. ERR_INVALID: it is something else. */
MUST_CHECK bool archive_read_image(const struct engine_job *job, const char *path, const char *dir,
				   struct engine_output *out, struct err *err);

#endif
