/* SPDX-License-Identifier: Apache-2.0 */
/* git_lib.h — libgit2 started once, and its errors as ours. For the git_*.c files that use it. */
#ifndef BUILDEXEC_SYS_GIT_LIB_H
#define BUILDEXEC_SYS_GIT_LIB_H

#include "model/base/err.h"

void git_lib_start(void);
/* "cannot <intent>: <libgit2's reason>"; the kind follows from its code. Returns false. */
bool git_lib_fail(struct err *err, int code, const char *fmt, ...) PRINTF(3, 4);

/* A ref of the repository's folder, symbolic ones followed; absent is none. In git_refs.c. */
struct git_id;
MUST_CHECK bool git_ref_read_file(const char *dir, const char *name, struct git_id *out,
				  struct err *err);

#endif
