/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload.c — blobs into a registry over HTTP: not at all when they are there, else in one PUT, else in chunks where the
 * registry says that a request has limits. A failed upload begins again as a whole: half an upload cannot be trusted.
 * Spec: opencontainers/distribution-spec 1.1 "Pushing Blobs", "Mounting a blob from another repository".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buildexec/registry/remote.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/header.h"
#include "buildexec/sys/url.h"

enum {
	UPLOAD_TRIES = 4,
	UPLOAD_TRIES_LOST = 2, /* of uploads that the server forgot, or got other bytes of */
	BACKOFF_BASE_MS = 250,
	BACKOFF_CAP_MS = 8000,
	CHUNK_BYTES = 16 << 20, /* where the registry names no size of its own */
	URL_BYTES = 64 << 10,
	COMMIT_TIMEOUT_MS = 600000, /* a server may hash and move gigabytes before it answers */
};

struct upload {
	const struct remote_call *call;
	const struct descriptor *desc;
	struct url at;       /* where the next request goes */
	int64_t chunk_bytes; /* of a PATCH, as the registry wants it */
	int64_t max_bytes;   /* of one request; 0: not said */
	int64_t deadline_ms; /* of all requests and tries together; monotonic */
	bool is_lost;        /* what was sent so far is of no use, a new upload may be */
};

/* A part of a source, given to the HTTP client piece by piece. */
struct part {
	const struct blob_source *source;
	int fd; /* of the source's file, or -1 */
	int64_t first, n_bytes, n_sent;
};

static bool is_success(int status)
{
	return status >= 200 && status < 300;
}

static int64_t read_part(void *ctx, char *out, size_t cap)
{
	struct part *part = ctx;
	int64_t rest = part->n_bytes - part->n_sent;
	ssize_t n = (int64_t)cap < rest ? (ssize_t)cap : (ssize_t)rest;

	if (part->source->bytes)
		memcpy(out, (const char *)part->source->bytes + part->first + part->n_sent,
		       (size_t)n);
	else if (n > 0)
		do
			n = pread(part->fd, out, (size_t)n, part->first + part->n_sent);
		while (n < 0 && errno == EINTR);
	/* A file that shrank under us cannot be sent; better to stop than to wait for the server to. */
	if (n < 0 || (n == 0 && rest > 0))
		return -1;
	part->n_sent += n;
	return n;
}

static bool rewind_part(void *ctx)
{
	struct part *part = ctx;

	part->n_sent = 0;
	return true;
}

/*
 * Where the registry wants the upload, relative or whole. Registries behind a proxy that ends TLS often say http for their
 * own host: that is read as https, any other step down is refused.
 */
static bool set_location(struct upload *upload, const struct http_response *response,
			 struct err *err)
{
	const char *location = http_header(response, "Location");
	struct arena *arena = upload->call->arena;
	struct url base, next;

	if (!location)
		return err_set(err, ERR_INVALID, "the server names no place for the upload");
	if (!url_parse(response->final_url, arena, &base, err) ||
	    !url_resolve(&base, location, arena, &next, err))
		return false;
	if (base.is_https && !next.is_https) {
		bool is_same = strcmp(base.host, next.host) == 0 &&
			       (next.port == 80 || next.port == base.port);

		if (!is_same)
			return err_set(err, ERR_INVALID, "the server wants the upload without TLS");
		if (!url_parse(arena_printf(arena, "https://%s:%d%s", base.host, base.port,
					    strchr(next.text + strlen("http://"), '/')),
			       arena, &next, err))
			return false;
	}
	upload->at = next;
	return true;
}

/* OCI-Chunk-Min-Length is the specification's; the maximum is what storages with limits per request send. */
static void note_limits(struct upload *upload, const struct http_response *response)
{
	const char *min = http_header(response, "OCI-Chunk-Min-Length");
	const char *max = http_header(response, "OCI-Chunk-Max-Length");
	int64_t value;

	upload->chunk_bytes = CHUNK_BYTES;
	upload->max_bytes = 0;
	if (max && header_number(max, &value) && value > 0) {
		upload->max_bytes = value;
		if (value < upload->chunk_bytes)
			upload->chunk_bytes = value;
	}
	if (min && header_number(min, &value) && value > upload->chunk_bytes)
		upload->chunk_bytes = value;
}

