/* SPDX-License-Identifier: Apache-2.0 */
/* test_docker_ref.c — references as OpenShift reads them: what is a registry, the forms made from one, equality. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/buf.h"
#include "model/oci/docker_ref.h"

#define HEX "3c87c572822935df60f0f5d3665bd376841a7fcfeb806b5f212de6a00e9a7b25"
#define ID  "sha256:" HEX

struct good {
	const char *text;
	struct docker_ref ref;
};

/* clang-format off */
static const struct good good_refs[] = {
	{ "foo",                        { "", "", "foo", "", "" } },
	{ "foo:tag",                    { "", "", "foo", "tag", "" } },
	{ "wildfly:15.0",               { "", "", "wildfly", "15.0", "" } },
	{ "foo:5000",                   { "", "", "foo", "5000", "" } },
	{ ID,                           { "", "", "sha256", HEX, "" } },
	{ "foo@" ID,                    { "", "", "foo", "", ID } },
	{ "foo:tag@" ID,                { "", "", "foo", "tag", ID } },
	{ "bar/foo",                    { "", "bar", "foo", "", "" } },
	{ "Bar/foo",                    { "", "Bar", "foo", "", "" } },
	{ "bar/foo:tag",                { "", "bar", "foo", "tag", "" } },
	{ "bar/foo@" ID,                { "", "bar", "foo", "", ID } },
	{ "bar/foo/baz",                { "", "bar", "foo/baz", "", "" } },
	{ "bar/library/baz",            { "", "bar", "library/baz", "", "" } },
	{ "bar/foo/baz:tag",            { "", "bar", "foo/baz", "tag", "" } },
	{ "bar/foo/baz@" ID,            { "", "bar", "foo/baz", "", ID } },
	{ "bar/foo/baz/biz",            { "", "bar", "foo/baz/biz", "", "" } },
	{ "bar:5000/foo/baz",           { "bar:5000", "foo", "baz", "", "" } },
	{ "bar:5000/library/baz",       { "bar:5000", "library", "baz", "", "" } },
	{ "bar:5000/baz",               { "bar:5000", "", "baz", "", "" } },
	{ "bar:5000/foo/baz:tag",       { "bar:5000", "foo", "baz", "tag", "" } },
	{ "bar:5000/foo/baz@" ID,       { "bar:5000", "foo", "baz", "", ID } },
	{ "myregistry.io/foo",          { "myregistry.io", "", "foo", "", "" } },
	{ "MyRegistry.IO/foo",          { "MyRegistry.IO", "", "foo", "", "" } },
	{ "localhost/bar",              { "localhost", "", "bar", "", "" } },
	{ "localhosts/bar",             { "", "localhosts", "bar", "", "" } },
	{ "docker.io/library/myapp",    { "docker.io", "library", "myapp", "", "" } },
	{ "docker.io/myapp",            { "docker.io", "", "myapp", "", "" } },
	{ "docker.io/user/project/app", { "docker.io", "user", "project/app", "", "" } },
	{ "index.docker.io/bar",        { "index.docker.io", "", "bar", "", "" } },
	{ "quay.io",                    { "quay.io", "", "", "", "" } },
	{ "quay.io/org",                { "quay.io", "", "org", "", "" } },
	{ "localhost",                  { "localhost", "", "", "", "" } },
	{ "localhost:5000",             { "localhost:5000", "", "", "", "" } },
	{ "localhost:5000/org",         { "localhost:5000", "", "org", "", "" } },
	{ "r.io/a__b/c---d/e.f_g:_x",   { "r.io", "a__b", "c---d/e.f_g", "_x", "" } },
	{ "172.30.56.218:5000/t/o:l",   { "172.30.56.218:5000", "t", "o", "l", "" } },
	{ "foo@other+b64u:0123456789abcdef0123456789ABCDEF",
	  { "", "", "foo", "", "other+b64u:0123456789abcdef0123456789ABCDEF" } },
};

