/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h — who may be asked and with which credentials: settings and secrets in the form of a build request, turned into
 * open registries and git wires. Observing and building use the same.
 */
#ifndef BUILDEXEC_SOURCE_ACCESS_H
#define BUILDEXEC_SOURCE_ACCESS_H

#include "buildexec/registry/keychain.h"
#include "buildexec/registry/registry.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/git_wire.h"
#include "buildexec/sys/http.h"
#include "model/kind/build_request.h"

/* All borrowed. */
struct access {
	/* struct settings_registry; relative paths are below base_dir */
	const struct list *registries;
	const struct list *credentials;     /* struct request_credential, registry */
	const struct list *git_hosts;       /* struct settings_git */
	const struct list *git_credentials; /* struct request_credential, git */
	/* struct request_credential, blob; NULL: none */
	const struct list *blob_credentials;
	const char *base_dir; /* absolute */
	/* For git over http(s), as in http.h; NULL: as the environment says. */
	const char *http_proxy, *https_proxy, *no_proxy;
	bool with_user_credentials, with_helpers;
};

/* Rules and credentials, made once; registries are opened from it, one per thread. Secrets are given to the redactor. */
struct registry_access {
	struct registry_rules rules;
	struct keychain *keychain;
};
MUST_CHECK bool access_registries(const struct access *access, struct arena *arena,
				  struct registry_access *out, struct err *err);
void registry_access_release(struct registry_access *access);

/*
 * Our environment as far as the user's own logins are found by it, of registries and of ssh: NAME=value. A worker is told of it
 * in its request; in its environment other processes could read it.
 */
struct strings access_environment(struct arena *arena);

/* What belongs to one URL's scheme and host. Lives in the arena and in `keys`, as below. */
MUST_CHECK bool access_git_options(const struct access *access, const char *url,
				   struct tmpdir *keys, struct arena *arena,
				   struct git_wire_options *out, struct err *err);
/* The server of a git URL, "ssh://git.local:2222", as credentials name it; NULL: it leads to none. */
const char *access_git_server(const char *url, struct arena *arena);
/* A wire for one URL. Keys are written to files in `keys` (made on demand), which must outlive the wire. */
MUST_CHECK bool access_git(const struct access *access, const char *url, struct tmpdir *keys,
			   struct arena *arena, struct git_wire **out, struct err *err);

/* How a blob's URL is asked: trust from the settings' rule for its host, credentials only with auth "secret". */
struct blob_request {
	const char *url;
	struct http_options http;
	const char *user, *password, *bearer, *authorization;
};
/* ERR_DENIED when no secret is meant for its scheme and host; ERR_INVALID for auth "helper". */
MUST_CHECK bool access_blob(const struct access *access, const char *url, const char *auth,
			    struct arena *arena, struct blob_request *out, struct err *err);

#endif
