/* SPDX-License-Identifier: Apache-2.0 */
/* git_lib.h — libgit2 started once, and its errors as ours. For the git_*.c files that use it. */
#ifndef BUILDEXEC_SYS_GIT_LIB_H
#define BUILDEXEC_SYS_GIT_LIB_H

#include "model/base/err.h"

void git_lib_start(void);
/* "cannot <intent>: <libgit2's reason>"; the kind follows from its code. Returns false. */
bool git_lib_fail(struct err *err, int code, const char *fmt, ...) PRINTF(3, 4);

struct git_repo;
struct git_repository;
/* libgit2's own handle inside ours; lent. */
struct git_repository *git_repo_handle(struct git_repo *repo);

#endif
