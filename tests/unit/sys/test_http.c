/* SPDX-License-Identifier: Apache-2.0 */
/* test_http.c — the HTTP client against a server that misbehaves: retries, redirects, limits, trust. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buildexec/sys/clock.h"
#include "buildexec/sys/http.h"
#include "lib/servers.h"

static struct server server;
static char dir[64];
static char ca_file[128];
static struct http *client;
static struct arena *arena;

static int set_up(void **state)
{
	const char *const certs[] = { "bash", TEST_SOURCE_DIR "/tests/lib/servers.sh", "ca", dir,
				      NULL };
	const struct http_options options = { .ca_file = ca_file };
	struct err err = { 0 };

	(void)state;
	test_dir_make(dir, sizeof(dir));
	test_run(certs);
	snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", dir);
	if (!server_start(&server, "fake", dir, TEST_SOURCE_DIR "/tests/fake/registry.py", dir))
		return -1;
	arena = arena_new();
	return http_open(&options, &client, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	http_close(&client);
	arena_free(arena);
	server_stop(&server);
	test_dir_remove(dir);
	return 0;
}

static const char *url(const char *path)
{
	return arena_printf(arena, "http://%s%s", server.addr, path);
}

static struct http_response send_ok(struct http_request request)
{
	struct http_response response;
	struct err err = { 0 };

	if (!http_send(client, &request, arena, &response, &err))
		fail_msg("%s: %s", request.url, err.text);
	return response;
}

static struct err send_bad(struct http_request request)
{
	struct http_response response;
	struct err err = { 0 };

	if (http_send(client, &request, arena, &response, &err))
		fail_msg("%s: answered %d", request.url, response.status);
	return err;
}

/* How often this line is in the server's journal. */
static size_t seen(const char *line)
{
	struct http_response journal =
		send_ok((struct http_request){ .method = "GET", .url = url("/journal") });
	size_t n = 0;

	for (const char *c = journal.body; *c; c += strcspn(c, "\n"), c += *c == '\n')
		n += strncmp(c, line, strlen(line)) == 0 && strchr("\n", c[strlen(line)]);
	return n;
}

static const char *origin(const char *name)
{
	struct http_response origins =
		send_ok((struct http_request){ .method = "GET", .url = url("/origins") });
	const char *at = strstr(origins.body, arena_printf(arena, "\"%s\": \"", name));

	assert_non_null(at);
	at += strlen(name) + 5;
	return arena_copy(arena, at, strcspn(at, "\""));
}

static void test_http__sends_bodies_and_reads_answers(void **state)
{
	struct strings headers = { 0 };
	struct http_response response;

	(void)state;
	vec_push(arena, &headers, "Content-Type: text/x");
	response = send_ok((struct http_request){ .method = "PUT",
						  .url = url("/http/echo"),
						  .headers = &headers,
						  .body = "hello",
						  .body_len = 5 });
	assert_int_equal(response.status, 200);
	assert_string_equal(response.body, "hello");
	assert_string_equal(http_header(&response, "x-method"), "PUT");
	assert_string_equal(http_header(&response, "X-Type"), "text/x");
	assert_null(http_header(&response, "X-Absent"));
	response = send_ok((struct http_request){ .method = "POST", .url = url("/http/echo") });
	assert_int_equal(response.body_len, 0);
	assert_string_equal(http_header(&response, "X-Type"), "-");
	response = send_ok((struct http_request){ .method = "HEAD", .url = url("/http/echo") });
	assert_string_equal(http_header(&response, "X-Method"), "HEAD");
}

/* Bytes 0, 1, 2, … up to a length. */
struct counter {
	size_t at, len;
};

static int64_t read_counter(void *ctx, char *out, size_t cap)
{
	struct counter *counter = ctx;
	size_t n = counter->len - counter->at < cap ? counter->len - counter->at : cap;

	for (size_t i = 0; i < n; i++)
		out[i] = (char)(counter->at + i);
	counter->at += n;
	return (int64_t)n;
}

static bool rewind_counter(void *ctx)
{
	((struct counter *)ctx)->at = 0;
	return true;
}

static void test_http__streams_bodies_with_and_without_a_length(void **state)
{
	static const size_t lens[] = { 300000, SIZE_MAX };

	(void)state;
	for (size_t i = 0; i < COUNTOF(lens); i++) {
		struct counter counter = { 0, 300000 };
		struct http_response response =
			send_ok((struct http_request){ .method = "PUT",
						       .url = url("/http/echo"),
						       .read = read_counter,
						       .rewind = rewind_counter,
						       .read_ctx = &counter,
						       .body_len = lens[i] });

		assert_int_equal(response.body_len, 300000);
		for (size_t k = 0; k < 300000; k++)
			assert_int_equal((unsigned char)response.body[k], k % 256);
	}
}

