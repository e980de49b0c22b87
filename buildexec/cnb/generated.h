/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generated.h — what image extensions left in <layers>/generated: Dockerfiles, their arguments, their contexts. Written in a container,
 * so nothing is taken for granted (foreign.h).
 * Spec: buildpacks/spec image_extension.md "Phase: Generation"; the layout of Platform API 0.13.
 */
#ifndef BUILDEXEC_CNB_GENERATED_H
#define BUILDEXEC_CNB_GENERATED_H

#include "buildexec/cnb/build_metadata.h"
#include "buildexec/cnb/extend_rule.h"

/* In the order of the group, each checked; `warnings` gets what is advised against. ERR_INVALID names the extension. */
MUST_CHECK bool generated_read(const char *layers_dir, const struct group *extensions,
			       struct arena *arena, struct extend_files *out,
			       struct strings *warnings, struct err *err);

#endif
