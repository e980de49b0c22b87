/* SPDX-License-Identifier: Apache-2.0 */
/* test_dependencies.c — dependency descriptors of all versions into one struct, and what is said about wrong ones. */
#include "model/kind/dependencies.h"
#include "unit/kind/manifest.h"

#define HEAD(version) "apiVersion: kp.kpack.io/" version "\nkind: DependencyDescriptor\n"
#define STACKS(key)   key ": [{name: base, buildImage: {image: b}, runImage: {image: r}}]\n"

struct row {
	const char *name, *text, *said;
};

static const struct row rows[] = {
	{ "nothing_else", HEAD("v1"), "" },
	{ "another_version", HEAD("v2"),
	  "1:1 error: did not find expected apiVersion, must be one of: kp.kpack.io/v1alpha1, "
	  "kp.kpack.io/v1alpha3, kp.kpack.io/v1\n" },
	{ "another_kind", "apiVersion: kp.kpack.io/v1\nkind: Image\n",
	  "1:1 error: expected kind DependencyDescriptor, found 'Image'\n" },
	{ "an_unknown_field", HEAD("v1") "clusterStoers: []\n",
	  "3:1 warning: unknown field 'clusterStoers' in DependencyDescriptor; did you mean "
	  "'clusterStores'?\n" },
	{ "a_missing_image", HEAD("v1") "clusterBuildpacks:\n- name: x\n",
	  "4:3 error: missing field(s): clusterBuildpacks[0].image\n" },
	{ "a_stack_without_images", HEAD("v1") "clusterStacks:\n- name: x\n",
	  "4:3 error: missing field(s): clusterStacks[0].buildImage, "
	  "clusterStacks[0].runImage\n" },
	{ "a_wrong_image", HEAD("v1") "clusterStores:\n- name: x\n  sources:\n  - image: 'a b'\n",
	  "6:12 error: cannot parse reference 'a b': the repository has a character "
	  "outside a-z, 0-9, '.', '_', '-' and '/'\n" },
	{ "a_default_that_is_not_there", HEAD("v1") "defaultClusterBuilder: x\n",
	  "0:0 error: default cluster builder 'x' not found\n" },
	{ "a_name_twice",
	  HEAD("v1") "clusterLifecycles: [{name: x, image: a}, {name: x, image: b}]\n",
	  "3:42 error: cluster lifecycle 'x' is there twice\n" },
	{ "a_name_that_is_none",
	  HEAD("v1") "clusterBuildpacks: [{name: \"../a\\e[1m\", image: a}]\n",
	  "3:21 error: '../a\x1b[1m' cannot be the name of a cluster buildpack\n" },
	{ "both_ways_of_a_lifecycle",
	  HEAD("v1") "lifecycle: {image: a}\nclusterLifecycles: [{name: x, image: a}]\n",
	  "3:20 error: expected one of lifecycle, clusterLifecycles\n" },
};

static void decode(struct loaded *out, const char *text, struct dependencies *all)
{
	struct documents documents = { 0 };

	out->arena = arena_new();
	out->file = (struct source_file){ "d.yaml", text, strlen(text) };
	diags_init(&out->diags, out->arena);
	yaml_parse(&out->file, out->arena, &documents, &out->diags);
	assert_int_equal(documents.n, 1);
	dependencies_decode(documents.v[0], &out->file, out->arena, all, &out->diags);
	diags_sort(&out->diags);
}

static void check(void **state)
{
	const struct row *row = *state;
	struct dependencies all;
	struct loaded loaded;

	decode(&loaded, row->text, &all);
	assert_string_equal(manifest_said(&loaded), row->said);
	arena_free(loaded.arena);
}

static void check_release(const char *text)
{
	const struct dependency_builder *builder;
	const struct dependency_stack *stack;
	struct dependencies all;
	struct loaded loaded;
	AUTO_BUF order = BUF_INIT(4096);

	decode(&loaded, text, &all);
	assert_string_equal(manifest_said(&loaded), "");
	assert_int_equal(all.stores.n, 1);
	assert_int_equal(all.stacks.n, 2);
	stack = LIST_AT(all.stacks, struct dependency_stack, 1);
	assert_string_equal(stack->name, "default");
	assert_string_equal(stack->run_image, "r");
	assert_int_equal(all.builders.n, 2);
	builder = LIST_AT(all.builders, struct dependency_builder, 1);
	assert_string_equal(builder->name, "default");
	assert_string_equal(builder->stack, "base");
	assert_string_equal(builder->store, "main");
	yaml_print(dependencies_order(builder, loaded.arena), &order);
	assert_string_equal(buf_text(&order), "- group:\n  - id: go\n    version: 1.0.0\n");
	arena_free(loaded.arena);
}

static void test_dependencies__are_the_same_in_all_versions(void **state)
{
	(void)state;
	check_release(HEAD("v1alpha1") STACKS(
		"stacks") "stores: [{name: main, sources: [{image: go}]}]\ndefaultStack: base\n"
			  "defaultClusterBuilder: page\n"
			  "clusterBuilders: [{name: page, stack: base, store: main, order: "
			  "[{group: [{id: go, version: 1.0.0}]}]}]\n");
	check_release(HEAD("v1alpha3") STACKS(
		"clusterStacks") "clusterStores: [{name: main, sources: [{image: go}]}]\n"
				 "defaultClusterStack: base\ndefaultClusterBuilder: page\n"
				 "clusterBuilders: [{name: page, clusterStack: base, clusterStore: "
				 "main, order: [{group: [{id: go, version: 1.0.0}]}]}]\n");
}

static void test_dependencies__name_the_default_lifecycle(void **state)
{
	static const char *const texts[] = {
		HEAD("v1alpha3") "lifecycle: {image: l}\n",
		HEAD("v1") "clusterLifecycles: [{name: default-lifecycle, image: l}]\n"
			   "defaultClusterLifecycle: default-lifecycle\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct dependencies all;
		struct loaded loaded;

		decode(&loaded, texts[i], &all);
		assert_string_equal(manifest_said(&loaded), "");
		assert_int_equal(all.lifecycles.n, 1);
		assert_string_equal(LIST_AT(all.lifecycles, struct dependency_image, 0)->name,
				    "default-lifecycle");
		assert_string_equal(LIST_AT(all.lifecycles, struct dependency_image, 0)->image,
				    "l");
		arena_free(loaded.arena);
	}
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows) + 2];

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, check, NULL, NULL,
						(void *)(uintptr_t)&rows[i] };
	tests[COUNTOF(rows)] = (struct CMUnitTest)cmocka_unit_test(
		test_dependencies__are_the_same_in_all_versions);
	tests[COUNTOF(rows) + 1] =
		(struct CMUnitTest)cmocka_unit_test(test_dependencies__name_the_default_lifecycle);
	return cmocka_run_group_tests_name("dependencies", tests, NULL, NULL);
}
