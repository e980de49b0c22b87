/* SPDX-License-Identifier: Apache-2.0 */
/* test_descriptor.c — buildpack.toml, orders with system buildpacks, targets, API versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/descriptor.h"
#include "model/base/buf.h"
#include "model/doc/toml.h"

static struct node *parse(struct arena *arena, const char *text)
{
	struct node *tree;
	struct err err = { 0 };

	if (!toml_parse(text, strlen(text), arena, &tree, &err))
		fail_msg("%s", err.text);
	return tree;
}

struct target_row {
	const char *name, *text;
	bool has_build, fits;
};

/* Against linux/amd64 with the distribution parity 1.0. */
/* clang-format off */
static const struct target_row target_rows[] = {
	{ "no targets, no bin/build: any", "api = \"0.10\"", false, true },
	{ "no targets, bin/build: linux", "api = \"0.10\"", true, true },
	{ "the same machine", "targets = [{os = \"linux\", arch = \"amd64\"}]", true, true },
	{ "another machine", "targets = [{os = \"linux\", arch = \"arm64\"}]", true, false },
	{ "another system", "targets = [{os = \"windows\"}]", true, false },
	{ "one of several", "targets = [{os = \"windows\"}, {arch = \"amd64\"}]", true, true },
	{ "a variant that the image does not name", "targets = [{arch-variant = \"v8\"}]", true, true },
	{ "its distribution", "targets = [{distros = [{name = \"parity\", version = \"1.0\"}]}]", true, true },
	{ "its distribution in any version", "targets = [{distros = [{name = \"parity\"}]}]", true, true },
	{ "another version", "targets = [{distros = [{name = \"parity\", version = \"2.0\"}]}]", true, false },
	{ "one of several distributions", "targets = [{distros = [{name = \"x\"}, {name = \"parity\"}]}]", true, true },
	{ "any stack", "stacks = [{id = \"*\"}]", true, true },
	{ "another stack says nothing", "stacks = [{id = \"acme\"}]", true, true },
	{ "the bionic stack is ubuntu", "api = \"0.10\"\nstacks = [{id = \"io.buildpacks.stacks.bionic\"}]", true, false },
	{ "bionic among others, old API", "api = \"0.9\"\nstacks = [{id = \"io.buildpacks.stacks.bionic\"}, {id = \"x\"}]", true, true },
	{ "bionic among others, new API", "api = \"0.10\"\nstacks = [{id = \"io.buildpacks.stacks.bionic\"}, {id = \"x\"}]", true, false },
};
/* clang-format on */

static void test_target__fits_by_os_arch_and_distribution(void **state)
{
	struct bp_distro parity = { "parity", "1.0" };
	struct bp_target base = { "linux", "amd64", NULL, &parity, 1 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(target_rows); i++) {
		struct arena *arena = arena_new();
		struct bp_descriptor bp;
		struct err err = { 0 };

		print_message("%s\n", target_rows[i].name);
		assert_true(descriptor_decode(parse(arena, target_rows[i].text),
					      target_rows[i].has_build, arena, &bp, &err));
		assert_int_equal(target_fits(&base, &bp.targets), target_rows[i].fits);
		arena_free(arena);
	}
}

static void test_target__is_completed_from_os_release(void **state)
{
	struct arena *arena = arena_new();
	struct bp_target target = { 0 };
	struct err err = { 0 };

	(void)state;
	target_complete(&target, "NAME=x\nVERSION_ID=\"12\"\nID=debian\nURL=a=b\n", "amd64", arena);
	assert_string_equal(target.os, "linux");
	assert_string_equal(target.arch, "amd64");
	assert_string_equal(target.distros[0].name, "debian");
	assert_string_equal(target.distros[0].version, "12");
	assert_true(target_decode(
		parse(arena, "[run-image.target]\nos = \"linux\"\narch = \"arm64\"\n"
			     "[run-image.target.distro]\nname = \"x\"\nversion = \"1\"\n"),
		arena, &target, &err));
	target_complete(&target, "ID=debian\n", "amd64", arena);
	assert_string_equal(target.arch, "arm64");
	assert_string_equal(target.distros[0].name, "x");
	target = (struct bp_target){ 0 };
	target_complete(&target, NULL, "amd64", arena);
	assert_int_equal(target.n_distros, 0);
	arena_free(arena);
}

