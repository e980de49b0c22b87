/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_kind.c — the kind table, ids, derived names, words of the command line, quantities and
 * durations.
 */
#include "manifest.h"

#include "model/base/md5.h"
#include "model/kind/build_config_status.h"
#include "model/kind/status.h"

static void test_kind__is_found_by_version_and_old_names(void **state)
{
	/* clang-format off */
	static const struct {
		const char *api_version, *kind;
		enum kind want;
	} rows[] = {
		{ "kpack.io/v1alpha2", "Image", KIND_IMAGE },
		{ "kpack.io/v1alpha1", "Image", KIND_IMAGE },
		{ "kpack.io/v1", "Image", KIND_NONE },
		{ "v1", "Image", KIND_NONE },
		{ "kpack.io/v1alpha1", "Buildpack", KIND_NONE },
		{ "kpack.io/v1alpha2", "Buildpack", KIND_BUILDPACK },
		{ "kpack.io/v1alpha1", "CustomBuilder", KIND_BUILDER },
		{ "kpack.io/v1alpha1", "CustomClusterBuilder", KIND_CLUSTER_BUILDER },
		{ "kpack.io/v1alpha1", "ClusterClusterBuilder", KIND_CLUSTER_BUILDER },
		{ "build.pivotal.io/v1alpha1", "Builder", KIND_BUILDER },
		{ "experimental.kpack.pivotal.io/v1alpha1", "Store", KIND_CLUSTER_STORE },
		{ "experimental.kpack.pivotal.io/v1alpha2", "Store", KIND_NONE },
		{ "v1", "Secret", KIND_SECRET },
		{ "apps/v1", "Secret", KIND_NONE },
		{ "v1", "ServiceAccount", KIND_SERVICE_ACCOUNT },
		{ "v1", "ConfigMap", KIND_CONFIG_MAP },
		{ "reconcile.dev/v1", "Settings", KIND_SETTINGS },
		{ NULL, "Image", KIND_NONE },
		{ "v1", NULL, KIND_NONE },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++)
		assert_int_equal(kind_find(rows[i].api_version, rows[i].kind), rows[i].want);
	for (enum kind kind = KIND_NONE + 1; kind < KINDS; kind++) {
		const struct kind_info *info = kind_info(kind);
		struct arena *arena = arena_new();
		const char *version = arena_printf(arena, "%s%s%s", info->group,
						   *info->group ? "/" : "", info->versions[0]);

		assert_int_equal(kind_find(version, info->name), kind);
		assert_int_equal(kind_by_word(info->name), kind);
		arena_free(arena);
	}
}

static void test_kind__later_ones_are_recognised(void **state)
{
	(void)state;
	assert_int_equal(kind_find("image.openshift.io/v1", "ImageStream"), KIND_IMAGE_STREAM);
	assert_int_equal(kind_find("v1", "ImageStream"), KIND_IMAGE_STREAM);
	assert_int_equal(kind_find("build.openshift.io/v1", "BuildConfig"), KIND_BUILD_CONFIG);
	assert_int_equal(kind_find("v1", "BuildConfig"), KIND_BUILD_CONFIG);
	assert_int_equal(kind_find("build.openshift.io/v1", "Build"), KIND_BUILD);
	assert_false(kind_is_known_elsewhere("v1", "BuildConfig"));
	assert_int_equal(kind_find("apps/v1", "Deployment"), KIND_DEPLOYMENT);
	assert_int_equal(kind_find("extensions/v1beta1", "Deployment"), KIND_DEPLOYMENT);
	assert_int_equal(kind_find("extensions/v1beta2", "Deployment"), KIND_NONE);
	assert_int_equal(kind_find("batch/v1beta1", "CronJob"), KIND_CRON_JOB);
	assert_int_equal(kind_find("v1", "DeploymentConfig"), KIND_DEPLOYMENT_CONFIG);
	assert_false(kind_is_known_elsewhere("apps/v1", "Deployment"));
	assert_true(kind_is_known_elsewhere("kpack.io/v1alpha2", "Build"));
	assert_false(kind_is_known_elsewhere("v1", "Image"));
	assert_false(kind_is_known_elsewhere("v1", "ImageStream "));
	assert_false(kind_is_known_elsewhere("v1", "Stream"));
	assert_false(kind_is_known_elsewhere("batch/v1", "ob"));
	assert_false(kind_is_known_elsewhere("v1", "Service"));
}

static void test_kind__words_of_the_command_line(void **state)
{
	(void)state;
	assert_int_equal(kind_by_word("image"), KIND_IMAGE);
	assert_int_equal(kind_by_word("images"), KIND_IMAGE);
	assert_int_equal(kind_by_word("Image"), KIND_IMAGE);
	assert_int_equal(kind_by_word("ClusterBuilders"), KIND_CLUSTER_BUILDER);
	assert_int_equal(kind_by_word("cb"), KIND_CLUSTER_BUILDER);
	assert_int_equal(kind_by_word("stack"), KIND_CLUSTER_STACK);
	assert_int_equal(kind_by_word("stores"), KIND_CLUSTER_STORE);
	assert_int_equal(kind_by_word("lifecycle"), KIND_CLUSTER_LIFECYCLE);
	assert_int_equal(kind_by_word("s"), KIND_NONE);
	assert_int_equal(kind_by_word(""), KIND_NONE);
	assert_int_equal(kind_by_word("a-word-that-is-far-too-long-for-any-kind"), KIND_NONE);
}

