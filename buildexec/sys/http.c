/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c — what to do with answers: follow redirects without taking credentials along, wait and try
 * again, give up in time. The exchange itself is exchange.c's.
 */
#include "buildexec/sys/http.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/exchange.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/header.h"
#include "buildexec/sys/proc.h"
#include "model/base/limits.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	STALL_TIMEOUT_MS = 30000,
	REQUEST_TIMEOUT_MS = 300000,
	MAX_TRIES = 4,
	BACKOFF_BASE_MS = 250,
	BACKOFF_CAP_MS = 8000,
	RETRY_AFTER_MAX_MS = 120000, /* asked to stay away for longer, nobody waits */
	CA_BYTES = 8 << 20,          /* Debian's bundle has 220 KiB */
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_code;

static void global_init(void)
{
	global_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool add_ca_file(struct http *http, const char *path, struct err *err)
{
	char *pem;
	size_t n;

	if (!fs_read(AT_FDCWD, path, CA_BYTES, http->arena, &pem, &n, err))
		return err_prefix(err, "cannot read CA certificates");
	if (!pem || !strstr(pem, "-----BEGIN"))
		return err_set(err, ERR_INVALID, "cannot read CA certificates: '%s' %s", path,
			       pem ? "has no PEM certificate" : "does not exist");
	buf_add(&http->ca_pem, pem, n);
	buf_byte(&http->ca_pem, '\n');
	return true;
}

/* The system's trust is libcurl's CApath; SSL_CERT_FILE and SSL_CERT_DIR move it as they do for
 * OpenSSL's own programs. */
static bool load_trust(struct http *http, struct err *err)
{
	const char *system_file = proc_getenv("SSL_CERT_FILE");

	http->ca_dir = arena_strdup(http->arena, proc_getenv("SSL_CERT_DIR"));
	http->ca_pem = BUF_INIT(2 * CA_BYTES);
	if (system_file && *system_file && !add_ca_file(http, system_file, err))
		return false;
	return !http->options.ca_file || add_ca_file(http, http->options.ca_file, err);
}

bool http_open(const struct http_options *options, struct http **out, struct err *err)
{
	struct arena *arena;
	struct http *http;

	*out = NULL;
	pthread_once(&global_once, global_init);
	if (global_code != CURLE_OK)
		return err_set(err, ERR_SYSTEM, "cannot set up libcurl: %s",
			       curl_easy_strerror(global_code));
	arena = arena_new();
	http = ARENA_NEW(arena, struct http);
	http->arena = arena;
	http->options = *options;
	http->options.ca_file = arena_strdup(arena, options->ca_file);
	http->options.cert_file = arena_strdup(arena, options->cert_file);
	http->options.key_file = arena_strdup(arena, options->key_file);
	http->options.unix_socket = arena_strdup(arena, options->unix_socket);
	http->options.http_proxy = arena_strdup(arena, options->http_proxy);
	http->options.https_proxy = arena_strdup(arena, options->https_proxy);
	http->options.no_proxy = arena_strdup(arena, options->no_proxy);
	http->options.user_agent = arena_strdup(
		arena, options->user_agent ? options->user_agent : "reconcile/" RECONCILE_VERSION);
	if (!options->connect_timeout_ms)
		http->options.connect_timeout_ms = CONNECT_TIMEOUT_MS;
	if (!options->stall_timeout_ms)
		http->options.stall_timeout_ms = STALL_TIMEOUT_MS;
	if (!options->max_tries)
		http->options.max_tries = MAX_TRIES;
	http->curl = curl_easy_init();
	if (!http->curl || !load_trust(http, err)) {
		bool has_curl = http->curl;

		http_close(&http);
		return has_curl ? false : err_set(err, ERR_SYSTEM, "cannot set up libcurl");
	}
	*out = http;
	return true;
}

void http_close(struct http **http)
{
	if (!*http)
		return;
	curl_easy_cleanup((*http)->curl);
	buf_release(&(*http)->ca_pem);
	arena_free((*http)->arena);
	*http = NULL;
}

const char *http_header_at(const struct http_response *response, const char *name, size_t i)
{
	size_t n = strlen(name);

	for (size_t k = 0; k < response->headers.n; k++) {
		const char *line = response->headers.v[k];

		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		if (i-- == 0)
			return line + n + 1 + strspn(line + n + 1, " \t");
	}
	return NULL;
}

const char *http_header(const struct http_response *response, const char *name)
{
	return http_header_at(response, name, 0);
}

/* One request of a caller, over all redirects and tries. */
struct send {
	struct http *http;
	const struct http_request *request;
	struct arena *arena;
	int64_t deadline_ms;
	struct exchange exchange; /* the last one */
};

/*
 * RFC 9110 §15.4: 303 asks for a GET; 301 and 302 after POST are treated so by every client; 307
 * and 308 repeat the request as it was, body and all.
 */
static void redirect_method(struct exchange *exchange, int status)
{
	bool is_post = strcmp(exchange->method, "POST") == 0;

	if ((status == 303 && strcmp(exchange->method, "HEAD") != 0) ||
	    ((status == 301 || status == 302) && is_post)) {
		exchange->method = "GET";
		exchange->with_body = false;
	}
}

static bool redirect_to(struct send *send, struct url *next, struct err *err)
{
	struct exchange *exchange = &send->exchange;
	const struct http_request *request = send->request;
	const char *location = http_header(&exchange->response, "Location");

	if (!url_resolve(exchange->url, location, send->arena, next, err))
		return err_prefix(err, "cannot follow the redirect of '%s'",
				  url_shown(exchange->url, send->arena));
	if (exchange->url->is_https && !next->is_https)
		return err_set(err, ERR_INVALID,
			       "cannot follow the redirect of '%s' to '%s': from https to http",
			       url_shown(exchange->url, send->arena), url_shown(next, send->arena));
	/* Once dropped they stay dropped, or a detour would bring them back. Userinfo of the target
	 * is foreign. */
	if (!url_same_origin(exchange->url, next))
		exchange->with_credentials = false;
	next->user = next->password = NULL;
	redirect_method(exchange, exchange->response.status);
	if (exchange->with_body && request->read &&
	    (!request->rewind || !request->rewind(request->read_ctx)))
		return err_set(err, ERR_INVALID,
			       "cannot follow the redirect of '%s': the body cannot be sent again",
			       url_shown(exchange->url, send->arena));
	return true;
}

static bool try_once(struct send *send, const struct url *url, struct err *err)
{
	struct url *at = ARENA_NEW(send->arena, struct url);

	*at = *url;
	send->exchange = (struct exchange){ .request = send->request,
					    .url = at,
					    .method = send->request->method,
					    .with_body = true,
					    .with_credentials = true,
					    .arena = send->arena };
	for (int n = 0;; n++) {
		struct url *next;

		send->exchange.timeout_ms = send->deadline_ms - clock_mono_ms();
		if (send->exchange.timeout_ms <= 0)
			return err_set(err, ERR_TRANSIENT, "cannot reach '%s': timed out",
				       url_shown(at, send->arena));
		send->exchange.header_bytes = 0;
		send->exchange.is_cut = false;
		if (!exchange_run(send->http, &send->exchange, err))
			return false;
		if (send->request->no_redirects ||
		    !http_is_redirect(send->exchange.response.status) ||
		    !http_header(&send->exchange.response, "Location"))
			return true;
		if (n == LIMIT_REDIRECTS)
			return err_set(err, ERR_INVALID,
				       "cannot reach '%s': more than %d redirects",
				       url_shown(url, send->arena), LIMIT_REDIRECTS);
		next = ARENA_NEW(send->arena, struct url);
		if (!redirect_to(send, next, err))
			return false;
		send->exchange.url = at = next;
		send->exchange.is_redirected = true;
	}
}

static bool is_worth_a_retry(int status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

/* -1: the server does not say. */
static int64_t asked_wait_ms(const struct http_response *response)
{
	const char *value = http_header(response, "Retry-After");
	int64_t seconds = value ? header_retry_after(value, clock_now_s()) : -1;

	if (seconds < 0)
		return -1;
	return seconds > INT64_MAX / 1000 ? INT64_MAX : seconds * 1000;
}

/* Waits, and makes the body and the receiver ready for a repetition; false when there shall be
 * none. */
static bool prepare_retry(struct send *send, unsigned attempt, int64_t asked_ms)
{
	const struct http_request *request = send->request;
	int64_t wait_ms = backoff_ms(attempt, BACKOFF_BASE_MS, BACKOFF_CAP_MS);

	if (request->no_retry || attempt + 1 >= send->http->options.max_tries)
		return false;
	if (request->read && !request->rewind)
		return false;
	if (send->exchange.is_given && !request->restart)
		return false;
	if (asked_ms > RETRY_AFTER_MAX_MS)
		return false;
	if (asked_ms > 0) {
		int64_t spread_ms = backoff_ms(0, BACKOFF_BASE_MS, BACKOFF_CAP_MS);

		/* A little more than asked for, so that many clients do not come back as one. */
		wait_ms = asked_ms + spread_ms;
	}
	if (wait_ms >= send->deadline_ms - clock_mono_ms())
		return false;
	clock_sleep_ms(wait_ms);
	if (request->read && !request->rewind(request->read_ctx))
		return false;
	return !send->exchange.is_given || request->restart(request->write_ctx);
}

bool http_send(struct http *http, const struct http_request *request, struct arena *arena,
	       struct http_response *out, struct err *err)
{
	int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : REQUEST_TIMEOUT_MS;
	struct send send = { .http = http,
			     .request = request,
			     .arena = arena,
			     .deadline_ms = clock_mono_ms() + timeout_ms };
	struct url url;

	*out = (struct http_response){ 0 };
	if (!url_parse(request->url, arena, &url, err))
		return false;
	for (unsigned attempt = 0;; attempt++) {
		struct err failed = { 0 };
		int64_t asked_ms = -1;

		if (try_once(&send, &url, &failed)) {
			*out = send.exchange.response;
			if (!is_worth_a_retry(out->status))
				return true;
			asked_ms = asked_wait_ms(out);
			if (asked_ms > 0 && (out->status == 429 || out->status == 503))
				out->retry_after_s = asked_ms / 1000;
			if (!prepare_retry(&send, attempt, asked_ms))
				return true;
			continue;
		}
		*out = (struct http_response){ 0 };
		if (!send.exchange.is_retryable || !prepare_retry(&send, attempt, -1)) {
			*err = failed;
			return err_foreign(err);
		}
	}
}
