/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dockerfile_change.h — the changes that OpenShift makes to a Dockerfile before it builds it: another base image, variables,
 * labels, images by other names. Text to text, pure; what is not changed stays as it is, byte by byte. Spec: openshift.md §3.7.
 */
#ifndef BUILDEXEC_DOCKER_DOCKERFILE_CHANGE_H
#define BUILDEXEC_DOCKER_DOCKERFILE_CHANGE_H

#include "buildexec/engine/dockerfile.h"

struct docker_pair {
	const char *name, *value;
	bool may_expand; /* $NAME in the value is for the engine to expand, as in a Dockerfile; else it is literal */
};
/* All may be empty. */
struct docker_changes {
	const char *from; /* of the last FROM; NULL: as written */
	struct pairs
		images; /* name → image, for FROM and for COPY --from, by exact name; no names of stages */
	struct list env;      /* struct docker_pair: ENV behind every FROM */
	struct list last_env; /* struct docker_pair: ENV at the end */
	struct list labels;   /* struct docker_pair: LABEL at the end; later ones of a name win */
};
/*
 * The changed text; a Dockerfile without FROM is ERR_INVALID, as is a change that would not fit a line (names and images with
 * blanks, quotes or line breaks). The order is OpenShift's: the replaced `from` may itself be one of `images`.
 */
MUST_CHECK bool dockerfile_change(const struct dockerfile *file,
				  const struct docker_changes *changes, struct buf *out,
				  struct err *err);

#endif
