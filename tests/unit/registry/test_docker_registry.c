/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_docker_registry.c — both backends with the real thing: Debian's docker-registry, plain, with a password, with TLS of
 * a private authority, and both; skopeo reads back what we pushed and we read what skopeo pushed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buildexec/registry/keychain.h"
#include "buildexec/registry/registry.h"
#include "buildexec/sys/fs.h"
#include "lib/servers.h"
#include "unit/registry/images.h"

enum { BIG_BYTES = 40 << 20 };

struct kind {
	const char *name;
	bool with_tls, with_auth;
};
static const struct kind kinds[] = {
	{ "registry", false, false },
	{ "registry-auth", false, true },
	{ "registry-tls", true, false },
	{ "registry-tls-auth", true, true },
};

/* One server and a client of it. */
struct setting {
	const struct kind *kind;
	struct server server;
	struct arena *arena;
	struct registry_rules rules;
	struct keychain *keychain;
	struct registry *registry;
};

static char dir[64];

static int set_up(void **state)
{
	(void)state;
	test_dir_make(dir, sizeof(dir));
	fs_set_temp_base(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_dir_remove(dir);
	return 0;
}

static void open_setting(struct setting *setting, const struct kind *kind)
{
	const struct keychain_options options = { 0 };
	struct registry_rule rule = { 0 };
	struct err err = { 0 };
	char path[256];

	*setting = (struct setting){ .kind = kind, .arena = arena_new() };
	snprintf(path, sizeof(path), "%s/%s", dir, kind->name);
	assert_true(server_start(&setting->server, kind->name, path, NULL, NULL));
	rule.prefix = setting->server.addr;
	if (kind->with_tls)
		rule.ca_file = arena_printf(setting->arena, "%s/ca.pem", path);
	vec_push(setting->arena, &setting->rules.list, rule);
	vec_push(setting->arena, &setting->rules.list,
		 (struct registry_rule){ .prefix = "folder.test",
					 .layout = arena_strdup(setting->arena, path) });
	assert_true(keychain_open(&options, &setting->keychain, &err));
	if (kind->with_auth)
		keychain_add(setting->keychain, setting->server.addr, SERVER_USER, SERVER_PASSWORD);
	assert_true(registry_open(&setting->rules, setting->keychain, &setting->registry, &err));
}

static void close_setting(struct setting *setting)
{
	registry_close(&setting->registry);
	keychain_close(&setting->keychain);
	server_stop(&setting->server);
	arena_free(setting->arena);
}

static struct ref ref_of(struct setting *setting, const char *name)
{
	struct ref ref;
	struct err err = { 0 };

	if (strncmp(name, "folder.test/", 12) != 0)
		name = arena_printf(setting->arena, "%s/%s", setting->server.addr, name);
	assert_true(ref_parse(name, setting->arena, &ref, &err));
	return ref;
}

/* What a pushed image must do: resolve, list, mount, and be found by skopeo under the same digest. */
static void check_image(struct setting *setting)
{
	struct arena *arena = setting->arena;
	struct test_image image = test_image_make(arena, setting->kind->name);
	struct ref ref = ref_of(setting, "team/app:v1"), copy = ref_of(setting, "other/app:v2");
	const struct platform host = platform_host();
	struct remote_image read;
	struct descriptor desc;
	struct strings tags;
	struct err err = { 0 };
	bool done;

	assert_true(registry_resolve(setting->registry, &ref, arena, &desc, &err));
	assert_null(desc.digest);
	assert_true(registry_check_write(setting->registry, &ref, &err));
	if (!test_image_push(setting->registry, &ref, &image, &err))
		fail_msg("%s: %s", setting->kind->name, err.text);
	assert_true(registry_resolve(setting->registry, &ref, arena, &desc, &err));
	assert_string_equal(desc.digest, image.manifest.digest);
	assert_true(registry_read_image(setting->registry, &ref, &host, arena, &read, &err));
	assert_string_equal(read.config.cmd.v[0], "/content");
	assert_true(registry_mount_blob(setting->registry, &ref, &copy, &image.layer, &done, &err));
	assert_true(done);
	assert_true(registry_copy(setting->registry, &ref, &copy, &err));
	assert_true(registry_list_tags(setting->registry, &copy, arena, &tags, &err));
	assert_int_equal(tags.n, 1);
	assert_string_equal(tags.v[0], "v2");
	ref = ref_of(setting, "absent/app:v1");
	assert_false(registry_list_tags(setting->registry, &ref, arena, &tags, &err));
	assert_int_equal(err.kind, ERR_ABSENT);
}

/* A blob of many chunks, from a file and back. */
static void check_big_blob(struct setting *setting)
{
	struct arena *arena = setting->arena;
	struct ref ref = ref_of(setting, "team/big:v1");
	const char *path = arena_printf(arena, "%s/big", dir);
	const char *back = arena_printf(arena, "%s/back", dir);
	unsigned char *bytes = arena_alloc(arena, BIG_BYTES);
	struct descriptor desc;
	struct err err = { 0 };
	char *read;
	size_t n;

	for (uint32_t i = 0, x = 1; i < BIG_BYTES; i++) {
		x = x * 1664525u + 1013904223u;
		bytes[i] = (unsigned char)(x >> 24);
	}
	desc = test_descriptor(arena, MEDIA_OCI_LAYER, bytes, BIG_BYTES);
	assert_true(fs_write_atomic(AT_FDCWD, path, bytes, BIG_BYTES, 0644, false, &err));
	if (!registry_put_blob(setting->registry, &ref, &desc, NULL, path, &err) ||
	    !registry_fetch_blob(setting->registry, &ref, &desc, back, &err))
		fail_msg("%s: %s", setting->kind->name, err.text);
	assert_true(fs_read(AT_FDCWD, back, BIG_BYTES, arena, &read, &n, &err));
	assert_int_equal(n, BIG_BYTES);
	assert_memory_equal(read, bytes, BIG_BYTES);
	/* A file that is not what its descriptor says is refused by us or by the server, and nothing stays. */
	desc = test_descriptor(arena, MEDIA_OCI_LAYER, bytes, BIG_BYTES - 1);
	assert_false(registry_put_blob(setting->registry, &ref, &desc, NULL, path, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	desc.size_bytes = BIG_BYTES;
	assert_false(registry_put_blob(setting->registry, &ref, &desc, NULL, path, &err));
	assert_int_equal(err.kind, ERR_INVALID);
}

static void check_skopeo(struct setting *setting)
{
	static const char script[] =
		"set -e; addr=$0 dir=$1 tls=$2 creds=${3:+--creds=$3}\n"
		"image=docker://$addr/team/app:v1\n"
		"digest=$(skopeo inspect --tls-verify=$tls --cert-dir=$dir/certs $creds --format "
		"'{{.Digest}}' $image)\n"
		"[ \"$digest\" = \"$4\" ]\n"
		"skopeo copy -q --preserve-digests --src-tls-verify=$tls --src-cert-dir=$dir/certs "
		"${creds:+--src-creds=$3} "
		"--dest-tls-verify=$tls --dest-cert-dir=$dir/certs ${creds:+--dest-creds=$3} "
		"$image docker://$addr/from/skopeo:v1\n";
	struct arena *arena = setting->arena;
	struct test_image image = test_image_make(arena, setting->kind->name);
	const char *certs = arena_printf(arena, "%s/certs", setting->server.dir);
	const char *const argv[] = { "bash",
				     "-c",
				     script,
				     setting->server.addr,
				     setting->server.dir,
				     setting->kind->with_tls ? "true" : "false",
				     setting->kind->with_auth ? SERVER_USER ":" SERVER_PASSWORD
							      : "",
				     image.manifest.digest,
				     NULL };
	const char *const copy[] = { "sh",
				     "-c",
				     "mkdir -p \"$1\"; [ ! -e \"$0/ca.pem\" ] || "
				     "cp \"$0/ca.pem\" \"$1/ca.crt\"",
				     setting->server.dir,
				     certs,
				     NULL };
	struct ref ref = ref_of(setting, "from/skopeo:v1");
	struct descriptor desc;
	struct err err = { 0 };

	if (!has_program("skopeo"))
		return;
	test_run(copy);
	test_run(argv);
	assert_true(registry_resolve(setting->registry, &ref, arena, &desc, &err));
	assert_string_equal(desc.digest, image.manifest.digest);
}

/* From the registry into a folder and back again: same bytes, same digest. */
static void check_both_backends(struct setting *setting)
{
	struct arena *arena = setting->arena;
	struct ref from = ref_of(setting, "team/app:v1"), back = ref_of(setting, "back/app:v1");
	struct ref folder = ref_of(setting, "folder.test/app:v1");
	struct descriptor first, second;
	struct err err = { 0 };

	if (!registry_copy(setting->registry, &from, &folder, &err) ||
	    !registry_copy(setting->registry, &folder, &back, &err) ||
	    !registry_resolve(setting->registry, &from, arena, &first, &err) ||
	    !registry_resolve(setting->registry, &back, arena, &second, &err))
		fail_msg("%s: %s", setting->kind->name, err.text);
	assert_string_equal(first.digest, second.digest);
}

static void test_docker_registry__takes_and_gives_images_of_every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		struct setting setting;

		open_setting(&setting, &kinds[i]);
		check_image(&setting);
		check_big_blob(&setting);
		check_skopeo(&setting);
		check_both_backends(&setting);
		close_setting(&setting);
	}
}

static void test_docker_registry__says_what_is_missing_to_be_let_in(void **state)
{
	const struct keychain_options options = { 0 };
	struct setting setting;
	struct registry *registry;
	struct keychain *wrong;
	struct registry_rules none = { 0 };
	struct descriptor desc;
	struct ref ref;
	struct err err = { 0 };

	(void)state;
	open_setting(&setting, &kinds[3]);
	ref = ref_of(&setting, "team/app:v1");
	/* No authority. */
	assert_true(registry_open(&none, setting.keychain, &registry, &err));
	assert_false(registry_resolve(registry, &ref, setting.arena, &desc, &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "certificate"));
	registry_close(&registry);
	/* No credentials. */
	assert_true(registry_open(&setting.rules, NULL, &registry, &err));
	assert_false(registry_resolve(registry, &ref, setting.arena, &desc, &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "there are no credentials"));
	registry_close(&registry);
	/* Wrong ones. */
	assert_true(keychain_open(&options, &wrong, &err));
	keychain_add(wrong, setting.server.addr, SERVER_USER, "wrong-password");
	assert_true(registry_open(&setting.rules, wrong, &registry, &err));
	assert_false(registry_check_write(registry, &ref, &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "401"));
	assert_null(strstr(err.text, "wrong-password"));
	registry_close(&registry);
	keychain_close(&wrong);
	close_setting(&setting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docker_registry__takes_and_gives_images_of_every_kind),
		cmocka_unit_test(test_docker_registry__says_what_is_missing_to_be_let_in),
	};
	static const char *const needed[] = { "docker-registry", "htpasswd", "openssl", "python3" };

	for (size_t i = 0; i < COUNTOF(needed); i++) {
		if (!has_program(needed[i])) {
			printf("needs %s\n", needed[i]);
			return 77;
		}
	}
	return cmocka_run_group_tests_name("docker_registry", tests, set_up, tear_down);
}