static void test_http__tries_again_after_500_and_connection_errors(void **state)
{
	struct http_response response;
	struct err err;

	(void)state;
	response = send_ok((struct http_request){ .method = "GET", .url = url("/http/flaky") });
	assert_int_equal(response.status, 200);
	assert_string_equal(response.body, "third time");
	response =
		send_ok((struct http_request){ .method = "GET", .url = url("/http/always-500") });
	assert_int_equal(response.status, 500);
	assert_int_equal(seen("main GET /http/always-500 -"), 4);
	response = send_ok((struct http_request){
		.method = "PUT", .url = url("/http/always-500"), .no_retry = true });
	assert_int_equal(response.status, 500);
	assert_int_equal(seen("main PUT /http/always-500 -"), 1);
	response = send_ok((struct http_request){ .method = "GET", .url = url("/http/late") });
	assert_int_equal(response.status, 200);
	response = send_ok((struct http_request){ .method = "GET", .url = url("/http/half-head") });
	assert_string_equal(response.body, "whole");
	err = send_bad((struct http_request){ .method = "GET", .url = url("/http/no-answer") });
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_true(seen("main GET /http/no-answer -") >= 4);
}

static void test_http__waits_as_long_as_it_is_told(void **state)
{
	int64_t before = clock_mono_ms();
	struct http_response response =
		send_ok((struct http_request){ .method = "GET", .url = url("/http/wait") });

	(void)state;
	assert_int_equal(response.status, 200);
	assert_true(clock_mono_ms() - before >= 1000);
	/* Longer than there is time for: the answer is given back at once. */
	before = clock_mono_ms();
	response = send_ok((struct http_request){ .method = "GET", .url = url("/http/wait-long") });
	assert_int_equal(response.status, 429);
	assert_int_equal(response.retry_after_s, 100000);
	assert_true(clock_mono_ms() - before < 1000);
	/* Nor does anybody wait for hours who has them, as whoever reads a large blob. */
	response = send_ok((struct http_request){
		.method = "GET", .url = url("/http/wait-hours"), .timeout_ms = 4 * 3600 * 1000 });
	assert_int_equal(response.status, 503);
	assert_int_equal(response.retry_after_s, 9000);
	assert_true(clock_mono_ms() - before < 1000);
}

/* The connection of the journal is kept: on it libcurl would send again what was not answered. */
static void test_http__sends_only_once_what_must_not_be_done_twice(void **state)
{
	(void)state;
	assert_int_equal(seen("main POST /http/no-answer -"), 0);
	assert_int_equal(send_bad((struct http_request){ .method = "POST",
							 .url = url("/http/no-answer"),
							 .no_retry = true,
							 .is_only_once = true })
				 .kind,
			 ERR_TRANSIENT);
	assert_int_equal(seen("main POST /http/no-answer -"), 1);
}

static void test_http__says_the_same_for_a_closed_port_every_time(void **state)
{
	const struct http_request request = { .method = "GET",
					      .url = "http://127.0.0.1:1/x?token=secret",
					      .no_retry = true };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct err err = send_bad(request);

		assert_int_equal(err.kind, ERR_TRANSIENT);
		assert_string_equal(err.text,
				    "cannot reach 'http://127.0.0.1:1/x': Connection refused");
	}
}

static void test_http__keeps_credentials_with_their_origin(void **state)
{
	struct strings headers = { 0 };
	struct http_request request = { .method = "GET",
					.url = url("/http/away"),
					.user = "u",
					.password = "p",
					.headers = &headers };

	(void)state;
	assert_int_equal(send_ok(request).status, 200);
	assert_int_equal(seen("main GET /http/away Basic"), 1);
	assert_int_equal(seen("storage GET /http/echo -"), 1);
	request.user = NULL;
	request.bearer = "t";
	assert_int_equal(send_ok(request).status, 200);
	assert_int_equal(seen("main GET /http/away Bearer"), 1);
	assert_int_equal(seen("storage GET /http/echo -"), 2);
	request.bearer = NULL;
	vec_push(arena, &headers, "Authorization: Custom x");
	assert_int_equal(send_ok(request).status, 200);
	assert_int_equal(seen("main GET /http/away Custom"), 1);
	assert_int_equal(seen("storage GET /http/echo -"), 3);
	/* A way round does not bring them back. */
	request.url = url("/http/away-and-back");
	assert_int_equal(send_ok(request).status, 200);
	assert_int_equal(seen("main GET /http/echo Custom"), 0);
	assert_true(seen("main GET /http/echo -") >= 1);
}

