/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_app_config.c — configs of exported images, names of run images, targets, users of builders, texts of composed
 * builders: the small values around an export.
 */
#include "buildexec/cnb/app_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/builder.h"
#include "buildexec/cnb/compose_files.h"
#include "buildexec/cnb/run_images.h"
#include "buildexec/cnb/target.h"
#include "model/base/buf.h"
#include "model/doc/toml.h"

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct strings texts(const char *const *items)
{
	struct strings out = { 0 };

	for (; *items; items++)
		vec_push(arena, &out, *items);
	return out;
}

static struct image_config make(const struct image_config *base, const char *api,
				const char *process)
{
	static const struct app_layer layers[] = { { "d1", "Application Layer" } };
	static const struct pairs labels = { 0 };
	struct app_config_spec spec = { .base = base,
					.app_dir = "/workspace",
					.layers_dir = "/layers",
					.platform_api = api,
					.process = process,
					.labels = &labels,
					.layers = layers,
					.n_layers = 1,
					.created_s = CNB_CREATED_S };
	struct image_config out;

	app_config_make(&spec, arena, &out);
	return out;
}

static void test_app_config__puts_variables_in_the_reference_order(void **state)
{
	struct image_config base = {
		.env = texts((const char *[]){ "A=1", "PATH=/bin=x", "CNB_APP_DIR=/old", NULL }),
		.cmd = texts((const char *[]){ "serve", NULL }),
		.diff_ids = texts((const char *[]){ "b1", NULL }),
	};
	struct image_config out = make(&base, "0.14", "web");
	static const char *const env[] = { "A=1",
					   "PATH=/cnb/process:/cnb/lifecycle:/bin=x",
					   "CNB_APP_DIR=/workspace",
					   "CNB_LAYERS_DIR=/layers",
					   "CNB_PLATFORM_API=0.14",
					   "CNB_DEPRECATION_MODE=quiet" };

	(void)state;
	assert_int_equal(out.env.n, COUNTOF(env));
	for (size_t i = 0; i < COUNTOF(env); i++)
		assert_string_equal(out.env.v[i], env[i]);
	assert_string_equal(out.entrypoint.v[0], "/cnb/process/web");
	assert_int_equal(out.cmd.n, 0);
	assert_string_equal(out.created, "1980-01-01T00:00:01Z");
	assert_string_equal(make(&base, "0.14", NULL).entrypoint.v[0], "/cnb/lifecycle/launcher");
	assert_string_equal(base.env.v[1], "PATH=/bin=x");
}

static void test_app_config__gives_each_layer_one_line_of_history(void **state)
{
	struct history whole[] = { { .created_by = "base" },
				   { .created_by = "ENV", .is_empty_layer = true } };
	struct history lacking[] = { { .created_by = "ENV", .is_empty_layer = true } };
	struct image_config base = { .diff_ids = texts((const char *[]){ "b1", NULL }),
				     .history = whole,
				     .n_history = 2 };
	struct image_config out = make(&base, "0.14", NULL);

	(void)state;
	assert_int_equal(out.n_history, 2);
	assert_string_equal(out.history[0].created_by, "base");
	assert_string_equal(out.history[1].created_by, "Application Layer");
	base.history = lacking;
	base.n_history = 1;
	out = make(&base, "0.14", NULL);
	assert_int_equal(out.n_history, 2);
	assert_null(out.history[0].created_by);
	assert_null(make(&base, "0.11", NULL).history[1].created_by);
}

static void test_run_images__are_compared_by_tag_and_tried_near_first(void **state)
{
	struct run_image_names names = { .image = "far.example/run:1" };
	struct run_images images = { 0 };
	struct strings order;

	(void)state;
	vec_push(arena, &names.mirrors, "near.example/run:1");
	vec_push(arena, &images, names);
	assert_true(run_image_names_have(&names, "near.example/run:1", arena));
	assert_true(run_image_names_have(
		&names,
		"far.example/run:1@sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000",
		arena));
	assert_false(run_image_names_have(&names, "far.example/run:2", arena));
	order = run_image_candidates(&names, "near.example", arena);
	assert_int_equal(order.n, 2);
	assert_string_equal(order.v[0], "near.example/run:1");
	assert_string_equal(run_images_for_label(&images, "none/at:all", arena)->image,
			    "far.example/run:1");
}

static void test_os_release__is_read_with_and_without_quotes(void **state)
{
	const char *id, *version;

	(void)state;
	assert_true(
		os_release_parse("NAME=x\nID=debian\nVERSION_ID=\"12\"\n", arena, &id, &version));
	assert_string_equal(id, "debian");
	assert_string_equal(version, "12");
	assert_false(os_release_parse("NAME=x\nNOT_ID=y", arena, &id, &version));
}

