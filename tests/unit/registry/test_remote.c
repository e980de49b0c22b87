/* SPDX-License-Identifier: Apache-2.0 */
/* test_remote.c — the HTTP backend against a registry that misbehaves on purpose (tests/fake/registry.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buildexec/registry/keychain.h"
#include "buildexec/registry/registry.h"
#include "buildexec/registry/remote_error.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/http.h"
#include "lib/servers.h"
#include "unit/registry/images.h"

static struct server server;
static char dir[64];
static struct arena *arena;
static struct registry_rules rules;
static struct keychain *keychain;
static struct registry *registry;
static struct http *client;

static int set_up(void **state)
{
	const struct keychain_options options = { 0 };
	const struct http_options http_options = { 0 };
	struct err err = { 0 };

	(void)state;
	test_dir_make(dir, sizeof(dir));
	fs_set_temp_base(dir);
	if (!server_start(&server, "fake", dir, TEST_SOURCE_DIR "/tests/fake/registry.py", NULL))
		return -1;
	arena = arena_new();
	if (!keychain_open(&options, &keychain, &err) || !http_open(&http_options, &client, &err))
		return -1;
	keychain_add(keychain, server.addr, SERVER_USER, SERVER_PASSWORD);
	keychain_add(keychain, arena_printf(arena, "%s/token/public", server.addr), "x", "wrong");
	return registry_open(&rules, keychain, &registry, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	registry_close(&registry);
	keychain_close(&keychain);
	http_close(&client);
	arena_free(arena);
	server_stop(&server);
	test_dir_remove(dir);
	return 0;
}

static struct ref ref_of(const char *repo, const char *tag)
{
	struct ref ref;
	struct err err = { 0 };

	assert_true(ref_parse(arena_printf(arena, "%s/%s:%s", server.addr, repo, tag), arena, &ref,
			      &err));
	return ref;
}

static struct test_image push(const char *repo, const char *text)
{
	struct test_image image = test_image_make(arena, text);
	struct ref ref = ref_of(repo, "t");
	struct err err = { 0 };

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

/* Lines of the server's journal that begin so. */
static size_t seen(const char *start)
{
	const char *journal = get("/journal");
	size_t n = 0;

	for (const char *c = journal; *c; c += strcspn(c, "\n"), c += *c == '\n')
		n += strncmp(c, start, strlen(start)) == 0;
	return n;
}

static void assert_reads_back(const char *repo, const struct test_image *image)
{
	const struct platform host = platform_host();
	struct ref ref = ref_of(repo, "t");
	struct remote_image read;
	struct err err = { 0 };
	char *bytes;

	if (!registry_read_image(registry, &ref, &host, arena, &read, &err) ||
	    !registry_get_blob(registry, &ref, &image->layer, arena, &bytes, &err))
		fail_msg("%s: %s", repo, err.text);
	assert_string_equal(read.ref.digest, image->manifest.digest);
	assert_memory_equal(bytes, image->layer_bytes, (size_t)image->layer.size_bytes);
}

static void test_remote__pushes_and_reads_back_in_every_manner(void **state)
{
	static const char *const repos[] = {
		"good/app",     "fault/absolute", "fault/max-chunk", "fault/no-monolith",
		"fault/lost",   "fault/nohead",   "fault/nodigest",  "fault/limited",
		"fault/broken", "fault/cut",      "fault/no-range",  "fault/redirect",
		"fault/forgot", "fault/damaged",  "fault/expired"
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(repos); i++) {
		struct test_image image = push(repos[i], repos[i]);
		struct ref ref = ref_of(repos[i], "t");
		struct descriptor desc;
		struct err err = { 0 };

		if (strcmp(repos[i], "fault/redirect") != 0)
			assert_reads_back(repos[i], &image);
		if (!registry_resolve(registry, &ref, arena, &desc, &err))
			fail_msg("%s: %s", repos[i], err.text);
		assert_string_equal(desc.digest, image.manifest.digest);
		assert_string_equal(desc.media_type, MEDIA_OCI_MANIFEST);
		assert_int_equal(desc.size_bytes, image.manifest.size_bytes);
		ref.tag = "absent";
		if (!registry_resolve(registry, &ref, arena, &desc, &err))
			fail_msg("%s: %s", repos[i], err.text);
		assert_null(desc.digest);
		assert_false(registry_get_manifest(registry, &ref, arena, &desc, &(char *){ NULL },
						   &err));
		assert_int_equal(err.kind, ERR_ABSENT);
	}
	/* Chunks were used where one request was too much. */
	assert_true(seen("main PATCH /v2/fault/max-chunk/") >= 2);
	assert_true(seen("main PATCH /v2/fault/no-monolith/") >= 1);
	assert_int_equal(seen("main PATCH /v2/good/app/"), 0);
}

