/* SPDX-License-Identifier: Apache-2.0 */
/* test_place.c — rules by prefix, and which hosts belong together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/registry/place.h"

/* clang-format off */
static const struct registry_rule rule_rows[] = {
	{ .prefix = "local.test", .layout = "/srv/oci" },
	{ .prefix = "local.test/remote", .location = "real.test:5000/deep" },
	{ .prefix = "docker.io", .location = "cache.test/hub" },
	{ .prefix = "*.corp.test", .is_insecure = true },
	{ .prefix = "special.corp.test/x/", .location = "127.0.0.1:5000" },
	{ .prefix = "bad.test", .is_blocked = true },
	{ .prefix = "odd.test", .location = "UPPER/CASE" },
};

static const struct { const char *ref, *want; } places[] = {
	{ "local.test/a/b",             "layout /srv/oci/local.test/a/b" },
	{ "local.test:5000/a",          "local.test:5000 a" },
	{ "local.test/remote",          "real.test:5000 deep" },
	{ "local.test/remote/x",        "real.test:5000 deep/x" },
	{ "local.test/remotely",        "layout /srv/oci/local.test/remotely" },
	{ "busybox",                    "cache.test hub/library/busybox" },
	{ "paketo/x",                   "cache.test hub/paketo/x" },
	{ "a.corp.test/x",              "a.corp.test x insecure" },
	{ "a.b.corp.test/x",            "a.b.corp.test x insecure" },
	{ "corp.test/x",                "corp.test x" },
	{ "evilcorp.test/x",            "evilcorp.test x" },
	{ "special.corp.test/x/y",      "127.0.0.1:5000 y" },
	{ "special.corp.test/z",        "special.corp.test z insecure" },
	{ "bad.test/x",                 "denied: cannot use 'bad.test/x': 'bad.test' is blocked by the settings" },
	{ "local.test/a/blobs/x",       "invalid: cannot keep 'local.test/a/blobs/x' in a folder: a part of its name is a "
					"name of the layout's own" },
	{ "local.test/blobs/x",         "layout /srv/oci/local.test/blobs/x" },
	{ "r.io/x",                     "r.io x" },
};
/* clang-format on */

static struct registry_rules make_rules(struct arena *arena)
{
	struct registry_rules rules = { 0 };

	for (size_t i = 0; i < COUNTOF(rule_rows); i++)
		vec_push(arena, &rules.list, rule_rows[i]);
	return rules;
}

static const char *place_text(const struct registry_rules *rules, const char *text,
			      struct arena *arena)
{
	struct place place;
	struct ref ref;
	struct err err = { 0 };

	if (!ref_parse(text, arena, &ref, &err) || !place_find(rules, &ref, arena, &place, &err))
		return arena_printf(arena, "%s: %s", err_kind_name(err.kind), err.text);
	if (place.layout)
		return arena_printf(arena, "layout %s", place.layout);
	return arena_printf(arena, "%s %s%s", place.host, place.repo,
			    place.rule && place.rule->is_insecure ? " insecure" : "");
}

static void test_place__the_longest_prefix_wins(void **state)
{
	struct arena *arena = arena_new();
	struct registry_rules rules = make_rules(arena);
	struct registry_rules none = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(places); i++)
		assert_string_equal(place_text(&rules, places[i].ref, arena), places[i].want);
	/* Docker Hub's name is not its address. */
	assert_string_equal(place_text(&none, "busybox", arena),
			    "registry-1.docker.io library/busybox");
	assert_string_equal(place_text(NULL, "r.io/a", arena), "r.io a");
	assert_non_null(strstr(place_text(&rules, "odd.test/x", arena),
			       "location of the rule for 'odd.test'"));
	arena_free(arena);
}

static void test_place__mirrors_come_before_the_place_itself(void **state)
{
	struct arena *arena = arena_new();
	struct registry_rule rule = { .prefix = "r.io/team" };
	struct registry_rules rules = make_rules(arena);
	struct places list;
	struct ref ref;
	struct err err = { 0 };

	(void)state;
	vec_push(arena, &rule.mirrors, "m1.test/r");
	vec_push(arena, &rule.mirrors, "m.corp.test");
	vec_push(arena, &rules.list, rule);
	assert_true(ref_parse("r.io/team/app", arena, &ref, &err));
	assert_true(place_find_readable(&rules, &ref, arena, &list, &err));
	assert_int_equal(list.n, 3);
	assert_string_equal(list.v[0].host, "m1.test");
	assert_string_equal(list.v[0].repo, "r/app");
	assert_null(list.v[0].rule);
	assert_string_equal(list.v[1].host, "m.corp.test");
	assert_true(list.v[1].rule->is_insecure);
	assert_string_equal(list.v[2].host, "r.io");
	assert_string_equal(list.v[2].repo, "team/app");
	arena_free(arena);
}

static void test_host__knows_loopback(void **state)
{
	(void)state;
	assert_true(host_is_local("localhost"));
	assert_true(host_is_local("localhost:5000"));
	assert_true(host_is_local("127.0.0.1:5000"));
	assert_true(host_is_local("127.9.9.9"));
	assert_true(host_is_local("[::1]:5000"));
	assert_false(host_is_local("127.0.0.1.evil.test"));
	assert_false(host_is_local("localhost.evil.test"));
	assert_false(host_is_local("10.0.0.1:5000"));
	assert_false(host_is_local("[::2]"));
}

static void test_host__relates_only_within_a_registered_domain(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_related;
	} rows[] = {
		{ "registry-1.docker.io", "auth.docker.io", true },
		{ "registry.gitlab.com", "gitlab.com", true },
		{ "r.io:5000", "r.io", true },
		{ "R.io", "r.IO:443", true },
		{ "docker.io", "evil.io", false },
		{ "evildocker.io", "docker.io", false },
		{ "a.co.uk", "b.co.uk", false },
		{ "x.a.co.uk", "y.a.co.uk", true },
		{ "10.0.0.1", "10.0.0.1:8080", true },
		{ "10.0.0.1", "11.0.0.1", false },
		{ "1.2.3.4", "9.9.3.4", false },
		{ "registry", "registry:8080", true },
		{ "registry", "auth", false },
		{ "localhost:5000", "127.0.0.1:6000", true },
		{ "[::2]", "[::3]", false },
		{ "a.b", "c.b", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (host_is_related(rows[i].a, rows[i].b) != rows[i].is_related)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place__the_longest_prefix_wins),
		cmocka_unit_test(test_place__mirrors_come_before_the_place_itself),
		cmocka_unit_test(test_host__knows_loopback),
		cmocka_unit_test(test_host__relates_only_within_a_registered_domain),
	};

	return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
