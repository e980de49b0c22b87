/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h — which secrets a service account brings to which server. Pure: takes the model, gives texts lent from it.
 * Rules: kpack.md §4.4. Registry: dockerconfigjson, dockercfg, and basic-auth with `kpack.io/docker`. Git: basic-auth and
 * ssh-auth with `kpack.io/git`, matched by host and, when written, scheme; secrets in order of name, first match wins.
 */
#ifndef MODEL_KIND_CREDENTIALS_H
#define MODEL_KIND_CREDENTIALS_H

#include "model/kind/secret.h"

#define ANNOTATION_DOCKER "kpack.io/docker"
#define ANNOTATION_GIT    "kpack.io/git"

struct registry_login {
	const char *server; /* as annotated */
	const char *user, *password;
};
struct docker_config {
	const char *json;
	size_t len;
};
struct git_login {
	const char *scheme; /* "https", "http", "ssh"; NULL: http and https (basic) or ssh (key) */
	const char *host;   /* host[:port] */
	const char *user, *password;
	const char *ssh_key, *known_hosts; /* contents */
};
struct credentials {
	VEC(struct registry_login) logins;
	VEC(struct docker_config) configs;
	VEC(struct git_login) git;
};

/* `account` NULL means "default"; an account that is not declared brings nothing. */
void credentials_collect(const struct model *model, const char *ns, const char *account,
			 struct arena *arena, struct credentials *out);
/* For a URL's scheme ("https", "http", "ssh") and host[:port]; NULL: anonymous. */
const struct git_login *credentials_git(const struct credentials *credentials, const char *scheme,
					const char *host);

#endif
