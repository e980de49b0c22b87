/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest.h — the program that runs inside the builder image, as the user of the builder: detection and build.
 * Options come from the command line, else from CNB_… variables, else they are the defaults of the Platform API.
 * Spec: platform.md "Detector", "Builder".
 */
#ifndef BUILDEXEC_CNB_GUEST_GUEST_H
#define BUILDEXEC_CNB_GUEST_GUEST_H

#include "buildexec/cnb/env.h"
#include "buildexec/cnb/guest/say.h"
#include "model/base/map.h"

struct guest {
	struct arena *arena;
	struct speaker speaker;
	char *const *environ;
	struct api platform;
	const char *exec_env;
	const char *app, *layers, *platform_dir, *buildpacks, *extensions, *build_config;
	const char *order, *group, *plan, *analyzed, *system, *generated;
	struct map descriptors; /* by folder: struct bp_descriptor */
	struct bp_target target;
	int exit_code; /* of the failure that is being reported */
};

/* Fills the options. False with exit_code set. */
MUST_CHECK bool guest_options(struct guest *guest, int argc, char *const *argv, struct err *err);

/* The folder of a buildpack or an image extension. */
const char *guest_buildpack_dir(struct guest *guest, const struct bp_element *element);
/* Reads a buildpack.toml or extension.toml once. An API that is not implemented is an error of its own exit code. */
MUST_CHECK bool guest_find(struct guest *guest, const struct bp_element *element,
			   const struct bp_descriptor **out, struct err *err);
/* "set API for Buildpack 'a@1': …"; sets the exit code. */
bool guest_fail_api(struct guest *guest, const struct bp_element *element, struct err *err);
/* The run image's target from analyzed.toml, completed by what this root says. */
MUST_CHECK bool guest_read_target(struct guest *guest, struct err *err);
/* What bin/detect and bin/build find in their environment alike. */
MUST_CHECK bool guest_env(struct guest *guest, const struct env *base,
			  const struct bp_descriptor *descriptor, struct env *out, struct err *err);
/* A new empty folder for temporary files. */
MUST_CHECK bool guest_temp_dir(struct guest *guest, const char *prefix, char **out,
			       struct err *err);

MUST_CHECK bool guest_detect(struct guest *guest, struct err *err);
/* Runs the image extensions of the group; what they meet leaves the plan. */
MUST_CHECK bool guest_generate(struct guest *guest, struct plan_result *found, struct err *err);
MUST_CHECK bool guest_build(struct guest *guest, struct err *err);

#endif
