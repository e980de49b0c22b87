/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote.c — the distribution API over HTTP: reading manifests, blobs and tags, writing manifests. Uploads of blobs are
 * upload.c's.
 * Spec: opencontainers/distribution-spec 1.1 "Pull", "Content Discovery", "Pushing Manifests".
 */
#include "buildexec/registry/remote.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/registry/remote_error.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/header.h"
#include "buildexec/sys/log.h"
#include "buildexec/sys/url.h"
#include "model/base/limits.h"
#include "model/doc/json.h"

enum {
	BLOB_TRIES = 5, /* in a row without a byte of progress */
	BACKOFF_BASE_MS = 250,
	BACKOFF_CAP_MS = 8000,
	TAGS_PER_PAGE = 1000,
	MAX_TAG_PAGES = 10000,
	PROBE_TIMEOUT_MS = 10000,
	MAX_ANSWERS = 3, /* to challenges of one request */
};

#define ACCEPT_MANIFESTS                                                                           \
	"Accept: " MEDIA_OCI_MANIFEST ", " MEDIA_OCI_INDEX ", " MEDIA_DOCKER_MANIFEST              \
	", " MEDIA_DOCKER_LIST

/*
 * A port of its own speaks one of the two: where it answers http as a registry does, there is no https to be asked for, and
 * the trust store is not loaded (25 ms of cpu).
 */
static bool answers_plain(struct endpoint *endpoint, struct arena *arena)
{
	struct http_request ping = {
		.method = "GET",
		.url = arena_printf(arena, "http://%s/v2/", endpoint->host),
		.max_body = LIMIT_MANIFEST_BYTES,
		.timeout_ms = PROBE_TIMEOUT_MS,
		.no_redirects = true,
		.no_retry = true,
	};
	const char *colon = strrchr(endpoint->host, ':');
	struct http_response response;
	struct err ignored = { 0 };

	return colon && !strchr(colon, ']') && strcmp(colon, ":443") != 0 &&
	       http_send(endpoint->http, &ping, arena, &response, &ignored) &&
	       (response.status == 200 || response.status == 401) &&
	       http_header(&response, "Docker-Distribution-Api-Version");
}

/* Docker's rule for a host that may be plain: https where it answers, else http. A certificate we do not trust is no "else". */
static bool find_scheme(struct endpoint *endpoint, struct arena *arena, const char **out,
			struct err *err)
{
	static const char *const schemes[] = { "https", "http" };
	struct err failed = { 0 };

	if (answers_plain(endpoint, arena)) {
		*out = "http";
		return true;
	}
	for (size_t i = 0; i < COUNTOF(schemes) && failed.kind != ERR_DENIED; i++) {
		struct http_request ping = {
			.method = "GET",
			.url = arena_printf(arena, "%s://%s/v2/", schemes[i], endpoint->host),
			.max_body = LIMIT_MANIFEST_BYTES,
			.no_redirects = true,
			.no_retry = i == 0,
		};
		struct http_response response;

		if (http_send(endpoint->http, &ping, arena, &response, &failed)) {
			*out = schemes[i];
			return true;
		}
	}
	*err = failed;
	return false;
}

static bool find_base(struct registry *registry, struct endpoint *endpoint, struct arena *arena,
		      struct err *err)
{
	const char *scheme = "https";

	if ((endpoint->is_insecure || host_is_local(endpoint->host)) &&
	    !remote_scheme(registry->shared, endpoint, find_scheme, arena, &scheme, err))
		return false;
	endpoint->base = arena_printf(endpoint->auth.arena, "%s://%s", scheme, endpoint->host);
	endpoint->auth.is_plain = strcmp(scheme, "http") == 0;
	return true;
}

bool remote_endpoint(struct registry *registry, const struct place *place, struct arena *arena,
		     struct endpoint **out, struct err *err)
{
	const struct registry_rule *rule = place->rule;
	const bool is_anonymous = registry->manner.is_anonymous;
	struct http_options options = { .is_insecure = place->is_insecure,
					.ca_file = rule ? rule->ca_file : NULL,
					.cert_file = rule ? rule->cert_file : NULL,
					.key_file = rule ? rule->key_file : NULL };
	struct endpoint *endpoint = NULL;

