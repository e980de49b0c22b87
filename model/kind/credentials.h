/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h — which secrets a service account brings to which server. Pure: takes the model, gives texts lent from it,
 * in the form that a worker is given (build_request.h).
 * Rules: kpack.md §4.4. Registry: dockerconfigjson, dockercfg, and basic-auth with `kpack.io/docker`. Git: basic-auth and
 * ssh-auth with `kpack.io/git`, matched by host and, when written, scheme; secrets in order of name, first match wins.
 */
#ifndef MODEL_KIND_CREDENTIALS_H
#define MODEL_KIND_CREDENTIALS_H

#include "model/kind/build_request.h"
#include "model/kind/secret.h"

#define ANNOTATION_DOCKER "kpack.io/docker"
#define ANNOTATION_GIT    "kpack.io/git"

struct credentials {
	struct list registry, git; /* struct request_credential */
};

/* `account` NULL means "default"; an account that is not declared brings nothing. */
void credentials_collect(const struct model *model, const char *ns, const char *account,
			 struct arena *arena, struct credentials *out);
/* Registry credentials of further secrets (struct named), in order behind those that are there. */
void credentials_add(const struct model *model, const char *ns, const struct list *secrets,
		     struct arena *arena, struct list *registry);
/*
 * Of a list of git credentials the first for a URL's scheme ("https", "http", "ssh") and host[:port]; NULL: anonymous.
 * A server without a scheme stands for http and https, and for ssh when the credential is a key.
 */
const struct request_credential *credential_for_git(const struct list *git, const char *scheme,
						    const char *host);

#endif
