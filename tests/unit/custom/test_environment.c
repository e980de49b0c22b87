/* SPDX-License-Identifier: Apache-2.0 */
/* test_environment.c — what a Custom builder is told, and where mounts may be. */
#include "buildexec/custom/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/custom/mounts.h"

struct want {
	const char *name, *value; /* NULL: not there */
};

static struct strings make(struct arena *arena, const struct bc_request *config,
			   const struct custom_secrets *secrets)
{
	static const char *of_image[] = { "PATH=/opt/bin", "LANG=de_DE", "OWN=image",
					  "SOURCE_URI=image" };
	const struct strings image_env = { .v = of_image, .n = COUNTOF(of_image) };
	const struct custom_environment from = { .config = config,
						 .secrets = secrets,
						 .image_env = &image_env,
						 .home = "/home/builder" };
	struct err err = { 0 };
	struct strings env;

	assert_true(custom_environment_make(&from, arena, &env, &err));
	return env;
}

static void check(const struct strings *env, const struct want *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *got = env_get(env, rows[i].name);

		if (!rows[i].value)
			assert_null(got);
		else if (!got || strcmp(got, rows[i].value) != 0)
			fail_msg("%s is '%s', not '%s'", rows[i].name, got ? got : "(absent)",
				 rows[i].value);
	}
	for (size_t i = 0; i < env->n; i++)
		for (size_t k = i + 1; k < env->n; k++)
			assert_false(strcspn(env->v[i], "=") == strcspn(env->v[k], "=") &&
				     strncmp(env->v[i], env->v[k], strcspn(env->v[i], "=")) == 0);
}

static void test_environment__everything(void **state)
{
	struct env_var own[] = { { .name = "BUILD_LOGLEVEL", .value = "5" },
				 { .name = "OWN", .value = "strategy" },
				 { .name = "EMPTY" },
				 { .name = "LANG", .value = "C" },
				 { .name = "PUSH_DOCKERCFG_PATH", .value = "/elsewhere" } };
	struct build_git git = { .uri = "https://git.example.com/a.git", .ref = "v1" };
	struct custom_strategy custom = { .from = { .name = "reg/builder@sha256:0" },
					  .env = { .v = own, .n = COUNTOF(own) } };
	struct object_ref to = { .kind = "DockerImage", .name = "quay.io:5000/shop/cart:1" };
	const struct bc_request config = {
		.spec = { .source = { .git = &git, .context_dir = "app" },
			  .strategy = { .custom = &custom },
			  .output = { .to = &to } },
		.build_json = "{\"kind\":\"Build\"}",
		.docker_socket = "/run/other.sock",
	};
	const struct custom_secrets secrets = { "/push", "/pull", "/source" };
	static const struct want rows[] = {
		{ "PATH", "/opt/bin" },
		{ "HOME", "/home/builder" },
		{ "BUILD", "{\"kind\":\"Build\"}" },
		{ "LANG", "C" },
		{ "SOURCE_REPOSITORY", "https://git.example.com/a.git" },
		{ "SOURCE_URI", "https://git.example.com/a.git" },
		{ "SOURCE_CONTEXT_DIR", "app" },
		{ "SOURCE_REF", "v1" },
		{ "OUTPUT_REGISTRY", "quay.io:5000" },
		{ "OUTPUT_IMAGE", "shop/cart:1" },
		{ "OPENSHIFT_CUSTOM_BUILD_BASE_IMAGE", "reg/builder@sha256:0" },
		{ "BUILD_LOGLEVEL", "5" },
		{ "OWN", "strategy" },
		{ "EMPTY", "" },
		{ "DOCKER_SOCKET", CUSTOM_DOCKER_SOCKET },
		{ "PUSH_DOCKERCFG_PATH", "/push" },
		{ "PULL_DOCKERCFG_PATH", "/pull" },
		{ "SOURCE_SECRET_PATH", "/source" },
	};
	struct arena *arena = arena_new();
	struct strings env = make(arena, &config, &secrets);

	(void)state;
	check(&env, rows, COUNTOF(rows));
	assert_int_equal(env.n, COUNTOF(rows));
	arena_free(arena);
}