	for (size_t i = 0; i < registry->endpoints.n; i++) {
		struct endpoint *at = registry->endpoints.v[i];

		if (at->rule == rule && at->is_insecure == place->is_insecure &&
		    at->is_anonymous == is_anonymous && strcmp(at->host, place->host) == 0)
			endpoint = at;
	}
	if (!endpoint) {
		endpoint = ARENA_NEW(registry->arena, struct endpoint);
		endpoint->host = arena_strdup(registry->arena, place->host);
		endpoint->rule = rule;
		endpoint->is_insecure = place->is_insecure;
		endpoint->is_anonymous = is_anonymous;
		if (!http_open(&options, &endpoint->http, err))
			return err_prefix(err, "registry '%s'", place->host);
		endpoint->auth =
			(struct auth){ .arena = registry->arena,
				       .keychain = is_anonymous ? NULL : registry->keychain,
				       .host = endpoint->host,
				       .rule = rule,
				       .http = endpoint->http,
				       .refusal = &registry->refusal };
		vec_push(registry->arena, &registry->endpoints, endpoint);
	}
	if (!endpoint->base && !find_base(registry, endpoint, arena, err))
		return false;
	*out = endpoint;
	return true;
}

void remote_close(struct registry *registry)
{
	for (size_t i = 0; i < registry->endpoints.n; i++) {
		auth_release(&registry->endpoints.v[i]->auth);
		http_close(&registry->endpoints.v[i]->http);
	}
}

char *remote_url(const struct endpoint *endpoint, const struct place *place, struct arena *arena,
		 const char *fmt, ...)
{
	va_list args;
	char *rest;

	va_start(args, fmt);
	rest = arena_vprintf(arena, fmt, args);
	va_end(args);
	return arena_printf(arena, "%s/v2/%s/%s", endpoint->base, place->repo, rest);
}

static bool is_on_host(const struct endpoint *endpoint, const char *text, struct arena *arena)
{
	struct err ignored = { 0 };
	struct url own, other;

	return url_parse(endpoint->base, arena, &own, &ignored) &&
	       url_parse(text, arena, &other, &ignored) && url_same_origin(&own, &other);
}

/*
 * Whether the 401 is to be answered: the registry's own (what a redirect leads to has no claim to its credentials), and of
 * another kind than was answered before, unless a token may have ended on its way: a password is not tried twice.
 */
static bool is_to_answer(const struct remote_call *call, struct endpoint *endpoint,
			 const struct http_response *response, unsigned n_answered)
{
	const struct auth_need need = { call->place->repo, call->actions, call->from };
	const char *before = endpoint->auth.asked.scheme;

	if (response->status != 401 || n_answered == MAX_ANSWERS ||
	    !is_on_host(endpoint, response->final_url, call->arena) ||
	    !auth_learn(&endpoint->auth, &need, call->arena, response))
		return false;
	return n_answered == 0 || strcmp(endpoint->auth.asked.scheme, "bearer") == 0 || !before ||
	       strcmp(endpoint->auth.asked.scheme, before) != 0;
}

/* Sends once more. A challenge that leads nowhere must not spoil what works for other repositories: *before comes back. */
static bool answer_challenges(const struct remote_call *call, struct endpoint *endpoint,
			      struct http_request *request, struct http_response *out,
			      struct err *err)
{
	const struct auth_need need = { call->place->repo, call->actions, call->from };
	const struct challenge before = endpoint->auth.asked;
	bool is_sent = true;

	for (unsigned n = 0; is_sent && is_to_answer(call, endpoint, out, n); n++) {
		if (request->read && (!request->rewind || !request->rewind(request->read_ctx)))
			break;
		is_sent = auth_apply(&endpoint->auth, &need, call->arena, request, err) &&
			  http_send(endpoint->http, request, call->arena, out, err);
	}
	if (!is_sent || out->status == 401)
		endpoint->auth.asked = before;
	return is_sent;
}

