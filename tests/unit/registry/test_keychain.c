/* SPDX-License-Identifier: Apache-2.0 */
/* test_keychain.c — credentials out of every file, variable and helper, and which of them is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buildexec/registry/dockerconfig.h"
#include "buildexec/registry/keychain.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/proc.h"
#include "lib/servers.h"

static char dir[64];
static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	test_dir_make(dir, sizeof(dir));
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	static const char *const none[] = { NULL };

	(void)state;
	proc_set_environment(none);
	arena_free(arena);
	test_dir_remove(dir);
	return 0;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	const char *path = arena_printf(arena, "%s/%s", dir, name);
	char *folder = arena_strdup(arena, path);
	struct err err = { 0 };

	*strrchr(folder, '/') = '\0';
	assert_true(fs_make_dirs(folder, 0755, &err));
	assert_true(fs_write_atomic(AT_FDCWD, path, text, strlen(text), mode, false, &err));
}

/* "user:password", "identity …", "bearer …" or "-". */
static const char *found(const struct keychain *keychain, const char *registry, const char *repo)
{
	struct credential credential;

	if (!keychain_find(keychain, registry, repo, arena, &credential))
		return "-";
	if (credential.identity_token)
		return arena_printf(arena, "identity %s", credential.identity_token);
	if (credential.registry_token)
		return arena_printf(arena, "bearer %s", credential.registry_token);
	return arena_printf(arena, "%s:%s", credential.user, credential.password);
}

static struct keychain *open_empty(void)
{
	const struct keychain_options options = { 0 };
	struct keychain *keychain;
	struct err err = { 0 };

	assert_true(keychain_open(&options, &keychain, &err));
	return keychain;
}

static void test_auth_key__has_one_spelling_per_place(void **state)
{
	static const struct {
		const char *server, *want;
	} rows[] = {
		{ "r.io", "r.io" },
		{ "https://R.io/", "r.io" },
		{ "http://r.io:5000/v1/", "r.io:5000" },
		{ "https://r.io/v2", "r.io" },
		{ "r.io/v2/x", "r.io/v2/x" },
		{ "r.io/Team/app//", "r.io/Team/app" },
		{ "https://index.docker.io/v1/", "index.docker.io" },
		{ "docker.io", "index.docker.io" },
		{ "docker.io/library/x", "index.docker.io/library/x" },
		{ "registry-1.docker.io", "index.docker.io" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(auth_key(rows[i].server, arena), rows[i].want);
}

static void test_auth_key__wildcards_stay_within_a_label(void **state)
{
	(void)state;
	assert_true(auth_key_matches("*.r.io", "a.r.io"));
	assert_false(auth_key_matches("*.r.io", "a.b.r.io"));
	assert_false(auth_key_matches("*.r.io", "r.io"));
	assert_true(auth_key_matches("*.dkr.*.io", "1.dkr.eu.io"));
	assert_true(auth_key_matches("a*.r.io/x", "abc.r.io/x"));
	assert_false(auth_key_matches("*", "a.b"));
	assert_false(auth_key_matches("r.io/*", "r.io/x"));
	assert_false(auth_key_matches("*.r.io", "a.r.io:5000"));
}

static void test_keychain__the_most_specific_key_wins(void **state)
{
	struct keychain *keychain = open_empty();

	(void)state;
	keychain_add(keychain, "r.io", "host", "p");
	keychain_add(keychain, "r.io", "second", "p");
	keychain_add(keychain, "https://r.io/team", "team", "p");
	keychain_add(keychain, "r.io/team/app", "app", "p");
	keychain_add(keychain, "https://index.docker.io/v1/", "hub", "p");
	keychain_add(keychain, "*.wild.io", "wild", "p");
	assert_string_equal(found(keychain, "r.io", "team/app"), "app:p");
	assert_string_equal(found(keychain, "r.io", "team/other"), "team:p");
	assert_string_equal(found(keychain, "r.io", "teams/app"), "host:p");
	assert_string_equal(found(keychain, "r.io:5000", "team/app"), "-");
	assert_string_equal(found(keychain, "index.docker.io", "library/x"), "hub:p");
	assert_string_equal(found(keychain, "registry-1.docker.io", "a/x"), "hub:p");
	assert_string_equal(found(keychain, "a.wild.io", "x"), "wild:p");
	keychain_close(&keychain);
}

static void test_keychain__reads_every_form_of_a_config(void **state)
{
	static const char config[] =
		"{\"auths\":{\"a.io\":{\"auth\":\"dTpwOng=\"},\"b.io\":{\"auth\":\"dTpw\\n\"},"
		"\"c.io\":{\"username\":\"u\",\"password\":\"p\"},\"d.io\":{\"identitytoken\":"
		"\"id\"},"
		"\"e.io\":{\"registrytoken\":\"reg\"},\"f.io\":{},\"g.io\":{\"auth\":\"\"},"
		"\"h.io\":{\"auth\":\"dTpwAAA=\"}},\"HttpHeaders\":{\"X\":\"y\"}}";
	static const char legacy[] = "{\"l.io\":{\"auth\":\"bDpw\",\"email\":\"x\"},\"other\":{}}";
	struct keychain *keychain = open_empty();
	struct err err = { 0 };

	(void)state;
	assert_true(keychain_add_config(keychain, config, strlen(config), &err));
	assert_true(keychain_add_config(keychain, legacy, strlen(legacy), &err));
	assert_string_equal(found(keychain, "a.io", "x"), "u:p:x");
	assert_string_equal(found(keychain, "b.io", "x"), "u:p");
	assert_string_equal(found(keychain, "c.io", "x"), "u:p");
	assert_string_equal(found(keychain, "d.io", "x"), "identity id");
	assert_string_equal(found(keychain, "e.io", "x"), "bearer reg");
	assert_string_equal(found(keychain, "f.io", "x"), "-");
	assert_string_equal(found(keychain, "g.io", "x"), "-");
	assert_string_equal(found(keychain, "h.io", "x"), "u:p");
	assert_string_equal(found(keychain, "l.io", "x"), "l:p");
	keychain_close(&keychain);
}

static void test_keychain__refuses_broken_configs_without_showing_them(void **state)
{
	static const struct {
		const char *json, *part;
	} rows[] = {
		{ "[]", "it is a sequence" },
		{ "{\"auths\":[]}", "'auths' is a sequence" },
		{ "{\"auths\":{\"r.io\":1}}", "the entry of 'r.io' is a number" },
		{ "{\"auths\":{\"r.io\":{\"auth\":\"c2VjcmV0\"}}}", "not base64 of user:password" },
		{ "{\"auths\":{\"r.io\":{\"auth\":\"secret!\"}}}", "not base64 of user:password" },
		{ "{\"auths\":secret}", "line 1" },
	};
	struct keychain *keychain = open_empty();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct err err = { 0 };

		assert_false(
			keychain_add_config(keychain, rows[i].json, strlen(rows[i].json), &err));
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err.text, rows[i].part) || strstr(err.text, "secret"))
			fail_msg("%s", err.text);
	}
	keychain_close(&keychain);
}

