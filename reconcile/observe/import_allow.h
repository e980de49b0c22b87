/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_allow.h — from which registries images may be imported (settings.streams.allowedRegistries).
 * Rules and texts: OpenShift's allowedRegistriesForImport (openshift.md §2.3): "*" and "?" in the host and the port, a port
 * that is not written is 443, or 80 where the rule or the import is insecure; Docker Hub's names are one.
 */
#ifndef RECONCILE_OBSERVE_IMPORT_ALLOW_H
#define RECONCILE_OBSERVE_IMPORT_ALLOW_H

#include "model/base/arena.h"
#include "model/kind/settings.h"

/* `registry` is host[:port], "docker.io" by default. ERR_DENIED: not allowed; ERR_INVALID: no host and port. */
MUST_CHECK bool import_is_allowed(const struct settings_streams *streams, const char *registry,
				  bool is_insecure, struct arena *arena, struct err *err);

#endif