static void test_kind__ids_and_paths(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(object_id(KIND_IMAGE, "shop", "cart", arena), "Image/shop/cart");
	assert_string_equal(object_id(KIND_IMAGE, "", "cart", arena), "Image/default/cart");
	assert_string_equal(object_id(KIND_CLUSTER_STACK, "", "base", arena), "ClusterStack/base");
	assert_string_equal(status_path(KIND_IMAGE, "shop", "cart", arena),
			    "shop/images/cart.yaml");
	assert_string_equal(status_path(KIND_CLUSTER_STACK, "", "base", arena),
			    "cluster/stacks/base.yaml");
	assert_string_equal(status_path(KIND_CLUSTER_BUILDER, "", "b", arena),
			    "cluster/builders/b.yaml");
	/* A namespace of that name must not meet the cluster's folder. */
	assert_string_equal(status_path(KIND_BUILDER, "cluster", "b", arena),
			    "cluster_/builders/b.yaml");
	assert_string_equal(path_namespace(status_path(KIND_BUILDER, "cluster", "b", arena), arena),
			    "cluster");
	assert_string_equal(path_namespace("shop/images/cart.yaml", arena), "shop");
	assert_string_equal(path_name("shop/images/cart.yaml", NULL, arena), "cart");
	/* The builds of "cart.yaml" must not meet the status of "cart". */
	assert_string_equal(status_path(KIND_IMAGE, "shop", "cart.yaml", arena),
			    "shop/images/cart.yaml_.yaml");
	assert_string_equal(build_path("shop", "cart.yaml", 12, arena),
			    "shop/images/cart.yaml_/builds/12.yaml");
	assert_string_equal(path_name("shop/images/cart.yaml_.yaml", NULL, arena), "cart.yaml");
	assert_string_equal(build_path("shop", "cart", 12, arena),
			    "shop/images/cart/builds/12.yaml");
	arena_free(arena);
}

/* No part of a path may have more than 255 bytes; names have up to 253, and ".yaml" comes behind them. */
static void test_kind__paths_hold_names_of_any_length(void **state)
{
	static const char *const ends[] = { "", ".yaml" };
	struct arena *arena = arena_new();
	char name[254], other[254];

	(void)state;
	for (size_t i = 0; i < COUNTOF(ends); i++) {
		for (size_t n = 10; n < sizeof(name); n++) {
			const char *path, *slash, *end = ends[i];

			memset(name, 'n', n - strlen(end));
			memcpy(name + n - strlen(end), end, strlen(end) + 1);
			path = status_path(KIND_BUILD_CONFIG, "shop", name, arena);
			slash = strrchr(path, '/');
			assert_true(strlen(slash + 1) <= 255);
			assert_string_equal(path_name(path, name, arena), name);
			path = arena_printf(arena, "%.*s/builds/12.yaml", (int)(strlen(path) - 5),
					    path);
			assert_string_equal(
				bc_build_path(KIND_BUILD_CONFIG, "shop", name, 12, arena), path);
		}
	}
	/* What differs where a long path no longer tells is told apart. */
	memset(name, 'n', 253);
	name[253] = '\0';
	memcpy(other, name, sizeof(other));
	other[252] = 'x';
	assert_string_not_equal(status_path(KIND_BUILD, "", name, arena),
				status_path(KIND_BUILD, "", other, arena));
	assert_null(path_name(status_path(KIND_BUILD, "", name, arena), other, arena));
	assert_null(path_name(status_path(KIND_BUILD, "", name, arena), NULL, arena));
	arena_free(arena);
}

/* Digests by md5sum(1); forms by kpack.md §2.3. */
static void test_kind__child_names_are_those_of_knative(void **state)
{
	struct arena *arena = arena_new();
	char long_parent[81], long_suffix[81], hash[MD5_HEX + 1];
	const char *name;

	(void)state;
	memset(long_parent, 'a', 80);
	memset(long_suffix, 'b', 80);
	long_parent[80] = long_suffix[80] = '\0';
	assert_string_equal(child_name("app", "-build-1", arena), "app-build-1");
	long_parent[55] = '\0'; /* 55 + 8 = 63 still fit */
	assert_string_equal(child_name(long_parent, "-build-1", arena),
			    arena_printf(arena, "%s-build-1", long_parent));
	long_parent[55] = 'a';
	long_parent[56] = '\0'; /* 23 a's, md5 of the parent, suffix */
	assert_string_equal(child_name(long_parent, "-build-1", arena),
			    "aaaaaaaaaaaaaaaaaaaaaaa3b0c8ac703f828b04c6c197006d17218-build-1");
	long_parent[56] = 'a';
	name = child_name(long_parent, long_suffix, arena);
	md5_hex(arena_printf(arena, "%s%s", long_parent, long_suffix), 160, hash);
	assert_string_equal(name, arena_printf(arena, "%.31s%s", long_parent, hash));
	/* A short parent leaves room, which the head of the suffix fills; what then ends in '-' is cut. */
	memset(long_suffix + 26, '-', 10);
	name = child_name("ab", long_suffix, arena);
	md5_hex(arena_printf(arena, "ab%s", long_suffix), 82, hash);
	assert_string_equal(name, arena_printf(arena, "ab%s%.26s", hash, long_suffix));
	arena_free(arena);
}

