/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern.h — .s2iignore: which paths of a source are left out. Each line is a pattern for whole paths below the source's
 * root; '*' and '?' stop at '/', classes are negated by '^', a backslash takes the next character as it is; there is no
 * recursion. A line with '!' takes back what lines before it named, the last line that names a path wins. A folder that is
 * named goes with all that is in it, whatever is said of its parts. Blank lines, comments ('#'), malformed patterns and
 * those that lead out of the source say nothing. Pure.
 * Spec: source-to-image docs/user_guide "ignore files"; Go filepath.Match (openshift.md §4.1).
 */
#ifndef BUILDEXEC_S2I_PATTERN_H
#define BUILDEXEC_S2I_PATTERN_H

#include "model/base/vec.h"

struct pattern {
	const char *text; /* clean: no empty parts, no "." */
	bool is_taken_back;
};
struct patterns {
	VEC(struct pattern) list;
};

/* Lines of a file; texts live in the arena. */
void patterns_parse(const char *text, size_t len, struct arena *arena, struct patterns *out);
/* Is this path, relative and clean, itself named? */
bool patterns_name(const struct patterns *patterns, const char *path);
/* One pattern against one path. Steps are bounded by the product of their lengths. */
bool pattern_matches(const char *pattern, const char *path);

#endif
