/* SPDX-License-Identifier: Apache-2.0 */
/* build_command.h — what the commands about builds share: those under `build`, and oc's `get` and `describe`. */
#ifndef RECONCILE_BUILD_COMMAND_H
#define RECONCILE_BUILD_COMMAND_H

#include "reconcile/build_look.h"

/* Reads the state and finds what a word names. EXIT_DONE, or the code of what was said. */
int build_choose(struct context *context, const char *word, struct build_ref *out);
/* `build describe`; `build status` is the same. */
int build_show(struct context *context, const char *word);
/* "SUCCESS", "FAILURE", …: kp's word for how a build of an Image ended. */
const char *build_result_word(const char *result);

/* `get builds`: of build configs, in oc's columns; `word` (build/NAME) NULL: all. */
int build_list_configs(struct context *context, const char *word);

/* `buildconfig list` and `describe`; name NULL: all. */
int build_config_list(struct context *context, const char *name);
int build_config_show(struct context *context, const char *name);

#endif
