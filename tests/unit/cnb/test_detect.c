/* SPDX-License-Identifier: Apache-2.0 */
/* test_detect.c — the walk through orders, with buildpacks made up in a table: who is run, who wins, what ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buildexec/cnb/detect.h"
#include "model/base/buf.h"
#include "model/base/limits.h"

/* An order as text: groups by '/', elements by blanks, '?' behind an optional one. */
struct fake_buildpack {
	const char *name;
	int code;
	const char *order; /* composite */
	const char *arch;  /* its target */
	const char *exec_env;
};

static const struct fake_buildpack buildpacks[] = {
	{ .name = "pass" },
	{ .name = "also" },
	{ .name = "fail", .code = DETECT_FAIL },
	{ .name = "crash", .code = 7 },
	{ .name = "killed", .code = DETECT_BROKEN },
	{ .name = "both", .order = "pass also" },
	{ .name = "either", .order = "fail / also" },
	{ .name = "neither", .order = "fail / crash" },
	{ .name = "outer", .order = "neither / either" },
	{ .name = "loop", .order = "pass loop" },
	{ .name = "arm", .arch = "arm64" },
	{ .name = "test", .exec_env = "test" },
};

struct world {
	struct arena *arena;
	struct buf ran, said;
};

static struct bp_group parse_group(struct arena *arena, char *text)
{
	struct bp_group group = { 0 };
	char *save;

	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct bp_element element = { .version = "1" };
		size_t n = strlen(word);

		element.is_optional = word[n - 1] == '?';
		element.id = arena_copy(arena, word, n - element.is_optional);
		vec_push(arena, &group, element);
	}
	return group;
}

static struct bp_order parse_order(struct arena *arena, const char *text)
{
	struct bp_order order = { 0 };
	char *copy = arena_strdup(arena, text), *save;

	for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save))
		vec_push(arena, &order, parse_group(arena, part));
	return order;
}

static const struct fake_buildpack *fake(const char *id)
{
	for (size_t i = 0; i < COUNTOF(buildpacks); i++)
		if (strcmp(buildpacks[i].name, id) == 0)
			return &buildpacks[i];
	return NULL;
}

static bool find(void *self, const struct bp_element *element, const struct bp_descriptor **out,
		 struct err *err)
{
	struct world *world = self;
	const struct fake_buildpack *from = fake(element->id);
	struct bp_descriptor *descriptor = ARENA_NEW(world->arena, struct bp_descriptor);

	if (!from)
		return err_set(err, ERR_ABSENT, "no buildpack '%s'", element->id);
	descriptor->element =
		(struct bp_element){ .id = from->name, .version = "1", .api = "0.12" };
	descriptor->api = (struct api){ 0, 12 };
	if (from->order)
		descriptor->order = parse_order(world->arena, from->order);
	if (from->arch)
		vec_push(world->arena, &descriptor->targets,
			 (struct bp_target){ .os = "linux", .arch = from->arch });
	if (from->exec_env)
		vec_push(world->arena, &descriptor->exec_envs, from->exec_env);
	*out = descriptor;
	return true;
}

static void run(void *self, const struct detect_job *jobs, size_t n)
{
	struct world *world = self;

	for (size_t i = 0; i < n; i++) {
		const char *id = jobs[i].descriptor->element.id;

		buf_printf(&world->ran, "%s%s", world->ran.len ? " " : "", id);
		jobs[i].outcome->code = fake(id)->code;
		vec_push(world->arena, &jobs[i].outcome->options, (struct plan_section){ 0 });
	}
}

static void say(void *self, enum say_level level, const char *text)
{
	struct world *world = self;

	if (level >= SAY_INFO)
		buf_printf(&world->said, "%s\n", text);
}

struct row {
	const char *name, *order;
	enum detect_verdict verdict;
	const char *group, *ran;
};