/* `query` begins with '?' or is empty. *status is for the caller to judge; the place is noted on 202. */
static bool start_upload(struct upload *upload, const char *query, struct http_response *response,
			 struct err *err)
{
	const struct remote_call *call = upload->call;
	struct http_request request = { .method = "POST" };
	struct endpoint *endpoint;

	if (!remote_endpoint(call->registry, call->place, call->arena, &endpoint, err))
		return false;
	request.url = remote_url(endpoint, call->place, call->arena, "blobs/uploads/%s", query);
	if (!remote_send(call, &request, response, err))
		return false;
	if (response->status != 202)
		return true;
	note_limits(upload, response);
	return set_location(upload, response, err);
}

static void cancel_upload(struct upload *upload)
{
	struct http_request request = { .method = "DELETE",
					.url = upload->at.text,
					.no_retry = true };
	struct http_response response;
	struct err ignored = { 0 };

	/* The server forgets uploads by itself in time; this is courtesy. */
	(void)!remote_send(upload->call, &request, &response, &ignored);
}

/* The upload's place with "digest=" behind what is there already. */
static const char *closing_url(const struct upload *upload)
{
	AUTO_BUF url = BUF_INIT(URL_BYTES);

	buf_puts(&url, upload->at.text);
	url_add_query(&url, "digest", upload->desc->digest);
	return buf_copy(&url, upload->call->arena);
}

/*
 * Refusals of a part that are about this upload, and not about the blob or who sends it: the server forgot it (404), is at
 * another place of it (416), or what came is not what was sent (400).
 */
static bool part_fail(struct upload *upload, const struct http_response *response, struct err *err)
{
	static const int lost[] = { 400, 404, 416 };

	for (size_t i = 0; i < COUNTOF(lost); i++)
		upload->is_lost |= response->status == lost[i];
	return remote_call_fail(upload->call, response, "cannot push a blob to", err);
}

static bool time_left(const struct upload *upload, int64_t *out, struct err *err)
{
	*out = upload->deadline_ms - clock_mono_ms();
	return *out > 0 || err_set(err, ERR_TRANSIENT, "the upload takes longer than %d s",
				   BLOB_TIMEOUT_MS / 1000);
}

static bool send_part(struct upload *upload, const char *method, const char *url, struct part *part,
		      struct http_response *response, struct err *err)
{
	struct arena *arena = upload->call->arena;
	struct strings headers = { 0 };
	struct http_request request = {
		.method = method,
		.url = url,
		.headers = &headers,
		.read = read_part,
		.rewind = rewind_part,
		.read_ctx = part,
		.body_len = (size_t)part->n_bytes,
		.stall_timeout_ms = COMMIT_TIMEOUT_MS,
		/* What came of a failed try is unknown: begin anew instead. */
		.no_retry = true
	};

	if (!time_left(upload, &request.timeout_ms, err))
		return false;
	vec_push(arena, &headers, "Content-Type: application/octet-stream");
	if (strcmp(method, "PATCH") == 0)
		vec_push(arena, &headers,
			 arena_printf(arena, "Content-Range: %lld-%lld", (long long)part->first,
				      (long long)(part->first + part->n_bytes - 1)));
	part->n_sent = 0;
	return remote_send(upload->call, &request, response, err);
}

static bool head_blob(const struct remote_call *call, const char *digest,
		      struct http_response *response, struct err *err)
{
	struct http_request request = { .method = "HEAD" };
	struct endpoint *endpoint;

	if (!remote_endpoint(call->registry, call->place, call->arena, &endpoint, err))
		return false;
	request.url = remote_url(endpoint, call->place, call->arena, "blobs/%s", digest);
	return remote_send(call, &request, response, err);
}

/*
 * Whether the registry has what it said to have taken. It names the digest as a rule; something in between that says yes to
 * everything does not, and is found out by asking.
 */
static bool is_stored(const struct remote_call *call, const char *digest,
		      const struct http_response *response, bool *out, struct err *err)
{
	const char *named = http_header(response, "Docker-Content-Digest");
	struct http_response found;

	*out = named && strcmp(named, digest) == 0;
	if (named)
		return true;
	if (!head_blob(call, digest, &found, err))
		return false;
	*out = found.status != 404;
	return true;
}

/* The last request of an upload: the answer, and what came of it. */
static bool part_finish(struct upload *upload, const struct http_response *response,
			struct err *err)
{
	bool is_there;

