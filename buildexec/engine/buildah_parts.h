/* SPDX-License-Identifier: Apache-2.0 */
/* buildah_parts.h — what the files of the engine buildah share; for buildah.c and buildah_clean.c alone. */
#ifndef BUILDEXEC_ENGINE_BUILDAH_PARTS_H
#define BUILDEXEC_ENGINE_BUILDAH_PARTS_H

#include "buildexec/engine/engine.h"
#include "buildexec/engine/engine_store.h"

struct buildah {
	struct engine_job *job;
	struct task *task;
	struct engine_store store;
	struct strings env;
	const char *driver, *isolation, *profile;
	bool is_partial; /* one user id only */
	bool is_unclean; /* a build that did not end well may have left containers */
};

/* "buildah", where it keeps things, and the command. */
struct strings buildah_command(struct buildah *b, const char *name);

/* Removes the containers that builds which were killed left, in this store and in all that nobody uses. */
MUST_CHECK bool buildah_clean_before(struct buildah *b, struct err *err);
/*
 * Removes those of the present build, which may be large, unless it ended well; the next build would look for them, if there is
 * one. Neither deadline nor cancellation of the task ends that, but CLEAN_MS. False: they may be there.
 */
bool buildah_clean_behind(struct buildah *b);

#endif