bool remote_send(const struct remote_call *call, struct http_request *request,
		 struct http_response *out, struct err *err)
{
	const struct auth_need need = { call->place->repo, call->actions, call->from };
	struct endpoint *endpoint;

	if (!remote_endpoint(call->registry, call->place, call->arena, &endpoint, err))
		return false;
	if (!is_on_host(endpoint, request->url, call->arena))
		return http_send(endpoint->http, request, call->arena, out, err);
	return auth_apply(&endpoint->auth, &need, call->arena, request, err) &&
	       http_send(endpoint->http, request, call->arena, out, err) &&
	       answer_challenges(call, endpoint, request, out, err);
}

bool remote_call_fail(const struct remote_call *call, const struct http_response *response,
		      const char *what, struct err *err)
{
	const char *text = arena_printf(call->arena, "%s '%s'", what, call->place->shown);
	struct endpoint *endpoint;
	struct err ignored = { 0 };
	struct registry_refusal *refusal = &call->registry->refusal;

	remote_fail(response, text, call->arena, err);
	remote_note(response, call->arena, refusal);
	if (response->status != 401 ||
	    !remote_endpoint(call->registry, call->place, call->arena, &endpoint, &ignored))
		return false;
	refusal->has_credentials =
		auth_has_credentials(&endpoint->auth, call->place->repo, call->arena);
	if (!refusal->has_credentials)
		return err_set(err, ERR_DENIED, "%s; there are no credentials for it",
			       arena_strdup(call->arena, err->text));
	return false;
}

static bool manifest_call(const struct remote_call *call, const char *method,
			  const char *identifier, struct http_response *out, struct err *err)
{
	struct strings headers = { 0 };
	struct http_request request = { .method = method,
					.headers = &headers,
					.max_body = LIMIT_MANIFEST_BYTES,
					.timeout_ms = call->registry->manner.timeout_ms };
	struct endpoint *endpoint;

	if (!remote_endpoint(call->registry, call->place, call->arena, &endpoint, err))
		return false;
	vec_push(call->arena, &headers, ACCEPT_MANIFESTS);
	request.url = remote_url(endpoint, call->place, call->arena, "manifests/%s", identifier);
	return remote_send(call, &request, out, err);
}

/* A type that says what the body is; NULL for the likes of application/json. */
static const char *told_type(const struct http_response *response, struct arena *arena)
{
	const char *type = header_media_type(http_header(response, "Content-Type"), arena);

	if (!type || strncmp(type, "application/vnd.", 16) != 0)
		return NULL;
	return type;
}

static bool remote_get_manifest(struct registry *registry, const struct place *place,
				const char *identifier, struct arena *arena, struct payload *out,
				struct err *err)
{
	const struct remote_call call = { registry, place, "pull", NULL, arena };
	struct http_response response;
	const char *digest;

	*out = (struct payload){ 0 };
	if (!manifest_call(&call, "GET", identifier, &response, err))
		return err_prefix(err, "cannot read the manifest of '%s'", place->shown);
	if (response.status == 404)
		return true;
	if (response.status != 200)
		return remote_call_fail(&call, &response, "cannot read the manifest of", err);
	digest = http_header(&response, "Docker-Content-Digest");
	*out = (struct payload){ .media_type = told_type(&response, arena),
				 .digest = digest && digest_is_valid(digest) ? digest : NULL,
				 .bytes = response.body,
				 .n = response.body_len };
	return true;
}

static bool resolve_by_get(struct registry *registry, const struct place *place,
			   const char *identifier, struct arena *arena, struct descriptor *out,
			   struct err *err)
{
	struct payload payload;

	if (!remote_get_manifest(registry, place, identifier, arena, &payload, err))
		return false;
	if (!payload.bytes)
		return true;
	*out = (struct descriptor){
		.media_type = payload.media_type,
		.digest = arena_strdup(arena, digest_of(payload.bytes, payload.n).text),
		.size_bytes = (int64_t)payload.n,
	};
	if (!out->media_type)
		out->media_type = manifest_media_type(payload.bytes, payload.n, arena);
	if (payload.digest && strcmp(payload.digest, out->digest) != 0)
		return err_set(err, ERR_INVALID,
			       "cannot resolve '%s:%s': the server says its digest is '%s', its "
			       "bytes say '%s'",
			       place->shown, identifier, payload.digest, out->digest);
	return true;
}

