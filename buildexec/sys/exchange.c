/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.c — sets an easy handle up from nothing for each request (so that nothing of the last
 * one stays, above all no credentials), runs it, and turns libcurl's codes into errors whose texts
 * do not vary from run to run.
 */
#include "buildexec/sys/exchange.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "model/base/limits.h"

enum { ERROR_BODY_BYTES = 64 << 10 };

/* clang-format off */
/* Codes that trying again cannot mend; all others are the network's. */
static const struct {
	CURLcode code;
	enum err_kind kind;
	bool is_detailed; /* libcurl's own text says more, and says the same every time */
} code_rows[] = {
	{ CURLE_UNSUPPORTED_PROTOCOL,      ERR_INVALID, false },
	{ CURLE_URL_MALFORMAT,             ERR_INVALID, false },
	{ CURLE_WEIRD_SERVER_REPLY,        ERR_INVALID, false },
	{ CURLE_BAD_CONTENT_ENCODING,      ERR_INVALID, false },
	{ CURLE_OUT_OF_MEMORY,             ERR_INVALID, false },
	{ CURLE_FAILED_INIT,               ERR_SYSTEM,  false },
	{ CURLE_BAD_FUNCTION_ARGUMENT,     ERR_SYSTEM,  false },
	{ CURLE_PEER_FAILED_VERIFICATION,  ERR_DENIED,  true },
	{ CURLE_SSL_CERTPROBLEM,           ERR_DENIED,  true },
	{ CURLE_SSL_CACERT_BADFILE,        ERR_DENIED,  true },
	{ CURLE_SSL_ISSUER_ERROR,          ERR_DENIED,  true },
	{ CURLE_SSL_INVALIDCERTSTATUS,     ERR_DENIED,  true },
	{ CURLE_SSL_CIPHER,                ERR_DENIED,  true },
};
/* clang-format on */

bool http_is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void slist_release(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}
#define AUTO_SLIST __attribute__((cleanup(slist_release))) struct curl_slist

static bool is_success(int status)
{
	return status >= 200 && status < 300;
}

/* A status line begins an answer anew: 100 Continue and the like came before the real one. */
static void begin_answer(struct exchange *exchange, const char *line, size_t n)
{
	const char *blank = memchr(line, ' ', n);
	size_t at = blank ? (size_t)(blank + 1 - line) : n;

	exchange->has_head = false;
	exchange->response.status = 0;
	exchange->response.headers = (struct strings){ 0 };
	for (size_t i = at; i < n && i < at + 3 && isdigit((unsigned char)line[i]); i++)
		exchange->response.status = exchange->response.status * 10 + (line[i] - '0');
}

static bool end_of_head(struct exchange *exchange)
{
	const struct http_request *request = exchange->request;

	exchange->has_head = exchange->response.status >= 200;
	if (!is_success(exchange->response.status) || !request->start ||
	    strcmp(exchange->method, "HEAD") == 0)
		return true;
	if (request->start(request->write_ctx, &exchange->response))
		return true;
	return err_set(&exchange->own, ERR_CANCELLED, "the receiver stopped the transfer");
}

static size_t on_header(char *line, size_t size, size_t n_items, void *user)
{
	struct exchange *exchange = user;
	size_t n = size * n_items;
	const size_t received = n;

	exchange->header_bytes += n;
	if (exchange->header_bytes > LIMIT_HTTP_HEADERS) {
		err_set(&exchange->own, ERR_INVALID, "the answer has more than %u bytes of headers",
			LIMIT_HTTP_HEADERS);
		return 0;
	}
	while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n'))
		n--;
	if (n == 0)
		return end_of_head(exchange) ? received : 0;
	if (n > 5 && memcmp(line, "HTTP/", 5) == 0)
		begin_answer(exchange, line, n);
	else
		vec_push(exchange->arena, &exchange->response.headers,
			 arena_copy(exchange->arena, line, n));
	return received;
}

static size_t on_body(char *bytes, size_t size, size_t n_items, void *user)
{
	struct exchange *exchange = user;
	const struct http_request *request = exchange->request;
	size_t n = size * n_items;

	if (!is_success(exchange->response.status)) {
		size_t room = ERROR_BODY_BYTES - exchange->body.len;

		buf_add(&exchange->body, bytes, n < room ? n : room);
		exchange->is_cut = n > room;
		return exchange->is_cut ? 0 : n;
	}
	if (request->write) {
		exchange->is_given = true;
		if (request->write(request->write_ctx, bytes, n))
			return n;
		err_set(&exchange->own, ERR_CANCELLED, "the receiver stopped the transfer");
		return 0;
	}
	buf_add(&exchange->body, bytes, n);
	if (!exchange->body.is_over)
		return n;
	err_set(&exchange->own, ERR_INVALID, "the answer is longer than %zu bytes",
		exchange->body.max);
	return 0;
}

