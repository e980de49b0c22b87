/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_http.c — smart HTTP on http.h. Spec: gitprotocol-http(5).
 * Only the first GET follows redirects; the requests after it go where it ended, without
 * credentials when that is another server.
 */
#include <string.h>

#include "buildexec/sys/git_conn.h"

/* 3xx and so on are INVALID: the answer is no use. */
static const struct {
	int status;
	enum err_kind kind;
	const char *text;
} statuses[] = {
	{ 401, ERR_DENIED, "the server wants other credentials (401 Unauthorized)" },
	{ 403, ERR_DENIED, "the server refuses access (403 Forbidden)" },
	{ 404, ERR_ABSENT, "there is no such repository, or it needs credentials (404 Not Found)" },
	{ 410, ERR_ABSENT, "the repository is gone (410 Gone)" },
	{ 429, ERR_TRANSIENT, "the server is asked too often (429 Too Many Requests)" },
};

static bool check_status(const struct git_wire *wire, const struct http_response *response,
			 struct err *err)
{
	const struct git_auth *auth = &wire->options.auth;

	if (response->status >= 200 && response->status < 300)
		return true;
	if (response->status == 401 && !auth->user && !auth->bearer)
		return err_set(err, ERR_DENIED,
			       "the server wants credentials and none are set (401 Unauthorized)");
	for (size_t i = 0; i < COUNTOF(statuses); i++)
		if (statuses[i].status == response->status)
			return err_set(err, statuses[i].kind, "%s", statuses[i].text);
	return err_set(err, response->status >= 500 ? ERR_TRANSIENT : ERR_INVALID,
		       "the server answers with status %d", response->status);
}

struct sink {
	struct git_pkt_reader *reader;
	struct err err;
};

static bool feed(void *ctx, const char *bytes, size_t n)
{
	struct sink *sink = ctx;

	return git_pkt_feed(sink->reader, bytes, n, &sink->err);
}

static bool send(struct git_conn *conn, struct http_request *request, struct git_pkt_reader *reader,
		 struct arena *arena, struct http_response *response, struct err *err)
{
	struct git_wire *wire = conn->wire;
	const struct git_auth *auth = &wire->options.auth;
	struct http_options options = { .ca_file = auth->ca_file,
					.is_insecure = auth->is_insecure,
					.user_agent = "git/2.39 reconcile/" RECONCILE_VERSION,
					.connect_timeout_ms = wire->options.connect_timeout_ms,
					.stall_timeout_ms = wire->options.stall_timeout_ms,
					.http_proxy = wire->options.http_proxy,
					.https_proxy = wire->options.https_proxy,
					.no_proxy = wire->options.no_proxy,
					.max_tries = wire->options.max_tries };
	struct sink sink = { .reader = reader };

	if (!wire->http && !http_open(&options, &wire->http, err))
		return false;
	if (wire->is_base_trusted) {
		request->user = auth->bearer ? NULL : auth->user;
		request->password = auth->bearer ? NULL : auth->password;
		request->bearer = auth->bearer;
	}
	request->write = feed;
	request->write_ctx = &sink;
	request->timeout_ms = conn->timeout_ms;
	wire->last_status = 0;
	if (!http_send(wire->http, request, arena, response, err)) {
		if (sink.err.kind != ERR_NONE)
			*err = sink.err; /* our own reason for stopping says more */
		return false;
	}
	wire->last_status = response->status;
	return check_status(wire, response, err);
}

/* Where the GET ended, without what we appended to it. */
static void follow(struct git_wire *wire, const char *final_url, const char *suffix)
{
	size_t n = final_url ? strlen(final_url) : 0, n_suffix = strlen(suffix);
	struct git_url url;
	struct err ignored = { 0 };
	char *base;

	if (n <= n_suffix || strcmp(final_url + n - n_suffix, suffix) != 0)
		return;
	base = arena_copy(wire->arena, final_url, n - n_suffix);
	if (!git_url_parse(base, wire->arena, &url, &ignored))
		return;
	wire->base = url.request;
	wire->is_base_trusted = git_url_is_same_server(&url, &wire->url);
}

bool git_http_advert(struct git_conn *conn, struct git_pkt_reader *reader, struct err *err)
{
	struct arena *arena = arena_new();
	const char *suffix =
		arena_printf(arena, "/info/refs?service=%s", git_service_name(conn->service));
	struct strings headers = { 0 };
	struct http_request request = { .method = "GET", .headers = &headers };
	struct http_response response;
	bool done;

	if (conn->asks_v2)
		vec_push(arena, &headers, "Git-Protocol: version=2");
	request.url = arena_printf(arena, "%s%s", conn->wire->base, suffix);
	done = send(conn, &request, reader, arena, &response, err);
	if (done)
		follow(conn->wire, response.final_url, suffix);
	arena_free(arena);
	return done;
}

bool git_http_ask(struct git_conn *conn, const struct git_request *ask,
		  struct git_pkt_reader *reader, struct err *err)
{
	struct arena *arena = arena_new();
	const char *service = git_service_name(conn->service);
	struct strings headers = { 0 };
	struct http_request request = { .method = "POST",
					.headers = &headers,
					.body = ask->head,
					.body_len = ask->n_head,
					.no_redirects = true,
					.no_retry = conn->service == GIT_RECEIVE_PACK };
	struct http_response response;
	bool done;

	if (ask->pack) {
		char *body = arena_alloc(arena, ask->n_head + ask->n_pack);

		memcpy(body, ask->head, ask->n_head);
		memcpy(body + ask->n_head, ask->pack, ask->n_pack);
		request.body = body;
		request.body_len = ask->n_head + ask->n_pack;
	}
	if (conn->asks_v2)
		vec_push(arena, &headers, "Git-Protocol: version=2");
	vec_push(arena, &headers,
		 arena_printf(arena, "Content-Type: application/x-%s-request", service));
	vec_push(arena, &headers, arena_printf(arena, "Accept: application/x-%s-result", service));
	request.url = arena_printf(arena, "%s/%s", conn->wire->base, service);
	done = send(conn, &request, reader, arena, &response, err);
	arena_free(arena);
	return done;
}
