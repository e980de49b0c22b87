/* SPDX-License-Identifier: Apache-2.0 */
/* test_git_url.c — every accepted form with its parts and identities, every refused one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/sys/git_url.h"

struct row {
	const char *text;
	enum git_scheme scheme;
	const char *user, *host;
	int port;
	const char *path, *canonical, *identity;
};

/* clang-format off */
static const struct row rows[] = {
	{ "https://Git.Example.com/g/app.git", GIT_SCHEME_HTTPS, NULL, "git.example.com", 0, "/g/app.git", "https://git.example.com/g/app", "git.example.com/g/app" },
	{ "https://git.example.com:443/g/app/", GIT_SCHEME_HTTPS, NULL, "git.example.com", 0, "/g/app/", "https://git.example.com/g/app", "git.example.com/g/app" },
	{ "http://me:p%40ss@h:8080/a", GIT_SCHEME_HTTP, "me", "h", 8080, "/a", "http://h:8080/a", "h:8080/a" },
	{ "ssh://git@h:2222/srv/a.git", GIT_SCHEME_SSH, "git", "h", 2222, "/srv/a.git", "ssh://git@h:2222/srv/a", "h:2222/srv/a" },
	{ "git+ssh://h/a%20b", GIT_SCHEME_SSH, NULL, "h", 0, "/a b", "ssh://h/a b", "h/a b" },
	{ "ssh://git@h/~u/a", GIT_SCHEME_SSH, "git", "h", 0, "~u/a", "ssh://git@h/./~u/a", "h/~u/a" },
	{ "git@github.com:g/app.git", GIT_SCHEME_SSH, "git", "github.com", 0, "g/app.git", "ssh://git@github.com/./g/app", "github.com/g/app" },
	{ "h:/srv/a", GIT_SCHEME_SSH, NULL, "h", 0, "/srv/a", "ssh://h/srv/a", "h/srv/a" },
	{ "u@[::1]:a", GIT_SCHEME_SSH, "u", "::1", 0, "a", "ssh://u@[::1]/./a", "[::1]/a" },
	{ "ssh://[::1]:2222/a", GIT_SCHEME_SSH, NULL, "::1", 2222, "/a", "ssh://[::1]:2222/a", "[::1]:2222/a" },
	{ "git://127.0.0.1:9419/a.git", GIT_SCHEME_GIT, NULL, "127.0.0.1", 9419, "/a.git", "git://127.0.0.1:9419/a", "127.0.0.1:9419/a" },
	{ "file:///srv/a%2fb/", GIT_SCHEME_LOCAL, NULL, NULL, 0, "/srv/a/b", "/srv/a/b", "/srv/a/b" },
	{ "file://localhost/srv/a.git", GIT_SCHEME_LOCAL, NULL, NULL, 0, "/srv/a.git", "/srv/a.git", "/srv/a.git" },
	{ "./a:b", GIT_SCHEME_LOCAL, NULL, NULL, 0, "./a:b", "./a:b", "./a:b" },
	{ "../repo/", GIT_SCHEME_LOCAL, NULL, NULL, 0, "../repo", "../repo", "../repo" },
	{ "/", GIT_SCHEME_LOCAL, NULL, NULL, 0, "/", "/", "/" },
};

static const char *const refused[] = {
	"", "-x", "--upload-pack=touch /tmp/x", "ssh://-oProxyCommand=x/a", "ssh://h", "https://h/", "https:///a", "-h:a", "h:-x", "h:",
	"ext::sh -c id", "fd::7", "ftp://h/a", "https://h/a?b=c", "https://h/a#b", "https://h/a b", "https://h\n/a", "ssh://h/a%0ab", "ssh://h/a%00b",
	"https://u%0a:p@h/a", "https://h:99999/a", "https://h:0/a", "https://h:8x/a", "file://host/a", "file://rel", "ssh://[::1/a", "ssh://-u@h/a",
	"ssh://h/%zz", "u\tv:a",
};
/* clang-format on */

