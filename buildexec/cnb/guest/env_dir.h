/* SPDX-License-Identifier: Apache-2.0 */
/* env_dir.h — the folders that change variables, read and applied by the rules of env.h. */
#ifndef BUILDEXEC_CNB_GUEST_ENV_DIR_H
#define BUILDEXEC_CNB_GUEST_ENV_DIR_H

#include "buildexec/cnb/env.h"

/* The files of `folder` in name order. No such folder changes nothing. */
MUST_CHECK bool env_dir_apply(struct env *env, const char *folder, enum env_default when_plain,
			      struct err *err);
/* <platform>/env. */
MUST_CHECK bool env_dir_apply_user(struct env *env, const char *folder, struct err *err);
/* bin, lib, … of a layer, as the table `roots` says. */
MUST_CHECK bool env_dir_apply_roots(struct env *env, const char *layer,
				    const struct env_root *roots, struct err *err);

#endif
