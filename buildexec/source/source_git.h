/* SPDX-License-Identifier: Apache-2.0 */
/* source_git.h — a git commit as a folder: for source.c. */
#ifndef BUILDEXEC_SOURCE_SOURCE_GIT_H
#define BUILDEXEC_SOURCE_SOURCE_GIT_H

#include "buildexec/source/source.h"

MUST_CHECK bool source_git_export(const struct source_spec *spec, struct arena *arena,
				  struct err *err);

#endif
