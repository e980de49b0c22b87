/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h — one request and one answer on libcurl: no retry, no redirect, no decision. Private to http.c.
 */
#ifndef BUILDEXEC_SYS_EXCHANGE_H
#define BUILDEXEC_SYS_EXCHANGE_H

#include <curl/curl.h>

#include "buildexec/sys/http.h"
#include "buildexec/sys/url.h"

struct http {
	CURL *curl; /* keeps its connections when reset */
	struct arena *arena;
	struct http_options options; /* texts in the arena, defaults filled in */
	struct buf ca_pem;           /* further trusted certificates; empty: libcurl's own places */
	const char *ca_dir;          /* NULL: libcurl's own */
	char error[CURL_ERROR_SIZE];
};

struct exchange {
	const struct http_request *request;
	const struct url *url;
	const char *method;
	bool with_body, with_credentials;
	bool is_redirected; /* another URL led here */
	int64_t timeout_ms;
	struct arena *arena; /* of the answer */
	/* Results. */
	struct http_response response;
	bool is_given;     /* bytes went to request->write */
	bool is_retryable; /* after a failure */
	/* While it runs. */
	struct buf body;
	size_t header_bytes;
	bool has_head;  /* its blank line was seen */
	bool is_cut;    /* enough of an error's body was seen */
	struct err own; /* why we stopped it ourselves */
};

/* True for any answer. The body is moved to the response. */
MUST_CHECK bool exchange_run(struct http *http, struct exchange *exchange, struct err *err);
bool http_is_redirect(int status);

#endif
