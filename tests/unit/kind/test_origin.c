/* SPDX-License-Identifier: Apache-2.0 */
/* test_origin.c — what is recorded about where an object was declared, and whose it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/doc/yaml.h"
#include "model/kind/origin.h"

static const struct {
	const char *name;
	struct scope scope;
	const char *file, *want; /* want NULL: no origin */
} places[] = {
	{ "a_folder",
	  { .folder = "config/shop", .shown = "shop" },
	  "shop/a/cart.yaml",
	  "config/shop/a/cart.yaml" },
	{ "here", { .folder = "config", .shown = "" }, "cart.yaml", "config/cart.yaml" },
	{ "the_top", { .folder = "", .shown = "/w/top" }, "/w/top/cart.yaml", "cart.yaml" },
	{ "the_root", { .folder = "", .shown = "/" }, "/cart.yaml", "cart.yaml" },
	{ "one_file",
	  { .folder = "a/cart.yaml", .shown = "x/cart.yaml" },
	  "x/cart.yaml",
	  "a/cart.yaml" },
	{ "standard_input", { .folder = NULL }, "<stdin>", NULL },
	{ "not_of_it", { .folder = "shop", .shown = "sh" }, "shop/cart.yaml", NULL },
	{ "no_text", { .folder = "", .shown = "" }, "c\xe9.yaml", NULL },
	{ "a_control", { .folder = "", .shown = "" }, "c\n.yaml", NULL },
};

static void test_origin_of(void **state)
{
	size_t i = (size_t)*state;
	const struct source_file file = { .path = places[i].file };
	const struct object object = { .kind = KIND_IMAGE, .file = &file };
	struct arena *arena = arena_new();
	struct origin origin = origin_of(&places[i].scope, &object, arena);

	if (places[i].want)
		assert_string_equal(origin.manifest, places[i].want);
	else
		assert_null(origin.manifest);
	arena_free(arena);
}

static const struct {
	const char *name;
	struct scope scope;
	struct origin origin;
	bool is_held;
} holdings[] = {
	{ "inside", { .folder = "shop" }, { NULL, "shop/a/cart.yaml" }, true },
	{ "the_top_holds_all", { .folder = "" }, { NULL, "cart.yaml" }, true },
	{ "the_file_itself", { .folder = "shop/cart.yaml" }, { NULL, "shop/cart.yaml" }, true },
	{ "a_name_that_begins_the_same", { .folder = "shop" }, { NULL, "shop2/cart.yaml" }, false },
	{ "the_same_repository", { .repo = "h/x", .folder = "" }, { "h/x", "cart.yaml" }, true },
	{ "another_repository", { .repo = "h/x", .folder = "" }, { "h/y", "cart.yaml" }, false },
	{ "of_the_state", { .repo = "h/x", .folder = "" }, { NULL, "cart.yaml" }, false },
	{ "not_of_the_state", { .folder = "" }, { "h/x", "cart.yaml" }, false },
	{ "nobody_knows_what_is_loaded", { 0 }, { NULL, "cart.yaml" }, false },
	{ "nobody_knows_where_it_was", { .folder = "" }, { 0 }, false },
};

static void test_scope_holds(void **state)
{
	size_t i = (size_t)*state;

	assert_int_equal(scope_holds(&holdings[i].scope, &holdings[i].origin), holdings[i].is_held);
}

static const struct {
	const char *name, *annotations;
	struct origin want;
} files[] = {
	{ "both",
	  "{reconcile.dev/manifest: a/b.yaml, reconcile.dev/origin: h/x}",
	  { "h/x", "a/b.yaml" } },
	{ "no_repository", "{reconcile.dev/manifest: a/b.yaml}", { NULL, "a/b.yaml" } },
	{ "nothing", "{}", { 0 } },
	{ "no_map", "[x]", { 0 } },
	{ "no_file", "{reconcile.dev/origin: h/x}", { 0 } },
	{ "out_of_the_tree", "{reconcile.dev/manifest: ../b.yaml}", { 0 } },
	{ "out_by_a_detour", "{reconcile.dev/manifest: a/../../b.yaml}", { 0 } },
	{ "absolute", "{reconcile.dev/manifest: /etc/passwd}", { 0 } },
	{ "a_control", "{reconcile.dev/manifest: \"a\\u0007.yaml\"}", { 0 } },
	{ "an_odd_repository",
	  "{reconcile.dev/manifest: a.yaml, reconcile.dev/origin: \"a\\nb\"}",
	  { 0 } },
};

