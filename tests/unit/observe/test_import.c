/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_import.c — what is asked for a tag of an image stream, what is recorded of it, and how its failures read, against a
 * registry that misbehaves on purpose (tests/fake/registry.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buildexec/registry/keychain.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/http.h"
#include "lib/servers.h"
#include "model/kind/credentials.h"
#include "reconcile/observe/observe.h"
#include "unit/kind/manifest.h"
#include "unit/registry/images.h"

static struct server server;
static char dir[64];
static struct arena *arena;
static struct keychain *keychain;
static struct registry *registry;
static struct registry_rules rules;
static struct http *client;
static struct loaded loaded;
static struct settings *settings;

static const char *manifests(void)
{
	return arena_printf(
		arena,
		"apiVersion: v1\nkind: Secret\nmetadata: {name: right, namespace: shop}\n"
		"type: kubernetes.io/dockerconfigjson\nstringData:\n"
		"  .dockerconfigjson: '{\"auths\":{\"%s\":{\"username\":\"" SERVER_USER
		"\",\"password\":\"" SERVER_PASSWORD "\"}}}'\n---\n"
		"apiVersion: v1\nkind: Secret\nmetadata: {name: wrong, namespace: typo}\n"
		"type: kubernetes.io/dockerconfigjson\nstringData:\n"
		"  .dockerconfigjson: "
		"'{\"auths\":{\"%s\":{\"username\":\"x\",\"password\":\"y\"}}}'\n"
		"---\n"
		"apiVersion: v1\nkind: Secret\nmetadata: {name: other, namespace: shut,\n"
		"  annotations: {openshift.io/image.excludeSecret: 'true'}}\n"
		"type: kubernetes.io/dockerconfigjson\nstringData:\n"
		"  .dockerconfigjson: '{\"auths\":{\"%s\":{\"username\":\"" SERVER_USER
		"\",\"password\":\"" SERVER_PASSWORD "\"}}}'\n",
		server.addr, server.addr, server.addr);
}

static int set_up(void **state)
{
	const struct keychain_options options = { 0 };
	const struct http_options http_options = { 0 };
	const char *const certs[] = { "bash", TEST_SOURCE_DIR "/tests/lib/servers.sh", "ca", dir,
				      NULL };
	struct err err = { 0 };

	(void)state;
	test_dir_make(dir, sizeof(dir));
	fs_set_temp_base(dir);
	test_run(certs);
	if (!server_start(&server, "fake", dir, TEST_SOURCE_DIR "/tests/fake/registry.py", dir))
		return -1;
	arena = arena_new();
	manifest_load(&loaded, manifests(), true);
	if (loaded.diags.n_errors) {
		fprintf(stderr, "%s", manifest_said(&loaded));
		return -1;
	}
	settings = ARENA_NEW(arena, struct settings);
	*settings = *loaded.model.settings;
	loaded.model.settings = settings;
	if (!keychain_open(&options, &keychain, &err) || !http_open(&http_options, &client, &err))
		return -1;
	keychain_add(keychain, server.addr, SERVER_USER, SERVER_PASSWORD);
	return registry_open(&rules, keychain, &registry, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	registry_close(&registry);
	keychain_close(&keychain);
	http_close(&client);
	arena_free(arena);
	arena_free(loaded.arena);
	server_stop(&server);
	test_dir_remove(dir);
	return 0;
}

static const char *at(const char *repo)
{
	return arena_printf(arena, "%s/%s", server.addr, repo);
}

static struct ref ref_of(const char *text)
{
	struct ref ref;
	struct err err = { 0 };

	assert_true(ref_parse(text, arena, &ref, &err));
	return ref;
}

static struct test_image push(const char *repo, const char *text)
{
	struct test_image image = test_image_make(arena, text);
	struct ref ref = ref_of(at(repo));
	struct err err = { 0 };

	ref.has_tag = true;
	if (!test_image_push(registry, &ref, &image, &err))
		fail_msg("%s: %s", repo, err.text);
	return image;
}

static const char *get(const char *path)
{
	const struct http_request request = {
		.method = "GET", .url = arena_printf(arena, "http://%s%s", server.addr, path)
	};
	struct http_response response;
	struct err err = { 0 };

	assert_true(http_send(client, &request, arena, &response, &err));
	return response.body;
}

/* "127.0.0.1:PORT" of another origin of the server. */
static const char *origin(const char *name)
{
	const char *found = strstr(get("/origins"), arena_printf(arena, "\"%s\": \"", name));
	const char *host;

	assert_non_null(found);
	host = strstr(found, "://") + 3;
	return arena_copy(arena, host, strcspn(host, "\""));
}

/* Lines of the server's journal that hold this. */
static size_t seen(const char *text)
{
	const char *journal = get("/journal");
	size_t n = 0;

	for (const char *c = journal; *c; c += strcspn(c, "\n"), c += *c == '\n') {
		const char *line = arena_copy(arena, c, strcspn(c, "\n"));

		n += strstr(line, text) != NULL;
	}
	return n;
}

/* Asks n questions and gives their facts, in the order of the questions; lent until the test program ends. */
static const struct fact **ask(struct query *list, size_t n)
{
	const struct observe_spec spec = { .model = &loaded.model,
					   .cache_dir = dir,
					   .base_dir = dir,
					   .threads = 4,
					   .timeout_ms = 2000 };
	const struct fact **facts = arena_array(arena, n, sizeof(struct fact *));
	struct observed *observed = ARENA_NEW(arena, struct observed);
	struct queries queries = { 0 };

	for (size_t i = 0; i < n; i++) {
		list[i].key = arena_printf(arena, "%zu", i);
		vec_push(arena, &queries.list, &list[i]);
		map_set(arena, &queries.by_key, list[i].key, &list[i]);
	}
	observe(&queries, &spec, arena, observed);
	for (size_t i = 0; i < n; i++)
		facts[i] = fact_find(&observed->facts, list[i].key);
	for (size_t i = 0; i < observed->n_arenas; i++)
		arena_adopt(arena, observed->arenas[i]);
	return facts;
}

static const struct fact *ask_one(struct query query)
{
	struct query *kept = ARENA_NEW(arena, struct query);

	*kept = query;
	return ask(kept, 1)[0];
}

static void use_namespace(struct query *query, const char *ns)
{
	struct list *secrets = ARENA_NEW(arena, struct list);

	*secrets = credentials_of_namespace(&loaded.model, ns, arena);
	query->ns = ns;
	query->pull_secrets = secrets;
}

static struct query import_of(const char *image)
{
	return (struct query){ .kind = QUERY_IMPORT, .image = image };
}

static const struct fact *import_ok(struct query query)
{
	const struct fact *fact = ask_one(query);

	if (!fact->is_known)
		fail_msg("%s: %s: %s", query.image, fact->reason, fact->err.text);
	assert_null(fact->reason);
	return fact;
}

static void assert_fails(const struct fact *fact, const char *reason, const char *text)
{
	assert_false(fact->is_known);
	assert_string_equal(fact->err.text, text);
	assert_string_equal(fact->reason, reason);
	assert_null(fact->digest);
	assert_null(fact->record);
}

static void test_import__reads_manifest_and_config_and_no_layer(void **state)
{
	struct test_image image = push("good/app:new", "app");
	const struct fact *fact = import_ok(import_of(at("good/app:new")));
	struct image_facts facts;

	(void)state;
	assert_string_equal(fact->digest, image.manifest.digest);
	assert_string_equal(fact->image_digest, image.manifest.digest);
	assert_string_equal(fact->record->name, image.manifest.digest);
	assert_string_equal(
		fact->record->reference,
		arena_printf(arena, "%s/good/app@%s", server.addr, image.manifest.digest));
	assert_string_equal(fact->record->media_type, MEDIA_OCI_MANIFEST);
	assert_int_equal(fact->record->layers.n, 1);
	image_facts_read(fact->record, arena, &facts);
	assert_string_equal(facts.id, image.config.digest);
	assert_int_equal(facts.size_bytes, image.config.size_bytes + image.layer.size_bytes);
	assert_int_equal(seen("HEAD /v2/good/app/manifests/new"), 1);
	assert_int_equal(
		seen(arena_printf(arena, "GET /v2/good/app/manifests/%s", image.manifest.digest)),
		1);
	assert_int_equal(
		seen(arena_printf(arena, "GET /v2/good/app/blobs/%s", image.config.digest)), 1);
	assert_int_equal(seen(arena_printf(arena, "GET /v2/good/app/blobs/%s", image.layer.digest)),
			 0);
}

static void test_import__costs_one_head_when_nothing_moved(void **state)
{
	struct test_image image = push("good/still:1", "still");
	struct query query = import_of(at("good/still:1"));
	const struct fact *fact;

	(void)state;
	query.known_digest = image.manifest.digest;
	fact = import_ok(query);
	assert_string_equal(fact->digest, image.manifest.digest);
	assert_null(fact->record);
	assert_int_equal(seen("HEAD /v2/good/still/manifests/1"), 1);
	assert_int_equal(seen("GET /v2/good/still/manifests/"), 0);
	assert_int_equal(seen("GET /v2/good/still/blobs/"), 0);
}

static void test_import__takes_a_reference_by_digest(void **state)
{
	struct test_image image = push("good/pinned:1", "pinned");
	const char *name = at(arena_printf(arena, "good/pinned@%s", image.manifest.digest));
	const struct fact *fact = import_ok(import_of(name));

	(void)state;
	assert_string_equal(fact->record->reference, name);
}

/* ---- indexes ---- */

static struct descriptor entry(const char *os, const char *arch, const char *text)
{
	struct test_image image = push("good/multi:part", text);
	struct descriptor desc = image.manifest;

	desc.platform = (struct platform){ .os = os, .arch = arch };
	return desc;
}

static const char *push_index(const char *tag, struct descriptor *entries, size_t n)
{
	struct image_index index = { .media_type = MEDIA_OCI_INDEX,
				     .manifests = entries,
				     .n_manifests = n };
	struct ref ref = ref_of(at(arena_printf(arena, "good/multi:%s", tag)));
	struct err err = { 0 };
	size_t len;
	char *json = index_print(&index, arena, &len);

	ref.has_tag = true;
	if (!registry_put_manifest(registry, &ref, MEDIA_OCI_INDEX, json, len, &err))
		fail_msg("%s", err.text);
	return arena_strdup(arena, digest_of(json, len).text);
}

static void test_import__chooses_of_an_index_what_was_preferred(void **state)
{
	struct descriptor entries[] = { entry("unknown", "unknown", "attestation"),
					entry("linux", "arm64", "arm"),
					entry("linux", "amd64", "amd"),
					entry("windows", "amd64", "win") };
	const char *top = push_index("all", entries, COUNTOF(entries));
	const char *name = at("good/multi:all");
	struct query query = import_of(name);
	const struct fact *fact;

	(void)state;
	settings->streams.os = settings->streams.arch = NULL;
	fact = import_ok(query);
	assert_string_equal(fact->digest, top);
	assert_string_equal(fact->image_digest, entries[2].digest);
	assert_string_equal(fact->record->name, entries[2].digest);
	assert_string_equal(fact->record->reference,
			    at(arena_printf(arena, "good/multi@%s", entries[2].digest)));
	settings->streams.arch = "arm64";
	assert_string_equal(import_ok(query)->image_digest, entries[1].digest);
	query.prefer.os = "windows";
	query.prefer.arch = "amd64";
	assert_string_equal(import_ok(query)->image_digest, entries[3].digest);
	/* What nobody has: the settings' after all. */
	query.prefer = (struct platform){ .arch = "s390x" };
	assert_string_equal(import_ok(query)->image_digest, entries[1].digest);
	settings->streams.arch = "ppc64le";
	assert_string_equal(import_ok(query)->image_digest, entries[2].digest);
	settings->streams.arch = NULL;
}

static void test_import__takes_the_first_image_when_none_fits(void **state)
{
	struct descriptor entries[] = { entry("unknown", "unknown", "attestation"),
					entry("plan9", "mips", "first"),
					entry("linux", "riscv64", "second") };

	(void)state;
	push_index("odd", entries, 3);
	assert_string_equal(import_ok(import_of(at("good/multi:odd")))->image_digest,
			    entries[1].digest);
	push_index("alone", entries, 1);
	assert_string_equal(import_ok(import_of(at("good/multi:alone")))->image_digest,
			    entries[0].digest);
}

static void test_import__keeps_an_index_whole_when_asked_to(void **state)
{
	struct descriptor entries[] = { entry("linux", "arm64", "arm"),
					entry("linux", "amd64", "amd") };
	const char *top = push_index("whole", entries, COUNTOF(entries));
	struct query query = import_of(at("good/multi:whole"));
	const struct fact *fact;

	(void)state;
	query.is_whole = true;
	fact = import_ok(query);
	assert_string_equal(fact->digest, top);
	assert_null(fact->image_digest);
	assert_string_equal(fact->record->name, top);
	assert_int_equal(fact->record->manifests.n, 2);
	assert_null(fact->record->metadata);
}

/* ---- failures ---- */

static const struct {
	const char *repo, *reason, *text; /* %s: host/repo */
} failures[] = {
	{ "good/app:gone", "NotFound", "dockerimage.image.openshift.io \"%s\" not found" },
	{ "good/nobody:1", "NotFound", "dockerimage.image.openshift.io \"%s\" not found" },
	{ "fault/closed:1", "Unauthorized",
	  "you may not have access to the container image \"%s\" and did not have credentials to "
	  "the "
	  "repository" },
	{ "fault/denied:1", "Unauthorized",
	  "you may not have access to the container image \"%s\"" },
	{ "fault/garbage:1", "Invalid", NULL },
	{ "fault/schema1:1", "Invalid", NULL },
	{ "fault/other-manifest:1", "Invalid", NULL },
	{ "fault/down:1", "InternalError", NULL },
	{ "Good/App:1", "Invalid", NULL },
	{ "good/app:in:valid", "Invalid", NULL },
};

static void test_import__names_every_failure_as_openshift_does(void **state)
{
	static const char *const there[] = { "fault/garbage:1", "fault/schema1:1",
					     "fault/other-manifest:1" };
	struct query list[COUNTOF(failures)];
	const struct fact **facts, **again;

	(void)state;
	for (size_t i = 0; i < COUNTOF(there); i++) {
		struct test_image image = test_image_make(arena, there[i]);
		struct ref ref = ref_of(at(there[i]));
		struct err ignored = { 0 };

		ref.has_tag = true;
		(void)!test_image_push(registry, &ref, &image, &ignored);
	}
	for (size_t i = 0; i < COUNTOF(failures); i++)
		list[i] = import_of(at(failures[i].repo));
	facts = ask(list, COUNTOF(failures));
	again = ask(list, COUNTOF(failures));
	for (size_t i = 0; i < COUNTOF(failures); i++) {
		const char *start = strchr(failures[i].text ? failures[i].text : "%", '%');

		if (!facts[i]->reason || strcmp(facts[i]->reason, failures[i].reason) != 0)
			fail_msg("%s: %s: %s", failures[i].repo, facts[i]->reason,
				 facts[i]->err.text);
		assert_true(facts[i]->err.text[0] != '\0');
		/* What is recorded of a failure must not change by itself. */
		assert_string_equal(facts[i]->err.text, again[i]->err.text);
		if (failures[i].text)
			assert_string_equal(
				facts[i]->err.text,
				arena_printf(arena, "%.*s%s%s", (int)(start - failures[i].text),
					     failures[i].text, at(failures[i].repo), start + 2));
	}
	assert_non_null(strstr(facts[4]->err.text, "cannot read the image manifest"));
	assert_non_null(strstr(facts[5]->err.text, "schema 1"));
	assert_non_null(strstr(facts[7]->err.text, "502"));
	assert_null(strchr(facts[7]->err.text, '\033'));
}

static void test_import__waits_for_a_registry_only_so_long(void **state)
{
	struct query list[2] = { import_of(at("fault/slow:1")), import_of(at("fault/busy:1")) };
	const int64_t before_ms = clock_mono_ms();
	const struct fact **facts = ask(list, 2);

	(void)state;
	assert_true(clock_mono_ms() - before_ms < 20000);
	assert_string_equal(facts[0]->reason, "InternalError");
	assert_int_equal(facts[0]->err.kind, ERR_TRANSIENT);
	assert_string_equal(facts[1]->reason, "InternalError");
	assert_int_equal(facts[1]->err.kind, ERR_TRANSIENT);
	assert_string_equal(facts[1]->err.text,
			    arena_printf(arena,
					 "Internal error occurred: registry '%s': the server "
					 "answered 429",
					 server.addr));
}

static void test_import__asks_a_dead_registry_no_thousand_times(void **state)
{
	enum { N = 40 };
	struct query list[N];
	const int64_t before_ms = clock_mono_ms();
	const struct fact **facts;

	(void)state;
	for (size_t i = 0; i < N; i++)
		list[i] = import_of(arena_printf(arena, "127.0.0.1:9/app:%zu", i));
	facts = ask(list, N);
	assert_true(clock_mono_ms() - before_ms < 30000);
	for (size_t i = 0; i < N; i++)
		assert_fails(facts[i], "InternalError",
			     "Internal error occurred: registry '127.0.0.1:9': Connection refused");
}

static void test_import__knows_a_server_that_is_no_registry(void **state)
{
	const char *web = origin("web");

	(void)state;
	assert_fails(ask_one(import_of(arena_printf(arena, "%s/app:1", web))), "NotV2Registry",
		     arena_printf(arena, "endpoint \"%s\" does not support v2 API", web));
}

/* ---- credentials ---- */

static void test_import__uses_the_secrets_of_the_namespace(void **state)
{
	struct test_image image = push("token/app:1", "secret");
	struct query query = import_of(at("token/app:1"));

	(void)state;
	assert_fails(ask_one(query), "Unauthorized",
		     arena_printf(arena,
				  "you may not have access to the container image \"%s\" and did "
				  "not have credentials to the repository",
				  query.image));
	use_namespace(&query, "shop");
	assert_string_equal(import_ok(query)->digest, image.manifest.digest);
	/* Its only secret says that it is not for this. */
	use_namespace(&query, "shut");
	assert_string_equal(ask_one(query)->reason, "Unauthorized");
}

static void test_import__tries_without_a_password_that_is_wrong(void **state)
{
	struct test_image image = push("token/public/app:1", "public");
	struct query query = import_of(at("token/public/app:1"));

	(void)state;
	push("token/private:1", "private");
	use_namespace(&query, "typo");
	assert_string_equal(import_ok(query)->digest, image.manifest.digest);
	/* Still refused: what was said with the password counts. */
	query.image = at("token/private:1");
	assert_fails(ask_one(query), "Unauthorized",
		     arena_printf(arena, "incorrect username or password for image \"%s\"",
				  query.image));
}

/* ---- transport ---- */

/* A name of this machine that is not one of those which need no TLS. */
static const char *elsewhere(const char *addr, const char *repo)
{
	return arena_printf(arena, "registry.localhost:%s/%s", strchr(addr, ':') + 1, repo);
}

static void test_import__needs_the_flag_for_plain_http(void **state)
{
	struct test_image image = push("good/plain:1", "plain");
	struct query query = import_of(elsewhere(server.addr, "good/plain:1"));
	struct settings_registry rule = { .prefix = elsewhere(server.addr, "good"),
					  .is_insecure = true };

	(void)state;
	assert_fails(ask_one(query), "BadRequest",
		     arena_printf(arena,
				  "the repository %s is HTTP only and requires the insecure flag "
				  "to import",
				  query.image));
	query.is_insecure = true;
	assert_string_equal(import_ok(query)->digest, image.manifest.digest);
	query.is_insecure = false;
	settings->registries = (struct list){ &rule, 1 };
	assert_string_equal(import_ok(query)->digest, image.manifest.digest);
	settings->registries = (struct list){ 0 };
	assert_string_equal(ask_one(query)->reason, "BadRequest");
}

static void test_import__needs_the_flag_for_an_unknown_certificate(void **state)
{
	struct test_image image = push("good/tls:1", "tls");
	struct query query = import_of(arena_printf(arena, "%s/good/tls:1", origin("tls")));

	(void)state;
	assert_string_equal(ask_one(query)->reason, "InternalError");
	assert_non_null(strstr(ask_one(query)->err.text, "certificate"));
	query.is_insecure = true;
	assert_string_equal(import_ok(query)->digest, image.manifest.digest);
}

static void test_import__honours_rules_of_the_settings(void **state)
{
	struct test_image image = push("good/mirror/app:1", "mirrored");
	struct settings_registry mirror = { .prefix = "registry.example.com",
					    .mirror = at("good/mirror") };
	struct settings_registry blocked = { .prefix = "registry.example.com", .is_blocked = true };
	struct query query = import_of("registry.example.com/app:1");
	const struct fact *fact;

	(void)state;
	settings->registries = (struct list){ &mirror, 1 };
	fact = import_ok(query);
	assert_string_equal(fact->digest, image.manifest.digest);
	assert_string_equal(
		fact->record->reference,
		arena_printf(arena, "registry.example.com/app@%s", image.manifest.digest));
	settings->registries = (struct list){ &blocked, 1 };
	assert_fails(ask_one(query), "Forbidden", "registry registry.example.com blocked");
	settings->registries = (struct list){ 0 };
}

static void test_import__asks_only_registries_that_are_allowed(void **state)
{
	static struct settings_allowed allowed[] = { { .domain = "quay.io" },
						     { .domain = "*.example.com:5000" },
						     { .domain = "plain.example.com",
						       .is_insecure = true } };
	struct query query = import_of("docker.io/python:3.6");

	(void)state;
	settings->streams.has_allowed = true;
	assert_fails(ask_one(query), "Forbidden",
		     "registry \"docker.io:443\" not allowed by empty whitelist");
	settings->streams.allowed = (struct list){ allowed, COUNTOF(allowed) };
	assert_fails(ask_one(query), "Forbidden",
		     "registry \"docker.io:443\" not allowed by whitelist: \"quay.io:443\", "
		     "\"*.example.com:5000\", \"plain.example.com:80\"");
	query.kind = QUERY_TAGS;
	query.image = "python";
	assert_string_equal(ask_one(query)->reason, "Forbidden");
	settings->streams = (struct settings_streams){ 0 };
}

static void test_tags__lists_all_pages_sorted(void **state)
{
	static const char *const tags[] = { "latest", "1.2", "1.10", "v2", "1.9", "edge", "0.1" };
	struct query query = { .kind = QUERY_TAGS, .image = at("good/tags") };
	const struct fact *fact;

	(void)state;
	for (size_t i = 0; i < COUNTOF(tags); i++)
		push(arena_printf(arena, "good/tags:%s", tags[i]), tags[i]);
	fact = ask_one(query);
	assert_true(fact->is_known);
	assert_int_equal(fact->tags.n, COUNTOF(tags));
	assert_string_equal(fact->tags.v[0], "0.1");
	assert_string_equal(fact->tags.v[1], "1.10");
	assert_string_equal(fact->tags.v[6], "v2");
	query.image = arena_printf(arena, "%s/app", origin("web"));
	assert_string_equal(ask_one(query)->reason, "NotV2Registry");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_import__reads_manifest_and_config_and_no_layer),
		cmocka_unit_test(test_import__costs_one_head_when_nothing_moved),
		cmocka_unit_test(test_import__takes_a_reference_by_digest),
		cmocka_unit_test(test_import__chooses_of_an_index_what_was_preferred),
		cmocka_unit_test(test_import__takes_the_first_image_when_none_fits),
		cmocka_unit_test(test_import__keeps_an_index_whole_when_asked_to),
		cmocka_unit_test(test_import__names_every_failure_as_openshift_does),
		cmocka_unit_test(test_import__waits_for_a_registry_only_so_long),
		cmocka_unit_test(test_import__asks_a_dead_registry_no_thousand_times),
		cmocka_unit_test(test_import__knows_a_server_that_is_no_registry),
		cmocka_unit_test(test_import__uses_the_secrets_of_the_namespace),
		cmocka_unit_test(test_import__tries_without_a_password_that_is_wrong),
		cmocka_unit_test(test_import__needs_the_flag_for_plain_http),
		cmocka_unit_test(test_import__needs_the_flag_for_an_unknown_certificate),
		cmocka_unit_test(test_import__honours_rules_of_the_settings),
		cmocka_unit_test(test_import__asks_only_registries_that_are_allowed),
		cmocka_unit_test(test_tags__lists_all_pages_sorted),
	};

	return cmocka_run_group_tests_name("import", tests, set_up, tear_down);
}
