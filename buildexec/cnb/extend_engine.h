/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extend_engine.h — the lifecycle's extender by an engine (buildexec/engine): Dockerfiles of image extensions are built as those
 * of anybody are, in namespaces of their own, with the request's limits and network and without credentials.
 */
#ifndef BUILDEXEC_CNB_EXTEND_ENGINE_H
#define BUILDEXEC_CNB_EXTEND_ENGINE_H

#include "buildexec/cnb/lifecycle.h"
#include "buildexec/engine/engine.h"

struct extend_engine {
	struct task *task;
	struct engine_job job;
	const struct engine *engine; /* NULL: not open */
	const struct remote_image *base;
	const char *id;    /* of what was built last */
	unsigned n_images; /* that were taken out */
};

/* `limits` are read when the engine is opened. Nothing is opened yet. */
void extend_engine_init(struct extend_engine *e, struct task *task,
			const struct sandbox_limits *limits, struct lifecycle_extender *out);
void extend_engine_close(struct extend_engine *e);

#endif
