/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lfs.h — files that only point at their content in a Git LFS store. They are found, not resolved: a build that reads one as
 * content fails in strange ways otherwise. Spec: git-lfs docs/spec.md "The Pointer".
 */
#ifndef BUILDEXEC_SOURCE_LFS_H
#define BUILDEXEC_SOURCE_LFS_H

#include <stdint.h>

#include "model/base/vec.h"

/* Paths below `root`, in order. */
MUST_CHECK bool lfs_find(const char *root, struct arena *arena, struct strings *out,
			 struct err *err);

#endif
