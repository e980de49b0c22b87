/* SPDX-License-Identifier: Apache-2.0 */
/* test_rebase_rule.c — what a rebase refuses, what -force overrides, and what becomes of config and labels (cnb.md §1.10). */
#include "buildexec/cnb/rebase_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/app_metadata.h"
#include "model/doc/json.h"

#define METADATA                                                                                   \
	"{\"app\":[],\"future\":{\"kept\":true},\"runImage\":{\"topLayer\":\"old-2\","             \
	"\"reference\":\"r/run@sha256:old\",\"image\":\"r/run:latest\",\"mirrors\":[\"m/"          \
	"run:1\"]}}"

struct world {
	struct arena *arena;
	struct image_config app, base;
	struct rebase_inputs inputs;
};

static struct strings list(struct arena *arena, const char *const *items)
{
	struct strings out = { 0 };

	for (; *items; items++)
		vec_push(arena, &out, *items);
	return out;
}

static void label(struct world *world, struct image_config *config, const char *key,
		  const char *value)
{
	vec_push(world->arena, &config->labels, (struct pair){ .key = key, .value = value });
}

static struct world world_new(const char *app_api)
{
	struct world world = { .arena = arena_new() };

	world.app = (struct image_config){
		.platform = { .os = "linux", .arch = "amd64" },
		.diff_ids = list(world.arena, (const char *[]){ "old-1", "old-2", "app", NULL }),
		.user = "app-user",
	};
	world.base = (struct image_config){
		.platform = { .os = "linux", .arch = "amd64" },
		.diff_ids = list(world.arena, (const char *[]){ "new-1", NULL }),
		.user = "base-user",
	};
	vec_push(world.arena, &world.app.env,
		 arena_printf(world.arena, "CNB_PLATFORM_API=%s", app_api));
	label(&world, &world.app, LABEL_LIFECYCLE_METADATA, METADATA);
	label(&world, &world.app, "io.buildpacks.stack.id", "s");
	label(&world, &world.base, "io.buildpacks.stack.id", "s");
	world.inputs = (struct rebase_inputs){
		.base_name = "r/run:latest",
		.base_reference = "r/run@sha256:new",
		.platform_api = "0.14",
		.created_s = 315532801,
	};
	return world;
}

static bool decide(struct world *world, struct rebased *out, struct err *err)
{
	world->inputs.app = &world->app;
	world->inputs.base = &world->base;
	return rebase_decide(&world->inputs, world->arena, out, err);
}

static void test_rebase_decide__changes_the_base_and_nothing_else(void **state)
{
	struct world world = world_new("0.14");
	struct rebased rebased;
	struct err err = { 0 };
	struct node *json;
	const char *text;

	(void)state;
	label(&world, &world.app, "io.buildpacks.base.gone", "x");
	label(&world, &world.app, "mine", "kept");
	label(&world, &world.base, "io.buildpacks.base.added", "y");
	label(&world, &world.base, "maintainer", "not taken");
	assert_true(decide(&world, &rebased, &err));
	assert_int_equal(rebased.n_old_base, 2);
	assert_int_equal(rebased.config.diff_ids.n, 2);
	assert_string_equal(rebased.config.diff_ids.v[0], "new-1");
	assert_string_equal(rebased.config.diff_ids.v[1], "app");
	assert_string_equal(rebased.config.user, "app-user");
	assert_null(pairs_get(&rebased.config.labels, "io.buildpacks.base.gone"));
	assert_null(pairs_get(&rebased.config.labels, "maintainer"));
	assert_string_equal(pairs_get(&rebased.config.labels, "io.buildpacks.base.added"), "y");
	assert_string_equal(pairs_get(&rebased.config.labels, "mine"), "kept");
	text = pairs_get(&rebased.config.labels, LABEL_LIFECYCLE_METADATA);
	assert_true(json_parse(text, strlen(text), world.arena, &json, &err));
	assert_string_equal(node_text(node_get(json, "runImage"), "topLayer"), "new-1");
	assert_string_equal(node_text(node_get(json, "runImage"), "reference"), "r/run@sha256:new");
	assert_string_equal(node_text(node_get(json, "runImage"), "image"), "r/run:latest");
	assert_non_null(node_at(json, "future", "kept", NULL));
	assert_int_equal(rebased.config.n_history, 2);
	arena_free(world.arena);
}

