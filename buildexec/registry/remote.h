/* SPDX-License-Identifier: Apache-2.0 */
/* remote.h — one call to a registry over HTTP, with its authentication; shared by remote.c and upload.c. */
#ifndef BUILDEXEC_REGISTRY_REMOTE_H
#define BUILDEXEC_REGISTRY_REMOTE_H

#include "buildexec/registry/auth.h"
#include "buildexec/registry/backend.h"

/* Blobs may take long; that bytes keep coming is the stall timeout's matter. */
enum { BLOB_TIMEOUT_MS = 4 * 3600 * 1000 };

struct endpoint {
	const char *host;
	const struct registry_rule *rule;
	bool is_insecure, is_anonymous;
	bool cannot_mount; /* it was asked to, and did not */
	const char *base;  /* "https://host" once it is known that it answers there */
	struct http *http;
	struct auth auth;
	enum registry_protocol probed;
};

struct remote_call {
	struct registry *registry;
	const struct place *place;
	const char *actions; /* "pull" or "pull,push" */
	const char *from;    /* second repository, for mounts */
	struct arena *arena;
};

/* "https" or "http", of the program's own life. */
typedef bool remote_scheme_fn(struct endpoint *endpoint, struct arena *arena, const char **out,
			      struct err *err);
/* shared.c: what was found, or what `find` finds. `shared` NULL: each for itself. */
MUST_CHECK bool remote_scheme(struct registry_shared *shared, struct endpoint *endpoint,
			      remote_scheme_fn *find, struct arena *arena, const char **out,
			      struct err *err);
/* The endpoint of a place, connected to on first use. */
MUST_CHECK bool remote_endpoint(struct registry *registry, const struct place *place,
				struct arena *arena, struct endpoint **out, struct err *err);
/* base/v2/repo/<rest> */
char *remote_url(const struct endpoint *endpoint, const struct place *place, struct arena *arena,
		 const char *fmt, ...) PRINTF(4, 5);
/*
 * Sends with credentials; the registry's own 401 is answered, a second time when a token ended meanwhile or another scheme is
 * asked for. request->url may be on another host (uploads, pages): then it goes
 * without credentials.
 */
MUST_CHECK bool remote_send(const struct remote_call *call, struct http_request *request,
			    struct http_response *out, struct err *err);
/* remote_fail with the place, and for 401 and 403 whether there were credentials. */
bool remote_call_fail(const struct remote_call *call, const struct http_response *response,
		      const char *what, struct err *err);

/* upload.c */
MUST_CHECK bool remote_put_blob(struct registry *registry, const struct place *place,
				const struct descriptor *desc, const struct blob_source *source,
				struct err *err);
MUST_CHECK bool remote_mount_blob(struct registry *registry, const struct place *from,
				  const struct place *to, const struct descriptor *desc, bool *done,
				  struct err *err);
MUST_CHECK bool remote_check_write(struct registry *registry, const struct place *place,
				   struct err *err);
MUST_CHECK bool remote_has_blob(struct registry *registry, const struct place *place,
				const char *digest, bool *out, struct err *err);

#endif
