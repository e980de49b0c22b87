/* SPDX-License-Identifier: Apache-2.0 */
/* test_ref.c — the reference grammar, its defaults and its messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/buf.h"
#include "model/oci/ref.h"

#define HEX    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA    "sha256:" HEX
#define HUB    "index.docker.io"
#define LATEST "latest"

struct good {
	const char *text, *registry, *repo, *tag, *digest;
	bool has_tag;
};

/* clang-format off */
static const struct good good_refs[] = {
	{ "busybox",                     HUB, "library/busybox", LATEST, NULL, false },
	{ "busybox:1.36",                HUB, "library/busybox", "1.36", NULL, true },
	{ "busybox:latest",              HUB, "library/busybox", LATEST, NULL, true },
	{ "busybox@" SHA,                HUB, "library/busybox", NULL, SHA, false },
	{ "busybox:1@" SHA,              HUB, "library/busybox", "1", SHA, true },
	{ "paketo/builder",              HUB, "paketo/builder", LATEST, NULL, false },
	{ "docker.io/busybox",           HUB, "library/busybox", LATEST, NULL, false },
	{ "index.docker.io/a/b/c:t",     HUB, "a/b/c", "t", NULL, true },
	{ "docker.io/library/busybox",   HUB, "library/busybox", LATEST, NULL, false },
	{ "test.com:tag",                HUB, "library/test.com", "tag", NULL, true },
	{ "test.com:5000",               HUB, "library/test.com", "5000", NULL, true },
	{ "test_com/foo",                HUB, "test_com/foo", LATEST, NULL, false },
	{ "foo/foo_bar.com:8080",        HUB, "foo/foo_bar.com", "8080", NULL, true },
	{ "localhost/x",                 "localhost", "x", LATEST, NULL, false },
	{ "localhost:5000/x:y",          "localhost:5000", "x", "y", NULL, true },
	{ "test:5000/repo:tag@" SHA,     "test:5000", "repo", "tag", SHA, true },
	{ "registry.example.com/a/b",    "registry.example.com", "a/b", LATEST, NULL, false },
	{ "UPPER.example.com/a",         "UPPER.example.com", "a", LATEST, NULL, false },
	{ "sub-dom1.foo.com/b/c:T-1_2.", "sub-dom1.foo.com", "b/c", "T-1_2.", NULL, true },
	{ "xn--n3h.com/my:xn--n3h.com",  "xn--n3h.com", "my", "xn--n3h.com", NULL, true },
	{ "192.168.1.1:5000/repo:5050",  "192.168.1.1:5000", "repo", "5050", NULL, true },
	{ "[2001:db8::1]/repo",          "[2001:db8::1]", "repo", LATEST, NULL, false },
	{ "[::1]:5000/repo:t@" SHA,      "[::1]:5000", "repo", "t", SHA, true },
	{ "r.io/a__b/c---d/e.f_g",       "r.io", "a__b/c---d/e.f_g", LATEST, NULL, false },
	{ "r.io/a:_x",                   "r.io", "a", "_x", NULL, true },
};

static const struct { const char *text, *part; } bad_refs[] = {
	{ "",                          "the name is empty" },
	{ "@" SHA,                     "the name is empty" },
	{ ":justtag",                  "the repository is empty" },
	{ "Uppercase:tag",             "the repository must be lower case" },
	{ "Upper/lower",               "the repository must be lower case" },
	{ "test:5000/Upper/lower:tag", "the repository must be lower case" },
	{ "aa/asdf$$^/aa",             "the repository has a character outside" },
	{ "a//b",                      "the repository has an empty part" },
	{ "/a",                        "the repository has an empty part" },
	{ "a/",                        "the repository has an empty part" },
	{ "r.io/",                     "the repository is empty" },
	{ "r.io/../b",                 "the repository has a part that does not begin" },
	{ "a/.b",                      "the repository has a part that does not begin" },
	{ "a/b-",                      "the repository has a part that does not end" },
	{ "a/b..c",                    "the repository has a part that does not begin" },
	{ "a/b___c",                   "the repository has a part that does not begin" },
	{ "a/b._c",                    "the repository has a part that does not begin" },
	{ "a b",                       "the repository has a character outside" },
	{ "caf\xc3\xa9",               "the repository has a character outside" },
	{ "a:",                        "the tag must be" },
	{ "a:.b",                      "the tag must be" },
	{ "a:-b",                      "the tag must be" },
	{ "a:b c",                     "the tag must be" },
	{ "a:b:c",                     "the repository has a character outside" },
	{ "http://r.io/a",             "the registry has no valid port" },
	{ "r.io:0/a",                  "the registry has a port outside" },
	{ "r.io:65536/a",              "the registry has a port outside" },
	{ "r.io:123456/a",             "the registry has no valid port" },
	{ "-r.io/a",                   "the registry is not a host name" },
	{ "r..io/a",                   "the registry is not a host name" },
	{ "r_x.io/a",                  "the registry has a character that a host name" },
	{ "[2001:db8::1]",             "the repository has a character outside" },
	{ "[2001:db8::1]:5000",        "the repository has a character outside" },
	{ "[fe80::1%eth0]:5000/repo",  "the registry has no valid IPv6 address" },
	{ "[::1/repo",                 "the registry has no valid IPv6 address" },
	{ "[::1]x/repo",               "the registry has text behind the bracket" },
	{ "a@sha256:abc",              "the digest is not 'sha256:'" },
	{ "a@" SHA "0",                "the digest is not 'sha256:'" },
	{ "a@" SHA "@" SHA,            "the digest is not 'sha256:'" },
	{ "a@sha512:" HEX HEX,         "sha512 digests are not supported" },
	{ "a@md5:" HEX,                "the digest is not 'sha256:'" },
};
/* clang-format on */