/* Errors get less room than answers, so the buffer's limit is set when the kind of answer is known:
 * here, the larger. */
static size_t body_room(const struct http_request *request)
{
	size_t max = request->max_body ? request->max_body : LIMIT_HTTP_BODY;

	return request->write || max < ERROR_BODY_BYTES ? ERROR_BODY_BYTES : max;
}

static size_t on_read(char *out, size_t size, size_t n_items, void *user)
{
	struct exchange *exchange = user;
	int64_t n = exchange->request->read(exchange->request->read_ctx, out, size * n_items);

	if (n >= 0)
		return (size_t)n;
	err_set(&exchange->own, ERR_CANCELLED, "the sender stopped the transfer");
	return CURL_READFUNC_ABORT;
}

/* libcurl rewinds when a kept connection turns out to be dead. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
	struct exchange *exchange = user;
	const struct http_request *request = exchange->request;

	if (offset != 0 || origin != SEEK_SET || !request->rewind)
		return CURL_SEEKFUNC_CANTSEEK;
	return request->rewind(request->read_ctx) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static void set_trust(struct http *http)
{
	const struct http_options *options = &http->options;
	CURL *curl = http->curl;
	struct curl_blob blob = { http->ca_pem.data, http->ca_pem.len, CURL_BLOB_NOCOPY };

	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (http->ca_pem.len > 0)
		curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
	if (http->ca_dir)
		curl_easy_setopt(curl, CURLOPT_CAPATH, http->ca_dir);
	if (options->cert_file)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, options->cert_file);
	if (options->key_file)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, options->key_file);
	if (options->is_insecure) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void set_proxy(const struct http *http, const struct exchange *exchange)
{
	const struct http_options *options = &http->options;
	const char *proxy = exchange->url->is_https ? options->https_proxy : options->http_proxy;

	if (proxy)
		curl_easy_setopt(http->curl, CURLOPT_PROXY, proxy);
	if (options->no_proxy)
		curl_easy_setopt(http->curl, CURLOPT_NOPROXY, options->no_proxy);
}

static void set_times(const struct http *http, const struct exchange *exchange)
{
	const struct http_options *options = &http->options;
	int64_t stall_ms = exchange->request->stall_timeout_ms ? exchange->request->stall_timeout_ms
							       : options->stall_timeout_ms;
	int64_t stall_s = (stall_ms + 999) / 1000;

	curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
	curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, (long)exchange->timeout_ms);
	curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_TIME, (long)stall_s);
}

static void set_body(CURL *curl, struct exchange *exchange)
{
	const struct http_request *request = exchange->request;
	const char *method = exchange->method;

	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	} else if (exchange->with_body && request->read) {
		curl_off_t length =
			request->body_len == SIZE_MAX ? -1 : (curl_off_t)request->body_len;

		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(curl, CURLOPT_READDATA, exchange);
		curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(curl, CURLOPT_SEEKDATA, exchange);
		curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, length);
		curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
	} else if ((exchange->with_body && request->body) || strcmp(method, "POST") == 0 ||
		   strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0) {
		bool is_sent = exchange->with_body && request->body;

		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, is_sent ? request->body : "");
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 is_sent ? (curl_off_t)request->body_len : (curl_off_t)0);
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

/* Headers that carry secrets stay behind when the credentials do. */
static bool is_secret_header(const char *line)
{
	return strncasecmp(line, "authorization:", 14) == 0 || strncasecmp(line, "cookie:", 7) == 0;
}

static void set_credentials(CURL *curl, const struct exchange *exchange)
{
	const struct http_request *request = exchange->request;
	const char *user = request->user ? request->user : exchange->url->user;
	const char *password = request->user ? request->password : exchange->url->password;

	if (!exchange->with_credentials)
		return;
	if (request->bearer) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request->bearer);
	} else if (user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, password ? password : "");
	}
}

