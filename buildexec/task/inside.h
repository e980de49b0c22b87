/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h — folders and files made in a tree that somebody else filled: links in it are followed as long as they stay in
 * it, and never out of it. Nobody else may change the tree meanwhile. Paths are clean and relative (source_sub_path).
 */
#ifndef BUILDEXEC_TASK_INSIDE_H
#define BUILDEXEC_TASK_INSIDE_H

#include <sys/types.h>

#include "model/base/vec.h"

/* What `path` leads to, "" being the root; *out is its real path, NULL when nothing is there. ERR_INVALID: it leads out. */
MUST_CHECK bool inside_find(const char *root, const char *path, struct arena *arena,
			    const char **out, struct err *err);
/* The folder `path`, made with all above it where it is not there. ERR_INVALID: something else is, or it leads out. */
MUST_CHECK bool inside_make(const char *root, const char *path, struct arena *arena,
			    const char **out, struct err *err);

struct inside_file {
	const char *name; /* without '/' */
	const char *bytes;
	size_t n;
	mode_t mode;
};
/* A file in a folder that the above gave, in the place of a file or link of its name. */
MUST_CHECK bool inside_put(const char *dir, const struct inside_file *file, struct arena *arena,
			   struct err *err);

#endif