/* clang-format off */
static const struct row rows[] = {
	{ "a group that passes", "pass", DETECT_FOUND, "pass", "pass" },
	{ "no groups at all", "", DETECT_NONE, "", "" },
	{ "the first group that passes wins", "fail / pass / also", DETECT_FOUND, "pass", "fail pass" },
	{ "an optional failure is skipped", "fail? pass", DETECT_FOUND, "pass", "fail pass" },
	{ "an optional error is skipped", "crash? pass", DETECT_FOUND, "pass", "crash pass" },
	{ "nothing but skipped ones is no group", "fail? crash?", DETECT_NONE, "", "fail crash" },
	{ "a required failure", "fail pass", DETECT_NONE, "", "fail pass" },
	{ "a required error", "crash pass", DETECT_ERRORS, "", "crash pass" },
	{ "a signal is an error", "killed", DETECT_ERRORS, "", "killed" },
	{ "an optional error beside a required failure counts", "crash? fail", DETECT_ERRORS, "", "crash fail" },
	{ "an error in an earlier group is remembered", "crash / fail", DETECT_ERRORS, "", "crash fail" },
	{ "an error in an earlier group does not hurt a later one", "crash / pass", DETECT_FOUND, "pass", "crash pass" },
	{ "each runs once", "pass fail / also pass fail / pass", DETECT_FOUND, "pass", "pass fail also" },
	{ "a composite stands for its groups", "both", DETECT_FOUND, "pass also", "pass also" },
	{ "a composite's second group, with what follows", "either pass", DETECT_FOUND, "also pass", "fail pass also" },
	{ "what follows belongs to each try", "neither pass / pass", DETECT_FOUND, "pass", "fail pass crash" },
	{ "a composite that errs", "neither", DETECT_ERRORS, "", "fail crash" },
	{ "an optional composite is left out", "pass neither?", DETECT_FOUND, "pass", "pass fail crash" },
	{ "an optional composite alone", "neither?", DETECT_NONE, "", "fail crash" },
	{ "composites in composites", "outer pass", DETECT_FOUND, "also pass", "fail pass crash also" },
	{ "the first of two with one id", "pass both", DETECT_FOUND, "pass also", "pass also" },
	{ "a target that does not fit", "arm", DETECT_ERRORS, "", "" },
	{ "a target that does not fit, optional: is run all the same", "arm? pass", DETECT_FOUND, "arm pass", "arm pass" },
	{ "another execution environment: not in the group", "test pass", DETECT_FOUND, "pass", "pass" },
	{ "nothing but another execution environment", "test", DETECT_NONE, "", "" },
};
/* clang-format on */

static bool walk(struct world *world, const char *order, struct detect_result *result,
		 struct err *err)
{
	struct detect_spec spec = {
		.ops = { .self = world, .find = find, .run = run, .say = say },
		.platform = { 0, 15 },
		.exec_env = "production",
		.target = { .os = "linux", .arch = "amd64" },
	};
	struct bp_order parsed = parse_order(world->arena, order);

	world->ran = world->said = BUF_INIT(1u << 20);
	return detect_walk(&spec, &parsed, world->arena, result, err);
}

static void end(struct world *world)
{
	buf_release(&world->ran);
	buf_release(&world->said);
	arena_free(world->arena);
}

static void test_walk__tries_groups_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct world world = { .arena = arena_new() };
		struct detect_result result;
		struct err err = { 0 };
		AUTO_BUF group = BUF_INIT(4096);

		print_message("%s\n", rows[i].name);
		if (!walk(&world, rows[i].order, &result, &err))
			fail_msg("%s", err.text);
		assert_int_equal(result.verdict, rows[i].verdict);
		for (size_t k = 0; result.verdict == DETECT_FOUND && k < result.found.group.n; k++)
			buf_printf(&group, "%s%s", k ? " " : "", result.found.group.v[k].id);
		assert_string_equal(buf_text(&group), rows[i].group);
		assert_string_equal(buf_text(&world.ran), rows[i].ran);
		end(&world);
	}
}

static void test_walk__says_who_takes_part(void **state)
{
	struct world world = { .arena = arena_new() };
	struct detect_result result;
	struct err err = { 0 };

	(void)state;
	assert_true(walk(&world, "fail? both crash?", &result, &err));
	assert_string_equal(buf_text(&world.said), "err:  crash@1 (7)\n"
						   "2 of 4 buildpacks participating\n"
						   "pass 1\n"
						   "also 1\n");
	end(&world);
}

static void test_walk__ends_at_a_buildpack_that_is_not_there(void **state)
{
	struct world world = { .arena = arena_new() };
	struct detect_result result;
	struct err err = { 0 };

	(void)state;
	assert_false(walk(&world, "fail / absent / pass", &result, &err));
	assert_string_equal(err.text, "no buildpack 'absent'");
	end(&world);
}

static void test_walk__ends_at_a_composite_inside_itself(void **state)
{
	struct world world = { .arena = arena_new() };
	struct detect_result result;
	struct err err = { 0 };

	(void)state;
	assert_false(walk(&world, "loop", &result, &err));
	assert_string_equal(err.text, "buildpack 'loop@1' is nested more than 32 deep");
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk__tries_groups_in_order),
		cmocka_unit_test(test_walk__says_who_takes_part),
		cmocka_unit_test(test_walk__ends_at_a_buildpack_that_is_not_there),
		cmocka_unit_test(test_walk__ends_at_a_composite_inside_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