static void test_remote__sends_nothing_that_is_there(void **state)
{
	size_t before;

	(void)state;
	push("good/twice", "twice");
	before = seen("main POST /v2/good/twice/");
	push("good/twice", "twice");
	/* The config is sent rather than looked for. */
	assert_int_equal(seen("main POST /v2/good/twice/"), before + 1);
}

static void test_remote__goes_on_where_a_download_was_cut_off(void **state)
{
	struct test_image image = push("fault/cut", "a longer text that is cut in the middle");
	struct ref ref = ref_of("fault/cut", "t");
	const char *path = arena_printf(arena, "%s/blob", dir);
	struct err err = { 0 };
	char *bytes;
	size_t n;

	(void)state;
	if (!registry_fetch_blob(registry, &ref, &image.layer, path, &err))
		fail_msg("%s", err.text);
	assert_true(fs_read(AT_FDCWD, path, 1 << 20, arena, &bytes, &n, &err));
	assert_int_equal(n, image.layer.size_bytes);
	assert_memory_equal(bytes, image.layer_bytes, n);
}

static void test_remote__refuses_bytes_that_are_not_what_was_asked_for(void **state)
{
	static const struct {
		const char *repo, *part;
	} rows[] = {
		{ "fault/wrong", "has other bytes" },
		{ "fault/endless", "is longer than" },
		{ "fault/other-range", "another range" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct test_image image = push(rows[i].repo, rows[i].repo);
		struct ref ref = ref_of(rows[i].repo, "t");
		const char *path = arena_printf(arena, "%s/%zu", dir, i);
		struct err err = { 0 };
		char *bytes;

		assert_false(registry_get_blob(registry, &ref, &image.layer, arena, &bytes, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err.text, rows[i].part))
			fail_msg("%s", err.text);
		err = (struct err){ 0 };
		if (strcmp(rows[i].repo, "fault/other-range") == 0)
			continue;
		assert_false(registry_fetch_blob(registry, &ref, &image.layer, path, &err));
		assert_false(fs_exists(path));
	}
}

static void test_remote__verifies_manifests(void **state)
{
	static const struct {
		const char *repo, *part;
	} rows[] = {
		{ "fault/other-manifest", "has other bytes" },
		{ "fault/other-digest", "has other bytes" },
		{ "fault/endless", "longer than" },
	};
	struct test_image image = test_image_make(arena, "x");
	struct ref to = ref_of("fault/stores-other", "t");
	struct err failed = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct test_image other = push(rows[i].repo, rows[i].repo);
		struct ref ref = ref_of(rows[i].repo, "t");
		struct descriptor desc;
		struct err err = { 0 };
		char *bytes;

		assert_false(registry_get_manifest(registry, &ref, arena, &desc, &bytes, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err.text, rows[i].part))
			fail_msg("%s", err.text);
		/* Asked by digest, the bytes alone count. */
		ref.digest = other.manifest.digest;
		assert_int_equal(registry_get_manifest(registry, &ref, arena, &desc, &bytes, &err),
				 i == 1);
	}
	assert_false(test_image_push(registry, &to, &image, &failed));
	assert_non_null(strstr(failed.text, "the server stored it as"));
}

