/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h — a step of the plan as the request that its worker is given: resolved inputs, settings, credentials.
 * What it needs from outside is in the spec; only links of paths are resolved.
 */
#ifndef RECONCILE_APPLY_REQUEST_H
#define RECONCILE_APPLY_REQUEST_H

#include "reconcile/plan/plan.h"

struct request_spec {
	const struct model *model;
	const char *base_dir;     /* absolute; relative paths of the settings are below it */
	const char *manifest_dir; /* absolute; where manifests from standard input stand   */
	const char *cache_dir, *temp_dir; /* absolute */
	const char *run_id;
	int64_t now_s;
	bool with_user_credentials;
	bool trusts_repositories; /* --trust-repositories */
};

/*
 * Texts are lent from the plan and the model, or live in the arena. NULL: the build cannot be asked for, by a mistake of its
 * own (a secret or variable that is not there); *refusal says so as a worker would.
 */
struct build_request *request_make(const struct step *step, const struct request_spec *spec,
				   struct arena *arena, const struct build_event **refusal);

#endif