static void test_http__follows_redirects_within_limits(void **state)
{
	struct http_response response;
	struct err err;

	(void)state;
	response = send_ok((struct http_request){
		.method = "POST", .url = url("/http/see-other"), .body = "x", .body_len = 1 });
	assert_string_equal(http_header(&response, "X-Method"), "GET");
	assert_string_equal(response.final_url, url("/http/echo"));
	response = send_ok((struct http_request){
		.method = "PUT", .url = url("/http/away"), .body = "body", .body_len = 4 });
	assert_string_equal(http_header(&response, "X-Method"), "PUT");
	assert_string_equal(response.body, "body");
	response = send_ok((struct http_request){
		.method = "GET", .url = url("/http/away"), .no_redirects = true });
	assert_int_equal(response.status, 307);
	err = send_bad((struct http_request){ .method = "GET", .url = url("/http/loop") });
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.text, "more than 5 redirects"));
}

static void test_http__refuses_to_step_down_from_https(void **state)
{
	struct http_request request = {
		.method = "GET",
		.url = arena_printf(arena, "%s/http/downgrade", origin("tls")),
	};
	struct err err = send_bad(request);

	(void)state;
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.text, "from https to http"));
}

static void test_http__trusts_only_known_authorities(void **state)
{
	const struct http_options options = { 0 }, insecure = { .is_insecure = true };
	const struct http_options wrong = { .ca_file = TEST_SOURCE_DIR "/CMakeLists.txt" };
	const struct http_options missing = { .ca_file = "/nonexistent/ca.pem" };
	const struct http_request request = {
		.method = "GET",
		.url = arena_printf(arena, "%s/http/echo", origin("tls")),
	};
	struct http_response response;
	struct http *other;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(send_ok(request).status, 200);
	assert_true(http_open(&options, &other, &err));
	assert_false(http_send(other, &request, arena, &response, &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "certificate"));
	http_close(&other);
	assert_true(http_open(&insecure, &other, &err));
	assert_true(http_send(other, &request, arena, &response, &err));
	http_close(&other);
	assert_false(http_open(&wrong, &other, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_false(http_open(&missing, &other, &err));
	assert_non_null(strstr(err.text, "does not exist"));
}

static void test_http__gives_up_on_a_server_that_says_nothing(void **state)
{
	struct http_request request = { .method = "GET",
					.url = url("/http/stall"),
					.stall_timeout_ms = 1000,
					.no_retry = true };
	int64_t before = clock_mono_ms();
	struct err err = send_bad(request);

	(void)state;
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_true(clock_mono_ms() - before < 10000);
	request.stall_timeout_ms = 0;
	request.timeout_ms = 500;
	before = clock_mono_ms();
	err = send_bad(request);
	assert_int_equal(err.kind, ERR_TRANSIENT);
	assert_true(clock_mono_ms() - before < 5000);
}

static void test_http__stops_at_its_limits(void **state)
{
	struct http_response response;
	struct err err;

	(void)state;
	err = send_bad((struct http_request){
		.method = "GET", .url = url("/http/endless"), .max_body = 100000 });
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.text, "longer than 100000 bytes"));
	response = send_ok((struct http_request){
		.method = "GET", .url = url("/http/endless-error"), .max_body = 1 << 20 });
	assert_int_equal(response.status, 400);
	assert_int_equal(response.body_len, 65536);
	err = send_bad((struct http_request){ .method = "GET", .url = url("/http/many-headers") });
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.text, "bytes of headers"));
	assert_true(err.is_foreign);
	err = send_bad((struct http_request){ .method = "GET", .url = url("/http/endless-line") });
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(strstr(err.text, "too long"));
	err = send_bad((struct http_request){ .method = "GET", .url = "file:///etc/passwd" });
	assert_int_equal(err.kind, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http__sends_bodies_and_reads_answers),
		cmocka_unit_test(test_http__streams_bodies_with_and_without_a_length),
		cmocka_unit_test(test_http__tries_again_after_500_and_connection_errors),
		cmocka_unit_test(test_http__waits_as_long_as_it_is_told),
		cmocka_unit_test(test_http__sends_only_once_what_must_not_be_done_twice),
		cmocka_unit_test(test_http__says_the_same_for_a_closed_port_every_time),
		cmocka_unit_test(test_http__keeps_credentials_with_their_origin),
		cmocka_unit_test(test_http__follows_redirects_within_limits),
		cmocka_unit_test(test_http__refuses_to_step_down_from_https),
		cmocka_unit_test(test_http__trusts_only_known_authorities),
		cmocka_unit_test(test_http__gives_up_on_a_server_that_says_nothing),
		cmocka_unit_test(test_http__stops_at_its_limits),
	};

	if (!has_program("python3") || !has_program("openssl")) {
		puts("needs python3 and openssl");
		return 77;
	}
	return cmocka_run_group_tests_name("http", tests, set_up, tear_down);
}
