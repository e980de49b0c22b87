/* SPDX-License-Identifier: Apache-2.0 */
/* build_output.h — what a bin/build left in its layers folder: flags, variables, SBOMs, unmet names, launch.toml. */
#ifndef BUILDEXEC_CNB_GUEST_BUILD_OUTPUT_H
#define BUILDEXEC_CNB_GUEST_BUILD_OUTPUT_H

#include "buildexec/cnb/guest/guest.h"
#include "buildexec/cnb/layer_file.h"
#include "buildexec/cnb/process.h"

struct sbom_copy {
	const char *from, *to; /* `to` is relative to <layers>/sbom */
};
/* Of the whole build. */
struct build_result {
	struct launch_metadata metadata;
	VEC(struct sbom_copy) sboms;
	struct boms build_boms; /* those of launch.toml are in the metadata */
};

/* One buildpack's turn. */
struct build_step {
	struct bp_element element;
	const struct bp_descriptor *descriptor;
	const char *dir;       /* <layers>/<id>             */
	const char *plan_path; /* the buildpack's plan file */
	struct plan_requires requires;
	struct env *env;    /* gets the variables of build layers, for the next buildpack */
	struct strings met; /* names of the plan that need nobody else                    */
};

MUST_CHECK bool build_output_read(struct guest *guest, struct build_step *step,
				  struct build_result *result, struct err *err);
/* At the end of the build, since a later buildpack may have failed. */
MUST_CHECK bool build_output_copy_sboms(struct guest *guest, const struct build_result *result,
					struct err *err);

#endif
