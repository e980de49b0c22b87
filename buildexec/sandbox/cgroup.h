/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h — one cgroup for one container, made and removed by us and not by the runtime, so that its counters can be read
 * after the end. Works on version 2 and on version 1 hierarchies; what this machine does not let us limit is reported.
 * Spec: Linux cgroup-v2.rst, cgroup-v1/memory.rst.
 */
#ifndef BUILDEXEC_SANDBOX_CGROUP_H
#define BUILDEXEC_SANDBOX_CGROUP_H

#include <limits.h>

#include "buildexec/sandbox/sandbox.h"

enum { CGROUP_DIRS = 4 };

struct cgroup {
	char dirs[CGROUP_DIRS][PATH_MAX]; /* "" when unused */
	unsigned missed; /* SANDBOX_… bits that were asked for and cannot be had */
};

/*
 * Makes it with the limits. Limits that cannot be set are in `missed`. As root, who alone can make devices, those that may be
 * opened are limited too, where that can be had (devices.h); a runtime or engine outside of such a group sees them all.
 */
void cgroup_make(struct cgroup *cgroup, const struct sandbox_limits *limits);
/* Moves a process in; what fails is added to `missed`. */
void cgroup_add(struct cgroup *cgroup, pid_t pid);
/* Processes killed for want of memory. */
bool cgroup_had_oom(const struct cgroup *cgroup);
/* Once it is empty. */
void cgroup_remove(struct cgroup *cgroup);
/* Those of dead owners. */
void cgroup_sweep(void);

#endif
