/* SPDX-License-Identifier: Apache-2.0 */
/* test_build_plan.c — which buildpacks stay and what the plan is, one row per situation; the reference's random search is in guest_parity.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/build_plan.h"
#include "model/base/buf.h"
#include "model/base/limits.h"
#include "model/doc/toml.h"

/*
 * A group as text: buildpacks separated by ';', each "name[?] option | option", an option being words "+x" (provides)
 * and "-x" (requires); '?' marks an optional one. The result: those that stay, then "name: providers < number of requires".
 */
struct row {
	const char *name, *group, *result;
};

/* clang-format off */
static const struct row rows[] = {
	{ "nothing asked, nothing given", "a", "a" },
	{ "a require with a provider before it", "a +x; b -x", "a b / x: a < 1" },
	{ "a buildpack may serve itself", "a +x -x", "a / x: a < 1" },
	{ "a require before its provider fails", "a -x; b +x", "none" },
	{ "a require without provider fails", "a -x", "none" },
	{ "a provide that nobody asks for fails", "a +x", "none" },
	{ "an optional buildpack with an unmet require is dropped", "a; b? -x", "a" },
	{ "an optional buildpack with an unused provide is dropped", "a; b? +x", "a" },
	{ "dropping goes on until nothing is unmet", "a; b? +x; c? -x -y", "a" },
	{ "dropping from both ends", "a; b? -p; c? +q; d? +r; e? -r -s", "a" },
	{ "a dropped provider takes the required one with it", "b? +x -y; c -x", "none" },
	{ "nothing is left", "a? -x; b? +y", "none" },
	{ "several providers of one name", "a +x; b +x; c -x", "a b c / x: a b < 1" },
	{ "several requires of one name", "a +x; b -x; c -x", "a b c / x: a < 2" },
	{ "two requires of one buildpack both count", "a +x; b -x -x", "a b / x: a < 2" },
	{ "providing twice lists the provider twice", "a +x +x; b -x", "a b / x: a a < 1" },
	{ "a provide after the require must be asked for again", "a +x; b -x; c +x", "none" },
	{ "a provide after the require, asked for again", "a +x; b -x; c +x; d -x", "a b c d / x: a c < 2" },
	{ "a late optional provider is dropped", "a +x; b -x; c? +x", "a b / x: a < 1" },
	{ "the first alternative is taken", "a | +x", "a" },
	{ "the second alternative when the first fails", "a -x | +y -y", "a / y: a < 1" },
	{ "alternatives of the right vary fastest", "a +x | +y; b -z | -x | -y", "a b / x: a < 1" },
	{ "left alternatives last", "a +x | +y; b -y", "a b / y: a < 1" },
	{ "only the last alternative of an optional buildpack may be dropped", "a; b? -x | +y -y", "a b / y: b < 1" },
	{ "the last alternative of an optional buildpack is dropped", "a; b? -x | -y", "a" },
	{ "an optional one that could be dropped waits for its last alternative", "a; b? +q | -z; c", "a c" },
	{ "no alternative of a required one resolves", "a; b -x | -y", "none" },
	{ "entries come in the order of first mention", "a +x +w; b +v; c -v -w -x", "a b c / x: a < 1 / w: a < 1 / v: b < 1" },
};
/* clang-format on */

static void add_word(struct arena *arena, const char *word, struct plan_section *section)
{
	const char *name = arena_strdup(arena, word + 1);

	if (word[0] == '+')
		vec_push(arena, &section->provides, name);
	else
		vec_push(arena, &section->requires, (struct plan_require){ name, NULL });
}

static struct plan_candidate parse_candidate(struct arena *arena, char *text)
{
	char *save, *word = strtok_r(text, " ", &save);
	struct plan_candidate out = { .element = { .version = "1" } };
	struct plan_section section = { 0 };
	size_t n = strlen(word);

	if (word[n - 1] == '?') {
		out.element.is_optional = true;
		word[n - 1] = '\0';
	}
	out.element.id = word;
	while ((word = strtok_r(NULL, " ", &save))) {
		if (strcmp(word, "|") == 0) {
			vec_push(arena, &out.options, section);
			section = (struct plan_section){ 0 };
		} else {
			add_word(arena, word, &section);
		}
	}
	vec_push(arena, &out.options, section);
	return out;
}