static void assert_text(const char *got, const char *want)
{
	if (!want)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

static void test_ref__splits_every_good_form(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(good_refs); i++) {
		const struct good *row = &good_refs[i];
		struct ref ref, again;
		struct err err = { 0 };

		if (!ref_parse(row->text, arena, &ref, &err))
			fail_msg("%s: %s", row->text, err.text);
		assert_text(ref.registry, row->registry);
		assert_text(ref.repo, row->repo);
		assert_text(ref.tag, row->tag);
		assert_text(ref.digest, row->digest);
		assert_int_equal(ref.has_tag, row->has_tag);
		/* What is printed reads back as the same reference. */
		assert_true(ref_parse(ref_format(&ref, arena), arena, &again, &err));
		assert_string_equal(ref_format(&again, arena), ref_format(&ref, arena));
	}
	arena_free(arena);
}

static void test_ref__says_which_part_is_wrong(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(bad_refs); i++) {
		struct ref ref;
		struct err err = { 0 };

		if (ref_parse(bad_refs[i].text, arena, &ref, &err))
			fail_msg("'%s' was taken", bad_refs[i].text);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_null(ref.registry);
		if (!strstr(err.text, bad_refs[i].part))
			fail_msg("'%s': %s", bad_refs[i].text, err.text);
	}
	arena_free(arena);
}

static void test_ref__takes_255_bytes_of_repository_and_no_more(void **state)
{
	struct arena *arena = arena_new();
	struct ref ref;
	struct err err = { 0 };
	char path[257];

	(void)state;
	memset(path, 'a', 256);
	path[256] = 0;
	assert_false(ref_parse(arena_printf(arena, "r.io/%s", path), arena, &ref, &err));
	assert_non_null(strstr(err.text, "longer than 255 bytes"));
	path[255] = 0;
	assert_true(ref_parse(arena_printf(arena, "r.io/%s:t", path), arena, &ref, &err));
	assert_int_equal(strlen(ref.repo), 255);
	/* On Docker Hub "library/" counts. */
	assert_false(ref_parse(path, arena, &ref, &err));
	path[255 - strlen("library/")] = 0;
	assert_true(ref_parse(path, arena, &ref, &err));
	arena_free(arena);
}

static void test_ref__takes_128_bytes_of_tag_and_no_more(void **state)
{
	char tag[130];

	(void)state;
	memset(tag, 'a', 129);
	tag[129] = 0;
	assert_false(ref_tag_is_valid(tag));
	tag[128] = 0;
	assert_true(ref_tag_is_valid(tag));
	assert_false(ref_tag_is_valid(""));
}

static void test_ref__prints_the_forms_that_people_see(void **state)
{
	struct arena *arena = arena_new();
	struct ref ref;
	struct err err = { 0 };

	(void)state;
	assert_true(ref_parse("busybox", arena, &ref, &err));
	assert_string_equal(ref_format(&ref, arena), "index.docker.io/library/busybox:latest");
	assert_string_equal(ref_name(&ref, arena), "index.docker.io/library/busybox");
	assert_string_equal(ref_pinned(&ref, SHA, arena), "index.docker.io/library/busybox@" SHA);
	assert_string_equal(ref_identifier(&ref), "latest");
	assert_true(ref_parse("r.io/a:t@" SHA, arena, &ref, &err));
	assert_string_equal(ref_format(&ref, arena), "r.io/a:t@" SHA);
	assert_string_equal(ref_identifier(&ref), SHA);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ref__splits_every_good_form),
		cmocka_unit_test(test_ref__says_which_part_is_wrong),
		cmocka_unit_test(test_ref__takes_255_bytes_of_repository_and_no_more),
		cmocka_unit_test(test_ref__takes_128_bytes_of_tag_and_no_more),
		cmocka_unit_test(test_ref__prints_the_forms_that_people_see),
	};

	return cmocka_run_group_tests_name("ref", tests, NULL, NULL);
}