static void test_keychain__takes_places_in_their_order(void **state)
{
	const struct keychain_options options = { .with_files = true };
	const char *const env[] = {
		arena_printf(arena, "HOME=%s/home", dir),
		arena_printf(arena, "XDG_RUNTIME_DIR=%s/run", dir),
		arena_printf(arena, "REGISTRY_AUTH_FILE=%s/own.json", dir),
		"DOCKER_AUTH_CONFIG={\"auths\":{\"g.io\":{\"auth\":\"ZzpwCg==\"}}}",
		"CNB_REGISTRY_AUTH={\"h.io\":\"Basic aDpw\",\"i.io\":\"Bearer "
		"tok\",\"a.io\":\"Bearer "
		"late\"}",
		NULL,
	};
	struct keychain *keychain;
	struct err err = { 0 };

	(void)state;
	write_file("own.json", "{\"auths\":{\"a.io\":{\"auth\":\"b3duOnA=\"}}}", 0600);
	write_file(
		"run/containers/auth.json",
		"{\"auths\":{\"a.io\":{\"auth\":\"cnVuOnA=\"},\"b.io\":{\"auth\":\"cnVuOnA=\"}}}",
		0600);
	write_file(
		"home/.config/containers/auth.json",
		"{\"auths\":{\"b.io\":{\"auth\":\"Y2ZnOnA=\"},\"c.io\":{\"auth\":\"Y2ZnOnA=\"}}}",
		0600);
	write_file(
		"home/.docker/config.json",
		"{\"auths\":{\"c.io\":{\"auth\":\"ZG9jOnA=\"},\"d.io\":{\"auth\":\"ZG9jOnA=\"}}}",
		0600);
	write_file("home/.dockercfg",
		   "{\"d.io\":{\"auth\":\"b2xkOnA=\"},\"e.io\":{\"auth\":\"b2xkOnA=\"}}", 0600);
	proc_set_environment(env);
	assert_true(keychain_open(&options, &keychain, &err));
	assert_string_equal(found(keychain, "a.io", "x"), "own:p");
	assert_string_equal(found(keychain, "b.io", "x"), "run:p");
	assert_string_equal(found(keychain, "c.io", "x"), "cfg:p");
	assert_string_equal(found(keychain, "d.io", "x"), "doc:p");
	assert_string_equal(found(keychain, "e.io", "x"), "old:p");
	assert_string_equal(found(keychain, "g.io", "x"), "g:p\n");
	assert_string_equal(found(keychain, "h.io", "x"), "h:p");
	assert_string_equal(found(keychain, "i.io", "x"), "bearer tok");
	keychain_close(&keychain);
	write_file("own.json", "{", 0600);
	assert_false(keychain_open(&options, &keychain, &err));
	assert_non_null(strstr(err.text, "own.json"));
}

