/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ignore.h — lists of patterns in gitignore's syntax: does a path match? The last pattern that speaks wins; a pattern that
 * matches a folder speaks for all that is in it. Pure.
 * Spec: gitignore(5) "PATTERN FORMAT". Deviation: a path can be taken back with '!' even below an ignored folder, as the
 * readers of project.toml do it.
 */
#ifndef BUILDEXEC_SOURCE_IGNORE_H
#define BUILDEXEC_SOURCE_IGNORE_H

#include "model/base/vec.h"

/* `path` is relative, without "./"; lines that are blank or comments say nothing. */
bool ignore_matches(const struct strings *patterns, const char *path, bool is_dir);

#endif
