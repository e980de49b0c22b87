/* SPDX-License-Identifier: Apache-2.0 */
/* test_credentials.c — which secret of a service account goes to which server (kpack.md §4.4). */
#include "manifest.h"

#include "model/kind/credentials.h"

#define SECRET(name, type, annotation, data)                                                       \
	"apiVersion: v1\nkind: Secret\nmetadata: {name: " name ", annotations: {" annotation       \
	"}}\ntype: kubernetes.io/" type "\nstringData: {" data "}\n---\n"
#define BASIC(name, server)                                                                        \
	SECRET(name, "basic-auth", "kpack.io/git: '" server "'", "username: " name ", password: p")
#define KEY(name, server)                                                                          \
	SECRET(name, "ssh-auth", "kpack.io/git: '" server "'",                                     \
	       "ssh-privatekey: " name ", known_hosts: h")
#define ACCOUNT(names)                                                                             \
	"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\nsecrets: [" names "]\n---" \
	"\n"

struct row {
	const char *name, *secrets, *scheme, *host, *want; /* user or key; "" for anonymous */
};

static const struct row rows[] = {
	{ "a_bare_host_is_for_https", BASIC("a", "git.local"), "https", "git.local", "a" },
	{ "a_bare_host_is_for_http", BASIC("a", "git.local"), "http", "git.local", "a" },
	{ "a_password_is_not_for_ssh", BASIC("a", "git.local"), "ssh", "git.local", "" },
	{ "https_is_not_http", BASIC("a", "https://git.local"), "http", "git.local", "" },
	{ "http_is_not_https", BASIC("a", "http://git.local"), "https", "git.local", "" },
	{ "the_path_does_not_count", BASIC("a", "https://git.local/x/"), "https", "git.local",
	  "a" },
	{ "whole_hosts", BASIC("a", "https://git.local"), "https", "git.local.evil.org", "" },
	{ "not_by_their_end", BASIC("a", "https://git.local"), "https", "evil-git.local", "" },
	{ "the_port_counts", BASIC("a", "https://git.local"), "https", "git.local:8443", "" },
	{ "its_port", BASIC("a", "https://git.local:8443"), "https", "git.local:8443", "a" },
	{ "case_does_not", BASIC("a", "https://Git.Local"), "https", "git.local", "a" },
	{ "a_key_by_user_and_host", KEY("k", "git@git.local"), "ssh", "git.local", "k" },
	{ "a_key_by_host", KEY("k", "git.local"), "ssh", "git.local", "k" },
	{ "a_key_by_url", KEY("k", "ssh://git@git.local"), "ssh", "git.local", "k" },
	{ "a_key_is_not_for_https", KEY("k", "git@git.local"), "https", "git.local", "" },
	{ "the_first_by_name", BASIC("b", "git.local") BASIC("a", "https://git.local"), "https",
	  "git.local", "a" },
	{ "that_matches", BASIC("b", "https://git.local") BASIC("a", "other.local"), "https",
	  "git.local", "b" },
	{ "other_types_are_none",
	  SECRET("a", "tls", "kpack.io/git: git.local", "tls.crt: c, tls.key: k"), "https",
	  "git.local", "" },
};

static void test_git__secrets_are_chosen_by_scheme_and_host(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		AUTO_BUF text = BUF_INIT(1 << 16);
		const struct request_credential *found;
		struct credentials credentials;
		struct loaded loaded;
		const char *got;

		buf_printf(&text, "%s%s", ACCOUNT("{name: b}, {name: a}, {name: k}"),
			   rows[i].secrets);
		manifest_load(&loaded, buf_text(&text), false);
		credentials_collect(&loaded.model, "default", "robot", loaded.arena, &credentials);
		found = credential_for_git(&credentials.git, rows[i].scheme, rows[i].host);
		got = !found ? "" : found->user ? found->user : found->ssh_key;
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: '%s' instead of '%s'", rows[i].name, got, rows[i].want);
		arena_free(loaded.arena);
	}
}

#define HUB   "kpack.io/docker: 'https://index.docker.io/v1/'"
#define LOGIN "username: u, password: p"
static const char registry_text[] = ACCOUNT("{name: hub}, {name: plain}, {name: config}")
	SECRET("hub", "basic-auth", HUB, LOGIN) SECRET("plain", "basic-auth", "a: b", LOGIN) SECRET(
		"config", "dockerconfigjson", "a: b", "'.dockerconfigjson': '{\"auths\":{}}'")
		SECRET("pull", "dockercfg", "a: b", "'.dockercfg': '{}'");

static const struct request_credential *nth(const struct credentials *credentials, size_t i)
{
	return LIST_AT(credentials->registry, struct request_credential, i);
}

/* In order of name; a login without a server is nobody's. */
static void test_registry__accounts_and_pull_secrets_bring_logins(void **state)
{
	struct named names[] = { { .name = "pull" }, { .name = "gone" } };
	const struct list pull = { names, COUNTOF(names) };
	const struct object_ref robot = { .ns = "default", .name = "robot" };
	struct credentials credentials;
	struct loaded loaded;

	(void)state;
	manifest_load(&loaded, registry_text, false);
	credentials_collect(&loaded.model, "default", "robot", loaded.arena, &credentials);
	assert_int_equal(credentials.registry.n, 2);
	assert_non_null(nth(&credentials, 0)->config);
	assert_string_equal(nth(&credentials, 1)->server, "https://index.docker.io/v1/");
	credentials_collect_with(&loaded.model, &robot, &pull, loaded.arena, &credentials);
	assert_int_equal(credentials.registry.n, 3);
	credentials_collect(&loaded.model, "default", "stranger", loaded.arena, &credentials);
	assert_int_equal(credentials.registry.n + credentials.git.n, 0);
	arena_free(loaded.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_git__secrets_are_chosen_by_scheme_and_host),
		cmocka_unit_test(test_registry__accounts_and_pull_secrets_bring_logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
