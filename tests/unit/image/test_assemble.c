/* SPDX-License-Identifier: Apache-2.0 */
/* test_assemble.c — images made, pushed into layouts, read back, put on top of each other and unpacked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/image/assemble.h"
#include "buildexec/registry/keychain.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"

struct fixture {
	struct tmpdir dir;
	struct arena *arena;
	struct registry_rules rules;
	struct keychain *keychain;
	struct image_access access;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct keychain_options none = { 0 };
	struct err err = { 0 };

	f->arena = arena_new();
	*state = f;
	if (!tmpdir_make(NULL, "test-assemble", &f->dir, &err) ||
	    !keychain_open(&none, &f->keychain, &err))
		return -1;
	vec_push(f->arena, &f->rules.list,
		 (struct registry_rule){ .prefix = "registry.local",
					 .layout = path_join(f->arena, f->dir.path, "one") });
	vec_push(f->arena, &f->rules.list,
		 (struct registry_rule){ .prefix = "other.local",
					 .layout = path_join(f->arena, f->dir.path, "two") });
	f->access = (struct image_access){ .rules = &f->rules, .keychain = f->keychain };
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	keychain_close(&f->keychain);
	tmpdir_release(&f->dir);
	arena_free(f->arena);
	free(f);
	return 0;
}

static const struct ref *ref_of(struct fixture *f, const char *text)
{
	struct ref *ref = ARENA_NEW(f->arena, struct ref);
	struct err err = { 0 };

	assert_true(ref_parse(text, f->arena, ref, &err));
	return ref;
}

static struct layer_result make_layer(struct fixture *f, const char *name, const char *content)
{
	struct layer_options options = { .blob_dir = path_join(f->arena, f->dir.path, "made") };
	struct tar_entry entry = { .name = name, .mode = 0644, .uid = geteuid(), .gid = getegid() };
	struct layer_result result;
	struct layer *layer;
	struct err err = { 0 };

	assert_true(layer_open(&options, &layer, &err));
	assert_true(tar_add(layer_tar(layer), &entry, content, strlen(content), &err));
	assert_true(layer_commit(&layer, &result, &err));
	return result;
}

static struct image_bytes push(struct fixture *f, const struct image_draft *draft, const char *a,
			       const char *b)
{
	const struct ref *tags[] = { ref_of(f, a), b ? ref_of(f, b) : NULL };
	struct image_push spec = { draft, &f->access, tags, b ? 2 : 1 };
	struct image_bytes bytes;
	struct err err = { 0 };

	if (!image_push(&spec, f->arena, &bytes, &err))
		fail_msg("%s", err.text);
	return bytes;
}

static struct remote_image pull(struct fixture *f, const char *text)
{
	const struct platform host = { .os = "linux", .arch = "amd64" };
	struct remote_image image;
	struct registry *registry;
	struct err err = { 0 };

	assert_true(registry_open(&f->rules, f->keychain, &registry, &err));
	if (!registry_read_image(registry, ref_of(f, text), &host, f->arena, &image, &err))
		fail_msg("%s", err.text);
	registry_close(&registry);
	return image;
}

static struct image_bytes push_base(struct fixture *f)
{
	struct layer_result layer = make_layer(f, "base-file", "base");
	const struct history made = { .created_by = "the base" };
	const struct history empty = { .created_by = "an env", .is_empty_layer = true };
	struct image_draft draft;

	image_draft_init(&draft, NULL, f->arena);
	draft.config.platform = (struct platform){ .os = "linux", .arch = "amd64" };
	env_set(f->arena, &draft.config.env, "PATH", "/bin");
	image_draft_add(&draft, &layer, &made, f->arena);
	vec_push(f->arena, &draft.history, empty);
	return push(f, &draft, "registry.local/base:1", NULL);
}

static struct image_draft app_on_base(struct fixture *f, const struct remote_image *base)
{
	struct layer_result layer = make_layer(f, "app-file", "app");
	const struct history made = { .created_by = "the app" };
	struct image_draft draft;

	image_draft_init(&draft, base, f->arena);
	image_draft_add(&draft, &layer, &made, f->arena);
	return draft;
}

static void test_push__puts_an_image_on_top_of_a_base(void **state)
{
	struct fixture *f = *state;
	struct remote_image base, app;
	struct image_draft draft;
	struct image_bytes bytes;

	push_base(f);
	base = pull(f, "registry.local/base:1");
	draft = app_on_base(f, &base);
	env_set(f->arena, &draft.config.env, "APP", "yes");
	bytes = push(f, &draft, "registry.local/team/app", "registry.local/team/app:v2");
	app = pull(f, "registry.local/team/app:v2");
	assert_string_equal(app.ref.digest, bytes.manifest_desc.digest);
	assert_string_equal(pull(f, "registry.local/team/app:latest").ref.digest,
			    bytes.manifest_desc.digest);
	assert_int_equal(app.manifest.n_layers, 2);
	assert_string_equal(app.manifest.layers[0].digest, base.manifest.layers[0].digest);
	assert_int_equal(app.config.n_history, 3);
	assert_string_equal(app.config.history[2].created_by, "the app");
	assert_true(app.config.history[1].is_empty_layer);
	assert_string_equal(env_get(&app.config.env, "APP"), "yes");
	/* The base's own list is as it was. */
	assert_null(env_get(&base.config.env, "APP"));
}