static void test_builder_user__is_never_root(void **state)
{
	static const struct {
		const char *uid, *gid;
		bool is_good;
	} rows[] = {
		{ "CNB_USER_ID=1001", "CNB_GROUP_ID=1000", true },
		{ "CNB_USER_ID=0", "CNB_GROUP_ID=0", false },
		{ "CNB_USER_ID=1001", "CNB_GROUP_ID=0", true },
		{ "CNB_USER_ID=x", "CNB_GROUP_ID=1", false },
		{ "CNB_USER_ID=-1", "CNB_GROUP_ID=1", false },
		{ "CNB_USER_ID=4294967296", "CNB_GROUP_ID=1", false },
		{ "CNB_USER_ID=", "CNB_GROUP_ID=1", false },
		{ "X=1", "CNB_GROUP_ID=1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct image_config config = { .env = texts((const char *[]){
						       rows[i].uid, rows[i].gid, NULL }) };
		struct err err = { 0 };
		uint32_t uid, gid;

		assert_int_equal(builder_user(&config, &uid, &gid, &err), rows[i].is_good);
	}
}

static void test_passwd_home__finds_the_user_by_id(void **state)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\nbad\ncnb:x:1001:1000::/home/"
				     "cnb:/bin/sh\nrel:x:7:7::home:/bin/sh";

	(void)state;
	assert_string_equal(passwd_home(passwd, 1001, arena), "/home/cnb");
	assert_null(passwd_home(passwd, 7, arena));
	assert_null(passwd_home(passwd, 100, arena));
	assert_null(passwd_home(NULL, 0, arena));
}

static void test_compose__writes_order_and_labels(void **state)
{
	struct order_entry entries[] = { { .id = "b", .version = "2", .is_optional = true },
					 { .id = "a", .version = "1" } };
	struct order_group group = { .group = { entries, 2 } };
	struct compose_buildpack buildpacks[] = {
		{ .id = { .id = "a", .version = "1", .api = "0.10" },
		  .size_bytes = 5,
		  .diff_id = "d1" },
		{ .id = { .id = "b", .version = "2", .api = "0.9" },
		  .size_bytes = 9,
		  .diff_id = "d2" },
		{ .id = { .id = "b", .version = "1", .api = "0.9" },
		  .size_bytes = 5,
		  .diff_id = "d3" },
	};
	struct compose compose = { .stack_id = "s",
				   .lifecycle_version = "1.2",
				   .order = { &group, 1 },
				   .buildpacks = { buildpacks, 3 } };
	struct compose_order sorted = compose_sorted(&compose, arena);
	struct pairs labels = compose_labels(&compose, "r/run@sha256:x", arena);
	AUTO_BUF toml = BUF_INIT(4096);

	(void)state;
	assert_string_equal(sorted.v[0]->diff_id, "d2");
	assert_string_equal(sorted.v[1]->diff_id, "d3");
	assert_string_equal(sorted.v[2]->diff_id, "d1");
	toml_print(compose_order_toml(&compose, arena), &toml);
	assert_string_equal(buf_text(&toml),
			    "[[order]]\n\n  [[order.group]]\n    id = \"b\"\n    version = \"2\"\n"
			    "    optional = true\n\n  [[order.group]]\n    id = \"a\"\n"
			    "    version = \"1\"\n");
	assert_string_equal(pairs_get(&labels, LABEL_BUILDPACK_ORDER),
			    "[{\"group\":[{\"id\":\"b\",\"version\":\"2\",\"optional\":true},"
			    "{\"id\":\"a\",\"version\":\"1\"}]}]");
	assert_string_equal(pairs_get(&labels, LABEL_BUILDPACK_LAYERS),
			    "{\"a\":{\"1\":{\"api\":\"0.10\",\"layerDiffID\":\"d1\"}},"
			    "\"b\":{\"1\":{\"api\":\"0.9\",\"layerDiffID\":\"d3\"},"
			    "\"2\":{\"api\":\"0.9\",\"layerDiffID\":\"d2\"}}}");
	assert_string_equal(pairs_get(&labels, LABEL_LIFECYCLE_VERSION), "1.2");
	assert_non_null(strstr(pairs_get(&labels, LABEL_BUILDER_METADATA),
			       "\"runImage\":{\"image\":\"r/run@sha256:x\",\"mirrors\":null}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_app_config__puts_variables_in_the_reference_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_app_config__gives_each_layer_one_line_of_history, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_run_images__are_compared_by_tag_and_tried_near_first, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_os_release__is_read_with_and_without_quotes,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_builder_user__is_never_root, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_passwd_home__finds_the_user_by_id, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_compose__writes_order_and_labels, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
