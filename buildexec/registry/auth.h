/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.h — answers a registry's challenges: Basic, or a Bearer token fetched from the realm it names. Tokens are kept per
 * registry and scope. Private to the HTTP backend.
 * Spec: distribution "Token Authentication", "OAuth2 token".
 */
#ifndef BUILDEXEC_REGISTRY_AUTH_H
#define BUILDEXEC_REGISTRY_AUTH_H

#include "buildexec/registry/keychain.h"
#include "buildexec/registry/place.h"
#include "buildexec/sys/header.h"
#include "buildexec/sys/http.h"

struct token {
	const char *scope; /* all scopes asked for, joined by blanks */
	const char *text;
	int64_t until_ms; /* monotonic */
};

/* What is known of one registry. Zeroed: nothing yet. */
struct auth {
	struct arena *arena;              /* tokens and challenges live here */
	const struct keychain *keychain;  /* NULL: none */
	const char *host;                 /* of the registry */
	const struct registry_rule *rule; /* NULL: none */
	bool is_plain;                    /* the registry itself is spoken to without TLS */
	struct http *http;                /* to the registry: also for realms on its own host */
	struct http *realm_http;          /* to other hosts; opened when needed, owned */
	struct registry_refusal *refusal; /* where a token server's refusal is noted; borrowed */
	struct challenge asked;           /* what the registry asks for; scheme NULL until it did */
	VEC(struct token) tokens;
};

/* Who asks, and for what. */
struct auth_need {
	const char *repo;    /* for the credentials */
	const char *actions; /* "pull" or "pull,push" on `repo`; NULL: no scope */
	const char *from;    /* a repository to pull a blob from too, or NULL */
};

/* Puts credentials or a token into the request, as far as the registry has asked for them. Texts live in `arena`. */
MUST_CHECK bool auth_apply(struct auth *auth, const struct auth_need *need, struct arena *arena,
			   struct http_request *request, struct err *err);
/* After a 401: learns its challenges and drops the token that was used. False: asks for nothing that we can give. */
bool auth_learn(struct auth *auth, const struct auth_need *need, struct arena *arena,
		const struct http_response *response);
/* True when there are credentials for this repository. */
bool auth_has_credentials(const struct auth *auth, const char *repo, struct arena *arena);
void auth_release(struct auth *auth);

/* What a token server answered: a token that fits into a header, and for how many seconds it is good. Pure. */
MUST_CHECK bool token_answer_parse(const char *json, size_t n, struct arena *arena,
				   const char **text, int64_t *life_s, struct err *err);

#endif
