/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slices.h — cuts an application into layers: the paths that each slice's globs match, and what is left.
 * Pure: works on the listing of a walk. The globs are those of Go's filepath.Match: '*' and '?' do not cross '/', "**" is '*',
 * '[…]' is a class, '\' takes the next character as it is.
 * Spec: buildpacks/spec buildpack.md "slices"; the rules in full: cnb.md §1.6.
 */
#ifndef BUILDEXEC_CNB_SLICES_H
#define BUILDEXEC_CNB_SLICES_H

#include <stdint.h>

#include "model/base/vec.h"

#define SLICE_NO_PARENT SIZE_MAX

struct slice_entry {
	const char *path; /* relative to the application; the root itself is "" */
	size_t parent;    /* index of its folder; SLICE_NO_PARENT for the root  */
};

struct slice_layer {
	size_t *v; /* indices of entries, in order of the bytes of their paths; none: an empty layer */
	size_t n, cap;
};

/*
 * `entries` lists the whole application, the root first, each folder before what is in it. Returns n_slices + 1 layers, the
 * last one with what no slice took. ERR_INVALID names a malformed glob.
 */
MUST_CHECK bool slices_cut(const struct slice_entry *entries, size_t n,
			   const struct strings *slices, size_t n_slices, struct arena *arena,
			   struct slice_layer **out, struct err *err);

/* 1 it matches, 0 it does not, -1 the pattern is malformed. */
int slice_glob(const char *pattern, const char *path);
/* "./a//b/../c/" → "a/c", as Go's filepath.Clean. */
char *slice_clean(const char *pattern, struct arena *arena);

#endif
