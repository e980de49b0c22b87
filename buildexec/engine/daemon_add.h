/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon_add.h — what a Docker daemon may be given where builds have no network: what ADD names by its address the daemon fetches
 * itself, with its own network, whatever that of the build is. Pure. Spec: Dockerfile reference "ADD", "ONBUILD"; moby
 * builder/dockerfile/copy.go, builder/dockerfile/shell_parser.go.
 */
#ifndef BUILDEXEC_ENGINE_DAEMON_ADD_H
#define BUILDEXEC_ENGINE_DAEMON_ADD_H

#include "buildexec/engine/dockerfile.h"
#include "buildexec/engine/engine.h"

/*
 * ERR_INVALID for an ADD, in the file, in its ONBUILD or in that of a base, that has an address, or a variable or an escape that may
 * become one.
 */
MUST_CHECK bool daemon_add_check(const struct dockerfile *file, const struct engine_bases *bases,
				 struct err *err);

#endif