/* Rebased again and again over a base that ends in one layer twice, an image must not grow. */
static void test_rebase_decide__finds_the_top_of_the_base_among_layers_of_its_name(void **state)
{
	static const struct {
		const char *diff_ids[8], *app; /* app: the layers that the label names */
		size_t n_old_base;
	} cases[] = {
		{ { "a", "top", "top", "x" }, "{\"sha\":\"x\"}", 3 },
		{ { "top", "b", "top", "x", "y" }, "{\"sha\":\"x\"},{\"sha\":\"y\"}", 3 },
		{ { "a", "top", "x" }, "{\"sha\":\"x\"}", 2 },
		/* The application has such a layer too. */
		{ { "a", "top", "x", "top" }, "{\"sha\":\"x\"},{\"sha\":\"top\"}", 2 },
		/* A layer that nobody names, at either end. */
		{ { "top", "a", "top", "x", "?" }, "{\"sha\":\"x\"}", 1 },
		{ { "top", "?", "x" }, "{\"sha\":\"x\"}", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world = world_new("0.14");
		struct rebased rebased;
		struct err err = { 0 };

		world.app.diff_ids = list(world.arena, cases[i].diff_ids);
		world.app.labels.n = 0;
		label(&world, &world.app, LABEL_LIFECYCLE_METADATA,
		      arena_printf(world.arena,
				   "{\"app\":[%s],\"runImage\":{\"topLayer\":\"top\","
				   "\"image\":\"r/run:latest\"}}",
				   cases[i].app));
		assert_true(decide(&world, &rebased, &err));
		assert_int_equal(rebased.n_old_base, cases[i].n_old_base);
		arena_free(world.arena);
	}
}

static void break_arch(struct world *world)
{
	world->base.platform.arch = "arm64";
}

static void break_rebasable(struct world *world)
{
	label(world, &world->app, LABEL_REBASABLE, "false");
}

static void break_name(struct world *world)
{
	world->inputs.base_name = "r/other:latest";
}

static void break_distro(struct world *world)
{
	label(world, &world->base, "io.buildpacks.base.distro.name", "other");
}

static void break_stack(struct world *world)
{
	world->base.labels.n = 0;
	label(world, &world->base, "io.buildpacks.stack.id", "t");
}

static void break_mixins(struct world *world)
{
	label(world, &world->app, LABEL_STACK_MIXINS, "[\"one\",\"build:two\"]");
	label(world, &world->base, LABEL_STACK_MIXINS, "[\"run:one\"]");
}

static void break_layers(struct world *world)
{
	world->app.diff_ids.v[1] = "unknown";
}

static void break_label(struct world *world)
{
	world->app.labels.v[0].value = "{";
}

static void test_rebase_decide__refuses_by_name_and_may_be_forced(void **state)
{
	static const struct {
		const char *app_api;
		void (*breaks)(struct world *world);
		const char *text;
		bool is_forceable;
	} rows[] = {
		{ "0.14", break_arch, "arm64", true },
		{ "0.14", break_rebasable, "not rebasable", true },
		{ "0.14", break_name, "'r/other:latest'", true },
		{ "0.14", break_distro, "other", true },
		{ "0.11", break_stack, "stack 't' is not compatible with 's'", false },
		{ "0.11", break_mixins, "missing required mixin(s): two", false },
		{ "0.14", break_layers, "'old-2'", false },
		{ "0.14", break_label, LABEL_LIFECYCLE_METADATA, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world = world_new(rows[i].app_api);
		struct rebased rebased;
		struct err err = { 0 };

		rows[i].breaks(&world);
		assert_false(decide(&world, &rebased, &err));
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err.text, rows[i].text))
			fail_msg("row %zu: '%s' does not name '%s'", i, err.text, rows[i].text);
		world.inputs.is_forced = true;
		assert_int_equal(decide(&world, &rebased, &err), rows[i].is_forceable);
		if (rows[i].is_forceable)
			assert_int_equal(rebased.warnings.n, 1);
		arena_free(world.arena);
	}
}

static void test_rebase_decide__forced_to_another_name_forgets_mirrors(void **state)
{
	struct world world = world_new("0.14");
	struct rebased rebased;
	struct err err = { 0 };
	struct node *json;
	const char *text;

	(void)state;
	break_name(&world);
	world.inputs.is_forced = true;
	assert_true(decide(&world, &rebased, &err));
	text = pairs_get(&rebased.config.labels, LABEL_LIFECYCLE_METADATA);
	assert_true(json_parse(text, strlen(text), world.arena, &json, &err));
	assert_string_equal(node_text(node_get(json, "runImage"), "image"), "r/other:latest");
	assert_null(node_at(json, "runImage", "mirrors", NULL));
	assert_string_equal(node_text(node_at(json, "stack", "runImage", NULL), "image"),
			    "r/other:latest");
	arena_free(world.arena);
}

static void test_rebase_decide__takes_a_base_that_was_decided_on(void **state)
{
	struct world world = world_new("0.14");
	struct rebased rebased;
	struct err err = { 0 };

	(void)state;
	break_name(&world);
	world.inputs.is_base_given = true;
	assert_true(decide(&world, &rebased, &err));
	assert_int_equal(rebased.warnings.n, 0);
	assert_non_null(strstr(pairs_get(&rebased.config.labels, LABEL_LIFECYCLE_METADATA),
			       "r/other:latest"));
	break_arch(&world);
	assert_false(decide(&world, &rebased, &err));
	arena_free(world.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rebase_decide__changes_the_base_and_nothing_else),
		cmocka_unit_test(
			test_rebase_decide__finds_the_top_of_the_base_among_layers_of_its_name),
		cmocka_unit_test(test_rebase_decide__refuses_by_name_and_may_be_forced),
		cmocka_unit_test(test_rebase_decide__forced_to_another_name_forgets_mirrors),
		cmocka_unit_test(test_rebase_decide__takes_a_base_that_was_decided_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
