/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keychain.h — registry credentials from all of Docker's and containers' places.
 * Order: entries added by hand (Secrets), $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json,
 * ~/.config/containers/auth.json, $DOCKER_CONFIG/config.json or ~/.docker/config.json (credHelpers, credsStore, auths),
 * ~/.dockercfg, $DOCKER_AUTH_CONFIG, $CNB_REGISTRY_AUTH (JSON: registry → "Basic …" / "Bearer …").
 * Helpers run lazily and only when allowed.
 */
#ifndef BUILDEXEC_REGISTRY_KEYCHAIN_H
#define BUILDEXEC_REGISTRY_KEYCHAIN_H

#include "model/base/arena.h"

/* The variables of these places, and those that helpers look at, but for what every child of ours is given; NULL ends them. */
extern const char *const keychain_variables[];

struct keychain;
struct credential {
	const char *user, *password; /* or */
	const char *identity_token;  /* oauth refresh token, or */
	const char *registry_token;  /* bearer as is */
};
struct keychain_options {
	bool with_files;   /* the user's files and environment */
	bool with_helpers; /* docker-credential-* may be run   */
};
MUST_CHECK bool keychain_open(const struct keychain_options *options, struct keychain **out,
			      struct err *err);
void keychain_close(struct keychain **keychain);
/* From a Secret; the first added wins per key. `server` may be a URL, "host", "host/path"; docker hub's spellings are one. */
void keychain_add(struct keychain *keychain, const char *server, const char *user,
		  const char *password);
/* The content of a docker config.json or (legacy) .dockercfg. */
MUST_CHECK bool keychain_add_config(struct keychain *keychain, const char *json, size_t n,
				    struct err *err);
/* Most specific match for registry/repo; false when there is none. Thread-safe. Texts live in the arena. */
bool keychain_find(const struct keychain *keychain, const char *registry, const char *repo,
		   struct arena *arena, struct credential *out);

#endif
