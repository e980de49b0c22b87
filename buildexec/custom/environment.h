/* SPDX-License-Identifier: Apache-2.0 */
/*
 * environment.h — what the builder image of a Custom build is told, as variables. Pure.
 * Spec: openshift.md §3.7 "Custom builder env"; OpenShift pkg/build/controller/strategy/custom.go.
 */
#ifndef BUILDEXEC_CUSTOM_ENVIRONMENT_H
#define BUILDEXEC_CUSTOM_ENVIRONMENT_H

#include "model/kind/bc_request.h"
#include "model/oci/image.h"

/* The kernel takes no longer "NAME=value" (MAX_ARG_STRLEN). */
#define LIMIT_VARIABLE_BYTES (128u << 10)
#define CUSTOM_DOCKER_SOCKET "/var/run/docker.sock"

/* Folders in the container; NULL: the build has no such secret. */
struct custom_secrets {
	const char *push, *pull, *source;
};

struct custom_environment {
	const struct bc_request *config;
	const struct custom_secrets *secrets;
	const struct strings *image_env;
	const char *home; /* of the user; NULL: "/" */
};

/*
 * NAME=value: the image's own, then what the build is, then the strategy's, then where secrets and the socket are; later ones
 * replace. PATH and HOME are there in any case. ERR_INVALID for a variable that is too long and an output that is no
 * reference.
 */
MUST_CHECK bool custom_environment_make(const struct custom_environment *from, struct arena *arena,
					struct strings *out, struct err *err);

#endif
