/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_stage.h — phases of the builds of build configs, as workers tell of them and logs show them ("===> FETCH"), and the
 * stages and steps of status.stages that they are. Pure. Spec: openshift.md §3.1 "Stages".
 */
#ifndef MODEL_KIND_BUILD_STAGE_H
#define MODEL_KIND_BUILD_STAGE_H

#include "model/kind/build_config_status.h"

#define BC_FETCH      "FETCH"      /* FetchInputs / FetchGitSource */
#define BC_PULL_INPUT "PULL-INPUT" /* FetchInputs / PullInputImage */
#define BC_PULL       "PULL"       /* PullImages / PullBaseImage */
#define BC_BUILD                                                                                   \
	"BUILD" /* Build / DockerBuild; also of Custom builds and pipelines, without a step */
#define BC_POST_COMMIT "POST-COMMIT" /* PostCommit / RunPostCommitHook */
#define BC_PUSH        "PUSH"        /* PushImage / PushImage, PushDockerImage */
/* source-to-image has further ones, all part of Build: PREPARE, RETRIEVE, ASSEMBLE, RUNTIME, COMMIT. */

/*
 * struct build_stage of what a worker went through: struct step_state (name, ms), begun at started_s, in order; neighbours of
 * one stage are joined. Phases that are none are left out.
 */
struct list build_stages_of(const struct list *steps, int64_t started_s,
			    const struct build_strategy *strategy, struct arena *arena);

#endif
