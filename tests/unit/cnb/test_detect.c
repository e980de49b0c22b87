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
	descriptor->element.is_extension = element->is_extension;
	*out = descriptor;
	return true;
}

static void run(void *self, const struct detect_job *jobs, size_t n)
{
	struct world *world = self;

	for (size_t i = 0; i < n; i++) {
		const char *id = jobs[i].descriptor->element.id;

		buf_printf(&world->ran, "%s%s%s", world->ran.len ? " " : "",
			   jobs[i].descriptor->element.is_extension ? "+" : "", id);
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

static bool walk_order(struct world *world, const struct bp_order *order,
		       struct detect_result *result, struct err *err)
{
	struct detect_spec spec = {
		.ops = { .self = world, .find = find, .run = run, .say = say },
		.platform = { 0, 15 },
		.exec_env = "production",
		.target = { .os = "linux", .arch = "amd64" },
	};

	world->ran = world->said = BUF_INIT(1u << 20);
	return detect_walk(&spec, order, world->arena, result, err);
}

static bool walk(struct world *world, const char *order, struct detect_result *result,
		 struct err *err)
{
	struct bp_order parsed = parse_order(world->arena, order);

	return walk_order(world, &parsed, result, err);
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

/* The tree of order.toml whose order-extensions has one group of these ids. */
static struct node *extensions_tree(struct arena *arena, const char *ids)
{
	struct node *tree = node_new(arena, NODE_MAP), *orders = node_new(arena, NODE_SEQ);
	struct node *order = node_new(arena, NODE_MAP), *group = node_new(arena, NODE_SEQ);
	char *copy = arena_strdup(arena, ids), *save;

	for (char *id = strtok_r(copy, " ", &save); id; id = strtok_r(NULL, " ", &save)) {
		struct node *element = node_new(arena, NODE_MAP);

		node_set_text(arena, element, "id", id);
		node_set_text(arena, element, "version", "1");
		node_push(group, element);
	}
	node_set(arena, order, "group", group);
	node_push(orders, order);
	node_set(arena, tree, "order-extensions", orders);
	return tree;
}

static void test_walk__puts_image_extensions_before_every_group(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *extensions, *order, *group, *ran;
		enum detect_verdict verdict;
	} cases[] = {
		{ "one that passes takes part", "also", "pass", "+also pass", "+also pass", DETECT_FOUND },
		{ "one that fails is left out", "fail", "pass", "pass", "+fail pass", DETECT_FOUND },
		{ "one that is broken is left out", "crash", "pass", "pass", "+crash pass", DETECT_FOUND },
		{ "a buildpack of its name is another thing", "pass", "pass", "+pass pass", "+pass pass", DETECT_FOUND },
		{ "in every group, run once", "also", "fail / both", "+also pass also", "+also fail pass also", DETECT_FOUND },
		{ "alone it is no group", "pass", "fail?", "", "+pass fail", DETECT_NONE },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct world world = { .arena = arena_new() };
		struct bp_order order = parse_order(world.arena, cases[i].order);
		struct detect_result result;
		struct err err = { 0 };
		AUTO_BUF group = BUF_INIT(4096);

		print_message("%s\n", cases[i].name);
		assert_true(order_add_extensions(&order,
						 extensions_tree(world.arena, cases[i].extensions),
						 world.arena, &err));
		if (!walk_order(&world, &order, &result, &err))
			fail_msg("%s", err.text);
		assert_int_equal(result.verdict, cases[i].verdict);
		for (size_t k = 0; result.verdict == DETECT_FOUND && k < result.found.group.n; k++)
			buf_printf(&group, "%s%s%s", k ? " " : "",
				   result.found.group.v[k].is_extension ? "+" : "",
				   result.found.group.v[k].id);
		assert_string_equal(buf_text(&group), cases[i].group);
		assert_string_equal(buf_text(&world.ran), cases[i].ran);
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
		cmocka_unit_test(test_walk__puts_image_extensions_before_every_group),
		cmocka_unit_test(test_walk__says_who_takes_part),
		cmocka_unit_test(test_walk__ends_at_a_buildpack_that_is_not_there),
		cmocka_unit_test(test_walk__ends_at_a_composite_inside_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