static const struct { const char *text, *part; } bad_refs[] = {
	{ "",                                  "it is empty" },
	{ ":tag",                              "it has no name" },
	{ "@" ID,                              "it has no name" },
	{ "registry.io/foo/bar/:Tag",          "an empty part" },
	{ "bar/foo/baz////biz",                "an empty part" },
	{ "//foo/baz/biz",                     "an empty part" },
	{ "foo/",                              "an empty part" },
	{ "https://bar:5000/foo/baz",          "no scheme" },
	{ "http://bar:5000/foo/baz@" ID,       "no scheme" },
	{ "ftp://baz/baz/biz",                 "no scheme" },
	{ "registry:3000/integration/imageStream:success", "must be lower case" },
	{ "Foo",                               "must be lower case" },
	{ "a_/b",                              "begin and end with a letter" },
	{ "-a/b",                              "begin and end with a letter" },
	{ "a..b",                              "doubled separators" },
	{ "a___b",                             "doubled separators" },
	{ "a._b",                              "doubled separators" },
	{ "a b",                               "a character outside" },
	{ "a:5x/b",                            "a character outside" },
	{ "a:/b",                              "a character outside" },
	{ "foo:",                              "the tag behind ':' is empty" },
	{ "foo:.x",                            "a tag cannot have" },
	{ "foo:-x",                            "a tag cannot have" },
	{ "foo:a$",                            "a tag cannot have" },
	{ "abc@badid",                         "is no digest" },
	{ "abc@",                              "is no digest" },
	{ "abc@9a:" HEX,                       "is no digest" },
	{ "abc@a-:" HEX,                       "is no digest" },
	{ "index.docker.io/mysql@sha256:bad",  "too few digits" },
	{ "a@sha256:" HEX "g",                 "too few digits" },
	{ "r:5000/i/t@sha256:00000000000000000000000000000001", "wrong length" },
	{ "a@sha512:" HEX,                     "wrong length" },
	{ "a@" ID "@" ID,                      "too few digits" },
};
/* clang-format on */

static void assert_ref(const struct docker_ref *ref, const struct docker_ref *want)
{
	assert_string_equal(ref->registry, want->registry);
	assert_string_equal(ref->ns, want->ns);
	assert_string_equal(ref->name, want->name);
	assert_string_equal(ref->tag, want->tag);
	assert_string_equal(ref->id, want->id);
}

static void test_good(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(good_refs); i++) {
		struct docker_ref ref;
		struct err err = { 0 };

		if (!docker_ref_parse(good_refs[i].text, arena, &ref, &err))
			fail_msg("%s: %s", good_refs[i].text, err.text);
		assert_ref(&ref, &good_refs[i].ref);
		assert_string_equal(docker_ref_format(&ref, arena), good_refs[i].text);
	}
	arena_free(arena);
}

static void test_bad(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(bad_refs); i++) {
		struct docker_ref ref;
		struct err err = { 0 };

		if (docker_ref_parse(bad_refs[i].text, arena, &ref, &err))
			fail_msg("'%s' is accepted", bad_refs[i].text);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_non_null(strstr(err.text, "invalid reference format"));
		if (!strstr(err.text, bad_refs[i].part))
			fail_msg("'%s': %s", bad_refs[i].text, err.text);
	}
	arena_free(arena);
}

static char *repeat(struct arena *arena, char c, size_t n)
{
	char *text = arena_alloc(arena, n + 1);

	memset(text, c, n);
	return text;
}

static bool parses(struct arena *arena, const char *text)
{
	struct docker_ref ref;
	struct err err = { 0 };

	return docker_ref_parse(text, arena, &ref, &err);
}

/* The whole name counts, registry and all; the tag and the digest do not. */
static void test_sizes(void **state)
{
	struct arena *arena = arena_new();
	const char *ns = repeat(arena, 'a', 63);

	(void)state;
	assert_true(parses(arena,
			   arena_printf(arena, "bar:5000/%s/%s:tag", ns, repeat(arena, 'b', 182))));
	assert_false(parses(
		arena, arena_printf(arena, "bar:5000/%s/%s:tag", ns, repeat(arena, 'b', 183))));
	assert_true(parses(arena,
			   arena_printf(arena, "docker.io/library/%s:t", repeat(arena, 'b', 231))));
	assert_false(parses(arena, arena_printf(arena, "docker.io/%s:t", repeat(arena, 'b', 246))));
	assert_true(parses(arena, arena_printf(arena, "a:%s", repeat(arena, 't', 128))));
	assert_false(parses(arena, arena_printf(arena, "a:%s", repeat(arena, 't', 129))));
	assert_true(parses(arena, arena_printf(arena, "a@x:%s", repeat(arena, '0', 32))));
	assert_false(parses(arena, arena_printf(arena, "a@x:%s", repeat(arena, '0', 31))));
	assert_false(parses(arena, arena_printf(arena, "a@x:%s", repeat(arena, '0', 5000))));
	arena_free(arena);
}

