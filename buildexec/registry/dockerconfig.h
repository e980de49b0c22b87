/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dockerconfig.h — the files in which Docker and containers keep registry credentials, as values. Reads no file itself.
 * Spec: docker/cli config file "auths", "credHelpers", "credsStore"; containers-auth.json(5); kubernetes.io/dockercfg.
 */
#ifndef BUILDEXEC_REGISTRY_DOCKERCONFIG_H
#define BUILDEXEC_REGISTRY_DOCKERCONFIG_H

#include "buildexec/registry/keychain.h"
#include "model/base/vec.h"

struct login {
	/* "host[:port][/path…]" as auth_key makes it; "" of a credsStore: any registry. */
	const char *key;
	const char *server; /* as written: what a helper is asked for */
	const char *helper; /* docker-credential-<helper> knows; then `credential` is empty */
	struct credential credential;
};
struct logins {
	struct login *v;
	size_t n, cap;
};

/* config.json or auth.json, or the old .dockercfg. ERR_INVALID names what is wrong, never a value. */
MUST_CHECK bool dockerconfig_parse(const char *json, size_t n, struct arena *arena,
				   struct logins *out, struct err *err);
/* $CNB_REGISTRY_AUTH: registry → "Basic …", "Bearer …" or "X-Identity …". */
MUST_CHECK bool cnb_auth_parse(const char *json, size_t n, struct arena *arena, struct logins *out,
			       struct err *err);
/* What `docker-credential-x get` prints. */
MUST_CHECK bool helper_answer_parse(const char *json, size_t n, struct arena *arena,
				    struct credential *out, struct err *err);

/* One spelling per place: no scheme, no trailing slash, no "/v1" or "/v2", host in lower case, Docker Hub's names as one. */
char *auth_key(const char *server, struct arena *arena);
/* `key` of a login against "host/path": the same, or labels of the host by '*'. */
bool auth_key_matches(const char *key, const char *want);
bool credential_is_empty(const struct credential *credential);

#endif