	if (!is_success(response->status))
		return part_fail(upload, response, err);
	if (!is_stored(upload->call, upload->desc->digest, response, &is_there, err))
		return false;
	upload->is_lost = !is_there;
	return is_there ||
	       err_set(err, ERR_INVALID,
		       "cannot push a blob to '%s': the server says that it took it, and does not "
		       "have it",
		       upload->call->place->shown);
}

/* "0-<last>" as the registry counts; what it did not take is sent again. */
static bool confirmed_end(const struct http_response *response, const struct part *sent,
			  int64_t *end, struct err *err)
{
	const char *range = http_header(response, "Range");
	int64_t last;

	*end = sent->first + sent->n_bytes;
	if (!range || strncmp(range, "0-", 2) != 0 || !header_number(range + 2, &last))
		return true;
	if (last + 1 > *end || last + 1 <= sent->first)
		return err_set(err, ERR_TRANSIENT, "the server took another part than was sent");
	*end = last + 1;
	return true;
}

static bool put_chunks(struct upload *upload, struct part *part, struct err *err)
{
	const struct remote_call *call = upload->call;
	struct http_request closing = { .method = "PUT",
					.stall_timeout_ms = COMMIT_TIMEOUT_MS,
					.no_retry = true };
	struct http_response response;
	int64_t done = 0;

	while (done < upload->desc->size_bytes) {
		int64_t rest = upload->desc->size_bytes - done;

		part->first = done;
		part->n_bytes = rest < upload->chunk_bytes ? rest : upload->chunk_bytes;
		if (!send_part(upload, "PATCH", upload->at.text, part, &response, err))
			return false;
		if (!is_success(response.status))
			return part_fail(upload, &response, err);
		if (!set_location(upload, &response, err) ||
		    !confirmed_end(&response, part, &done, err))
			return false;
	}
	closing.url = closing_url(upload);
	if (!time_left(upload, &closing.timeout_ms, err) ||
	    !remote_send(call, &closing, &response, err))
		return false;
	return part_finish(upload, &response, err);
}

/* Answers to one big PUT that mean "not in one piece". */
static bool is_too_much_at_once(int status)
{
	return status == 405 || status == 411 || status == 413 || status == 501;
}

static bool put_whole(struct upload *upload, struct part *part, bool *is_refused, struct err *err)
{
	struct http_response response;

	part->first = 0;
	part->n_bytes = upload->desc->size_bytes;
	if (!send_part(upload, "PUT", closing_url(upload), part, &response, err))
		return false;
	*is_refused = is_too_much_at_once(response.status) && upload->desc->size_bytes > 0;
	return *is_refused || part_finish(upload, &response, err);
}

static bool begin(struct upload *upload, struct err *err)
{
	struct http_response response;

	if (!start_upload(upload, "", &response, err))
		return false;
	return response.status == 202 ||
	       remote_call_fail(upload->call, &response, "cannot push a blob to", err);
}

static bool upload_once(struct upload *upload, struct part *part, struct err *err)
{
	bool is_refused = false;

	if (!begin(upload, err))
		return false;
	if (upload->max_bytes == 0 || upload->desc->size_bytes <= upload->max_bytes) {
		if (!put_whole(upload, part, &is_refused, err))
			return false;
		if (!is_refused)
			return true;
		if (!begin(upload, err))
			return false;
	}
	return put_chunks(upload, part, err);
}

static bool open_part(const struct descriptor *desc, const struct blob_source *source,
		      struct part *part, struct err *err)
{
	struct stat st;

	*part = (struct part){ .source = source, .fd = -1 };
	if (source->bytes)
		return true;
	part->fd = open(source->path, O_RDONLY | O_CLOEXEC);
	if (part->fd < 0 || fstat(part->fd, &st) < 0)
		return err_sys(err, errno, "cannot read the blob '%s' from '%s'", desc->digest,
			       source->path);
	if (st.st_size != desc->size_bytes)
		return err_set(err, ERR_INVALID,
			       "cannot push the blob '%s': '%s' has %lld bytes, not %lld",
			       desc->digest, source->path, (long long)st.st_size,
			       (long long)desc->size_bytes);
	return true;
}