static void test_remote__maps_refusals_and_keeps_the_servers_words(void **state)
{
	static const struct {
		const char *repo;
		enum err_kind kind;
		const char *part;
	} rows[] = {
		{ "fault/denied", ERR_DENIED,
		  "the server answered 403 (DENIED: requested access is denied)" },
		{ "fault/down", ERR_TRANSIENT, "the server answered 502" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct ref ref = ref_of(rows[i].repo, "t");
		struct descriptor desc;
		struct err err = { 0 };
		char *bytes;

		assert_false(registry_get_manifest(registry, &ref, arena, &desc, &bytes, &err));
		assert_int_equal(err.kind, rows[i].kind);
		if (!strstr(err.text, rows[i].part) || strchr(err.text, '\x1b'))
			fail_msg("%s", err.text);
		assert_false(registry_check_write(registry, &ref, &err));
		assert_int_equal(err.kind, rows[i].kind);
	}
}

static void test_remote__words_of_errors_are_cut_and_harmless(void **state)
{
	static const struct {
		const char *body, *want;
	} rows[] = {
		{ "{\"errors\":[{\"code\":\"A\",\"message\":\"b\"}]}", "A: b" },
		{ "{\"errors\":[{\"code\":\"A\"}]}", "A" },
		{ "{\"error\":\"invalid_grant\"}", "invalid_grant" },
		{ "{\"errors\":[]}", "" },
		{ "<html>\nx", "" },
		{ "plain text\nsecond line", "plain text" },
		{ "", "" },
	};
	AUTO_BUF longer = BUF_INIT(10000);

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_string_equal(remote_words(rows[i].body, strlen(rows[i].body), arena),
				    rows[i].want);
	for (int i = 0; i < 1000; i++)
		buf_puts(&longer, "é");
	assert_int_equal(strlen(remote_words(buf_text(&longer), longer.len, arena)), 200);
}

static void test_remote__gets_tokens_of_the_right_scope_once(void **state)
{
	struct test_image image = push("token/app", "with a token");
	size_t n_tokens = seen("main GET /token");

	(void)state;
	assert_int_equal(n_tokens, seen("main GET /token Basic"));
	assert_reads_back("token/app", &image);
	assert_reads_back("token/app", &image);
	/* One for pushing, one for pulling. */
	assert_true(seen("main GET /token") <= n_tokens + 1);
	/* The registry itself never sees the password. */
	assert_int_equal(seen("main GET /v2/token/app/manifests/t Basic"), 0);
	/* One that asks for a password first, and for a token then, gets both. */
	image = push("token/basic-first", "two challenges");
	assert_reads_back("token/basic-first", &image);
	/* A token that ends early is fetched anew. */
	image = push("token/short", "short-lived");
	assert_reads_back("token/short", &image);
}

static void test_remote__exchanges_identity_tokens_and_uses_registry_tokens(void **state)
{
	static const char *const forms[] = { "identitytoken\":\"refresh-me",
					     "identitytoken\":\"wrong" };
	const struct keychain_options options = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(forms); i++) {
		const char *json =
			arena_printf(arena, "{\"auths\":{\"%s\":{\"%s\"}}}", server.addr, forms[i]);
		struct test_image image = test_image_make(arena, "identity");
		struct ref ref = ref_of("token/identity", "t");
		struct keychain *own;
		struct registry *other;
		struct err err = { 0 };

		assert_true(keychain_open(&options, &own, &err));
		assert_true(keychain_add_config(own, json, strlen(json), &err));
		assert_true(registry_open(&rules, own, &other, &err));
		assert_int_equal(test_image_push(other, &ref, &image, &err), i == 0);
		if (i == 1) {
			assert_int_equal(err.kind, ERR_DENIED);
			assert_non_null(strstr(err.text, "cannot get a token"));
			assert_null(strstr(err.text, "refresh"));
		}
		registry_close(&other);
		keychain_close(&own);
	}
	assert_true(seen("main POST /token -") >= 2);
}

static void test_remote__says_when_there_are_no_credentials(void **state)
{
	struct ref ref = ref_of("token/app", "t");
	struct descriptor desc;
	struct registry *anonymous;
	struct err err = { 0 };
	char *bytes;

	(void)state;
	assert_true(registry_open(&rules, NULL, &anonymous, &err));
	assert_false(registry_get_manifest(anonymous, &ref, arena, &desc, &bytes, &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "there are no credentials for it"));
	registry_close(&anonymous);
}

static void test_remote__gives_no_password_to_a_foreign_realm(void **state)
{
	struct ref ref = ref_of("evil/app", "t");
	struct descriptor desc;
	struct err err = { 0 };

	(void)state;
	assert_false(registry_resolve(registry, &ref, arena, &desc, &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "names the realm 'registry.evil.example'"));
}

static void test_remote__takes_no_credentials_along_to_storage(void **state)
{
	struct test_image image = push("fault/storage-upload", "to storage");
	struct ref ref = ref_of("fault/redirect", "t");
	struct test_image other = push("fault/redirect", "to storage");
	struct err err = { 0 };
	char *bytes;

	(void)state;
	assert_string_equal(image.layer.digest, other.layer.digest);
	if (!registry_get_blob(registry, &ref, &image.layer, arena, &bytes, &err))
		fail_msg("%s", err.text);
	assert_true(seen("storage PUT /v2/fault/storage-upload/blobs/uploads/") >= 1);
	assert_true(seen("storage GET /v2/fault/storage/blobs/") >= 1);
	for (const char *c = get("/journal"); (c = strstr(c, "storage ")); c++)
		assert_memory_equal(c + strcspn(c, "\n") - 2, " -", 2);
}

