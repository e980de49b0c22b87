/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kp_config.h — kp's own configuration: the ConfigMap kp-config of namespace kpack, among the manifests (kpack.md §5.7).
 * The keys of 2020 (canonical.repository…) are read where the newer ones are absent.
 */
#ifndef RECONCILE_KP_CONFIG_H
#define RECONCILE_KP_CONFIG_H

#include "reconcile/manifest.h"

#define KP_REPOSITORY "default.repository"
#define KP_ACCOUNT    "default.repository.serviceaccount"
#define KP_ACCOUNT_NS "default.repository.serviceaccount.namespace"

struct kp_config {
	struct declared manifest;
	bool is_there;
	const char *repository;           /* NULL: none */
	const char *account, *account_ns; /* "default" of "kpack" when nothing else is said */
};
MUST_CHECK bool kp_config_read(struct manifests *all, struct kp_config *out, struct err *err);
/* One of the keys above; the ConfigMap is created when it is not there. */
MUST_CHECK bool kp_config_set(struct manifests *all, struct kp_config *config, const char *key,
			      const char *value, struct err *err);
/* A repository to push to: without tag and digest. ERR_INVALID. */
MUST_CHECK bool kp_repository_check(const char *text, struct arena *arena, struct err *err);

#endif