static bool upload_blob(const struct remote_call *call, const struct descriptor *desc,
			const struct blob_source *source, struct err *err)
{
	struct upload upload = { .call = call,
				 .desc = desc,
				 .deadline_ms = clock_mono_ms() + BLOB_TIMEOUT_MS };
	struct part part;
	bool is_done = false;

	if (open_part(desc, source, &part, err)) {
		for (unsigned n = 0; !is_done && n < UPLOAD_TRIES; n++) {
			struct err failed = { 0 };

			if (n > 0)
				clock_sleep_ms(backoff_ms(n - 1, BACKOFF_BASE_MS, BACKOFF_CAP_MS));
			upload.is_lost = false;
			is_done = upload_once(&upload, &part, &failed);
			if (is_done)
				break;
			*err = failed;
			/* Somebody else may have brought the same blob meanwhile. */
			if (failed.kind != ERR_TRANSIENT &&
			    !(upload.is_lost && n + 1 < UPLOAD_TRIES_LOST))
				break;
		}
	}
	fd_close(&part.fd);
	return is_done;
}

bool remote_put_blob(struct registry *registry, const struct place *place,
		     const struct descriptor *desc, const struct blob_source *source,
		     struct err *err)
{
	struct arena *arena = arena_new();
	const struct remote_call call = { registry, place, "pull,push", NULL, arena };
	/* A config is small, and a new one as a rule. */
	const bool is_config = source->bytes && desc->media_type &&
			       strcmp(desc->media_type, MEDIA_OCI_CONFIG) == 0;
	bool has = false;
	bool is_done = (is_config || remote_has_blob(registry, place, desc->digest, &has, err)) &&
		       (has || upload_blob(&call, desc, source, err));

	arena_free(arena);
	return is_done || err_prefix(err, "cannot push the blob '%s'", desc->digest);
}

bool remote_has_blob(struct registry *registry, const struct place *place, const char *digest,
		     bool *out, struct err *err)
{
	struct arena *arena = arena_new();
	/* Asked before a push as a rule: the same scope saves a second token. */
	const struct remote_call call = { registry, place, "pull,push", NULL, arena };
	struct http_response response;
	bool is_done = head_blob(&call, digest, &response, err);

	*out = false;
	/* Storages behind a redirect may refuse a HEAD; then it is sent once more, which does no harm. */
	if (is_done && response.status != 404 && response.status != 405 && response.status != 200 &&
	    !response.is_redirected)
		is_done = remote_call_fail(&call, &response, "cannot look for a blob in", err);
	*out = is_done && response.status == 200;
	arena_free(arena);
	return is_done;
}

bool remote_mount_blob(struct registry *registry, const struct place *from, const struct place *to,
		       const struct descriptor *desc, bool *done, struct err *err)
{
	struct arena *arena;
	struct remote_call call = { registry, to, "pull,push", from->repo, NULL };
	struct upload upload = { .call = &call, .desc = desc };
	struct http_response response;
	AUTO_BUF query = BUF_INIT(URL_BYTES);
	struct endpoint *endpoint;
	bool is_answered;

	*done = false;
	if (strcmp(from->host, to->host) != 0 || from->rule != to->rule)
		return true;
	call.arena = arena = arena_new();
	is_answered = remote_endpoint(registry, to, arena, &endpoint, err);
	/* A registry that mounts does so with what it has already: looking first would be one request more. */
	if (is_answered && endpoint->cannot_mount)
		is_answered = remote_has_blob(registry, to, desc->digest, done, err);
	if (!is_answered || *done) {
		arena_free(arena);
		return is_answered;
	}
	url_add_query(&query, "mount", desc->digest);
	url_add_query(&query, "from", from->repo);
	is_answered = start_upload(&upload, buf_text(&query), &response, err);
	if (is_answered && response.status == 201)
		is_answered = is_stored(&call, desc->digest, &response, done, err);
	endpoint->cannot_mount = !*done;
	if (is_answered && response.status == 202)
		cancel_upload(&upload);
	/* No right to read there, no such blob, no mounting at all: the upload that follows says what matters. */
	if (is_answered && (response.status == 429 || response.status >= 500))
		is_answered = remote_call_fail(&call, &response, "cannot mount a blob into", err);
	arena_free(arena);
	return is_answered;
}

bool remote_check_write(struct registry *registry, const struct place *place, struct err *err)
{
	struct arena *arena = arena_new();
	const struct remote_call call = { registry, place, "pull,push", NULL, arena };
	struct upload upload = { .call = &call };
	struct http_response response;
	bool is_done = start_upload(&upload, "", &response, err);

	if (is_done && response.status == 202)
		cancel_upload(&upload);
	else if (is_done)
		is_done = remote_call_fail(&call, &response, "cannot write to", err);
	arena_free(arena);
	return is_done;
}
