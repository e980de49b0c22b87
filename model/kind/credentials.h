/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h — which secrets a service account brings to which server. Pure: takes the model, gives texts lent from it,
 * in the form that a worker is given (build_request.h).
 * Rules: kpack.md §4.4. Registry: dockerconfigjson, dockercfg, and basic-auth with `kpack.io/docker`. Git: basic-auth and
 * ssh-auth with `kpack.io/git`, matched by host and, when written, scheme; secrets in order of name, first match wins.
 * Blob: `kpack.io/blob` with username and password, bearer, or authorization; exactly one of them.
 */
#ifndef MODEL_KIND_CREDENTIALS_H
#define MODEL_KIND_CREDENTIALS_H

#include "model/kind/build_request.h"
#include "model/kind/secret.h"

#define ANNOTATION_DOCKER  "kpack.io/docker"
#define ANNOTATION_GIT     "kpack.io/git"
#define ANNOTATION_BLOB    "kpack.io/blob"
#define ANNOTATION_NO_PULL "openshift.io/image.excludeSecret"

struct credentials {
	struct list registry, git, blob; /* struct request_credential */
};

/*
 * Is `server` ("[scheme://][user@]host[:port][/path]"; NULL: none is named) one of those, which are written the same way? Host
 * and port must be equal, and the scheme where the one allowed has one. "*" stands for all.
 */
bool server_is_among(const char *server, const struct strings *allowed);

/*
 * A Secret with a value that may not be sent to the server in question (secret_value.servers) brings nothing for it. The
 * servers of a docker config stand in the value itself.
 *
 * `account` NULL means "default"; an account that is not declared brings nothing.
 */
void credentials_collect(const struct model *model, const char *ns, const char *account,
			 struct arena *arena, struct credentials *out);
/*
 * As above, and what further secrets of the namespace bring to registries: a source image's imagePullSecrets. `extra` names
 * them (struct named).
 */
void credentials_collect_with(const struct model *model, const struct object_ref *account,
			      const struct list *extra, struct arena *arena,
			      struct credentials *out);
/*
 * What a build of a build config may use: first what it names itself, then what its account brings. Names that are not
 * declared bring nothing. The source secret needs no annotation: its key, or its user and password or token, are a login for
 * the server that the source comes from, whatever its type (openshift.md §3.1 sourceSecret).
 */
struct build_secrets {
	const struct object_ref *account;
	const struct list *registry; /* struct named: to push and to pull with */
	/* Its name, and "https://git.local:8443" for a secret that names no server by annotation; NULL: none. */
	const char *source, *source_server;
};
void credentials_collect_build(const struct model *model, const struct build_secrets *secrets,
			       struct arena *arena, struct credentials *out);
/*
 * What imports and copies for image streams of a namespace may use: all secrets of it, in order of name, but those annotated
 * `openshift.io/image.excludeSecret: "true"` (openshift.md §2.1). Elements are struct named.
 */
struct list credentials_of_namespace(const struct model *model, const char *ns,
				     struct arena *arena);
/*
 * Of a list of git or blob credentials the first for a URL's scheme ("https", "http", "ssh") and host[:port]; NULL: anonymous.
 * A server without a scheme stands for http and https, and for ssh when the credential is a key.
 */
const struct request_credential *credential_for_git(const struct list *git, const char *scheme,
						    const char *host);

#endif
