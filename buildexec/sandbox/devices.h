/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices.h — what the processes of a cgroup may open of device files: null, zero, full, random, urandom and terminals. Files
 * of other devices can be made and are there, as images have them, but are of no use.
 * Spec: Linux cgroup-v2.rst "Device controller", cgroup-v1/devices.rst.
 */
#ifndef BUILDEXEC_SANDBOX_DEVICES_H
#define BUILDEXEC_SANDBOX_DEVICES_H

#include <stdbool.h>

/* For the new group `dir`. False where this machine or user does not let us. */
bool devices_limit(const char *dir, bool is_v2);

#endif