/* Helpers that count their calls in a file. */
static void write_helpers(void)
{
	write_file("bin/docker-credential-good",
		   "#!/bin/sh\nread -r server || true\necho \"$server\" >>\"$HOME/calls\"\n"
		   "case $server in\n*unknown*) echo 'credentials not found in native keychain'; "
		   "exit 1;;\n"
		   "*broken*) echo oops; exit 3;;\n"
		   "*token*) echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}';;\n"
		   "*) echo "
		   "'{\"ServerURL\":\"x\",\"Username\":\"from-helper\",\"Secret\":\"s3cret-value\"}"
		   "';;\n"
		   "esac\n",
		   0755);
}

static void test_keychain__asks_helpers_once_and_only_when_allowed(void **state)
{
	static const char config[] =
		"{\"auths\":{\"plain.io\":{\"auth\":\"dTpw\"},\"helped.io\":{}},"
		"\"credHelpers\":{\"helped.io\":\"good\",\"token.io\":\"good\",\"bad.io\":\"../"
		"evil\"},"
		"\"credsStore\":\"good\"}";
	struct keychain_options options = { .with_helpers = true };
	const char *const env[] = { arena_printf(arena, "HOME=%s", dir),
				    arena_printf(arena, "PATH=%s/bin:/usr/bin:/bin", dir), NULL };
	struct keychain *keychain;
	struct err err = { 0 };
	char *calls;
	size_t n;

	(void)state;
	write_helpers();
	proc_set_environment(env);
	assert_true(keychain_open(&options, &keychain, &err));
	assert_true(keychain_add_config(keychain, config, strlen(config), &err));
	assert_string_equal(found(keychain, "plain.io", "x"), "u:p");
	for (int i = 0; i < 3; i++)
		assert_string_equal(found(keychain, "helped.io", "x"), "from-helper:s3cret-value");
	assert_string_equal(found(keychain, "token.io", "x"), "identity refresh");
	assert_string_equal(found(keychain, "unknown.io", "x"), "-");
	assert_string_equal(found(keychain, "broken.io", "x"), "-");
	assert_string_equal(found(keychain, "index.docker.io", "x"), "from-helper:s3cret-value");
	/* A name that is no name of a helper runs nothing; the store is asked instead. */
	assert_string_equal(found(keychain, "bad.io", "x"), "from-helper:s3cret-value");
	keychain_close(&keychain);
	assert_true(fs_read(AT_FDCWD, arena_printf(arena, "%s/calls", dir), 10000, arena, &calls,
			    &n, &err));
	assert_string_equal(calls, "helped.io\ntoken.io\nunknown.io\nbroken.io\n"
				   "https://index.docker.io/v1/\nbad.io\n");
	options.with_helpers = false;
	assert_true(keychain_open(&options, &keychain, &err));
	assert_true(keychain_add_config(keychain, config, strlen(config), &err));
	assert_string_equal(found(keychain, "helped.io", "x"), "-");
	keychain_close(&keychain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auth_key__has_one_spelling_per_place),
		cmocka_unit_test(test_auth_key__wildcards_stay_within_a_label),
		cmocka_unit_test(test_keychain__the_most_specific_key_wins),
		cmocka_unit_test(test_keychain__reads_every_form_of_a_config),
		cmocka_unit_test(test_keychain__refuses_broken_configs_without_showing_them),
		cmocka_unit_test(test_keychain__takes_places_in_their_order),
		cmocka_unit_test(test_keychain__asks_helpers_once_and_only_when_allowed),
	};

	return cmocka_run_group_tests_name("keychain", tests, set_up, tear_down);
}
