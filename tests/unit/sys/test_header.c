/* SPDX-License-Identifier: Apache-2.0 */
/* test_header.c — header values and URLs, table by table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/sys/header.h"
#include "buildexec/sys/url.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples. */
#define RFC_DATE 784111777

static void test_retry_after__takes_seconds_and_dates(void **state)
{
	static const struct {
		const char *value;
		int64_t want;
	} rows[] = {
		{ "0", 0 },
		{ "120", 120 },
		{ " 5 ", 5 },
		{ "999999999999999999", 999999999999999999 },
		{ "1000000000000000000", -1 },
		{ "-1", -1 },
		{ "5s", -1 },
		{ "", -1 },
		{ "soon", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 37 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 37 },
		{ "Sun Nov  6 08:49:37 1994", 37 },
		{ "Sun, 06 Nov 1994 08:48:00 GMT", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (header_retry_after(rows[i].value, RFC_DATE - 37) != rows[i].want)
			fail_msg("'%s'", rows[i].value);
}

/* What a value reads as: scheme(realm|service|scope) per challenge. */
static char *challenges_text(struct arena *arena, const char *value)
{
	struct challenge list[4];
	size_t n = header_challenges(value, arena, list, COUNTOF(list));
	char *text = arena_strdup(arena, "");

	for (size_t i = 0; i < n; i++)
		text = arena_printf(arena, "%s%s(%s|%s|%s)", text, list[i].scheme,
				    list[i].realm ? list[i].realm : "",
				    list[i].service ? list[i].service : "",
				    list[i].scope ? list[i].scope : "");
	return text;
}

static void test_challenges__splits_schemes_and_parameters(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "Basic realm=\"x\"", "basic(x||)" },
		{ "BASIC REALM=x", "basic(x||)" },
		{ "Bearer "
		  "realm=\"https://a.io/token\",service=\"s\",scope=\"repository:a/b:pull,push\"",
		  "bearer(https://a.io/token|s|repository:a/b:pull,push)" },
		{ "Bearer realm=https://a.io/token, service=s", "bearer(https://a.io/token|s|)" },
		{ "Bearer realm = \"r\" , scope = \"a b\"", "bearer(r||a b)" },
		{ "Basic realm=\"a \\\"b\\\", c\", Bearer realm=\"t\"",
		  "basic(a \"b\", c||)bearer(t||)" },
		{ "Negotiate, Basic realm=x", "negotiate(||)basic(x||)" },
		{ "Negotiate YWJj==, Basic realm=x", "negotiate(||)basic(x||)" },
		{ "Basic", "basic(||)" },
		{ "Bearer realm=\"open", "bearer(||)" },
		{ "Bearer realm=\"a\",realm=\"b\"", "bearer(a||)" },
		{ "", "" },
		{ ",,", "" },
		{ "=x", "" },
		{ "a b c d e f", "a(||)b(||)c(||)d(||)" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(challenges_text(arena, rows[i].value), rows[i].want);
	arena_free(arena);
}

static void test_link_next__finds_the_next_page(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "</v2/a/tags/list?n=2&last=b>; rel=\"next\"", "/v2/a/tags/list?n=2&last=b" },
		{ "<x>; rel=next", "x" },
		{ "<a>; rel=\"prev\", <b>;title=\"t;,\" ; rel=\"first NEXT\"", "b" },
		{ "<a>; rel=prev; rel=next", NULL },
		{ "<a>", NULL },
		{ "<a", NULL },
		{ "a; rel=next", NULL },
		{ "<a>; rel=\"next", NULL },
		{ "", NULL },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *got = header_link_next(rows[i].value, arena);

		if (!rows[i].want && got)
			fail_msg("'%s': %s", rows[i].value, got);
		else if (rows[i].want)
			assert_string_equal(got, rows[i].want);
	}
	arena_free(arena);
}

