/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command_registry.h — registries as a command outside of the main job asks them: by the rules of the settings, with kp's
 * variables (KP_REGISTRY_HOSTNAME, _USERNAME and _PASSWORD, and the same with _0, _1 … behind them, kpack.md §5.7), what the
 * service account of an object brings, and the user's own Docker and containers files.
 */
#ifndef RECONCILE_COMMAND_REGISTRY_H
#define RECONCILE_COMMAND_REGISTRY_H

#include "buildexec/source/access.h"
#include "model/kind/credentials.h"
#include "reconcile/context.h"

struct command_registry {
	struct credentials credentials;
	struct access access;
	struct registry_access registries;
	struct registry *registry; /* of the calling thread */
};
/* Loads the manifests; ERR_INVALID when they have mistakes (said). `ns` NULL: no service account's; `account` NULL: "default". Release in any case. */
MUST_CHECK bool command_registry_open(struct context *context, const char *ns, const char *account,
				      struct command_registry *out, struct err *err);
void command_registry_release(struct command_registry *registry);

#endif
