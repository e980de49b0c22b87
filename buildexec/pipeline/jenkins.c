/* SPDX-License-Identifier: Apache-2.0 */
/* jenkins.c — see jenkins.h. The tries are counted here and not in http.c, so that an interrupt is heard between them. */
#include "buildexec/pipeline/jenkins.h"

#include <string.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/url.h"
#include "model/doc/utf8.h"

enum {
	CONNECT_MS = 5000,
	CALL_MS = 10000,  /* one try; an interrupt waits for it */
	WRITE_MS = 60000, /* of one that gives its bytes piece by piece and hears interrupts */
	STOP_CALL_MS = 3000,
	LATE_CALL_MS = 1000, /* who is out of time is killed soon */
	BACKOFF_BASE_MS = 250,
	BACKOFF_CAP_MS = 5000,
	ASKED_CAP_MS = 60000, /* of Retry-After */
	SLICE_MS = 50,
	SAID_BYTES = 160,
};

static bool is_this_machine(const char *host)
{
	return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
	       strcmp(host, "[::1]") == 0;
}

bool jenkins_open(struct jenkins *jenkins, struct task *task, struct err *err)
{
	const struct request_jenkins *server = task->request->config->jenkins;
	struct http_options options = { .connect_timeout_ms = CONNECT_MS,
					.stall_timeout_ms = CALL_MS,
					.max_tries = 1 };
	struct url url;
	size_t n;

	*jenkins = (struct jenkins){ .task = task, .server = server, .arena = task->arena };
	if (!server || !server->url)
		return err_set(err, ERR_INVALID,
			       "no Jenkins server is named: set jenkins.url in the settings");
	if (!url_parse(server->url, task->arena, &url, err))
		return err_prefix(err, "jenkins.url");
	if (url.user)
		return err_set(
			err, ERR_INVALID,
			"jenkins.url has a user in it: name a Secret in jenkins.credentials");
	n = strlen(url.text);
	while (n > 0 && url.text[n - 1] == '/')
		n--;
	jenkins->base = arena_copy(task->arena, url.text, n);
	if (!url.is_https && server->token && !is_this_machine(url.host))
		task_notice(
			task,
			"jenkins.url is without TLS: whoever is between here and '%s' can read the "
			"API token",
			url.host);
	options.ca_file = server->ca_file;
	options.is_insecure = server->is_insecure;
	return http_open(&options, &jenkins->http, err);
}

void jenkins_close(struct jenkins *jenkins)
{
	http_close(&jenkins->http);
}

bool jenkins_must_stop(const struct jenkins *jenkins)
{
	int64_t deadline_ms = task_deadline_ms(jenkins->task);

	if (jenkins->is_stopping)
		return false;
	return task_is_cancelled(NULL) || (deadline_ms && clock_mono_ms() >= deadline_ms);
}

bool jenkins_wait(const struct jenkins *jenkins, int64_t ms)
{
	int64_t until_ms = clock_mono_ms() + ms, rest_ms;

	while (!jenkins_must_stop(jenkins)) {
		rest_ms = until_ms - clock_mono_ms();
		if (rest_ms <= 0)
			return true;
		clock_sleep_ms(rest_ms < SLICE_MS ? rest_ms : SLICE_MS);
	}
	return false;
}

/* One try must be over when the task's time is. */
static int64_t try_ms(const struct jenkins *jenkins, const struct jenkins_call *call)
{
	int64_t deadline_ms = task_deadline_ms(jenkins->task), ms, rest_ms;

	if (jenkins->is_stopping)
		return task_is_cancelled(NULL) ? STOP_CALL_MS : LATE_CALL_MS;
	ms = call->write ? WRITE_MS : CALL_MS;
	rest_ms = deadline_ms ? deadline_ms - clock_mono_ms() : ms;
	return rest_ms < 1 ? 1 : rest_ms < ms ? rest_ms : ms;
}

static bool try_once(struct jenkins *jenkins, const struct jenkins_call *call, struct arena *arena,
		     struct http_response *out, struct err *err)
{
	bool is_post = strcmp(call->method, "POST") == 0;
	struct strings headers = { 0 };
	struct http_request request = {
		.method = call->method,
		.url = arena_printf(arena, "%s/%s", jenkins->base, call->path),
		.headers = &headers,
		.user = jenkins->server->user,
		.password = jenkins->server->token,
		.body = call->body,
		.body_len = call->body ? strlen(call->body) : 0,
		.write = call->write,
		.write_ctx = call->write_ctx,
		.max_body = call->max_body ? call->max_body : JENKINS_BODY,
		.timeout_ms = try_ms(jenkins, call),
		.no_redirects = true,
		.no_retry = true,
		.is_only_once = is_post,
	};

