/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h — runs one command in a container: overlayfs over unpacked layers, an OCI runtime,
 * limits, no privileges. Everything that is mounted lives in a private mount namespace and
 * everything that runs in a private pid namespace whose first process dies with us: however we are
 * killed, nothing is left but a temp folder and an empty cgroup, which the next run sweeps.
 *
 * As root the container's user ids are real. Otherwise (or is_rootless) a user namespace is made in
 * which one id is mapped: ours is the container's uid:gid, so that all files of the image, which we
 * own (unpack.h, layers-user), appear as that user's. Additional groups cannot be had there. Spec:
 * opencontainers/runtime-spec 1.0.2 config.md, config-linux.md; Linux overlayfs.rst.
 */
#ifndef BUILDEXEC_SANDBOX_SANDBOX_H
#define BUILDEXEC_SANDBOX_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

#include "model/base/vec.h"

enum sandbox_network {
	SANDBOX_OFFLINE, /* a network namespace with nothing but loopback */
	SANDBOX_HOST,    /* the host's network, with its resolv.conf and hosts */
	SANDBOX_NETWORKS
};

struct sandbox_bind {
	const char *from, *to; /* absolute; `to` is made where it is absent */
	bool is_writable;
};

/* Layers joined at one place. Changes go to <upper_dir>/fs, which stays; upper_dir NULL: they are
 * thrown away. */
struct sandbox_overlay {
	const char *to;        /* "/" for the root */
	struct strings lowers; /* folders, bottom first */
	const char *upper_dir;
};

struct sandbox_limits {
	int64_t memory_bytes; /* 0: none */
	int64_t cpu_millis;   /* 1000 is one core; 0: none */
	int64_t n_pids;       /* processes and threads; 0: none */
	int64_t wall_ms;      /* 0: none */
	bool may_be_missed; /* a limit that this machine cannot enforce is noted in the result, not
			       an error */
	unsigned may_miss;  /* the same for some of them: bits of SANDBOX_MEMORY … */
};

/* Output as it comes; called in the thread of sandbox_run. */
typedef void sandbox_output_fn(void *ctx, bool is_stderr, const char *bytes, size_t n);

struct sandbox_spec {
	const char *runtime;  /* NULL: "crun" */
	const char *work_dir; /* for the bundle and changes that are thrown away; NULL: the temp
				 folder */
	struct sandbox_overlay root;
	const struct sandbox_overlay *overlays; /* further ones, inside the root */
	size_t n_overlays;
	const struct sandbox_bind *binds; /* mounted after the overlays, in order */
	size_t n_binds;
	struct strings argv, env; /* env exactly as given */
	const char *cwd;          /* absolute */
	uint32_t uid, gid;
	const uint32_t *groups; /* additional ones */
	size_t n_groups;
	const char *hostname; /* NULL: "reconcile" */
	enum sandbox_network network;
	struct sandbox_limits limits;
	bool is_rootless;   /* even as root; for tests */
	int in_fd;          /* borrowed; 0: /dev/null */
	int out_fd, err_fd; /* borrowed; used where `output` is NULL; 0: /dev/null */
	sandbox_output_fn *output;
	void *output_ctx;
	bool (*is_cancelled)(void *ctx); /* asked several times a second; NULL: never */
	void *cancel_ctx;
};

enum { SANDBOX_MEMORY = 1, SANDBOX_CPU = 2, SANDBOX_PIDS = 4 };

struct sandbox_result {
	int exit_code; /* 128 + signal when killed by one, as the runtime reports it */
	bool is_timeout;
	bool is_cancelled;
	bool is_oom;     /* the kernel killed for want of memory, in this container */
	unsigned missed; /* limits (the bits above) that could not be enforced */
	int64_t wall_ms;
};

/* False when the command could not be run at all (ERR_ABSENT: no runtime, or no such program in the
 * image), or when somebody killed the runtime, or it failed on a
 * full disk (ERR_SYSTEM). */
MUST_CHECK bool sandbox_run(const struct sandbox_spec *spec, struct sandbox_result *out,
			    struct err *err);

/* Removes cgroups that killed runs left; sandbox_run does it too. */
void sandbox_sweep(void);

#endif
