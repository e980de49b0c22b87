/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreign.h — files that containers left behind, read from outside. Whoever wrote them may have put links, pipes or
 * anything else in their places to make us read or wait: only plain files and real folders count. Plain files are read by fs_read_plain.
 */
#ifndef BUILDEXEC_CNB_FOREIGN_H
#define BUILDEXEC_CNB_FOREIGN_H

#include "model/base/arena.h"
#include "model/doc/node.h"

/* A TOML file; absent: true and *out NULL. */
MUST_CHECK bool foreign_toml(const char *path, struct arena *arena, struct node **out,
			     struct err *err);
/* A real folder at `path`? Its parent is taken as given. */
bool foreign_is_dir(const char *path);
bool foreign_is_file(const char *path);
/* True when `path` below `root` and every folder between are real folders. */
bool foreign_is_dir_below(const char *root, const char *path, struct arena *arena);

#endif
