/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_blob.c — see source_blob.h. A download that was cut off goes on where it stopped when the server gave a strong ETag;
 * without one it begins again.
 */
#include "buildexec/source/source_blob.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/registry/remote_error.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/header.h"
#include "buildexec/sys/http.h"
#include "model/base/limits.h"

enum { TRIES = 4, BACKOFF_BASE_MS = 200, BACKOFF_CAP_MS = 5000 };
enum { DOWNLOAD_MS = 3600 * 1000, VALIDATOR_BYTES = 512 };

struct download {
	const struct blob_version *known; /* two of them: recorded, and of the last time */
	const struct blob_version *found; /* the one whose validator the server named */
	struct arena *arena;
	int fd;
	struct sha256 sha;
	int64_t got_bytes;
	int64_t deadline_ms; /* of all tries; monotonic */
	const char *etag;    /* strong: a cut off download can go on */
	const char *validator;
	struct err err; /* why the transfer was stopped */
};

/* Validators come from servers and from recorded state, and go into headers. */
static bool is_plain(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] >= 0x7f)
			return false;
	return n > 0 && n <= VALIDATOR_BYTES;
}

/*
 * What tells this version from the next one. A Last-Modified that is as young as the answer does not: the file may change
 * again within the second (RFC 9110 §8.8.2.2).
 */
static const char *validator_of(const struct http_response *head, struct arena *arena)
{
	const char *etag = http_header(head, "ETag");
	const char *modified = http_header(head, "Last-Modified"), *date;

	if (etag && is_plain(etag))
		return arena_strdup(arena, etag);
	date = http_header(head, "Date");
	if (!modified || !date || !is_plain(modified))
		return NULL;
	return header_date(date) > header_date(modified) && header_date(modified) >= 0
		       ? arena_strdup(arena, modified)
		       : NULL;
}

static bool begin_again(void *ctx)
{
	struct download *download = ctx;

	if (ftruncate(download->fd, 0) != 0 || lseek(download->fd, 0, SEEK_SET) != 0)
		return err_sys(&download->err, errno, "cannot keep the download");
	download->got_bytes = 0;
	sha256_init(&download->sha);
	return true;
}

static bool on_head(void *ctx, const struct http_response *head)
{
	struct download *download = ctx;
	const char *length = http_header(head, "Content-Length");
	const char *part = http_header(head, "Content-Range");
	struct content_range range;
	int64_t n_bytes;

	download->validator = validator_of(head, download->arena);
	for (size_t i = 0; i < 2 && download->validator; i++) {
		const struct blob_version *known = &download->known[i];

		if (known->validator && strcmp(known->validator, download->validator) == 0) {
			download->found = known;
			return false;
		}
	}
	download->etag =
		download->validator && download->validator[0] == '"' ? download->validator : NULL;
	if (length && header_number(length, &n_bytes) && n_bytes > LIMIT_BLOB_BYTES)
		return err_set(&download->err, ERR_INVALID, "it is larger than %lld bytes",
			       LIMIT_BLOB_BYTES);
	if (head->status != 206)
		return begin_again(download);
	if (part && header_content_range(part, &range) && range.first == download->got_bytes)
		return true;
	return err_set(&download->err, ERR_INVALID,
		       "the server gave another range than was asked for");
}

static bool on_bytes(void *ctx, const char *bytes, size_t n)
{
	struct download *download = ctx;

	if ((int64_t)n > LIMIT_BLOB_BYTES - download->got_bytes)
		return err_set(&download->err, ERR_INVALID, "it is larger than %lld bytes",
			       LIMIT_BLOB_BYTES);
	if (!fd_write_all(download->fd, bytes, n, &download->err))
		return false;
	sha256_update(&download->sha, bytes, n);
	download->got_bytes += (int64_t)n;
	return true;
}

/* An ETag is quoted, a date is not. */
static bool is_etag(const char *validator)
{
	return validator[0] == '"' || strncmp(validator, "W/\"", 3) == 0;
}

static void add_conditions(const struct download *download, struct strings *headers)
{
	const struct blob_version *known = download->known;
	struct arena *arena = download->arena;
	bool has_etag = false;

	if (download->got_bytes > 0 && download->etag) {
		vec_push(arena, headers,
			 arena_printf(arena, "Range: bytes=%lld-", (long long)download->got_bytes));
		vec_push(arena, headers, arena_printf(arena, "If-Range: %s", download->etag));
		return;
	}
	for (size_t i = 0; i < 2; i++)
		has_etag |= known[i].validator && is_etag(known[i].validator);
	for (size_t i = 0; i < 2; i++) {
		if (!known[i].validator || is_etag(known[i].validator) != has_etag)
			continue;
		vec_push(arena, headers,
			 arena_printf(arena, "%s: %s",
				      has_etag ? "If-None-Match" : "If-Modified-Since",
				      known[i].validator));
		return; /* one: an answer of 304 must tell which */
	}
}

/* The version whose validator was sent as the condition. */
static const struct blob_version *asked_version(const struct download *download)
{
	const struct blob_version *known = download->known;
	size_t i = 0;

	if (!known[0].validator ||
	    (!is_etag(known[0].validator) && known[1].validator && is_etag(known[1].validator)))
		i = 1;
	return &known[i];
}

