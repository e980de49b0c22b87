/* SPDX-License-Identifier: Apache-2.0 */
/* tree_copy.h — a copy of a folder as git would check it out: modes 0755 and 0644, no entries named ".git". */
#ifndef BUILDEXEC_SOURCE_TREE_COPY_H
#define BUILDEXEC_SOURCE_TREE_COPY_H

#include "model/base/err.h"

/* Everything below `from` into the existing, empty folder `to`. */
MUST_CHECK bool tree_copy(const char *from, const char *to, struct err *err);

#endif