static struct node *document(struct arena *arena, const char *annotations)
{
	const char *text =
		arena_printf(arena, "metadata: {name: x, annotations: %s}\n", annotations);
	const struct source_file file = { "state", text, strlen(text) };
	struct documents documents = { 0 };
	struct diags diags;

	diags_init(&diags, arena);
	yaml_parse(&file, arena, &documents, &diags);
	assert_int_equal(documents.n, 1);
	return documents.v[0];
}

static void test_origin_read(void **state)
{
	size_t i = (size_t)*state;
	struct arena *arena = arena_new();
	struct origin origin = origin_read(document(arena, files[i].annotations));
	struct node *metadata = node_new(arena, NODE_MAP), *again = node_new(arena, NODE_MAP);

	assert_true(origin_equal(&origin, &files[i].want));
	origin_encode(&origin, metadata, arena);
	node_set(arena, again, "metadata", metadata);
	origin = origin_read(again);
	assert_true(origin_equal(&origin, &files[i].want));
	arena_free(arena);
}

static void test_origin_encode__leaves_other_annotations(void **state)
{
	struct arena *arena = arena_new();
	struct node *file = document(arena, "{a: b, reconcile.dev/manifest: old.yaml}");
	struct node *metadata = file->first;
	const struct origin origin = { "h/x", "new.yaml" };

	(void)state;
	origin_encode(&origin, metadata, arena);
	assert_string_equal(node_text(node_get(metadata, "annotations"), "a"), "b");
	assert_string_equal(origin_read(file).manifest, "new.yaml");
	assert_string_equal(origin_read(file).repo, "h/x");
	arena_free(arena);
}

static void test_origin_read__knows_the_commit(void **state)
{
	static const char hex[] = "0123456789abcdef0123456789abcdef01234567";
	struct arena *arena = arena_new();
	const struct origin origin = { .manifest = "a.yaml",
				       .source = hex,
				       .source_s = 1700000000 };
	struct node *metadata = node_new(arena, NODE_MAP), *file = node_new(arena, NODE_MAP);
	struct scope scope = { .folder = "" };
	struct origin again;

	(void)state;
	origin_encode(&origin, metadata, arena);
	node_set(arena, file, "metadata", metadata);
	again = origin_read(file);
	assert_string_equal(again.source, hex);
	assert_int_equal(again.source_s, 1700000000);
	assert_false(scope_is_older(&scope, &again));
	map_set(arena, &scope.newer, hex, &scope);
	assert_true(scope_is_older(&scope, &again));
	scope.repo = "h/another";
	assert_false(scope_is_older(&scope, &again));
	again = origin_read(document(
		arena, "{reconcile.dev/manifest: a.yaml, reconcile.dev/manifest-commit: ../x}"));
	assert_string_equal(again.manifest, "a.yaml");
	assert_null(again.source);
	arena_free(arena);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(places) + COUNTOF(holdings) + COUNTOF(files) + 2];
	size_t n = 0;

	for (size_t i = 0; i < COUNTOF(places); i++)
		tests[n++] = (struct CMUnitTest){ places[i].name, test_origin_of, NULL, NULL,
						  (void *)i };
	for (size_t i = 0; i < COUNTOF(holdings); i++)
		tests[n++] = (struct CMUnitTest){ holdings[i].name, test_scope_holds, NULL, NULL,
						  (void *)i };
	for (size_t i = 0; i < COUNTOF(files); i++)
		tests[n++] = (struct CMUnitTest){ files[i].name, test_origin_read, NULL, NULL,
						  (void *)i };
	tests[n++] =
		(struct CMUnitTest)cmocka_unit_test(test_origin_encode__leaves_other_annotations);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_origin_read__knows_the_commit);
	return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
