/* SPDX-License-Identifier: Apache-2.0 */
/* build.h — one source-to-image build while it lasts, and its phases, each of which reads what the ones before left. */
#ifndef BUILDEXEC_S2I_BUILD_H
#define BUILDEXEC_S2I_BUILD_H

#include "buildexec/s2i/scripts.h"

struct build {
	const struct s2i_spec *spec;
	struct s2i_result *result;
	struct arena *arena;
	struct container builder, runtime; /* runtime: when the spec names one */
	struct container *final;           /* whose changes become the layer */
	const char *source;                /* the folder on this machine, context folder applied */
	struct rootfs source_root;         /* the same as a tree */
	const char *destination; /* in the container: below it are src, scripts, artifacts */
	struct scripts scripts;
	const char *run_path; /* CMD of the result */
	struct pairs env;     /* of the build: identity, .s2i/environment, spec */
	struct pairs
		new_labels; /* of the source's image_metadata.json; generated ones go before them */
	struct artifact_list artifacts;
	struct image_draft draft;
	VEC(int) secrets; /* open files to be emptied after assemble */
};

/* Each: false with err and result->reason. */
MUST_CHECK bool phase_pull(struct build *build, struct err *err);
MUST_CHECK bool phase_prepare(struct build *build, struct err *err);
MUST_CHECK bool phase_retrieve(struct build *build, struct err *err);
MUST_CHECK bool phase_assemble(struct build *build, struct err *err);
MUST_CHECK bool phase_runtime(struct build *build, struct err *err);
MUST_CHECK bool phase_commit(struct build *build, struct err *err);
MUST_CHECK bool phase_push(struct build *build, struct err *err);

/* Sets result->reason; always false. */
bool build_fail(struct build *build, enum s2i_reason reason);
/* After a script: what its result means; a script that could not be run is `otherwise`. Always false. */
bool build_script_failed(struct build *build, const struct script_run *run,
			 enum s2i_reason otherwise);

#endif
