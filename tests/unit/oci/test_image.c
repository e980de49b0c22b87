/* SPDX-License-Identifier: Apache-2.0 */
/* test_image.c — manifests, indexes and configs: what is read, what is refused, and the exact bytes written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/buf.h"
#include "model/doc/node.h"
#include "model/oci/image.h"

#define D(c) "sha256:" c c c c c c c c c c c c c c c c
#define CONFIG                                                                                     \
	"\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG                                            \
	"\",\"size\":2,\"digest\":\"" D("aaaa") "\"}"
#define LAYER "{\"mediaType\":\"" MEDIA_OCI_LAYER_GZIP "\",\"size\":7,\"digest\":\"" D("bbbb") "\"}"

static void test_manifest__reads_back_what_it_prints(void **state)
{
	static const char json[] = "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
				   "\"," CONFIG ",\"layers\":[" LAYER "],"
				   "\"annotations\":{\"a\":\"\\u003c1\\u003e\",\"b\":\"2\"}}";
	struct arena *arena = arena_new();
	struct manifest manifest;
	struct err err = { 0 };
	size_t len;

	(void)state;
	assert_true(manifest_parse(json, strlen(json), NULL, arena, &manifest, &err));
	assert_int_equal(manifest.n_layers, 1);
	assert_int_equal(manifest.layers[0].size_bytes, 7);
	assert_string_equal(manifest.config.digest, D("aaaa"));
	assert_string_equal(manifest_print(&manifest, arena, &len), json);
	assert_int_equal(len, strlen(json));
	arena_free(arena);
}

static void test_manifest__refuses_what_could_be_read_in_two_ways(void **state)
{
	static const struct {
		const char *json, *media_type, *part;
	} rows[] = {
		{ "[]", NULL, "it is a sequence, not a mapping" },
		{ "{\"schemaVersion\":1}", NULL, "its schemaVersion is not 2" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"manifests\":[]}", NULL,
		  "both an image manifest and an index" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\"," CONFIG
		  ",\"layers\":[]}",
		  MEDIA_OCI_MANIFEST, "was served as" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[]}", MEDIA_OCI_INDEX,
		  "not the media type of an image manifest" },
		{ "{\"schemaVersion\":2,\"layers\":[]}", NULL, "config: a descriptor is missing" },
		{ "{\"schemaVersion\":2," CONFIG "}", NULL, "'layers' is missing" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[1]}", NULL, "not a mapping" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"x\",\"size\":1,"
		  "\"digest\":\"sha256:../../x\"}]}",
		  NULL, "no valid sha256 digest" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"x\",\"size\":-1,"
		  "\"digest\":\"" D("cccc") "\"}]}",
		  NULL, "no valid size" },
		{ "{\"schemaVersion\":2," CONFIG
		  ",\"layers\":[{\"size\":1,\"digest\":\"" D("cccc") "\"}]}",
		  NULL, "no media type" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"annotations\":{\"a\":1}}", NULL,
		  "annotation 'a' is not a string" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct manifest manifest;
		struct err err = { 0 };

		if (manifest_parse(rows[i].json, strlen(rows[i].json), rows[i].media_type, arena,
				   &manifest, &err))
			fail_msg("taken: %s", rows[i].json);
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err.text, rows[i].part))
			fail_msg("'%s' instead of '%s'", err.text, rows[i].part);
	}
	arena_free(arena);
}

static void test_manifest__takes_500_layers_and_no_more(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (int n = 500; n <= 501; n++) {
		AUTO_BUF json = BUF_INIT(1 << 20);
		struct manifest manifest;
		struct err err = { 0 };

		buf_puts(&json, "{\"schemaVersion\":2," CONFIG ",\"layers\":[");
		for (int i = 0; i < n; i++)
			buf_printf(&json, "%s" LAYER, i ? "," : "");
		buf_puts(&json, "]}");
		assert_int_equal(
			manifest_parse(buf_text(&json), json.len, NULL, arena, &manifest, &err),
			n == 500);
	}
	arena_free(arena);
}

/* An index of "os/arch[/variant]" entries; the digests are the entries themselves. */
static struct image_index make_index(struct arena *arena, const char *platforms)
{
	struct image_index index = { .media_type = MEDIA_OCI_INDEX };