static struct docker_ref parse(struct arena *arena, const char *text)
{
	struct docker_ref ref;
	struct err err = { 0 };

	if (!docker_ref_parse(text, arena, &ref, &err))
		fail_msg("%s", err.text);
	return ref;
}

struct form {
	struct docker_ref (*make)(struct docker_ref ref);
	const char *from, *to;
};

/* clang-format off */
static const struct form forms[] = {
	{ docker_ref_defaults, "foo", "docker.io/library/foo:latest" },
	{ docker_ref_defaults, "bar/foo:1", "docker.io/bar/foo:1" },
	{ docker_ref_defaults, "r.io/foo", "r.io/foo:latest" },
	{ docker_ref_defaults, "index.docker.io/foo", "index.docker.io/library/foo:latest" },
	{ docker_ref_defaults, "r.io/foo@" ID, "r.io/foo@" ID },
	{ docker_ref_minimal, "docker.io/library/foo:latest", "docker.io/library/foo" },
	{ docker_ref_minimal, "foo:1", "foo:1" },
	{ docker_ref_daemon_minimal, "index.docker.io/library/foo:latest", "docker.io/foo" },
	{ docker_ref_daemon_minimal, "registry-1.docker.io/bar/foo:1", "docker.io/bar/foo:1" },
	{ docker_ref_daemon_minimal, "library/foo", "library/foo" },
	{ docker_ref_daemon_minimal, "r.io/library/foo:latest", "r.io/library/foo" },
	{ docker_ref_repository, "r.io/bar/foo:1@" ID, "r.io/bar/foo" },
	{ docker_ref_most_specific, "bar/foo:1@" ID, "bar/foo@" ID },
	{ docker_ref_most_specific, "bar/foo:1", "bar/foo:1" },
	{ docker_ref_v2, "foo", "registry-1.docker.io/library/foo:latest" },
	{ docker_ref_v2, "index.docker.io/bar/foo:1", "registry-1.docker.io/bar/foo:1" },
	{ docker_ref_v2, "r.io/foo", "r.io/foo:latest" },
};
/* clang-format on */

static void test_forms(void **state)
{
	struct arena *arena = arena_new();
	struct docker_ref ref;

	(void)state;
	for (size_t i = 0; i < COUNTOF(forms); i++) {
		ref = forms[i].make(parse(arena, forms[i].from));
		assert_string_equal(docker_ref_format(&ref, arena), forms[i].to);
	}
	/* An id of a registry of version 1 is pulled like a tag. */
	ref = docker_ref_most_specific((struct docker_ref){ "", "bar", "foo", "", "3c87c572" });
	assert_string_equal(docker_ref_format(&ref, arena), "bar/foo:3c87c572");
	ref = (struct docker_ref){ "", "bar", "foo", "1", "3c87c572" };
	assert_string_equal(docker_ref_name_string(&ref, arena), "foo:3c87c572");
	ref = parse(arena, "r.io/bar/foo:1@" ID);
	assert_string_equal(docker_ref_name_string(&ref, arena), "foo@" ID);
	ref = parse(arena, "r.io/bar/foo:1");
	assert_string_equal(docker_ref_name_string(&ref, arena), "foo:1");
	ref = parse(arena, "r.io/bar/foo");
	assert_string_equal(docker_ref_name_string(&ref, arena), "foo:latest");
	arena_free(arena);
}

static const struct {
	const char *a, *b;
	bool is_equal;
} equals[] = {
	{ "foobar", "docker.io/library/foobar:latest", true },
	{ "docker.io/foobar", "docker.io/library/foobar", true },
	{ "foobar", "foobar:1", false },
	{ "foobar", "index.docker.io/library/foobar", false },
	{ "r.io/foobar", "r.io/library/foobar", false },
	{ "foobar@" ID, "foobar:latest@" ID, true },
	{ "foobar@" ID, "foobar", false },
	{ "bar/foo", "baz/foo", false },
};

static void test_equal(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(equals); i++)
		assert_int_equal(
			docker_ref_equal(parse(arena, equals[i].a), parse(arena, equals[i].b)),
			equals[i].is_equal);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),  cmocka_unit_test(test_bad),
		cmocka_unit_test(test_sizes), cmocka_unit_test(test_forms),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