/* What a redirect leads to may ask as it likes: it is not the registry, and nobody answers. */
static void test_remote__answers_no_challenge_of_a_redirects_target(void **state)
{
	struct test_image image = push("fault/asking", "who are you");
	struct ref ref = ref_of("fault/asking", "t");
	struct err err = { 0 };
	char *bytes;

	(void)state;
	assert_false(registry_get_blob(registry, &ref, &image.layer, arena, &bytes, &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_true(seen("storage GET /v2/fault/asking/blobs/") >= 1);
	for (const char *c = get("/journal"); (c = strstr(c, " GET /v2/fault/asking/")); c++)
		assert_memory_not_equal(c + strcspn(c, "\n") - 6, " Basic", 6);
}

/* The address that a registry gave may have ended on its way; one more is asked for, not many. */
static void test_remote__asks_once_more_for_a_storages_address(void **state)
{
	struct test_image image = push("fault/ended", "too late");
	struct ref ref = ref_of("fault/ended", "t");
	struct err err = { 0 };
	char *bytes;

	(void)state;
	assert_false(registry_get_blob(registry, &ref, &image.layer, arena, &bytes, &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_int_equal(seen("storage GET /v2/fault/ended/blobs/"), 2);
}

/* A second upload heals what one lost; no more than that is tried, and whoever asked may come back another time. */
static void test_remote__gives_up_on_a_registry_that_forgets_uploads(void **state)
{
	struct test_image image = test_image_make(arena, "forgotten");
	struct ref ref = ref_of("fault/forgets", "t");
	struct err err = { 0 };

	(void)state;
	assert_false(test_image_push(registry, &ref, &image, &err));
	assert_int_equal(err.kind, ERR_ABSENT);
	assert_true(err.is_foreign);
	assert_non_null(strstr(err.text, "BLOB_UPLOAD_UNKNOWN"));
	assert_int_equal(seen("main PUT /v2/fault/forgets/blobs/uploads/"), 2);
}

static void test_remote__mounts_blobs_or_says_that_it_cannot(void **state)
{
	struct test_image image = push("good/source", "mounted");
	struct ref from = ref_of("good/source", "t"), to = ref_of("good/target", "t");
	struct ref no = ref_of("fault/no-mount", "t"), token = ref_of("token/target", "t");
	struct err err = { 0 };
	bool done;

	(void)state;
	assert_true(registry_mount_blob(registry, &from, &to, &image.layer, &done, &err));
	assert_true(done);
	assert_int_equal(seen("main PUT /v2/good/target/"), 0);
	assert_true(registry_mount_blob(registry, &from, &no, &image.layer, &done, &err));
	assert_false(done);
	assert_int_equal(seen("main DELETE /v2/fault/no-mount/"), 1);
	assert_true(registry_mount_blob(registry, &from, &token, &image.layer, &done, &err));
	assert_true(done);
	/* Once a registry did not mount, what is there already is looked for instead. */
	assert_int_equal(seen("main HEAD /v2/fault/no-mount/blobs/"), 0);
	if (!registry_copy(registry, &from, &no, &err))
		fail_msg("%s", err.text);
	assert_reads_back("fault/no-mount", &image);
}

/* What was read by digest or written is not asked for again, but only by those who share it in the same manner. */
static void test_remote__remembers_what_its_digest_names(void **state)
{
	const struct registry_manner anonymous = { .is_anonymous = true };
	struct registry_shared *shared = registry_shared_new();
	const struct platform host = platform_host();
	struct ref ref = ref_of("good/known", "t");
	struct remote_image image;
	struct registry *own;
	struct err err = { 0 };
	size_t n;

	(void)state;
	push("good/known", "known");
	registry_shared_remember(shared);
	for (int i = 0; i < 3; i++) {
		assert_true(registry_open(&rules, keychain, &own, &err));
		registry_share(own, shared);
		if (i == 2)
			registry_set_manner(own, &anonymous);
		n = seen("main GET /v2/good/known/");
		assert_true(registry_read_image(own, &ref, &host, arena, &image, &err));
		ref.digest = image.ref.digest;
		assert_int_equal(seen("main GET /v2/good/known/") - n, i == 1 ? 0 : 2);
		registry_close(&own);
	}
	registry_shared_free(&shared);
}

static void test_remote__follows_pages_of_tags(void **state)
{
	struct test_image image = test_image_make(arena, "tagged");
	struct ref ref = ref_of("good/tags", "t");
	struct strings tags;
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++) {
		ref = ref_of("good/tags", arena_printf(arena, "v%d", i));
		assert_true(test_image_push(registry, &ref, &image, &err));
	}
	assert_true(registry_list_tags(registry, &ref, arena, &tags, &err));
	assert_int_equal(tags.n, 10);
	assert_string_equal(tags.v[9], "v9");
	assert_int_equal(seen("main GET /v2/good/tags/tags/list"), 4);
}

static void test_remote__chooses_from_an_index_and_copies_all_of_it(void **state)
{
	struct test_image image = push("good/multi", "multi");
	struct platform host = platform_host();
	const struct platform other = { .os = "plan9", .arch = "mips" };
	struct image_index index = { .media_type = MEDIA_OCI_INDEX, .n_manifests = 1 };
	struct ref ref = ref_of("good/multi", "index"), to = ref_of("good/copy", "index");
	struct remote_image read;
	struct err err = { 0 };
	char *json;
	size_t n;

	(void)state;
	image.manifest.platform = host;
	index.manifests = &image.manifest;
	json = index_print(&index, arena, &n);
	assert_true(registry_put_manifest(registry, &ref, MEDIA_OCI_INDEX, json, n, &err));
	if (!registry_copy(registry, &ref, &to, &err))
		fail_msg("%s", err.text);
	assert_true(registry_read_image(registry, &to, &host, arena, &read, &err));
	assert_string_equal(read.top_digest, digest_of(json, n).text);
	assert_string_equal(read.ref.digest, image.manifest.digest);
	assert_false(registry_read_image(registry, &to, &other, arena, &read, &err));
	assert_int_equal(err.kind, ERR_ABSENT);
	assert_non_null(strstr(err.text, "has none for plan9/mips"));
}

static void test_remote__reads_mirrors_first_and_writes_to_none(void **state)
{
	struct registry_rules own = { 0 };
	struct registry_rule rule = { .prefix = "origin.test",
				      .location = arena_printf(arena, "%s/good", server.addr) };
	struct test_image image = push("good/mirrored", "mirrored");
	struct registry *mirrored;
	struct descriptor desc;
	struct ref ref;
	struct err err = { 0 };

	(void)state;
	vec_push(arena, &rule.mirrors, "127.0.0.1:1/dead");
	vec_push(arena, &rule.mirrors, arena_printf(arena, "%s/mirror", server.addr));
	vec_push(arena, &own.list, rule);
	assert_true(registry_open(&own, keychain, &mirrored, &err));
	assert_true(ref_parse("origin.test/mirrored:t", arena, &ref, &err));
	if (!registry_resolve(mirrored, &ref, arena, &desc, &err))
		fail_msg("%s", err.text);
	assert_string_equal(desc.digest, image.manifest.digest);
	assert_int_equal(seen("main HEAD /v2/mirror/mirrored/manifests/t"), 1);
	assert_true(test_image_push(mirrored, &ref, &image, &err));
	assert_int_equal(seen("main PUT /v2/mirror/"), 0);
	registry_close(&mirrored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remote__pushes_and_reads_back_in_every_manner),
		cmocka_unit_test(test_remote__sends_nothing_that_is_there),
		cmocka_unit_test(test_remote__goes_on_where_a_download_was_cut_off),
		cmocka_unit_test(test_remote__refuses_bytes_that_are_not_what_was_asked_for),
		cmocka_unit_test(test_remote__verifies_manifests),
		cmocka_unit_test(test_remote__maps_refusals_and_keeps_the_servers_words),
		cmocka_unit_test(test_remote__words_of_errors_are_cut_and_harmless),
		cmocka_unit_test(test_remote__gets_tokens_of_the_right_scope_once),
		cmocka_unit_test(test_remote__exchanges_identity_tokens_and_uses_registry_tokens),
		cmocka_unit_test(test_remote__says_when_there_are_no_credentials),
		cmocka_unit_test(test_remote__gives_no_password_to_a_foreign_realm),
		cmocka_unit_test(test_remote__takes_no_credentials_along_to_storage),
		cmocka_unit_test(test_remote__answers_no_challenge_of_a_redirects_target),
		cmocka_unit_test(test_remote__asks_once_more_for_a_storages_address),
		cmocka_unit_test(test_remote__gives_up_on_a_registry_that_forgets_uploads),
		cmocka_unit_test(test_remote__mounts_blobs_or_says_that_it_cannot),
		cmocka_unit_test(test_remote__remembers_what_its_digest_names),
		cmocka_unit_test(test_remote__follows_pages_of_tags),
		cmocka_unit_test(test_remote__chooses_from_an_index_and_copies_all_of_it),
		cmocka_unit_test(test_remote__reads_mirrors_first_and_writes_to_none),
	};

	if (!has_program("python3")) {
		puts("needs python3");
		return 77;
	}
	return cmocka_run_group_tests_name("remote", tests, set_up, tear_down);
}