static const char *describe(struct arena *arena, const struct plan_result *result)
{
	AUTO_BUF out = BUF_INIT(4096);

	if (!result->is_found)
		return "none";
	for (size_t i = 0; i < result->group.n; i++)
		buf_printf(&out, "%s%s", i ? " " : "", result->group.v[i].id);
	for (size_t i = 0; i < result->plan.n; i++) {
		const struct plan_entry *entry = &result->plan.v[i];

		buf_printf(&out, " / %s:", entry->name);
		for (size_t k = 0; k < entry->providers.n; k++)
			buf_printf(&out, " %s", entry->providers.v[k].id);
		buf_printf(&out, " < %zu", entry->requires.n);
	}
	return buf_copy(&out, arena);
}

static void test_resolve__takes_the_first_combination_that_meets(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct arena *arena = arena_new();
		char *text = arena_strdup(arena, rows[i].group), *save, *part;
		VEC(struct plan_candidate) candidates = { 0 };
		struct plan_result result;
		struct err err = { 0 };

		print_message("%s\n", rows[i].name);
		for (part = strtok_r(text, ";", &save); part; part = strtok_r(NULL, ";", &save))
			vec_push(arena, &candidates, parse_candidate(arena, part));
		assert_true(build_plan_resolve(candidates.v, candidates.n, arena, &result, &err));
		assert_string_equal(describe(arena, &result), rows[i].result);
		arena_free(arena);
	}
}

static void test_resolve__gives_up_after_a_limit(void **state)
{
	struct arena *arena = arena_new();
	struct plan_candidate candidates[20];
	struct plan_result result;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNTOF(candidates); i++) {
		char text[] = "a -x | -y";

		candidates[i] = parse_candidate(arena, arena_strdup(arena, text));
	}
	assert_false(build_plan_resolve(candidates, COUNTOF(candidates), arena, &result, &err));
	assert_non_null(strstr(err.text, "no build plan found in 100000 combinations"));
	assert_true(result.trail.n <= PLAN_TRAIL);
	arena_free(arena);
}

static struct node *parse(struct arena *arena, const char *text)
{
	struct node *tree;
	struct err err = { 0 };

	if (!toml_parse(text, strlen(text), arena, &tree, &err))
		fail_msg("%s", err.text);
	return tree;
}

static const struct api since_0_3 = { 0, 3 }, in_0_2 = { 0, 2 };

static void test_options_decode__reads_alternatives(void **state)
{
	struct arena *arena = arena_new();
	struct plan_options options;
	struct err err = { 0 };
	const char *text = "[[provides]]\nname = \"a\"\n[[requires]]\nname = \"b\"\n"
			   "[requires.metadata]\nversion = \"1\"\n[[or]]\n[[or.requires]]\nname = "
			   "\"c\"\n[[or]]\n";

	(void)state;
	assert_true(plan_options_decode(parse(arena, text), since_0_3, arena, &options, &err));
	assert_int_equal(options.n, 3);
	assert_string_equal(options.v[0].provides.v[0], "a");
	assert_string_equal(node_text(options.v[0].requires.v[0].metadata, "version"), "1");
	assert_string_equal(options.v[1].requires.v[0].name, "c");
	assert_int_equal(options.v[2].requires.n, 0);
	text = "[[Requires]]\nNAME = \"a\"\nmetadata = 1\n";
	assert_true(plan_options_decode(parse(arena, text), since_0_3, arena, &options, &err));
	assert_string_equal(options.v[0].requires.v[0].name, "a");
	assert_null(options.v[0].requires.v[0].metadata);
	assert_true(plan_options_decode(parse(arena, ""), since_0_3, arena, &options, &err));
	assert_int_equal(options.n, 1);
	arena_free(arena);
}

static void test_options_decode__refuses_what_the_reference_refuses(void **state)
{
	static const char *const texts[] = {
		"[[requires]]\nname = \"a\"\nversion = \"1\"\n",
		"[[or]]\n[[or.requires]]\nname = \"a\"\nversion = \"1\"\n",
		"provides = \"a\"\n",
		"[[requires]]\nname = 1\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct arena *arena = arena_new();
		struct plan_options options;
		struct err err = { 0 };

		assert_false(plan_options_decode(parse(arena, texts[i]), since_0_3, arena, &options,
						 &err));
		assert_int_equal(err.kind, ERR_INVALID);
		arena_free(arena);
	}
}

