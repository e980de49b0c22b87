/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dockerignore.h — .dockerignore: which files of a context an engine does not get. The last pattern that matches a path, or a
 * folder that it is in, decides. Pure. Spec: Dockerfile reference, ".dockerignore file"; moby patternmatcher.
 */
#ifndef BUILDEXEC_ENGINE_DOCKERIGNORE_H
#define BUILDEXEC_ENGINE_DOCKERIGNORE_H

#include "model/base/vec.h"

enum { DOCKERIGNORE_MAX_BYTES = 1 << 20 };

struct dockerignore_token; /* private */
struct dockerignore_pattern {
	const struct dockerignore_token *v;
	size_t n;
	bool takes_back; /* "!" */
};
struct dockerignore {
	struct dockerignore_pattern *v;
	size_t n, cap;
};

/* Never fails: a pattern that is none matches nothing. */
void dockerignore_parse(const char *text, size_t len, struct arena *arena,
			struct dockerignore *out);
/* `path` is relative and clean. `scratch` is for the duration of the call. */
bool dockerignore_matches(const struct dockerignore *ignore, const char *path,
			  struct arena *scratch);

#endif