/* False with *again: the transfer was cut off, and trying once more is worth it. */
static bool transfer(struct http *http, const struct blob_request *from, struct download *download,
		     bool *again, struct err *err)
{
	struct http_response response;
	struct strings headers = { 0 };
	struct http_request request = {
		.method = "GET",
		.url = from->url,
		.headers = &headers,
		.user = from->user,
		.password = from->password,
		.bearer = from->bearer,
		.start = on_head,
		.write = on_bytes,
		.write_ctx = download,
		.timeout_ms = download->deadline_ms - clock_mono_ms(),
	};

	*again = false;
	if (request.timeout_ms <= 0)
		return err_set(err, ERR_TRANSIENT, "the download takes longer than %d s",
			       DOWNLOAD_MS / 1000);
	if (from->authorization)
		vec_push(download->arena, &headers,
			 arena_printf(download->arena, "Authorization: %s", from->authorization));
	add_conditions(download, &headers);
	if (!http_send(http, &request, download->arena, &response, err)) {
		if (download->found)
			return true;
		*again = download->err.kind == ERR_NONE && err->kind == ERR_TRANSIENT &&
			 download->got_bytes > 0;
		if (download->err.kind != ERR_NONE)
			*err = download->err;
		return false;
	}
	if (response.status == 304 && asked_version(download)->validator) {
		download->found = asked_version(download);
		return true;
	}
	/* Of the part, not of the whole: another server behind the same name may have other bytes. */
	if (response.status == 416 && download->got_bytes > 0) {
		*again = begin_again(download);
		if (!*again)
			*err = download->err;
		return *again ? err_set(err, ERR_TRANSIENT, "the server refuses the rest") : false;
	}
	return response.status == 200 || response.status == 206 ||
	       remote_fail(&response, "cannot read the blob", download->arena, err);
}

static bool fetch(const struct blob_request *from, struct download *download, struct err *err)
{
	struct http *http = NULL;
	bool is_done, again = false;

	if (!http_open(&from->http, &http, err))
		return false;
	is_done = begin_again(download);
	if (!is_done)
		*err = download->err;
	for (unsigned i = 0; is_done; i++) {
		struct err failed = { 0 };

		is_done = transfer(http, from, download, &again, &failed);
		if (is_done)
			break;
		if (!again || i + 1 == TRIES) {
			*err = failed;
			break;
		}
		is_done = true;
		clock_sleep_ms(backoff_ms(i, BACKOFF_BASE_MS, BACKOFF_CAP_MS));
	}
	http_close(&http);
	return is_done;
}

/* Downloads, unless the server says that it is one of the two versions that are known. */
static bool get(const struct blob_place *place, const struct blob_version known[2],
		struct arena *arena, struct blob_version *out, struct err *err)
{
	struct download download = { .known = known,
				     .arena = arena,
				     .fd = -1,
				     .deadline_ms = clock_mono_ms() + DOWNLOAD_MS };
	struct blob_request from;
	const char *path = NULL;
	struct digest digest;
	bool is_done;

	if (!access_blob(place->access, place->url, place->auth, arena, &from, err) ||
	    !blob_cache_create(place->cache_dir, arena, &download.fd, &path, err))
		return false;
	is_done = fetch(&from, &download, err);
	if (is_done && !download.found) {
		digest = sha256_final(&download.sha);
		*out = (struct blob_version){ arena_strdup(arena, digest.text),
					      download.validator };
		is_done = blob_cache_keep(place->cache_dir, path, out->content, err);
		if (is_done && out->validator)
			blob_cache_remember(place->cache_dir, place->url, *out);
	} else {
		unlink(path);
		if (is_done)
			*out = *download.found;
	}
	fd_close(&download.fd);
	return is_done;
}

bool source_blob_resolve(const struct blob_place *place, const struct blob_version *known,
			 struct arena *arena, struct blob_version *out, struct err *err)
{
	struct blob_version both[2] = {
		blob_cache_version(place->cache_dir, place->url, arena),
		known && known->content && known->validator ? *known : (struct blob_version){ 0 },
	};

	for (size_t i = 0; i < COUNTOF(both); i++)
		if (place->is_doubted || (both[i].validator && !is_plain(both[i].validator)))
			both[i] = (struct blob_version){ 0 };
	*out = (struct blob_version){ 0 };
	return get(place, both, arena, out, err);
}

bool source_blob_open(const struct blob_place *place, const char *content, struct arena *arena,
		      int *fd, struct err *err)
{
	static const struct blob_version unknown[2];
	struct blob_version now;

	*fd = -1;
	if (content && !blob_cache_open(place->cache_dir, content, fd, err))
		return false;
	if (*fd >= 0)
		return true;
	if (!get(place, unknown, arena, &now, err))
		return false;
	if (content && strcmp(now.content, content) != 0)
		return err_set(err, ERR_CONFLICT, "the blob is now '%s', not '%s' as planned",
			       now.content, content);
	if (!blob_cache_open(place->cache_dir, now.content, fd, err))
		return false;
	return *fd >= 0 || err_set(err, ERR_CONFLICT, "the downloaded blob is gone");
}