/* HEAD costs no manifest; where the answer does not tell everything, GET does. */
static bool remote_resolve(struct registry *registry, const struct place *place,
			   const char *identifier, struct arena *arena, struct descriptor *out,
			   struct err *err)
{
	const struct remote_call call = { registry, place, "pull", NULL, arena };
	struct http_response response;
	const char *digest, *length;

	if (!manifest_call(&call, "HEAD", identifier, &response, err))
		return err_prefix(err, "cannot resolve '%s'", place->shown);
	if (response.status == 404)
		return true;
	/* 429 and 5xx were tried again already; what a server says that knows no HEAD varies. */
	if (response.status == 401 || response.status == 429 ||
	    (response.status >= 500 && response.status != 501))
		return remote_call_fail(&call, &response, "cannot resolve", err);
	if (response.status != 200)
		return resolve_by_get(registry, place, identifier, arena, out, err);
	digest = http_header(&response, "Docker-Content-Digest");
	length = http_header(&response, "Content-Length");
	out->media_type = told_type(&response, arena);
	if (!digest || !digest_is_valid(digest) || !out->media_type || !length ||
	    !header_number(length, &out->size_bytes))
		return resolve_by_get(registry, place, identifier, arena, out, err);
	out->digest = digest;
	return true;
}

/* One transfer into a sink that may hold a beginning. */
struct blob_transfer {
	struct blob_sink *sink;
	struct err err;
};

static bool on_blob_start(void *ctx, const struct http_response *head)
{
	struct blob_transfer *transfer = ctx;
	struct blob_sink *sink = transfer->sink;
	const char *value = http_header(head, "Content-Range");
	struct content_range range;

	if (head->status != 206)
		return blob_sink_reset(sink);
	if (value && header_content_range(value, &range) && range.first == sink->got_bytes)
		return true;
	return err_set(&sink->err, ERR_INVALID, "the server gave another range than asked for");
}

static bool on_blob_bytes(void *ctx, const char *bytes, size_t n)
{
	struct blob_transfer *transfer = ctx;

	return blob_sink_write(transfer->sink, bytes, n);
}

/* What storages answer behind a redirect whose signature has ended: the registry makes a new one. */
static bool has_expired(const struct http_response *response)
{
	return response->is_redirected && response->status >= 400 && response->status <= 410;
}

static bool transfer_blob(const struct remote_call *call, struct blob_sink *sink, bool *is_expired,
			  struct err *err)
{
	struct blob_transfer transfer = { .sink = sink };
	struct strings headers = { 0 };
	struct http_request request = { .method = "GET",
					.headers = &headers,
					.write = on_blob_bytes,
					.start = on_blob_start,
					.write_ctx = &transfer,
					.timeout_ms = BLOB_TIMEOUT_MS };
	struct http_response response;
	struct endpoint *endpoint;

	if (!remote_endpoint(call->registry, call->place, call->arena, &endpoint, err))
		return false;
	if (sink->got_bytes > 0)
		vec_push(call->arena, &headers,
			 arena_printf(call->arena, "Range: bytes=%lld-",
				      (long long)sink->got_bytes));
	request.url =
		remote_url(endpoint, call->place, call->arena, "blobs/%s", sink->want->digest);
	if (!remote_send(call, &request, &response, err)) {
		if (sink->err.kind != ERR_NONE)
			*err = sink->err;
		return false;
	}
	if (response.status == 416)
		return blob_sink_reset(sink) &&
		       err_set(err, ERR_TRANSIENT, "the server refuses the rest of the blob");
	*is_expired = has_expired(&response);
	if (response.status != 200 && response.status != 206)
		return remote_call_fail(call, &response, "cannot read a blob of", err);
	return blob_sink_finish(sink, err);
}