static void test_content_range__is_exact(void **state)
{
	static const struct {
		const char *value;
		bool is_good;
		struct content_range want;
	} rows[] = {
		{ "bytes 0-9/10", true, { 0, 9, 10 } },
		{ "Bytes 5-9/*", true, { 5, 9, -1 } },
		{ "bytes 0-10/10", false, { 0 } },
		{ "bytes 9-5/10", false, { 0 } },
		{ "bytes */10", false, { 0 } },
		{ "bytes 0-9", false, { 0 } },
		{ "bytes=0-9/10", false, { 0 } },
		{ "bytes 0-9/10x", false, { 0 } },
		{ "bytes 0-9999999999999999999/1", false, { 0 } },
		{ "items 0-9/10", false, { 0 } },
		{ "", false, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct content_range got;

		if (header_content_range(rows[i].value, &got) != rows[i].is_good)
			fail_msg("'%s'", rows[i].value);
		assert_int_equal(got.first, rows[i].want.first);
		assert_int_equal(got.last, rows[i].want.last);
		assert_int_equal(got.total, rows[i].want.total);
	}
}

static void test_media_type__drops_parameters(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(header_media_type("Application/JSON; charset=utf-8", arena),
			    "application/json");
	assert_null(header_media_type("", arena));
	assert_null(header_media_type(NULL, arena));
	arena_free(arena);
}

static void test_url__resolves_against_its_base(void **state)
{
	static const struct {
		const char *target, *want;
	} rows[] = {
		{ "/v2/x?y=1", "https://r.io:5000/v2/x?y=1" },
		{ "z", "https://r.io:5000/a/z" },
		{ "../z?q", "https://r.io:5000/z?q" },
		{ "?q=2", "https://r.io:5000/a/b?q=2" },
		{ "//other.io/x", "https://other.io/x" },
		{ "http://u:p@other.io/x#f", "http://other.io/x" },
	};
	struct arena *arena = arena_new();
	struct url base, url;
	struct err err = { 0 };

	(void)state;
	assert_true(url_parse("https://r.io:5000/a/b?c=d", arena, &base, &err));
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		assert_true(url_resolve(&base, rows[i].target, arena, &url, &err));
		assert_string_equal(url.text, rows[i].want);
	}
	arena_free(arena);
}

static void test_url__keeps_secrets_out_of_messages(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "ftp://u:secret@h/x?token=secret", "cannot use the URL 'ftp://h/x': " },
		{ "https://u:secret@h:99999999/?secret",
		  "cannot use the URL 'https://h:99999999/': " },
		{ "nonsense", "cannot use the URL 'nonsense': " },
	};
	struct arena *arena = arena_new();
	struct url url;

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct err err = { 0 };

		assert_false(url_parse(rows[i].text, arena, &url, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		if (strncmp(err.text, rows[i].want, strlen(rows[i].want)) != 0 ||
		    strstr(err.text, "secret"))
			fail_msg("%s", err.text);
	}
	arena_free(arena);
}

static void test_url__knows_its_origin_and_user(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} rows[] = {
		{ "https://h/a", "https://H:443/b", true },
		{ "https://h/", "http://h/", false },
		{ "https://h/", "https://h:444/", false },
		{ "https://h/", "https://g/", false },
		{ "http://[::1]:80/", "http://[::1]/", true },
		{ "https://u:p@h/", "https://h/", true },
	};
	struct arena *arena = arena_new();
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct url a, b;

		assert_true(url_parse(rows[i].a, arena, &a, &err));
		assert_true(url_parse(rows[i].b, arena, &b, &err));
		assert_int_equal(url_same_origin(&a, &b), rows[i].is_same);
	}
	{
		struct url url;

		assert_true(url_parse("https://a%40b:p%3Aw@h/x", arena, &url, &err));
		assert_string_equal(url.user, "a@b");
		assert_string_equal(url.password, "p:w");
		assert_string_equal(url.text, "https://h/x");
		assert_string_equal(url_shown(&url, arena), "https://h/x");
	}
	arena_free(arena);
}

static void test_url_add_query__encodes(void **state)
{
	AUTO_BUF url = BUF_INIT(1000);

	(void)state;
	buf_puts(&url, "https://h/x");
	url_add_query(&url, "scope", "repository:a/b:pull");
	url_add_query(&url, "s", "\xc3\xa9&");
	assert_string_equal(buf_text(&url),
			    "https://h/x?scope=repository%3Aa%2Fb%3Apull&s=%C3%A9%26");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry_after__takes_seconds_and_dates),
		cmocka_unit_test(test_challenges__splits_schemes_and_parameters),
		cmocka_unit_test(test_link_next__finds_the_next_page),
		cmocka_unit_test(test_content_range__is_exact),
		cmocka_unit_test(test_media_type__drops_parameters),
		cmocka_unit_test(test_url__resolves_against_its_base),
		cmocka_unit_test(test_url__keeps_secrets_out_of_messages),
		cmocka_unit_test(test_url__knows_its_origin_and_user),
		cmocka_unit_test(test_url_add_query__encodes),
	};

	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
