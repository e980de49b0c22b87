/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_cache.h — commits of application repositories without their history, in bare repositories below the cache folder, one
 * per repository identity. Several processes may use it at once.
 */
#ifndef BUILDEXEC_SOURCE_GIT_CACHE_H
#define BUILDEXEC_SOURCE_GIT_CACHE_H

#include "buildexec/sys/git_wire.h"

/*
 * The cache repository with the commit of `revision` in it; fetched at depth 1 when it is not there yet. A local
 * repository is opened as it is: nothing is copied. Close *out.
 */
MUST_CHECK bool git_cache_fetch(const char *cache_dir, struct git_wire *wire,
				const struct git_revision *revision, struct git_repo **out,
				struct err *err);

#endif
