/* SPDX-License-Identifier: Apache-2.0 */
/* test_credential_servers.c — what secrets bring to blob servers, and what a source image's own secrets bring to registries. */
#include "model/kind/credentials.h"

#include "tests/unit/kind/manifest.h"

static const char manifests[] =
	"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: files, namespace: shop}\n"
	"secrets: [{name: both}, {name: bearer}, {name: header}, {name: login}, {name: half}]\n"
	"---\napiVersion: v1\nkind: Secret\nmetadata: {name: login, namespace: shop, annotations: "
	"{kpack.io/blob: 'files.local:8080'}}\nstringData: {username: me, password: pass}\n"
	"---\napiVersion: v1\nkind: Secret\nmetadata: {name: bearer, namespace: shop, annotations: "
	"{kpack.io/blob: 'https://token.local'}}\nstringData: {bearer: t0ken}\n"
	"---\napiVersion: v1\nkind: Secret\nmetadata: {name: header, namespace: shop, annotations: "
	"{kpack.io/blob: header.local}}\nstringData: {authorization: Special key}\n"
	"---\napiVersion: v1\nkind: Secret\nmetadata: {name: both, namespace: shop, annotations: "
	"{kpack.io/blob: both.local}}\nstringData: {authorization: x, bearer: y}\n"
	"---\napiVersion: v1\nkind: Secret\nmetadata: {name: half, namespace: shop, annotations: "
	"{kpack.io/blob: half.local}}\nstringData: {username: me}\n"
	"---\napiVersion: v1\nkind: Secret\nmetadata: {name: pull, namespace: shop, annotations: "
	"{kpack.io/docker: reg.local}}\ntype: kubernetes.io/basic-auth\n"
	"stringData: {username: puller, password: pass}\n";

static void test_credentials__blobs_by_scheme_and_host_with_one_way_only(void **state)
{
	static const struct {
		const char *scheme, *host;
		const char *user, *token, *authorization; /* all NULL: none */
	} rows[] = {
		{ "http", "files.local:8080", "me", NULL, NULL },
		{ "https", "files.local:8080", "me", NULL, NULL },
		{ "http", "files.local", NULL, NULL, NULL },
		{ "https", "token.local", NULL, "t0ken", NULL },
		{ "http", "token.local", NULL, NULL, NULL },
		{ "https", "header.local", NULL, NULL, "Special key" },
		{ "https", "both.local", NULL, NULL, NULL },
		{ "https", "half.local", NULL, NULL, NULL },
	};
	struct credentials credentials;
	struct loaded loaded;

	(void)state;
	manifest_load(&loaded, manifests, false);
	credentials_collect(&loaded.model, "shop", "files", loaded.arena, &credentials);
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const struct request_credential *found =
			credential_for_git(&credentials.blob, rows[i].scheme, rows[i].host);

		if (!rows[i].user && !rows[i].token && !rows[i].authorization) {
			assert_null(found);
			continue;
		}
		assert_non_null(found);
		if (rows[i].user)
			assert_string_equal(found->user, rows[i].user);
		if (rows[i].token)
			assert_string_equal(found->token, rows[i].token);
		if (rows[i].authorization)
			assert_string_equal(found->authorization, rows[i].authorization);
	}
	arena_free(loaded.arena);
}

static void test_credentials__pull_secrets_come_without_an_account(void **state)
{
	struct named names[] = { { .name = "pull" }, { .name = "gone" } };
	const struct list extra = { names, COUNTOF(names) };
	const struct object_ref nobody = { .ns = "shop" }, elsewhere = { .ns = "other" };
	struct credentials credentials;
	struct loaded loaded;

	(void)state;
	manifest_load(&loaded, manifests, false);
	credentials_collect_with(&loaded.model, &nobody, &extra, loaded.arena, &credentials);
	assert_int_equal(credentials.registry.n, 1);
	assert_string_equal(LIST_AT(credentials.registry, struct request_credential, 0)->user,
			    "puller");
	assert_int_equal(credentials.blob.n, 0);
	credentials_collect_with(&loaded.model, &elsewhere, &extra, loaded.arena, &credentials);
	assert_int_equal(credentials.registry.n, 0);
	arena_free(loaded.arena);
}

