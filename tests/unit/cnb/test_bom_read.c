/* SPDX-License-Identifier: Apache-2.0 */
/* test_bom_read.c — images with good, odd and hostile bills of materials, pushed to a layout and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/app_metadata.h"
#include "buildexec/cnb/bom.h"
#include "buildexec/image/assemble.h"
#include "buildexec/registry/keychain.h"
#include "buildexec/sys/fs.h"

#define IMAGE "registry.test/app"

struct world {
	struct arena *arena;
	struct tmpdir dir;
	struct registry_rules rules;
	struct keychain *keychain;
	struct registry *registry;
	const char *cache_dir;
};

static int open_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	const struct keychain_options options = { 0 };
	struct err err = { 0 };

	assert_non_null(world);
	world->arena = arena_new();
	assert_true(tmpdir_make(NULL, "test-bom", &world->dir, &err));
	world->cache_dir = path_join(world->arena, world->dir.path, "cache");
	assert_true(fs_make_dirs(world->cache_dir, 0700, &err));
	vec_push(world->arena, &world->rules.list,
		 (struct registry_rule){ .prefix = "registry.test", .layout = world->dir.path });
	assert_true(keychain_open(&options, &world->keychain, &err));
	assert_true(registry_open(&world->rules, world->keychain, &world->registry, &err));
	*state = world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	registry_close(&world->registry);
	keychain_close(&world->keychain);
	tmpdir_release(&world->dir);
	arena_free(world->arena);
	free(world);
	return 0;
}

static void add_label(struct world *world, struct image_draft *draft, const char *key,
		      const char *value)
{
	vec_push(world->arena, &draft->config.labels, (struct pair){ key, value, { 0 } });
}

static void add_layer(struct world *world, struct image_draft *draft,
		      const struct tar_entry *entries, const char *const *contents, size_t n)
{
	const struct layer_options options = {
		.blob_dir = path_join(world->arena, world->dir.path, "blobs"), .n_threads = 1
	};
	struct layer_result *result = ARENA_NEW(world->arena, struct layer_result);
	struct layer *layer = NULL;
	struct err err = { 0 };

	assert_true(layer_open(&options, &layer, &err));
	for (size_t i = 0; i < n; i++) {
		struct tar_entry entry = entries[i];

		entry.mode = 0644;
		entry.size_bytes = contents[i] ? strlen(contents[i]) : 0;
		assert_true(tar_add(layer_tar(layer), &entry, contents[i], entry.size_bytes, &err));
	}
	assert_true(layer_commit(&layer, result, &err));
	image_draft_add(draft, result, NULL, world->arena);
	add_label(world, draft, LABEL_LIFECYCLE_METADATA,
		  arena_printf(world->arena, "{\"sbom\":{\"sha\":\"%s\"}}", result->diff_id.text));
}

static bool push_and_read(struct world *world, struct image_draft *draft, struct bom *bom,
			  struct err *err)
{
	const struct image_access access = { .rules = &world->rules, .keychain = world->keychain };
	struct ref ref;
	const struct ref *const tags[] = { &ref };
	const struct image_push push = { draft, &access, tags, 1 };
	struct image_bytes bytes;

	draft->config.platform = platform_host();
	assert_true(ref_parse(IMAGE, world->arena, &ref, err));
	assert_true(image_push(&push, world->arena, &bytes, err));
	return bom_read(world->registry, ref_pinned(&ref, bytes.manifest_desc.digest, world->arena),
			world->cache_dir, world->arena, bom, err);
}

static void test_the_label_of_old_platforms(void **state)
{
	struct world *world = *state;
	struct image_draft draft = { 0 };
	struct err err = { 0 };
	struct bom bom;

	add_label(world, &draft, LABEL_BUILD_METADATA,
		  "{\"bom\":[{\"name\":\"jre\",\"metadata\":{\"version\":\"11\"},"
		  "\"buildpack\":{\"id\":\"acme/java\"}}]}");
	assert_true(push_and_read(world, &draft, &bom, &err));
	assert_int_equal(bom.components.n, 1);
	assert_string_equal(bom.components.v[0].name, "jre");
	assert_string_equal(bom.components.v[0].buildpack, "acme/java");
}

static void test_an_image_without_any(void **state)
{
	struct image_draft draft = { 0 };
	struct err err = { 0 };
	struct bom bom;

	assert_true(push_and_read(*state, &draft, &bom, &err));
	assert_int_equal(bom.files.n, 0);
	assert_int_equal(bom.components.n, 0);
}

static void test_files_of_the_layer_and_nothing_else(void **state)
{
	static const struct tar_entry entries[] = {
		{ .name = "/layers/sbom/launch/a_b/l/sbom.cdx.json", .type = TAR_FILE },
		{ .name = "/layers/sbom/launch/a_b/m/sbom.cdx.json",
		  .type = TAR_SYMLINK,
		  .linkname = "/etc/passwd" },
		{ .name = "/layers/sbom/launch/a_b/n/other.json", .type = TAR_FILE },
		{ .name = "/elsewhere/sbom.cdx.json", .type = TAR_FILE },
	};
	static const char *const contents[] = { "{\"components\":[{\"name\":\"x\"}]}", NULL,
						"no JSON", "no JSON" };
	struct image_draft draft = { 0 };
	struct err err = { 0 };
	struct bom bom;

	add_label(*state, &draft, LABEL_BUILD_METADATA, "{\"buildpacks\":[{\"id\":\"a/b\"}]}");
	add_layer(*state, &draft, entries, contents, COUNTOF(entries));
	assert_true(push_and_read(*state, &draft, &bom, &err));
	assert_int_equal(bom.files.n, 1);
	assert_string_equal(bom.files.v[0].path, "a_b/l/sbom.cdx.json");
	assert_string_equal(bom.components.v[0].buildpack, "a/b");
}

static void test_a_file_that_is_no_json_is_named(void **state)
{
	static const struct tar_entry entries[] = {
		{ .name = "/layers/sbom/launch/a/sbom.spdx.json", .type = TAR_FILE },
	};
	static const char *const contents[] = { "{\"packages\":[" };
	struct image_draft draft = { 0 };
	struct err err = { 0 };
	struct bom bom;

	add_layer(*state, &draft, entries, contents, COUNTOF(entries));
	assert_false(push_and_read(*state, &draft, &bom, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_non_null(
		strstr(err.text, "cannot read the bill of materials of '" IMAGE "@sha256:"));
	assert_non_null(strstr(err.text, "'/layers/sbom/launch/a/sbom.spdx.json'"));
}

static void test_labels_that_lie(void **state)
{
	static const struct {
		const char *key, *value, *want;
	} lies[] = {
		{ LABEL_LIFECYCLE_METADATA, "{\"sbom\":{\"sha\":\"sha256:00\"}}",
		  "it has no layer 'sha256:00'" },
		{ LABEL_LIFECYCLE_METADATA, "{", "label 'io.buildpacks.lifecycle.metadata'" },
		{ LABEL_BUILD_METADATA, "[", "label 'io.buildpacks.build.metadata'" },
	};

	for (size_t i = 0; i < COUNTOF(lies); i++) {
		struct image_draft draft = { 0 };
		struct err err = { 0 };
		struct bom bom;

		add_label(*state, &draft, lies[i].key, lies[i].value);
		assert_false(push_and_read(*state, &draft, &bom, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		assert_non_null(strstr(err.text, lies[i].want));
	}
}

static void test_an_image_that_is_gone(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };
	struct bom bom;

	assert_false(bom_read(world->registry, "registry.test/gone", world->cache_dir, world->arena,
			      &bom, &err));
	assert_int_equal(err.kind, ERR_ABSENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		TEST(test_the_label_of_old_platforms),
		TEST(test_an_image_without_any),
		TEST(test_files_of_the_layer_and_nothing_else),
		TEST(test_a_file_that_is_no_json_is_named),
		TEST(test_labels_that_lie),
		TEST(test_an_image_that_is_gone),
	};
	return cmocka_run_group_tests_name("bom_read", tests, NULL, NULL);
}
