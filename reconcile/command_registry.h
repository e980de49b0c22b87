/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command_registry.h — registries as a command outside of the main job asks them: by the rules of the settings, with what the
 * service account of an object brings and the user's own Docker and containers files.
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
/* The manifests must be loaded. `account` NULL: "default". Release in any case. */
MUST_CHECK bool command_registry_open(struct context *context, const char *ns, const char *account,
				      struct command_registry *out, struct err *err);
void command_registry_release(struct command_registry *registry);

#endif
