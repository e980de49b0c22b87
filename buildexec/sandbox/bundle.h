/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h — the OCI runtime configuration of one container, as text.
 * No capabilities, no new privileges, system calls that make namespaces, mounts or kernel objects refused, kernel files
 * masked. Limits are not in it: cgroup.h sets them.
 * Spec: opencontainers/runtime-spec 1.0.2 config.md, config-linux.md.
 */
#ifndef BUILDEXEC_SANDBOX_BUNDLE_H
#define BUILDEXEC_SANDBOX_BUNDLE_H

#include "buildexec/sandbox/sandbox.h"
#include "model/base/buf.h"

/* Where the root is mounted, below the bundle's folder. */
#define BUNDLE_ROOT "rootfs"

/* `dir` is the bundle's folder: the root is mounted at <dir>/BUNDLE_ROOT, overlay i at <dir>/over-<i>. */
void bundle_print(const struct sandbox_spec *spec, const char *dir, bool is_rootless,
		  struct buf *out);

/*
 * The filter of system calls alone, a JSON object: of the runtime's configuration, and as a profile of Docker's kind for
 * engines that run their own containers. with_32_bit: programs of the 32-bit half of the machine may run, under the same rules.
 */
void bundle_print_seccomp(bool with_32_bit, struct buf *out);

#endif