static void test_descriptor__reads_both_forms_of_exec_env(void **state)
{
	static const char *const texts[] = {
		"[buildpack]\nexec-env = [\"test\"]\n",
		"[[buildpack.exec-env]]\nname = \"test\"\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct arena *arena = arena_new();
		struct bp_descriptor bp;
		struct err err = { 0 };

		assert_true(descriptor_decode(parse(arena, texts[i]), true, arena, &bp, &err));
		assert_true(exec_env_fits(&bp.exec_envs, "test"));
		assert_false(exec_env_fits(&bp.exec_envs, "production"));
		arena_free(arena);
	}
}

static void test_order__gets_system_buildpacks(void **state)
{
	struct arena *arena = arena_new();
	struct bp_order order;
	struct err err = { 0 };
	AUTO_BUF out = BUF_INIT(1000);

	(void)state;
	assert_true(
		order_decode(parse(arena, "[[order]]\ngroup = [{id = \"a\", version = \"1\"}]\n"
					  "[[order]]\ngroup = [{id = \"pre\", version = \"9\"}]\n"),
			     arena, &order, &err));
	assert_true(order_add_system(
		&order,
		parse(arena,
		      "[[system.pre.buildpacks]]\nid = \"pre\"\nversion = \"1\"\noptional = true\n"
		      "[[system.post.buildpacks]]\nid = \"post\"\nversion = \"1\"\n"),
		arena, &err));
	for (size_t i = 0; i < order.n; i++)
		for (size_t k = 0; k < order.v[i].n; k++)
			buf_printf(&out, "%s@%s%s ", order.v[i].v[k].id, order.v[i].v[k].version,
				   order.v[i].v[k].is_optional ? "?" : "");
	assert_string_equal(buf_text(&out), "pre@1 a@1 post@1 pre@9 post@1 ");
	arena_free(arena);
}

static void test_group__refuses_ids_that_lead_elsewhere(void **state)
{
	static const char *const ids[] = { "", ".", ".." };

	(void)state;
	for (size_t i = 0; i < COUNTOF(ids); i++) {
		struct arena *arena = arena_new();
		struct bp_group group;
		struct err err = { 0 };
		char *text =
			arena_printf(arena, "group = [{id = \"%s\", version = \"1\"}]", ids[i]);

		assert_false(group_decode(parse(arena, text), GROUP_KEY, arena, &group, &err));
		text = arena_printf(arena, "group = [{id = \"a\", version = \"../%s\"}]", ids[i]);
		assert_false(group_decode(parse(arena, text), GROUP_KEY, arena, &group, &err));
		assert_string_equal(bp_folder("a/b/c", arena), "a_b_c");
		arena_free(arena);
	}
}

static void test_api__parses_versions(void **state)
{
	struct api api;

	(void)state;
	assert_true(api_parse("0.12", &api) && api_is_buildpack(api) && api_is_platform(api));
	assert_true(api_at_least(api, 12) && !api_at_least(api, 13));
	assert_true(api_parse("0.15", &api) && !api_is_buildpack(api) && api_is_platform(api));
	assert_true(api_parse("0.2", &api) && api_is_buildpack(api) && !api_is_platform(api));
	assert_true(api_parse("0.1", &api) && !api_is_buildpack(api));
	assert_true(api_parse("v1", &api) && api.major == 1 && api_at_least(api, 99));
	assert_false(api_parse("", &api) || api_parse(NULL, &api) || api_parse("0.x", &api) ||
		     api_parse("0.1.2", &api) || api_parse(".1", &api) ||
		     api_parse("0.99999999999999999999", &api));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target__fits_by_os_arch_and_distribution),
		cmocka_unit_test(test_target__is_completed_from_os_release),
		cmocka_unit_test(test_descriptor__reads_both_forms_of_exec_env),
		cmocka_unit_test(test_order__gets_system_buildpacks),
		cmocka_unit_test(test_group__refuses_ids_that_lead_elsewhere),
		cmocka_unit_test(test_api__parses_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