static void same(const char *a, const char *b)
{
	if (b)
		assert_string_equal(a, b);
	else
		assert_null(a);
}

static void test_git_url__reads_every_form(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct git_url url;
		struct err err = { 0 };

		if (!git_url_parse(rows[i].text, arena, &url, &err))
			fail_msg("'%s': %s", rows[i].text, err.text);
		assert_int_equal(url.scheme, rows[i].scheme);
		same(url.user, rows[i].user);
		same(url.host, rows[i].host);
		assert_int_equal(url.port, rows[i].port);
		same(url.path, rows[i].path);
		same(url.canonical, rows[i].canonical);
		same(url.identity, rows[i].identity);
	}
	arena_free(arena);
}

static void test_git_url__refuses_what_could_be_an_option_a_helper_or_a_second_line(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(refused); i++) {
		struct git_url url;
		struct err err = { 0 };

		if (git_url_parse(refused[i], arena, &url, &err))
			fail_msg("'%s' was accepted", refused[i]);
		assert_int_equal(err.kind, ERR_INVALID);
	}
	arena_free(arena);
}

static void test_git_url__keeps_passwords_out_of_what_is_shown(void **state)
{
	struct arena *arena = arena_new();
	struct git_url url;
	struct err err = { 0 };

	(void)state;
	assert_true(git_url_parse("https://me:s3cret@h/a", arena, &url, &err));
	assert_string_equal(url.password, "s3cret");
	assert_null(strstr(url.canonical, "s3cret"));
	assert_null(strstr(url.request, "s3cret"));
	assert_null(strstr(url.identity, "me"));
	assert_false(git_url_parse("https://me:s3cret@h:bad/a", arena, &url, &err));
	assert_null(strstr(err.text, "s3cret"));
	arena_free(arena);
}

static void test_git_url__knows_the_same_server(void **state)
{
	struct arena *arena = arena_new();
	struct git_url a, b;
	struct err err = { 0 };

	(void)state;
	assert_true(git_url_parse("https://H/a", arena, &a, &err));
	assert_true(git_url_parse("https://h:443/b", arena, &b, &err));
	assert_true(git_url_is_same_server(&a, &b));
	assert_true(git_url_parse("http://h/b", arena, &b, &err));
	assert_false(git_url_is_same_server(&a, &b));
	assert_true(git_url_parse("https://h.evil/b", arena, &b, &err));
	assert_false(git_url_is_same_server(&a, &b));
	arena_free(arena);
}

static void test_git_ref__follows_check_ref_format(void **state)
{
	static const char *const good[] = { "refs/heads/main", "refs/heads/reconcile/state",
					    "refs/tags/v1.0", "refs/heads/a./b" };
	static const char *const bad[] = { "main",
					   "refs/heads/",
					   "refs/heads/a..b",
					   "refs/heads/.a",
					   "refs/heads/a.lock",
					   "refs/heads/a b",
					   "refs/heads//a",
					   "refs/heads/a.",
					   "refs/heads/a~1",
					   "refs/heads/a^",
					   "refs/heads/a:b",
					   "refs/heads/a?",
					   "refs/heads/a*",
					   "refs/heads/[a",
					   "refs/heads/a\\b",
					   "refs/heads/a@{b",
					   "refs/heads/a\nb",
					   "",
					   "refs/heads/a/" };

	(void)state;
	for (size_t i = 0; i < COUNTOF(good); i++)
		assert_true(git_ref_is_valid(good[i]));
	for (size_t i = 0; i < COUNTOF(bad); i++)
		assert_false(git_ref_is_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_git_url__reads_every_form),
		cmocka_unit_test(
			test_git_url__refuses_what_could_be_an_option_a_helper_or_a_second_line),
		cmocka_unit_test(test_git_url__keeps_passwords_out_of_what_is_shown),
		cmocka_unit_test(test_git_url__knows_the_same_server),
		cmocka_unit_test(test_git_ref__follows_check_ref_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
