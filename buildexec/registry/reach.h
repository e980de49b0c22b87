/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach.h — where the settings lead a reference, for those who hand it to a program that does not know the settings.
 * Decides only; opens nothing.
 */
#ifndef BUILDEXEC_REGISTRY_REACH_H
#define BUILDEXEC_REGISTRY_REACH_H

#include "buildexec/registry/registry.h"

struct reach {
	const char *folder; /* of this machine; NULL: a server */
	const char *host;   /* of the server, when it is another than the reference says; NULL */
};
/* ERR_DENIED: blocked. ERR_INVALID: the rule makes no valid name. */
MUST_CHECK bool reach_find(const struct registry_rules *rules, const struct ref *ref,
			   struct arena *arena, struct reach *out, struct err *err);

#endif