	if (call->type)
		vec_push(arena, &headers, arena_printf(arena, "Content-Type: %s", call->type));
	if (jenkins->cookies)
		vec_push(arena, &headers, jenkins->cookies);
	if (is_post && jenkins->crumb.field)
		vec_push(arena, &headers,
			 arena_printf(arena, "%s: %s", jenkins->crumb.field, jenkins->crumb.value));
	return http_send(jenkins->http, &request, arena, out, err);
}

/* What the server says of a failure: a header that Jenkins sets for programs. */
static const char *said(const struct http_response *answer, struct arena *arena)
{
	const char *text = http_header(answer, "X-Error");
	AUTO_BUF out = BUF_INIT(SAID_BYTES);
	uint32_t c;

	if (!text)
		return "";
	buf_puts(&out, ": ");
	for (size_t at = 0, len = strlen(text), n; at < len; at += n ? n : 1) {
		n = utf8_get(text + at, len - at, &c);
		if (out.len + (n ? n : 1) > SAID_BYTES)
			break;
		if (n == 0 || utf8_is_control(c))
			buf_byte(&out, '?');
		else
			buf_add(&out, text + at, n);
	}
	return buf_copy(&out, arena);
}

static bool redirect_fail(const struct http_response *answer, const char *where,
			  struct arena *arena, struct err *err)
{
	const char *location = http_header(answer, "Location");
	struct err ignored = { 0 };
	struct url base, target;

	if (location && url_parse(answer->final_url, arena, &base, &ignored) &&
	    url_resolve(&base, location, arena, &target, &ignored))
		location = url_shown(&target, arena);
	else
		location = "nowhere";
	return err_set(
		err, ERR_INVALID,
		"%s redirects to '%s', which is not followed: set jenkins.url to where Jenkins "
		"answers itself, and jenkins.credentials if that is a login page",
		where, location);
}

static bool denied_fail(const struct jenkins *jenkins, int status, const char *where,
			struct err *err)
{
	if (!jenkins->server->user)
		return err_set(
			err, ERR_DENIED,
			"%s refuses a request without credentials (%d): set jenkins.credentials",
			where, status);
	if (status == 401)
		return err_set(err, ERR_DENIED,
			       "%s refuses user and API token (401): check jenkins.credentials",
			       where);
	return err_set(
		err, ERR_DENIED,
		"%s does not permit that to '%s' (%d): give the user of jenkins.credentials the "
		"right to create, configure, read, build and cancel jobs",
		where, jenkins->server->user, status);
}

static bool is_trouble(int status)
{
	return status == 408 || status == 429 || status >= 500;
}

static bool status_fail(const struct jenkins *jenkins, const struct jenkins_call *call,
			const struct http_response *answer, struct arena *arena, struct err *err)
{
	const char *where = arena_printf(arena, "'%s/%.*s'", jenkins->base,
					 (int)strcspn(call->path, "?"), call->path);
	int status = answer->status;

	if (status >= 300 && status < 400)
		return redirect_fail(answer, where, arena, err);
	if (status == 401 || status == 403)
		return denied_fail(jenkins, status, where, err);
	if (is_trouble(status))
		return err_set(err, ERR_TRANSIENT, "%s answers %d%s", where, status,
			       said(answer, arena));
	return err_set(err, ERR_INVALID, "%s answers %d%s", where, status, said(answer, arena));
}

static bool is_given_back(const struct jenkins_call *call, int status)
{
	return (status >= 200 && status < 300) || status == 404 ||
	       (call->also && status == call->also) ||
	       (call->may_redirect && status >= 300 && status < 400);
}