static bool remote_read_blob(struct registry *registry, const struct place *place,
			     struct blob_sink *sink, struct err *err)
{
	struct arena *arena = arena_new();
	const struct remote_call call = { registry, place, "pull", NULL, arena };
	const int64_t deadline_ms = clock_mono_ms() + BLOB_TIMEOUT_MS;
	struct err failed = { 0 };
	bool is_done = false, is_expired = false;

	for (unsigned n = 0; !is_done && n < BLOB_TRIES && clock_mono_ms() < deadline_ms; n++) {
		const int64_t before = sink->got_bytes;
		const bool was_expired = is_expired;

		if (n > 0)
			clock_sleep_ms(backoff_ms(n - 1, BACKOFF_BASE_MS, BACKOFF_CAP_MS));
		is_expired = false;
		is_done = transfer_blob(&call, sink, &is_expired, &failed);
		if (!is_done && failed.kind != ERR_TRANSIENT && (!is_expired || was_expired))
			break;
		if (sink->got_bytes > before)
			n = 0;
	}
	arena_free(arena);
	if (is_done)
		return true;
	*err = failed;
	return err_prefix(err, "cannot read a blob of '%s'", place->shown);
}

static bool remote_put_manifest(struct registry *registry, const struct place *place,
				const char *tag, const struct payload *payload, struct err *err)
{
	struct arena *arena = arena_new();
	const struct remote_call call = { registry, place, "pull,push", NULL, arena };
	const char *identifier = tag ? tag : payload->digest;
	struct strings headers = { 0 };
	struct http_request request = {
		.method = "PUT", .headers = &headers, .body = payload->bytes, .body_len = payload->n
	};
	struct descriptor stored = { 0 };
	struct http_response response;
	struct endpoint *endpoint;
	const char *digest;
	bool is_done = false;

	vec_push(arena, &headers, arena_printf(arena, "Content-Type: %s", payload->media_type));
	if (!remote_endpoint(registry, place, arena, &endpoint, err))
		goto out;
	request.url = remote_url(endpoint, place, arena, "manifests/%s", identifier);
	if (!remote_send(&call, &request, &response, err))
		goto out;
	if (response.status != 201 && response.status != 200 && response.status != 202) {
		remote_call_fail(&call, &response, "cannot write the manifest of", err);
		goto out;
	}
	digest = http_header(&response, "Docker-Content-Digest");
	/* Registries name it; something in between that says yes to everything does not, and is found out by asking. */
	if (!digest && !remote_resolve(registry, place, identifier, arena, &stored, err))
		goto out;
	digest = digest ? digest : stored.digest ? stored.digest : "nothing";
	is_done =
		strcmp(digest, payload->digest) == 0 ||
		err_set(err, ERR_INVALID,
			"cannot write the manifest of '%s': the server stored it as '%s', not '%s'",
			place->shown, digest, payload->digest);
out:
	arena_free(arena);
	return is_done;
}

static bool read_tags(const struct http_response *response, struct arena *arena,
		      struct strings *out, struct err *err)
{
	const struct node *tags;
	struct node *root;

	if (!json_parse(response->body, response->body_len, arena, &root, err))
		return false;
	tags = node_get(root, "tags");
	/* Go writes an empty list as null. */
	if (!tags || tags->kind == NODE_NULL)
		return true;
	if (tags->kind != NODE_SEQ)
		return err_set(err, ERR_INVALID, "'tags' is not a list");
	for (const struct node *tag = tags->first; tag; tag = tag->next) {
		if (out->n == LIMIT_REFS)
			return err_set(err, ERR_INVALID, "more than %u tags", LIMIT_REFS);
		if (tag->kind == NODE_STRING && ref_tag_is_valid(tag->text))
			vec_push(arena, out, tag->text);
	}
	return true;
}

/* The next page's URL in *url, NULL after the last. */
static bool next_page(const struct http_response *response, struct arena *arena, const char **url,
		      struct err *err)
{
	const char *value = http_header(response, "Link");
	const char *target = value ? header_link_next(value, arena) : NULL;
	const char *current = *url;
	struct url base, next;