static void test_server_is_among__host_and_scheme(void **state)
{
	static const struct {
		const char *server, *allowed;
		bool is_among;
	} rows[] = {
		{ "https://reg.local/v2/", "https://reg.local", true },
		{ "https://reg.local", "reg.local", true },
		{ "reg.local", "reg.local", true },
		{ "https://REG.local", "https://reg.local/v1/", true },
		{ "https://me@reg.local", "https://reg.local", true },
		{ "git@git.local", "ssh://git.local", true },
		{ "git@git.local", "git.local", true },
		{ "ssh://git.local:22", "ssh://git.local:22", true },
		{ "anything", "*", true },
		{ "http://reg.local", "https://reg.local", false },
		{ "reg.local", "https://reg.local", false }, /* may come to be http */
		{ "https://reg.local:8443", "https://reg.local", false },
		{ "https://reg.local.evil", "https://reg.local", false },
		{ "https://evil/reg.local", "https://reg.local", false },
		{ "https://reg.local@evil", "https://reg.local", false },
		{ "git.local", "git@git.local", false }, /* that is ssh */
		{ "https://xreg.local", "https://reg.local", false },
		{ "", "", false },
		{ NULL, "reg.local", false },
		{ NULL, "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		const char *text = rows[i].allowed;
		const struct strings allowed = { .v = &text, .n = 1 }, none = { 0 };

		if (server_is_among(rows[i].server, &allowed) != rows[i].is_among)
			fail_msg("%s, %s", rows[i].server ? rows[i].server : "(none)", text);
		assert_false(server_is_among(rows[i].server, &none));
	}
}

/* The values of all secrets may be sent to one server only. */
static void limit_values(struct loaded *loaded, const struct strings *servers)
{
	for (size_t i = 0; i < loaded->model.objects.n; i++) {
		const struct object *object = loaded->model.objects.v[i];
		const struct secret_spec *secret = object->spec;

		for (size_t k = 0; object->kind == KIND_SECRET && k < secret->values.n; k++)
			LIST_AT(secret->values, struct secret_value, k)->servers = servers;
	}
}

static void test_credentials__go_nowhere_else_than_their_values_may(void **state)
{
	const char *server = "https://token.local";
	const struct strings servers = { .v = &server, .n = 1 };
	struct named names[] = { { .name = "pull" } };
	const struct object_ref account = { .ns = "shop", .name = "files" };
	const struct build_secrets build = { .account = &account,
					     .registry = &(struct list){ names, 1 },
					     .source = "pull",
					     .source_server = "https://git.local" };
	struct credentials credentials;
	struct loaded loaded;

	(void)state;
	manifest_load(&loaded, manifests, false);
	credentials_collect_build(&loaded.model, &build, loaded.arena, &credentials);
	assert_int_equal(credentials.git.n, 1);
	assert_string_equal(LIST_AT(credentials.registry, struct request_credential, 0)->password,
			    "pass");
	limit_values(&loaded, &servers);
	credentials_collect_build(&loaded.model, &build, loaded.arena, &credentials);
	assert_int_equal(credentials.git.n, 0);
	assert_int_equal(credentials.registry.n, 0);
	assert_int_equal(credentials.blob.n, 1);
	assert_string_equal(LIST_AT(credentials.blob, struct request_credential, 0)->token,
			    "t0ken");
	arena_free(loaded.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_credentials__blobs_by_scheme_and_host_with_one_way_only),
		cmocka_unit_test(test_credentials__pull_secrets_come_without_an_account),
		cmocka_unit_test(test_server_is_among__host_and_scheme),
		cmocka_unit_test(test_credentials__go_nowhere_else_than_their_values_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
