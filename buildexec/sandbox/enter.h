/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enter.h — starts the runtime as the first process of private namespaces (pid, mount, and without privileges user), after
 * mounting there what the container stands on. The process dies with the thread that started it, and with it
 * everything in the namespaces.
 */
#ifndef BUILDEXEC_SANDBOX_ENTER_H
#define BUILDEXEC_SANDBOX_ENTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "model/base/err.h"

/* One overlay. Names in `data` are relative to `dir`, short because a mount's data is one page. */
struct enter_overlay {
	const char *dir, *target;
	const char *data;         /* lowerdir=…,upperdir=u,workdir=w */
	const char *upper, *work; /* made first when they lie on scratch; NULL otherwise */
	mode_t mode;              /* of upper, which gives the joined folder its own */
	uid_t uid;
	gid_t gid;
};

struct enter_spec {
	const char *program;     /* absolute */
	const char *const *argv; /* of the runtime */
	const char *const *env;
	const char *bundle, *scratch; /* scratch: a folder that gets a tmpfs */
	const struct enter_overlay *overlays;
	size_t n_overlays;
	const char *no_devices; /* a folder below which device files are none; NULL */
	const char *
		hidden; /* a folder in whose place there is an empty one, where we may mount there; NULL */
	bool is_rootless;
	bool is_offline; /* with a network namespace, too, where nothing is but loopback, and that is down */
	int fds[3];
	/*
	 * Without privileges: maps the ids of the child's user namespace, false with errno. NULL: our own ids become root's,
	 * and there are no others.
	 */
	bool (*map)(void *ctx, pid_t pid);
	/* Called in the parent while the child waits: cgroups. */
	void (*prepare)(void *ctx, pid_t pid);
	void *ctx;
};

/* The child, running the runtime; errors of its preparations are ours. */
MUST_CHECK bool enter_start(const struct enter_spec *spec, pid_t *pid, struct err *err);

#endif