static void test_push__is_deterministic(void **state)
{
	struct fixture *f = *state;
	struct remote_image base;
	struct image_draft draft;
	struct image_bytes once, again;

	push_base(f);
	base = pull(f, "registry.local/base:1");
	draft = app_on_base(f, &base);
	once = push(f, &draft, "registry.local/a", NULL);
	draft = app_on_base(f, &base);
	again = push(f, &draft, "registry.local/b", NULL);
	assert_string_equal(once.manifest_desc.digest, again.manifest_desc.digest);
}

static void test_push__copies_base_layers_to_another_registry(void **state)
{
	struct fixture *f = *state;
	struct remote_image base;
	struct image_draft draft;
	struct strings dirs;
	struct layer_store *store;
	struct remote_image app;
	struct err err = { 0 };

	push_base(f);
	base = pull(f, "registry.local/base:1");
	draft = app_on_base(f, &base);
	push(f, &draft, "other.local/app:x", "registry.local/app:x");
	assert_true(fs_remove_tree(path_join(f->arena, f->dir.path, "one"), &err));
	app = pull(f, "other.local/app:x");
	assert_true(layer_store_open(path_join(f->arena, f->dir.path, "store"), &store, &err));
	if (!image_unpack(&app, &f->access, store, f->arena, &dirs, &err))
		fail_msg("%s", err.text);
	assert_int_equal(dirs.n, 2);
	assert_true(fs_exists(path_join(f->arena, dirs.v[0], "base-file")));
	assert_true(fs_exists(path_join(f->arena, dirs.v[1], "app-file")));
	layer_store_close(&store);
}

static void test_draft__a_history_that_does_not_fit_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct remote_image base;
	struct image_draft draft;

	push_base(f);
	base = pull(f, "registry.local/base:1");
	base.config.n_history = 0;
	image_draft_init(&draft, &base, f->arena);
	assert_int_equal(draft.history.n, 1);
	assert_null(draft.history.v[0].created_by);
}

static void test_draft__docker_layers_get_oci_names(void **state)
{
	struct fixture *f = *state;
	struct remote_image base;
	struct image_draft draft;

	push_base(f);
	base = pull(f, "registry.local/base:1");
	base.manifest.layers[0].media_type = MEDIA_DOCKER_LAYER;
	image_draft_init(&draft, &base, f->arena);
	assert_string_equal(draft.layers.v[0].desc.media_type, MEDIA_OCI_LAYER_GZIP);
}

struct racing {
	struct fixture *f;
	const struct remote_image *image;
	struct layer_store *store;
	bool is_ok[12];
};

static void unpack_too(void *items, size_t i)
{
	struct racing *racing = items;
	struct arena *arena = arena_new();
	struct strings dirs;
	struct err err = { 0 };

	racing->is_ok[i] = image_unpack(racing->image, &racing->f->access, racing->store, arena,
					&dirs, &err) &&
			   dirs.n == 2;
	arena_free(arena);
}

static void test_unpack__several_at_once_share_the_work(void **state)
{
	struct fixture *f = *state;
	struct racing racing = { .f = f };
	struct remote_image base, app;
	struct image_draft draft;
	struct err err = { 0 };
	char *store = path_join(f->arena, f->dir.path, "store");

	push_base(f);
	base = pull(f, "registry.local/base:1");
	draft = app_on_base(f, &base);
	push(f, &draft, "registry.local/app", NULL);
	app = pull(f, "registry.local/app");
	racing.image = &app;
	assert_true(layer_store_open(store, &racing.store, &err));
	pool_each(6, COUNTOF(racing.is_ok), unpack_too, &racing);
	for (size_t i = 0; i < COUNTOF(racing.is_ok); i++)
		assert_true(racing.is_ok[i]);
	layer_store_close(&racing.store);
	/* Blobs are gone once they are unpacked. */
	assert_int_equal(rmdir(path_join(f->arena, store, "blobs/sha256")), 0);
}

static void test_unpack__a_layer_that_is_not_there_names_it(void **state)
{
	struct fixture *f = *state;
	struct remote_image base;
	struct layer_store *store;
	struct strings dirs;
	struct err err = { 0 };

	push_base(f);
	base = pull(f, "registry.local/base:1");
	base.manifest.layers[0].digest = arena_strdup(f->arena, digest_of("absent", 6).text);
	assert_true(layer_store_open(path_join(f->arena, f->dir.path, "store"), &store, &err));
	assert_false(image_unpack(&base, &f->access, store, f->arena, &dirs, &err));
	assert_non_null(strstr(err.text, base.manifest.layers[0].digest));
	assert_int_equal(dirs.n, 0);
	base.config.diff_ids.n = 0;
	assert_false(image_unpack(&base, &f->access, store, f->arena, &dirs, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	layer_store_close(&store);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_push__puts_an_image_on_top_of_a_base),
		ROW(test_push__is_deterministic),
		ROW(test_push__copies_base_layers_to_another_registry),
		ROW(test_draft__a_history_that_does_not_fit_is_replaced),
		ROW(test_draft__docker_layers_get_oci_names),
		ROW(test_unpack__several_at_once_share_the_work),
		ROW(test_unpack__a_layer_that_is_not_there_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
