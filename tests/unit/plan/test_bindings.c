/* SPDX-License-Identifier: Apache-2.0 */
/* test_bindings.c — when what a binding holds counts as changed: by keyed hashes of one key only. */
#include "unit/kind/manifest.h"

#include "reconcile/plan/image_compare.h"
#include "reconcile/plan/rules_image.h"

#define SPEC(tag)                                                                                  \
	"spec: {tag: x/" tag ", builder: {kind: Builder, name: b}, source: {local: {path: .}}"

static const char text[] =
	"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: one}\n---\n"
	"apiVersion: v1\nkind: Secret\nmetadata: {name: b}\nstringData: {password: two}\n---\n"
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {kind: db}\n---\n"
	"apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: two}\n" SPEC(
		"y") ",\n"
		     "  build: {services: [{kind: Secret, name: a}, {kind: Secret, name: "
		     "b}]}}\n---\n"
		     "apiVersion: kpack.io/v1alpha1\nkind: Image\nmetadata: {name: old}\n" SPEC(
			     "z") ",\n"
				  "  build: {bindings: [{name: n, metadataRef: {name: m}, "
				  "secretRef: {name: a}}]}}\n---\n"
				  "apiVersion: kpack.io/v1alpha2\nkind: Image\nmetadata: {name: "
				  "none}\n" SPEC("w") "}\n";

static struct secret_spec *secret(struct loaded *loaded, const char *name)
{
	const struct object *object = model_find(&loaded->model, KIND_SECRET, "default", name);

	return (struct secret_spec *)(uintptr_t)object->spec;
}

static const char *contents(struct loaded *loaded, const char *image)
{
	const struct planner planner = { .model = &loaded->model, .arena = loaded->arena };

	return bindings_contents(&planner,
				 model_find(&loaded->model, KIND_IMAGE, "default", image));
}

static void test_contents__are_of_all_hashes_and_texts(void **state)
{
	struct loaded loaded;
	const char *two, *old;

	(void)state;
	manifest_load(&loaded, text, false);
	assert_null(contents(&loaded, "none"));
	assert_null(contents(&loaded, "two")); /* no key, no hash */
	secret(&loaded, "a")->hash = "k1:aaaa";
	assert_null(contents(&loaded, "two")); /* not of both */
	secret(&loaded, "b")->hash = "k1:bbbb";
	two = contents(&loaded, "two");
	old = contents(&loaded, "old");
	assert_int_equal(strncmp(two, "k1:", 3), 0);
	assert_int_equal(strlen(two), 3 + 64);
	assert_string_equal(two, contents(&loaded, "two"));
	secret(&loaded, "a")->hash = "k1:bbbb";
	secret(&loaded, "b")->hash = "k1:aaaa";
	assert_string_not_equal(two, contents(&loaded, "two"));
	assert_string_not_equal(old, contents(&loaded, "old"));
	secret(&loaded, "a")->hash = "k1:aaaa";
	assert_string_equal(old, contents(&loaded, "old"));
	arena_free(loaded.arena);
}

static const struct {
	const char *old, *now;
	bool is_change;
} rows[] = {
	{ "k1:aa", "k1:aa", false }, { "k1:aa", "k1:bb", true },   { "k1:aa", "k2:bb", false },
	{ NULL, "k1:bb", false },    { "k1:aa", NULL, false },     { "garbage", "k1:bb", false },
	{ "k1", "k1:bb", false },    { "k1:aa", "k11:bb", false },
};

static void test_compare__tells_contents_apart_by_one_key_only(void **state)
{
	struct arena *arena = arena_new();
	const struct image_spec spec = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct attempt old = { .binding_contents = rows[i].old };
		const struct attempt now = { .binding_contents = rows[i].now };
		const struct comparison c = { .old = &old, .now = &now, .spec = &spec };
		struct changes changes;
		struct err err = { 0 };

		assert_true(image_compare(&c, arena, &changes, &err));
		if (changes_has(&changes, REASON_CONFIG) != rows[i].is_change)
			fail_msg("row %zu", i);
		if (rows[i].is_change)
			assert_string_equal(changes.list.v[0].text, "contents of bindings");
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents__are_of_all_hashes_and_texts),
		cmocka_unit_test(test_compare__tells_contents_apart_by_one_key_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
