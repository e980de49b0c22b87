/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_hash.h — what a folder holds, as a digest: names, kinds, link targets, contents and the executable bit, in the manner
 * of git. Times, owners and the rest of the mode do not count, so that the same files have the same digest on every
 * machine. Entries named ".git" are left out.
 */
#ifndef BUILDEXEC_SOURCE_TREE_HASH_H
#define BUILDEXEC_SOURCE_TREE_HASH_H

#include "model/base/digest.h"

/* ERR_INVALID names an entry that is neither file, folder nor link; ERR_ABSENT when there is no such folder. */
MUST_CHECK bool tree_hash(const char *path, struct digest *out, struct err *err);

#endif