	index.manifests = arena_array(arena, 16, sizeof(*index.manifests));
	for (const char *c = platforms; *c; c += strcspn(c, " "), c += *c == ' ') {
		struct descriptor *desc = &index.manifests[index.n_manifests++];
		char *word = arena_copy(arena, c, strcspn(c, " "));
		char os[16] = "", arch[16] = "", variant[16] = "";

		assert_true(sscanf(word, "%15[^/]/%15[^/]/%15s", os, arch, variant) >= 2);
		desc->digest = word;
		desc->platform.os = arena_strdup(arena, os);
		desc->platform.arch = arena_strdup(arena, arch);
		desc->platform.variant = variant[0] ? arena_strdup(arena, variant) : NULL;
	}
	return index;
}

static void test_index_select__prefers_the_nearest_variant(void **state)
{
	static const struct {
		const char *have, *os, *arch, *variant, *want;
	} rows[] = {
		{ "linux/amd64 linux/arm64/v8", "linux", "arm64", NULL, "linux/arm64/v8" },
		{ "linux/amd64 linux/arm64", "linux", "arm64", "v8", "linux/arm64" },
		{ "linux/arm64/v9 linux/arm64/v8", "linux", "arm64", NULL, "linux/arm64/v8" },
		{ "linux/arm/v5 linux/arm/v6 linux/arm/v7", "linux", "arm", NULL, "linux/arm/v7" },
		{ "linux/arm/v5 linux/arm/v6", "linux", "arm", "v7", "linux/arm/v6" },
		{ "linux/amd64/v3 linux/amd64", "linux", "amd64", NULL, "linux/amd64" },
		{ "linux/amd64/v3 linux/amd64", "linux", "amd64", "v3", "linux/amd64/v3" },
		{ "unknown/unknown windows/amd64", "linux", "amd64", NULL, NULL },
		{ "linux/amd64 linux/amd64", "linux", "amd64", NULL, "linux/amd64" },
		{ "", "linux", "amd64", NULL, NULL },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct image_index index = make_index(arena, rows[i].have);
		struct platform want = { rows[i].os, rows[i].arch, rows[i].variant, NULL };
		const struct descriptor *got = index_select(&index, &want);

		if (!rows[i].want)
			assert_null(got);
		else if (!got || strcmp(got->digest, rows[i].want) != 0)
			fail_msg("of '%s': %s", rows[i].have, got ? got->digest : "none");
	}
	arena_free(arena);
}

static void test_index__reads_back_what_it_prints(void **state)
{
	static const char json[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\",\"manifests\":["
		"{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"size\":5,\"digest\":\"" D(
			"cccc") "\",\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\","
				"\"variant\":\"v8\"}}]}";
	struct arena *arena = arena_new();
	struct image_index index;
	struct err err = { 0 };
	size_t len;

	(void)state;
	assert_true(index_parse(json, strlen(json), MEDIA_OCI_INDEX, arena, &index, &err));
	assert_string_equal(index.manifests[0].platform.variant, "v8");
	assert_string_equal(index_print(&index, arena, &len), json);
	assert_false(index_parse("{\"schemaVersion\":2}", 19, NULL, arena, &index, &err));
	arena_free(arena);
}

static void test_config__keeps_what_it_does_not_know(void **state)
{
	static const char in[] =
		"{\"zeta\":[1.5,null],\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D(
			"dddd") "\"]},"
				"\"os\":\"linux\",\"architecture\":\"amd64\",\"docker_version\":"
				"\"9\","
				"\"config\":{\"Healthcheck\":{\"Test\":[\"CMD\"]},\"Env\":[\"A=1\","
				"\"B=2\"],"
				"\"Labels\":{\"z\":\"1\",\"a\":\"<&>\"},\"Cmd\":null,\"Own\":true,"
				"\"ExposedPorts\":{\"80/tcp\":{}},\"User\":\"1000\"},"
				"\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}],"
				"\"alpha\":1}";
	static const char out[] =
		"{\"architecture\":\"amd64\",\"docker_version\":\"9\","
		"\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}],\"os\":\"linux\","
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D(
			"dddd") "\"]},"
				"\"config\":{\"Healthcheck\":{\"Test\":[\"CMD\"]},\"Env\":[\"A=3\","
				"\"B=2\",\"C=4\"],"
				"\"Labels\":{\"a\":\"\\u003c\\u0026\\u003e\",\"z\":\"1\"},\"User\":"
				"\"1000\","
				"\"ExposedPorts\":{\"80/"
				"tcp\":{}},\"Own\":true},\"alpha\":1,\"zeta\":[1.5,null]}";
	struct arena *arena = arena_new();
	struct image_config config, again;
	struct err err = { 0 };
	char *text;
	size_t len;

	(void)state;
	assert_true(image_config_parse(in, strlen(in), arena, &config, &err));
	assert_string_equal(env_get(&config.env, "A"), "1");
	assert_null(env_get(&config.env, "C"));
	env_set(arena, &config.env, "A", "3");
	env_set(arena, &config.env, "C", "4");
	text = image_config_print(&config, arena, &len);
	assert_string_equal(text, out);
	assert_true(image_config_parse(text, len, arena, &again, &err));
	assert_string_equal(image_config_print(&again, arena, &len), out);
	arena_free(arena);
}