	*url = NULL;
	if (!target)
		return true;
	if (!url_parse(current, arena, &base, err) ||
	    !url_resolve(&base, target, arena, &next, err))
		return false;
	if (base.is_https && !next.is_https)
		return err_set(err, ERR_INVALID, "the next page is not https");
	if (strcmp(next.text, current) != 0)
		*url = next.text;
	return true;
}

static bool read_tag_pages(const struct remote_call *call, const char *url, struct strings *out,
			   struct err *err)
{
	for (int n = 0; url; n++) {
		struct http_request request = { .method = "GET",
						.url = url,
						.timeout_ms = call->registry->manner.timeout_ms };
		struct http_response response;

		if (n == MAX_TAG_PAGES)
			return err_set(err, ERR_INVALID, "more than %d pages", MAX_TAG_PAGES);
		if (!remote_send(call, &request, &response, err))
			return false;
		if (response.status != 200)
			return remote_call_fail(call, &response, "cannot list the tags of", err);
		if (!read_tags(&response, call->arena, out, err) ||
		    !next_page(&response, call->arena, &url, err))
			return err_prefix(err, "cannot list the tags of '%s'", call->place->shown);
	}
	return true;
}

static bool remote_list_tags(struct registry *registry, const struct place *place,
			     struct arena *arena, struct strings *out, struct err *err)
{
	const struct remote_call call = { registry, place, "pull", NULL, arena };
	struct endpoint *endpoint;

	return remote_endpoint(registry, place, arena, &endpoint, err) &&
	       read_tag_pages(&call,
			      remote_url(endpoint, place, arena, "tags/list?n=%d", TAGS_PER_PAGE),
			      out, err);
}

/* Of a ping: only 200 and 401 say yes; what is told to go away or to wait has not been told no. */
static enum registry_protocol protocol_of(int status)
{
	static const struct {
		int status;
		enum registry_protocol protocol;
	} rows[] = {
		{ 200, PROTOCOL_V2 },      { 401, PROTOCOL_V2 },      { 403, PROTOCOL_UNKNOWN },
		{ 408, PROTOCOL_UNKNOWN }, { 429, PROTOCOL_UNKNOWN },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (rows[i].status == status)
			return rows[i].protocol;
	return status >= 500 ? PROTOCOL_UNKNOWN : PROTOCOL_OTHER;
}

static enum registry_protocol ping(const struct endpoint *endpoint, const char *base,
				   struct arena *arena)
{
	const struct http_request request = { .method = "GET",
					      .url = arena_printf(arena, "%s/v2/", base),
					      .max_body = LIMIT_MANIFEST_BYTES,
					      .timeout_ms = PROBE_TIMEOUT_MS,
					      .no_redirects = true,
					      .no_retry = true };
	struct http_response response;
	struct err ignored = { 0 };

	return http_send(endpoint->http, &request, arena, &response, &ignored)
		       ? protocol_of(response.status)
		       : PROTOCOL_UNKNOWN;
}

enum registry_protocol remote_probe(struct registry *registry, const struct place *place)
{
	struct arena *arena = arena_new();
	enum registry_protocol found = PROTOCOL_UNKNOWN;
	struct endpoint *endpoint;
	struct err ignored = { 0 };

	if (remote_endpoint(registry, place, arena, &endpoint, &ignored)) {
		if (endpoint->probed == PROTOCOL_UNKNOWN)
			endpoint->probed = ping(endpoint, endpoint->base, arena);
		if (endpoint->probed == PROTOCOL_UNKNOWN &&
		    ping(endpoint, arena_printf(arena, "http://%s", endpoint->host), arena) ==
			    PROTOCOL_V2)
			endpoint->probed = PROTOCOL_PLAIN;
		found = endpoint->probed;
	}
	arena_free(arena);
	return found;
}

const struct backend remote_backend = {
	.resolve = remote_resolve,
	.get_manifest = remote_get_manifest,
	.read_blob = remote_read_blob,
	.has_blob = remote_has_blob,
	.mount_blob = remote_mount_blob,
	.put_blob = remote_put_blob,
	.put_manifest = remote_put_manifest,
	.list_tags = remote_list_tags,
	.check_write = remote_check_write,
};