static int64_t next_wait_ms(const struct http_response *answer, unsigned attempt)
{
	int64_t ms = BACKOFF_BASE_MS / 2 + backoff_ms(attempt, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
	int64_t asked_ms = answer->retry_after_s < ASKED_CAP_MS / 1000
				   ? answer->retry_after_s * 1000
				   : ASKED_CAP_MS;

	return asked_ms > ms ? asked_ms : ms;
}

static bool cancelled_fail(struct err *err)
{
	return err_set(err, ERR_CANCELLED, "the pipeline is to end");
}

/* Tries until there is an answer that trying again would not change. */
static bool send_patiently(struct jenkins *jenkins, const struct jenkins_call *call,
			   struct arena *arena, struct http_response *out, struct err *err)
{
	int64_t started_ms = clock_mono_ms();

	for (unsigned attempt = 0;; attempt++) {
		struct err failed = { 0 };
		int64_t wait_ms;

		if (jenkins_must_stop(jenkins))
			return cancelled_fail(err);
		if (try_once(jenkins, call, arena, out, &failed)) {
			if (!is_trouble(out->status) ||
			    status_fail(jenkins, call, out, arena, &failed))
				return true;
		}
		if (failed.kind != ERR_TRANSIENT) {
			*err = failed;
			return failed.kind == ERR_DENIED
				       ? err_prefix(err,
						    "jenkins.url (jenkins.caFile names further "
						    "certificate authorities)")
				       : false;
		}
		wait_ms = next_wait_ms(out, attempt);
		if (clock_mono_ms() + wait_ms - started_ms >= call->patience_ms) {
			*err = failed;
			return jenkins_must_stop(jenkins) ? cancelled_fail(err) : false;
		}
		if (!jenkins_wait(jenkins, wait_ms))
			return cancelled_fail(err);
	}
}

static void take_cookies(struct jenkins *jenkins, const struct http_response *answer)
{
	const char *line, *all = NULL;

	for (size_t i = 0; (line = http_header_at(answer, "Set-Cookie", i)) != NULL; i++) {
		const char *pair = answer_cookie(line, jenkins->arena);

		if (pair)
			all = all ? arena_printf(jenkins->arena, "%s; %s", all, pair) : pair;
	}
	if (all)
		jenkins->cookies = arena_printf(jenkins->arena, "Cookie: %s", all);
}

/* A server without protection has no crumbs and answers 404. */
static bool fetch_crumb(struct jenkins *jenkins, int64_t patience_ms, struct arena *arena,
			struct err *err)
{
	struct jenkins_call call = { .method = "GET",
				     .path = "crumbIssuer/api/json",
				     .patience_ms = patience_ms };
	struct http_response answer;
	struct crumb crumb;

	jenkins->has_crumb = false;
	jenkins->crumb = (struct crumb){ 0 };
	jenkins->cookies = NULL;
	if (!send_patiently(jenkins, &call, arena, &answer, err))
		return false;
	if (!is_given_back(&call, answer.status))
		return status_fail(jenkins, &call, &answer, arena, err);
	if (answer.status != 404) {
		if (!answer_crumb(answer.body, answer.body_len, arena, &crumb, err))
			return err_prefix(err, "'%s/%s'", jenkins->base, call.path);
		jenkins->crumb.field = arena_strdup(jenkins->arena, crumb.field);
		jenkins->crumb.value = arena_strdup(jenkins->arena, crumb.value);
		take_cookies(jenkins, &answer);
	}
	jenkins->has_crumb = true;
	return true;
}

bool jenkins_send(struct jenkins *jenkins, const struct jenkins_call *call, struct arena *arena,
		  struct http_response *out, struct err *err)
{
	bool is_post = strcmp(call->method, "POST") == 0;
	bool is_fresh = false;

	for (;;) {
		if (is_post && !jenkins->has_crumb) {
			if (!fetch_crumb(jenkins, call->patience_ms, arena, err))
				return false;
			is_fresh = true;
		}
		if (!send_patiently(jenkins, call, arena, out, err))
			return false;
		/* The session may have run out, or the server begun anew: a crumb is asked for once more. */
		if (out->status != 403 || !is_post || is_fresh)
			break;
		jenkins->has_crumb = false;
	}
	return is_given_back(call, out->status) || status_fail(jenkins, call, out, arena, err);
}

bool jenkins_get(struct jenkins *jenkins, const char *path, int64_t patience_ms,
		 struct arena *arena, struct http_response *out, bool *found, struct err *err)
{
	struct jenkins_call call = { .method = "GET", .path = path, .patience_ms = patience_ms };

	*found = false;
	if (!jenkins_send(jenkins, &call, arena, out, err))
		return false;
	*found = out->status != 404;
	return true;
}