static void test_config__prints_one_of_ours(void **state)
{
	struct arena *arena = arena_new();
	struct image_config config = { .platform = { "linux", "amd64", NULL, NULL },
				       .created = "1980-01-01T00:00:01Z" };
	size_t len;

	(void)state;
	assert_string_equal(image_config_print(&config, arena, &len),
			    "{\"architecture\":\"amd64\",\"created\":\"1980-01-01T00:00:01Z\","
			    "\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"
			    "\"config\":{}}");
	arena_free(arena);
}

static void test_config__refuses_wrong_types(void **state)
{
	static const struct {
		const char *json, *part;
	} rows[] = {
		{ "{}", "'rootfs' is missing" },
		{ "{\"rootfs\":{\"diff_ids\":[\"x\"]}}", "a diff id is no valid" },
		{ "{\"rootfs\":{\"diff_ids\":{}}}", "'diff_ids' is a mapping, not a list" },
		{ "{\"rootfs\":{},\"os\":1}", "'os' is a number, not a string" },
		{ "{\"rootfs\":{},\"config\":[]}", "'config' is a sequence, not a mapping" },
		{ "{\"rootfs\":{},\"config\":{\"Env\":[1]}}", "not a list of strings" },
		{ "{\"rootfs\":{},\"config\":{\"Labels\":{\"a\":1}}}", "not a mapping of strings" },
		{ "{\"rootfs\":{},\"history\":[[]]}", "not a list of mappings" },
		{ "\"x\"", "it is a string, not a mapping" },
		{ "{", "line 1" },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct image_config config;
		struct err err = { 0 };

		assert_false(image_config_parse(rows[i].json, strlen(rows[i].json), arena, &config,
						&err));
		if (!strstr(err.text, rows[i].part))
			fail_msg("'%s' instead of '%s'", err.text, rows[i].part);
	}
	arena_free(arena);
}

static void test_media__names_compressions_and_oci_types(void **state)
{
	(void)state;
	assert_int_equal(media_compression(MEDIA_OCI_LAYER), COMPRESSION_NONE);
	assert_int_equal(media_compression(MEDIA_OCI_LAYER_GZIP), COMPRESSION_GZIP);
	assert_int_equal(media_compression(MEDIA_OCI_LAYER_ZSTD), COMPRESSION_ZSTD);
	assert_int_equal(media_compression(MEDIA_DOCKER_LAYER), COMPRESSION_GZIP);
	assert_int_equal(media_compression("application/x-lzma"), COMPRESSION_UNKNOWN);
	assert_string_equal(media_to_oci(MEDIA_DOCKER_LAYER), MEDIA_OCI_LAYER_GZIP);
	assert_string_equal(media_to_oci("text/x"), "text/x");
	assert_true(media_is_index(MEDIA_DOCKER_LIST));
	assert_false(media_is_manifest(MEDIA_DOCKER_LIST));
	assert_string_equal(platform_host().os, "linux");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest__reads_back_what_it_prints),
		cmocka_unit_test(test_manifest__refuses_what_could_be_read_in_two_ways),
		cmocka_unit_test(test_manifest__takes_500_layers_and_no_more),
		cmocka_unit_test(test_index_select__prefers_the_nearest_variant),
		cmocka_unit_test(test_index__reads_back_what_it_prints),
		cmocka_unit_test(test_config__keeps_what_it_does_not_know),
		cmocka_unit_test(test_config__prints_one_of_ours),
		cmocka_unit_test(test_config__refuses_wrong_types),
		cmocka_unit_test(test_media__names_compressions_and_oci_types),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