static struct curl_slist *make_headers(const struct exchange *exchange)
{
	const struct strings *lines = exchange->request->headers;
	/* "Name:" takes away what libcurl would add: no waiting for 100, no form type for bytes of
	 * ours. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	bool has_type = false;

	for (size_t i = 0; lines && i < lines->n; i++) {
		if (is_secret_header(lines->v[i]) && !exchange->with_credentials)
			continue;
		has_type |= strncasecmp(lines->v[i], "content-type:", 13) == 0;
		list = curl_slist_append(list, lines->v[i]);
	}
	if (!has_type)
		list = curl_slist_append(list, "Content-Type:");
	return list;
}

static int on_progress(void *user, curl_off_t down_max, curl_off_t down, curl_off_t up_max,
		       curl_off_t up)
{
	struct exchange *exchange = user;
	const struct http_request *request = exchange->request;

	(void)down_max;
	(void)down;
	(void)up_max;
	(void)up;
	if (!request->is_cancelled(request->cancel_ctx))
		return 0;
	err_set(&exchange->own, ERR_CANCELLED, "cancelled");
	return 1;
}

static void set_peer(struct http *http, struct exchange *exchange)
{
	if (http->options.unix_socket) {
		curl_easy_setopt(http->curl, CURLOPT_UNIX_SOCKET_PATH, http->options.unix_socket);
		curl_easy_setopt(http->curl, CURLOPT_PROXY, "");
	}
	if (!exchange->request->is_cancelled)
		return;
	curl_easy_setopt(http->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(http->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(http->curl, CURLOPT_XFERINFODATA, exchange);
}

static void set_up(struct http *http, struct exchange *exchange, struct curl_slist *headers)
{
	CURL *curl = http->curl;

	curl_easy_reset(curl);
	http->error[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, exchange->request->is_only_once ? 1L : 0L);
	/* What is collected is small as a rule, and many handles may be open at once. */
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE,
			 exchange->request->write ? 256L << 10 : 16L << 10);
	curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(curl, CURLOPT_URL, exchange->url->text);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, http->options.user_agent);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
	set_trust(http);
	set_proxy(http, exchange);
	set_peer(http, exchange);
	set_times(http, exchange);
	set_body(curl, exchange);
	set_credentials(curl, exchange);
}

/* libcurl's sentences begin with a capital letter. */
static const char *as_ours(const char *text, struct arena *arena)
{
	char *copy = arena_strdup(arena, text);
	size_t n = strlen(copy);

	if (n > 1 && islower((unsigned char)copy[1]))
		copy[0] = (char)tolower((unsigned char)copy[0]);
	while (n > 0 && (copy[n - 1] == '.' || copy[n - 1] == '\n'))
		copy[--n] = '\0';
	return copy;
}

static bool code_fail(struct http *http, struct exchange *exchange, CURLcode code, struct err *err)
{
	const char *shown = url_shown(exchange->url, exchange->arena);
	const char *text = as_ours(curl_easy_strerror(code), exchange->arena);
	long sys = 0;

	/* What libcurl 7.88 says of a line of the head that is longer than its buffer. */
	if (code == CURLE_OUT_OF_MEMORY)
		text = "a line of the answer's head is too long";
	if (exchange->own.kind != ERR_NONE)
		return err_set(err, exchange->own.kind, "cannot transfer '%s': %s", shown,
			       exchange->own.text);
	for (size_t i = 0; i < COUNTOF(code_rows); i++) {
		if (code_rows[i].code != code)
			continue;
		if (code_rows[i].is_detailed && http->error[0])
			text = as_ours(http->error, exchange->arena);
		return err_set(err, code_rows[i].kind, "cannot reach '%s': %s", shown, text);
	}
	exchange->is_retryable = true;
	curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &sys);
	if (code == CURLE_COULDNT_CONNECT && sys != 0)
		return err_set(err, ERR_TRANSIENT, "cannot reach '%s': %s", shown,
			       strerror((int)sys));
	if (code == CURLE_SSL_CONNECT_ERROR && http->error[0])
		text = as_ours(http->error, exchange->arena);
	return err_set(err, ERR_TRANSIENT, "cannot reach '%s': %s", shown, text);
}

/* libcurl is content with a head that ends with the connection. */
static bool head_fail(struct exchange *exchange, struct err *err)
{
	exchange->is_retryable = true;
	return err_set(err, ERR_TRANSIENT, "cannot reach '%s': the answer ends within its head",
		       url_shown(exchange->url, exchange->arena));
}

bool exchange_run(struct http *http, struct exchange *exchange, struct err *err)
{
	AUTO_SLIST *headers = make_headers(exchange);
	CURLcode code;

	exchange->body = BUF_INIT(body_room(exchange->request));
	exchange->has_head = false;
	set_up(http, exchange, headers);
	code = curl_easy_perform(http->curl);
	exchange->response.body = buf_copy(&exchange->body, exchange->arena);
	exchange->response.body_len = exchange->body.len;
	exchange->response.final_url = exchange->url->text;
	exchange->response.is_redirected = exchange->is_redirected;
	buf_release(&exchange->body);
	if (code == CURLE_OK && !exchange->has_head)
		return head_fail(exchange, err);
	if (code == CURLE_OK || (exchange->is_cut && exchange->own.kind == ERR_NONE))
		return true;
	return code_fail(http, exchange, code, err);
}
