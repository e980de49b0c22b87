/* SPDX-License-Identifier: Apache-2.0 */
/* test_login.c — options of `secret create` into the parts of a Secret, and where its value may come from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/login.h"
#include "unit/cli/folder.h"

struct row {
	const char *name;
	struct secret_options options;
	const char *target, *user, *key; /* of a login */
	const char *error;               /* part of the text */
};

static const struct row rows[] = {
	{ "docker_hub",
	  { .dockerhub = "jane" },
	  "https://index.docker.io/v1/",
	  "jane",
	  "password" },
	{ "gcr", { .gcr = "f" }, "gcr.io", "_json_key", "password" },
	{ "registry",
	  { .registry = "r.example.com", .registry_user = "ci" },
	  "r.example.com",
	  "ci",
	  "password" },
	{ "git_over_https",
	  { .git_url = "https://git.example.com:8443/a/b.git", .git_user = "ci" },
	  "https://git.example.com:8443",
	  "ci",
	  "password" },
	{ "git_over_ssh",
	  { .git_url = "git@git.example.com:a/b.git", .git_ssh_key = "k" },
	  "git@git.example.com",
	  NULL,
	  "ssh-privatekey" },
	{ "none", { 0 }, .error = "must be one of" },
	{ "two", { .gcr = "f", .dockerhub = "jane" }, .error = "must be one of" },
	{ "a_user_alone",
	  { .registry_user = "ci", .gcr = "f" },
	  .error = "--registry and --registry-user go together" },
	{ "a_git_user_without_git",
	  { .git_user = "ci", .gcr = "f" },
	  .error = "go with --git-url" },
	{ "git_with_both",
	  { .git_url = "https://g", .git_user = "ci", .git_ssh_key = "k" },
	  .error = "must provide one of git-user or git-ssh-key" },
	{ "a_key_over_https",
	  { .git_url = "https://g", .git_ssh_key = "k" },
	  .error = "valid git url for SSH" },
	{ "a_user_over_ssh",
	  { .git_url = "git@g", .git_user = "ci" },
	  .error = "valid git url for basic auth" },
	{ "a_password_in_the_url",
	  { .git_url = "https://ci:pw@g", .git_user = "ci" },
	  .error = "must not hold" },
};

static void check(void **state)
{
	const struct row *row = *state;
	struct arena *arena = arena_new();
	struct err err = { 0 };
	struct login login;
	bool is_fine = login_read(&row->options, arena, &login, &err);

	if (is_fine != !row->error)
		fail_msg("%s", err.text);
	if (row->error) {
		assert_non_null(strstr(err.text, row->error));
	} else {
		assert_string_equal(login.target, row->target);
		assert_string_equal(login.key, row->key);
		assert_true(row->user ? login.user && strcmp(login.user, row->user) == 0
				      : login.user == NULL);
	}
	arena_free(arena);
}

static void test_login__takes_only_files_that_a_secret_may_name(void **state)
{
	const struct secret_options none = { 0 };
	struct folder folder = { 0 };
	struct login_place place = { .ns = "shop", .name = "my-git" };
	struct login login = { .key = "password" };
	struct login_source source;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(folder_make(&folder), 0);
	assert_true(folder_put(&folder, "key", "x"));
	place.dir = folder.dir.path;
	login.file = folder_path(&folder, "key");
	assert_true(login_find_source(&login, &none, &place, folder.arena, &source, &err));
	assert_string_equal(source.file, "key");
	assert_null(source.variable);
	login.file = "/etc/hostname";
	assert_true(login_find_source(&login, &none, &place, folder.arena, &source, &err));
	assert_string_equal(source.variable, "RECONCILE_SECRET_SHOP_MY_GIT");
	assert_string_equal(source.left, "/etc/hostname");
	login.file = "/run/secrets/key";
	assert_true(login_find_source(&login, &none, &place, folder.arena, &source, &err));
	assert_string_equal(source.file, "/run/secrets/key");
	login.file = "/run/secrets/../key";
	assert_true(login_find_source(&login, &none, &place, folder.arena, &source, &err));
	assert_null(source.file);
	folder_release(&folder);
}

static void test_login__refuses_other_places_that_were_asked_for(void **state)
{
	static const struct secret_options wrong[] = { { .from_env = "HOME" },
						       { .from_env = "RECONCILE_SECRET_A,b=C" },
						       { .from_file = "/etc/hostname" },
						       { .from_file = "/run/secrets/a,b=/etc" },
						       { .from_env = "RECONCILE_SECRET_A",
							 .from_file = "/run/secrets/a" } };
	const struct login_place place = { "/nowhere", "default", "x" };
	const struct login login = { .key = "password" };
	struct arena *arena = arena_new();
	struct login_source source;

	(void)state;
	for (size_t i = 0; i < COUNTOF(wrong); i++) {
		struct err err = { 0 };

		assert_false(login_find_source(&login, &wrong[i], &place, arena, &source, &err));
		assert_int_equal(err.kind, ERR_INVALID);
	}
	arena_free(arena);
}

int main(void)
{
	struct CMUnitTest tests[COUNTOF(rows) + 2];

	for (size_t i = 0; i < COUNTOF(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, check, NULL, NULL,
						(void *)(uintptr_t)&rows[i] };
	tests[COUNTOF(rows)] = (struct CMUnitTest)cmocka_unit_test(
		test_login__takes_only_files_that_a_secret_may_name);
	tests[COUNTOF(rows) + 1] = (struct CMUnitTest)cmocka_unit_test(
		test_login__refuses_other_places_that_were_asked_for);
	return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