static void test_environment__nothing(void **state)
{
	struct custom_strategy custom = { .from = { .name = "reg/builder@sha256:0" } };
	const struct bc_request config = { .spec = { .source = { .context_dir = "app" },
						     .strategy = { .custom = &custom } } };
	const struct custom_secrets secrets = { 0 };
	static const struct want rows[] = {
		{ "LANG", "C.utf8" },
		{ "OWN", "image" },
		{ "SOURCE_URI", "image" },
		{ "BUILD", NULL },
		{ "SOURCE_REPOSITORY", NULL },
		{ "SOURCE_CONTEXT_DIR", NULL },
		{ "SOURCE_REF", NULL },
		{ "OUTPUT_REGISTRY", NULL },
		{ "OUTPUT_IMAGE", NULL },
		{ "DOCKER_SOCKET", NULL },
		{ "BUILD_LOGLEVEL", NULL },
		{ "PUSH_DOCKERCFG_PATH", NULL },
		{ "PULL_DOCKERCFG_PATH", NULL },
		{ "SOURCE_SECRET_PATH", NULL },
	};
	struct arena *arena = arena_new();
	struct strings env = make(arena, &config, &secrets);

	(void)state;
	check(&env, rows, COUNTOF(rows));
	arena_free(arena);
}

static void test_environment__a_variable_has_an_end(void **state)
{
	struct custom_strategy custom = { .from = { .name = "reg/builder" } };
	struct bc_request config = { .spec = { .strategy = { .custom = &custom } } };
	const struct custom_secrets secrets = { 0 };
	const struct strings none = { 0 };
	const struct custom_environment from = { &config, &secrets, &none, NULL };
	struct arena *arena = arena_new();
	size_t fits = LIMIT_VARIABLE_BYTES - 1 - strlen("BUILD=");
	char *json = arena_alloc(arena, fits + 2);
	struct err err = { 0 };
	struct strings env;

	(void)state;
	memset(json, 'x', fits);
	json[fits] = '\0';
	config.build_json = json;
	assert_true(custom_environment_make(&from, arena, &env, &err));
	assert_string_equal(env_get(&env, "HOME"), "/");
	json[fits] = 'x';
	json[fits + 1] = '\0';
	assert_false(custom_environment_make(&from, arena, &env, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	assert_string_equal(err.text, "variable 'BUILD' has 131072 bytes, but no program can be "
				      "given more than 131071 in one");
	arena_free(arena);
}

static void test_mount_path__where_one_may_be(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: not there */
	} rows[] = {
		{ "/opt/keys", "/opt/keys" },
		{ "//opt//./keys/", "/opt/keys" },
		{ "/etc/keys", "/etc/keys" },
		{ "/var/run/secrets/x", "/var/run/secrets/x" },
		{ "/procs", "/procs" },
		{ "/a..b", "/a..b" },
		{ "", NULL },
		{ "opt/keys", NULL },
		{ "/opt/../etc/keys", NULL },
		{ "/..", NULL },
		{ "/", NULL },
		{ "/./", NULL },
		{ "/proc", NULL },
		{ "/proc/1/root", NULL },
		{ "/sys/fs", NULL },
		{ "/dev/shm", NULL },
		{ "/etc/", NULL },
		{ "/usr", NULL },
		{ "/var/run", NULL },
		{ "/etc/hosts", NULL },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct err err = { 0 };
		const char *got;
		bool is_ok = custom_mount_path(rows[i].text, arena, &got, &err);

		if (is_ok != (rows[i].want != NULL))
			fail_msg("'%s': %s", rows[i].text, is_ok ? got : err.text);
		if (is_ok)
			assert_string_equal(got, rows[i].want);
		else
			assert_int_equal(err.kind, ERR_INVALID);
	}
	assert_true(custom_paths_overlap("/a/b", "/a"));
	assert_true(custom_paths_overlap("/a", "/a/b"));
	assert_true(custom_paths_overlap("/a", "/a"));
	assert_false(custom_paths_overlap("/a", "/ab"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment__everything),
		cmocka_unit_test(test_environment__nothing),
		cmocka_unit_test(test_environment__a_variable_has_an_end),
		cmocka_unit_test(test_mount_path__where_one_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