static void test_options_decode__takes_versions_in_0_2(void **state)
{
	struct arena *arena = arena_new();
	struct plan_options options;
	struct err err = { 0 };
	AUTO_BUF out = BUF_INIT(4096);

	(void)state;
	assert_true(plan_options_decode(
		parse(arena, "[[requires]]\nname = \"a\"\nversion = \"1\"\n[[requires]]\nname = "
			     "\"b\"\nversion = \"2\"\n[requires.metadata]\nversion = 2\n"
			     "[[requires]]\nname = \"c\"\n"),
		in_0_2, arena, &options, &err));
	toml_print(buildpack_plan_encode(&options.v[0].requires, in_0_2, arena), &out);
	assert_string_equal(
		buf_text(&out),
		"[[entries]]\n  name = \"a\"\n  version = \"1\"\n  [entries.metadata]\n    version "
		"= \"1\"\n\n[[entries]]\n  name = \"b\"\n  version = \"2\"\n  [entries.metadata]\n"
		"    version = 2\n\n[[entries]]\n  name = \"c\"\n");
	assert_false(plan_options_decode(
		parse(arena, "[[requires]]\nname = \"a\"\nversion = \"1\"\n[requires.metadata]\n"
			     "version = \"2\"\n"),
		in_0_2, arena, &options, &err));
	assert_int_equal(err.kind, ERR_INVALID);
	arena_free(arena);
}

static void test_buildpack_plan__is_read_back_before_0_5(void **state)
{
	struct arena *arena = arena_new();
	struct plan_requires requires;
	struct err err = { 0 };

	(void)state;
	assert_true(
		buildpack_plan_decode(parse(arena, "[[entries]]\nname = \"a\"\nversion = \"1\"\n"),
				      arena, &requires, &err));
	assert_int_equal(requires.n, 1);
	assert_string_equal(node_text(requires.v[0].metadata, "version"), "1");
	assert_false(buildpack_plan_decode(parse(arena, "entries = 1\n"), arena, &requires, &err));
	arena_free(arena);
}

static const char plan_text[] = "[[entries]]\n\n"
				"  [[entries.providers]]\n    id = \"a\"\n    version = \"1\"\n\n"
				"  [[entries.providers]]\n    id = \"b\"\n    version = \"2\"\n\n"
				"  [[entries.requires]]\n    name = \"x\"\n"
				"    [entries.requires.metadata]\n      k = 1\n\n"
				"[[entries]]\n\n"
				"  [[entries.providers]]\n    id = \"b\"\n    version = \"2\"\n\n"
				"  [[entries.requires]]\n    name = \"y\"\n";

static void test_plan__is_written_as_it_was_read(void **state)
{
	struct arena *arena = arena_new();
	struct build_plan plan;
	struct err err = { 0 };
	AUTO_BUF out = BUF_INIT(4096);

	(void)state;
	assert_true(build_plan_decode(parse(arena, plan_text), arena, &plan, &err));
	toml_print(build_plan_encode(&plan, arena), &out);
	assert_string_equal(buf_text(&out), plan_text);
	arena_free(arena);
}

static void test_plan__what_is_met_goes_to_nobody_else(void **state)
{
	const struct bp_element a = { .id = "a" }, b = { .id = "b" };
	struct arena *arena = arena_new();
	struct build_plan plan;
	struct plan_requires requires;
	struct strings met = { 0 };
	struct err err = { 0 };
	AUTO_BUF out = BUF_INIT(4096);

	(void)state;
	assert_true(build_plan_decode(parse(arena, plan_text), arena, &plan, &err));
	requires = build_plan_find(&plan, &a, arena);
	assert_int_equal(requires.n, 1);
	requires = build_plan_find(&plan, &b, arena);
	assert_int_equal(requires.n, 2);
	toml_print(buildpack_plan_encode(&requires, since_0_3, arena), &out);
	assert_string_equal(buf_text(&out),
			    "[[entries]]\n  name = \"x\"\n  [entries.metadata]\n    k = 1\n\n"
			    "[[entries]]\n  name = \"y\"\n");
	vec_push(arena, &met, "x");
	build_plan_drop(&plan, &met);
	requires = build_plan_find(&plan, &b, arena);
	assert_int_equal(requires.n, 1);
	assert_string_equal(requires.v[0].name, "y");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve__takes_the_first_combination_that_meets),
		cmocka_unit_test(test_resolve__gives_up_after_a_limit),
		cmocka_unit_test(test_options_decode__reads_alternatives),
		cmocka_unit_test(test_options_decode__refuses_what_the_reference_refuses),
		cmocka_unit_test(test_options_decode__takes_versions_in_0_2),
		cmocka_unit_test(test_buildpack_plan__is_read_back_before_0_5),
		cmocka_unit_test(test_plan__is_written_as_it_was_read),
		cmocka_unit_test(test_plan__what_is_met_goes_to_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
