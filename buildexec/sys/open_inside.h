/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_inside.h — opens what lies below a folder although names and links in there are foreign: openat2, or, where the kernel
 * or a filter of system calls has none, a walk that resolves link by link. The walk holds against what is in the folder, not
 * against somebody who changes it meanwhile. Spec: openat2(2).
 */
#ifndef BUILDEXEC_SYS_OPEN_INSIDE_H
#define BUILDEXEC_SYS_OPEN_INSIDE_H

#include <stdint.h>

enum inside {
	INSIDE_ROOT,     /* the folder is "/": links and ".." lead nowhere else */
	INSIDE_BENEATH,  /* what would lead out is EXDEV */
	INSIDE_NO_LINKS, /* the same, and any link on the way is ELOOP */
	INSIDES
};
/* As openat, close-on-exec; "" is the folder itself. -1 with errno. */
int open_inside(int root_fd, const char *path, uint64_t flags, enum inside inside);
/* The walk alone. */
int open_inside_walk(int root_fd, const char *path, uint64_t flags, enum inside inside);

#endif
