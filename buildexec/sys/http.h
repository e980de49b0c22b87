/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h — HTTP and HTTPS on libcurl, blocking; one `struct http` per thread keeps connections alive.
 * Retries connection errors, 408, 429 and 500, 502, 503, 504 with full jitter while the request is repeatable and the deadline
 * allows. Retry-After is honoured up to two minutes; who asks for more gets no retry. TLS is verified; credentials go to the scheme and host they were given for, and are dropped on a
 * redirect to another host; https never redirects to http. Proxy variables are honoured. libcurl is set up on first use.
 * Repeatable is every request whose body can be given again, POST too: set no_retry where twice is not the same as once.
 */
#ifndef BUILDEXEC_SYS_HTTP_H
#define BUILDEXEC_SYS_HTTP_H

#include <stdint.h>

#include "model/base/buf.h"
#include "model/base/vec.h"

struct http;

struct http_options {
	const char *ca_file;              /* further CA bundle (PEM), beside the system's; NULL */
	const char *cert_file, *key_file; /* client certificate */
	bool is_insecure; /* no certificate check: only where the settings say so for that host */
	/* A socket of this machine, spoken to instead of the host of any URL, and never by way of a proxy. NULL: none */
	const char *unix_socket;
	const char *user_agent; /* NULL: "reconcile/<version>" */
	/* URLs of proxies and a list of hosts without, each instead of its variable; NULL: as the environment says */
	const char *http_proxy, *https_proxy, *no_proxy;
	int64_t connect_timeout_ms; /* 0: 10 s  */
	int64_t stall_timeout_ms;   /* 0: 30 s without a byte */
	unsigned max_tries;         /* 0: 4     */
};

/* Body given piece by piece; return the bytes put (0 at the end), -1 to abort. rewind: start over; NULL = not repeatable. */
typedef int64_t http_read_fn(void *ctx, char *out, size_t cap);
typedef bool http_rewind_fn(void *ctx);
/* Body received; return false to abort (the reason in the ctx's own err). Called only for final 2xx answers. */
typedef bool http_write_fn(void *ctx, const char *bytes, size_t n);

/*
 * The head of a 2xx answer, before its first byte and again for every try (then whatever came before is void, unless
 * the answer says 206); return false to abort.
 */
struct http_response;
typedef bool http_start_fn(void *ctx, const struct http_response *head);

struct http_request {
	const char *method, *url;
	const struct strings *headers; /* "Name: value" */
	const char *user, *password;   /* Basic, for this URL's scheme and host only */
	const char *bearer;            /* token, likewise */
	const void *body;
	size_t body_len;
	/* Instead of body; body_len is then its length, SIZE_MAX = unknown (chunked). */
	http_read_fn *read;
	http_rewind_fn *rewind;
	void *read_ctx;
	http_write_fn *write; /* instead of collecting the body */
	http_start_fn *start; /* called with write_ctx; optional */
	void *write_ctx;
	/* A retry begins again at byte 0; NULL: no retry once bytes were given. */
	bool (*restart)(void *write_ctx);
	size_t max_body;          /* of a collected body; 0: LIMIT_HTTP_BODY */
	int64_t timeout_ms;       /* whole request with retries; 0: 300 s */
	int64_t stall_timeout_ms; /* 0: the client's; more where a server works long */
	bool no_redirects;        /* give 3xx back */
	bool no_retry;
	/* Asked once a second or more often; true ends the transfer with ERR_CANCELLED. NULL: never */
	bool (*is_cancelled)(void *ctx);
	void *cancel_ctx;
	/* Not on a kept connection: where that turns out to be dead, libcurl sends again, though the server may have acted. */
	bool is_only_once;
};

struct http_response {
	int status;             /* of the last answer */
	struct strings headers; /* of the last answer, as received, without line ends */
	const char *body;       /* collected (also of errors, up to 64 KiB), NUL-terminated */
	size_t body_len;
	const char *final_url;
	bool is_redirected;
	int64_t retry_after_s; /* of a final 429 or 503, else 0 */
};

MUST_CHECK bool http_open(const struct http_options *options, struct http **out, struct err *err);
void http_close(struct http **http);
/*
 * True for every HTTP answer, whatever its status. False: no answer (ERR_TRANSIENT, ERR_DENIED for TLS trust, ERR_INVALID
 * for a bad URL or an answer over a limit).
 */
MUST_CHECK bool http_send(struct http *http, const struct http_request *request,
			  struct arena *arena, struct http_response *out, struct err *err);
/* First header of that name (case ignored), value trimmed; NULL when absent. */
const char *http_header(const struct http_response *response, const char *name);
/* The i-th of that name, from 0; NULL behind the last. */
const char *http_header_at(const struct http_response *response, const char *name, size_t i);

#endif