static void test_kind__md5_of_known_texts(void **state)
{
	static const struct {
		const char *text, *sum;
	} rows[] = {
		{ "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "abc", "900150983cd24fb0d6963f7d28e17f72" },
		{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
		{ "1234567890123456789012345678901234567890123456789012345678901234567890123456789"
		  "0",
		  "57edf4a22be3c955ac49da2e2107b67a" },
	};
	char sum[MD5_HEX + 1];

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		md5_hex(rows[i].text, strlen(rows[i].text), sum);
		assert_string_equal(sum, rows[i].sum);
	}
}

static void test_kind__quantities_compare_by_number(void **state)
{
	static const struct {
		const char *text;
		int64_t milli;
	} rows[] = {
		{ "0", 0 },         { "1", 1000 },           { "500m", 500 },
		{ "0.5", 500 },     { "2G", 2000000000000 }, { "1.5Gi", 1610612736000 },
		{ "1e3", 1000000 }, { "5E-1", 500 },         { "128M", 128000000000 },
	};
	static const char *const wrong[] = { "", "m", "-1", "1x", "1.5.2", "1 G", "1Kib", "9999P" };
	struct pair half = { "cpu", "500m", { 0 } }, decimal = { "cpu", "0.5", { 0 } };
	const struct resources a = { .limits = { &half, 1, 1 } },
			       b = { .limits = { &decimal, 1, 1 } };
	int64_t milli;

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		assert_true(quantity_parse(rows[i].text, &milli));
		assert_int_equal(milli, rows[i].milli);
	}
	for (size_t i = 0; i < COUNTOF(wrong); i++)
		assert_false(quantity_parse(wrong[i], &milli));
	assert_true(resources_equal(&a, &b));
	decimal.value = "0.6";
	assert_false(resources_equal(&a, &b));
	decimal.key = "memory";
	assert_false(resources_equal(&a, &b));
}

static void test_kind__durations(void **state)
{
	int64_t s;

	(void)state;
	assert_true(duration_parse("90", &s) && s == 90);
	assert_true(duration_parse("90s", &s) && s == 90);
	assert_true(duration_parse("1h30m", &s) && s == 5400);
	assert_true(duration_parse("2d", &s) && s == 172800);
	assert_false(duration_parse("", &s));
	assert_false(duration_parse("h", &s));
	assert_false(duration_parse("1h30", &s));
	assert_false(duration_parse("-5s", &s));
	assert_false(duration_parse("99999999999999999999s", &s));
	assert_false(duration_parse("20000000000d", &s));
	assert_false(duration_parse("36000000d36000000d", &s));
	assert_true(duration_parse("365d", &s) && s == 365 * 86400);
}

static void test_kind__settings_out_of_a_pull_request_run_nothing(void **state)
{
	struct loaded l;
	const struct settings *safe;
	const char *dropped;

	(void)state;
	manifest_load(&l,
		      "apiVersion: reconcile.dev/v1\nkind: Settings\njobs: 3\nruntime: /tmp/evil\n"
		      "executor: [sh, -c, evil]\ncredentialHelpers: true\n"
		      "secrets: [{from: RECONCILE_SECRET_X, servers: [evil.example.com]}]\n",
		      true);
	safe = settings_distrust(l.model.settings, l.arena, &dropped);
	assert_string_equal(dropped, "runtime, executor, secrets, credentialHelpers");
	assert_string_equal(safe->runtime, "crun");
	assert_int_equal(safe->executor.n, 0);
	assert_int_equal(safe->secrets.n, 0);
	assert_false(safe->allow_helpers);
	assert_int_equal(safe->jobs, 3);
	settings_distrust(settings_default(l.arena), l.arena, &dropped);
	assert_null(dropped);
	arena_free(l.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind__is_found_by_version_and_old_names),
		cmocka_unit_test(test_kind__later_ones_are_recognised),
		cmocka_unit_test(test_kind__words_of_the_command_line),
		cmocka_unit_test(test_kind__ids_and_paths),
		cmocka_unit_test(test_kind__paths_hold_names_of_any_length),
		cmocka_unit_test(test_kind__child_names_are_those_of_knative),
		cmocka_unit_test(test_kind__md5_of_known_texts),
		cmocka_unit_test(test_kind__quantities_compare_by_number),
		cmocka_unit_test(test_kind__durations),
		cmocka_unit_test(test_kind__settings_out_of_a_pull_request_run_nothing),
	};

	return cmocka_run_group_tests_name("kind", tests, NULL, NULL);
}
