/* SPDX-License-Identifier: Apache-2.0 */
/* test_import_allow.c — which registries an allow-list lets through, one row each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reconcile/observe/import_allow.h"

static const struct {
	const char *rule;
	bool rule_insecure;
	const char *registry;
	bool is_insecure, want;
} rows[] = {
	{ "quay.io", false, "quay.io", false, true },
	{ "quay.io", false, "quay.io:443", false, true },
	{ "quay.io", false, "quay.io:80", false, false },
	{ "quay.io", false, "quay.io:5000", false, false },
	{ "quay.io:5000", false, "quay.io:5000", false, true },
	{ "quay.io:*", false, "quay.io:5000", false, true },
	{ "quay.io", true, "quay.io", false, false },
	{ "quay.io", true, "quay.io", true, true },
	{ "quay.io", false, "quay.io", true, true },
	{ "*.example.com", false, "a.example.com", false, true },
	{ "*.example.com", false, "a.b.example.com", false, true },
	{ "*.example.com", false, "example.com", false, false },
	{ "*.example.com", false, "a.example.com.evil.org", false, false },
	{ "regis?ry.example.com", false, "registry.example.com", false, true },
	{ "*", false, "anything", false, true },
	{ "*", false, "anything:5000", false, false },
	{ "*:*", false, "anything:5000", false, true },
	{ "docker.io", false, "index.docker.io", false, true },
	{ "registry-1.docker.io", false, "docker.io", false, true },
	{ "[::1]:5000", false, "[::1]:5000", false, true },
	{ "a:b:c", false, "a:b", false, false },
};

static void check(void **state)
{
	size_t i = (size_t)(uintptr_t)*state;
	struct arena *arena = arena_new();
	struct settings_allowed rule = { rows[i].rule, rows[i].rule_insecure };
	struct settings_streams streams = { .has_allowed = true, .allowed = { &rule, 1 } };
	struct err err = { 0 };

	assert_int_equal(
		import_is_allowed(&streams, rows[i].registry, rows[i].is_insecure, arena, &err),
		rows[i].want);
	assert_int_equal(err.kind, rows[i].want ? ERR_NONE : ERR_DENIED);
	arena_free(arena);
}

static void test_allow__says_what_is_allowed_instead(void **state)
{
	static struct settings_allowed many[] = { { "a", false }, { "b", true },  { "c:1", false },
						  { "d", false }, { "e", false }, { "f", false } };
	struct arena *arena = arena_new();
	struct settings_streams streams = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(import_is_allowed(&streams, "x", false, arena, &err));
	streams.has_allowed = true;
	assert_false(import_is_allowed(&streams, "x", true, arena, &err));
	assert_string_equal(err.text, "registry \"x:80\" not allowed by empty whitelist");
	streams.allowed = (struct list){ many, COUNTOF(many) };
	assert_false(import_is_allowed(&streams, "x:5000", false, arena, &err));
	assert_string_equal(err.text,
			    "registry \"x:5000\" not allowed by whitelist: \"a:443\", \"b:80\", "
			    "\"c:1\", \"d:443\", and 2 more ...");
	assert_false(import_is_allowed(&streams, "x:1:2", false, arena, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err.text, "address x:1:2: too many colons in address");
	arena_free(arena);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows) + 1] = { 0 };

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].rule, check, NULL, NULL,
						(void *)(uintptr_t)i };
	tests[COUNTOF(rows)] =
		(struct CMUnitTest)cmocka_unit_test(test_allow__says_what_is_allowed_instead);
	return cmocka_run_group_tests_name("import_allow", tests, NULL, NULL);
}
